"""The first screen at a storm's peak, in a real browser: what waits, how bad, until when, where, what is
blind; valley by valley; and on a phone first what waits, with nothing that changes out of sight."""

import re
from collections.abc import Iterator

import msgspec
import pytest
from playwright import sync_api

from config.records.level import Action, Level
from console.model.follow import Follower
from dispatch.records import Alert
from stream.log.port import Log, Out
from stream.records import encode
from tests.support.console_pages import AXE, Desk, Seat, acts, cases, comes_true, red, taken
from tests.support.decide_district import seen, yanqing

pytestmark = pytest.mark.usefixtures("here")
MOVE, PREPARE = Action.MOVE, Action.PREPARE
# 22 buttons, 26 badges, 33 markers stood here before: at most half
HALF = {"pressed": 11, "badges": 13, "marks": 16}
COUNT = """() => {
  const box = (e) => e.getBoundingClientRect(), map = box(document.getElementById('map'));
  const middle = (e) => { const r = box(e); return [r.left + r.width / 2, r.top + r.height / 2]; };
  const within = ([x, y], r) => x > r.left && x < r.right && y > r.top && y < r.bottom;
  const screen = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const seen = (e) => box(e).width && within(middle(e), screen)
    && e.contains(document.elementFromPoint(...middle(e)));
  const mark = (e) => e.textContent && box(e).width && within(middle(e), map);
  const n = (s, f) => [...document.querySelectorAll(s)].filter(f).length;
  const marks = n('#map .mark, #map .valley-mark', mark);
  return { pressed: n('button, summary', seen), badges: n('.badge, .order', seen), marks };
}"""


@pytest.fixture
def phone(browser: sync_api.Browser, desk: Desk) -> Iterator[Seat]:
    seat = Seat(browser, desk, has_touch=True, bypass_csp=True)
    seat.page.set_viewport_size({"width": 390, "height": 844})
    yield seat
    seat.context.close()
    assert seat.faults == []


def peak(log: Log) -> list[str]:
    """Reds over the first twenty villages in one or two hazards, orders elsewhere; which areas."""
    areas = list(yanqing().areas)
    cases(log, *(red(a) for a in areas[:20]))
    cases(log, *(seen(40, Level.ORANGE, MOVE, area=a, hazard="debris_flow") for a in areas[:12]))
    cases(log, *(seen(40, Level.YELLOW, PREPARE, area=a) for a in areas[20:43]))
    taken(log)
    return areas


def test_the_first_screen_at_the_peak_answers_and_holds_half_of_what_it_held(
    seat: Seat, log: Log
) -> None:
    expect = sync_api.expect
    areas = peak(log)
    page = seat.enter("wang")
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.locator("[data-area]")).to_have_count(43)
    expect(page.locator("[data-waits]")).to_contain_text("红色 20 村待批")
    found = page.evaluate(COUNT)
    seat.shot("board")
    assert all(found[k] <= most for k, most in HALF.items()), found
    # digits alone were taken for a time of day, and the worst valleys for yellow ones
    expect(page.locator(".wait .remaining")).to_contain_text("还剩（到 20:")
    expect(page.locator(".valley-mark.on-4").first).to_contain_text("待批")
    countdown = page.locator(".wait .huge")
    size = countdown.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 64, "seen from three metres"
    expect(page.locator(".sums-of")).to_contain_text("立即转移 12 村")
    expect(page.locator(".sums-of")).to_contain_text("看不见")
    expect(page.locator(".sums-of")).to_contain_text("预案任务")
    expect(page.locator(".on-duty")).to_contain_text("区防汛指挥部 D-0")
    valleys = page.locator("[data-valley]")
    keys = valleys.evaluate_all("es => es.map((e) => e.dataset.valley)")
    d = yanqing()
    assert len(set(keys)) == len(keys)
    assert set(keys) == {f"{d.areas[a].basin}|{d.areas[a].township}" for a in areas[:43]}
    first = valleys.first.locator("[data-area]").evaluate_all("es => es.map((e) => e.dataset.area)")
    assert set(first) <= set(areas[:20]), "the worst valley is on top"
    listed = page.locator("[data-area]").evaluate_all("es => es.map((e) => e.dataset.area)")
    assert len(set(listed)) == len(listed), "a row a village, whatever the hazards"
    valleys.first.locator("summary").click()
    valleys.first.locator("[data-area]").first.click()
    expect(page.locator(".one h2")).to_be_in_viewport()


def test_what_waits_is_decided_from_the_first_screen_in_two_presses(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, red("A01"), red("A02"), seen(40, Level.ORANGE, area="A01", hazard="debris_flow"))
    page = seat.enter("wang")
    expect(page.locator("[data-now]")).to_contain_text("3 份")
    page.locator("[data-now]").click()
    page.locator("[data-go]").click()
    expect(page.locator("dialog.confirm")).to_have_count(0)
    expect(page.locator("[data-now]")).to_have_count(0)
    expect(page.locator(".wait")).to_contain_text("您已署名")
    assert {d.area for d in acts(log) if d.outcome == "done"} == {"A01", "A02"}


