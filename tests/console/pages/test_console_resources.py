# fixtures of another file
"""The page Resources and plans in a real browser: what is to be done, done in two presses, what lies
downstream, and the base."""

import pytest

from config.records.level import Action, Level
from fengsui.run.setup import Setup
from fengsui.run.signing import desk as signing
from stream.log.port import Log
from stream.records import Tick
from tests.support.console_pages import AXE, Desk, Seat, acts, cases, sync_api
from tests.support.decide_district import GROUP, MIN, T0, act, mark, seen

pytestmark = pytest.mark.usefixtures("here")


def late(log: Log) -> None:
    """An order to move from minute 40, and the clock an hour on."""
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A01"), seen(40, Level.BLUE, area="A12"))
    cases(log, Tick(clock_at=T0 + 75 * MIN), mark(75, group=GROUP))


def test_a_task_is_done_in_two_presses(seat: Seat, log: Log, setup: Setup) -> None:
    expect = sync_api.expect
    page = seat.enter("li", "/#/resources")
    expect(page.locator("[data-tasks]")).to_contain_text("没有未办任务")
    late(log)
    row = page.locator("[data-task^='move-out@']")
    expect(row).to_have_attribute("data-state", "overdue")
    expect(page.locator("[data-task]").first).to_have_attribute("data-state", "overdue")
    expect(page.locator("[data-below=A01]")).to_contain_text("沙门村")
    expect(page.locator("[data-below=A01] .unwarned").first).to_contain_text("尚无预警")
    row.locator("[data-done]").click()
    row.locator("input").fill("312 人已到安置点")
    seat.shot("resources")
    row.locator("[data-go-task]").click()
    done = page.locator("details [data-task^='move-out@']")
    expect(done).to_have_attribute("data-state", "done")
    expect(done).to_contain_text("312 人已到安置点")
    (said,) = acts(log)
    assert (said.by, said.act, said.outcome) == ("D-01", "task", "done")
    assert said.task.startswith("move-out@")
    wish = act("cancel", area="A01", by="D-01")
    cases(log, seen(76), signing(setup, lambda: log.positions("cases", "decide")[0]).sign(wish))
    expect(page.locator("details [data-task^='team-go@']")).to_have_attribute(
        "data-state", "revoked"
    )


def test_an_answer_that_comes_late_hides_no_newer_one(seat: Seat, log: Log) -> None:
    page = seat.enter("li", "/#/resources")
    late: list[sync_api.Route] = []
    where = "**/api/downstream/A01"
    page.route(where, lambda route: late.append(route), times=1)
    with page.expect_request(where):
        cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A01"))
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A02"))
    page.locator("[data-below=A02]").wait_for()
    with page.expect_response(where):
        late[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done))")
    sync_api.expect(page.locator("[data-below=A02]")).to_have_count(1)


def test_who_may_not_is_told_and_keeps_the_note(
    seat: Seat, desk: Desk, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "console.app.WAIT_S", 90.0
    )  # of a slow decide's word the page says "queued"
    expect = sync_api.expect
    desk.users.add("chen", "duty", "V-02", "a long enough one")
    late(log)
    page = seat.enter("chen", "/#/resources")
    row = page.locator("[data-task^='move-out@']")
    row.locator("[data-done]").click()
    row.locator("input").fill("代办")
    row.locator("[data-go-task]").click()
    expect(row.locator(".said")).to_contain_text("无权")
    expect(row.locator("input")).to_have_value("代办")
    expect(row).to_have_attribute("data-state", "overdue")
    cases(log, Tick(clock_at=T0 + 80 * MIN))
    expect(page.locator("#clock")).to_contain_text("21:20")
    expect(row).to_have_attribute("data-state", "overdue")


def test_a_viewer_sees_the_base_and_no_button(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    late(log)
    page = seat.enter("screen", "/#/resources")
    expect(page.locator("[data-task]").first).to_be_visible()
    expect(page.locator("[data-done]")).to_have_count(0)
    page.locator("[data-table=shelters]").click()
    expect(page.locator("table.base")).to_contain_text("香屯村委会广场（1号安置点）")
    expect(page.locator("table.base tbody tr")).to_have_count(51)
    page.goto(page.url.split("#")[0])
    page.locator(".leaflet-control-layers").hover()
    page.locator(".leaflet-control-layers-overlays label", has_text="避难场所").click()
    expect(page.locator(".leaflet-marker-pane .resource.shelters")).to_have_count(51)
    seat.shot("situation-shelters")


@pytest.mark.parametrize("theme", ["night", "day"])
def test_axe_finds_no_serious_fault_here(
    browser: "sync_api.Browser",
    desk: Desk,
    log: Log,
    theme: str,
) -> None:
    if not AXE.exists():
        pytest.fail("axe-core is not here: bash deploy/console.sh dev")
    late(log)
    seat = Seat(browser, desk, bypass_csp=True)
    seat.context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = seat.enter("li", "/#/resources")
    page.locator("[data-task^='move-out@'] [data-done]").click()
    page.locator("[data-below=A01]").wait_for()
    page.locator("table.base").wait_for()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    seat.shot(f"resources-{theme}")
    seat.context.close()
    bad = [
        (v["id"], [n["html"][:120] for n in v["nodes"]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert bad == []
