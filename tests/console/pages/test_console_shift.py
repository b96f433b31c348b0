"""The shift log: events and acts in order, notes, hand-over, search, export, pages to print."""

import csv
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from config.language import Text
from config.records.level import Action, Level
from console.auth.requests import BODY, Once, Refused
from console.model.desk_record import at_the_desk
from console.model.shift_log import KINDS, Shift, ordered
from console.model.trail import Trail
from console.model.view import View
from console.pages.handover import matters
from dispatch.address.report_notices import deliveries
from dispatch.notices import about
from dispatch.records import Question, RouteHealth
from dispatch.send.outbox.undelivered import notice as not_reached
from dispatch.send.outbox.undelivered import route_notice
from fengsui.run.setup import Setup
from ingest.observation import PersonSays
from ingest.people.kept_words import Words
from stream.log.port import Log
from stream.records import Record
from tests.support.console_delivery import alert_of, came, sent, wait_for_alert
from tests.support.console_door import Caller
from tests.support.console_pages import AXE, Desk, Seat, cases, red, sync_api
from tests.support.decide_district import MIN, T0, mark, seen, silence, yanqing

pytestmark = pytest.mark.usefixtures("here")

SCRIPT = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"


def folded(*records: Record) -> tuple[View, Trail]:
    view, trail = View(), Trail()
    for r in records:
        view.take(r)
        trail.take(r, view)
    return view, trail


def moved_on() -> list[Record]:
    """Every group's clock, without which an incident is not reported."""
    return [mark(41, group=g) for g in yanqing().groups]


def words(shift: Shift) -> list[tuple[str, str]]:
    return [(e.kind, e.zh) for e in shift.entries]


def test_what_people_say_stands_in_the_log_once_and_by_their_id() -> None:
    def says(n: int, what: Any, **more: Any) -> PersonSays:
        return PersonSays(
            id=f"s{n}", person="C-0131", role="responsible", area="A01", what=what, way="sms",
            said_at=T0 + n, received_at=T0 + n, **more,
        )  # fmt: skip

    spoken = [says(1, "received"), says(2, "moved", people=23), says(3, "help")]
    spoken += [says(4, "report_flood"), says(5, "unclear")]
    notices = [d for p in spoken for d in deliveries(yanqing(), p, True)]
    assert [about(d) for d in notices if d.recipient != "C-0131"] == ["people"]
    _, trail = folded(*spoken, *spoken, *notices)  # each on two topics
    assert words(trail.shift) == [
        ("people", "收到"),
        ("people", "已转移 23 人"),
        ("people", "求助"),
        ("people", "报告水涨"),
        ("people", "来信看不懂"),
    ]
    assert {(e.who, e.area) for e in trail.shift.entries} == {("C-0131", "A01")}
    assert [e.level for e in trail.shift.entries] == [0, 0, Level.RED, 0, 0]
    assert all(e["kind"] in KINDS for e in ordered(yanqing(), trail.shift.entries, "", ""))


def test_a_notice_to_the_duty_room_is_filed_by_what_it_tells() -> None:
    missed = not_reached(sent(alert_of(), 1, "C-1", "sms"), Text("香屯村", "Xiangtun"), T0, "x")
    late = msgspec.structs.replace(missed, recipient="duty:task:move-out")
    alone = msgspec.structs.replace(missed, recipient="duty:N001", alert="mandate-1")
    died = route_notice(
        RouteHealth(channel="sms", carrier="one", up=False, checked_at=T0, by="probe"), True
    )
    assert [about(d) for d in (missed, late, alone, died, sent(alert_of(), 1, "C-1", "sms"))] == [
        "missed",
        "task",
        "alone",
        "route",
        "",
    ]
    _, trail = folded(missed, late, alone, died)
    assert [e.kind for e in trail.shift.entries] == ["missed", "task", "alone"]


