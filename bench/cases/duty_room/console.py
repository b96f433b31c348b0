"""`fengsui bench console`: what people in the duty room wait for, and what it costs.

A made district on one update a second, read in a real Chromium and by more pages' streams beside it.
The baseline is the same server sending the whole picture at each change, in the same run. With `--against` an
older build stands beside it: both trees' own servers take turns under the same load, as do their first screens
at the peak of a storm.
"""

import http.client
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from bench.cases.duty_room.against import BEFORE, beside, lend
from bench.cases.duty_room.measure import PATIENCE_S, SHARE, Here, Seen, measure, part
from bench.cases.duty_room.peak import tell_peak
from bench.load.console import Server, bench_setup, console, second
from bench.load.revision import tree_of
from config.language import Text
from console.serve import lacks
from fengsui.cli.options import Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.log.port import Log, Out
from stream.records import encode
from stream.wall_clock import now_ms

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_STEP_MS = 300_000  # of the simulated day
_FULL_H = 8  # by then all that the console keeps of the past hours is there


@click.command("console")
@click.option("--stations", default=1000, show_default=True)
@click.option("--areas", default=200, show_default=True)
@click.option(
    "--seconds",
    default=30,
    show_default=True,
    help=spoken(Text("每种的时长", "seconds of each part")),
)
@click.option(
    "--browsers",
    default=20,
    show_default=True,
    help=spoken(Text("同时在看的页面", "streams that are open")),
)
@click.option(
    "--day/--no-day",
    default=True,
    help=spoken(Text("量一昼夜的内存", "memory over a simulated day")),
)
@click.option(
    "--against",
    default="",
    metavar="REV",
    help=spoken(
        Text(
            f"与 git 的这一版同场比，如 {BEFORE}（第二版之前）",
            f"beside a revision of git, such as {BEFORE} (before the second edition)",
        )
    ),
)
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    type=click.IntRange(1, 20),
    help=spoken(Text("与旧版轮流几次", "turns with that revision")),
)
@click.pass_obj
def bench_console(
    obj: Shared,
    stations: int,
    areas: int,
    seconds: int,
    browsers: int,
    day: bool,
    against: str,
    rounds: int,
) -> None:
    """值班台测速：真的 Chromium 里的网页，与每次发整幅相比。

    The duty room's pages in a real Chromium, beside sending the whole picture.
    """
    if missing := lacks():
        raise Usage(missing)
    like = obj.district()
    shape = (stations, areas)
    if against:
        with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as at, _chromium() as browser:
            older = tree_of(against, Path(at))
            lend(older)
            for line in beside(older, against, shape, (seconds, browsers, rounds), browser):
                echo(line)
            tell_peak(browser, older, against)
            _say_busy()
        return
    with tempfile.TemporaryDirectory() as at, _chromium() as browser:
        setup = bench_setup(like, Path(at), now_ms(), shape)
        setup.folder.mkdir(parents=True)
        log = open_run_log(setup)
        log.append([Out("observations", "", encode(setup.run))])
        for n in range(areas + SHARE):  # so that all have said something
            log.append(second(setup.district, n, setup.run.start_at + n, SHARE))
        echo(
            Text(
                f"{stations} 站，{areas} 区，{browsers} 个页面流",
                f"{stations} stations, {areas} areas, {browsers} streams",
            )
        )
        with console(setup, shape, whole=True) as server:
            plain = measure(Here(setup, log, server), browser, browsers, min(seconds, 10))
        with console(setup, shape, whole=False) as server:
            ours = measure(Here(setup, log, server), browser, browsers, seconds)
            grown = _day(setup, log, server) if day else None
        log.close()
        _say(ours, plain, grown)
        tell_peak(browser, None, "")
    _say_busy()


def _say_busy() -> None:
    busy = os.getloadavg()[0]
    cores = os.cpu_count()
    echo(
        Text(
            f"  机器负载：{busy:.1f}，{cores} 核",
            f"  load of this machine: {busy:.1f} on {cores} cores",
        )
    )


