"""Tuned rules over a record: who is watched by which station, what the rules said, how sure it was.

An area is watched by the station of its own name; where there is none, by every station that is not
named after another area. An area that no rule knows takes the first rule with its own scale: usual
stage and flood level are then read from the record given, never fitted to warnings.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from config.language import Text
from config.records.quantity import QUANTITIES
from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats, Ints
from detectors.setup.registry import KINDS
from skill.series.rules import limits, parameters
from skill.series.track import Track, alongside, crossed, spans, standing, step_s, track, values_of
from skill.verify.hindcast import Readings
from skill.verify.match import Alarm, Event

SCALED = (
    "stage_score",
    "flood_score",
    "level_and_rain",
    "flow_score",
)  # kinds with a scale of the stream's own
_ORDINARY = 99.0  # percentile: events that begin at such stages have no flood level


class Said(NamedTuple):
    """One rule at one station of one area. value: the rule's, at each heard slot of the track."""

    area: str
    row: RuleRow
    track: Track
    value: Floats


class Played(NamedTuple):
    """record: when each area was observed, ms. notes: what was not run, and what was assumed."""

    said: list[Said]
    alarms: list[Alarm]
    record: dict[str, list[tuple[int, int]]]
    notes: list[Text]


def watched(
    readings: Readings,
    areas: Sequence[str],
    quantity: str,
    by: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[str]]:
    """Stations of each area; `by`: a district's own list of them, where there is one."""
    stations = [s for s, q in readings.pairs if q == quantity]
    if by is not None:
        return {a: [s for s in by.get(a, ()) if s in stations] for a in areas}
    free = [s for s in stations if s not in areas]
    return {a: [a] if a in stations else free for a in areas}


def scale(t: Track, events: Sequence[Event]) -> tuple[tuple[float, float], bool]:
    """Usual level (median) and flood level (lowest level at which an event began), and whether the
    events begin at any such level, above what is ordinary outside of them; else the level of one hour
    in a thousand stands for it."""
    heard = t.values[t.heard]
    quiet = np.ones(heard.size, np.bool_)
    for e in events:
        quiet[np.searchsorted(t.at, e.start_at) : np.searchsorted(t.at, e.end_at, "right")] = False
    zero, rare = (float(x) for x in np.percentile(heard, (50, 99.9)))
    ordinary = float(np.percentile(heard[quiet], _ORDINARY)) if quiet.any() else rare
    at = np.array([e.start_at for e in events], np.int64)
    n = np.searchsorted(t.at, at)
    near = n < t.at.size
    near[near] = t.at[n[near]] - at[near] <= 3_600_000
    level = float(heard[n[near]].min()) if near.any() else -np.inf
    if level > ordinary:
        return (round(zero, 4), round(level, 4)), True
    return (round(zero, 4), round(max(rare, zero + 0.01), 4)), False


def play(rules: Sequence[RuleRow], readings: Readings, events: Sequence[Event]) -> Played:
    """Every rule over the record."""
    notes: list[Text] = []
    rows = [(a, r) for r in rules for a in r.areas]
    rows += _unknown(rules, readings, events, notes)
    said: list[Said] = []
    alarms: list[Alarm] = []
    record: dict[str, list[tuple[int, int]]] = {}
    for area, row in rows:
        present = [s for s in row.stations if (s, row.quantity) in readings.pairs]
        for gone in sorted(set(row.stations) - set(present)):
            notes.append(
                Text(
                    f"{row.id}：资料中无 {gone} {row.quantity}，未运行",
                    f"{row.id}: the record has no {gone} {row.quantity}: not run",
                )
            )
        kind, p = KINDS[row.kind], parameters(row)
        # one rule of all its stations, the first of them the clock
        whole = kind.joint and (not kind.mixed or row.quantity == "rain")
        for station in present[:1] if whole else present:
            slot_s = kind.slot_s(p)
            step = step_s(readings, station, row.quantity)
            if step > slot_s:
                notes.append(
                    Text(
                        f"{station}：资料步长 {step} s 大于规则时段 {slot_s} s",
                        f"{station}: the record's steps of {step} s are coarser than the rule's "
                        f"slots of {slot_s} s",
                    )
                )
            t = track(readings, station, row.quantity, slot_s, kind.gather)
            near = _beside(row, readings, t, notes)
            if whole:
                near = [alongside(readings, n, row.quantity, t) for n in present[1:]] + near
            value = values_of(kind, p, t, near)
            said.append(Said(area, row, t, value))
            record.setdefault(area, []).extend(spans(t))
            for level, limit in limits(row):
                begin, end = standing(t.at, crossed(value, limit, row.clear), row.hold_min)
                alarms += [
                    Alarm(area, row.id, int(b), int(e), level)
                    for b, e in zip(t.at[begin], t.at[end], strict=True)
                ]
    return Played(said, alarms, record, notes)


