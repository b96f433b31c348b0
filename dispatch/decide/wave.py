"""A fact that a person tells of one area (a lake that burst, a reservoir that lets out water) as a proposal
for every area that its wave comes to: the grade that is asked for or ordered where it happened, with times of
arrival counted from when it happened, not from when it was entered. Pure.

The way and its times are those of `dispatch.geography.downstream`. What is said of an area below is a
statement like any rule's, concluded (`inferred`): whoever may decide there is asked at once, and nothing
goes out by itself. It rises, falls and ends with the warning where the fact was told.
"""

from collections.abc import Iterator, Mapping

from config.language import Text
from config.records.district import District
from config.records.level import FACTS, Action, Level
from config.records.rule_kinds import UPSTREAM
from detectors.detection import Detection, Evidence, detection_id
from dispatch.decide.case import Case
from dispatch.geography.downstream import Hit, areas_below, is_told
from dispatch.grade import Grade
from dispatch.records import Decision
from dispatch.words.local_time import local

OLDEST_MS = 24 * 3_600_000  # a fact of before is no wave any more
# water that has passed a place stays high so long, as we reckon; then nobody is told to leave it any more
_STAYS_MS = 3 * 3_600_000
TELLS = ("raise", "override")


def wrong_time(told: Decision) -> Text | None:
    """Why the time of the fact cannot be: it must be none, or one of the day before it is told."""
    if not told.happened_at:
        return None
    if told.hazard not in FACTS or told.act not in TELLS:
        return Text(
            "发生时刻只用于上报堰塞湖溃决、水库泄洪（raise、override）",
            "a time of the fact is for a lake outburst or dam release alone (raise, override)",
        )
    if told.happened_at > told.decided_at:
        return Text("发生时刻在将来", "the time of the fact is in the future")
    if told.happened_at < told.decided_at - OLDEST_MS:
        return Text("发生时刻早于24小时前", "the time of the fact is more than 24 hours ago")
    return None


def happened(told: Decision, case: Case, now: int) -> int:
    """When what an act tells came about (ms); 0: it tells none. One that names no time keeps the time
    that was told before, or else is of now."""
    if told.hazard not in FACTS or told.act not in TELLS:
        return case.happened_at
    return told.happened_at or case.happened_at or now


def heard_of(detection: Detection, case: Case) -> int:
    """The same of what people on the spot report: it counts where no time was told before."""
    said = detection.level or detection.action
    return case.happened_at or (detection.happened_at or 0 if said else 0)


def below(
    district: District, cases: Mapping[str, Mapping[str, Case]], case: Case, now: int
) -> list[Detection]:
    """What is new for the areas below, nearest first, after a version of this case."""
    return list(_below(district, cases, case, now)) if case.hazard in FACTS else []


def _below(
    district: District, cases: Mapping[str, Mapping[str, Case]], case: Case, now: int
) -> Iterator[Detection]:
    rule, grade, fact = UPSTREAM + case.area, _grade(case), case.happened_at
    hits = {h.id: h for h in areas_below(district, case.area, case.hazard)} if fact else {}
    for area, hit in hits.items():
        early, late = fact + hit.earliest_min * 60_000, fact + hit.latest_min * 60_000
        if is_told(grade) and late > now - _STAYS_MS:
            new = _said(case, hit, grade, now, early, late)
            before = _before(cases, area, case.hazard, rule)
            if before is None or _what(before) != _what(new):
                yield new
        else:
            yield from _withdrawn(cases, area, case.hazard, rule, now)
    for area in sorted(cases.keys() - hits.keys()):
        yield from _withdrawn(cases, area, case.hazard, rule, now)


def in_words(district: District, case: Case, told: Decision) -> Text:
    """How many areas below an act proposes too, and from when their times are counted."""
    tells = case.happened_at and told.act in TELLS
    hits = areas_below(district, case.area, case.hazard) if tells else []
    if not hits:
        return Text("", "")
    at = local(case.happened_at, district.timezone, "%H:%M")
    return Text(
        f"；下游{len(hits)}区同时提请，到达时刻从{at}算起",
        f"; {len(hits)} areas downstream are proposed too, their times counted from {at}",
    )


def _grade(case: Case) -> Grade:
    """What is asked for or in force where it happened."""
    if case.alert is None:
        return Grade()
    return Grade(case.alert.proposed_level, case.alert.proposed_action) | case.force


def _said(case: Case, hit: Hit, grade: Grade, now: int, early: int, late: int) -> Detection:
    rule = UPSTREAM + case.area
    what = f"{grade.level}|{grade.action}|{early}|{late}"
    return Detection(
        id=detection_id(hit.id, case.hazard, rule, now, what),
        area=hit.id,
        hazard=case.hazard,
        rule=rule,
        level=Level(grade.level),
        action=Action(grade.action),
        detected_at=now,
        since_at=now,
        inferred=True,
        earliest_at=early,
        latest_at=late,
        evidence=(
            Evidence(
                station=case.area,
                quantity="upstream",
                value=float(grade.level),
                observed_at=case.happened_at,
                kind="upstream",
            ),
        ),
    )


def _before(
    cases: Mapping[str, Mapping[str, Case]], area: str, hazard: str, rule: str
) -> Detection | None:
    known = cases.get(area, {}).get(hazard)
    saying = known.said.get(rule) if known is not None else None
    return saying.detection if saying is not None else None


def _what(d: Detection) -> tuple[int, int, int | None, int | None]:
    return d.level, d.action, d.earliest_at, d.latest_at


def _withdrawn(
    cases: Mapping[str, Mapping[str, Case]], area: str, hazard: str, rule: str, now: int
) -> Iterator[Detection]:
    """The end of what was said of an area, if anything was."""
    before = _before(cases, area, hazard, rule)
    if before is not None and (before.level or before.action):
        yield Detection(
            id=detection_id(area, hazard, rule, now, "none"), area=area, hazard=hazard, rule=rule,
            level=Level.NONE, action=Action.NONE, detected_at=now, since_at=now, inferred=True,
        )  # fmt: skip