@contextmanager
def _chromium() -> "Iterator[Browser]":
    found = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as e:
        raise Usage(
            Text(
                "需要 playwright 和 Chromium：pip install playwright",
                "playwright and Chromium are needed: pip install playwright",
            )
        ) from e
    if found is None:
        how = "apt-get install chromium (bash deploy/services.sh)"
        raise Usage(Text("需要 Chromium：", "Chromium is needed: ") + how)
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def _day(setup: Setup, log: Log, server: Server) -> tuple[float, float]:
    """MB of the server's process before and after a day of readings, every station every five
    minutes, each area's warning renewed every hour; begun when what it keeps (hours) is full."""
    at, n, marks = now_ms(), 10_000, []
    hourly = len(setup.district.areas) // 12
    line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=PATIENCE_S)
    line.request("GET", "/api/stream", headers={"Cookie": server.cookie})
    with line.getresponse() as stream:
        for hour in range(_FULL_H + 24):
            for _ in range(12):
                at, n = at + _STEP_MS, n + hourly
                warnings = [o for k in range(hourly) for o in second(setup.district, n + k, at, 0)]
                log.append([*warnings, *second(setup.district, n, at, 1)])
                while b'"clock":%d' % at not in stream.readline():
                    pass  # until the server has read that
            if hour in (_FULL_H - 1, _FULL_H + 23):
                marks.append(server.spent().rss / 1e6)
    line.close()
    return marks[0], marks[1]


def _say(ours: Seen, plain: Seen, grown: tuple[float, float] | None) -> None:
    def line(name: Text, value: float, unit: str, aim: float, whole: float) -> None:
        mark = "✓" if value < aim else "✗"
        of = f"{whole:.3g} ({whole / value:.1f} ×)" if value else ""
        ratio = Text(f"；整幅发送 {of}", f"; whole picture {of}") if value else ""
        aimed = Text(f"（目标 < {aim:g}）", f" (aim < {aim:g})")
        echo(f"{mark} " + name + f": {value:.3g} {unit}" + aimed + ratio)

    def opening(what: str) -> tuple[float, float]:
        both = [[getattr(o, what) for o in seen.opened] for seen in (ours, plain)]
        return statistics.median(both[0]), statistics.median(both[1])

    ready, whole = opening("ready_s")
    line(Text("页面就绪，p50", "page ready, p50"), ready, "s", 0.8, whole)
    work, whole = opening("work_s")
    echo(
        Text(
            f"  其中页面自己的 CPU：{work:.2f} s；整幅发送 {whole:.2f} s",
            f"  the page's own CPU: {work:.2f} s; whole picture {whole:.2f} s",
        )
    )
    kb, whole = opening("kb")
    line(Text("首次加载", "first load"), kb, "kB", 200, whole)
    line(Text("更新上屏，p50", "update drawn, p50"), part(ours, 0.5), "ms", 500, part(plain, 0.5))
    line(Text("更新上屏，p99", "update drawn, p99"), part(ours, 0.99), "ms", 500, part(plain, 0.99))
    line(Text("服务器，一核的", "server, of a core"), ours.core, "", 0.5, plain.core)
    echo(
        Text(
            f"  每次更新：{ours.each_kb:.1f} kB；整幅发送 {plain.each_kb:.1f} kB",
            f"  an update: {ours.each_kb:.1f} kB; whole picture {plain.each_kb:.1f} kB",
        )
    )
    if grown:
        before, after = grown
        mark = "✓" if after < before * 1.1 else "✗"
        echo(
            Text(
                f"{mark} 内存：{before:.0f} MB，一昼夜后 {after:.0f} MB（目标：+10 % 以内）",
                f"{mark} memory: {before:.0f} MB, a simulated day later {after:.0f} MB (aim: +10 % at "
                "most)",
            )
        )
