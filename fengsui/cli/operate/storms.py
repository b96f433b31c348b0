"""fengsui storms: the storm machine, many seeds or one."""

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import date

import click

from config.language import Text
from fengsui.run.terminal import echo
from fengsui.storms.campaign import (
    TOLD,
    Campaign,
    Outcome,
    again,
    campaign,
    fewer,
    smallest,
    weathered,
)
from fengsui.storms.invariants import PROMISES
from fengsui.storms.plan import KINDS, Storm, draw
from fengsui.storms.reached import STATES
from stream.environment import Usage, spoken
from stream.pace.stop_signals import stopping_on_signals

_A_NIGHT = 100_000  # seeds of one date
_FIRST_WORD, _A_WORD = 20, 500  # storms until the first word of progress, and from one to the next
_SHRUNK = 3  # failing seeds that are made small


@click.command()
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=200,
    help=spoken(Text("多少场风暴 [200]", "so many storms [200]")),
)
@click.option(
    "--from",
    "first",
    default="0",
    help=spoken(
        Text(
            "第一个种子；或日期（2026-11-30、today）：当夜的种子 [0]",
            "the first seed; or a date (2026-11-30, today): that night's seeds [0]",
        )
    ),
)
@click.option("--seed", type=int, help=spoken(Text("只放这一场", "this storm alone")))
@click.option(
    "--keep",
    default="",
    help=spoken(
        Text(
            "只留这些故障（序号，逗号分开；-：一个不留）",
            "these of its faults alone (numbers, by commas; -: none)",
        )
    ),
)
@click.option(
    "--steps",
    type=click.IntRange(1),
    help=spoken(Text("至多这些步（分钟）", "no more steps (minutes) than these")),
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help=spoken(Text("进程数 [处理器数]", "processes [one a processor]")),
)
def storms(
    seeds: int, first: str, seed: int | None, keep: str, steps: int | None, workers: int | None
) -> None:
    """风暴试验机：全线在模拟时间里过许多场由种子决定的风暴和故障，查各项承诺。

    The storm machine: the whole line through many storms and faults drawn from seeds, in simulated
    time, with every promise checked.

    \b
    fengsui storms --seeds 10000
    fengsui storms --seed 17 --keep 0,3 --steps 40
    """
    if seed is not None:
        sys.exit(_one(_chosen(seed, keep, steps)))
    begin, began, processes = _first(first), time.monotonic(), workers or os.cpu_count() or 1
    stop = threading.Event()
    with stopping_on_signals(stop):
        found = campaign(range(begin, begin + seeds), processes, _progress(seeds), stop)
    if found.storms < seeds:
        echo(
            Text(
                f"✗ 中断：{seeds} 场里放了 {found.storms} 场，结果如下",
                f"✗ broken off: {found.storms} of {seeds} storms were played, of which this is the result",
            )
        )
    _speed(found, processes, time.monotonic() - began)
    sys.exit(_report(found) or int(found.storms < seeds))


def _first(words: str) -> int:
    """Raises Usage."""
    try:
        if words.isdigit():
            return int(words)
        day = date.today() if words == "today" else date.fromisoformat(words)  # noqa: DTZ011  # here
    except ValueError as e:
        raise Usage(
            Text(
                f"--from {words}: 不是种子，也不是日期",
                f"--from {words}: neither a seed nor a date",
            )
        ) from e
    return int(day.strftime("%Y%m%d")) * _A_NIGHT


def _chosen(seed: int, keep: str, steps: int | None) -> Storm:
    """Raises Usage."""
    storm = draw(seed)
    kept: list[int] = list(range(len(storm.faults)))
    if keep:
        numbers = [] if keep == "-" else keep.split(",")
        if not all(n.isdigit() and int(n) < len(storm.faults) for n in numbers):
            last = len(storm.faults) - 1
            raise Usage(
                Text(
                    f"--keep {keep}: 应为 0 到 {last} 的序号",
                    f"--keep {keep}: numbers from 0 to {last}",
                )
            )
        kept = [int(n) for n in numbers]
    return fewer(storm, kept, steps or storm.steps)


def _one(storm: Storm) -> int:
    echo(Text(f"种子 {storm.seed}，{storm.steps} 步", f"seed {storm.seed}, {storm.steps} steps"))
    for fault in storm.faults:
        echo(Text(f"  {fault}  ", f"  {fault}  ") + KINDS[fault.kind].words)
    found = weathered(storm)
    _tell(found)
    states = [STATES[n] + f" {k}" for n, k in found.reached.items() if n in STATES and k]
    for state in states:
        echo(Text("  到过：", "  reached: ") + state)
    echo(Text(f"日志 SHA-256 {found.digest}", f"SHA-256 of the log {found.digest}"))
    return int(bool(found.broken))


def _tell(o: Outcome) -> None:
    for name, where in o.broken.items():
        echo(Text(f"✗ 种子 {o.seed}：", f"✗ seed {o.seed}: ") + PROMISES[name].words)
        for one in where[:3]:
            echo(f"    {one}")


def _progress(seeds: int) -> Callable[[Outcome, Campaign], None]:
    """What went wrong in a storm at once, and now and then how far it is: a night that is broken off has
    then said what it had seen."""

    def told(o: Outcome, until_now: Campaign) -> None:
        _tell(o)
        n, failed = until_now.storms, len(until_now.failed)
        if n < seeds and (n == _FIRST_WORD or n % _A_WORD == 0):
            echo(
                Text(
                    f"已放 {n} / {seeds} 场，{failed} 场违背承诺",
                    f"{n} of {seeds} storms played, {failed} broke a promise",
                )
            )

    return told


def _speed(found: Campaign, processes: int, wall_s: float) -> None:
    """What it cost, and how quick it was on this machine with all that it had to do beside it."""
    each, faults = found.cpu_s / found.storms, found.injected.total()
    a_core, here = 60 / each, found.storms * 60 / wall_s
    echo(
        Text(
            f"每场 {each:.3f} 秒处理器时间，即一个核每分钟 {a_core:.0f} 场；这次 {processes} 个进程每分钟 "
            f"{here:.0f} 场，发生故障 {faults} 次，每秒 {faults / wall_s:.1f} 次",
            f"{each:.3f} s of processor time a storm, {a_core:.0f} a minute on a core; this time {here:.0f} "
            f"a minute with {processes} processes; {faults} faults struck, {faults / wall_s:.1f} a second",
        )
    )


def _report(found: Campaign) -> int:
    echo(
        Text(
            f"{found.storms} 场风暴，{len(found.failed)} 场违背承诺",
            f"{found.storms} storms, {len(found.failed)} broke a promise",
        )
    )
    for kind, row in KINDS.items():
        echo(
            Text(f"  故障 {found.injected[kind]:6d}  ", f"  struck {found.injected[kind]:6d}  ")
            + row.words
        )
    for name, words in STATES.items():
        echo(
            Text(f"  到过 {found.reached[name]:6d}  ", f"  reached {found.reached[name]:6d}  ")
            + words
        )
    for seed, what in list(found.failed.items())[:_SHRUNK]:
        for promise in what:
            echo(
                Text(f"再现（{promise}）：", f"again ({promise}): ")
                + again(seed, *smallest(seed, promise))
            )
    for name in found.missed:
        words = STATES[name] if name in STATES else KINDS[name].words
        echo(Text("✗ 没有到过：", "✗ never reached: ") + words)
    return int(bool(found.failed) or (bool(found.missed) and found.storms >= TOLD))
