"""Which alarm warned of which event: the one rule by which hits, misses and false alarms are
counted wherever this project measures itself against a record of events.

The rule `start-in-window`, one area at a time:

1. Alarms that begin no more than `merge_gap` after the end of another are one alarm: people hear
   one warning. It begins with its first and has the highest level of its parts.
2. An alarm *hits* an event if it begins at least `min_lead` and at most `window` before the event:
   start - window <= alarm start <= start - min_lead. Several alarms before one event are one hit,
   the lead is that of the earliest; one alarm hits every event that begins in its window.
3. An alarm that begins after that but no later than the event's end is *late*: the event is a miss
   unless another alarm was in time, and the alarm is no false alarm, since there was an event.
4. Every other alarm is a false alarm; also one that began before the window and still stands. Who
   warns always warns of nothing: an alarm without end is one false alarm and all events are missed.
5. An event is judged if the area was observed at some moment of its window (2.). If not, it is
   *unseen*: no hit, no miss, told. A gauge that fails in the last hours is a miss.

An area without any record is told by its events being unseen. Source: counts as in `score`; that a
lead must be asked for: an alarm just below the flood level is almost always right and useless.

>>> minute = 60_000
>>> events = [Event("a", 100 * minute, 130 * minute), Event("a", 900 * minute, 900 * minute)]
>>> alarms = [Alarm("a", "r", t * minute, (t + 9) * minute) for t in (60, 75, 500, 899)]
>>> o = match(alarms, events, 15 * minute, 360 * minute, 10 * minute, {"a": [(0, 10**9)]})
>>> o.hits, o.misses, o.false_alarms, o.late, [x // minute for x in o.leads_ms]
(1, 1, 1, 1, [40])
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from config.language import Text
from skill.verify.score import Counts

RULE = "start-in-window"

EventFate = Literal["hit", "late", "miss", "unseen"]
AlarmFate = Literal["hit", "late", "false"]
Spans = Sequence[tuple[int, int]]


class Event(NamedTuple):
    """Something that happened in an area; ms UTC, the end included."""

    area: str
    start_at: int
    end_at: int
    kind: str = ""


class Alarm(NamedTuple):
    """A warning that stood from `start_at` to `end_at` (ms UTC)."""

    area: str
    rule: str
    start_at: int
    end_at: int
    level: int = 1


class EventRow(NamedTuple):
    """What came of an event. `late`: a miss, with an alarm that came too late. lead_ms: of the alarm
    that hit, or of the late one (negative: after the start); None without one."""

    event: Event
    fate: EventFate
    lead_ms: int | None


class AlarmRow(NamedTuple):
    """What came of an alarm, after merging."""

    alarm: Alarm
    fate: AlarmFate


class Outcome(NamedTuple):
    """misses: events seen and not hit, those with a late alarm among them. late: alarms that are
    neither hit nor false. events and alarms are in order of area and time."""

    hits: int
    misses: int
    false_alarms: int
    late: int
    unseen: int
    leads_ms: list[int]
    events: list[EventRow]
    alarms: list[AlarmRow]

    @property
    def counts(self) -> Counts:
        return Counts(self.hits, self.misses, self.false_alarms)

    @property
    def strict(self) -> Counts:
        """The same with late alarms counted as false ones too: the harshest reading."""
        return Counts(self.hits, self.misses, self.false_alarms + self.late)


def merged(alarms: Sequence[Alarm], gap_ms: int) -> list[Alarm]:
    """Alarms of an area no more than `gap_ms` apart as one, in order of area and time."""
    out: list[Alarm] = []
    for alarm in sorted(alarms, key=lambda a: (a.area, a.start_at, a.end_at)):
        last = out[-1] if out else None
        if last and last.area == alarm.area and alarm.start_at - last.end_at <= gap_ms:
            out[-1] = last._replace(
                rule=last.rule
                if alarm.rule in last.rule.split("+")
                else f"{last.rule}+{alarm.rule}",
                end_at=max(last.end_at, alarm.end_at),
                level=max(last.level, alarm.level),
            )
        else:
            out.append(alarm)
    return out


def match(
    alarms: Sequence[Alarm],
    events: Sequence[Event],
    min_lead_ms: int,
    window_ms: int,
    merge_gap_ms: int,
    record: Mapping[str, Spans],
) -> Outcome:
    """By the rule above. record: when each area was observed, as (from, to) in ms, ends included."""
    if not 0 <= min_lead_ms <= window_ms:
        both = f"{min_lead_ms / 60_000:g} min, {window_ms / 60_000:g} min"
        raise ValueError(
            Text(
                f"提前量应在 0 与时窗之间：{both}",
                f"the lead must lie between 0 and the window: {both}",
            )
        )
    if merge_gap_ms < 0:
        raise ValueError(Text("合并间隔不能为负", "the gap to merge over cannot be negative"))
    one = merged(alarms, merge_gap_ms)
    events_ = sorted(events, key=lambda e: (e.area, e.start_at, e.end_at))
    rows: list[EventRow] = []
    fates: list[AlarmFate] = ["false"] * len(one)
    for event in events_:
        first, last = event.start_at - window_ms, event.start_at - min_lead_ms
        spans = record.get(event.area, ())
        if not any(begin <= last and end >= first for begin, end in spans):
            rows.append(EventRow(event, "unseen", None))
            _blame(one, fates, event, first)
            continue
        mine = [n for n, a in enumerate(one) if a.area == event.area]
        hit = [n for n in mine if first <= one[n].start_at <= last]
        late = [n for n in mine if last < one[n].start_at <= max(event.end_at, event.start_at)]
        for n in late:
            fates[n] = "late" if fates[n] == "false" else fates[n]
        for n in hit:
            fates[n] = "hit"
        fate: EventFate = "hit" if hit else "late" if late else "miss"
        lead = event.start_at - one[(hit or late)[0]].start_at if hit or late else None
        rows.append(EventRow(event, fate, lead))
    return Outcome(
        hits=sum(r.fate == "hit" for r in rows),
        misses=sum(r.fate in ("miss", "late") for r in rows),
        false_alarms=fates.count("false"),
        late=fates.count("late"),
        unseen=sum(r.fate == "unseen" for r in rows),
        leads_ms=[r.lead_ms for r in rows if r.fate == "hit" and r.lead_ms is not None],
        events=rows,
        alarms=[AlarmRow(a, f) for a, f in zip(one, fates, strict=True)],
    )


def _blame(alarms: Sequence[Alarm], fates: list[AlarmFate], event: Event, first: int) -> None:
    """An alarm (of another source) about an event nobody counts is no false alarm either."""
    for n, a in enumerate(alarms):
        if a.area == event.area and first <= a.start_at <= event.end_at and fates[n] == "false":
            fates[n] = "late"
