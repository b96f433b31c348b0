"""One person, one message at night: what raises nothing waits for what comes with it, nothing that is worse,
no order, no end waits, and nothing is dropped."""

from collections import defaultdict
from itertools import product

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from dispatch.address.night import NightOf, Told, adds, rises, wait_until
from dispatch.address.stage import Address
from dispatch.grade import Grade
from dispatch.records import Delivery, Receipt
from dispatch.send.outbox.apply import apply
from dispatch.send.outbox.state import Box, Rules, is_ready
from stream.records import Record, Run, Tick
from stream.stages.stage import Item
from tests.support.decide_district import MIN, OTHER, T0, Line, easy, mark, seen, small, yanqing
from tests.support.examples import examples

BLUE, YELLOW, ORANGE, RED = Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED
PREPARE, MOVE = Action.PREPARE, Action.MOVE
LATE = 240  # minutes after T0 (20:00): midnight
HEAD, RESIDENT = "C-0001", next(
    c.id for c in yanqing().contacts.values() if c.role == "residents" and "A01" in c.areas
)


class Village:
    """decide, address and the outbox of one village, with a carrier that takes everything at once. told:
    recipient -> (minute, delivery, the worst that its words tell) of what was really sent."""

    def __init__(self, gather_s: int, most: dict[str, int] | None = None) -> None:
        policy = msgspec.structs.replace(
            easy(yanqing().policy), night_gather_s=gather_s, night_messages=most or {}
        )
        self.district = small(policy)
        self.line, self.stage = Line(self.district, kind="exercise"), Address(self.district)
        self.state, self.done, self.box = self.stage.new(0), 0, Box()
        names = {a.id: a.name for a in self.district.areas.values()}
        self.rules = Rules(
            live=False, retry_s=(60,), played_within_s=600, answer_within_s=3600, areas=names, gather_ms=60_000
        )
        self.told: dict[str, list[tuple[float, Delivery, Grade]]] = defaultdict(list)

    def feed(self, minute: float, *records: Record) -> None:
        self.line.feed(*records)
        new = self.line.writes[self.done :]
        self.done += len(new)
        items = [Item(0, n, w.key, w.record) for n, w in enumerate(new)]
        self.state, writes = self.stage.step(self.state, items)
        for w in writes:
            if isinstance(w.record, Delivery | Run):
                apply(self.rules, self.box, w.record)
        at = T0 + round(minute * MIN)
        apply(self.rules, self.box, Tick(clock_at=at))
        for e in list(self.box.entries.values()):
            if is_ready(e, at):
                d = e.delivery
                those = [d, *(self.box.entries[c].delivery for c in d.covers)]
                worst = Grade(d.most_level, d.most_action)
                for x in those:
                    worst |= Grade(x.level, x.action)
                self.told[d.recipient].append((minute, d, worst))
                state = "answered" if d.must_answer else "delivered"
                if d.routes[0].channel == "broadcast":
                    state = "played"
                apply(
                    self.rules, self.box,
                    Receipt(delivery=d.id, route=0, state=state, receipt_at=at),  # type: ignore[arg-type]
                )  # fmt: skip

    def until(self, start: int, end: int, step: int = 1) -> None:
        for minute in range(start, end + 1, step):
            self.feed(minute, mark(minute), mark(minute, group=OTHER))

    def heard(self, who: str) -> list[tuple[float, Grade]]:
        return [(m, g) for m, d, g in self.told[who] if d.hazard and d.msg_type != "cancel"]


# what one village's head had in the played night drill: 12 messages within half an hour
STORM = (
    (0, "debris_flow", BLUE, Action.NONE), (2, "flash_flood", BLUE, Action.NONE),
    (5, "debris_flow", BLUE, PREPARE), (6, "debris_flow", YELLOW, PREPARE),
    (6, "flash_flood", YELLOW, Action.NONE), (10, "debris_flow", ORANGE, PREPARE),
    (10, "flash_flood", YELLOW, PREPARE), (12, "flash_flood", ORANGE, PREPARE),
    (15, "debris_flow", ORANGE, MOVE), (22, "debris_flow", RED, MOVE),
    (26, "flash_flood", RED, PREPARE), (31, "flash_flood", RED, MOVE),
)  # fmt: skip


def storm(v: Village, steps: tuple[tuple[int, str, Level, Action], ...] = STORM) -> Village:
    last = 0
    for minute, hazard, level, action in steps:
        v.until(LATE + last, LATE + minute - 1)
        last = minute
        v.feed(LATE + minute, seen(LATE + minute, level, action, hazard=hazard), mark(LATE + minute))
    v.until(LATE + last, LATE + last + 40)
    return v


def test_a_night_of_two_hazards_is_at_most_six_messages_and_nobody_knows_less_sooner() -> None:
    before, now = storm(Village(0)), storm(Village(900))
    for who in (HEAD, RESIDENT):
        old, new = before.heard(who), now.heard(who)
        assert len(old) >= 10
        assert len(new) <= 6, new
        sooner(old, new)
        last = [d for _, d, _ in now.told[who]][-1]
        assert (last.level, last.action) == (RED, MOVE)
    node = next(n.id for n in now.district.nodes.values() if n.area == "A01")
    assert len(now.heard(node)) == len(before.heard(node)), "loudspeakers wait for nothing"


