"""What came of every warning and of every silence: each has one outcome, nothing unknown is counted
as known."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Detection
from dispatch.records import Alert, Outcome
from skill.report.ledger_json import as_json
from skill.report.outcomes import (
    PERSON,
    WINDOW_MS,
    Ledger,
    Told,
    WarnedPeriod,
    by_rule,
    ledger,
    scores,
    told,
    warnings,
)
from tests.support.decide_district import T0, yanqing
from tests.support.examples import examples

MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
D0 = T0 // DAY * DAY
AREA, HAZARD = "A04", "flash_flood"
PLACE = (AREA, HAZARD)
LEAD = 10 * MIN


def alert(
    n: int, version: int, at: int, level: Level = Level.ORANGE, action: Action = Action.NONE,
    *, end: bool = False, public: bool = True, detections: tuple[str, ...] = (), said: int = 0,
) -> Alert:  # fmt: skip
    return Alert(
        id=f"w{n}", version=version, area=AREA, hazard=HAZARD, status="exercise",
        msg_type="cancel" if end else "update", level=level, action=action,
        proposed_level=Level(said) if said else level, proposed_action=action, public=public,
        state="cancelled" if end else "released", incident="i", sent_at=at, onset_at=at,
        expires_at=at + 6 * HOUR, reason="r", detections=detections,
    )  # fmt: skip


def warned(at: int, end: int = 0, name: str = "w") -> WarnedPeriod:
    return WarnedPeriod(
        AREA, HAZARD, at, end or at + HOUR, Level.ORANGE, Action.NONE, (("r", "v"),), True, name
    )  # fmt: skip


def said(happened: bool, start: int, end: int = 0, at: int = 0, by: str = "P-1") -> Outcome:
    return Outcome(
        area=AREA, hazard=HAZARD, happened=happened, start_at=start, end_at=end or start,
        told_at=at or start, by=by,
    )  # fmt: skip


def outcomes(found: Ledger) -> list[str]:
    return [r.outcome for r in found.warnings]


def judged(*outcomes_: Outcome, warn: int, lead: int = LEAD) -> Ledger:
    return ledger([warned(warn)], told(yanqing(), outcomes_, {}), lead)


def test_a_flood_after_a_warning_is_a_hit_with_its_lead() -> None:
    found = judged(said(True, D0 + 40 * MIN), warn=D0)
    assert outcomes(found) == ["hit"]
    assert found.warnings[0].lead_min == 40
    assert [e.outcome for e in found.events] == ["hit"]
    assert scores(found)["*"].counts[:3] == (1, 0, 0)


def test_a_warning_without_its_least_lead_is_late_and_the_flood_is_missed() -> None:
    found = judged(said(True, D0 + 5 * MIN), warn=D0)
    assert outcomes(found) == ["late"]
    score = scores(found)["*"]
    assert (score.counts[:3], score.late) == ((0, 1, 0), 1)


def test_two_late_warnings_miss_one_flood_once() -> None:
    truth = told(yanqing(), [said(True, D0, D0 + 5 * HOUR)], {})
    found = ledger([warned(D0 + MIN), warned(D0 + 3 * HOUR)], truth, LEAD)
    assert outcomes(found) == ["late", "late"]
    assert scores(found)["*"].counts[:3] == (0, 1, 0)


def test_the_lead_is_to_the_flood_that_was_hit_not_to_the_one_before() -> None:
    truth = told(yanqing(), [said(True, D0 - 3 * HOUR), said(True, D0 + 4 * HOUR)], {})
    assert len(truth[PLACE].events) == 2
    found = ledger([warned(D0)], truth, LEAD)
    assert found.warnings[0].lead_min == 240
    assert Counter(e.outcome for e in found.events) == {"hit": 1, "miss": 1}


def test_what_nobody_tells_of_is_open() -> None:
    found = judged(warn=D0)
    assert outcomes(found) == ["open"]
    score = scores(found)["*"]
    assert (score.counts[:3], score.open, score.counts.quiet) == ((0, 0, 0), 1, 0)
    assert score.counts.far is None


@pytest.mark.parametrize(
    ("hours", "outcome"), [((0, 6), "false"), ((0, 3), "open"), ((2, 8), "open"), ((1, 5), "false")]
)
def test_only_who_can_tell_of_the_whole_window_makes_it_false(
    hours: tuple[int, int], outcome: str
) -> None:
    begin, end = (D0 + h * HOUR for h in hours)
    assert outcomes(judged(said(False, begin, end), warn=D0)) == [outcome]


def test_the_last_word_on_a_time_counts() -> None:
    first, second = said(True, D0 + HOUR, at=D0 + 2 * HOUR), said(False, D0 + HOUR, D0 + 9 * HOUR)
    second = Outcome(
        **{f: getattr(second, f) for f in second.__struct_fields__} | {"told_at": D0 + 9 * HOUR}
    )
    for order in ([first, second], [second, first]):
        assert not told(yanqing(), order, {})[PLACE].events


def test_a_gauge_tells_of_floods_and_of_their_absence() -> None:
    quiet = {"S01": [(D0 + n * 5 * MIN, 0.4) for n in range(288)]}
    found = ledger([warned(D0 + 2 * HOUR)], told(yanqing(), [], quiet), LEAD)
    assert [r.outcome for r in found.warnings if r.warned.area == AREA] == ["false"]
    flood = {"S01": [(at, 2.5 if at >= D0 + 4 * HOUR else v) for at, v in quiet["S01"]]}
    found = ledger([warned(D0 + 2 * HOUR)], told(yanqing(), [], flood), LEAD)
    assert outcomes(found) == ["hit"]
    assert "S01 ≥ 2.4" in found.warnings[0].because


def test_a_gauge_that_fell_silent_cannot_tell() -> None:
    gap = {"S01": [(D0 + n * 5 * MIN, 0.4) for n in range(288) if not 30 < n < 60]}
    truth = told(yanqing(), [], gap)
    assert outcomes(ledger([warned(D0 + 2 * HOUR)], truth, LEAD)) == ["open"]
    assert ledger([], truth, LEAD).quiet[PLACE] == 0


def test_a_right_silence_needs_somebody_who_could_tell_all_day() -> None:
    whole = {"S01": [(D0 + n * 5 * MIN, 0.4) for n in range(3 * 288)]}
    assert ledger([], told(yanqing(), [], whole), LEAD).quiet[PLACE] == 3
    part = told(yanqing(), [said(False, D0 + 2 * HOUR, D0 + DAY + 2 * HOUR)], {})
    assert ledger([], part, LEAD).quiet[PLACE] == 0
    day = told(yanqing(), [said(False, D0, D0 + DAY)], {})
    assert ledger([], day, LEAD).quiet[PLACE] == 1
    assert ledger([warned(D0 + HOUR)], day, LEAD).quiet[PLACE] == 0


def test_what_was_never_warned_of_and_never_known_counts_nothing() -> None:
    assert scores(ledger([], {}, LEAD))["*"].counts == (0, 0, 0, 0)


# --- warnings from the line's records


def detection(name: str, rule: str, version: str) -> Detection:
    return Detection(
        id=name, area=AREA, hazard=HAZARD, rule=rule, level=Level.ORANGE, action=Action.NONE,
        detected_at=D0, since_at=D0, rules=version,
    )  # fmt: skip


def test_a_warning_lasts_from_the_first_version_to_the_last_that_reach_the_step() -> None:
    versions = [
        alert(1, 1, D0, Level.BLUE), alert(1, 2, D0 + HOUR, Level.RED, Action.MOVE),
        alert(1, 3, D0 + 2 * HOUR, Level.YELLOW), alert(1, 4, D0 + 3 * HOUR, end=True),
    ]  # fmt: skip
    for records in (versions, [*reversed(versions), *versions]):  # twice is once
        (one,) = warnings(records, D0 + DAY)
        assert (one.start_at, one.end_at) == (D0, D0 + 3 * HOUR)
        assert (one.level, one.action) == (Level.RED, Action.MOVE)
        (one,) = warnings(records, D0 + DAY, Level.ORANGE, Action.NONE)
        assert (one.start_at, one.end_at) == (D0 + HOUR, D0 + 2 * HOUR)
    assert warnings(versions[:1], D0 + DAY, Level.NONE, Action.PREPARE) == []


def test_an_open_warning_lasts_until_now_or_its_end() -> None:
    (one,) = warnings([alert(1, 1, D0)], D0 + HOUR)
    assert one.end_at == D0 + HOUR
    (one,) = warnings([alert(1, 1, D0)], D0 + DAY)
    assert one.end_at == D0 + 6 * HOUR


def test_an_internal_notice_and_a_persons_order_are_warnings_too() -> None:
    notice = alert(1, 1, D0, Level.NONE, public=False, said=3)
    (one,) = warnings([notice], D0 + DAY)
    assert (one.level, one.public, one.rules) == (Level.ORANGE, False, ((PERSON, ""),))


def test_rules_are_scored_by_their_version() -> None:
    records = [
        detection("a", "rain", "v1"), detection("b", "rain", "v2"), detection("c", "stage", "v2"),
        alert(1, 1, D0, detections=("a",)), alert(1, 2, D0 + HOUR, end=True),
        alert(2, 1, D0 + 2 * DAY, detections=("b", "c")), alert(2, 2, D0 + 2 * DAY + HOUR, end=True),
    ]  # fmt: skip
    truth = told(yanqing(), [said(True, D0 + HOUR), said(False, D0 + 2 * DAY, D0 + 3 * DAY)], {})
    found = by_rule(ledger(warnings(records, D0 + 9 * DAY), truth, LEAD))
    assert found["rain", "v1"] == {"hit": 1, "late": 0, "false": 0, "open": 0}
    assert found["rain", "v2"]["false"] == found["stage", "v2"]["false"] == 1


# --- properties

HOURS = st.integers(0, 96)
SPANS = st.lists(st.tuples(HOURS, st.integers(0, 12)), max_size=6)


def worlds(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that do not touch: one warning at a time is open."""
    out: list[tuple[int, int]] = []
    for begin, length in sorted(spans):
        if not out or begin > out[-1][1]:
            out.append((begin, begin + length))
    return out


