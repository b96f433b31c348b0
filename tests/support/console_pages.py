"""The duty room in a real browser. Its fixtures are loaded by the conftest of the folders that use them."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from playwright import sync_api

from config.records.level import Level
from console.auth.accounts import Users
from console.model.follow import Follower
from console.serve import Listen, lacks, serving
from detectors.detection import Evidence
from dispatch.records import Decision
from fengsui.play.console import sources
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, free_port, make_setup
from ingest.observation import Observation, Observations
from stream.log.port import Log, Out
from stream.records import Record, Tick, encode
from stream.wall_clock import now_ms
from tests.support.decide_district import MIN, T0, run, seen, yanqing

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "out" / "console"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "a long enough one"
# a script for a page, which counts how many answers it still waits for
COUNTED = """
  window.waits = 0;
  const plain = window.fetch;
  window.fetch = async (...given) => {
    window.waits += 1;
    const over = () => setTimeout(() => { window.waits -= 1; });
    const answer = await plain(...given).catch((e) => { over(); throw e; });
    answer.clone().arrayBuffer().finally(over);
    return answer;
  };
"""
# what a page is to show it may show late, where the machine has much to do: five seconds are not enough
sync_api.expect.set_options(timeout=90_000)


@pytest.fixture(scope="session")
def here() -> None:
    """What these tests need; where CI is set they may not be passed over."""
    missing = lacks() or ("" if CHROMIUM else "Chromium: bash deploy/services.sh")
    if missing and os.environ.get("CI"):
        pytest.fail(str(missing))
    if missing:
        pytest.skip(str(missing))


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    strict = msgspec.structs.replace(yanqing().policy, exercise_releases=False)
    district = msgspec.structs.replace(yanqing(), policy=strict)
    return make_setup(district, "exercise-pages", tmp_path, start_at=T0)


@pytest.fixture
def log(setup: Setup) -> Iterator[Log]:
    """The log, with decide at work on it and some rain fallen."""
    setup.folder.mkdir(parents=True)
    log = open_run_log(setup)
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=run_stage, args=("decide", setup, stop, ready))
    thread.start()
    assert ready.wait(90)
    cases(log, run("exercise"))
    rain = [
        Observation(station=s, quantity="rain", observed_at=T0 + m * MIN, value=20)
        for m in range(1, 40)
        for s in setup.district.stations
        if setup.district.stations[s].quantity == "rain"
    ]
    log.append(
        [
            Out("observations", "x", encode(run("exercise"))),
            Out("observations", "x", encode(Observations.of("g", T0 + 40 * MIN, rain))),
            Out("observations", "x", encode(Tick(clock_at=T0 + 40 * MIN))),
        ]
    )
    cases(log, Tick(clock_at=T0 + 40 * MIN))
    yield log
    stop.set()
    thread.join(90)
    log.close()


def cases(log: Log, *records: Record) -> None:
    log.append([Out("cases", "x", encode(r)) for r in records])


def taken(log: Log) -> None:
    """Waits until decide has judged all that stands in the log: no question of it comes later."""
    deadline = time.monotonic() + 90
    while log.positions("cases", "decide") < log.ends("cases"):
        assert time.monotonic() < deadline, "decide has not come to what was said"
        time.sleep(0.05)


def red(area: str) -> Record:
    why = Evidence(
        station="R01", quantity="rain", value=78.0, threshold=60.0, window_min=30,
        observed_at=T0 + 39 * MIN,
    )  # fmt: skip
    said = seen(40, Level.RED, area=area)
    return msgspec.structs.replace(said, evidence=(why,))


def acts(log: Log) -> list[Decision]:
    """What people did, as the ledger has it."""
    records = [r for _, r in Follower(log, ("alerts",)).take()]
    return [r for r in records if isinstance(r, Decision) and r.by != "policy"]


class Desk:
    """The console of a run, which can be stopped and started again at the same address."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.port = setup, free_port()
        self.users = Users(setup.folder)
        for name, role, officer in (
            ("wang", "approver", "K-01"),
            ("li", "approver", "D-01"),
            ("chen", "approver", "K-02"),
            ("zhao", "duty", "D-02"),
            ("screen", "viewer", ""),
        ):
            self.users.add(name, role, officer, PASSWORD)
        self._open = ExitStack()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._open.enter_context(
            serving(
                self.setup.district,
                self.setup.run,
                lambda: open_run_log(self.setup),
                self.users,
                Listen(port=self.port),
                now=now_ms,
                sources=sources(self.setup),
            )
        )

    def stop(self) -> None:
        self._open.close()


@pytest.fixture
def desk(setup: Setup, log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name in ("console.app.WAIT_S", "console.routes.shift._WAIT_S"):
        monkeypatch.setattr(name, 90.0)  # decide answers, however busy the machine
    desk = Desk(setup)
    desk.start()
    yield desk
    desk.stop()
    desk.users.close()


@pytest.fixture(scope="module")
def browser(here: None) -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class At(Protocol):
    """Where a browser finds the desk."""

    @property
    def address(self) -> str: ...


class Seat:
    """One person's browser: what it asked of other hosts and what went wrong in it stands here."""

    def __init__(self, browser: sync_api.Browser, desk: At, **more: object) -> None:
        self.context = browser.new_context(
            locale="zh-CN", viewport={"width": 1440, "height": 860}, **more
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(90_000)
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.weight = 0
        self.page.on("pageerror", lambda e: self.faults.append(str(e)))
        self.page.on("request", lambda r: self._asked(r.url, desk.address))
        self.desk = desk

    def _asked(self, url: str, address: str) -> None:
        if not url.startswith(address) and not url.startswith("data:"):
            self.foreign.append(url)

    def enter(self, name: str, page: str = "/") -> sync_api.Page:
        self.page.goto(self.desk.address + page)
        self.page.get_by_label("用户名").fill(name)
        self.page.get_by_label("口令").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        self.page.locator("body[data-ready='1']").wait_for()
        return self.page

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


def comes_true(page: sync_api.Page, said: str) -> None:
    """Waits until an expression is true. The page's own security policy lets Playwright's wait_for_function
    look once and no more: where it is not true at once, that fails."""
    deadline = time.monotonic() + 90
    while not page.evaluate(said):
        assert time.monotonic() < deadline, said
        page.wait_for_timeout(50)


def seated(seat: Seat) -> Iterator[Seat]:
    yield seat
    seat.context.close()
    assert seat.faults == []
    assert seat.foreign == [], "the page asked another host"


@pytest.fixture
def seat(browser: sync_api.Browser, desk: Desk) -> Iterator[Seat]:
    yield from seated(Seat(browser, desk))
