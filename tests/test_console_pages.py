"""The duty room's pages in a real browser, over a real log with the real stage decide behind it."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from config.level import Action, Level
from console.follow import Follower
from console.serve import Listen, lacks, serving
from console.users import Users
from detectors.detection import Evidence
from dispatch.alert import Decision
from fengsui.duty_room import sources
from fengsui.line import run_stage
from fengsui.run_log import open_run_log
from fengsui.setup import Setup, free_port, make_setup, now_ms
from ingest.log import Log, Out
from ingest.observation import Observation, Observations, Record, Tick, encode
from tests.decide_district import MIN, T0, run, seen, yanqing

sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
ROOT = Path(__file__).parent.parent
SHOTS = ROOT / "out" / "console"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "a long enough one"
sync_api.expect.set_options(timeout=90_000)


@pytest.fixture(scope="module", autouse=True)
def here() -> None:
    """What these tests need; where CI is set they may not be passed over."""
    missing = lacks() or ("" if CHROMIUM else "Chromium: bash deploy/services.sh")
    if missing and os.environ.get("CI"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


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
    for module in ("web", "shift_desk"):  # decide answers, however busy the machine
        name = "WAIT_S" if module == "web" else "_WAIT_S"
        monkeypatch.setattr(f"console.{module}.{name}", 90.0)
    desk = Desk(setup)
    desk.start()
    yield desk
    desk.stop()
    desk.users.close()


@pytest.fixture(scope="module")
def browser() -> "Iterator[sync_api.Browser]":
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Seat:
    """One person's browser: what it asked of other hosts and what went wrong in it stands here."""

    def __init__(self, browser: "sync_api.Browser", desk: Desk, **more: object) -> None:
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

    def enter(self, name: str, page: str = "/") -> "sync_api.Page":
        self.page.goto(self.desk.address + page)
        self.page.get_by_label("用户名").fill(name)
        self.page.get_by_label("口令").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        self.page.locator("body[data-ready='1']").wait_for()
        return self.page

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.fixture
def seat(browser: "sync_api.Browser", desk: Desk) -> Iterator[Seat]:
    seat = Seat(browser, desk)
    yield seat
    seat.context.close()
    assert seat.faults == []
    assert seat.foreign == [], "the page asked another host"


def test_a_new_warning_shows_on_an_open_map_without_a_reload(seat: Seat, log: Log) -> None:
    page = seat.enter("screen")
    expect = sync_api.expect
    expect(page.locator("#drill")).to_be_visible()
    expect(page.locator("[data-area=A01]")).to_have_count(0)
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A01"))
    row = page.locator("[data-area=A01]")
    expect(row).to_contain_text("黄色")
    expect(row).to_contain_text("立即转移")
    row.click()
    expect(page.locator(".one .chart canvas").first).to_be_visible()
    seat.shot("situation")


def test_two_persons_release_a_red_in_two_presses_each(
    seat: Seat, browser: "sync_api.Browser", desk: Desk, log: Log
) -> None:
    expect = sync_api.expect
    areas = list(desk.setup.district.areas)[:30]
    cases(log, *[red(a) for a in areas])
    page = seat.enter("wang", "/#/warnings")
    expect(page.locator("[data-state=proposed]")).to_have_count(30)
    expect(page.locator(".texts blockquote").first).to_contain_text("演练")
    seat.shot("warnings-waiting")
    page.locator("[data-many=approve]").click()
    seat.shot("warnings-confirm")
    page.locator("[data-go=approve]").click()
    expect(page.locator(".asks", has_text="已有一人")).to_have_count(30)
    page.locator("[data-many=release]").click()
    page.locator("[data-go=release]").click()
    expect(page.locator(".said")).to_contain_text("30 个未办")  # nobody is two persons
    second = Seat(browser, desk)
    other = second.enter("li", "/#/warnings")
    other.locator("[data-many=release]").click()
    other.locator("[data-go=release]").click()
    expect(other.locator("[data-state=released]")).to_have_count(30)
    second.shot("warnings-released")
    second.context.close()
    done = [d for d in acts(log) if d.outcome == "done"]
    assert {d.by for d in done if d.act == "approve"} == {"K-01"}
    released = [d for d in done if d.act == "release"]
    assert sorted(d.area for d in released) == sorted(areas)
    assert len({d.order for d in released}) == 1, "one act"
    assert [what for _, who, what, _ in desk.users.noted() if who == "li"] == ["enter", "release"]


def test_a_restart_in_the_middle_is_seen_and_loses_nothing(
    seat: Seat, desk: Desk, log: Log
) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    page = seat.enter("wang", "/#/warnings")
    page.locator("[data-act=return]").click()
    page.locator("#reason").fill("请补充雨情")
    desk.stop()
    expect(page.locator("#alarm")).to_contain_text("连接断开")
    seat.shot("lost")
    desk.start()
    expect(page.locator("#alarm")).to_be_hidden()
    expect(page.locator("#reason")).to_have_value("请补充雨情")
    page.locator("[data-go=return]").click()
    expect(page.locator("[data-warning][data-state=returned]")).to_have_count(1)
    assert [(d.by, d.act, d.reason) for d in acts(log)] == [("K-01", "return", "请补充雨情")]


def test_the_end_of_a_session_keeps_what_was_being_written(
    seat: Seat, desk: Desk, log: Log
) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    page = seat.enter("wang", "/#/warnings")
    page.locator("[data-act=hold]").click()
    page.locator("#reason").fill("等会商")
    seat.context.clear_cookies()
    page.locator("[data-go=hold]").click()
    page.get_by_label("用户名").fill("wang")
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("[data-warning][data-state=held]")).to_have_count(1)
    assert [(d.act, d.reason) for d in acts(log)] == [("hold", "等会商")]


def test_a_viewer_is_offered_no_act(seat: Seat, log: Log) -> None:
    cases(log, red("A01"))
    page = seat.enter("screen", "/#/warnings")
    sync_api.expect(page.locator("[data-warning]")).to_have_count(1)
    sync_api.expect(page.locator("[data-act], [data-many], [data-pick]")).to_have_count(0)


@pytest.mark.parametrize("where", ["/", "/#/warnings", "/wall"])
def test_axe_finds_no_serious_fault(
    browser: "sync_api.Browser", desk: Desk, log: Log, where: str
) -> None:
    if not AXE.exists():
        pytest.fail("axe-core is not here: bash deploy/console.sh dev")
    cases(log, red("A01"), seen(40, Level.YELLOW, Action.MOVE, area="A02"))
    seat = Seat(browser, desk, bypass_csp=True)
    page = seat.enter("li", where)
    page.locator("[data-area=A02], .texts blockquote").first.wait_for()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    seat.shot(f"axe-{where.strip('/#') or 'situation'}")
    seat.context.close()
    bad = [
        (v["id"], [n["html"][:120] for n in v["nodes"]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert bad == []
