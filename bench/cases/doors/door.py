"""`fengsui bench door`: what an officer's page waits for while strangers guess at passwords, beside the
same page in the same run while nobody does.

Each wrong log-in comes from another address, as from many machines at once, so that no limit by
address spares the server the hashing.
"""

import http.client
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import click

from bench.load.console import BENCH_WORD, Server, bench_setup, console, second
from config.language import Text, joined, text_of
from fengsui.cli.options import Shared
from fengsui.run.run_log import open_run_log
from fengsui.run.terminal import echo
from stream.environment import spoken
from stream.log.port import Out
from stream.records import encode
from stream.wall_clock import now_ms

_AIM_MS = 500.0
_SHAPE = (200, 40)  # stations, areas
_PAGES = ("/api/me", "/api/snapshot", "/api/ground")
_EACH_S = 0.05  # between two requests of the page
_LOGIN_S = 2.0  # between two log-ins of the officer
_PATIENCE_S = 120
_TOLD = {
    403: Text("口令错", "wrong"),
    429: Text("太频繁", "too often"),
    503: Text("请稍候", "too many at once"),
}


class Waited(NamedTuple):
    """Milliseconds, sorted: of the page's requests and of the officer's own log-ins."""

    page: list[float]
    login: list[float]


@click.command("door")
@click.option(
    "--seconds",
    default=20,
    show_default=True,
    help=spoken(Text("每种的时长", "seconds of each part")),
)
@click.option(
    "--rate",
    default=20,
    show_default=True,
    help=spoken(Text("每秒错误登录", "wrong log-ins a second")),
)
@click.pass_obj
def bench_door(obj: Shared, seconds: int, rate: int) -> None:
    """门口测速：有人不断输错口令时值班人员的页面，与无人时相比。

    An officer's page while wrong log-ins come, beside none.
    """
    like = obj.district()
    with tempfile.TemporaryDirectory() as at:
        setup = bench_setup(like, Path(at), now_ms(), _SHAPE)
        setup.folder.mkdir(parents=True)
        log = open_run_log(setup)
        log.append([Out("observations", "", encode(setup.run))])
        log.append(second(setup.district, 0, setup.run.start_at, 1))
        log.close()
        with console(setup, _SHAPE, whole=False) as server:
            browser = _known(server)
            quiet = _measure(server, browser, seconds)
            with _guessing(server, rate) as answers:
                busy = _measure(server, browser, seconds)
    _say(quiet, busy, answers, rate)


def _at(share: float, sorted_ms: list[float]) -> float:
    return sorted_ms[min(len(sorted_ms) - 1, int(len(sorted_ms) * share))] if sorted_ms else 0.0


def _login(server: Server, password: str, **headers: str) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=_PATIENCE_S)
    given = {"x-fengsui": "1", **headers}
    line.request("POST", "/api/login", json.dumps({"name": "bench", "password": password}), given)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer


def _known(server: Server) -> str:
    """The cookie of a browser that the officer has entered from."""
    answer = _login(server, BENCH_WORD)
    given = [c.split(";")[0] for c in answer.headers.get_all("set-cookie") or ()]
    return next(c for c in given if "-browser=" in c)


def _measure(server: Server, browser: str, seconds: int) -> Waited:
    page, login = list[float](), list[float]()
    line = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=_PATIENCE_S)
    until = time.monotonic() + seconds

    def entering() -> None:
        while time.monotonic() < until:
            begun = time.monotonic()
            assert _login(server, BENCH_WORD, Cookie=browser).status == 200
            login.append((time.monotonic() - begun) * 1000)
            time.sleep(_LOGIN_S)

    other = threading.Thread(target=entering)
    other.start()
    n = 0
    while time.monotonic() < until:
        begun = time.monotonic()
        line.request("GET", _PAGES[n % len(_PAGES)], headers={"Cookie": server.cookie})
        line.getresponse().read()
        page.append((time.monotonic() - begun) * 1000)
        n += 1
        time.sleep(_EACH_S)
    other.join()
    line.close()
    return Waited(sorted(page), sorted(login))


@contextmanager
def _guessing(server: Server, rate: int) -> Iterator[Counter[int]]:
    """`rate` wrong log-ins a second as long as this lasts; how they were answered."""
    stop, answers = threading.Event(), Counter[int]()

    def one(n: int) -> None:
        address = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        answers[_login(server, f"guess {n}", **{"x-forwarded-for": address}).status] += 1

    def all_of_them() -> None:
        n, due = 0, time.monotonic()
        with ThreadPoolExecutor(200) as guests:
            while not stop.is_set():
                n += 1
                guests.submit(one, n)
                due += 1 / rate
                stop.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=all_of_them)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def _say(quiet: Waited, busy: Waited, answers: Counter[int], rate: int) -> None:
    before, under = _at(0.99, quiet.page), _at(0.99, busy.page)
    mark = "✓" if under < _AIM_MS else "✗"
    echo(
        Text(
            f"每秒 {rate} 次错误登录，各从一处",
            f"{rate} wrong log-ins a second, each from another address",
        )
    )
    times = f"{before:.0f} ms ({under / max(before, 0.1):.1f} ×)"
    echo(
        Text(
            f"{mark} 页面的请求，p99：{under:.0f} ms（目标 < {_AIM_MS:g}）；无人试口令时 {times}",
            f"{mark} the page's requests, p99: {under:.0f} ms (aim < {_AIM_MS:g}); while nobody "
            f"guesses {times}",
        )
    )
    half, most = f"{_at(0.5, busy.login):.0f} ms", f"{_at(1, busy.login):.0f} ms"
    calm = f"{_at(0.5, quiet.login):.0f} ms"
    echo(
        Text(
            f"  用过的浏览器登录，p50：{half}，最长 {most}；无人试口令时 {calm}",
            f"  log-in from a known browser, p50: {half}, longest {most}; while nobody guesses {calm}",
        )
    )
    words = joined(
        (text_of(_TOLD.get(code, code)) + f" {n}" for code, n in sorted(answers.items())),
        Text("，", ", "),
    )
    echo(Text("  错误登录的回答：", "  the wrong log-ins were answered: ") + words)
    load, cores = f"{os.getloadavg()[0]:.1f}", os.cpu_count()
    echo(
        Text(f"  机器负载：{load}，{cores} 核", f"  load of this machine: {load} on {cores} cores")
    )
