"""The page Drills: which exercises were held, what came of each, and its page to print."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from console.pages.drills import Target, held_at, result
from console.serve import Listen, serving
from detectors.detection import Detection
from dispatch.records import Alert, Decision
from fengsui.play.console import sources
from fengsui.review.drills import drills, printed
from fengsui.review.page import BROKEN_OFF, after_action
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.status.pages import asked
from stream.log.port import Out
from stream.records import Run, encode
from stream.wall_clock import now_ms
from tests.support.after_action import T0, story
from tests.support.console_pages import AXE, ROOT, Desk, Seat, sync_api
from tests.support.decide_district import yanqing

pytestmark = pytest.mark.usefixtures("here")

CONFIG = ROOT / "config" / "yanqing"
NAMED = "exercise-20250701T020000Z"
HELD = 1_751_335_200_000  # as its name says


def held(
    state: Path, name: str, *, assessed: bool = True, scenario: str = "yanqing-night"
) -> Setup:
    """An exercise that was played, and assessed as `fengsui drill` does it."""
    made = make_setup(yanqing(), name, state)
    made.folder.mkdir(parents=True)
    begin = Run(
        name=name, kind="exercise", district="yanqing", config="c", start_at=T0, scenario=scenario
    )
    rest = [r for r in story() if not isinstance(r, Run)]
    log = open_run_log(made)
    log.append([Out("observations", "run", encode(begin), 0)])
    topics: dict[type, str] = {Detection: "cases", Alert: "alerts", Decision: "alerts"}
    log.append([Out(topics.get(type(r), "deliveries"), "x", encode(r)) for r in (begin, *rest)])
    log.close()
    if assessed:
        assert after_action(made, "", state / f"{name}-report", None) == 0
    return made


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], "not_measured"),
        (["not_measured"], "not_measured"),
        (["met", "not_measured"], "met"),
        (["met", "not_met", "not_measured"], "not_met"),
    ],
)
def test_one_target_that_was_not_met_is_enough(found: list[str], expected: str) -> None:
    targets = [Target("z", "e", 1, 1, r) for r in found]  # type: ignore[arg-type]
    assert result(targets) == expected


def test_a_drill_was_held_when_its_name_says_so() -> None:
    assert held_at(NAMED, 5) == HELD
    assert held_at("exercise-20259901T020000Z", 5) == 5
    assert held_at("exercise-night", 5) == 5


def test_every_exercise_of_the_folder_is_listed_and_nothing_else(tmp_path: Path) -> None:
    held(tmp_path, NAMED)
    bare = held(tmp_path, "exercise-b", assessed=False)
    os.utime(bare.folder / "yanqing.exercise-b.log.db", (1_900_000_000, 1_900_000_000))
    live = make_setup(yanqing(), "live", tmp_path)
    open_run_log(live).close()
    (tmp_path / "exercise-c").mkdir()  # nothing was ever played there
    (tmp_path / "exercise-b-report").mkdir()
    found = drills(live, CONFIG)
    assert found["count"] == 2
    newest, oldest = found["drills"]
    assert (newest["run"], newest["assessed"], newest["scenario"]) == (
        "exercise-b", False, "yanqing-night",
    )  # fmt: skip
    assert (oldest["run"], oldest["held_at"], oldest["result"]) == (NAMED, HELD, "not_met")
    assert [t.result for t in oldest["targets"]].count("not_met") > 0
    assert found["command"] == f"fengsui --state {tmp_path}"
    assert "yanqing-night" in [s["name"] for s in found["scenarios"]]
    assert not (tmp_path / "exercise-c" / "yanqing.exercise-c.log.db").exists(), "it only looks"


def test_what_a_report_says_stands_on_its_page(tmp_path: Path) -> None:
    ours = held(tmp_path, NAMED)
    bare = held(tmp_path, "exercise-b", assessed=False)
    (bare.folder / BROKEN_OFF).write_text("实况", "utf-8")
    for name in (NAMED, "exercise-b"):
        page = printed(ours, name, "zh")
        assert "演练：不是真实灾情" in page
        assert name in page
    assert "演练中止" in printed(ours, "exercise-b", "zh")
    file = tmp_path / f"{NAMED}-report" / "after-action.json"
    whole = msgspec.json.decode(file.read_bytes())
    del whole["people"]  # of an older form: made anew
    file.write_bytes(msgspec.json.encode(whole))
    assert "叫应" in printed(ours, NAMED, "zh")


@pytest.mark.parametrize("name", ["", "live", "exercise-none", "../live", "exercise-b-report"])
def test_there_is_no_page_of_what_is_no_drill(tmp_path: Path, name: str) -> None:
    ours = held(tmp_path, NAMED)
    open_run_log(make_setup(yanqing(), "live", tmp_path)).close()
    with pytest.raises(ValueError, match="没有"):
        printed(ours, name, "zh")


@pytest.mark.parametrize("spoilt", ["rubbish", "live", "other"])
def test_a_report_that_is_not_this_drills_is_told_and_not_taken(
    tmp_path: Path, spoilt: str
) -> None:
    ours = held(tmp_path, NAMED)
    file = tmp_path / f"{NAMED}-report" / "after-action.json"
    whole = msgspec.json.decode(file.read_bytes())
    whole |= {"live": {"exercise": False}, "other": {"run": "exercise-z"}}.get(spoilt, {})
    file.write_bytes(b"\xff{" if spoilt == "rubbish" else msgspec.json.encode(whole))
    (row,) = drills(ours, CONFIG)["drills"]
    assert not row["assessed"]
    assert "after-action.json" in row["problem"]
    assert "演练：不是真实灾情" in printed(ours, NAMED, "zh")  # of its log


@pytest.mark.parametrize("spoilt", ["rubbish", "folder"])
def test_one_log_that_cannot_be_read_spoils_its_own_row_alone(tmp_path: Path, spoilt: str) -> None:
    ours = held(tmp_path, NAMED)
    file = tmp_path / "exercise-b" / "yanqing.exercise-b.log.db"
    file.parent.mkdir()
    if spoilt == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"no log at all" * 500)
    rows = {r["run"]: r for r in drills(ours, CONFIG)["drills"]}
    assert rows[NAMED]["problem"] == ""
    assert file.name in rows["exercise-b"]["problem"]
    with pytest.raises(ValueError, match="读不了"):
        printed(ours, "exercise-b", "zh")


@pytest.fixture
def room(setup: Setup, desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """The desk with all that `fengsui console` gives its pages, and two drills beside it."""
    held(tmp_path, NAMED)
    held(tmp_path, "exercise-b", assessed=False)
    desk.stop()
    with serving(
        setup.district,
        setup.run,
        lambda: open_run_log(setup),
        desk.users,
        Listen(port=desk.port),
        now=now_ms,
        sources=sources(setup),
        asked=asked(setup, CONFIG),
    ):
        yield desk


def serious(page: "sync_api.Page") -> list[str]:
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")["violations"]
    return [v["id"] for v in found if v["impact"] in ("serious", "critical")]


def test_drills_are_marked_and_each_opens_its_report(
    browser: "sync_api.Browser", room: Desk
) -> None:
    expect = sync_api.expect
    seat = Seat(browser, room, bypass_csp=True)
    page = seat.enter("screen", "/#/situation")
    page.locator("#map").wait_for()
    page.keyboard.press("e")
    row = page.locator("tr", has=page.locator(f"[data-drill='{NAMED}']"))
    expect(row).to_contain_text("未达到")
    expect(row).to_contain_text("演练")
    expect(row).to_contain_text("2025-07-01 10:00")
    expect(page.locator("tr", has_text="exercise-b")).to_contain_text("未评估")
    expect(page.locator("tr", has_text="exercise-pages")).to_contain_text("本次运行")
    expect(page.locator(".drill-mark")).to_be_in_viewport()
    expect(page.locator(".of-drills")).to_contain_text("drill yanqing-storm --people")
    row.locator("summary").click()
    seat.shot("drills")
    assert serious(page) == []
    with page.expect_popup() as opened:
        row.locator("a").click()
    expect(opened.value.locator(".drill")).to_contain_text("演练：不是真实灾情")
    expect(opened.value.locator("body")).to_contain_text(NAMED)
    page.evaluate("localStorage.setItem('theme', 'day')")
    page.reload()
    page.locator(f"[data-drill='{NAMED}']").wait_for()
    seat.shot("drills-day")
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    seat.shot("drills-390")
    for box in ("document.documentElement", "document.querySelector('.sheet')"):
        assert page.evaluate(f"{box}.scrollWidth - {box}.clientWidth") <= 0
    answer = page.goto(f"{room.address}/print/drill?run=live")
    assert answer is not None
    assert answer.status == 404
    seat.context.close()
    assert seat.foreign == []
