#!/usr/bin/env bash
# Finding: a transactional producer of kafka-python 3.0.12 whose transactional id another has taken over (it was
# stopped meanwhile) breaks the other's open transaction when it goes on. Its next record is answered
# INVALID_PRODUCER_EPOCH; the client takes that for something that it can mend and at once sends InitProducerId
# with its own old epoch ("Bumping producer epoch … after recoverable error"). The broker (Kafka 4.1.1) aborts the
# transaction that is open under the id, the live producer's, and only then finds that the epoch asked from is old and
# answers PRODUCER_FENCED. So the stale one gets nothing, and the live one, which has done nothing wrong, is told
# INVALID_PRODUCER_EPOCH or PRODUCER_FENCED at its next record or commit. Nothing is doubled. Without that request (the
# stale producer treats the answer as the end, as it does with brokers before 2.5) the live one's commit passes.
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
import importlib.metadata, logging, os, signal, sys, time
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError

logging.disable(logging.CRITICAL)
print("kafka-python", importlib.metadata.version("kafka-python"), flush=True)


def producer(name, mend):
    found = KafkaProducer(bootstrap_servers=sys.argv[1], acks="all", transactional_id=name, transaction_timeout_ms=60_000)
    if not mend:
        found._transaction_manager._supports_epoch_bump = lambda: False
    found.init_transactions()
    found.begin_transaction()
    return found


def take_over(mend):
    """The live one's end, after a stale one that was stopped between two records has gone on."""
    name = f"finding-{time.time_ns():x}"
    admin = KafkaAdminClient(bootstrap_servers=sys.argv[1])
    admin.create_topics([NewTopic(name, 1, 1)])
    admin.close()
    gone_on, mark = os.pipe()
    child = os.fork()
    if child == 0:
        stale = producer(name, mend)
        stale.send(name, b"stale 1", partition=0).get(30)
        os.kill(os.getpid(), signal.SIGSTOP)
        try:
            stale.send(name, b"stale 2", partition=0).get(30)
        except KafkaError as e:
            os.write(mark, type(e).__name__.encode())
        time.sleep(3)  # what the client does by itself
        os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    live = producer(name, mend)
    live.send(name, b"live 1", partition=0).get(30)
    os.kill(child, signal.SIGCONT)
    told = os.read(gone_on, 100).decode()
    os.waitpid(child, 0)
    try:
        live.send(name, b"live 2", partition=0).get(30)
        live.commit_transaction()
        ended = "committed"
    except KafkaError as e:
        ended = type(e).__name__
    os.close(mark)
    return f"the stale one is told {told}; the live one: {ended}"


for mend in (True, False):
    print("the client mends by itself:" if mend else "it does not:", take_over(mend), flush=True)
os._exit(0)
PY
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check "kafka-python==3.0.12"
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do kill -0 "$broker"; sleep 0.5; done
"$work/venv/bin/python" "$work/try.py" "$kafka" | tee "$work/seen"
diff "$work/seen" - <<'SEEN'
kafka-python 3.0.12
the client mends by itself: the stale one is told InvalidProducerEpochError; the live one: InvalidProducerEpochError
it does not: the stale one is told InvalidProducerEpochError; the live one: committed
SEEN
echo "as described"
