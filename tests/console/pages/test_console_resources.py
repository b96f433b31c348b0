# fixtures of another file
"""The page Resources and plans in a real browser: what is to be done, done in two presses, what lies
downstream, and the base."""

import pytest

from config.records.level import Action, Level
from fengsui.run.setup import Setup
from fengsui.run.signing import desk as signing
from stream.log.port import Log
from stream.records import Tick
from tests.support.console_pages import AXE, Desk, Seat, acts, cases, sync_api, taken
from tests.support.decide_district import GROUP, MIN, T0, act, mark, seen

pytestmark = pytest.mark.usefixtures("here")


def late(log: Log) -> None:
    """An order to move from minute 40, and the clock an hour on."""
    cases(log, seen(40, Level.YELLOW, Action.MOVE, area="A01"), seen(40, Level.BLUE, area="A12"))
    cases(log, Tick(clock_at=T0 + 75 * MIN), mark(75, group=GROUP))
    taken(log)


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
    bad = faults(page)
    seat.shot(f"resources-{theme}")
    page.locator("[data-list=person]").click()
    page.locator("[data-all]").first.click()
    page.locator("[data-table=supplies]").click()
    page.locator("[data-supply]").first.click()
    bad += faults(page)
    seat.shot(f"resources-people-{theme}")
    page.evaluate("location.hash = '#/warnings'")
    page.locator("[data-village=A01] [data-open]").first.click()
    page.locator("[data-write]").click()
    page.locator("[data-sign]:not(:disabled)").wait_for()
    bad += faults(page)
    page.locator("[data-sign]").scroll_into_view_if_needed()
    seat.shot(f"order-{theme}")
    seat.context.close()
    assert bad == []


def faults(page: sync_api.Page) -> list[tuple[str, list[str]]]:
    """Of all that stands there now: nothing above minor."""
    return [
        (v["id"], [n["html"][:120] for n in v["nodes"]])
        for v in page.evaluate("axe.run(document)")["violations"]
        if v["impact"] != "minor"
    ]


def test_all_tasks_of_a_village_are_done_with_one_press(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    late(log)
    page = seat.enter("li", "/#/resources")
    page.locator("[data-list=village]").click()
    expect(page.locator("[data-list=village]")).to_be_focused()
    here = page.locator("[data-group='大庄科乡 香屯村']")
    expect(here).to_contain_text("逾期")
    many = page.locator("[data-all='大庄科乡 香屯村']")
    n = int(many.inner_text().split()[1])
    assert n > 3
    many.click()
    page.locator("[data-go-task^='all:village']").click()
    expect(here).to_have_count(0)
    assert [(d.act, d.outcome) for d in acts(log)] == [("task", "done")] * n
    assert len({d.order for d in acts(log)}) == 1, "one press"
    page.locator("[data-list=person]").click()
    expect(page.locator("[data-group*='V-12']")).to_have_count(1)


def test_supplies_are_reserved_on_the_page_and_counted(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    late(log)
    page = seat.enter("li", "/#/resources")
    page.locator("[data-table=supplies]").click()
    row = page.locator("tr", has_text="SB-01")
    expect(row).to_contain_text("1200 / 1200 条")
    row.locator("[data-supply]").click()
    row.locator("[data-count]").fill("2000")
    row.locator("[data-go-supply]").click()
    expect(row.locator(".said")).to_contain_text("只剩1200条可用")
    row.locator("[data-count]").fill("300")
    row.locator("[data-go-supply]").click()
    expect(row).to_contain_text("900 / 1200 条")
    expect(row).to_contain_text("300 / 0")
    assert [(d.act, d.outcome) for d in acts(log)] == [("reserve", "refused"), ("reserve", "done")]


def test_a_draft_order_says_where_each_sentence_comes_from_and_goes_out_when_signed(
    seat: Seat, log: Log
) -> None:
    expect = sync_api.expect
    late(log)
    page = seat.enter("li", "/#/warnings")
    page.locator("[data-village=A01] [data-open]").first.click()
    expect(page.locator("[data-plan]")).to_contain_text("不漏一户一人")
    expect(page.locator("[data-plan]")).to_contain_text("出处：示例-延庆区山洪灾害防御预案 5.2")
    expect(page.locator("[data-draft]")).to_contain_text("可容700人")
    expect(page.locator("[data-draft]")).to_contain_text("出处：shelters.csv SH-A01")
    assert acts(log) == [], "a draft is nobody's word"
    page.locator("[data-write]").click()
    text = page.locator("[data-order]")
    text.fill("香屯村全部转移到村委会广场，不得走沿河路。")
    seat.shot("order")
    page.locator("[data-sign]").click()
    expect(
        page.locator("[data-sign]").locator("xpath=ancestor::form").locator(".said")
    ).to_contain_text("已签发给")
    (said,) = acts(log)
    assert (said.by, said.act, said.outcome) == ("D-01", "instruct", "done")
    assert said.reason == "香屯村全部转移到村委会广场，不得走沿河路。"
