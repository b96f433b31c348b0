#!/usr/bin/env bash
# Finding: KafkaConsumer and KafkaAdminClient of kafka-python 3.0.12 start a thread of theirs, with its sockets,
# and then ask the servers for metadata. Where no server answers the constructor raises KafkaTimeoutError,
# the thread goes on as long as the process, and the caller holds no object that could be closed. A service
# that tries again until its broker is up collects one at every try: 3.0.12 waits 30 s by default, so some thousands a day.
# Nothing listens at the port that is used here; the clients wait 0.5 s for a server, so that it is over sooner.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat >"$work/try.py" <<'PY'
import gc, importlib.metadata, logging, socket, threading, time
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaTimeoutError

logging.disable(logging.CRITICAL)
TRIES, PATIENCE_S = 3, 20


def threads():
    return sum(t.name.startswith("kafka-io") for t in threading.enumerate())


with socket.create_server(("127.0.0.1", 0)) as door:
    nobody = f"127.0.0.1:{door.getsockname()[1]}"
print("kafka-python", importlib.metadata.version("kafka-python"))
for client in (KafkaAdminClient, KafkaConsumer):
    before = threads()
    for _ in range(TRIES):
        try:
            client(bootstrap_servers=nobody, bootstrap_timeout_ms=500)
        except KafkaTimeoutError:
            gc.collect()
    until = time.monotonic() + PATIENCE_S
    while threads() > before and time.monotonic() < until:
        time.sleep(0.1)
    print(f"{client.__name__}: {TRIES} raised, {threads() - before} threads go on")
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "kafka-python==3.0.12"
"$work/venv/bin/python" "$work/try.py" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
kafka-python 3.0.12
KafkaAdminClient: 3 raised, 3 threads go on
KafkaConsumer: 3 raised, 3 threads go on
SEEN
echo "as described"
