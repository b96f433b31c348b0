"""`fengsui bench snapshots --against REV`: what a snapshot of the stage detect costs in this tree and in a
revision, in the same run: processes of both take turns over the same readings. Counted is CPU time."""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from bench.load.revision import in_turns, of_tree, tree_of
from config.language import Text
from fengsui.run.terminal import echo
from stream.environment import spoken

_TOLD = (
    ("bytes", Text("字节/站", "bytes a station"), 1.0, "{:.0f}"),
    ("all_hold", Text("全部报过之后，一次占住线程最长", "all gauges reported: longest hold"), 1e3, "{:.0f} ms"),
    ("all_cpu", Text("写完一共", "all of the writing"), 1e3, "{:.0f} ms"),
    ("fifth_hold", Text("五分之一报过之后，最长", "a fifth reported: longest hold"), 1e3, "{:.0f} ms"),
    ("fifth_cpu", Text("写完一共", "all of the writing"), 1e3, "{:.0f} ms"),
    ("read", Text("读入", "reading"), 1e3, "{:.0f} ms"),
)  # fmt: skip


def lines(revision: str, stations: int, days: int, rounds: int) -> Iterator[Text]:
    """Both, and the median of the rounds' ratios."""
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        there = tree_of(revision, Path(folder))

        def turn(tree: Path) -> dict[str, float]:
            found: dict[str, float] = of_tree(tree, "snapshot_of.py", str(stations), str(days))
            return found

        pairs = in_turns(turn, there, rounds)
    yield Text(
        f"{stations:,} 站、{days} 天逐时雨量，四个分区；本版与 {revision} 轮流 {rounds} 次：",
        f"{stations:,} stations, {days} days of hourly rain, four partitions; this build and "
        f"{revision}, {rounds} turns each:",
    )
    for name, what, times, form in _TOLD:
        ours, theirs = (statistics.median(p[k][name] * times for p in pairs) for k in range(2))
        ratios = sorted(p[1][name] / max(p[0][name], 1e-9) for p in pairs)
        ratio = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"
        here, before = form.format(ours), form.format(theirs)
        yield what + Text(f"：{here}，{before}，比 {ratio}", f": {here}, {before}, ratio {ratio}")


@click.command("snapshots")
@click.option(
    "--against",
    default="HEAD",
    show_default=True,
    metavar="REV",
    help=spoken(Text("与 git 的这一版同场比", "beside a revision of git")),
)
@click.option("--stations", default=10_000, show_default=True, type=click.IntRange(100, 200_000),
              help=spoken(Text("站数", "stations")))  # fmt: skip
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 60),
              help=spoken(Text("几天的雨", "days of rain")))  # fmt: skip
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 100),
              help=spoken(Text("轮数", "rounds")))  # fmt: skip
def bench_snapshots(against: str, stations: int, days: int, rounds: int) -> None:
    """快照测速：占住检测线程多久、多大、读入多久，与 git 的某一版同场比。

    Snapshots: how long they hold the thread of detect, how large they are, how long reading takes, beside a
    revision of git.
    """
    for text in lines(against, stations, days, rounds):
        echo(text)
