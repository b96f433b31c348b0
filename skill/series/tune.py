"""`fengsui tune` and `fengsui hindcast` on a record with events: rules from a record, and how well
rules would have warned.

tune chooses among few candidates (`skill.series.fit`), measures the choice on data it did
not see, and writes both into one file. hindcast runs such a file over another record. Alarms and
events are matched by `skill.verify.match`, always with a minimum lead: without one, a warning
just below the flood level is nearly always right and worth nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from config.records.rules import RuleRow
from skill.series.clock import iso
from skill.series.figure import Story, draw, ready
from skill.series.fit import (
    Candidate,
    Place,
    Table,
    Terms,
    block_starts,
    choose,
    places_events,
    seen,
    table,
    validate,
)
from skill.series.play import SCALED, Played, judged, logistic, play, scale, watched
from skill.series.read import SeriesFault, events_and_notes, read_observations
from skill.series.report import SEED, Json, blocks_of, outcome_told, skill, skill_json, steps
from skill.series.rules import (
    FORM,
    VERSION,
    Chance,
    Matching,
    ParameterSource,
    RulesFault,
    RulesFile,
    Skill,
    limits,
    load,
    text,
)
from skill.series.track import spans, step_s, track
from skill.verify.hindcast import Readings
from skill.verify.match import RULE, Event

_HOUR_MS = 3_600_000
_HAZARD = {"landslide": "debris_flow", "debris_flow": "debris_flow", "river_flood": "river_flood"}
_TUNED = ("stage", "rain")


def tune(
    observations: Path,
    events: Path,
    min_lead_s: int,
    out: Path,
    cost: float = 1.0,
    figure: Path | None = None,
    by: Mapping[str, Sequence[str]] | None = None,
) -> Json:
    """Choose a rule, measure it, write it to `out`. cost: false alarms that one miss is worth.
    by: which stations watch an area, of a district's config."""
    if figure:
        ready(figure)
    if not (0 < cost < float("inf")):
        raise SeriesFault(f"代价应为正数 the cost must be positive: {cost}")
    readings, happened, notes = _read(observations, events, min_lead_s)
    terms = _terms(readings, min_lead_s)
    blocks = block_starts(int(readings.at[0]), int(readings.at[-1]))
    choices = {q: _choices(readings, happened, terms, q, notes, by) for q in _TUNED}
    parts = [table(c, q, terms, blocks) for q, c in choices.items() if c]
    known = max((int(sum(p.seen.sum() for p in c[0])) for c in choices.values() if c), default=0)
    if not parts or not known:
        raise SeriesFault(
            "没有可用于率定的资料：需要水位或雨量，以及落在资料期内的事件 nothing to tune on: it needs "
            "stage or rain, and events within the record; " + "; ".join(notes)
        )
    t = _joined(parts)
    every = np.arange(blocks.size)
    row = choose(t, every, cost) if t.limit.size else -1
    if row < 0 or not t.counts[row, :, 0].sum():
        raise SeriesFault(
            "没有一条候选规则能提前命中任何事件，未写规则 no candidate hits any event in time: "
            "no rule is written; 试较短的提前量 try a shorter lead"
        )
    candidate = t.candidates[t.which[row]]
    places = choices["stage" if candidate.kind == SCALED else "rain"][candidate.choice]
    rules = _rows(candidate, float(t.limit[row]), places, happened)
    validated = _validated(t, blocks, cost)
    played = play(rules, readings, happened)
    rows = judged(played.said, happened, terms.min_lead_ms, terms.window_ms)
    line = logistic(rows)
    file = RulesFile(
        form=FORM,
        version=VERSION,
        matching=Matching(
            rule=RULE,
            min_lead_s=min_lead_s,
            window_min=terms.window_ms // 60_000,
            merge_gap_min=terms.merge_gap_ms // 60_000,
        ),
        rule=tuple(rules),
        provenance=ParameterSource(
            observations_sha256=_sha256(observations),
            events_sha256=_sha256(events),
            rows=int(readings.at.size),
            first=iso(int(readings.at[0])),
            last=iso(int(readings.at[-1])),
            events=len(happened),
            events_unseen=len(happened) - known,
            candidates=int(t.limit.size),
            cost=cost,
            seed=SEED,
        ),
        in_sample=skill("in the sample, flatters", blocks_of(t.counts[row])),
        cross_validated=tuple(validated),
        chance=Chance(intercept=line[0], slope=line[1]) if line else None,
        trade_off=tuple(steps(played, happened, terms, t.limit[t.which == t.which[row]])),
    )
    _write(out, text(file))
    result = outcome_told(file, played, happened, readings, terms, notes)
    result["out"], result["candidates"] = str(out), int(t.limit.size)
    result["cross_validated"] = [skill_json(s) for s in validated]
    if figure:
        _draw(figure, result, played, happened, file, terms)
    return result


