"""Two hazards of one village are one message to one person: both named, the highest order once, at
once where it rises; each warning's delivery keeps its own end, whatever fails, comes late or crashes."""

import re
from collections import Counter
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import HAZARD_EN, HAZARD_ZH, LEVEL_ZH, MOUNTAIN, Action, Level, order_zh
from dispatch.address.stage import AddressState
from dispatch.channels.direct.loudspeaker import command_for
from dispatch.grade import Grade
from dispatch.records import Alert, Delivery, Receipt
from dispatch.send.outbox.state import NOT_REACHED, Attempt, Box, reindex
from dispatch.words.compose import SMS_SEGMENTS, SPOKEN_S, Message, write
from dispatch.words.sample import sample
from dispatch.words.sms_length import segments
from dispatch.words.spoken import seconds
from stream.records import Tick
from tests.support.decide_district import MIN, OTHER, T0, mark, seen, yanqing
from tests.support.examples import examples
from tests.support.heard import NODE, RESIDENT, Village, at

BLUE, YELLOW, ORANGE, RED = Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED
FLOOD, DEBRIS, RIVER = HAZARDS = ("flash_flood", "debris_flow", "river_flood")
MOVE, PREPARE = Grade(RED, Action.MOVE), Grade(ORANGE, Action.PREPARE)


class Place(Village):
    """What residents and loudspeakers of A01 get; `got`: each message in order."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[tuple[int, Delivery]] = []
        self.given_up: set[str] = set()  # whom a message had not reached by any way before `go`

    def tick(self, now: int) -> None:
        self.put(Tick(clock_at=now))

    def go(self, now: int, *, lost: bool = False, only: str = "") -> list[Attempt]:
        self.given_up = {
            who for who in (NODE, RESIDENT)
            if any(e.done and e.state == "failed" for e in self.of(who))
        }  # fmt: skip
        found = [
            a for a in self.attempts(now)
            if a.delivery.recipient in (NODE, RESIDENT) and only in ("", a.delivery.recipient)
        ]  # fmt: skip
        if not lost:
            self.got += [(now, a.delivery) for a in found]
        self.send(now, lost=lost, only=only)
        return found

    def said_to(self, who: str) -> list[str]:
        return [d.routes[0].text for _, d in self.got if d.recipient == who]

    def of(self, who: str) -> list[Any]:
        return [e for e in self.box.entries.values() if e.delivery.recipient == who]

    def restart(self) -> None:
        """Both stages on their snapshots."""
        self.state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.state), type=AddressState)
        bare = msgspec.structs.replace(self.box, touched={}, spelled={}, aloud={}, ends={})
        self.box = msgspec.msgpack.decode(msgspec.msgpack.encode(bare), type=Box)
        reindex(self.box)


def test_two_hazards_of_one_reading_are_one_message() -> None:
    v = Place()
    v.feed(seen(1, *of(PREPARE)), seen(1, YELLOW, hazard=DEBRIS))
    v.go(at(1))
    for who in (RESIDENT, NODE):
        (text,) = v.said_to(who)
        assert re.search("山洪橙色、泥石流黄色预警[；。](转移)?指令：准备转移", text)
        assert text.count("准备转移") == 1
        assert "沟口" in text  # where not to go because of the other
        states = {e.state for e in v.of(who)}
        assert len(v.of(who)) == 2
        assert len(states) == 1
        assert not states & NOT_REACHED  # one receipt proves both
    assert not [e for e in v.of(RESIDENT) + v.of(NODE) if not e.done]


def of(grade: Grade) -> tuple[Level, Action]:
    return grade.level, grade.action


def test_an_order_goes_at_once_and_waits_for_nobody() -> None:
    v = Place()
    v.feed(seen(1, YELLOW))
    v.go(at(1))
    v.feed(seen(1.1, *of(MOVE), hazard=DEBRIS))
    now = T0 + 66_000
    v.go(now)
    for who in (RESIDENT, NODE):
        assert re.search("泥石流红色、山洪黄色预警[；。](转移)?指令：立即转移", v.said_to(who)[-1])
    assert [t for t, _ in v.got][-1] == now


def test_what_adds_nothing_waits_for_others_and_is_no_second_alarm() -> None:
    v = Place()
    v.feed(seen(1, *of(MOVE)))
    v.go(at(1))
    v.feed(seen(1.1, YELLOW, hazard=DEBRIS), seen(1.2, YELLOW, hazard=RIVER))
    v.tick(at(2))
    assert v.go(at(2)) == []
    v.tick(at(3))
    v.go(at(3))
    for who in (RESIDENT, NODE):
        first, then = v.said_to(who)
        assert "立即转移" in first
        assert re.search("山洪红色、泥石流黄色、河道洪水黄色预警[；。](转移)?指令：立即转移", then)


def test_a_loudspeaker_that_waits_for_others_is_not_silent() -> None:
    """Also where the scenario's clock goes on by more than its deadline at once."""
    v = Place()
    v.feed(seen(1, *of(MOVE)))
    v.go(at(1))
    v.feed(seen(2, YELLOW, hazard=DEBRIS))
    v.tick(at(12))
    (e,) = [e for e in v.of(NODE) if not e.done]
    duty = [d for d in v.box.entries.values() if "duty:" in d.delivery.recipient]
    assert not duty
    v.tick(at(14))
    assert not [d for d in v.box.entries.values() if "duty:" in d.delivery.recipient]
    v.tick(at(16))  # it is due since minute 12, and should have sounded within three
    assert [d for d in v.box.entries.values() if "duty:" in d.delivery.recipient]
    assert not e.done


