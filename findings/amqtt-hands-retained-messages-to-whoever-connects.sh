#!/usr/bin/env bash
# Finding: amqtt 0.12.1, the MQTT broker in pure Python, gives a client that connects every retained message that
# matches a subscription of anybody else, once for each such subscription, before the client has subscribed to
# anything; MQTT 3.1.1 (3.3.1.3) gives retained messages to a new subscription that they match. A loudspeaker that
# asks for its own commands alone hears rain gauges, several times, and one whose handler does not look at the
# topic acts on them. The client is paho-mqtt 2.2.0; the retained messages are one of a rain gauge and one of a
# level gauge.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import asyncio, importlib.metadata, logging, socket, threading
import paho.mqtt.client as mqtt
from amqtt.broker import Broker

logging.disable(logging.CRITICAL)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
SETTINGS = {
    "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
    "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
}
up = threading.Event()


def serve():
    async def broker():
        await Broker(SETTINGS).start()
        up.set()
        await asyncio.Event().wait()

    asyncio.run(broker())


def client(name, wanted=""):
    """Connected, subscribed, and past one round trip more: what the broker had for it has come."""
    c, got, done, back = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name), [], threading.Event(), threading.Event()
    c.on_connect = lambda *_: done.set()
    c.on_message = lambda _c, _u, m: back.set() if m.topic == f"echo/{name}" else got.append(m.topic)
    c.connect("127.0.0.1", port)
    c.loop_start()
    assert done.wait(30)
    for topic in filter(None, (wanted, f"echo/{name}")):
        c.subscribe(topic, 1)
    for _ in range(50):
        c.publish(f"echo/{name}", b"", 1).wait_for_publish(30)
        if back.wait(0.2):
            break
    assert back.is_set()
    return c, got


threading.Thread(target=serve, daemon=True).start()
assert up.wait(30)
print("amqtt", importlib.metadata.version("amqtt"), "paho-mqtt", importlib.metadata.version("paho-mqtt"))
sender, _ = client("gauges")
for topic in ("rain/A01", "level/B01"):
    sender.publish(topic, b"1", 1, retain=True).wait_for_publish(30)
print("loudspeaker before anybody listens:", client("first", "node/N01/command")[1])
for name, wanted in (("monitor", "rain/+"), ("archive", "rain/#"), ("screen", "level/#")):
    client(name, wanted)
print("loudspeaker beside three listeners:", sorted(client("second", "node/N01/command")[1]))
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check amqtt==0.12.1 paho-mqtt==2.2.0
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
amqtt 0.12.1 paho-mqtt 2.2.0
loudspeaker before anybody listens: []
loudspeaker beside three listeners: ['level/B01', 'rain/A01', 'rain/A01']
SEEN
echo "as described"