def test_a_version_that_changes_nothing_for_people_is_no_event() -> None:
    a = alert_of()
    more = [
        msgspec.structs.replace(a, version=2, reason="more rain"),
        msgspec.structs.replace(a, version=3, level=Level.ORANGE),
        msgspec.structs.replace(a, version=4, msg_type="cancel", state="cancelled"),
    ]
    _, trail = folded(a, *more)
    said = [w for _, w in words(trail.shift)]
    assert [w.split()[1] for w in said] == ["第1版", "第3版", "第4版"]
    assert "已解除" in said[-1]


def test_a_station_of_two_areas_falls_silent_once_and_comes_back_once() -> None:
    records = [
        silence(1, True), silence(2, True, "A02"), silence(3, False), silence(4, False, "A02"),
    ]  # fmt: skip
    _, trail = folded(*records)
    assert words(trail.shift) == [("silence", "R02 静默"), ("silence", "R02 恢复来数")]
    assert trail.shift.entries[1].at == T0 + 4 * MIN


def test_a_way_out_is_told_when_it_dies_and_when_it_is_back() -> None:
    def health(up: bool, minute: int) -> RouteHealth:
        return RouteHealth(
            channel="sms", carrier="mobile", up=up, checked_at=T0 + minute * MIN, by="probe"
        )

    view, trail = folded(*(health(up, n) for n, up in enumerate([True, False, False, True])))
    assert [w for _, w in words(trail.shift)] == [
        "发送通道 sms/mobile 中断",
        "发送通道 sms/mobile 恢复",
    ]
    view, trail = folded(health(False, 1))
    assert [m.zh for m in matters(yanqing(), view, trail, T0)] == ["通道中断：sms/mobile"]


def test_lines_are_found_by_place_person_and_words_newest_first() -> None:
    _, trail = folded(alert_of("A02"), alert_of("A01"))
    noted = [(T0, "wang", "note", "老人已接走"), (T0 + 90 * MIN, "li", "release", "x")]
    entries = [*trail.shift.entries, *at_the_desk(noted)]
    lines = ordered(yanqing(), entries, "", "")
    assert [e["at"] for e in lines] == sorted((e.at for e in entries), reverse=True)
    assert len(lines) == 3, "an act stands there once: the ledger's"
    for text in (yanqing().areas["A02"].name, yanqing().areas["A02"].name_en.upper()):
        assert [e["area"] for e in ordered(yanqing(), entries, text, "")] == ["A02"]
    assert [e["who"] for e in ordered(yanqing(), entries, "WANG", "")] == ["wang"]
    assert [e["kind"] for e in ordered(yanqing(), entries, "", "note")] == ["note"]


def test_whoever_takes_over_is_told_what_is_open() -> None:
    asks = msgspec.structs.replace(
        alert_of(), state="proposed", level=Level.YELLOW,
        questions=(Question(what="red", deadline_at=T0 + 50 * MIN),),
    )  # fmt: skip
    view, trail = folded(
        asks,
        msgspec.structs.replace(alert_of("A02"), state="held"),
        sent(asks, 1, "C-0001", "sms", must_answer=True),
        came(1, "failed", permanent=True),
        silence(3, True),
    )
    from console.pages.delivery import parts

    parts(yanqing(), view, trail, T0 + 43 * MIN)
    said = [m.zh for m in matters(yanqing(), view, trail, T0 + 43 * MIN)]
    name = yanqing().areas["A01"].name
    assert f"待决定：{name} 山洪 红色" in said
    assert any(s.startswith("暂缓：") for s in said)
    assert "未送达 1，其中必须叫应 1" in said
    assert any("R02" in s for s in said)


