"""What a device sends at QoS 0 is read and costs the connection nothing: it has no packet number, and nothing
is to be acknowledged."""

from stream.mqtt.client import Message, Mqtt
from tests.support.servers import Mosquitto

WAIT_S = 90.0


def test_a_message_at_qos_0_leaves_the_connection_as_it_is(mosquitto: Mosquitto) -> None:
    hearer, sender = Mqtt(mosquitto.url, "hearer"), Mqtt(mosquitto.url, "sender")
    try:
        hearer.subscribe(["t/#"], WAIT_S)
        sender.wait_connected(WAIT_S)
        heard: list[Message] = []
        for n in range(4):
            sender.publish("t/0", b"%d" % n, qos=n % 2)
            assert sender.flush(WAIT_S)
            while len(heard) <= n:
                found = hearer.get_batch(WAIT_S)
                assert found, "the connection was lost"
                hearer.ack(found)
                heard += found
        assert [m.payload for m in heard] == [b"0", b"1", b"2", b"3"]
        assert {m.session for m in heard} == {1}, "it never had to come back"
    finally:
        hearer.close()
        sender.close()
