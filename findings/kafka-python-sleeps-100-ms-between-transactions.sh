#!/usr/bin/env bash
# Finding: a transactional producer of kafka-python 3.0.12 whose transactions follow one another sleeps 100 ms in most of
# them where the library itself means to wait 20. A broker that is still closing one transaction refuses the first
# request of the next (CONCURRENT_TRANSACTIONS). The handler of that request then lowers its own retry_backoff_ms to 20
# (ADD_PARTITIONS_RETRY_BACKOFF_MS, as the Java client does), but Sender._maybe_send_pending_request sleeps the
# producer's configured retry_backoff_ms, 100 unless somebody says otherwise, and never looks at the handler's. Where a
# transaction sends offsets too, AddOffsetsToTxn is refused and slept over in the same way. Throughput of small
# transactions is bounded at 10 a second by it; retry_backoff_ms=5 is all it takes.
# Needs Java 17 and Maven, which fetches the broker; it listens on loopback and everything goes into a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'kill "${broker:-0}" 2>/dev/null && wait "$broker" 2>/dev/null || true; rm -rf "$work"' EXIT
cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.1.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/libs"
read -r port control < <(python3 -c 'import socket; s = [socket.create_server(("127.0.0.1", 0)) for _ in "ab"]; print(*(x.getsockname()[1] for x in s))')
kafka=127.0.0.1:$port
cat >"$work/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$control
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$kafka,CONTROLLER://127.0.0.1:$control
log.dirs=$work/log
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
CONF
java() { command java -Xmx512m -cp "$work/libs/*" "$@"; }
java kafka.tools.StorageTool format -t "$(java kafka.tools.StorageTool random-uuid 2>/dev/null)" -c "$work/server.properties" >"$work/format.log" 2>&1
command java -Xmx512m -cp "$work/libs/*" kafka.Kafka "$work/server.properties" >"$work/broker.log" 2>&1 & broker=$!
cat >"$work/try.py" <<'PY'
import importlib.metadata, logging, os, sys, time
import kafka.producer.sender as sender
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.producer.transaction_manager import AddPartitionsToTxnHandler

logging.disable(logging.CRITICAL)
print("kafka-python", importlib.metadata.version("kafka-python"), flush=True)
slept, meant = set(), set()


class Time:
    def __getattr__(self, name):
        return getattr(time, name)

    def sleep(self, seconds):
        slept.add(round(seconds * 1000))
        time.sleep(seconds)


sender.time = Time()
lower = AddPartitionsToTxnHandler.maybe_override_retry_backoff_ms


def lowered(handler):
    lower(handler)
    meant.add(handler.retry_backoff_ms)


AddPartitionsToTxnHandler.maybe_override_retry_backoff_ms = lowered


def commits(**more):
    """Thirty transactions one after another; how many a second."""
    name = f"finding-{time.time_ns():x}"
    admin = KafkaAdminClient(bootstrap_servers=sys.argv[1])
    admin.create_topics([NewTopic(name, 1, 1)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=sys.argv[1], acks="all", transactional_id=name, **more)
    producer.init_transactions()
    slept.clear(), meant.clear()
    began = time.monotonic()
    for _ in range(30):
        producer.begin_transaction()
        producer.send(name, b"one", partition=0)
        producer.commit_transaction()
    return 30 / (time.monotonic() - began)


plain = commits()
print("meant to wait, ms:", meant, "slept, ms:", slept, "| at most 10 a second:", plain <= 10, flush=True)
quick = commits(retry_backoff_ms=5)
print("retry_backoff_ms=5: slept, ms:", slept, "| more than half as many again:", quick > 1.5 * plain, flush=True)
print(f"{plain:.1f} and {quick:.1f} transactions a second", file=sys.stderr)
os._exit(0)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "kafka-python==3.0.12"
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do kill -0 "$broker"; sleep 0.5; done
"$work/venv/bin/python" "$work/try.py" "$kafka" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
kafka-python 3.0.12
meant to wait, ms: {20} slept, ms: {100} | at most 10 a second: True
retry_backoff_ms=5: slept, ms: {5} | more than half as many again: True
SEEN
echo "as described"
