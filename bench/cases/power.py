"""`fengsui bench power`: what it costs that a power cut takes nothing back: a commit on Kafka with each append
synced (`flush.messages`) and without, in turns, and one on the embedded log beside them."""

import statistics
import tempfile
import time
from collections.abc import Iterator

import click

from bench.cases.kafka import fresh, need_kafka
from config.language import Text
from fengsui.cli.options import Shared
from fengsui.run.terminal import echo
from stream.environment import secret, spoken
from stream.log.kafka_clients import Admin
from stream.log.kafka_kept import flush_of, set_flush
from stream.log.kafka_url import INTERNAL, kafka_place
from stream.log.open import open_log
from stream.log.port import Consumer, Log, Out

_NEVER = str(2**63 - 1)  # Kafka's own default
_WARM = 30


@click.command("power")
@click.option(
    "--count",
    default=400,
    show_default=True,
    type=click.IntRange(50, 100_000),
    help=spoken(Text("每种提交几次", "commits of each kind")),
)
@click.pass_obj
def bench_power(obj: Shared, count: int) -> None:
    """断电不丢的代价：Kafka 一次提交，每次写盘与先收下后写盘，轮流量；旁有内置日志。

    会改 FENGSUI_LOG 所指 Kafka 自己两个主题的设置，完了改回：不要在值班的服务器上量。

    The price of outliving a power cut: a commit on Kafka, synced and not, beside the embedded log.

    It changes a setting of Kafka's own two topics and puts it back: not on a broker that is on duty.
    """
    for text in lines(need_kafka(obj.urls["log"] or secret("FENGSUI_LOG")), count):
        echo(text)


def lines(url: str, count: int) -> Iterator[Text]:
    """p50 and p99 of a commit with one output and its position, ms."""
    joined = "&" if "?" in url else "?"
    took: dict[str, list[float]] = {}
    admin = Admin(**kafka_place(url).options)
    logs = {flush: fresh(f"{url}{joined}flush={flush}")[1] for flush in ("0", "1")}
    try:
        before = flush_of(admin, INTERNAL)
        writers = {flush: Writer(log) for flush, log in logs.items()}
        for turn in range(4):
            for flush in ("0", "1") if turn % 2 == 0 else ("1", "0"):
                set_flush(admin, dict.fromkeys(INTERNAL, "1" if flush == "1" else _NEVER))
                found = writers[flush].commits(count // 4 + _WARM)[_WARM:]
                took.setdefault(flush, []).extend(found)
        for writer in writers.values():
            writer.close()
    finally:
        set_flush(admin, before)
        admin.close()
        for log in logs.values():
            log.close()
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        log = open_log(f"sqlite:///{folder}", "exercise-bench", "bench", 1)
        writer = Writer(log)
        took["sqlite"] = writer.commits(count + _WARM)[_WARM:]
        writer.close()
        log.close()
    yield from told(took)


def told(took: dict[str, list[float]]) -> Iterator[Text]:
    names = {
        "0": Text("Kafka，先收下后写盘", "Kafka, taken before a disk has it"),
        "1": Text("Kafka，每次写盘", "Kafka, each append synced"),
        "sqlite": Text("内置日志，每次写盘", "the embedded log, each commit synced"),
    }
    bare = took["0"]
    for kind, name in names.items():
        p50, p99 = middle(took[kind]), tail(took[kind])
        ratio = f"{p50 / middle(bare):.2f}, {p99 / tail(bare):.2f}"
        times = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {len(took[kind])}"
        yield name + Text(
            f"：一次提交 {times} 次；比第一行 {ratio}",
            f": a commit {times} of them; to the first {ratio}",
        )


def middle(took: list[float]) -> float:
    return statistics.median(took)


def tail(took: list[float]) -> float:
    return sorted(took)[min(len(took) - 1, round(len(took) * 0.99))]


class Writer:
    """A stage that writes one record for each that it reads."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._consumer: Consumer = log.join("cases", "bench", "bench")

    def commits(self, count: int) -> list[float]:
        """How long each took, ms. The record that it answers is appended before."""
        took: list[float] = []
        while len(took) < count:
            self._log.append([Out("cases", "k", b"x" * 500)])
            for entry in self._consumer.poll(1.0):
                out = Out("alerts", "k", b"y" * 800)
                began = time.perf_counter()
                self._consumer.commit(0, entry.offset + 1, [out])
                took.append((time.perf_counter() - began) * 1000)
        return took

    def close(self) -> None:
        self._consumer.close()