def _beside(row: RuleRow, readings: Readings, t: Track, notes: list[Text]) -> list[Track]:
    """The stations of other quantities that the record has."""
    found = []
    for quantity, stations in row.beside.items():
        for station in stations:
            if (station, quantity) in readings.pairs:
                found.append(alongside(readings, station, quantity, t))
            else:
                notes.append(
                    Text(
                        f"{row.id}：资料中无 {station} {quantity}，未计入",
                        f"{row.id}: the record has no {station} {quantity}: left out",
                    )
                )
    return found


def _unknown(
    rules: Sequence[RuleRow], readings: Readings, events: Sequence[Event], notes: list[Text]
) -> list[tuple[str, RuleRow]]:
    """Rows for areas with events that no rule names."""
    known = {a for r in rules for a in r.areas}
    areas = sorted({e.area for e in events})
    template = rules[0]
    stations_of = watched(readings, areas, template.quantity)
    out = []
    for area in areas:
        if area in known:
            continue
        stations = stations_of[area]
        if not stations:
            notes.append(
                Text(
                    f"{area}：没有可用的 {template.quantity} 测站，无从判断",
                    f"{area}: has no station with {template.quantity}: unseen",
                )
            )
        for station in stations:
            mine = {**template.parameters}
            if template.kind in SCALED:
                step = step_s(readings, station, template.quantity)
                t = track(readings, station, template.quantity, step, KINDS[template.kind].gather)
                if not t.at.size:
                    continue
                (zero, flood), _ = scale(t, [e for e in events if e.area == area])
                mine |= {"zero_m": zero, "flood_m": flood}
            row = msgspec.structs.replace(
                template,
                id=f"{template.id}_{station}",
                areas=(area,),
                stations=(station,),
                parameters=mine,
                beside={q: tuple(watched(readings, areas, q)[area]) for q in template.beside},
            )
            on = (
                f"{station}: {mine.get('zero_m', '–')} … {mine.get('flood_m', '–')} "
                f"{QUANTITIES[template.quantity].unit}"
            )
            notes.append(
                Text(
                    f"{area}：规则未涉及此区，借用 {template.id}，尺度取自本资料（{on}）",
                    f"{area}: no rule names this area: {template.id} is borrowed, on a scale read "
                    f"from this record ({on})",
                )
            )
            out.append((area, row))
    return out


# --- how sure


class Rows(NamedTuple):
    """value of the rule at each moment that asks for an answer; yes: an event begins in the window."""

    value: Floats
    yes: Ints


def judged(said: Sequence[Said], events: Sequence[Event], lead_ms: int, window_ms: int) -> Rows:
    """Of the first rule. Moments too late to warn, and those during an event, ask for none."""
    values, answers = [], []
    for s in said:
        if s.row.kind != said[0].row.kind:
            continue
        mine = sorted((e.start_at, e.end_at) for e in events if e.area == s.area)
        starts = np.array([a for a, _ in mine], np.int64)
        ends = np.array([b for _, b in mine], np.int64)
        at = s.track.at
        n = np.searchsorted(starts, at + lead_ms)  # the first event that can still be warned of
        yes = np.zeros(at.size, np.int64)
        ahead = n < starts.size
        yes[ahead] = starts[n[ahead]] <= at[ahead] + window_ms
        use = ~np.isnan(s.value)
        for a, b in zip(starts, ends, strict=True):
            use &= ~((at > a - lead_ms) & (at <= b))
        values.append(s.value[use])
        answers.append(yes[use])
    none = np.zeros(0, np.int64)
    return Rows(
        np.concatenate(values) if values else np.zeros(0),
        np.concatenate(answers) if answers else none,
    )


def logistic(rows: Rows) -> tuple[float, float] | None:
    """Intercept and slope by Newton's steps, with a faint ridge so that separable data end too."""
    x, y = rows.value, rows.yes.astype(np.float64)
    if not 0 < y.sum() < y.size or float(x.std()) == 0:
        return None
    mean, spread = float(x.mean()), float(x.std())
    design = np.stack([np.ones_like(x), (x - mean) / spread], axis=1)
    beta = np.array([np.log(y.mean() / (1 - y.mean())), 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (y - p) - 1e-3 * beta
        bend = (design * (p * (1 - p))[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        beta = beta + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-9:
            break
    return float(beta[0] - beta[1] * mean / spread), float(beta[1] / spread)


def reliability(rows: Rows, intercept: float, slope: float) -> list[tuple[float, float, int]]:
    """(mean chance told, share that came, moments) in bins of the chance told."""
    told = 1 / (1 + np.exp(-np.clip(intercept + slope * rows.value, -30, 30)))
    edges = np.array([0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0])
    n = np.clip(np.searchsorted(edges, told, "right") - 1, 0, edges.size - 2)
    out = []
    for k in range(edges.size - 1):
        here = n == k
        if here.any():
            out.append((float(told[here].mean()), float(rows.yes[here].mean()), int(here.sum())))
    return out