def hindcast(
    rules: Path, observations: Path, events: Path, min_lead_s: int, figure: Path | None = None
) -> Json:
    """How the rules of a tuned file would have warned of these events."""
    if figure:
        ready(figure)
    try:
        file = load(rules.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise SeriesFault(f"{rules}：读不了 cannot be read: {e}") from e
    except RulesFault as e:
        raise SeriesFault(f"{rules.name}：{e}") from e
    readings, happened, notes = _read(observations, events, min_lead_s)
    if min_lead_s != file.matching.min_lead_s:
        notes.append(
            f"率定时的提前量为 {file.matching.min_lead_s // 60} min，与此不同 "
            "the rules were tuned for another lead"
        )
    if _sha256(observations) == file.provenance.observations_sha256:
        notes.append(
            "此资料即率定所用，所得技巧偏乐观 the rules were tuned on this very record: the skill "
            "flatters; see cross_validated"
        )
    terms = Terms(
        min_lead_s * 1000,
        max(file.matching.window_min * 60_000, min_lead_s * 1000),
        file.matching.merge_gap_min * 60_000,
    )
    played = play(file.rule, readings, happened)
    result = outcome_told(file, played, happened, readings, terms, notes)
    result["cross_validated"] = [skill_json(s) for s in file.cross_validated]
    if figure:
        _draw(figure, result, played, happened, file, terms)
    return result


# --- what there is


def _read(
    observations: Path, events: Path, min_lead_s: int
) -> tuple[Readings, list[Event], list[str]]:
    if not 0 <= min_lead_s <= 7 * 86_400:
        raise SeriesFault(f"提前量越界 the lead is out of range: {min_lead_s} s, 0 … 7 d")
    readings, notes = read_observations(observations)
    happened, more = events_and_notes(events)
    return readings, happened, notes + more


def _terms(readings: Readings, min_lead_s: int) -> Terms:
    """The window: six hours, or a day of hourly records; four leads at least. Half of it merges."""
    step = max((step_s(readings, s, q) for s, q in readings.pairs if q in _TUNED), default=3600)
    window = max(6 * _HOUR_MS, 24 * step * 1000, 4 * min_lead_s * 1000)
    return Terms(min_lead_s * 1000, window, window // 2)


def _choices(
    readings: Readings,
    events: Sequence[Event],
    terms: Terms,
    quantity: str,
    notes: list[str],
    by: Mapping[str, Sequence[str]] | None,
) -> list[list[Place]]:
    """Sets of places to tune on: one a station that could watch the areas without their own."""
    areas = sorted({e.area for e in events})
    of = watched(readings, areas, quantity, by)
    most = max((len(s) for s in of.values()), default=0)
    named = {s for stations in of.values() for s in stations}
    for station, q in readings.pairs:
        if q == quantity and station not in named:
            notes.append(
                f"{station} {q}：无以此为区的事件，未用于率定 no event names it: not tuned on"
            )
    out = []
    for n in range(most):
        places = [
            _place(
                readings, events, a, s[min(n, len(s) - 1)], quantity, terms, notes if not n else []
            )
            for a, s in of.items()
            if s
        ]
        out.append(places)
    return out


def _place(
    readings: Readings,
    events: Sequence[Event],
    area: str,
    station: str,
    quantity: str,
    terms: Terms,
    notes: list[str],
) -> Place:
    slot_s = step_s(readings, station, quantity) if quantity == "stage" else 3600
    t = track(readings, station, quantity, slot_s, "max" if quantity == "stage" else "sum")
    if not t.at.size:
        raise SeriesFault(f"{station} {quantity}：没有物理范围内的值 has no value within its range")
    starts, ends = places_events(events, area)
    level = (0.0, 1.0)
    if quantity == "stage":
        level, found = scale(t, [e for e in events if e.area == area])
        if not found:
            notes.append(
                f"{area}：事件起于常见水位，未能推得成灾水位，以 {level[1]} m 为尺度 events begin at "
                f"ordinary stages: no flood level can be read, {level[1]} m is the scale"
            )
    counted = seen(starts, spans(t), terms)
    for start in starts[counted == 0]:
        notes.append(
            f"{area} {iso(int(start))}：事件前无资料，不计 unseen: not counted ({station} {quantity})"
        )
    return Place(area, t, level, starts, ends, counted)


def _joined(parts: Sequence[Table]) -> Table:
    shift = np.cumsum([0] + [len(p.candidates) for p in parts])
    return Table(
        [c for p in parts for c in p.candidates],
        np.concatenate([p.which + s for p, s in zip(parts, shift, strict=False)]),
        np.concatenate([p.limit for p in parts]),
        np.concatenate([p.counts for p in parts]),
    )


def _rows(
    c: Candidate, limit: float, places: Sequence[Place], events: list[Event]
) -> list[RuleRow]:
    quantity = "stage" if c.kind == SCALED else "rain"
    rows = []
    for n, p in enumerate(places):
        scaled = {"zero_m": p.scale[0], "flood_m": p.scale[1]} if c.kind == SCALED else {}
        kinds = sorted({e.kind for e in events if e.area == p.area})
        rows.append(
            RuleRow(
                id="tuned" if len(places) == 1 else f"tuned_{n + 1}",
                kind=c.kind,
                hazard=_HAZARD.get(kinds[0] if kinds else "", "flash_flood"),
                source="fengsui tune; see [provenance]",
                areas=(p.area,),
                stations=(p.track.station,),
                quantity=quantity,
                orange=limit,
                hold_min=c.hold_min,
                clear=c.clear,
                parameters=scaled | c.parameters,
            )
        )
    return rows


# --- how well


def _validated(t: Table, blocks: Any, cost: float) -> list[Skill]:
    """Leaving out one block at a time, three, and a year where two have events: how far they differ
    tells how much the choice hangs on single events."""
    every = np.arange(blocks.size)
    name = "month" if blocks.size > 1 and blocks[1] - blocks[0] > 20 * 86_400_000 else "week"
    ways = [(f"leave one {name} out", every)]
    if name == "month":
        ways.append(("leave three months out", every // 3))
    years = blocks.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64)
    with_events = t.counts[0, :, :2].sum(axis=1) > 0
    if np.unique(years[with_events]).size > 1:
        ways.append(("leave one year out", years))
    return [
        skill(how, blocks_of(validate(t, folds, cost).counts))
        for how, folds in ways
        if np.unique(folds).size > 1
    ]


def _write(path: Path, body: str) -> None:
    try:
        path.write_text(body, encoding="utf-8")
    except OSError as e:
        raise SeriesFault(f"{path}：写不了 cannot be written: {e.strerror}") from e


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _draw(
    path: Path,
    result: Json,
    played: Played,
    events: list[Event],
    file: RulesFile,
    terms: Terms,
) -> None:
    stories = [
        Story(
            s.area,
            s.track,
            s.value,
            [t for _, t in limits(s.row)],
            [e for e in events if e.area == s.area],
        )
        for s in played.said
    ]
    draw(path, result, stories, file.trade_off, terms.window_ms)
