"""A tab that was left open and slept for hours, as a laptop's does when it is shut."""

import time

import pytest

from config.records.level import Action, Level
from console.auth import entrance
from console.pages import feed
from stream.log.port import Log
from stream.wall_clock import now_ms
from tests.support.console_pages import PASSWORD, Desk, Seat, acts, cases, red, sync_api
from tests.support.decide_district import seen

pytestmark = pytest.mark.usefixtures("here")

HOUR_S = 3600


def sleep(seat: Seat, desk: Desk, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is gone, and when the lid is opened it is so many hours later, there and here."""
    desk.stop()
    for owner, name in ((entrance, "_now"), (feed, "_wall")):
        later = lambda *_: int((time.time() + hours * HOUR_S) * 1000)  # noqa: E731
        monkeypatch.setattr(owner, name, later)
    seat.page.clock.fast_forward(hours * HOUR_S * 1000)


@pytest.mark.parametrize(("hours", "again"), [(8, False), (13, True)], ids=["shift", "night"])
def test_a_tab_that_slept_says_so_and_decides_nothing_of_yesterday(
    seat: Seat,
    desk: Desk,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
    again: bool,
) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    seat.page.clock.install(time=now_ms() / 1000)
    page = seat.enter("wang", "/#/warnings")
    page.locator("[data-act=return]").click()
    page.locator("#reason").fill("请补充雨情")
    sleep(seat, desk, hours, monkeypatch)
    expect(page.locator("#alarm")).to_contain_text("不是现在")
    seat.shot(f"slept-{hours}")
    cases(log, seen(41, Level.RED, Action.MOVE))  # what the tab shows is no longer so
    desk.start()
    if again:
        page.get_by_label("用户名").fill("wang")
        page.get_by_label("口令").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page.locator("#login")).to_be_hidden()
    expect(page.locator("#alarm")).to_be_hidden()
    expect(page.locator("#reason")).to_have_value("请补充雨情")
    expect(page.locator("#clock")).not_to_contain_text("本机时钟")
    page.locator("[data-go=return]").click()
    expect(page.locator(".said")).to_contain_text("1 份未办")
    expect(page.locator("#reason")).to_have_value("请补充雨情")
    seat.shot(f"woken-{hours}")
    assert [(d.act, d.outcome) for d in acts(log)] == [("return", "refused")]
    page.get_by_role("button", name="不做了").click()
    expect(page.locator(".ledger .refused")).to_contain_text("第2版")
    expect(page.locator(".ledger li", has_text="K-01")).to_have_count(1)  # it was asked, not done
    page.locator("[data-act=return]").click()  # upon what stands there now
    page.locator("[data-go=return]").click()
    expect(page.locator("[data-warning][data-state=returned]")).to_have_count(1)
    assert [d.reason for d in acts(log) if d.outcome == "done"] == ["请补充雨情"]
