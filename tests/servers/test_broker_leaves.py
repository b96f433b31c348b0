"""What the embedded broker has confirmed is passed on, though whoever sent it is gone at once."""

import time
from pathlib import Path

from stream.mqtt.broker import start_broker
from stream.mqtt.client import Mqtt
from tests.support.servers import free_port

SENT = 400


def test_who_publishes_and_is_gone_has_lost_nothing(tmp_path: Path) -> None:
    broker = start_broker(tmp_path, free_port())
    hearer = Mqtt(broker.url, "hearer")
    try:
        hearer.subscribe(["t/#"], 90)
        sender = Mqtt(broker.url, "sender")
        sender.wait_connected(90)
        for n in range(SENT):
            sender.publish(f"t/{n % 7}", b"%d" % n)
        assert sender.flush(120.0), "the broker has confirmed them all"
        sender.close()
        heard: list[int] = []
        until = time.monotonic() + 120
        while len(heard) < SENT and time.monotonic() < until:
            batch = hearer.get_batch(0.5, 1000)
            heard += [int(m.payload) for m in batch]
            hearer.ack(batch)
        assert heard == list(range(SENT))
    finally:
        hearer.close()
        broker.stop()