def sooner(old: list[tuple[float, Grade]], new: list[tuple[float, Grade]]) -> None:
    """Whenever they had been told of something so bad before, they have been now."""
    for minute, _ in old:
        was = max(g.rank[0] for m, g in old if m <= minute)
        here = max((g.rank[0] for m, g in new if m <= minute), default=-1)
        assert here >= was, (minute, old, new)


STEP = st.tuples(
    st.integers(1, 25), st.sampled_from(["debris_flow", "flash_flood"]),
    st.sampled_from(list(Level)), st.sampled_from(list(Action)),
)  # fmt: skip


@examples(25)
@given(st.lists(STEP, min_size=1, max_size=8))
def test_whatever_comes_nobody_is_told_later_and_nothing_is_lost(
    steps: list[tuple[int, str, Level, Action]],
) -> None:
    """At any minute the worst that a person was told of the place is as bad as without the night's rule;
    every hazard's first word, every rise, order and end is told, by itself or by a newer one."""
    minute, course = 0, []
    for wait, hazard, level, action in steps:
        minute += wait
        course.append((minute, hazard, level, action))
    most = {"blue": 1, "yellow": 1, "orange": 1, "red": 1}
    before, now = Village(0), Village(900, most)
    for v in (before, now):
        storm(v, tuple(course))
        v.until(LATE + minute + 41, 660, 10)  # past the morning
    for who in (HEAD, RESIDENT):
        old, new = before.heard(who), now.heard(who)
        if old:
            sooner(old, new)
        assert len(new) <= len(old)
        final = {d.hazard: (d.version, d.msg_type) for _, d, _ in before.told[who] if not d.covers}
        covered = [d for _, d, _ in now.told[who]]
        for d in list(covered):
            covered += [now.box.entries[c].delivery for c in d.covers]
            for place in d.beside:
                alert, _, version = place.rpartition("/")
                covered += [
                    e.delivery for e in now.box.entries.values()
                    if e.delivery.recipient == who and e.delivery.alert == alert
                    and e.delivery.version == int(version)
                ]  # fmt: skip
        for hazard, (version, kind) in final.items():
            mine = [d.version for d in covered if d.hazard == hazard]
            never = not any(h == hazard for h in (d.hazard for d in covered))
            assert (mine and max(mine) >= version) or (kind == "cancel" and never), (who, hazard)


def test_nothing_waits_by_day_and_a_fall_waits_for_the_morning_only_over_the_number() -> None:
    policy = msgspec.structs.replace(
        yanqing().policy, night_gather_s=900, night_messages={"red": 2, "orange": 2}
    )
    zone, nights, place = yanqing().timezone, dict[str, NightOf](), ("C-1", "A01")
    known = Told(Grade(RED, MOVE), Grade(RED, MOVE))
    day, never = T0 - 60 * MIN, T0 + 6_000 * MIN
    assert wait_until(policy, zone, nights, place, day, Grade(ORANGE), known, never) == 0
    at = T0 + LATE * MIN
    assert wait_until(policy, zone, nights, place, at, Grade(BLUE), Told(None, None), never) == 0
    blue = Told(Grade(BLUE), Grade(BLUE))
    assert wait_until(policy, zone, nights, place, at, Grade(RED, MOVE), blue, never) == 0
    morning = T0 + 600 * MIN
    fall = Grade(ORANGE, Action.NONE)
    assert wait_until(policy, zone, nights, place, at + MIN, fall, known, never) == morning
    # but never past the end of what they know
    soon = Told(Grade(RED, MOVE), Grade(RED, MOVE), at + 60 * MIN)
    other = ("C-2", "A01")
    nights["C-2"] = NightOf(until=morning, made=9)
    assert wait_until(policy, zone, nights, other, at, fall, soon, never) == at + 59 * MIN
    # nor past its own
    third = ("C-3", "A01")
    nights["C-3"] = NightOf(until=morning, made=9)
    assert wait_until(policy, zone, nights, third, at, fall, known, at + 30 * MIN) == at + 29 * MIN


def test_a_colour_that_the_place_has_already_adds_nothing_and_every_new_order_does() -> None:
    standing = Told(Grade(YELLOW, MOVE), Grade(RED, MOVE))
    assert not adds(Grade(ORANGE, MOVE), standing)
    assert not adds(Grade(RED, MOVE), standing)
    assert adds(Grade(ORANGE, MOVE), Told(Grade(YELLOW, PREPARE), Grade(RED, MOVE))), "an order"
    assert adds(Grade(ORANGE), Told(Grade(YELLOW), Grade(YELLOW)))
    assert adds(Grade(BLUE), Told(None, None))


def test_what_rises_is_every_worse_word_every_first_order_and_every_first_red() -> None:
    grades = [Grade(lv, a) for lv, a in product(Level, Action)]
    for now, place in product(grades, grades):
        told = Told(place, place)
        if now.rank[0] > place.rank[0] or (now.action == MOVE and place.action < MOVE):
            assert rises(now, told)
        assert rises(now, Told(None, None))
        assert not rises(place, told)
