"""`fengsui bench nodes`: how long until N loudspeakers have verified and taken a signed warning.

The real stage send over a log of its own, a broker, and the loudspeakers' judgement in a process of
their own. Beside it the plain baseline: the same signed commands published as fast as one client
can, no log, no receipts, until the same loudspeakers have answered.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from bench.load.broker import bench_broker
from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from dispatch.channels.direct.loudspeaker import command_for
from dispatch.nodes.keys import sender_keys
from dispatch.nodes.protocol import sign
from dispatch.records import Delivery, DeliveryRecord, Receipt, Route, attempt_key
from dispatch.send.stage import run_send
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from simulators.nodes import Nodes
from stream.environment import spoken
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.mqtt.client import Mqtt
from stream.records import Record, Run, encode
from stream.wall_clock import now_ms

_TEXT = (
    "（演练）大庄科乡香屯村，山洪红色预警，立即转移！沿村东坡道向高处，不走沟道，到香屯村委会广场。"
)
_PATIENCE_S = 120.0
_PLAIN, _STAGED = Text("基线", "baseline"), Text("环节 send", "the stage send")


@click.command("nodes")
@click.option(
    "--count", default=500, show_default=True, help=spoken(Text("终端数", "how many nodes"))
)
@click.option(
    "--broker",
    "url",
    default="",
    help=spoken(Text("MQTT 服务器 [内置的]", "MQTT broker [the embedded one]")),
)
@click.pass_obj
def bench_nodes(obj: Shared, count: int, url: str) -> None:
    """终端测速：COUNT 个终端签名、下发、应答，旁有基线。

    COUNT nodes signed, sent and acknowledged, beside a plain baseline.
    """
    district: District = obj.district()
    like = next(iter(district.nodes.values()))
    names = [f"N{n:04d}" for n in range(count)]
    made = msgspec.structs.replace(
        district, nodes={n: msgspec.structs.replace(like, id=n) for n in names}
    )
    with tempfile.TemporaryDirectory() as at, bench_broker(Path(at), url) as (found, what):
        echo("MQTT: " + what)
        _measure(made, Path(at), found)


def _measure(district: District, folder: Path, url: str) -> None:
    count = len(district.nodes)
    for name, measure in ((_PLAIN, _baseline), (_STAGED, _staged)):
        place = folder / measure.__name__
        public = sender_keys(place).public
        run = f"exercise-bench{measure.__name__.replace('_', '')}"
        with _far_end(url, run, district, public.hex()):
            seconds = measure(district, place, url, run)
        each = f"{1000 * seconds / count:.2f} ms"
        took = f"{seconds:.2f} s ({each})"
        echo(
            name
            + Text(
                f"：{count} 个终端签名、发送、确认 {took}",
                f": {count} nodes signed, sent and acknowledged {took}",
            )
        )


@contextmanager
def _far_end(url: str, run: str, district: District, public: str) -> Iterator[None]:
    """The loudspeakers, until the block ends."""
    names = ",".join(district.nodes)
    process = subprocess.Popen(  # ourselves
        [sys.executable, "-m", "bench.cases.nodes", url, f"fengsui/{run}/{district.id}", public],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(names + "\n")
    process.stdin.flush()
    process.stdout.readline()  # it listens
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _deliveries(district: District, at: int) -> list[Delivery]:
    return [
        Delivery(
            id=f"d-{node.id}", alert="bench", version=1, area=node.area, hazard="flash_flood",
            level=Level.RED, action=Action.MOVE, msg_type="alert", status="exercise",
            recipient=node.id, audience="public",
            routes=(Route(channel="broadcast", text=_TEXT),), queued_at=at,
            deadline_at=at + 300_000, expires_at=at + 3_600_000,
        )
        for node in district.nodes.values()
    ]  # fmt: skip


def _baseline(district: District, folder: Path, url: str, run: str) -> float:
    prefix = f"fengsui/{run}/{district.id}"
    mqtt = Mqtt(url, "fengsui-bench-baseline")
    mqtt.wait_connected()
    mqtt.subscribe([f"{prefix}/node/+/ack"])
    private = sender_keys(folder).private
    began, at, left = time.perf_counter(), now_ms(), set(district.nodes)
    for d in _deliveries(district, at):
        key = attempt_key(d.alert, d.version, "broadcast", d.recipient)
        command = command_for(d, d.routes[0], key, "exercise", at)
        mqtt.publish(f"{prefix}/node/{d.recipient}/command", sign(private, command))
    while left and time.perf_counter() - began < _PATIENCE_S:
        batch = mqtt.get_batch(0.2)
        left -= {m.topic.split("/")[4] for m in batch}
        mqtt.ack(batch)
    took = time.perf_counter() - began
    mqtt.close()
    return took if not left else float("inf")


def _staged(district: District, folder: Path, url: str, run_name: str) -> float:
    at = now_ms()
    run = Run(name=run_name, kind="exercise", district=district.id, config="bench", start_at=at)
    log = open_log(f"sqlite:///{folder}", run.name, district.id, district.partitions)
    stop, ready = threading.Event(), threading.Event()

    def work() -> None:
        run_send(district, run, log, url, folder, stop, now=now_ms, ready=ready)

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(30)
    first: list[Record] = [run]
    _put(log, first)
    time.sleep(1.0)  # connected and at rest before the clock starts
    began = time.perf_counter()
    _put(log, list(_deliveries(district, at)))
    left, offset = set(district.nodes), 0
    while left and time.perf_counter() - began < _PATIENCE_S:
        entries = log.read("deliveries", 0, offset, 10_000)
        for entry in entries:
            offset = entry.offset + 1
            record = msgspec.json.decode(entry.value, type=DeliveryRecord)
            if isinstance(record, Receipt) and record.state in ("accepted", "playing", "played"):
                left.discard(record.delivery.removeprefix("d-"))
        if not entries:
            time.sleep(0.01)
    took = time.perf_counter() - began
    stop.set()
    thread.join()
    log.close()
    return took if not left else float("inf")


def _put(log: Log, records: list[Record]) -> None:
    log.append([Out("deliveries", "bench", encode(r)) for r in records])


def _main(url: str, prefix: str, public: str) -> None:
    names = sys.stdin.readline().strip().split(",")
    nodes = Nodes(names, bytes.fromhex(public), "exercise")
    mqtt = Mqtt(url, f"far-{prefix.replace('/', '-')}")
    mqtt.wait_connected()
    mqtt.subscribe([f"{prefix}/node/+/command"])
    print("listening", flush=True)
    while True:
        batch = mqtt.get_batch(1.0)
        for m in batch:
            name = m.topic.split("/")[4]
            for ack in nodes.hear(name, m.payload, now_ms()):
                mqtt.publish(f"{prefix}/node/{name}/ack", msgspec.json.encode(ack))
        mqtt.ack(batch)


if __name__ == "__main__":
    _main(*sys.argv[1:])
