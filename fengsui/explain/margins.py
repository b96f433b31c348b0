"""How near each rule of an area is to its thresholds, read from the memory of the stage detect.

For the question "why was nothing said": a detection exists only when something changed, this tells
the value that a rule sees now, and what its thresholds are.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from config.checks.tables import ACTIONS, LEVELS
from config.language import Said, Text
from config.records.district import District
from config.records.quantity import QUANTITIES
from config.records.rule_kinds import RULE_KINDS, unit_of
from detectors.engine.slot_ring import SeriesState
from detectors.engine.window_engine import SeriesRule
from detectors.memory.state import DetectState
from detectors.rain.limit_table import CLASSES
from detectors.setup.partition import Part

_NEVER = 2**31 - 1
_WETNESS = {"dry": "干燥", "normal": "一般", "wet": "湿润"}
_MINUTE = 60_000
_HAIR = 1e-9
_SOON_MIN = 360  # a rise that would take longer tells nothing
STEPS = (*LEVELS, *ACTIONS)


class Near(NamedTuple):
    """One row of a rule, at the clock of its station.

    station: one, or several joined by "+"; "" for a rule over rules. value: what the rule sees, in
    `unit`; NaN where it cannot say. limits: step (blue … red, prepare, move) -> threshold, those
    that are set. reached: the steps that the value reaches, in that order. share: of the way to the
    nearest threshold that is not reached, 0 … 1; 1 when all are, 0 when nothing is known.
    at: ms, of the newest reading; 0 when nothing was heard. per_h: how fast it rises, 0: unknown.
    speaks: False for a rule that only others hear. note: what else decides.
    """

    rule: str
    hazard: str
    station: str
    value: float
    unit: str
    limits: Mapping[str, float]
    reached: tuple[str, ...] = ()
    share: float = 0.0
    at: int = 0
    window_min: int = 0
    per_h: float = 0.0
    speaks: bool = True
    note: Said = ""

    @property
    def known(self) -> bool:
        return self.at > 0 and self.value == self.value

    @property
    def next(self) -> tuple[str, float] | None:
        """The nearest step that is not reached, and its threshold."""
        left = [(k, t) for k, t in self.limits.items() if k not in self.reached]
        return min(left, key=lambda kt: abs(kt[1] - self.value), default=None)


def near(district: District, part: Part, state: DetectState, area: str) -> list[Near]:
    """Every row of the area, also those that heard nothing; the nearest first."""
    found = [*_rain(part, state, area), *_stage(district, part, state, area)]
    for fed in part.series:
        found += _series(fed.rule, state.series[fed.rule.name], area)
    for compound in part.compounds:
        limits = _set(compound.limits())
        value, on, at = compound.now(state.compounds[compound.name], area)
        note = Text(f"已成立：{' '.join(on) or '无'}", f"on: {' '.join(on) or 'none'}")
        found += [
            _graded(Near(compound.name, row.hazard, "", value, "", limits, at=at, note=note))
            for row in compound.rows
            if row.area == area
        ]
    return sorted(found, key=lambda n: (-len(n.reached), -n.share, n.rule, n.station))


def _set(limits: tuple[float | None, ...]) -> dict[str, float]:
    return {k: t for k, t in zip(STEPS, limits, strict=True) if t is not None}


def _graded(n: Near, sign: float = 1.0) -> Near:
    """With the steps it reaches and its share of the way to the next. sign: -1 where low is bad."""
    if not n.known:
        return n
    reached = tuple(
        k for k, t in n.limits.items() if sign * n.value >= sign * t - _HAIR * max(1, abs(t))
    )
    left = [t for k, t in n.limits.items() if k not in reached]
    parts = [(n.value, t) if sign > 0 else (t, n.value) for t in left]
    # a threshold at or below zero has no part that could be told
    shares = [part / whole for part, whole in parts if whole > 0]
    share = float(np.clip(max(shares, default=0.0), 0, 1)) if left else 1.0
    return n._replace(reached=reached, share=share)


def _rain(part: Part, state: DetectState, area: str) -> Iterator[Near]:
    """One for each gauge and hazard: the window that is nearest to its next threshold."""
    rule, held = part.rain, state.rain
    for n, row in enumerate(rule.rows):
        if row.area != area:
            continue
        wet, at = int(held.wetness[n]), max(0, int(held.window.head[n])) * _MINUTE
        index = rule.wetness.index(held, np.array([n]))[0] / 10
        ground = Text(
            f"前期 Pa {index:.1f} mm，{_WETNESS[CLASSES[wet]]}",
            f"Pa {index:.1f} mm, {CLASSES[wet]}",
        )
        found = []
        for w, (window, total) in enumerate(zip(rule.windows, rule.seen(held, n), strict=True)):
            counts = (*rule.level_limits[wet, n, w], *rule.action_limits[wet, n, w])
            limits = _set(tuple(c / 10 if c < _NEVER else None for c in counts))
            one = Near(
                "rain_threshold", row.hazard, row.station, float(total) / 10, "mm", limits,
                at=at, window_min=window, note=ground,
            )  # fmt: skip
            found += [_graded(one)] if limits else []
        if found:
            yield max(found, key=lambda f: (len(f.reached), f.share))


def _stage(district: District, part: Part, state: DetectState, area: str) -> Iterator[Near]:
    held = state.stage
    for n, row in enumerate(part.stage.rows):
        counts = (*row.levels, *row.actions)
        limits = _set(tuple(None if c is None else c / 1000 for c in counts))
        if row.area != area or not limits:
            continue
        head = int(held.head[n])
        if head < 0:
            yield Near("stage_trend", row.hazard, row.station, np.nan, "m", limits)
            continue
        value = float(held.ring[n, head & (held.ring.shape[1] - 1)]) / 1000
        slope, wait = part.stage.outlook(held, n)
        note = (
            Text(f"约 {wait:.0f} min 到下一级", f"about {wait:.0f} min to the next level")
            if wait <= _SOON_MIN
            else ""
        )
        window = district.rules.stage.window_min
        yield _graded(
            Near(
                "stage_trend", row.hazard, row.station, value, "m", limits, at=head * _MINUTE,
                window_min=window if note else 0, per_h=slope * 60 / 1000, note=note,
            )
        )  # fmt: skip


def _series(rule: SeriesRule, held: SeriesState, area: str) -> Iterator[Near]:
    mine = [n for n, r in enumerate(rule.rows) if r.area == area]
    sign = -1.0 if rule.kind.falling else 1.0
    row_of = rule.kind.told_as(rule.parameters)
    told = RULE_KINDS[row_of].told
    limits = {k: told(t) for k, t in zip(STEPS, rule.limits.values, strict=True) if t is not None}
    heard = np.array([n for n in mine if held.head[n] >= 0], np.int64)
    values = rule.values(held, heard) if heard.size else None
    for n in mine:
        row = rule.rows[n]
        unit = unit_of(row_of, QUANTITIES.get(row.quantity))
        unit = "" if unit == "1" else unit
        one = Near(rule.name, row.hazard, row.station, np.nan, unit, limits, speaks=rule.speaks)
        if values is not None and held.head[n] >= 0:
            k = int(np.searchsorted(heard, n))
            per_h = float(values.per_h[k])
            one = one._replace(
                value=told(float(values.value[k])),
                at=int(held.head[n]) * rule.slot_ms,
                window_min=int(values.window_min[k]),
                per_h=told(per_h) if np.isfinite(per_h) else 0.0,
            )
        yield _graded(one, sign)
