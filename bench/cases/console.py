"""`fengsui bench console`: what people in the duty room wait for, and what it costs.

A made district on one update a second, read in a real Chromium and by more pages' streams beside it.
The baseline is the same server sending the whole picture at each change, in the same run.
"""

import http.client
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import click

from bench.load.console import Server, bench_setup, console, second
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
    from playwright.sync_api import Browser, Page

_SHARE = 5  # every station reports once in so many seconds
_STEP_MS = 300_000  # of the simulated day
_OPENINGS = 5
_FULL_H = 8  # by then all that the console keeps of the past hours is there
_PATIENCE_S = 120
# when the page has drawn what it was told at the run's clock: pairs (that clock, now)
_WATCH = """async () => {
  const live = await import("/static/live.js");
  window.drawn = [];
  live.onChange(() => {
    const at = live.clock();
    requestAnimationFrame(() => setTimeout(() => window.drawn.push([at, Date.now()])));
  });
}"""


class Opened(NamedTuple):
    """ready_s: until it is drawn. work_s: of a core in the page's own thread, whoever else works.
    kb: that came over the line."""

    ready_s: float
    work_s: float
    kb: float


class Seen(NamedTuple):
    """Of one server under the load. opened: each opening of the page."""

    opened: list[Opened]
    drawn_ms: list[int]  # each update, sorted
    core: float
    each_kb: float  # of an update, to one page


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
@click.pass_obj
def bench_console(
    obj: Shared, stations: int, areas: int, seconds: int, browsers: int, day: bool
) -> None:
    """值班台测速：真的 Chromium 里的网页，与每次发整幅相比。

    The duty room's pages in a real Chromium, beside sending the whole picture.
    """
    if missing := lacks():
        raise Usage(missing)
    like = obj.district()
    shape = (stations, areas)
    with tempfile.TemporaryDirectory() as at, _chromium() as browser:
        setup = bench_setup(like, Path(at), now_ms(), shape)
        setup.folder.mkdir(parents=True)
        log = open_run_log(setup)
        log.append([Out("observations", "", encode(setup.run))])
        for n in range(areas + _SHARE):  # so that all have said something
            log.append(second(setup.district, n, setup.run.start_at + n, _SHARE))
        echo(
            Text(
                f"{stations} 站，{areas} 区，{browsers} 个页面流",
                f"{stations} stations, {areas} areas, {browsers} streams",
            )
        )
        with console(setup, shape, whole=True) as server:
            plain = _measure(setup, log, server, browser, browsers, min(seconds, 10))
        with console(setup, shape, whole=False) as server:
            ours = _measure(setup, log, server, browser, browsers, seconds)
            grown = _day(setup, log, server) if day else None
        log.close()
    _say(ours, plain, grown)
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


def _measure(
    setup: Setup, log: Log, server: Server, browser: "Browser", browsers: int, seconds: int
) -> Seen:
    _await_picture(server)
    opened, page = [], None
    for n in range(_OPENINGS):
        page, one = _open(server, browser)
        opened.append(one)
        if n < _OPENINGS - 1:
            page.context.close()
    assert page is not None
    page.evaluate(_WATCH)
    with _streams(server, browsers) as taken:
        before, bytes_before = server.spent(), sum(taken)
        told_at = 0
        for n in range(seconds):
            begun, told_at = time.monotonic(), now_ms()
            log.append(second(setup.district, n, told_at, _SHARE))
            page.wait_for_timeout(max(0.0, 1000 - (time.monotonic() - begun) * 1000))
        after = server.spent()
        each = (sum(taken) - bytes_before) / seconds / max(browsers, 1)
    drawn = _drawn(page, told_at)
    page.context.close()
    core = (after.cpu_s - before.cpu_s) / (after.wall_s - before.wall_s)
    late = sorted(when - at for at, when in drawn.items())
    if len(late) < seconds * 0.8:
        few = f"{len(late)} / {seconds}"
        echo(Text(f"! 页面只画出更新 {few}", f"! the page drew only {few} updates"), err=True)
    return Seen(opened, late, core, each / 1000)


def _drawn(page: "Page", last_at: int) -> dict[int, int]:
    """When the page had drawn each update; the last one, too, is waited for."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        drawn = dict(reversed(page.evaluate("window.drawn")))  # the first of each
        if max(drawn, default=0) >= last_at or time.monotonic() > until:
            return drawn
        page.wait_for_timeout(100)


def _await_picture(server: Server) -> None:
    """Until it has read the log: what a start takes is another matter."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=_PATIENCE_S)
        line.request("GET", "/api/snapshot", headers={"Cookie": server.cookie})
        status = line.getresponse().status
        line.close()
        if status == 200:
            return
        time.sleep(0.1)
    raise Usage(Text("值班台读不完日志", "the console does not come to the end of the log"))


def _open(server: Server, browser: "Browser") -> "tuple[Page, Opened]":
    """A fresh browser's page."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 860})
    name, _, value = server.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.address}])
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_S * 1000)
    line, weight = context.new_cdp_session(page), [0]
    line.send("Network.enable")
    line.send("Performance.enable", {"timeDomain": "threadTicks"})
    line.on("Network.loadingFinished", lambda e: weight.append(int(e["encodedDataLength"])))
    page.goto(server.address)
    page.locator("body[data-ready='1']").wait_for()
    drawn = "new Promise(f => requestAnimationFrame(() => setTimeout(() => f(performance.now()))))"
    seconds = page.evaluate(drawn) / 1000
    page.wait_for_load_state("load")
    work = {m["name"]: m["value"] for m in line.send("Performance.getMetrics")["metrics"]}
    return page, Opened(seconds, work["TaskDuration"], sum(weight) / 1000)


@contextmanager
def _streams(server: Server, count: int) -> Iterator[list[int]]:
    """`count` open streams, read as browsers read them; bytes of each so far."""
    taken, lines = [0] * count, []

    def read(n: int, answer: http.client.HTTPResponse) -> None:
        with suppress(http.client.IncompleteRead):  # hung up by us, at the end
            while part := answer.read1(65_536):
                taken[n] += len(part)

    threads = []
    for n in range(count):
        line = http.client.HTTPConnection(urlsplit(server.address).netloc)
        line.request("GET", "/api/stream", headers={"Cookie": server.cookie})
        threads.append(threading.Thread(target=read, args=(n, line.getresponse()), daemon=True))
        lines.append(line)
        threads[-1].start()
    try:
        yield taken
    finally:
        for line in lines:
            if line.sock is not None:
                line.sock.shutdown(2)
        for thread in threads:
            thread.join()
        for line in lines:
            line.close()


def _day(setup: Setup, log: Log, server: Server) -> tuple[float, float]:
    """MB of the server's process before and after a day of readings, every station every five
    minutes, each area's warning renewed every hour; begun when what it keeps (hours) is full."""
    at, n, marks = now_ms(), 10_000, []
    hourly = len(setup.district.areas) // 12
    line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=_PATIENCE_S)
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

    def part(seen: Seen, share: float) -> float:
        return float(seen.drawn_ms[min(len(seen.drawn_ms) - 1, int(len(seen.drawn_ms) * share))])

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
