"""The page Delivery: how far the newest word came, who was not reached, their numbers, sending again."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from config.records.level import Action, Level
from console.auth.accounts import Users
from console.model.follow import Follower
from console.model.reach import arrived
from console.model.trail import Trail
from console.model.view import Sent, View
from console.pages.delivery import missed_people, parts, who
from console.routes.sources import People, Sources
from console.serve import Listen, serving
from dispatch.people.contact_store import ContactStore
from dispatch.records import Alert, Delivery, Receipt
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from stream.log.port import Log, Out
from stream.records import Record, encode
from stream.wall_clock import now_ms
from tests.support.console_delivery import NOW, alert_of, came, sent, tell, wait_for_alert
from tests.support.console_door import Caller
from tests.support.console_pages import AXE, PASSWORD, Desk, Seat, cases, sync_api
from tests.support.decide_district import MIN, T0, seen, yanqing
from tests.support.send import delivery

pytestmark = pytest.mark.usefixtures("here")


def folded(*records: Record) -> tuple[View, Trail]:
    view, trail = View(), Trail()
    for r in records:
        view.take(r)
        trail.take(r, view)
    return view, trail


def row(view: View, trail: Trail, minute: int = 43) -> dict[str, object]:
    found = parts(yanqing(), view, trail, T0 + minute * MIN)["reach"]
    return found.get("A01", {})


def test_whoever_must_answer_is_reached_by_nothing_less() -> None:
    a = alert_of()
    d = sent(a, 1, "C-0001", "sms", must_answer=True)
    view, trail = folded(a, d, came(1, "delivered"))
    assert row(view, trail)["must"] == 1
    assert row(view, trail)["answered"] == 0
    view, trail = folded(a, d, came(1, "delivered"), came(1, "answered"))
    assert row(view, trail)["answered"] == 1


@pytest.mark.parametrize(
    ("records", "minute", "expected"),
    [
        ([], 43, 0),  # there is time left
        ([], 50, 1),  # no time is left
        ([came(1, "failed", permanent=True)], 43, 1),
        ([came(1, "failed")], 43, 0),  # it is tried again
        ([came(1, "superseded")], 50, 0),
        ([came(1, "accepted")], 50, 0),
    ],
)
def test_missed_means_that_nothing_more_will_come(
    records: Sequence[Receipt], minute: int, expected: int
) -> None:
    a = alert_of()
    view, trail = folded(a, sent(a, 1, "C-0001", "sms"), *records)
    assert row(view, trail, minute)["missed"] == expected


def test_a_deadline_passes_without_a_record() -> None:
    a = alert_of()
    view, trail = folded(a, sent(a, 1, "C-0001", "sms"))
    assert row(view, trail, 43)["missed"] == 0
    assert row(view, trail, 50)["missed"] == 1


def test_only_the_newest_version_counts_and_the_best_of_what_was_sent_of_it() -> None:
    a, b = alert_of(), alert_of(version=2)
    records = [
        a, sent(a, 1, "C-0001", "sms"), came(1, "failed", permanent=True),
        b, sent(b, 2, "C-0001", "sms"), came(2, "failed", permanent=True),
        sent(b, 3, "C-0001", "sms", again=1), came(3, "delivered"),
        sent(b, 4, "duty:C-0001", "console"),
    ]  # fmt: skip
    view, trail = folded(*records)
    assert row(view, trail)["of"] == 1
    assert row(view, trail)["channels"] == {"sms": {"delivered": 1}}
    late = sent(a, 5, "C-0001", "sms")  # an older version that comes late
    view, trail = folded(*records, late)
    assert row(view, trail)["of"] == 1


def test_an_ended_warning_leaves_the_page_after_a_day() -> None:
    a = alert_of()
    view, trail = folded(
        a, sent(a, 1, "C-0001", "sms"), msgspec.structs.replace(a, version=2, msg_type="cancel")
    )
    assert row(view, trail, 60)["of"] == 1
    assert row(view, trail, 26 * 60) == {}


def test_one_person_told_of_two_hazards_counts_once() -> None:
    a = alert_of()
    b = msgspec.structs.replace(a, id="other", hazard="debris_flow")
    view, trail = folded(
        a, b, sent(a, 1, "C-0001", "sms", must_answer=True),
        sent(b, 2, "C-0001", "sms", must_answer=True), came(1, "answered"),
        came(2, "failed", permanent=True),
    )  # fmt: skip
    found = row(view, trail)
    assert [found[k] for k in ("of", "reached", "missed", "must", "answered")] == [1, 0, 1, 1, 0]


def test_one_person_who_answers_for_two_villages_is_one_call() -> None:
    a, b = alert_of(), alert_of("A02")
    view, trail = folded(
        a, b, sent(a, 1, "C-0190", "sms", must_answer=True),
        sent(b, 2, "C-0190", "sms", must_answer=True), sent(b, 3, "C-0005", "sms"),
        *[came(n, "failed", permanent=True) for n in (1, 2, 3)],
    )  # fmt: skip
    parts(yanqing(), view, trail, NOW)
    assert missed_people(yanqing(), trail) == (1, 1)


def test_a_quiet_night_is_no_miss() -> None:
    a = alert_of()
    view, trail = folded(a, sent(a, 1, "C-0001", "sms", not_before=T0 + 600 * MIN))
    assert row(view, trail, 60)["missed"] == 0


def test_a_loudspeaker_counts_when_it_sounded() -> None:
    s = Sent(delivery(1, "N-01", "broadcast"), "accepted")
    assert not arrived(s)
    s.state = "played"
    assert arrived(s)


def test_the_list_of_the_missed_names_nobody() -> None:
    a = alert_of()
    view, trail = folded(
        a, sent(a, 1, "C-0001", "sms", must_answer=True),
        came(1, "failed", permanent=True, detail="no such number"),
    )  # fmt: skip
    d = yanqing()
    found = who(d, view, trail.reached, "A01", NOW)
    assert [(m["who"], m["role"], m["why"]) for m in found["missed"]] == [
        ("C-0001", "responsible", "no such number")
    ]
    text = json.dumps(found)
    assert d.contacts["C-0001"].phone not in text
    assert d.contacts["C-0001"].name not in text


def test_people_of_the_store_and_their_changes_are_seen(tmp_path: Path) -> None:
    d = msgspec.structs.replace(yanqing(), contacts={})
    people = People(d, tmp_path)
    assert people.district().contacts == {}
    assert not (tmp_path / "contacts.db").exists(), "a page makes no store"
    with ContactStore(tmp_path) as store:
        store.put([yanqing().contacts["C-0001"]])
    assert list(people.district().contacts) == ["C-0001"]
    assert people.district().contacts["C-0001"].phone == ""
    (whole,) = people.whole(["C-0001", "C-9999"])
    assert whole.phone == yanqing().contacts["C-0001"].phone
    with ContactStore(tmp_path) as store:
        store.erase(["C-0001"], NOW)
    assert people.district().contacts == {}


def resent(log: Log) -> list[Delivery]:
    records = [r for _, r in Follower(log, ("deliveries",)).take()]
    return [r for r in records if isinstance(r, Delivery) and r.again]


@pytest.fixture
def told(log: Log) -> Alert:
    """A warning of A01 that went to seven: two must answer and one did, one loudspeaker is dead."""
    cases(log, seen(40, Level.YELLOW, Action.MOVE))
    a = wait_for_alert(log)
    nodes = [n.id for n in yanqing().nodes.values() if n.area == "A01"]
    tell(
        log,
        sent(a, 1, "C-0001", "sms", "voice", must_answer=True),
        sent(a, 2, "C-0002", "sms", "voice", must_answer=True),
        sent(a, 3, nodes[0], "broadcast"),
        *[sent(a, n, f"C-000{n}", "sms", category="resident") for n in (4, 5, 6)],
        came(1, "answered"),
        msgspec.structs.replace(
            came(2, "failed", permanent=True, detail="关机 switched off"), route=1
        ),
        came(3, "failed", permanent=True, detail="no answer of the terminal"),
        *[came(n, "delivered") for n in (4, 5, 6)],
    )
    return a


def test_who_was_not_reached_is_called_and_told_again(
    seat: Seat,
    told: Alert,
    log: Log,
    desk: Desk,
) -> None:
    expect = sync_api.expect
    page = seat.enter("zhao", "/#/delivery")
    expect(page.locator("[data-sent=A01]")).to_contain_text("✗ 2")
    expect(page.locator("[data-sent=A01]")).to_contain_text("1/2")
    expect(page.locator("[data-missed]")).to_have_count(2)
    expect(page.locator("[data-missed]").first).to_contain_text("关机")
    expect(page.locator("[data-missed]").first).to_contain_text("先试过")  # by which other way
    expect(page.locator("[data-resend=missed]")).to_have_text("重发未达的 2 条")
    phone = yanqing().contacts["C-0002"].phone
    expect(page.locator("body")).not_to_contain_text(phone)
    seat.shot("delivery")
    page.locator("[data-calls]").click()
    expect(page.locator("[data-call=C-0002]")).to_contain_text(phone)
    expect(page.locator(".calls")).not_to_contain_text(yanqing().contacts["C-0001"].phone)
    noted = [(w, what, detail) for _, w, what, detail in desk.users.noted()]
    assert ("zhao", "call list", "A01 C-0002") in noted
    page.locator("[data-resend=missed]").click()
    expect(page.locator(".said")).to_contain_text("已排队重发 2")
    new = resent(log)
    assert {(d.recipient, d.asked_by, d.again) for d in new} == {
        ("C-0002", "D-02", 1),
        (next(n.id for n in yanqing().nodes.values() if n.area == "A01"), "D-02", 1),
    }
    expect(page.locator("[data-missed]").first).to_contain_text("第 1 次重发")  # and still missed
    expect(page.locator("[data-sent=A01]")).to_contain_text("✗ 2")
    expect(page.locator("[data-call=C-0002]")).to_be_visible()
    page.locator("[data-resend=all]").click()
    assert len(resent(log)) == 2, "a loud thing takes two presses"
    # the first press is forgotten after five seconds: then these are both, else one too many
    page.locator("[data-resend=all]").dblclick()
    expect(page.locator(".said")).to_contain_text("已排队重发 6")
    assert len(resent(log)) == 2 + 6
    seat.shot("delivery-called")


def test_a_warning_of_which_nothing_was_sent_is_unmissable(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, seen(40, Level.YELLOW, Action.MOVE))
    alert = wait_for_alert(log)
    page = seat.enter("screen", "/#/delivery")
    expect(page.locator("[data-unsent]")).to_contain_text(yanqing().areas["A01"].name)
    tell(log, sent(alert, 1, "C-0001", "sms"))
    expect(page.locator("[data-unsent]")).to_have_count(0)


def test_a_receipt_shows_without_a_reload(seat: Seat, told: Alert, log: Log) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/delivery")
    expect(page.locator("[data-sent=A01]")).to_contain_text("1/2")
    expect(page.locator("[data-calls], [data-resend]")).to_have_count(0)
    tell(log, msgspec.structs.replace(came(2, "answered", 43), route=1))
    expect(page.locator("[data-sent=A01]")).to_contain_text("2/2")
    expect(page.locator("[data-missed]")).to_have_count(1)


def test_only_who_is_entitled_sees_numbers_and_one_press_is_one_act(
    told: Alert,
    desk: Desk,
    log: Log,
) -> None:
    viewer, duty = Caller(desk.address), Caller(desk.address)
    viewer.enter("screen")
    duty.enter("zhao")
    for body, path in (
        ({"area": "A01"}, "/api/calls"),
        ({"area": "A01", "key": "0" * 16}, "/api/resend"),
    ):
        assert viewer.ask("POST", path, body, x_csrf=viewer.csrf)[0] == 403
        assert duty.ask("POST", path, body)[0] == 403, "without its own page's word"
    wait = threading.Event()
    for _ in range(600):
        if len(json.loads(duty.ask("GET", "/api/missed/A01")[2])["missed"]) == 2:
            break
        wait.wait(0.1)
    body = {"area": "A01", "key": "1" * 16, "deliveries": ["d2"]}
    for _ in range(2):
        status, _, data = duty.ask("POST", "/api/resend", body, x_csrf=duty.csrf)
        assert (status, json.loads(data)) == (200, {"queued": 1})
    assert len(resent(log)) == 1
    assert duty.ask("GET", "/api/missed/A99")[0] == 404
    wrong = {"area": "A01", "key": "2" * 16, "deliveries": ["nobody"]}
    assert duty.ask("POST", "/api/resend", wrong, x_csrf=duty.csrf)[0] == 409


def test_the_pages_of_a_live_run_count_whom_the_store_holds(tmp_path: Path) -> None:
    bare = msgspec.structs.replace(yanqing(), contacts={})
    made = make_setup(bare, "exercise-store", tmp_path, start_at=T0)
    made.folder.mkdir(parents=True)
    with ContactStore(made.folder) as store:
        store.put([c for c in yanqing().contacts.values() if c.id in ("C-0001", "C-0004")])
    log_ = open_run_log(made)
    log_.append([Out("alerts", "x", encode(alert_of()))])
    users = Users(made.folder)
    users.add("wang", "approver", "K-01", PASSWORD)
    with serving(
        bare, made.run, lambda: open_run_log(made), users, Listen(), now=now_ms,
        sources=Sources(contacts=made.folder),
    ) as address:  # fmt: skip
        caller = Caller(address)
        caller.enter("wang")
        wait = threading.Event()
        for _ in range(600):
            status, _, data = caller.ask("GET", "/api/texts/al-A01")
            if status == 200:
                break
            wait.wait(0.1)
    users.close()
    log_.close()
    found = json.loads(data)
    listed = sum(n for channel, n in found["reach"].items() if channel in ("sms", "voice", "app"))
    assert listed == 2
    assert found["on_list"] + found["none"] <= found["people"]


def test_axe_finds_no_serious_fault_in_delivery(
    browser: "sync_api.Browser",
    told: Alert,
    desk: Desk,
) -> None:
    own = Seat(browser, desk, bypass_csp=True)
    page = own.enter("zhao", "/#/delivery")
    page.locator("[data-missed]").first.wait_for()
    page.locator(".nodes summary").click()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    own.context.close()
    bad = [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert bad == []
