"""One person, one message a minute: the first at once, nothing that rises waits, every place named,
and each delivery ends as the message that spoke for it."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Mark
from dispatch.grade import Grade
from dispatch.notices import DUTY
from dispatch.records import Delivery, Receipt, Route
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.attempts import Agenda
from dispatch.send.outbox.grouping import WINDOW_MS
from dispatch.send.outbox.state import Attempt, Box, Rules, attempt_of, is_ready, line_of
from dispatch.words.sms_length import segments
from stream.records import Tick
from tests.support.examples import examples

T0 = 1_753_539_000_000
AREAS = {f"A{n:02}": f"第{n}村" for n in range(1, 25)}
RULES = Rules(
    live=False,
    retry_s=(5, 15),
    played_within_s=60,
    answer_within_s=90,
    areas=AREAS,
    signature="延庆防汛",
    hotline="010-00000000",
    areas_en={f"A{n:02}": f"Village {n}" for n in range(1, 25)},
)


def told(n: int, area: str, at: int = T0, **changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": f"d{n}",
        "alert": f"x-{area}",
        "version": n,
        "area": area,
        "hazard": "flash_flood",
        "level": Level.YELLOW,
        "action": Action.NONE,
        "msg_type": "alert",
        "status": "exercise",
        "recipient": "C-0001",
        "audience": "internal",
        "routes": (Route(channel="sms", text=f"{area}"), Route(channel="app", text=f"{area}")),
        "queued_at": at,
        "deadline_at": at + 300_000,
        "expires_at": at + 3_600_000,
    }
    return Delivery(**{**fields, **changes})


class World:
    """A log and an outbox over it; what the outbox writes is read back."""

    def __init__(self) -> None:
        self.box, self.log = Box(), list[Any]()

    def put(self, *records: Any) -> None:
        for record in records:
            waiting = [record]
            while waiting:
                one = waiting.pop(0)
                self.log.append(one)
                waiting += apply(RULES, self.box, one)

    def ready(self, at: int) -> list[Attempt]:
        return [attempt_of(self.box, e) for e in self.box.entries.values() if is_ready(e, at)]

    def say(self, a: Attempt, state: Any, at: int, **more: Any) -> None:
        self.put(
            Receipt(
                delivery=a.delivery.id,
                route=a.route,
                state=state,
                receipt_at=at,
                attempt=a.attempt,
                **more,
            )
        )

    def state(self, n: int) -> str:
        return self.box.entries[f"d{n}"].state


MOVE = {"level": Level.RED, "action": Action.MOVE}


@pytest.mark.parametrize("sent", [False, True])
def test_what_ends_early_takes_no_order_with_it_that_is_still_in_force(sent: bool) -> None:
    """A message of several is over with the first of them: the others go on, to the next way as well."""
    w = World()
    move = {"must_answer": True, "level": Level.RED, "action": Action.MOVE}
    w.put(told(1, "A01", **MOVE))
    w.say(w.ready(T0)[0], "answered", T0 + 1000)
    w.put(told(2, "A02", T0 + 1000, expires_at=T0 + 3 * 60_000), told(3, "A03", T0 + 1000, **move))
    w.put(Tick(clock_at=T0 + 11_000))
    (both,) = w.ready(T0 + 11_000)
    assert both.delivery.covers == ("d3", "d2")
    if sent:
        w.say(both, "sent", T0 + 12_000)
    w.put(Tick(clock_at=T0 + 3 * 60_000))
    assert (w.state(2), w.state(3)) == ("expired", "queued")
    w.put(Tick(clock_at=T0 + 3 * 60_000 + 1000))
    (order,) = [a for a in w.ready(T0 + 4 * 60_000) if a.delivery.recipient == "C-0001"]
    assert order.delivery.id == "d3"
    w.say(order, "answered", T0 + 4 * 60_000)
    assert w.state(3) == "answered"


@pytest.mark.parametrize("answer", ["waits", "under way"])
def test_a_message_of_several_that_is_tried_again_says_nothing_outdated(answer: str) -> None:
    """It failed, or nobody answered; one of its villages has a newer word meanwhile, which went out."""
    w = World()
    w.put(told(1, "A01", must_answer=True, **MOVE))
    w.say(w.ready(T0)[0], "answered", T0 + 1000)
    w.put(*(told(n, f"A{n:02}", T0 + 1000, must_answer=True, **MOVE) for n in (2, 3)))
    w.put(Tick(clock_at=T0 + 11_000))
    (both,) = w.ready(T0 + 11_000)
    w.say(both, "failed" if answer == "waits" else "sent", T0 + 11_500)
    end = told(4, "A02", T0 + 12_000, level=Level.NONE, msg_type="cancel")
    w.put(end)
    (over,) = [a for a in w.ready(T0 + 12_000) if a.delivery.id == "d4"]
    w.say(over, "delivered", T0 + 12_500)
    if answer == "under way":
        w.say(both, "failed", T0 + 13_000)
    for second in range(13, 40):
        w.put(Tick(clock_at=T0 + second * 1000))
    (left,) = [a for a in w.ready(T0 + 40_000) if a.delivery.recipient == "C-0001"]
    assert left.delivery.id == "d3", "the village that is still to move, and no other"


def test_twelve_villages_are_two_messages() -> None:
    w = World()
    w.put(*(told(n, f"A{n:02}", must_answer=True, **MOVE) for n in range(1, 13)))
    (first,) = w.ready(T0)
    assert first.delivery.id == "d1"
    w.say(first, "answered", T0 + 2000)
    w.put(Tick(clock_at=T0 + 9_999))
    assert w.ready(T0 + 9_999) == []
    w.put(Tick(clock_at=T0 + 10_000))
    (rest,) = w.ready(T0 + 10_000)
    text = rest.delivery.routes[0].text
    assert text.startswith("【延庆防汛】（演练）内部预警11条。立即转移、红色：第2村山洪、")
    assert all(AREAS[f"A{n:02}"] in text for n in range(2, 13))
    assert "有效至27日" in text or "有效至26日" in text
    assert segments(text) <= 3
    assert rest.delivery.must_answer
    w.say(rest, "accepted", T0 + 11_000)
    assert w.state(5) == "queued"  # nobody answered yet
    w.say(rest, "answered", T0 + 12_000)
    assert {w.state(n) for n in range(1, 13)} == {"answered"}
    assert not w.box.open


def test_who_reads_english_has_one_message_too() -> None:
    w = World()
    w.put(told(1, "A01", lang="en"), told(2, "A02", lang="en", **MOVE))
    w.put(told(3, "A03", lang="en", must_answer=True), told(4, "A04", lang="en", **MOVE))
    w.put(told(5, "A05", lang="en", **MOVE))
    w.put(Tick(clock_at=T0 + 10_000))
    (rest,) = [a.delivery for a in w.ready(T0 + 10_000) if a.delivery.covers]
    sms, app = rest.routes
    assert sms.text.startswith(
        "【延庆防汛】EXERCISE. 3 notices: move now, red: flash flood Village 4, Village 5; "
        "yellow: flash flood Village 3. Move people now, check every house. Until "
    )
    assert sms.text.endswith("Duty 010-00000000. Please answer.")
    assert segments(sms.text) <= 3
    assert app.title == "EXERCISE. 3 notices"
    assert app.text.endswith("A04\n\nA05\n\nA03")  # each whole text as well


def test_a_grade_without_a_colour_is_named_by_its_order() -> None:
    w = World()
    order = {"level": Level.NONE, "action": Action.MOVE}
    w.put(*(told(n, f"A{n:02}", **order) for n in range(1, 4)))
    w.put(Tick(clock_at=T0 + 10_000))
    (rest,) = [a.delivery for a in w.ready(T0 + 10_000) if a.delivery.covers]
    assert "2条。立即转移：第2村山洪、第3村山洪。请立即组织转移" in rest.routes[0].text


def test_the_highest_leads_and_a_higher_one_never_waits() -> None:
    w = World()
    w.put(
        told(1, "A01"),
        told(2, "A02"),
        told(3, "A03", **MOVE),  # higher than all: at once
        told(4, "A04", level=Level.ORANGE, action=Action.PREPARE),
    )
    assert [a.delivery.id for a in w.ready(T0)] == ["d1", "d3"]
    w.put(Tick(clock_at=T0 + WINDOW_MS))
    text = w.ready(T0 + WINDOW_MS)[-1].delivery.routes[0].text
    assert text.index("准备转移、橙色：第4村") < text.index("黄色：第2村")
    assert "第1村" not in text
    assert "第3村" not in text


def test_a_warning_that_rises_does_not_wait() -> None:
    w = World()
    w.put(told(1, "A09", **MOVE), told(2, "A01"))
    w.put(told(3, "A01", level=Level.ORANGE))  # lower than what was told, but A01 goes up
    assert {a.delivery.id for a in w.ready(T0)} == {"d1", "d3"}
    assert w.state(2) == "superseded"


def test_one_that_waited_alone_goes_as_it_is() -> None:
    w = World()
    w.put(told(1, "A01"), told(2, "A02"), Tick(clock_at=T0 + WINDOW_MS))
    assert [a.delivery.id for a in w.ready(T0 + WINDOW_MS)] == ["d1", "d2"]


def test_others_are_not_made_to_wait() -> None:
    w = World()
    w.put(
        told(1, "A01"),
        told(2, "A02", recipient="C-0002"),
        told(3, "A03", audience="public"),
        told(4, "A04", msg_type="cancel"),
        told(5, "A05", again=1, asked_by="D-01"),
    )
    assert len(w.ready(T0)) == 5


def test_questions_put_anew_to_one_person_are_one_message_and_the_newest_of_each() -> None:
    w = World()
    w.put(told(1, "A01"), told(2, "A02"))
    assert [a.delivery.id for a in w.ready(T0)] == ["d1"]
    anew = {"again": 1}
    w.put(told(3, "A01", version=1, **anew), told(4, "A02", version=2, **anew))
    w.put(told(5, "A03", **anew))
    at = T0 + WINDOW_MS
    w.put(Tick(clock_at=at))
    (one,) = w.ready(at)
    assert set(one.delivery.covers) == {"d3", "d4", "d5"}
    assert w.state(2) == "superseded"


def test_an_unsent_message_never_says_what_is_outdated() -> None:
    w = World()
    w.put(told(1, "A01"), told(2, "A02"), told(3, "A03"), told(4, "A04"))
    at = T0 + WINDOW_MS
    w.put(Tick(clock_at=at))
    together = w.ready(at)[-1].delivery
    assert set(together.covers) == {"d2", "d3", "d4"}
    w.put(told(5, "A02", at, msg_type="cancel"))
    assert w.state(2) == "superseded"
    assert w.box.entries[together.id].state == "superseded"
    w.put(Tick(clock_at=at + 1000))
    newer = w.ready(at + 1000)[-1].delivery
    assert set(newer.covers) == {"d3", "d4"}
    assert "第2村" not in newer.routes[0].text


def test_when_the_message_fails_the_duty_room_hears_of_each() -> None:
    w = World()
    w.put(told(1, "A01"), told(2, "A02"), told(3, "A03"), Tick(clock_at=T0 + WINDOW_MS))
    at = T0 + WINDOW_MS
    for _ in range(2):  # by SMS, then by app
        a = next(a for a in w.ready(at) if a.delivery.covers)
        w.say(a, "failed", at, permanent=True)
    assert (w.state(2), w.state(3)) == ("failed", "failed")
    notices = [
        d.recipient for d in w.log if isinstance(d, Delivery) and d.alert in ("x-A02", "x-A03")
    ]
    assert notices.count(f"{DUTY}C-0001") == 2


GRADES = st.sampled_from(
    [
        (Level.BLUE, Action.NONE),
        (Level.YELLOW, Action.NONE),
        (Level.ORANGE, Action.PREPARE),
        (Level.NONE, Action.MOVE),
        (Level.RED, Action.MOVE),
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("told"), st.integers(1, 24), GRADES, st.booleans()),
        st.tuples(st.just("cancel"), st.integers(1, 24)),
        st.tuples(st.just("tick"), st.integers(1, 90)),
        st.tuples(st.just("send"), st.sampled_from(["accepted", "answered", "failed", "none"])),
    ),
    max_size=40,
)


@given(STEPS, st.booleans())
@examples(300)
def test_whatever_comes_each_is_told_or_missed_aloud(steps: list[Any], restart: bool) -> None:
    w, at, high = World(), T0, Grade()
    held_since: dict[str, int] = {}
    for n, step in enumerate(steps, 1):
        match step:
            case ("told", area, (level, action), must):
                d = told(n, f"A{area:02}", at, level=level, action=action, must_answer=must)
                before = high
                high |= Grade(level, action)
                w.put(d)
                held_since[d.id] = at
                if Grade(level, action).exceeds(before):
                    assert is_ready(w.box.entries[d.id], at)  # never held back
            case ("cancel", area):
                w.put(told(n, f"A{area:02}", at, msg_type="cancel", level=Level.NONE))
                assert is_ready(w.box.entries[f"d{n}"], at)
            case ("tick", seconds):
                at += seconds * 1000
                w.put(Mark(group="g", clock_at=at, complete_at=at), Tick(clock_at=at))
                for i, since in held_since.items():
                    e = w.box.entries[i]
                    if (
                        at >= since + 2 * WINDOW_MS and not e.done
                    ):  # it left, by itself or with others
                        assert e.into or not e.held
            case ("send", state):
                for a in w.ready(at):
                    if a.delivery.routes[a.route].channel != "console" and state != "none":
                        w.say(a, state, at, permanent=state == "failed")
        if restart:
            body = msgspec.msgpack.encode(msgspec.structs.replace(w.box, touched={}))
            w.box = msgspec.msgpack.decode(body, type=Box)
        agenda = Agenda()
        agenda.follow(w.box)
        lines = []
        while a := agenda.take("sms", at):
            lines.append(line_of(a.delivery))
        assert len(lines) == len(set(lines))
        for d in [e.delivery for e in w.box.entries.values() if e.delivery.covers]:
            named = [w.box.entries[i].delivery for i in d.covers]
            assert all(AREAS[x.area] in d.routes[0].text for x in named)
            assert segments(d.routes[0].text) <= 3
            ranks = [(x.action, x.level) for x in named]
            assert ranks == sorted(ranks, reverse=True)
    w.put(Tick(clock_at=at + 2 * 3_600_000))
    for e in w.box.entries.values():
        if e.delivery.recipient == "C-0001":
            assert e.done, e
    missed = {i for i in held_since if w.state(int(i[1:])) in ("failed", "expired")}
    told_of = {
        (d.alert, d.version)
        for d in w.log
        if isinstance(d, Delivery) and d.recipient == f"{DUTY}C-0001"
    }
    for i in missed:
        d = w.box.entries[i].delivery
        assert (d.alert, d.version) in told_of


def test_another_countys_duty_room_has_rounds_at_night_and_each_warning_by_itself_by_day() -> None:
    """What waits for its round is one message in the words of an office, compared with nothing; what is worse
    takes it along; what does not wait, where nothing does, goes by itself."""
    old = (Route(channel="sms", text="from yellow"),)
    office: dict[str, Any] = {"audience": "public", "category": "organisation", "plain": old}
    office |= {"was_level": Level.YELLOW}
    w, due = World(), T0 + 300_000
    w.put(told(1, "A01", **office), told(2, "A02", **office))
    assert [a.delivery.id for a in w.ready(T0)] == ["d1", "d2"], "by day"
    w = World()
    for n in (1, 2, 3):
        w.put(told(n, f"A0{n}", not_before=due, **office))
    assert w.ready(T0) == []
    w.put(Tick(clock_at=due))
    (one,) = w.ready(due)
    d = one.delivery
    text = str(d.routes[0].text)
    assert set(d.covers) == {"d1", "d2", "d3"} and (d.plain, d.was_level) == ((), Level.NONE)
    assert "通报3条预警" in text and "请相应防范" in text and "请到岗" not in text
    assert all(AREAS[f"A0{n}"] in text for n in (1, 2, 3))
    w.say(one, "accepted", due)
    assert {w.box.entries[i].state for i in d.covers} == {"accepted"}
    w = World()
    w.put(told(1, "A01", not_before=due, **office))
    w.put(told(2, "A02", T0 + 60_000, level=Level.RED, **office))
    (one,) = w.ready(T0 + 60_000)
    assert one.delivery.covers == ("d2", "d1")


CHIEF = "C-0001"


def test_what_was_replaced_while_it_waited_hurries_nothing_that_comes_later() -> None:
    w, soon, late = World(), T0 + 30 * 60_000, T0 + 55 * 60_000
    w.put(told(1, "A01", not_before=soon))
    w.put(told(2, "A01", T0 + 60_000, level=Level.ORANGE, action=Action.PREPARE))  # it rises: at once
    assert w.state(1) == "superseded"
    w.put(told(3, "A02", T0 + 25 * 60_000, not_before=late))
    w.put(Mark(group="A", clock_at=soon, complete_at=soon))
    assert not [a for a in w.ready(soon) if a.delivery.id == "d3"]
    w.put(Mark(group="A", clock_at=late, complete_at=late))
    assert [a for a in w.ready(late) if a.delivery.id == "d3"]


class Night:
    """heard: version by village, as it reached the chief."""

    def __init__(self, seed: int) -> None:
        self.draw, self.world, self.at = random.Random(seed), World(), T0
        self.fails = self.draw.choice((0.0, 0.3, 0.9))
        self.versions, self.heard, self.after = dict[str, int](), dict[str, int](), list[str]()
        self.last = dict[str, Delivery]()

    def news(self, n: int) -> None:
        draw, at = self.draw, self.at
        area = f"A{draw.randrange(1, 6):02}"
        version = self.versions[area] = self.versions.get(area, 0) + 1
        over = version > 1 and draw.random() < 0.25
        action = Action.NONE if over else draw.choice(list(Action))
        self.last[area] = told(
            n, area, at, version=version, msg_type="cancel" if over else "alert", action=action,
            level=Level.NONE if over else draw.choice((Level.BLUE, Level.ORANGE, Level.RED)),
            not_before=0 if over else draw.choice((0, at + 60_000, at + 300_000)),
            must_answer=action == Action.MOVE,
        )  # fmt: skip
        self.world.put(self.last[area])

    def send(self, fails: float) -> None:
        entries = self.world.box.entries
        for a in self.world.ready(self.at):
            if a.delivery.recipient != CHIEF or entries[a.delivery.id].done:
                continue
            if self.draw.random() < fails:
                self.world.say(a, "failed", self.at)
                continue
            for d in (entries[i].delivery for i in a.delivery.covers or (a.delivery.id,)):
                if d.version < self.heard.get(d.area, 0):
                    self.after.append(f"{d.area} {d.version} after {self.heard[d.area]}")
                self.heard[d.area] = max(d.version, self.heard.get(d.area, 0))
            self.world.say(a, "answered", self.at)

    def pass_by(self, ms: int) -> None:
        self.at += ms
        self.world.put(Tick(clock_at=self.at))


@given(st.integers(0, 10**6))
@examples(40)
def test_no_word_comes_after_a_newer_one_and_no_order_is_lost(seed: int) -> None:
    night = Night(seed)
    for n in range(40):
        night.pass_by(night.draw.choice((0, 1000, 10_000, 60_000)))
        if night.draw.random() < 0.5:
            night.news(n)
        if night.draw.random() < 0.2:
            body = msgspec.msgpack.encode(night.world.box)
            night.world.box = msgspec.msgpack.decode(body, type=Box)
        night.send(night.fails)
    for _ in range(40):
        night.pass_by(10_000)
        night.send(0)
    assert night.after == []
    if not night.fails:
        orders = {a: d.version for a, d in night.last.items() if d.action == Action.MOVE}
        assert {a: night.heard.get(a) for a in orders} == orders
