"""The page Warnings to its end: two persons, what takes protection away, what similar cases led to, a
camera's pictures, a stale tab, the day theme."""

import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from config.records.level import Action, Level
from console.model.follow import Follower
from console.model.trail import Trail
from console.model.view import View
from console.pages.precedents import similar
from detectors.detection import Evidence
from dispatch.records import Alert, Outcome
from fengsui.run.run_log import frames_folder
from stream.disk.blobs import FrameStore
from stream.log.port import Log
from stream.records import Record
from tests.support.console_delivery import alert_of, wait_for_alert
from tests.support.console_door import Caller
from tests.support.console_pages import (
    AXE,
    PASSWORD,
    Desk,
    Seat,
    acts,
    cases,
    red,
    sync_api,
    taken,
)
from tests.support.decide_district import MIN, T0, seen, yanqing

pytestmark = pytest.mark.usefixtures("here")

HOUR = 60 * MIN


def past(n: int, **more: object) -> Alert:
    """A warning `n` days ago that has ended."""
    at = T0 - n * 24 * HOUR
    fields = {"id": f"past-{n}", "sent_at": at, "onset_at": at, "expires_at": at, **more}
    return msgspec.structs.replace(alert_of(), msg_type="cancel", state="cancelled", **fields)


def outcome(n: int, happened: bool, told: int = 0, **more: object) -> Outcome:
    fields = {"area": "A01", "hazard": "flash_flood", **more}
    start = T0 - n * 24 * HOUR + HOUR
    return Outcome(
        happened=happened, start_at=start, end_at=start + HOUR, told_at=start + told, by="D-01",
        **fields,
    )  # fmt: skip


def before(*records: Record) -> dict[str, object]:
    view, trail = View(), Trail()
    for r in (*records, alert_of()):
        view.take(r)
        trail.take(r, view)
    return similar(view, trail.outcomes, alert_of())


def test_similar_cases_are_those_of_the_place_and_hazard_with_what_people_told() -> None:
    found = before(
        past(3), past(9), past(30), past(4, area="A02"),
        outcome(3, True, note="桥断"), outcome(9, True), outcome(9, False, told=5),
        outcome(50, True), outcome(3, True, area="A02"),
    )  # fmt: skip
    assert [found[k] for k in ("happened", "quiet", "unknown", "missed")] == [1, 1, 1, 1]
    assert [r["came"] for r in found["rows"]] == ["happened", "quiet", "unknown"]
    assert found["rows"][0]["notes"] == ["桥断"]


@pytest.fixture
def second(browser: "sync_api.Browser", desk: Desk) -> Iterator[Seat]:
    seat = Seat(browser, desk)
    yield seat
    seat.context.close()
    assert seat.faults == []


def test_the_buttons_say_which_of_two_persons_presses_them(
    seat: Seat, second: Seat, log: Log
) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    page, other = seat.enter("wang", "/#/warnings"), second.enter("li", "/#/warnings")
    expect(page.locator("[data-act=approve]")).to_contain_text("第一人")
    expect(page.locator(".acts .main-act")).to_have_attribute("data-act", "approve")
    page.locator("[data-act=approve]").click()
    expect(page.locator("[data-go=approve]")).to_contain_text("第一人")
    page.locator("[data-go=approve]").click()
    expect(page.locator(".acts")).to_contain_text("您已署名，须另一人发布")
    expect(other.locator("[data-act=release]")).to_contain_text("第二人发布")
    expect(other.locator(".acts .main-act")).to_have_attribute("data-act", "release")
    second.shot("warnings-second-person")
    other.locator("[data-act=release]").click()
    expect(other.locator("#sure")).to_have_count(0)  # what protects people is not slowed
    other.locator("[data-go=release]").click()
    expect(other.locator("[data-state=released]")).to_have_count(1)


class Meanwhile:
    """New questions that come one after the other until somebody says that it is enough."""

    def __init__(self, log: Log, areas: list[str]) -> None:
        self._log, self._areas, self._enough = log, areas, threading.Event()
        self.first = threading.Event()
        self._thread = threading.Thread(target=self._come)

    def _come(self) -> None:
        for area in self._areas:
            cases(self._log, red(area))
            self.first.set()
            if self._enough.wait(0.3):
                return

    def __enter__(self) -> "Meanwhile":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join(90)