def test_the_same_press_twice_is_one_act_and_a_refused_one_may_be_tried_again() -> None:
    once, done = Once(kept=2), []
    gate = threading.Event()

    def act() -> int:
        gate.wait(90)
        done.append(1)
        return len(done)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(once.do, "k", "this", act) for _ in range(2)]
        gate.set()
        assert [f.result() for f in both] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        once.do("other", "this", lambda: 1 // 0)
    assert once.do("other", "this", lambda: 7) == 7


def test_a_key_that_stood_for_something_else_does_nothing_and_says_so() -> None:
    once = Once()
    assert once.do("k", "this", lambda: 1) == 1
    with pytest.raises(Refused) as refused:
        once.do("k", "that", lambda: 2)
    assert refused.value.status == 409
    assert once.do("k", "this", lambda: 3) == 1


# ---- over HTTP


@pytest.fixture
def two(desk: Desk) -> tuple[Caller, Caller]:
    wang, zhao = Caller(desk.address), Caller(desk.address)
    wang.enter("wang")
    zhao.enter("zhao")
    return wang, zhao


def post(caller: Caller, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    key = body.pop("key", f"{abs(hash((path, str(body)))):016x}"[:16])
    status, _, data = caller.ask("POST", path, {**body, "key": key}, x_csrf=caller.csrf)
    return status, json.loads(data)


def shift_of(caller: Caller, query: str = "") -> dict[str, Any]:
    return json.loads(caller.ask("GET", f"/api/shift{query}")[2])


def test_a_shift_is_handed_over_and_taken_by_the_one_it_was_given_to(
    two: tuple[Caller, Caller], desk: Desk
) -> None:
    wang, zhao = two
    assert post(wang, "/api/handover", to="wang", text="")[0] == 422
    assert post(wang, "/api/handover", to="screen", text="")[0] == 422
    status, made = post(wang, "/api/handover", to="zhao", text="三号桥有人值守")
    assert status == 200
    handed = shift_of(zhao)["handover"]
    assert (handed["from"], handed["to"], handed["n"]) == ("wang", "zhao", made["n"])
    assert all("三号桥" in half for half in handed["text"])
    assert post(wang, "/api/takeover", n=made["n"])[0] == 403
    assert post(zhao, "/api/takeover", n=made["n"] + 1)[0] == 409
    assert post(zhao, "/api/takeover", n=made["n"])[0] == 200
    assert shift_of(zhao)["handover"] is None
    assert post(zhao, "/api/takeover", n=made["n"], key="a" * 16)[0] == 409
    assert [what for _, _, what, _ in desk.users.noted()][-2:] == ["hand over", "take over"]


def test_a_note_of_ten_megabytes_is_refused_in_words(two: tuple[Caller, Caller]) -> None:
    wang, _ = two
    status, said = post(wang, "/api/notes", text="水" * 3_400_000)
    assert status == 413
    assert str(BODY) in said["words"]
    status, said = post(wang, "/api/notes", text="x" * 2001)
    assert status == 413
    assert "2001" in said["words"]
    assert post(wang, "/api/notes", text="   ")[0] == 422
    assert shift_of(wang, "?kind=note")["entries"] == []
    assert post(wang, "/api/notes", text="x" * 2000)[0] == 200


def test_a_viewer_writes_nothing_and_the_key_makes_one_of_two(
    two: tuple[Caller, Caller], desk: Desk
) -> None:
    wang, _ = two
    screen = Caller(desk.address)
    screen.enter("screen")
    for path, body in (
        ("/api/notes", {"text": "x"}),
        ("/api/handover", {"to": "wang", "text": ""}),
        ("/api/verify", {"incident": "i", "text": "x"}),
    ):
        assert post(screen, path, **body)[0] == 403
    assert wang.ask("POST", "/api/notes", {"text": "x", "key": "1" * 16})[0] == 403
    for _ in range(2):
        post(wang, "/api/notes", text="one", key="2" * 16)
    assert len(shift_of(wang, "?kind=note")["entries"]) == 1
    assert wang.ask("GET", "/api/shift?kind=nothing")[0] == 422


def test_the_export_has_every_line_and_no_formula(two: tuple[Caller, Caller]) -> None:
    wang, _ = two
    post(wang, "/api/notes", text="=HYPERLINK(1)")
    post(wang, "/api/notes", text='桥上,"第二根" 桩\n已断')
    status, headers, data = wang.ask("GET", "/api/shift.csv")
    assert status == 200
    assert "attachment" in headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    notes = [r["zh"] for r in rows if r["kind"] == "note"]
    assert notes == ["备注：=HYPERLINK(1)", '备注：桥上,"第二根" 桩\n已断']
    assert not [c for r in rows for c in r.values() if c[:1] in ("=", "+", "-", "@")]
    assert all(r["time"].endswith("+08:00") for r in rows)


def test_what_is_printed_may_run_no_code(two: tuple[Caller, Caller], log: Log) -> None:
    wang, _ = two
    assert wang.ask("GET", "/print/report")[0] == 404  # no report yet
    assert wang.ask("GET", "/print/secrets")[0] == 404
    assert Caller(wang.host).ask("GET", "/print/report")[0] == 401
    cases(log, red("A01"), seen(40, Level.YELLOW, Action.MOVE, area="A02"), *moved_on())
    wait_for_alert(log)
    for _ in range(1200):
        status, headers, data = wang.ask("GET", "/print/report")
        if status == 200:
            break
        threading.Event().wait(0.1)
    assert "初报" in data.decode()
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert wang.ask("GET", "/print/after-action")[0] == 200


# ---- in Chromium


@pytest.fixture
def second(browser: "sync_api.Browser", desk: Desk) -> Iterator[Seat]:
    seat = Seat(browser, desk)
    yield seat
    seat.context.close()
    assert seat.faults == []


def test_a_night_is_written_down_handed_over_and_printed(
    seat: Seat, second: Seat, log: Log
) -> None:
    expect = sync_api.expect
    cases(log, red("A01"), seen(40, Level.YELLOW, Action.MOVE, area="A02"), *moved_on())
    page = seat.enter("wang", "/#/shift")
    expect(page.locator("[data-event=warning]")).to_have_count(2)
    expect(page.locator("[data-event=report]").first).to_contain_text("初报")
    expect(page.locator(".matters")).to_contain_text("待决定")
    page.locator("#note").fill(f"村主任电话：河水上岸 {SCRIPT}")
    page.locator("[data-send=note]").click()
    expect(page.locator("[data-event=note]")).to_contain_text(SCRIPT)
    assert page.title() != "x", "a note is text"
    page.locator(".hand summary").click()
    page.locator("#handover").fill("三号桥有人值守")
    page.locator("#handover-to").select_option("zhao")
    page.locator("[data-send=handover]").click()
    expect(page.locator("[data-handover]")).to_contain_text("交班给 zhao")
    seat.shot("shift")
    other = second.enter("zhao", "/#/shift")
    expect(other.locator("[data-event=note]")).to_contain_text("河水上岸")
    expect(other.locator("[data-handover]")).to_contain_text("三号桥有人值守")
    second.shot("shift-take-over")
    other.locator("[data-takeover]").click()
    expect(other.locator("[data-handover]")).to_have_count(0)
    other.locator("#shift-text").fill("河水上岸")
    expect(other.locator("[data-event]")).to_have_count(1)
    other.locator("#shift-text").fill("")
    other.locator("#shift-kind").select_option("decision")
    expect(other.locator("[data-event=note]")).to_have_count(0)
    with other.expect_popup() as opened:
        other.locator("[data-incident] a").first.click()
    expect(opened.value.locator("h1")).to_be_visible()
    opened.value.screenshot(path="out/console/printed-report.png", full_page=True)
    with other.expect_download() as got:
        other.locator("#csv").click()
    assert got.value.suggested_filename.startswith("shift-log-exercise")


def test_a_decision_shows_on_an_open_log_and_facts_are_corrected_there(
    seat: Seat, second: Seat, log: Log
) -> None:
    expect = sync_api.expect
    cases(log, red("A01"), seen(40, Level.YELLOW, Action.MOVE, area="A02"), *moved_on())
    page = seat.enter("li", "/#/shift")
    expect(page.locator("[data-event=warning]")).to_have_count(2)
    expect(page.locator("[data-event=decision]", has_text="D-01")).to_have_count(0)
    other = second.enter("wang", "/#/warnings")
    other.locator("[data-act=return]").click()
    other.locator("#reason").fill("请补充雨情")
    other.locator("[data-go=return]").click()
    expect(page.locator("[data-event=decision]", has_text="请补充雨情")).to_have_count(1)
    page.locator("summary", has_text="核报").click()
    page.locator("#verify").fill("实测转移 312 人")
    page.locator("[data-send=verify]").click()
    expect(page.locator("[data-event=report]", has_text="核报")).to_contain_text("312")


def test_what_is_half_written_outlives_the_session_and_too_much_is_refused(
    seat: Seat, log: Log
) -> None:
    expect = sync_api.expect
    page = seat.enter("zhao", "/#/shift")
    page.locator("#note").fill("写到一半")
    seat.context.clear_cookies()
    page.locator("[data-send=note]").click()
    page.get_by_label("用户名").fill("zhao")
    page.get_by_label("口令").fill("a long enough one")
    page.get_by_role("button", name="登录").click()
    expect(page.locator("[data-event=note]")).to_contain_text("写到一半")
    expect(page.locator("#note")).to_have_value("")  # emptied once the server has it
    page.locator("#note").fill("第二条写到一半")
    page.reload()
    expect(page.locator("#note")).to_have_value("第二条写到一半")
    page.evaluate("document.getElementById('note').value = '水'.repeat(3400000)")
    page.locator("#note").dispatch_event("input")
    expect(page.locator(".write .said").first).to_contain_text("3400000 字，最多 2000 字")
    expect(page.locator("[data-send=note]")).to_be_disabled()


@pytest.fixture
def written(setup: Setup) -> str:
    """A stranger's message, as send keeps it."""
    store = Words(setup.folder)
    store.put("w1", "X-0123456789ab", "", "13900001234: 村里进水了<script>", T0)
    store.close()
    return "13900001234: 村里进水了<script>"


def test_peoples_own_words_are_for_those_who_may_and_each_look_is_on_record(
    desk: Desk, written: str
) -> None:
    viewer, duty = Caller(desk.address), Caller(desk.address)
    viewer.enter("screen")
    duty.enter("zhao")
    assert viewer.ask("POST", "/api/words", {}, x_csrf=viewer.csrf)[0] == 403
    assert duty.ask("POST", "/api/words", {})[0] == 403, "without its own page's word"
    status, _, data = duty.ask("POST", "/api/words", {}, x_csrf=duty.csrf)
    assert status == 200
    (one,) = json.loads(data)["words"]
    assert (one["id"], one["who"], one["text"]) == ("w1", "X-0123456789ab", written)
    noted = [(who, what, detail) for _, _, who, what, detail in desk.users.newest(50)]
    assert ("zhao", "people's words", "X-0123456789ab") in noted
    assert not any("13900001234" in str(x) for x in noted)


def test_peoples_own_words_are_shown_when_somebody_asks(seat: Seat, written: str) -> None:
    expect = sync_api.expect
    page = seat.enter("wang", "/#/shift")
    expect(page.locator("[data-word]")).to_have_count(0)
    page.locator("[data-words]").click()
    expect(page.locator("[data-word=w1]")).to_contain_text(written)
    expect(page.locator("[data-word=w1]")).to_contain_text("陌生号码，未核实")
    seat.shot("shift-words")


def test_axe_finds_no_serious_fault_in_the_shift_log(
    browser: "sync_api.Browser", desk: Desk, log: Log, written: str
) -> None:
    cases(log, red("A01"))
    own = Seat(browser, desk, bypass_csp=True)
    page = own.enter("wang", "/#/shift")
    page.locator("[data-event=warning]").wait_for()
    page.locator("[data-words]").click()
    page.locator("[data-word]").wait_for()
    page.locator(".hand summary").click()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    own.context.close()
    bad = [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert bad == []