def test_a_lower_order_is_never_said_beside_a_higher_one() -> None:
    """Hours later too: 准备转移 of one while 立即转移 of the other stands."""
    v = Place()
    v.feed(seen(1, *of(MOVE)))
    v.go(at(1))
    v.feed(seen(200, *of(PREPARE), hazard=DEBRIS))
    v.tick(at(202))
    v.go(at(202))
    text = v.said_to(RESIDENT)[-1]
    assert "立即转移" in text
    assert "准备转移" not in text
    command = command_for(v.got[-1][1], v.got[-1][1].routes[0], "k", "exercise", at(202))
    assert (command.action, command.level) == (Action.MOVE, RED)
    assert len(command.also) == 1


def test_renewals_are_one_message_and_ends_are_one_message() -> None:
    v = Place()
    v.feed(seen(1, YELLOW), seen(1, YELLOW, hazard=DEBRIS))
    v.go(at(1))
    for minute in range(10, 700, 10):
        v.feed(mark(minute), mark(minute, group=OTHER))
        v.tick(at(minute))
        v.go(at(minute))
    again = [d for _, d in v.got if d.recipient == RESIDENT][1:]
    assert again
    assert all("泥石流黄色、山洪黄色预警" in d.routes[0].text for d in again)
    assert len(again) == len({d.queued_at for d in again})
    before = len(v.got)
    v.feed(seen(701), seen(701, hazard=DEBRIS))
    for minute in range(702, 760, 2):
        v.feed(mark(minute), mark(minute, group=OTHER))
        v.tick(at(minute))
        v.go(at(minute))
    ends = v.got[before:]
    assert Counter(d.recipient for _, d in ends) == {RESIDENT: 1, NODE: 1}
    assert all("山洪预警" in t and "解除" in t for t in (d.routes[0].text for _, d in ends))
    assert {e.state for e in v.of(RESIDENT)} & NOT_REACHED <= {"superseded"}


def test_the_end_of_one_says_what_goes_on() -> None:
    v = Place()
    v.feed(seen(1, *of(MOVE)), seen(1, YELLOW, hazard=DEBRIS))
    v.go(at(1))
    v.feed(seen(2))
    for minute in range(3, 40):
        v.feed(mark(minute), mark(minute, group=OTHER))
        v.tick(at(minute))
        v.go(at(minute))
    _, text = v.said_to(RESIDENT)
    assert "泥石流黄色预警；转移指令解除；山洪预警解除" in text
    assert "不得返回" in text
    loud = [d for _, d in v.got if d.recipient == NODE][-1]
    assert command_for(loud, loud.routes[0], "k", "exercise", at(40)).msg_type == "update"


def test_cap_has_one_message_a_warning() -> None:
    v = Place()
    v.feed(seen(1, YELLOW), seen(1, YELLOW, hazard=DEBRIS))
    v.send(at(1))
    caps = [e.delivery for e in v.of("cap-feed")]
    assert len(v.said["cap-feed"]) == 2
    assert not any(d.beside for d in caps)