def in_force(log: Log) -> set[tuple[str, str]]:
    newest = {a.id: a for _, a in Follower(log, ("alerts",)).take() if isinstance(a, Alert)}
    return {(a.area, a.hazard) for a in newest.values() if a.level == Level.RED}


def test_two_officers_let_out_51_questions_in_four_presses_while_more_come(
    seat: Seat, second: Seat, log: Log, desk: Desk
) -> None:
    """Of 32 villages, 19 of them with two hazards; a new question every third of a second from the
    first signature on. Whoever presses the highlighted button does what they can do next."""
    expect = sync_api.expect
    areas = list(desk.setup.district.areas)
    asked = [*((a, "flash_flood") for a in areas[:32]), *((a, "debris_flow") for a in areas[:19])]
    cases(log, *[msgspec.structs.replace(red(a), hazard=h, id=f"{a}-{h}") for a, h in asked])
    one, other = seat.enter("wang", "/#/warnings"), second.enter("li", "/#/warnings")
    expect(one.locator("[data-state=proposed]")).to_have_count(51)
    expect(other.locator("[data-state=proposed]")).to_have_count(51)
    expect(other.locator(".many .main-act")).to_have_count(0)  # the city approves first
    begun, presses = time.monotonic(), 0
    one.locator(".many .main-act").click()
    one.locator("dialog.confirm .main-act").click()
    presses += 2
    expect(other.locator(".asks", has_text="已有一人")).to_have_count(51)
    paused = time.monotonic()
    with Meanwhile(log, areas[32:]) as more:
        assert more.first.wait(90)
        expect(other.locator("[data-state=proposed]").nth(53)).to_be_visible()
        paused = time.monotonic() - paused
        second.shot("warnings-second-of-51")
        main = other.locator(".many .main-act")
        expect(main).to_have_attribute("data-many", "release")
        expect(main).to_contain_text("第二人发布 51 份")
        expect(other.locator("[data-not-mine]")).to_contain_text("K-01")
        main.click()
        other.locator("dialog.confirm .main-act").click()
        presses += 2
        expect(other.locator("dialog.confirm")).to_have_count(0)
    print(f"{presses} presses, {time.monotonic() - begun - paused:.1f} s")
    assert in_force(log) == set(asked)
    assert {d.outcome for d in acts(log)} == {"done"}
    assert {d.area for d in acts(log)} == set(areas[:32]), "what came meanwhile is nobody's yet"


def test_the_first_of_two_and_the_second_of_another_is_one_press(
    seat: Seat, second: Seat, log: Log
) -> None:
    """K-02 finds one red with K-01's name and one without: the highlighted button does the next thing
    for both, and says so."""
    expect = sync_api.expect
    cases(log, red("A01"))
    page = seat.enter("wang", "/#/warnings")
    page.locator("[data-act=approve]").click()
    page.locator("[data-go=approve]").click()
    expect(page.locator(".acts")).to_contain_text("您已署名，须另一人发布：D-01")
    expect(page.locator("[data-not-mine]")).to_contain_text("您已署名")
    cases(log, red("A02"))
    expect(page.locator(".many .main-act")).to_contain_text("第一人")
    other = second.enter("chen", "/#/warnings")
    main = other.locator(".many .main-act")
    expect(main).to_contain_text("发布 1、批准（第一人，再由另一人发布） 1")
    second.shot("warnings-both")
    main.click()
    expect(other.locator("dialog .which")).to_contain_text("第一人批准")
    other.locator("dialog.confirm .main-act").click()
    expect(other.locator("dialog.confirm")).to_have_count(0)
    done = [(d.by, d.area, d.act, d.outcome) for d in acts(log)]
    assert done == [
        ("K-01", "A01", "approve", "done"),
        ("K-02", "A01", "release", "done"),
        ("K-02", "A02", "approve", "done"),
    ]


