"""The pages System, Config check and Skill, in a real browser over a real run."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from config.records.level import Action, Level
from console.model.consistency import Audit
from console.model.follow import Follower
from console.model.view import View
from console.pages.channels import parts
from console.serve import Listen, serving
from dispatch.records import Alert, Outcome, RouteHealth, Terminal, Terminals
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.status.checked_district import load_district
from fengsui.status.pages import asked, check
from stream.log.port import Log, Out
from stream.records import Tick, encode
from stream.wall_clock import now_ms
from tests.support.console_pages import ROOT, Desk, Seat, cases, seated, sync_api
from tests.support.console_system import no_serious_fault
from tests.support.decide_district import MIN, T0, run, seen, yanqing

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def room(setup: Setup, desk: Desk) -> Iterator[Desk]:
    """The desk with all that `fengsui console` gives its pages."""
    desk.stop()
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        desk.users,
        Listen(port=desk.port),
        now=now_ms,
        asked=asked(setup, ROOT / "config" / "yanqing"),
    ):
        yield desk


@pytest.fixture
def seat(browser: sync_api.Browser, room: Desk) -> Iterator[Seat]:
    yield from seated(Seat(browser, room, bypass_csp=True))


def test_system_shows_what_is_behind_unexplained_down_and_unproven(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, seen(40))
    health = RouteHealth(
        channel="broadcast", carrier="mqtt", up=False, checked_at=T0 + 39 * MIN, detail="refused",
        by="probe",
    )  # fmt: skip
    log.append([Out("deliveries", "x", encode(health))])
    page = seat.enter("screen", "/#/system")
    row = page.locator("tr", has_text="broadcast/mqtt")
    expect(row).to_contain_text("中断 refused")
    expect(page.locator("tr", has_text="cap/file")).to_contain_text("未经验证")
    expect(page.locator("tr", has_text="定向")).to_contain_text(
        "从未读过"
    )  # no such stage runs here
    expect(page.locator("tr", has_text="决策")).to_contain_text("跟得上")
    expect(page.locator("tr", has_text="磁盘")).to_contain_text("GB")
    seat.shot("system")
    no_serious_fault(seat)
    log.append([Out("deliveries", "x", encode(msgspec.structs.replace(health, up=True)))])
    expect(row).to_contain_text("正常")  # without a reload


def test_system_shows_the_terminals_of_a_broadcast_platform(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    rows = [
        Terminal(code=f"t{n}", kind="DT", told_at=T0, name=f"村{n}", state=s)
        for n, s in enumerate("1132")
    ]
    told = Terminals(platform="county", heard_at=T0, items=tuple(rows))
    cases(log, seen(40))
    log.append([Out("deliveries", "x", encode(told))])
    page = seat.enter("screen", "/#/system")
    expect(page.locator("main")).to_contain_text("应急广播终端")
    expect(page.locator("tr", has_text="county/t2")).to_contain_text("村2")
    expect(page.locator("tr", has_text="county/t3")).to_contain_text("关闭")
    expect(page.locator("tr", has_text="county/t0")).to_have_count(0)
    again = Terminal(code="t2", kind="DT", told_at=T0 + MIN, state="4")
    log.append([Out("deliveries", "x", encode(msgspec.structs.replace(told, items=(again,))))])
    expect(page.locator("tr", has_text="county/t2")).to_have_count(0)  # without a reload
    seat.shot("terminals")
    no_serious_fault(seat)


def test_config_check_shows_who_answers_and_the_rules_in_force(seat: Seat) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/check")
    expect(page.locator("main")).to_contain_text("没有错误")
    expect(page.locator("tr", has_text="规则")).to_contain_text("rain_threshold")
    expect(page.locator("tr", has_text="阈值版本")).to_contain_text(yanqing().rules_version)
    seat.shot("check")
    no_serious_fault(seat)
    page.goto(seat.desk.address + "/#/skill")
    expect(page.locator("main")).to_contain_text("还没有人报告实情")


def test_skill_shows_hits_misses_and_what_nobody_has_told_of(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A01"))
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A02"))
    for area in ("A01", "A03"):
        told = Outcome(
            area=area, hazard="flash_flood", happened=True, start_at=T0 + 70 * MIN,
            end_at=T0 + 80 * MIN, told_at=T0 + 90 * MIN, by="K-01",
        )  # fmt: skip
        cases(log, told)
    cases(log, Tick(clock_at=T0 + 90 * MIN))
    until(lambda: {a for a, _ in decided(log)} >= {"A01", "A02"})
    page = seat.enter("screen", "/#/skill")
    area = page.locator("table").nth(1)
    expect(area.locator("tr", has_text="A01")).to_contain_text("1.00")
    expect(page.locator("tr", has_text="命中率 POD")).to_contain_text("0.50")
    expect(page.locator("tr", has_text="✗ 漏报")).to_contain_text("A03")
    expect(page.locator("tr", has_text="？ 未核").last).to_contain_text("A02")
    seat.shot("skill")
    no_serious_fault(seat)


def decided(log: Log) -> list[tuple[str, str]]:
    records = [r for _, r in Follower(log, ("alerts",)).take()]
    return [(r.area, r.hazard) for r in records if isinstance(r, Alert)]


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not there():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_folder_that_changed_since_the_start_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "yanqing"
    shutil.copytree(ROOT / "config" / "yanqing", folder)
    setup = make_setup(load_district(folder), "exercise", tmp_path)
    found = check(setup, folder)
    assert (found["problems"], found["proved"]) == ([], True)
    assert found["now"] == found["running"]
    table = folder / "thresholds_rain.csv"
    whole = table.read_text("utf-8")
    head, first, *rest = whole.splitlines(keepends=True)
    cells = first.split(",")
    cells[4] = str(int(cells[4]) - 1)  # blue
    table.write_text("".join([head, ",".join(cells), *rest]), "utf-8")
    found = check(setup, folder)
    assert any("签字" in p for p in found["problems"])
    assert found["now"] not in ("", found["running"])
    table.write_text(whole + "A01,nothing\n", "utf-8")
    found = check(setup, folder)
    assert any("thresholds_rain.csv" in p for p in found["problems"])
    assert found["now"] == ""


def test_the_auditor_asks_the_same_over_a_view_that_another_folds() -> None:
    alone, view = Audit(), View()
    beside = Audit(view)
    for record in (run("exercise"), seen(40)):
        alone.take(record)
        view.take(record)
        beside.take(record)
    now = T0 + 90 * MIN
    assert list(beside.findings(now)) == list(alone.findings(now)) != []


def test_an_exercise_names_only_its_own_ways() -> None:
    view = View()
    view.take(run("exercise"))
    found = parts(yanqing(), view, None, T0)["ways"]  # type: ignore[arg-type]
    assert set(found) == {"broadcast/mqtt", "cap/file", "console/file"}
    assert found["broadcast/mqtt"]["up"] is None
