#!/usr/bin/env bash
# Finding: the SeedLink client of ObsPy 1.5.1 takes a connection that the server has closed for one that has
# no data just now: it asks again only when its network timeout is over, 120 s unless another is set. A
# server that restarts makes every station deaf for two minutes, while each of them could be asked again at
# once; a debris flow of four metres a second has gone 480 m by then. And the timeout that its documentation
# gives as None by default cannot connect at all: it is compared with a number.
# The server here speaks as much of SeedLink 3 as comes before the first record, then closes, as one does that
# is restarted. The client's network timeout is set to 6 s, so that this is over sooner.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib.metadata, logging, socket, threading, time
from obspy.clients.seedlink.client.seedlinkconnection import SeedLinkConnection
from obspy.clients.seedlink.seedlinkexception import SeedLinkException

logging.disable(logging.CRITICAL)
NETWORK_TIMEOUT_S = 6


def server(closed, came):
    door = socket.create_server(("127.0.0.1", 0))

    def work():
        while True:
            link, _ = door.accept()
            came.append(time.monotonic())
            said = b""
            while not said.endswith(b"END\r"):
                said += link.recv(1)
                if said.endswith(b"HELLO\r"):
                    link.sendall(b"SeedLink v3.1 (finding) :: SLPROTO:3.1\r\nnobody\r\n")
                elif said.endswith(b"\r") and not said.endswith(b"END\r"):
                    link.sendall(b"OK\r\n")
            link.close()
            closed.append(time.monotonic())

    threading.Thread(target=work, daemon=True).start()
    return f"127.0.0.1:{door.getsockname()[1]}"


def client(address, **more):
    link = SeedLinkConnection(**more)
    link.set_sl_address(address)
    link.parse_stream_list("XX_ONE:HHZ", "")
    link.set_net_timeout(NETWORK_TIMEOUT_S)
    link.netdly = 1
    return link


print("obspy", importlib.metadata.version("obspy"))
try:
    client(server([], [])).connect()
    print("timeout by default: connected")
except SeedLinkException as e:
    print("timeout by default:", "compared with None" if "NoneType" in str(e) else e)
closed, came = [], []
link = client(server(closed, came), timeout=60.0)
threading.Thread(target=link.collect, daemon=True).start()
while len(came) < 2:
    time.sleep(0.05)
late = came[1] - closed[0] >= NETWORK_TIMEOUT_S - 1
print("after a close it asks again", "when the network timeout is over" if late else "at once")
print("network timeout by default", SeedLinkConnection(timeout=60.0).get_net_timeout(), "s")
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "obspy==1.5.1"
"$work/venv/bin/python" -W ignore "$work/try.py" 2>/dev/null | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
obspy 1.5.1
timeout by default: compared with None
after a close it asks again when the network timeout is over
network timeout by default 120 s
SEEN
echo "as described"
