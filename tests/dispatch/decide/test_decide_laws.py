"""Laws that decide keeps for any order of evidence, people, marks and ticks."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from detectors.detection import Detection, Mark
from dispatch.ledger.decisions import broken
from dispatch.records import ACTS, Alert, Decision
from stream.records import Record, Tick
from tests.support.decide_district import (
    GROUP,
    OTHER,
    Line,
    act,
    mark,
    run,
    seen,
    silence,
    small,
    tick,
)
from tests.support.examples import examples

RULES = ("rain_threshold", "stage_trend", "camera_motion")
LAW = examples(150)

area = st.sampled_from(["A01", "A06"])
level = st.sampled_from(Level)
action = st.sampled_from(Action)
detections = st.builds(
    lambda ar, lv, ac, rule, doubt, back: (
        "seen",
        {"area": ar, "rule": rule, "suspect": doubt and bool(lv)},
        lv,
        ac,
        back,
    ),
    area,
    level,
    action,
    st.sampled_from(RULES),
    st.sampled_from([False, False, True]),
    st.integers(0, 5),
)
people = st.builds(
    lambda ar, what, lv, ac: ("act", {"area": ar, "what": what}, lv, ac, 0),
    area,
    st.sampled_from(ACTS),
    level,
    action,
)
clocks = st.builds(
    lambda kind, ar, lag: (kind, {"area": ar}, Level.NONE, Action.NONE, lag),
    st.sampled_from(["mark", "mark", "tick"]),
    area,
    st.integers(0, 20),
)
quiet = st.builds(
    lambda ar, thin: ("silence", {"area": ar, "thin": thin}, Level.NONE, Action.NONE, 0),
    area,
    st.booleans(),
)


@st.composite
def stories(draw: st.DrawFn, *, persons: bool = True) -> list[Record]:
    """Records in order of arrival; time goes on between them by up to two hours."""
    kinds = [detections, detections, clocks, clocks, quiet]
    if persons:
        kinds.append(people)
    steps = draw(
        st.lists(st.tuples(st.one_of(kinds), st.sampled_from([0, 1, 7, 31, 120])), max_size=40)
    )
    now, complete, found = 0, {GROUP: 0, OTHER: 0}, []
    for n, ((kind, more, lv, ac, back), passed) in enumerate(steps):
        now += passed
        group = GROUP if more["area"] == "A01" else OTHER
        if kind == "seen":
            at = max(now - back, complete[group])  # nothing comes before what is complete
            found.append(
                seen(
                    at,
                    lv,
                    ac,
                    area=more["area"],
                    rule=more["rule"],
                    suspect=more["suspect"],
                    tag=str(n),
                )
            )
        elif kind == "act":
            found.append(act(more["what"], lv, ac, area=more["area"]))
        elif kind == "silence":
            found.append(silence(now, more["thin"], more["area"]))
        elif kind == "tick":
            found.append(tick(now))
        else:
            complete[group] = max(complete[group], now - back)
            found.append(mark(now, complete[group], group))
    return found


def versions(alerts: Sequence[Alert]) -> dict[str, list[Alert]]:
    table: dict[str, list[Alert]] = {}
    for a in alerts:
        table.setdefault(a.id, []).append(a)
    return table


@LAW
@given(stories(), st.sampled_from(["live", "exercise"]))
def test_versions_count_up_and_a_cancel_is_the_last(story: list[Record], kind: str) -> None:
    line = Line(kind=kind)
    line.feed(*story)
    open_now: dict[str, str] = {}
    for a in line.alerts:
        assert open_now.get(a.area, a.id) == a.id  # one warning for one area and hazard
        open_now[a.area] = a.id
        if a.msg_type == "cancel":
            del open_now[a.area]
    for found in versions(line.alerts).values():
        made = [a for a in found if not a.again]
        assert [a.version for a in made] == list(range(1, len(made) + 1))
        for before, a in pairwise(found):  # a question that is put anew makes no version
            if a.again:
                assert (a.version, a.again) == (before.version, before.again + 1)
                assert a.msg_type == before.msg_type
                assert (a.level, a.action, a.state) == (before.level, before.action, before.state)
        assert [a.msg_type for a in found[:1]] == ["alert"]
        assert all(a.msg_type == "update" for a in made[1:-1])
        assert [a.sent_at for a in found] == sorted(a.sent_at for a in found)
        for a in found:
            assert a.msg_type == "cancel" or a.public == bool(a.level or a.action)
            assert a.status == ("actual" if kind == "live" else "exercise")
            assert (a.state in ("cancelled", "expired")) == (a.msg_type == "cancel")


@LAW
@given(stories(), st.sampled_from(["live", "exercise"]))
def test_it_falls_only_in_a_mark_or_by_a_person(story: list[Record], kind: str) -> None:
    line = Line(kind=kind)
    last: dict[str, Alert] = {}
    for record in story:
        for a in line.feed(record):
            before = last.get(a.id)
            if before is not None and (a.level, a.action) != (before.level, before.action):
                lower = a.level < before.level or a.action < before.action
                lapsed = a.state == "expired"  # a person's order whose time was over
                assert not lower or lapsed or isinstance(record, Mark | Decision), record
            if isinstance(record, Tick):
                assert a.state != "cancelled"
            last[a.id] = a


@LAW
@given(stories(persons=False))
def test_every_rise_is_out_in_its_own_step(story: list[Record]) -> None:
    """In an exercise that releases, on evidence that is not suspect."""
    line = Line(kind="exercise")
    newest: dict[str, Alert] = {}
    for record in story:
        for a in line.feed(record):
            newest[a.area] = a
        if isinstance(record, Detection) and (record.level or record.action):
            now = newest[record.area]
            assert now.msg_type != "cancel"
            assert now.proposed_level >= record.level
            assert now.action >= record.action
            if not record.suspect:
                assert now.level >= record.level


@LAW
@given(stories(persons=False))
def test_no_clear_before_hold_and_mark(story: list[Record]) -> None:
    """A cancel comes only in a Mark that is complete past the hold of what was heard last."""
    line = Line(kind="exercise")
    raised: dict[str, int] = {}  # area -> when anything was last asked for
    latest: dict[tuple[str, str], Detection] = {}
    thin: dict[str, bool] = {}
    for record in story:
        for a in line.feed(record):
            if a.msg_type == "cancel":
                assert isinstance(record, Mark)
                assert record.complete_at >= raised[a.area] + 1_800_000
                assert not thin.get(a.area, False)
        if isinstance(record, Detection):
            if record.rule == "silence":
                thin[record.area] = record.thin
                continue
            latest[record.area, record.rule] = record
            active = [
                d for (ar, _), d in latest.items() if ar == record.area and (d.level or d.action)
            ]
            if active or record.area not in raised:
                raised[record.area] = record.detected_at


@LAW
@given(stories())
def test_live_nothing_above_yellow_without_a_person(story: list[Record]) -> None:
    line = Line(kind="live")
    line.feed(*story)
    entitled = {
        (d.area, d.version, d.alert)
        for d in line.decisions
        if d.by != "policy" and d.outcome == "done" and d.act in ("release", "raise", "override")
    }
    allowed: dict[str, bool] = {}
    for a in line.alerts:
        allowed[a.id] = allowed.get(a.id, False) or (a.area, a.version, a.id) in entitled
        assert a.level <= Level.YELLOW or allowed[a.id], a


@LAW
@given(stories(), st.sampled_from(["live", "exercise"]))
def test_an_open_warning_is_never_past_its_expiry(story: list[Record], kind: str) -> None:
    line = Line(kind=kind)
    newest: dict[str, Alert] = {}
    for record in story:
        for a in line.feed(record):
            newest[a.area] = a
        if isinstance(record, Tick):
            for a in newest.values():
                assert a.msg_type == "cancel" or a.expires_at > record.clock_at


@LAW
@given(stories(), st.sampled_from(["live", "exercise"]))
def test_no_version_repeats_the_last_but_to_renew_or_by_an_act(
    story: list[Record], kind: str
) -> None:
    line = Line(kind=kind)
    line.feed(*story)
    acted = {(d.alert, d.version) for d in line.decisions}
    for found in versions(line.alerts).values():
        for a, b in pairwise(found):
            same = all(
                getattr(a, f) == getattr(b, f)
                for f in (
                    "level",
                    "action",
                    "proposed_level",
                    "proposed_action",
                    "state",
                    "suspect",
                    "thin",
                    "authority",
                )
            )
            assert not same or b.renewed or (b.id, b.version) in acted


@LAW
@given(stories(), st.sampled_from(["live", "exercise"]), st.integers(1, 6), st.integers(1, 5))
def test_batches_and_snapshots_do_not_show(
    story: list[Record], kind: str, size: int, every: int
) -> None:
    whole = Line(kind=kind)
    whole.feed(*story)
    parts = Line(kind=kind)
    for n, start in enumerate(range(0, len(story), size)):
        parts.feed(*story[start : start + size])
        if n % every == 0:
            body = parts.stage.dump(parts.state)
            parts.state = parts.stage.load(0, body)
            assert parts.stage.dump(parts.state) == body
    assert whole.writes == parts.writes
    assert broken(whole.decisions) is None


@LAW
@given(stories())
def test_records_survive_the_log(story: list[Record]) -> None:
    line = Line()
    again = Line()
    line.feed(*story)
    again.feed(*(again.stage.decode(msgspec.json.encode(r)) for r in story))
    assert line.writes == again.writes


def test_the_small_district_has_two_groups() -> None:
    assert set(small().groups) == {GROUP, OTHER}
    assert run().kind == "live"
