"""The duty room's pages in a real browser, over a real log with the real stage decide behind it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from bench.servers.tcp_proxy import Proxy
from config.records.level import Action, Level
from fengsui.run.setup import free_port
from stream.log.port import Log
from tests.support.console_pages import AXE, PASSWORD, Desk, Seat, acts, cases, red, sync_api
from tests.support.decide_district import seen

pytestmark = pytest.mark.usefixtures("here")


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
    expect(page.locator("[data-many=release], [data-many=approve]")).to_have_count(0)
    expect(page.locator('[data-not-mine="30"]')).to_contain_text(
        "您已署名"
    )  # nobody is two persons
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


class Through(NamedTuple):
    """The desk, as it is called through a proxy."""

    address: str


@pytest.fixture
def proxy(desk: Desk) -> Iterator[Proxy]:
    made = Proxy(free_port())
    made.target = desk.port
    yield made
    made.close()


@pytest.mark.parametrize("how", ["half open", "stalled for a while"])
def test_a_stream_that_nobody_ended_heals_by_itself(
    browser: "sync_api.Browser", proxy: Proxy, log: Log, how: str
) -> None:
    """Neither end is told that the connection is dead. The page opens the stream anew and shows what
    came meanwhile; where that does not work, it says that it stands still."""
    expect = sync_api.expect
    own = Seat(browser, Through(f"http://127.0.0.1:{proxy.port}"))
    page = own.enter("screen")
    cases(log, seen(40, Level.YELLOW, area="A01"))
    expect(page.locator("[data-area=A01]")).to_contain_text("黄色")
    if how == "half open":
        proxy.strand()
    else:
        proxy.set("stall")
        expect(page.locator("#alarm")).to_be_visible()
        own.shot("stream-stalled")
    cases(log, seen(40, Level.YELLOW, area="A02"))
    proxy.set("pass")
    expect(page.locator("[data-area=A02]")).to_contain_text("黄色")
    expect(page.locator("#alarm")).to_be_hidden()
    cases(log, seen(40, Level.YELLOW, area="A03"))
    expect(page.locator("[data-area=A03]")).to_contain_text("黄色")
    own.context.close()
    assert own.faults == []


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
