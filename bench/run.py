"""`fengsui bench`: the rule in memory beside a plain loop in the same run, the embedded line, and
its latency. It prints figures and ratios and judges nothing."""

import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from bench.cases.kafka import bench_hop, bench_kill, bench_throughput, need_kafka
from bench.cases.memory.state import bench_cost, bench_recovery
from bench.cases.processes import Processes
from bench.cases.rain import bench_rule, workload
from bench.cases.rules import bench_detect
from bench.load.latency import WARNINGS, publish, storms, told
from config.language import Said, Text
from config.records.district import District
from console.model.follow import Follower
from fengsui.run.processes import Line
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import free_port, make_setup
from fengsui.run.terminal import echo
from ingest.observation import Observations
from simulators.carriers.phones import Carrier
from stream.mqtt.broker import start_broker
from stream.mqtt.client import Mqtt

_START = 1_784_600_040  # s; a whole minute
_SINGLE = Text("单条", "single")
_BATCHES = Text("网关每批 200 条", "gateway batches of 200")


class Embedded:
    """The embedded line of a fresh exercise, in a folder of its own."""

    def __init__(self, district: District, folder: Path) -> None:
        self.broker = start_broker(folder / "broker", free_port())
        self.broker_url = self.broker.url
        self.setup = make_setup(
            district, "exercise-bench", folder, broker=self.broker_url, start_at=_START * 1000
        )
        self.carrier = Carrier()
        self.line = Line(self.setup, carrier_url=self.carrier.url)
        self.line.start()
        self.log = open_run_log(self.setup)
        self.mqtt = Mqtt(self.broker.url, "fengsui-bench")
        self.mqtt.wait_connected()
        self.prefix = f"fengsui/{self.setup.run.name}/{district.id}"
        self.gauges = [s.id for s in district.stations.values() if s.quantity == "rain"]

    def close(self) -> None:
        self.mqtt.close()
        self.line.stop()
        self.log.close()
        self.broker.stop()
        self.carrier.close()


def bench_line(district: District, seconds: float) -> Iterator[Said]:
    """Readings through broker, ingest, log and detect, until detect has committed them."""
    for title, each in ((_SINGLE, 1), (_BATCHES, 200)):
        with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
            line = Embedded(district, Path(folder))
            try:
                yield _through(line, title, each, seconds)
            finally:
                line.close()


def _through(line: Embedded, title: Text, each: int, seconds: float) -> Text:
    began = time.perf_counter()
    cpu = time.process_time()
    sent, kept = int(publish(line, "flood", each, seconds)), 0
    follower = Follower(line.log, ("observations",))  # what it has read it does not read again
    until = time.perf_counter() + 120
    while time.perf_counter() < until:
        kept += _new(follower)
        if kept >= sent and line.line.settled(line.log):
            break
        time.sleep(0.05)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    rate = f"{kept / took:,.0f} obs/s"
    return Text(
        f"全线，{title.zh}：{rate}（{kept:,} 条，发出 {sent:,}），各阶段 CPU 为一核的 {used / took:.0%}",
        f"line, {title.en}: {rate} ({kept:,}, sent {sent:,}), CPU of the stages "
        f"{used / took:.0%} of a core",
    )


def _new(follower: Follower) -> int:
    """Readings that are in the log since the last look."""
    return sum(len(r.station) for _, r in follower.take() if isinstance(r, Observations))


def bench_latency(district: District, seconds: float, warnings: int) -> Iterator[Said]:
    """1,000 readings a second; now and then one that raises a warning: from its publication to the
    moment a loudspeaker has the warning. warnings: so many at the least."""
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        each = (Path(folder) / str(n) for n in count())
        found = storms(lambda: Embedded(district, next(each)), district, seconds, warnings)
        yield told(list(found), seconds)


def _kafka(
    district: District, url: str, path: Path | None, seconds: float, warnings: int
) -> Iterator[Said]:
    # first: before the throughput's readings are in this process's memory and on the broker's disk
    yield from bench_hop(district, url, max(seconds, 10.0))
    readings = [(r.station, r.t * 1000, int(r.v * 10 + 0.5)) for r in workload(path)]
    yield from bench_throughput(district, url, readings)
    yield from bench_kill(district, url)
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        brokers: set[Said] = set()

        def start() -> Processes:
            place = Path(folder) / str(time.time_ns())
            place.mkdir()
            line = Processes(district, url, place)
            brokers.add(line.broker)
            return line

        found = list(storms(start, district, seconds, warnings))
        of = Text("全线一阶段一进程：", "one process a stage: ")
        yield f"Kafka, {brokers.pop()}, " + of + told(found, seconds)
    yield from bench_recovery(district, url)


def run_bench(
    district: District | None,
    log: str,
    path: Path | None,
    seconds: float,
    only: tuple[str, ...],
    *,
    quick: bool = False,
    warnings: int = WARNINGS,
) -> int:
    """Print the figures asked for; `log` is where Kafka is, if it is measured. district: of what
    needs one. warnings: of each latency."""
    parts: dict[str, Callable[[], Iterator[Said]]] = {
        "detect": lambda: bench_detect(quick=quick, workload=path),
        "rule": lambda: bench_rule(path),
    }
    if district is not None:
        here = district
        parts |= {
            "line": lambda: bench_line(here, seconds),
            "latency": lambda: bench_latency(here, seconds, warnings),
            "cost": bench_cost,
            "kafka": lambda: _kafka(here, need_kafka(log), path, seconds, warnings),
        }
    for name, part in parts.items():
        if name in only:
            for text in part():
                echo(text)
    return 0
