"""The skill ledger: what came of every warning and of every silence, by area and by rule version.

What happened is known from people (`fengsui outcome`) and from stage: a gauge whose table names the
area and hazard, and that reached 立即转移 (else the highest threshold given) was an event; while it
was heard and did not, there was none. Warnings and events are matched by `skill.verify.match`,
the same rule as in a hindcast. Every warning has exactly one outcome:

- hit: an event began in its window, at least the minimum lead after it;
- late: it began when an event was under way, or less than that lead before;
- false: no event, and somebody could tell of its whole window (6 h; an hour at either end may lack);
- open: nobody can tell yet. It counts neither as a hit nor as false.

Every event is hit or missed (late warnings do not save it). A day of an area and hazard without a
warning and an event is a right silence only if somebody could tell of the whole day (UTC). Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from config.language import Said, Text, en, text_of
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from dispatch.records import Alert, Outcome
from skill.verify.match import Alarm, Event, Spans, match
from skill.verify.score import Counts

WINDOW_MS = 6 * 3_600_000
_DAY_MS = 86_400_000
_SLACK_MS = 3_600_000  # a gauge silent for longer cannot say that nothing happened
PERSON = "person"  # who ordered it, where no rule spoke

WarningOutcome = Literal["hit", "late", "false", "open"]
EventOutcome = Literal["hit", "late", "miss"]


class WarnedPeriod(NamedTuple):
    """A warning, from the first version that reached the step asked for to the last that did.
    versions: of the thresholds and rules that it rested on (`District.rules_version`)."""

    area: str
    hazard: str
    start_at: int
    end_at: int
    level: Level
    action: Action
    rules: tuple[tuple[str, str], ...]  # (rule, version of the rules)
    public: bool
    alert: str


class Told(NamedTuple):
    """What is known of an area and hazard: events (start, end, who says so), and the times of which
    somebody could tell."""

    events: list[tuple[int, int, Said]]
    known: list[tuple[int, int]]


class WarningRow(NamedTuple):
    """lead_min: to the event it hit or was late for."""

    warned: WarnedPeriod
    outcome: WarningOutcome
    lead_min: float | None
    because: Said


class OutcomeEvent(NamedTuple):
    area: str
    hazard: str
    start_at: int
    end_at: int
    outcome: EventOutcome
    lead_min: float | None
    because: Said


class Ledger(NamedTuple):
    """quiet: (area, hazard) -> right silences, in days."""

    warnings: list[WarningRow]
    events: list[OutcomeEvent]
    quiet: dict[tuple[str, str], int]


class Score(NamedTuple):
    """hits, misses, right silences: of events and days; false alarms: of warnings. late: the events
    among the misses with a late warning. open: warnings nobody can tell of yet."""

    counts: Counts
    late: int
    open: int
    warnings: int


def warnings(
    records: Iterable[object],
    until: int,
    level: Level = Level.BLUE,
    action: Action = Action.PREPARE,
) -> list[WarnedPeriod]:
    """From versions of alerts and the detections they rest on. What counts is what the evidence
    called for, or a person ordered, at `level` or `action` at least (NONE: that scale does not)."""
    versions: dict[str, dict[int, Alert]] = defaultdict(dict)
    detections: dict[str, Detection] = {}
    for record in records:
        if isinstance(record, Alert):
            versions[record.id][record.version] = record
        elif isinstance(record, Detection):
            detections[record.id] = record

    def high(a: Alert) -> bool:
        if a.msg_type == "cancel":
            return False
        up, move = max(a.proposed_level, a.level), max(a.proposed_action, a.action)
        return up >= level > Level.NONE or move >= action > Action.NONE

    out = []
    for name, found in versions.items():
        ordered = [found[n] for n in sorted(found)]
        mine = [a for a in ordered if high(a)]
        if not mine:
            continue
        after = [a.sent_at for a in ordered if a.version > mine[-1].version]
        rests = [detections[d] for a in mine for d in a.detections if d in detections]
        out.append(
            WarnedPeriod(
                mine[0].area, mine[0].hazard, mine[0].sent_at,
                after[0] if after else max(mine[0].sent_at, min(mine[-1].expires_at, until)),
                max(max(a.proposed_level, a.level) for a in mine),
                max(max(a.proposed_action, a.action) for a in mine),
                tuple(sorted({(d.rule, d.rules) for d in rests})) or ((PERSON, ""),),
                any(a.public for a in mine), name,
            )
        )  # fmt: skip
    return sorted(out, key=lambda w: (w.area, w.hazard, w.start_at, w.alert))


def told(
    district: District,
    outcomes: Iterable[Outcome],
    stage: Mapping[str, Sequence[tuple[int, float]]],
) -> dict[tuple[str, str], Told]:
    """What is known, by area and hazard. stage: station -> (ms, m), in order of time."""
    found: dict[tuple[str, str], Told] = defaultdict(lambda: Told([], []))
    newest: dict[tuple[str, str, int], Outcome] = {}
    for o in outcomes:  # the last word on a time counts
        key = (o.area, o.hazard, o.start_at)
        if key not in newest or newest[key].told_at <= o.told_at:
            newest[key] = o
    for o in newest.values():
        one = found[o.area, o.hazard]
        if o.happened:
            one.events.append((o.start_at, o.end_at, Text(f"{o.by} 报告", f"reported by {o.by}")))
        else:
            one.known.append((o.start_at, o.end_at))
    for t in district.stage:
        limits = [x for x in (t.move_m, t.red_m, t.orange_m, t.yellow_m, t.blue_m) if x is not None]
        series = stage.get(t.station, ())
        if limits and series:
            one = found[t.area, t.hazard]
            one.known.extend(_spans([at for at, _ in series], _SLACK_MS))
            above = _spans([at for at, value in series if value >= limits[0]], WINDOW_MS)
            what = Text("水位 ", "stage ") + f"{t.station} ≥ {limits[0]:g} m"
            one.events.extend((begin, end, what) for begin, end in above)
    return dict(found)


def _spans(times: Sequence[int], gap_ms: int) -> list[tuple[int, int]]:
    """Moments no further apart than the gap, as spans."""
    spans: list[tuple[int, int]] = []
    for at in times:
        if spans and at - spans[-1][1] <= gap_ms:
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((at, at))
    return spans


def ledger(
    warned: Sequence[WarnedPeriod], truth: Mapping[tuple[str, str], Told], min_lead_ms: int
) -> Ledger:
    """Every warning and every event with its outcome, in order of place and time."""
    out = Ledger([], [], {})
    for area, hazard in sorted({(w.area, w.hazard) for w in warned} | set(truth)):
        mine = [w for w in warned if (w.area, w.hazard) == (area, hazard)]
        known = truth.get((area, hazard), Told([], []))
        events, says = _merged(area, known.events)
        # an event that somebody tells of is one that could be seen coming
        seen: Spans = [(e.start_at - WINDOW_MS, e.end_at) for e in events]
        covered = _joined([*known.known, *seen])
        alarms = [Alarm(area, str(n), w.start_at, w.end_at) for n, w in enumerate(mine)]
        result = match(alarms, events, min_lead_ms, WINDOW_MS, 0, {area: seen})
        for alarm in result.alarms:
            for n in alarm.alarm.rule.split("+"):  # those without a break between them are one
                w = mine[int(n)]
                if alarm.fate == "false":
                    out.warnings.append(_unanswered(w, covered))
                    continue
                near = _about(w, alarm.fate, events, min_lead_ms)
                lead = (near.start_at - w.start_at) / 60_000
                out.warnings.append(WarningRow(w, alarm.fate, lead, says[near.start_at]))
        for e in result.events:
            fate: EventOutcome = "miss" if e.fate == "unseen" else e.fate
            ahead = None if e.lead_ms is None else e.lead_ms / 60_000
            begin, end = e.event.start_at, e.event.end_at
            out.events.append(OutcomeEvent(area, hazard, begin, end, fate, ahead, says[begin]))
        out.quiet[area, hazard] = _quiet(covered, events, mine)
    out.warnings.sort(key=lambda r: (r.warned.area, r.warned.hazard, r.warned.start_at))
    return out


def _about(w: WarnedPeriod, fate: str, events: Sequence[Event], min_lead_ms: int) -> Event:
    """The event that a warning hit, or was late for."""
    first, last = w.start_at + min_lead_ms, w.start_at + WINDOW_MS
    if fate == "hit":
        mine = [e for e in events if first <= e.start_at <= last]
    else:
        mine = [e for e in events if e.start_at < first and w.start_at <= e.end_at]
    return min(mine or events, key=lambda e: abs(e.start_at - w.start_at))


def _unanswered(w: WarnedPeriod, covered: Spans) -> WarningRow:
    """No event followed it that anybody told of: was there none, or does nobody know?"""
    begin, end = w.start_at + _SLACK_MS, w.start_at + WINDOW_MS - _SLACK_MS
    if any(b <= begin and e >= end for b, e in covered):
        because = Text("有人或水位站可证未发生", "somebody or a gauge tells that nothing happened")
        return WarningRow(w, "false", None, because)
    because = Text("尚无人报告，也无水位可证：fengsui outcome", "nobody has told: fengsui outcome")
    return WarningRow(w, "open", None, because)


def _joined(spans: Spans) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((begin, end))
    return out


def _merged(
    area: str, found: Sequence[tuple[int, int, Said]]
) -> tuple[list[Event], dict[int, Text]]:
    """One event where several tell of it; start -> who says so."""
    events: list[Event] = []
    says: dict[int, Text] = {}
    for begin, end, who in sorted(found):
        if events and begin - events[-1].end_at <= WINDOW_MS:
            last = events[-1]
            events[-1] = last._replace(end_at=max(last.end_at, end))
            if en(who) not in says[last.start_at].en:
                says[last.start_at] += Text("；", "; ") + who
        else:
            events.append(Event(area, begin, end))
            says[begin] = text_of(who)
    return events, says


def _quiet(covered: Spans, events: Sequence[Event], warned: Sequence[WarnedPeriod]) -> int:
    """UTC days of which somebody could tell from end to end, without a warning or an event."""
    days = {
        day
        for begin, end in covered
        for day in range(-(-(begin - _SLACK_MS) // _DAY_MS), (end + _SLACK_MS) // _DAY_MS)
    }
    busy = [(e.start_at, e.end_at) for e in events] + [(w.start_at, w.end_at) for w in warned]
    for begin, end in busy:
        days -= set(range(begin // _DAY_MS, end // _DAY_MS + 1))
    return len(days)


def scores(found: Ledger) -> dict[str, Score]:
    """By area, and of all together under "*"."""
    areas = {a for a, _ in found.quiet}
    return {name: _score(found, name) for name in (*sorted(areas), "*")}


def _score(found: Ledger, area: str) -> Score:
    mine = [r.outcome for r in found.warnings if area in (r.warned.area, "*")]
    events = [e.outcome for e in found.events if area in (e.area, "*")]
    quiet = sum(n for (a, _), n in found.quiet.items() if area in (a, "*"))
    hits = events.count("hit")
    counts = Counts(hits, len(events) - hits, mine.count("false"), quiet)
    return Score(counts, events.count("late"), mine.count("open"), len(mine))


def by_rule(found: Ledger) -> dict[tuple[str, str], dict[WarningOutcome, int]]:
    """(rule, version of the rules) -> outcomes of the warnings that rest on it. What nothing warned
    of is no rule's own miss and stands with its area."""
    out: dict[tuple[str, str], dict[WarningOutcome, int]] = {}
    for row in found.warnings:
        for key in row.warned.rules:
            many = out.setdefault(key, {"hit": 0, "late": 0, "false": 0, "open": 0})
            many[row.outcome] += 1
    return dict(sorted(out.items()))
