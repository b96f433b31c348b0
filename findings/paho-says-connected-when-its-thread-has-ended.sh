#!/usr/bin/env bash
# Finding: an exception in on_message ends the network thread of paho-mqtt 2.2.0 (loop_start), and the client does
# not know it: on_disconnect is not called, no keep-alive goes out, is_connected() stays True, and publish() at
# QoS 1 answers 0 (success) for what nobody acknowledges. One odd reading silences a gateway that looks alive to
# its own watchdog. (suppress_exceptions, False as it comes, would keep the thread.) The broker is amqtt 0.12.1,
# the keep-alive 2 s; the client is asked when four of them are over.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import asyncio, importlib.metadata, logging, socket, threading, time
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
up, ended, asked, met = threading.Event(), [], threading.Event(), []


def serve():
    async def broker():
        await Broker(SETTINGS).start()
        up.set()
        await asyncio.Event().wait()

    asyncio.run(broker())


def until(check):
    for _ in range(1200):
        if check():
            return True
        time.sleep(0.05)
    return False


threading.excepthook = lambda args: ended.append(args.thread)
threading.Thread(target=serve, daemon=True).start()
assert up.wait(30)
print("paho-mqtt", importlib.metadata.version("paho-mqtt"))
gateway = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "gateway")
gateway.on_message = lambda _c, _u, m: float(m.payload)
gateway.on_disconnect = lambda *_: met.append("disconnect")
gateway.on_subscribe = lambda *_: asked.set()
gateway.connect("127.0.0.1", port, keepalive=2)
gateway.loop_start()
gateway.subscribe("level/#", 1)
assert asked.wait(30)
other = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "other")
other.connect("127.0.0.1", port)
other.loop_start()
for value in (b"3.1", b"---"):
    other.publish("level/B01", value, 1).wait_for_publish(30)
print("the thread has ended:", until(lambda: ended and not ended[0].is_alive()))
sent = gateway.publish("alive", b"1", 1)
time.sleep(8)
print("is_connected:", gateway.is_connected(), "on_disconnect:", met)
print("publish:", sent.rc, "acknowledged:", sent.is_published())
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check amqtt==0.12.1 paho-mqtt==2.2.0
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
paho-mqtt 2.2.0
the thread has ended: True
is_connected: True on_disconnect: []
publish: 0 acknowledged: False
SEEN
echo "as described"