def test_what_fails_joins_the_newer_one_and_what_it_leaves_goes_by_itself() -> None:
    v = Place()
    v.feed(seen(1, YELLOW))
    (first,) = [a for a in v.attempts(at(1)) if a.delivery.recipient == RESIDENT]
    v.feed(seen(1.1, *of(PREPARE), hazard=DEBRIS))  # while the first is under way
    fields: dict[str, Any] = {"delivery": first.delivery.id, "route": 0, "attempt": 1}
    v.put(Receipt(**fields, state="failed", receipt_at=at(2)))
    assert [a.delivery.hazard for a in v.attempts(at(3)) if a.delivery.recipient == RESIDENT] == [
        DEBRIS
    ]
    ways = len(first.delivery.routes)
    for n in range(ways + 3):
        v.go(at(3 + n), lost=True, only=RESIDENT)
        v.tick(at(3 + n))
    alone = [e for e in v.of(RESIDENT) if e.delivery.hazard == FLOOD]
    assert [e.into for e in alone] == [""]
    told = [
        d.alert for d in (e.delivery for e in v.box.entries.values()) if RESIDENT in d.recipient
    ]
    assert len(set(told)) == 2  # the duty room is told of each


def test_a_carrier_that_takes_its_word_back_takes_it_back_for_both() -> None:
    v = Place()
    v.feed(seen(1, YELLOW), seen(1, YELLOW, hazard=DEBRIS))
    (one,) = v.go(at(1), only=RESIDENT)
    assert {e.state for e in v.of(RESIDENT)} == {"accepted"}
    fields: dict[str, Any] = {"delivery": one.delivery.id, "route": 0, "attempt": 1}
    v.put(Receipt(**fields, state="failed", permanent=True, receipt_at=at(2)))
    assert all(not e.done for e in v.of(RESIDENT))
    v.go(at(2), only=RESIDENT)
    assert {e.state for e in v.of(RESIDENT)} == {"accepted"}


def test_memory_of_before_tells_each_by_itself() -> None:
    """A snapshot that knows no words of the other warning: told twice rather than not at all."""
    v = Place()
    v.feed(seen(1, YELLOW))
    v.go(at(1))
    for told in v.state.alerts.values():
        told.said = None
    v.feed(seen(10, *of(PREPARE), hazard=DEBRIS))
    v.tick(at(11))
    v.go(at(11))
    assert re.search("泥石流橙色预警[；。](转移)?指令：准备转移", v.said_to(RESIDENT)[-1])


@pytest.mark.parametrize("again", [Grade(BLUE), PREPARE])
@pytest.mark.parametrize("lost", [False, True])
def test_an_end_that_has_not_gone_out_is_not_said_once_the_hazard_is_back(
    again: Grade, lost: bool
) -> None:
    """Heard after the new warning it would call that off."""
    v = Place()
    v.feed(seen(1, BLUE))
    v.go(at(1))
    v.feed(seen(1))
    for minute in (34, 35):
        v.feed(seen(minute), mark(minute), mark(minute, group=OTHER))
        v.tick(at(minute))
    if lost:
        v.go(at(35), lost=True)
    v.feed(seen(35, *of(again)))
    for minute in range(36, 60):
        v.tick(at(minute))
        v.go(at(minute))
    assert not [d for _, d in v.got if d.msg_type == "cancel"]
    assert v.got[-1][1].alert != v.got[0][1].alert
    ends = [e for e in v.of(RESIDENT) if e.delivery.msg_type == "cancel"]
    assert [e.state for e in ends] == ["superseded"]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_warning_long_after_an_end_that_is_forgotten_goes_out(restarted: bool) -> None:
    v = Place()
    v.feed(seen(1, BLUE))
    v.go(at(1))
    v.feed(seen(1))
    later = 3 * 1440
    for minute in (34, 35, 36, later):
        v.feed(mark(minute), mark(minute, group=OTHER))
        v.tick(at(minute))
        v.go(at(minute))
    assert not v.of(RESIDENT)  # nobody asks for them any more
    if restarted:
        v.restart()
    v.feed(seen(later + 1, *of(PREPARE)))
    v.go(at(later + 1))
    for who in (NODE, RESIDENT):
        assert "准备转移" in v.said_to(who)[-1]


GRADES = [
    Grade(), Grade(BLUE), Grade(YELLOW), PREPARE, MOVE, Grade(RED, Action.PREPARE),
    Grade(Level.NONE, Action.MOVE),
]  # fmt: skip
STORY = st.lists(
    st.tuples(
        st.sampled_from(HAZARDS),
        st.sampled_from(GRADES),
        st.sampled_from([0, 5, 20, 61, 600, 2000, 9000]),  # seconds to the next
        st.sampled_from(["sent", "sent", "lost", "waits", "restart"]),
    ),
    min_size=2,
    max_size=9,
)