def test_a_valley_is_decided_by_itself_and_each_village_stands_in_the_record(
    seat: Seat, log: Log
) -> None:
    expect = sync_api.expect
    d = yanqing()
    here = [a for a in d.areas if d.areas[a].basin == "B01"][:3]
    there = next(a for a in d.areas if d.areas[a].basin == "B03")
    cases(log, *(red(a) for a in (*here, there)))
    cases(log, seen(40, Level.ORANGE, area=here[0], hazard="debris_flow"))
    page = seat.enter("wang", "/#/warnings")
    expect(page.locator("[data-village]")).to_have_count(4)
    expect(page.locator(f"[data-village={here[0]}] [data-warning]")).to_have_count(2)
    page.locator("[data-valley-act^='B01|']").click()
    expect(page.locator(".which li")).to_have_count(4)
    page.locator("[data-go]").click()
    expect(page.locator("dialog.confirm")).to_have_count(0)
    done = [x for x in acts(log) if x.outcome == "done"]
    assert sorted(x.area for x in done) == sorted((*here, here[0]))
    assert len({x.alert for x in done}) == len(done), "a decision of its own for each"
    page.locator(f"[data-pick={there}]").check()  # one village, apart from the others
    expect(page.locator(".many .main-act")).to_contain_text("所选 1 份")


def test_on_a_phone_what_waits_comes_first_and_a_tap_changes_what_is_in_sight(
    phone: Seat, log: Log
) -> None:
    expect = sync_api.expect
    peak(log)
    page = phone.enter("wang")
    expect(page.locator("[data-now]")).to_be_in_viewport()
    expect(page.locator(".wait .huge")).to_be_in_viewport()
    top = "e => e.getBoundingClientRect().top"
    assert page.locator(".list-side").evaluate(top) < page.locator("#map").evaluate(top)
    share = page.locator("header").evaluate("e => e.getBoundingClientRect().height / innerHeight")
    assert share < 0.15
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("nav a").first).to_be_in_viewport()
    expect(page.locator("[data-area]")).to_have_count(43)  # else the list moves under the finger
    page.locator("[data-valley] summary").nth(3).tap()
    page.locator("[data-valley]").nth(3).locator("[data-area]").first.tap()
    expect(page.locator(".one h2")).to_be_in_viewport()
    phone.shot("phone-village")
    page.locator(".one .close").tap()
    expect(page.locator(".one h2")).to_have_count(0)
    page.locator("nav a", has_text="预警").tap()
    page.locator("[data-open]").nth(4).tap()
    expect(page.locator(".detail h2")).to_be_in_viewport()
    expect(page.locator(".detail .acts .main-act")).to_be_in_viewport()
    phone.shot("phone-warning")
    page.locator(".back").tap()
    expect(page.locator(".detail h2")).to_be_hidden()


@pytest.mark.parametrize("where", ["/", "/#/warnings"])
def test_the_phone_layout_has_nothing_above_minor(phone: Seat, log: Log, where: str) -> None:
    peak(log)
    page = phone.enter("wang", where)
    page.locator("[data-valley]").first.wait_for()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    bad = [(v["id"], v["impact"]) for v in found["violations"] if v["impact"] != "minor"]
    assert bad == []


def test_the_big_screen_turns_over_by_itself_and_says_what_is_late(
    browser: sync_api.Browser, desk: Desk, log: Log
) -> None:
    expect = sync_api.expect
    peak(log)
    own = Seat(browser, desk, bypass_csp=True)
    page = own.enter("screen", "/wall")
    expect(page.locator("[data-valley]").first).to_be_visible()
    boxes = page.locator(".late-clock div")
    expect(boxes).to_have_text(
        [re.compile("32已问未答，最早 20:40 起"), re.compile("大喇叭静默"), re.compile("未送达")]
    )
    expect(boxes.first).to_have_class("is-late")
    assert page.locator("main button:visible").count() == 0, "nothing to press"
    comes_true(page, "document.querySelector('.areas').scrollTop > 0")
    size = boxes.first.locator("b").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 48
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    assert [v["id"] for v in found["violations"] if v["impact"] != "minor"] == []
    own.context.close()
    assert own.faults == []


def test_a_version_put_to_somebody_anew_shows_its_new_time_at_once(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    page = seat.enter("wang")
    until = page.locator(".wait [data-until]")
    expect(until).to_have_count(1)
    asked = [r for _, r in Follower(log, ("alerts",)).take() if isinstance(r, Alert)][-1]
    at = int(until.get_attribute("data-until") or 0) + 600_000
    anew = [msgspec.structs.replace(q, deadline_at=at) for q in asked.questions]
    again = msgspec.structs.replace(asked, again=1, questions=tuple(anew), deadline_at=at)
    log.append([Out("alerts", "A01", encode(again))])
    expect(until).to_have_attribute("data-until", str(at), timeout=90_000)
