"""The roll of who moved on the page Delivery: the same as `fengsui roll`, those who need help first."""

import random

import pytest

from config.records.level import Action
from console.model.trail import Trail
from console.model.view import View
from console.pages.handover import matters
from dispatch.people.evacuation_roll import Roll, RollRow
from dispatch.records import Receipt
from fengsui.cli.people.people import read
from fengsui.run.setup import Setup
from stream.log.port import Log, Out
from stream.records import Record, Tick, encode
from tests.support.console_pages import AXE, Desk, Seat, comes_true, sync_api
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.roll import PEOPLE, alert, asked, said

pytestmark = pytest.mark.usefixtures("here")

HOUR = 60


def folded(*records: Record) -> tuple[View, Trail]:
    view, trail = View(), Trail()
    for r in records:
        view.take(r)
        trail.take(r, view)
    return view, trail


STORY = [
    alert(1, action=Action.PREPARE), alert(2), alert(1, id="al-2", area="A02"),
    asked("C-0001"), asked("C-0002", "d-2"),
    Receipt(delivery="d-2", route=0, state="answered", receipt_at=T0 + 9 * MIN),
    said(5, "moved", people=12), said(7, "help", person="C-0009", area="A06", role="observer"),
    alert(2, id="al-2", area="A02", msg_type="cancel", state="cancelled"),
]  # fmt: skip


def test_taken_bit_by_bit_the_rows_are_those_of_the_roll() -> None:
    d, draw = yanqing(), random.Random(7)
    for _ in range(50):
        records = draw.sample(STORY, len(STORY))
        view, trail, roll = View(), Trail(), Roll()
        found: dict[str, RollRow] = {}
        now = (
            T0 + 20 * MIN
        )  # the minute stands still: what is stale is made anew for a record alone
        for record in records:
            view.take(record)
            trail.take(record, view)
            roll.take(record)
            found = trail.rolled.rows_at(d, now)
            assert found == {r.area: r for r in roll.rows(d, now)}
    assert found["A01"].moved == 12
    assert found["A06"].help
    assert "A02" not in found


def test_a_cry_for_help_ends_by_age_without_a_record() -> None:
    d = yanqing()
    _, trail = folded(said(5, "help"))
    assert trail.rolled.rows_at(d, T0 + 6 * MIN)["A01"].help
    assert trail.rolled.rows_at(d, T0 + (5 + 24 * HOUR + 1) * MIN) == {}


def test_whoever_takes_over_is_told_first_of_those_who_need_help() -> None:
    d = yanqing()
    view, trail = folded(*STORY)
    trail.rolled.rows_at(d, T0 + 20 * MIN)
    first = matters(d, view, trail, T0 + 20 * MIN)[0]
    assert first.zh == f"求助 1 人：{d.areas['A06'].name}"


@pytest.fixture
def told(log: Log) -> None:
    log.append([Out("alerts", "x", encode(r)) for r in STORY if type(r).__name__ == "Alert"])
    log.append([Out("deliveries", "x", encode(r)) for r in STORY if type(r).__name__ != "Alert"])
    log.append([Out("cases", "x", encode(Tick(clock_at=T0 + 41 * MIN)))])


def test_the_page_says_what_the_command_says_and_help_comes_first(
    seat: Seat, told: None, setup: Setup, log: Log
) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/delivery")
    expect(page.locator("[data-help]")).to_contain_text("1 人求助")
    expect(page.locator("[data-help]")).to_contain_text("C-0009")
    expect(page.locator(".cry-link")).to_contain_text("1 人求助")  # in the head of every page
    expect(page.locator("[data-roll]").first).to_have_attribute("data-roll", "A06")
    row = page.locator("[data-roll=A01]")
    for words in (str(PEOPLE), "立即转移", f"✗ {PEOPLE - 12}", "分钟前"):
        expect(row).to_contain_text(words)
    row.locator("summary").click()
    expect(row).to_contain_text("未写去处 12 C-0001 · 没有照片")
    people = yanqing().contacts
    for who in ("C-0001", "C-0002", "C-0009"):
        expect(page.locator("body")).not_to_contain_text(people[who].phone)
    seat.shot("delivery-roll")
    rows, _ = read(setup)
    shown = page.evaluate("import('/static/live.js').then((m) => m.part('roll'))")
    for r in rows:
        assert [shown[r.area][k] for k in ("should", "moved", "not_yet")] == [
            r.should, r.moved, r.not_yet,
        ]  # fmt: skip
        assert [w["person"] for w in shown[r.area]["help"]] == [w.person for w in r.help]
    assert set(shown) == {r.area for r in rows}
    over = said(40, "safe", person="C-0009", area="A06", role="observer")
    log.append([Out("deliveries", "x", encode(over))])
    expect(page.locator("[data-help]")).to_have_count(0)  # without a reload
    expect(page.locator(".cry-link")).to_have_count(0)
    expect(row.locator("details")).to_have_attribute("open", "")


@pytest.mark.parametrize("theme", ["night", "day"])
def test_axe_finds_no_serious_fault_in_the_roll(
    browser: "sync_api.Browser", desk: Desk, told: None, theme: str
) -> None:
    own = Seat(browser, desk, bypass_csp=True)
    own.context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = own.enter("screen", "/#/delivery")
    page.locator("[data-help]").wait_for()
    own.shot(f"delivery-roll-{theme}")
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    bad = [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")]
    page.set_viewport_size({"width": 390, "height": 800})
    comes_true(page, "document.documentElement.scrollWidth <= 390")
    own.shot("delivery-roll-390")
    own.context.close()
    assert bad == []
