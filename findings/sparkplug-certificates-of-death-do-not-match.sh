#!/usr/bin/env bash
# Finding: Sparkplug B pairs a death certificate with its birth by the metric bdSeq, so that a late death of an
# earlier session kills nobody. pysparkplug 0.6.1 (PyPI): an EdgeNode that is told to disconnect publishes an
# NDEATH whose bdSeq is one ahead of its NBIRTH, and the orderly DISCONNECT drops the will that would match. A
# host that holds strictly to the pair ignores the death and believes a station alive that has said good-bye.
# sparkplug-client 3.2.4 (npm, of Eclipse Tahu) says bdSeq 0 again after its connection was lost, so there a late death matches any birth.
# The broker is amqtt of PyPI; the sequence is read from the payloads by pysparkplug's own decoder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/edge.py" <<'PY'
import sys, time
import pysparkplug as psp

node = psp.EdgeNode("Valley", "pysparkplug", (), client=psp.Client(client_id="edge"))
node.connect("127.0.0.1", port=int(sys.argv[1]))
sys.stdin.read()
node.disconnect()
time.sleep(60)  # until it is ended
PY
cat >"$work/edge.js" <<'JS'
const edge = require("sparkplug-client").newClient({
  serverUrl: `mqtt://127.0.0.1:${process.argv[2]}`, username: "", password: "", groupId: "Valley",
  edgeNode: "tahu", clientId: "edge-js", version: "spBv1.0", publishDeath: true,
})
edge.on("birth", () => edge.publishNodeBirth({ timestamp: Date.now(), metrics: [] }))
process.stdin.on("end", () => edge.stop())
process.stdin.resume()
JS
cat >"$work/try.py" <<'PY'
import asyncio, contextlib, importlib.metadata, logging, os, queue, socket, subprocess, sys, threading
import paho.mqtt.client as mqtt
import pysparkplug as psp
from amqtt.broker import Broker

logging.disable(logging.CRITICAL)
WORK, PATIENCE_S = sys.argv[1], 60
with socket.create_server(("127.0.0.1", 0)) as door:
    port = str(door.getsockname()[1])
up, heard, ready = threading.Event(), queue.Queue(), threading.Event()


async def serve():
    anybody = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    await Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": anybody}).start()
    up.set()
    await asyncio.Event().wait()


def carry(a, b):
    with contextlib.suppress(OSError):
        while some := a.recv(4096):
            b.sendall(some)


def way():
    """Connections go through here, so that one can be lost."""
    while True:
        ends[:] = [door.accept()[0], socket.create_connection(("127.0.0.1", int(port)))]
        for a, b in (ends, ends[::-1]):
            threading.Thread(target=carry, args=(a, b), daemon=True).start()


def of_session(edge, kind):
    while True:
        said = heard.get(timeout=PATIENCE_S)
        if said.topic == f"spBv1.0/Valley/{kind}/{edge}":
            metrics = psp.Message.from_mqtt_message(said).payload
            metrics = metrics.metrics if kind == "NBIRTH" else (metrics.bd_seq_metric,)
            return next(int(m.value) for m in metrics if m.name == "bdSeq")


threading.Thread(target=asyncio.run, args=(serve(),), daemon=True).start()
assert up.wait(PATIENCE_S)
ends, door = [], socket.create_server(("127.0.0.1", 0))
threading.Thread(target=way, daemon=True).start()
ear = mqtt.Client("ear")
ear.on_connect = lambda c, *_: c.subscribe("spBv1.0/#", 1)
ear.on_subscribe = lambda *_: ready.set()
ear.on_message = lambda c, u, m: heard.put(m)
ear.connect("127.0.0.1", int(port))
ear.loop_start()
assert ready.wait(PATIENCE_S)
print("pysparkplug", importlib.metadata.version("pysparkplug"), flush=True)
for edge, command in (("pysparkplug", [sys.executable, "edge.py"]), ("tahu", ["node", "edge.js"])):
    node = subprocess.Popen([*command, str(door.getsockname()[1])], cwd=WORK, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    births, deaths = [of_session(edge, "NBIRTH")], []
    if edge == "tahu":  # its connection is lost once
        for end in ends:
            end.shutdown(socket.SHUT_RDWR)
        births.append(of_session(edge, "NBIRTH"))
    node.stdin.close()
    deaths.append(of_session(edge, "NDEATH"))
    node.kill()
    node.wait()
    print(f"{edge}: sessions were born with bdSeq {births}, the certificate of death says {deaths}", flush=True)
os._exit(0)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "pysparkplug==0.6.1" "amqtt==0.12.1"
npm install --silent --no-audit --no-fund --prefix "$work" "sparkplug-client@3.2.4" >/dev/null
node -p '"sparkplug-client " + require(process.argv[1]).version' "$work/node_modules/sparkplug-client/package.json" | tee "$work/seen"
"$work/venv/bin/python" "$work/try.py" "$work" | tee -a "$work/seen"
diff "$work/seen" - <<'SEEN'
sparkplug-client 3.2.4
pysparkplug 0.6.1
pysparkplug: sessions were born with bdSeq [0], the certificate of death says [1]
tahu: sessions were born with bdSeq [0, 0], the certificate of death says [0]
SEEN
echo "as described"
