"""What people in the duty room wait for, and what it costs, of one server under the load: in a real Chromium
and by more pages' streams beside it. Any tree's server is measured alike."""

import http.client
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

from bench.cases.duty_room.peak import Room
from bench.load.console import Server, Spent, second
from config.language import Text
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage
from stream.log.port import Log
from stream.wall_clock import now_ms

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SHARE = 5  # every station reports once in so many seconds
PATIENCE_S = 120
_OPENINGS = 5
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


class Under(Protocol):
    """A server, whichever tree's, and who puts the load on it."""

    address: str
    cookie: str

    def spent(self) -> Spent: ...

    def second(self, n: int, at: int) -> None:
        """That moment of the load, at the event time `at` (ms)."""
        ...


class Here:
    """A server of this tree, over a log of this process."""

    def __init__(self, setup: Setup, log: Log, server: Server) -> None:
        self.address, self.cookie = server.address, server.cookie
        self._setup, self._log, self.spent = setup, log, server.spent

    def second(self, n: int, at: int) -> None:
        self._log.append(second(self._setup.district, n, at, SHARE))


class There:
    """A server of any tree, which writes its own load."""

    def __init__(self, of: Room) -> None:
        self.address, self.cookie, self._room = of.address, str(of.told["cookie"]), of

    def spent(self) -> Spent:
        return Spent(**self._room.ask("spent"))

    def second(self, n: int, at: int) -> None:
        self._room.ask(f"second {n} {at}")


class Seen(NamedTuple):
    """Of one server under the load. opened: each opening of the page."""

    opened: list[Opened]
    drawn_ms: list[int]  # each update, sorted
    core: float
    each_kb: float  # of an update, to one page


def middle(values: Iterable[float]) -> float:
    return statistics.median(values)


def part(seen: Seen, share: float) -> float:
    """The update that so large a share of all was drawn before, ms."""
    return float(seen.drawn_ms[min(len(seen.drawn_ms) - 1, int(len(seen.drawn_ms) * share))])


def measure(server: Under, browser: "Browser", browsers: int, seconds: int) -> Seen:
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
            server.second(n, told_at)
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
    until = time.monotonic() + PATIENCE_S
    while True:
        drawn = dict(reversed(page.evaluate("window.drawn")))  # the first of each
        if max(drawn, default=0) >= last_at or time.monotonic() > until:
            return drawn
        page.wait_for_timeout(100)


def _await_picture(server: Under) -> None:
    """Until it has read the log: what a start takes is another matter."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=PATIENCE_S)
        line.request("GET", "/api/snapshot", headers={"Cookie": server.cookie})
        status = line.getresponse().status
        line.close()
        if status == 200:
            return
        time.sleep(0.1)
    raise Usage(Text("值班台读不完日志", "the console does not come to the end of the log"))


def _open(server: Under, browser: "Browser") -> "tuple[Page, Opened]":
    """A fresh browser's page."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 860})
    name, _, value = server.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.address}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
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
def _streams(server: Under, count: int) -> Iterator[list[int]]:
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