def test_what_is_asked_after_the_box_was_opened_is_not_released_with_it(
    seat: Seat, second: Seat, log: Log
) -> None:
    expect = sync_api.expect
    cases(log, seen(40, Level.ORANGE))
    page = seat.enter("wang", "/#/warnings")
    page.locator("[data-act=approve]").click()
    page.locator("[data-go=approve]").click()
    expect(page.locator("dialog.confirm")).to_have_count(0)
    other = second.enter("li", "/#/warnings")
    expect(other.locator(".many .main-act")).to_have_attribute("data-many", "release")
    other.locator(".many .main-act").click()
    cases(log, red("A01"))
    expect(other.locator(".detail .question")).to_have_count(2)
    other.locator("dialog.confirm .main-act").click()
    expect(other.locator("dialog.confirm")).to_have_count(0)
    told = wait_for_alert(log)
    assert (told.level, told.proposed_level) == (Level.ORANGE, Level.RED)
    assert [(q.what, q.signed) for q in told.questions] == [("red", ())]


def test_the_second_officer_of_an_end_is_led_to_the_end(seat: Seat, second: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    page = seat.enter("wang", "/#/warnings")
    for who, at in (("approve", page), ("release", second.enter("li", "/#/warnings"))):
        at.locator(f"[data-act={who}]").click()
        at.locator(f"[data-go={who}]").click()
        expect(at.locator("dialog.confirm")).to_have_count(0)
    expect(page.locator("[data-state=released]")).to_have_count(1)  # else it asks for an older version
    page.locator("[data-act=lower]").click()
    page.locator("#level").select_option("2")
    page.locator("#reason").fill("雨停")
    page.locator("#sure").check()
    page.locator("[data-go=lower]").click()
    expect(page.locator(".acts")).to_contain_text("您已署名，须另一人确认")
    other = second.page
    main = other.locator(".acts .main-act")
    expect(main).to_have_attribute("data-act", "lower")
    expect(main).to_contain_text("第二人降级")
    expect(other.locator(".many .main-act")).to_have_attribute("data-many", "lower")
    main.click()
    expect(other.locator("#level")).to_have_count(0)  # as the first asked for it
    other.locator("#reason").fill("同意")
    other.locator("#sure").check()
    other.locator("[data-go=lower]").click()
    expect(other.locator("dialog.confirm")).to_have_count(0)
    assert wait_for_alert(log).level == Level.YELLOW


def test_a_press_is_not_lost_when_the_page_changes_under_the_finger(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, red("A01"))
    taken(log)  # nothing comes that would move the button
    page = seat.enter("wang", "/#/warnings")
    button = page.locator(".many .main-act")
    box = button.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    before = page.locator("body").get_attribute("data-rev")
    page.mouse.down()
    cases(log, red("A02"))
    expect(page.locator("body")).not_to_have_attribute("data-rev", before or "")
    page.mouse.up()
    expect(page.locator("dialog .which li")).to_have_count(1)  # what it was drawn for
    expect(page.locator("[data-state=proposed]")).to_have_count(2)


def test_what_takes_protection_away_is_asked_once_more(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    cases(log, seen(40, Level.YELLOW, Action.MOVE), seen(40, Level.YELLOW, area="A02"))
    page = seat.enter("li", "/#/warnings")
    page.locator("[data-warning]", has_text="立即转移").locator("[data-open]").click()
    page.locator("[data-act=cancel]").click()
    page.locator("#reason").fill("雨停")
    page.locator("[data-go=cancel]").click()
    expect(page.locator("#sure")).to_be_visible()
    assert acts(log) == [], "the browser does not send it"
    seat.shot("warnings-sure")
    page.locator("#sure").check()
    page.locator("[data-go=cancel]").click()
    expect(page.locator("[data-warning]")).to_have_count(1)
    page.locator("[data-act=cancel]").click()
    expect(page.locator("#sure")).to_have_count(0)  # a yellow


def test_a_fact_is_told_with_its_time(seat: Seat, log: Log) -> None:
    """Of a lake that burst: the browser asks when, and the wave is counted from then."""
    expect = sync_api.expect
    cases(log, seen(40, Level.YELLOW, hazard="dam_break"))
    page = seat.enter("li", "/#/warnings")
    page.locator("[data-act=raise]").click()
    page.locator("#level").select_option("3")
    page.locator("#happened").fill("20:45")
    page.locator("#reason").fill("坝上来人报告")
    page.locator("[data-go=raise]").click()
    expect(page.locator("dialog .said")).to_contain_text("在将来")
    assert acts(log) == []
    page.locator("#happened").fill("20:10")
    seat.shot("warnings-happened")
    page.locator("[data-go=raise]").click()
    expect(page.locator("#happened")).to_have_count(0)
    assert [(d.act, d.happened_at) for d in acts(log)] == [("raise", T0 + 10 * MIN)]
    below = page.locator("[data-warning]", has_text=yanqing().areas["A02"].name)
    below.locator("[data-open]").click()
    expect(page.locator(".rule", has_text="上游")).to_contain_text("20:10")
    cases(log, seen(40, Level.YELLOW, area="A02"))
    page.locator("[data-warning]", has_text="山洪").locator("[data-open]").click()
    page.locator("[data-act=raise]").click()
    expect(page.locator("#reason")).to_be_visible()
    expect(page.locator("#happened")).to_have_count(0)  # of what rises by itself nobody asks when


def test_a_stale_approval_is_refused_and_what_was_written_is_kept(
    seat: Seat, log: Log, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tab of eight hours ago: its session is over, and meanwhile the warning was updated."""
    monkeypatch.setattr(
        "console.app.WAIT_S", 90.0
    )  # else a slow decide's word comes after the page's
    expect = sync_api.expect
    cases(log, red("A01"))
    first = wait_for_alert(log)
    page = seat.enter("wang", "/#/warnings")
    page.locator("[data-act=hold]").click()
    page.locator("#reason").fill("等会商，先不放")
    cases(log, seen(41, Level.RED, Action.MOVE))
    expect(page.locator(".detail h2").first).to_contain_text(f"第{first.version + 1}版")
    expect(page.locator(".texts blockquote").first).to_be_visible()
    seat.context.clear_cookies()
    page.locator("[data-go=hold]").click()
    page.get_by_label("用户名").fill("wang")
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".said")).to_contain_text("1 份未办")
    expect(page.locator("#reason")).to_have_value("等会商，先不放")
    (told,) = acts(log)
    assert (told.act, told.outcome) == ("hold", "refused")
    assert wait_for_alert(log).state == "proposed", "nothing was held by mistake"
    seat.shot("warnings-stale")


def test_all_that_finds_the_session_over_goes_on_after_one_login(seat: Seat) -> None:
    page = seat.enter("wang", "/#/warnings")
    seat.context.clear_cookies()
    page.evaluate(
        """import("/static/live.js").then((live) => Promise.all(
            ["/api/me", "/api/past", "/api/dead"].map((path) => live.ask(path))
        ).then(() => { document.body.dataset.all = "1"; })) && null"""
    )
    page.get_by_label("用户名").fill("wang")
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.locator("body[data-all='1']").wait_for()


def test_a_refusal_that_comes_after_the_login_asks_for_no_second(seat: Seat) -> None:
    page = seat.enter("wang", "/#/warnings")
    page.evaluate("import('/static/live.js').then((live) => { window.ask = live.ask; })")
    late: list[sync_api.Route] = []
    page.route("**/api/dead", lambda route: late.append(route), times=1)
    seat.context.clear_cookies()
    page.evaluate(
        """Promise.all(["/api/dead", "/api/past"].map((path) => ask(path)))
            .then(() => { document.body.dataset.all = "1"; }) && null"""
    )
    page.get_by_label("用户名").fill("wang")
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.locator("#login").wait_for(state="hidden")
    late[0].fulfill(status=401, json={"words": "请登录"})
    page.locator("body[data-all='1']").wait_for()


def test_evidence_of_a_rule_is_named_and_counted_as_in_the_notice(seat: Seat, log: Log) -> None:
    why = Evidence(
        station="S05", quantity="stage", kind="flood_chance", value=0.271, threshold=0.18,
        window_min=30, observed_at=T0,
    )  # fmt: skip
    cases(log, msgspec.structs.replace(seen(40, Level.YELLOW), evidence=(why,)))
    rule = seat.enter("li", "/#/warnings").locator(".cell .rule")
    said = "未来30分钟内受淹的可能性 27.1 % ≥ 阈值 18 %"
    sync_api.expect(rule.filter(has_text=said)).to_be_visible()


def test_a_camera_s_pictures_can_be_turned_over(seat: Seat, log: Log, desk: Desk) -> None:
    expect = sync_api.expect
    store = FrameStore(frames_folder(desk.setup))
    # two pictures of one pixel, which every browser can show
    body = b"\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00%b" + body
    frames = tuple(store.put(gif % colour) for colour in (b"\x00\x00\x00", b"\x10\x00\x00"))
    why = Evidence(station="V01", quantity="frame", value=0.5, threshold=0.25, frames=frames)
    cases(log, msgspec.structs.replace(seen(40, Level.YELLOW), evidence=(why,)))
    page = seat.enter("li", "/#/warnings")
    shown = page.locator(".clip img")
    expect(shown).to_have_attribute("src", f"/api/frame/{frames[1]}")
    page.locator(".clip input").press("ArrowLeft")
    expect(shown).to_have_attribute("src", f"/api/frame/{frames[0]}")
    caller = Caller(desk.address)
    assert caller.ask("GET", f"/api/frame/{frames[0]}")[0] == 401
    caller.enter("screen")
    assert caller.ask("GET", f"/api/frame/{frames[0]}")[0] == 200
    assert caller.ask("GET", "/api/frame/..%2f..%2fconsole.db")[0] == 404


@pytest.mark.parametrize("where", ["/", "/#/warnings", "/#/delivery", "/#/shift", "/#/stations"])
def test_the_day_theme_has_no_serious_fault_either(
    browser: "sync_api.Browser", desk: Desk, log: Log, where: str
) -> None:
    cases(log, red("A01"), seen(40, Level.YELLOW, Action.MOVE, area="A02"))
    own = Seat(browser, desk, bypass_csp=True)
    page = own.enter("li", where)
    page.locator("#more summary").click()
    page.get_by_role("button", name="日间").click()
    page.reload()
    page.locator("html[data-theme=day]").wait_for()
    page.locator("main section").first.wait_for()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    own.shot(f"day-{where.strip('/#') or 'situation'}")
    own.context.close()
    bad = [
        (v["id"], [n["html"][:120] for n in v["nodes"]])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert bad == []


def test_of_a_joint_release_the_page_says_who_agreed_who_is_waited_for_and_what_each_can_do(
    desk: Desk, seat: Seat, second: Seat, log: Log
) -> None:
    """规自 and 气象 release a debris flow's yellow together: each presses the highlighted button once."""
    expect = sync_api.expect
    for name, officer in (("gao", "G-01"), ("mei", "M-01")):
        desk.users.add(name, "approver", officer, PASSWORD)
    cases(log, seen(40, Level.YELLOW, hazard="debris_flow"))
    page = seat.enter("gao", "/#/warnings")
    expect(page.locator(".question .joint").last).to_contain_text("规自分局、气象局都须同意")
    main = page.locator(".acts .main-act")
    expect(main).to_contain_text("本单位同意（联合发布）")
    main.click()
    page.locator("[data-go=approve]").click()
    expect(page.locator(".question .joint").last).to_contain_text("规自分局已同意，待气象局：M-01")
    expect(page.locator(".acts")).to_contain_text("待气象局")
    seat.shot("warnings-joint-waits")
    other = second.enter("mei", "/#/warnings")
    expect(other.locator(".asks")).to_contain_text("待气象局")
    main = other.locator(".acts .main-act")
    expect(main).to_have_attribute("data-act", "release")
    expect(main).to_contain_text("本单位同意并联合发布")
    second.shot("warnings-joint-second")
    main.click()
    other.locator("[data-go=release]").click()
    expect(other.locator("[data-state=released]")).to_have_count(1)
    done = [(d.by, d.act, d.outcome) for d in acts(log)]
    assert done == [("G-01", "approve", "done"), ("M-01", "release", "done")]