@examples(300)
@given(SPANS, SPANS, SPANS, st.integers(0, 60))
def test_every_warning_and_every_event_has_one_outcome(
    warn: list[tuple[int, int]],
    floods: list[tuple[int, int]],
    nothing: list[tuple[int, int]],
    lead_min: int,
) -> None:
    mine = [
        warned(D0 + b * HOUR, D0 + e * HOUR, str(n)) for n, (b, e) in enumerate(worlds(warn))
    ]  # fmt: skip
    known = Told(
        [(D0 + b * HOUR, D0 + (b + n) * HOUR, "x") for b, n in floods],
        [(D0 + b * HOUR, D0 + (b + n) * HOUR) for b, n in nothing],
    )
    lead = lead_min * MIN
    found = ledger(mine, {PLACE: known}, lead)
    # one outcome each, and none invented
    assert Counter(r.warned for r in found.warnings) == Counter(mine)
    starts = [e.start_at for e in found.events]
    assert len(starts) == len(set(starts))
    assert {b for b, _, _ in known.events} >= set(starts)
    # the sums
    every = scores(found)["*"]
    many = Counter(outcomes(found))
    assert every.warnings == len(mine) == many.total()
    assert every.counts.hits + every.counts.misses == len(found.events)
    assert (every.counts.false_alarms, every.open) == (many["false"], many["open"])
    told_ = as_json(found)
    assert sum(a["hits"] + a["misses"] for a in told_["areas"].values()) == len(found.events)
    # each warning against the definition
    events = [(e.start_at, e.end_at) for e in found.events]
    can_tell = [*known.known, *((b - WINDOW_MS, e) for b, e in events)]
    for row in found.warnings:
        at = row.warned.start_at
        hit = any(at + lead <= b <= at + WINDOW_MS for b, _ in events)
        assert (row.outcome == "hit") == hit
        if row.outcome == "late":
            assert any(b < at + lead and at <= e for b, e in events)
        if row.outcome == "false":
            for step in range(at + HOUR, at + WINDOW_MS - HOUR, 15 * MIN):
                assert any(b <= step <= e for b, e in can_tell)
    # an event is hit exactly if a warning hit it
    for event in found.events:
        in_time = any(
            event.start_at - WINDOW_MS <= w.start_at <= event.start_at - lead for w in mine
        )
        assert (event.outcome == "hit") == in_time
    # a right silence is a day that is known from end to end, without a warning and an event
    busy = [*events, *((w.start_at, w.end_at) for w in mine)]
    quiet = 0
    for day in range(D0 - DAY, D0 + 6 * DAY, DAY):
        steps = range(day + HOUR, day + DAY - HOUR + 1, 15 * MIN)
        knowable = all(any(b <= step <= e for b, e in can_tell) for step in steps)
        quiet += knowable and not any(b < day + DAY and e >= day for b, e in busy)
    assert found.quiet.get(PLACE, 0) == quiet


@examples(150)
@given(SPANS, SPANS)
def test_knowing_nothing_is_counted_as_nothing(
    warn: list[tuple[int, int]], nothing: list[tuple[int, int]]
) -> None:
    mine = [warned(D0 + b * HOUR, D0 + e * HOUR, str(n)) for n, (b, e) in enumerate(worlds(warn))]
    blank = ledger(mine, {}, LEAD)
    assert set(outcomes(blank)) <= {"open"}
    assert all(n == 0 for n in blank.quiet.values())
    # knowing more settles more, and never the other way
    spans = [(D0 + b * HOUR, D0 + (b + n) * HOUR) for b, n in nothing]
    for many in range(len(spans) + 1):
        more = outcomes(ledger(mine, {PLACE: Told([], spans[:many])}, LEAD))
        assert set(more) <= {"open", "false"}
        less = outcomes(ledger(mine, {PLACE: Told([], spans[: max(0, many - 1)])}, LEAD))
        assert all(b == "false" for a, b in zip(less, more, strict=True) if a == "false")
