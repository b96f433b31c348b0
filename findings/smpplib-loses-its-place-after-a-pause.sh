#!/usr/bin/env bash
# Finding: smpplib 2.2.4 throws away what it has read of a PDU when the rest comes later than its timeout (5 s
# unless set, 0.5 s here), as over a mobile line or beside a busy centre. It takes the next octets, from the
# middle of the text, for a header, and never finds its way back: that message and every whole one after it are
# lost, no error is raised and read_once goes on as on a quiet line. What is lost is what people answered, and the
# delivery receipts. Sent in one piece all three are read. Own program as the message centre, SMPP 3.4, 4.6.1.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import importlib.metadata, logging, socket, struct, threading
import smpplib.client

logging.disable(logging.CRITICAL)


def pdu(command, sequence, body=b""):
    return struct.pack(">LLLL", 16 + len(body), command, 0, sequence) + body


def deliver(sequence, text):
    ends = b"\1\1" + b"19900000001\0" + b"\1\1" + b"1069\0"
    return pdu(5, sequence, b"\0" + ends + bytes(9) + bytes([len(text)]) + text)


def centre(door, cut, go):
    line, _ = door.accept()
    line.recv(4096)  # the bind
    line.sendall(pdu(0x80000009, 1, b"centre\0"))
    first = deliver(7, b"all twelve of us are at the school")
    line.sendall(first[:cut])
    go.wait()
    line.sendall(first[cut:] + deliver(8, b"two are missing") + deliver(9, b"help"))
    while line.recv(4096):
        pass


print("smpplib", importlib.metadata.version("smpplib"))
for name, cut in (("in one piece", 0), ("with a pause", 30)):
    got, errors, go = [], [], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=centre, args=(door, cut, go), daemon=True).start()
        client = smpplib.client.Client("127.0.0.1", door.getsockname()[1], timeout=0.5)
        client.set_message_received_handler(lambda pdu: got.append(pdu.short_message.decode()))
        client.connect()
        client.bind_transceiver(system_id="county", password="secret")
        if not cut:
            go.set()
        for turn in range(8):
            if turn == 2:  # the pause was longer than the timeout
                go.set()
            try:
                client.read_once()
            except Exception as e:
                errors.append(type(e).__name__)
        client.disconnect()
    print(f"{name}: read {got}, errors {errors}")
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check smpplib==2.2.4
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
smpplib 2.2.4
in one piece: read ['all twelve of us are at the school', 'two are missing', 'help'], errors []
with a pause: read [], errors []
SEEN
echo "as described"
