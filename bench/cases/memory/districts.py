"""`fengsui bench districts`: many districts on one Kafka. Each is a run of its own, with its topics, its
transactional ids and its consumer group; they take turns, and what one hop of one of them costs is counted in
CPU, of this process and of the broker."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click

from bench.cases.memory.growth import Curve, told
from bench.cases.power import Writer
from bench.servers.kafka import Kafka
from bench.servers.process import Absent
from config.language import Text, text_of
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.log.open import open_log

_DISTRICTS = (1, 2, 5, 10, 20, 40)
_ROUNDS = 3  # the cheapest counts, for whatever else runs only adds to it
_WARM = 50  # hops until the broker has compiled what a hop needs
_REST_S = 2.0


class _Spent(NamedTuple):
    """s of CPU until a moment, here and in the broker."""

    at: float
    here: float
    there: float


class Hops:
    """Districts on the Kafka at `url`, and what their hops cost. broker_s: s of CPU that it took so far."""

    def __init__(self, url: str, broker_s: Callable[[], float]) -> None:
        self._url, self._broker_s = url, broker_s
        self._open = ExitStack()
        self._writers: list[Writer] = []
        self._run = f"exercise-bench{time.time_ns():x}"

    def grow(self, districts: int) -> None:
        """Until there are so many, each with a consumer that has its partition."""
        while len(self._writers) < districts:
            log = open_log(self._url, self._run, f"d{len(self._writers)}", 1)
            self._open.callback(log.close)
            writer = Writer(log)
            self._open.callback(writer.close)
            writer.commits(1)
            self._writers.append(writer)

    def cost(self, hops: int) -> tuple[float, float]:
        """ms of CPU of one hop (a record appended, read, and answered in a commit), here and in the broker,
        beyond what all of them cost at rest; they take turns, each as often as the others."""
        each = max(1, hops // len(self._writers))
        before, done = self._spent(), 0
        for _ in range(each):
            done += sum(len(writer.commits(1)) for writer in self._writers)
        after = self._spent()
        took, (here, there) = after.at - before.at, self.at_rest()
        return (
            (after.here - before.here - here * took) / done * 1000,
            (after.there - before.there - there * took) / done * 1000,
        )

    def at_rest(self) -> tuple[float, float]:
        """s of CPU a second, here and in the broker, while nothing is said but that all are there."""
        before = self._spent()
        time.sleep(_REST_S)
        after = self._spent()
        took = after.at - before.at
        return (after.here - before.here) / took, (after.there - before.there) / took

    def _spent(self) -> _Spent:
        return _Spent(time.monotonic(), time.process_time(), self._broker_s())

    def close(self) -> None:
        self._open.close()


def _broker_s(broker: Kafka) -> float:
    fields = Path(f"/proc/{broker.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(broker: Kafka) -> float:
    """Resident."""
    pages = int(Path(f"/proc/{broker.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def curves(most: int, hops: int) -> Iterator[Curve]:
    """most: districts; hops: of each round. Raises Absent."""
    counts = tuple(n for n in _DISTRICTS if n <= most)
    here, there, rest, memory = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder, ExitStack() as begun:
        broker = Kafka(Path(folder))
        begun.callback(broker.kill)
        broker.start()
        line = Hops(f"kafka://{broker.address()}?flush=0", lambda: _broker_s(broker))
        begun.callback(line.close)
        line.grow(1)
        line.cost(_WARM)
        for n in counts:
            line.grow(n)
            rounds = [line.cost(hops) for _ in range(_ROUNDS)]
            here.append(min(ours for ours, _ in rounds))
            there.append(min(its for _, its in rounds))
            rest.append(min(sum(line.at_rest()) for _ in range(_ROUNDS)) / n * 1000)
            memory.append(_memory_mb(broker))
    what = Text("一个 Kafka 上的区县", "districts on one Kafka")
    yield Curve(what, Text("ms CPU，每跳，本进程", "ms of CPU a hop, here"), counts, tuple(here))
    yield Curve(what, Text("ms CPU，每跳，Kafka", "ms of CPU a hop, Kafka"), counts, tuple(there))
    resting = Text(
        "ms CPU，每秒每区县，闲时，两边合计", "ms of CPU a second and district at rest, both"
    )
    yield Curve(what, resting, counts, tuple(rest))
    yield Curve(
        what, Text("MB 内存，Kafka 共占", "MB of memory, all of Kafka"), counts, tuple(memory)
    )


@click.command("districts")
@click.option(
    "--most",
    default=40,
    show_default=True,
    type=click.IntRange(1, 40),
    help=spoken(Text("最多几个区县", "districts at the most")),
)
@click.option(
    "--hops",
    default=80,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help=spoken(Text("每轮几跳", "hops of each round")),
)
def bench_districts(most: int, hops: int) -> None:
    """一个 Kafka 上的区县增多时，一跳要多少 CPU，Kafka 占多少内存。Kafka 由它自己启动。

    What a hop costs where there are more districts on one Kafka, in CPU, and the memory of Kafka, which
    it starts itself.
    """
    try:
        for curve in curves(most, hops):
            echo(text_of(told(curve)))
    except Absent as e:
        raise Usage(text_of(e)) from e