@examples(120)
@given(STORY)
def test_whatever_comes_each_hears_the_highest_in_force_and_one_message_an_instant(
    story: list[tuple[str, Grade, int, str]],
) -> None:
    v, now, well = Place(), T0 + MIN, True
    for hazard, grade, later, fate in story:
        minute = (now - T0) / MIN
        v.feed(seen(minute, *of(grade), hazard=hazard), mark(minute), mark(minute, group=OTHER))
        v.tick(now)
        if fate == "restart":
            v.restart()
        if fate != "waits":
            _check_one_each(v.go(now, lost=fate == "lost"), v)
        well = fate in ("sent", "restart")
        if well:
            _check_orders(v)
        if (
            later > 61 and fate != "waits"
        ):  # a line's clock never stands for longer than what waits here
            v.tick(now + 61_000)
            _check_one_each(v.go(now + 61_000), v)
        now += later * 1000
    minute = (now - T0) / MIN
    v.feed(mark(minute), mark(minute, group=OTHER))
    v.tick(now)
    _check_one_each(v.go(now), v)
    for n in range(4):  # what waited or failed, until nothing is due
        v.tick(now + 61_000 * (n + 1))
        _check_one_each(v.go(now + 61_000 * (n + 1)), v)
    for who in (NODE, RESIDENT):
        newest: dict[str, Any] = {}
        for e in v.of(who):
            newest[e.delivery.alert] = e
        for e in newest.values():
            assert e.done, e
    _check_orders(v)


def _check_one_each(found: list[Attempt], v: Place) -> None:
    """Never two for one instant by one channel, and none below what is in force. Two ends may come at
    once where the way out was shut when the first was due: the second was not known to its words. What
    waited in a message that came to nothing goes out by itself: rather that than nothing."""
    found = [a for a in found if a.delivery.recipient not in v.given_up]
    ways = Counter(
        (a.delivery.recipient, a.delivery.routes[a.route].channel, a.delivery.msg_type == "cancel")
        for a in found
    )
    ends = {w: n for w, n in ways.items() if w[-1]}
    assert all(n <= len(HAZARDS) for n in ends.values()), ways
    ways -= Counter(ends)
    assert all(n == 1 for n in ways.values()), ways
    force = _in_force(v)
    for a in found:
        d = a.delivery
        assert max(d.action, d.most_action) >= force.action, d.routes[0].text
        if force.action and d.routes[0].channel == "sms" and d.lang == "zh":
            assert order_zh(d.hazard, force.action) in d.routes[a.route].text


def _in_force(v: Place) -> Grade:
    found, newest = Grade(), dict[str, Alert]()
    for a in v.line.alerts:
        newest[a.id] = a
    for a in newest.values():
        found |= Grade(a.level, a.action)
    return found


def _check_orders(v: Place) -> None:
    """Whoever could be reached has heard the highest order in force."""
    force = _in_force(v)
    for who in (NODE, RESIDENT):
        heard = [e for e in v.of(who) if e.done and e.state not in NOT_REACHED]
        lost = any(e.state == "failed" for e in v.of(who))
        if lost or not force.action:
            continue
        most = max((max(e.delivery.action, e.delivery.most_action) for e in heard), default=0)
        assert most >= force.action


@pytest.mark.parametrize("many", [2, 3])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_text_fits_and_names_all_and_the_highest_order_once(many: int, lang: Any) -> None:
    district = yanqing()
    area = max(
        district.areas.values(), key=lambda a: len(a.township + a.name + a.shelter + a.route)
    )
    grades = (Grade(YELLOW), PREPARE, MOVE)
    # an English SMS of three hazards has room for those of the mountains
    hazards = sorted(MOUNTAIN) if (many, lang) == (3, "en") else list(HAZARD_ZH)
    for those in combinations(hazards, many):
        for grade in grades:
            all_ = [
                msgspec.structs.replace(sample(area.id, h, g, status="actual"), id=h)
                for h, g in zip(those, (Grade(YELLOW), grade, Grade(BLUE)), strict=False)
            ]
            for was in (None, MOVE):
                m = Message(all_[0], "public", lang, was, beside=tuple(all_[1:]))
                names = [(HAZARD_ZH if lang == "zh" else HAZARD_EN)[h] for h in those]
                sms = write(district, m, "sms").text
                app = write(district, m, "app")
                loud = write(district, m._replace(lang="zh"), "broadcast").text
                assert segments(sms) <= SMS_SEGMENTS[lang], sms
                assert seconds(loud) <= SPOKEN_S + 2, loud
                for text in (sms, app.text, app.title):
                    assert all(n.lower() in text.lower() for n in names), text
                if lang == "zh":
                    order = order_zh(those[1], grade.action) if grade.action else ""
                    assert f"指令：{order}" in sms or not order or was == MOVE
                    assert LEVEL_ZH[grade.level] in sms
