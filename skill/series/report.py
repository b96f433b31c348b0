"""What came of rules on a record, in words and numbers that go into JSON.

Intervals are bootstrapped over blocks of time (months; weeks of a short record): the alarms of one
spell of weather are not independent.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from config.language import Said, Text
from detectors.engine.window_rule import Floats, Ints
from skill.series.clock import iso
from skill.series.families import Rival
from skill.series.fit import Terms, block_starts, objective
from skill.series.nested import Judged
from skill.series.places import unseen
from skill.series.play import Played, judged, reliability
from skill.series.rules import FORM, RulesFile, Skill, Step
from skill.series.track import crossed, standing
from skill.verify import names
from skill.verify.hindcast import Readings
from skill.verify.match import RULE, Alarm, Event, Outcome, match
from skill.verify.score import Counts, auc, bootstrap

SEED = 20_261_124
Json = dict[str, Any]


def blocks_of(counts: Ints) -> list[Counts]:
    return [Counts(*(int(x) for x in row)) for row in counts]


def skill(how: str, blocks: list[Counts]) -> Skill:
    c = Counts(*(sum(b[n] or 0 for b in blocks) for n in range(3)))
    interval = bootstrap(blocks, SEED)["csi"]

    def told(x: float | None) -> float:
        return -1.0 if x is None else round(x, 4)

    return Skill(
        how=how,
        hits=c.hits,
        misses=c.misses,
        false_alarms=c.false_alarms,
        pod=told(c.pod),
        far=told(c.far),
        csi=told(c.csi),
        csi_low=told(interval and interval.low),
        csi_high=told(interval and interval.high),
    )


def skill_json(s: Skill) -> Json:
    none = {n: None if getattr(s, n) == -1 else getattr(s, n) for n in ("pod", "far", "csi")}
    low = [None if x == -1 else x for x in (s.csi_low, s.csi_high)]
    counts = {n: getattr(s, n) for n in ("how", "hits", "misses", "false_alarms")}
    return {**counts, **none, "csi_interval": low}


def outcome_told(
    file: RulesFile,
    played: Played,
    events: Sequence[Event],
    readings: Readings,
    terms: Terms,
    notes: list[Said],
) -> Json:
    outcome = match(played.alarms, events, *terms, played.record)
    for e in outcome.events:
        if e.fate == "unseen":
            notes.append(unseen(e.event.area, iso(e.event.start_at)))
    run = {(s.track.station, s.track.quantity) for s in played.said}
    run |= {(n, q) for s in played.said for q, names in s.row.beside.items() for n in names}
    for station, quantity in readings.pairs:
        if (station, quantity) not in run:
            notes.append(
                Text(
                    f"{station} {quantity}：没有规则使用", f"{station} {quantity}: no rule uses it"
                )
            )
    for area in sorted({r.area for r in played.said} - {e.area for e in events}):
        notes.append(
            Text(
                f"{area}：事件表中无此区，其警报全计空报",
                f"{area}: no event of this area is listed: each of its alarms counts as false",
            )
        )
    rows = judged(played.said, events, terms.min_lead_ms, terms.window_ms)
    ranked = auc(rows.value, rows.yes > 0)
    return {
        "form": FORM,
        **counted(outcome, int(readings.at[0]), int(readings.at[-1])),
        "auc": ranked,
        "matching": terms_told(terms),
        "rules": [
            {"id": r.row.id, "area": r.area, "kind": r.row.kind, "station": r.track.station}
            for r in played.said
        ],
        "notes": list(dict.fromkeys((*notes, *played.notes))),
        "reliability": [
            {"told": a, "came": b, "moments": n}
            for a, b, n in (
                reliability(rows, file.chance.intercept, file.chance.slope) if file.chance else []
            )
        ],
        "areas": _by_area(outcome),
        **_lists(outcome),
    }


def terms_told(terms: Terms) -> Json:
    """What counted as a hit."""
    return {
        "rule": RULE,
        "min_lead_min": terms.min_lead_ms / 60_000,
        "window_min": terms.window_ms / 60_000,
        "merge_gap_min": terms.merge_gap_ms / 60_000,
    }


def counted(outcome: Outcome, first: int, last: int) -> Json:
    """Counts, ratios with intervals, and lead times. first, last: of the record, ms."""
    c = outcome.counts
    leads = np.array(outcome.leads_ms) / 60_000
    quartiles = [float(x) for x in np.percentile(leads, (50, 25, 75))] if leads.size else [None] * 3
    said: Json = {
        "hits": c.hits,
        "misses": c.misses,
        "false_alarms": c.false_alarms,
        "late_alarms": outcome.late,
        "events_unseen": outcome.unseen,
        "pod": c.pod,
        "far": c.far,
        "csi": c.csi,
        "csi_strict": outcome.strict.csi,
        "lead_minutes": dict(zip(("median", "q1", "q3"), quartiles, strict=True)),
    }
    interval = bootstrap(_by_block(outcome, block_starts(first, last)), SEED)
    for name in ("pod", "far", "csi"):
        found = interval[name]
        said[f"{name}_interval"] = list(found) if found else None
    return said


def full(outcome: Outcome, first: int, last: int) -> Json:
    """The same with what came of each area, event and alarm."""
    return {**counted(outcome, first, last), "areas": _by_area(outcome), **_lists(outcome)}


def _by_area(outcome: Outcome) -> dict[str, dict[str, int]]:
    names = {e.event.area for e in outcome.events} | {a.alarm.area for a in outcome.alarms}
    return {
        name: {
            "hits": sum(e.fate == "hit" for e in outcome.events if e.event.area == name),
            "misses": sum(
                e.fate in ("miss", "late") for e in outcome.events if e.event.area == name
            ),
            "false_alarms": sum(a.fate == "false" for a in outcome.alarms if a.alarm.area == name),
        }
        for name in sorted(names)
    }


def steps(played: Played, events: Sequence[Event], terms: Terms, limits: Floats) -> list[Step]:
    """The same rules at other thresholds, up to the first that warns of nothing."""
    out: list[Step] = []
    for limit in limits.tolist():
        alarms = []
        for s in played.said:
            begin, end = standing(s.track.at, crossed(s.value, limit, s.row.clear), s.row.hold_min)
            alarms += [
                Alarm(s.area, s.row.id, int(b), int(e))
                for b, e in zip(s.track.at[begin], s.track.at[end], strict=True)
            ]
        o = match(alarms, events, *terms, played.record)
        c = o.counts
        lead = round(float(np.median(o.leads_ms)) / 60_000, 1) if o.leads_ms else -1.0
        ratios = [-1.0 if x is None else round(x, 4) for x in (c.pod, c.far, c.csi)]
        out.append(
            Step(
                threshold=limit,
                hits=c.hits,
                misses=c.misses,
                false_alarms=c.false_alarms,
                pod=ratios[0],
                far=ratios[1],
                csi=ratios[2],
                lead_median_min=lead,
            )
        )
        if not c.hits and not c.false_alarms:
            break
    return out


def _lists(outcome: Outcome) -> Json:
    return {
        "events": [
            {
                "area": e.event.area,
                "start": iso(e.event.start_at),
                "end": iso(e.event.end_at),
                "kind": e.event.kind,
                "outcome": e.fate,
                "lead_minutes": None if e.lead_ms is None else round(e.lead_ms / 60_000, 1),
            }
            for e in outcome.events
        ],
        "alarms": [
            {
                "area": a.alarm.area,
                "rule": a.alarm.rule,
                "start": iso(a.alarm.start_at),
                "end": iso(a.alarm.end_at),
                "outcome": a.fate,
            }
            for a in outcome.alarms
        ],
    }


def _by_block(outcome: Outcome, blocks: Ints) -> list[Counts]:
    table_ = np.zeros((blocks.size, 3), np.int64)
    for e in outcome.events:
        if e.fate != "unseen":
            n = max(int(np.searchsorted(blocks, e.event.start_at, "right")) - 1, 0)
            table_[n, 0 if e.fate == "hit" else 1] += 1
    for a in outcome.alarms:
        if a.fate == "false":
            table_[max(int(np.searchsorted(blocks, a.alarm.start_at, "right")) - 1, 0), 2] += 1
    return blocks_of(table_)


def weighed(best: Rival, found: Judged, cost: float) -> list[Said]:
    """What is to be said of how the delivered rule stands to the simple ones."""
    if not best.simple:
        return []
    told = Text(
        "未见数据上没有候选胜过简单规则，交付简单规则：",
        "nothing beats a simple rule on events left out, so a simple one is delivered: ",
    )
    told += names.SERIES[best.name]
    if found.beaten:
        both = [float(objective(x.sum(axis=0), cost)) for x in (found.nested, found.delivered)]
        told += Text(
            f"（在全部候选中选择：{both[0]:.2f}，它：{both[1]:.2f}）",
            f" (the choice among all: {both[0]:.2f}, this one: {both[1]:.2f})",
        )
    return [told]
