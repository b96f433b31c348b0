r"""Discharge to come by a runoff model that starts from the discharge that is measured (`flow_score`).

Two fits one after the other, both on every hour of the record: the catchment, so that the root of the discharge
`lead` hours on is foretold best (least squares, SciPy); then the weights of what the model foretells, of how it
erred, of the level, its rise and the rain (least squares with a ridge, as in `skill.series.joint.fitted`). Only
the threshold rests on the events. Both are made anew without each fold. For a fold that is left out altogether
the weights are fitted without it and without every other in turn, the catchment without it: what a catchment
owes to a fold may sway the choice among families, never what is counted of it.

The record is cut into stretches that each begin `days` before the hours that are asked for, as the rule that
runs live begins.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.sums import areal_mean
from detectors.setup.registry import KINDS
from detectors.water.runoff.flow_score import Basins, FlowScore, ahead, begins, follow, hydrographs
from detectors.water.stage_score import scaled
from skill.series.families import Rival, Told, whose_words
from skill.series.fit import Place, Table, Terms, flooded, joined, rungs, table
from skill.series.joint.fitted import (
    LEAST_EVENTS,
    flood_weight,
    highest_ahead,
    least_squares,
    rows_of,
    terms_at,
    weighed,
)
from skill.series.track import values_of
from skill.verify.names import SERIES

FOLLOWED = "flow_score"
_DAYS, _ASKED, _SILENT_H, _PE, _POWER = 20, 96, 3, 0.1, 0.5
_LOOKS, _AGAIN = 12, 3  # of a fit, and of one that begins with that of the whole record
_MOST_LEAD_H = 24
# area km2, x1 mm, x2 mm/h, x3 mm, x4 h, start_s, start_by; the logarithm of those that are sizes
_LOGS = np.array([True, True, False, True, True, False, False])
_NAMES = ("area_km2", "x1", "x2", "x3", "x4", "start_s", "start_by")
_START = (0.0, 300.0, 0.0, 40.0, 4.0, 0.5, 0.05)
_LOW = (0.01, 10.0, -2.0, 1.0, 0.5, 0.02, -0.3)
_HIGH = (1e5, 3000.0, 2.0, 500.0, 96.0, 0.98, 0.5)
_STEPS = np.array([0.01, 0.01, 0.001, 0.01, 0.01, 0.002, 0.002])  # of slopes, logarithms as such


class _Record(NamedTuple):
    """rain, mm, and flow, m3/s: (slots,). at: (hours of a stretch, stretches) which slot; inside: whether there
    is one. first: (stretches,) the first discharge of each in the usual one."""

    rain: Floats
    flow: Floats
    at: Ints
    inside: Bools
    first: Floats
    usual: float

    def of(self, values: Floats, away: float) -> Floats:
        """(hours, stretches)."""
        found: Floats = np.where(self.inside, values[self.at], away)
        return found


def followed(
    sets: Sequence[Sequence[Place]],
    first: int,
    terms: Terms,
    blocks: Ints,
    folds: Ints,
    told: Told,
    known: dict[int, Floats],
) -> list[Rival]:
    """Sets of one place with hourly discharge and rain beside it; first: the number of the first set. known:
    the catchment of the whole record by set, which is the same for all folds; it is filled."""
    many, parts = int(folds.max()) + 1, []
    lead = max(1, -(-terms.min_lead_ms // 3_600_000))
    if many < 3 or lead > _MOST_LEAD_H:
        return []
    for n, places in enumerate(sets):
        track = places[0].track
        hourly = track.quantity == "discharge" and track.slot_s == 3600
        if len(places) > 1 or not hourly or not places[0].beside:
            continue
        if places[0].starts.size < LEAST_EVENTS or not np.nansum(track.values) > 0:
            continue
        told(whose_words(places) + ": " + SERIES["followed"])
        record = _record(places[0])
        if not record.rain.any():
            continue
        if n not in known:
            known[n] = _fit(record, lead, np.ones(record.flow.size, np.bool_), None)
        parts.append(_tables(places[0], record, known[n], first + n, terms, blocks, folds, lead))
    if not parts:
        return []
    whole, held, *outer = (joined(column) for column in zip(*parts, strict=True))
    return [Rival("followed", 3, False, whole, held, tuple(outer))]


def _record(p: Place) -> _Record:
    rain = areal_mean(
        np.stack([t.values for t in p.beside])[None], np.ones((1, len(p.beside))), _SILENT_H
    )
    flow, before = p.track.values, _DAYS * 24
    at = np.arange(-before, _ASKED)[:, None] + np.arange(0, flow.size, _ASKED)
    inside = (at >= 0) & (at < flow.size)
    at = np.clip(at, 0, flow.size - 1)
    usual = max(float(np.nanmedian(flow)), 1e-3)
    seen = np.where(inside, flow[at], np.nan)
    first = seen[np.isfinite(seen).argmax(axis=0), np.arange(seen.shape[1])]
    share = np.nan_to_num(first, nan=usual) / usual
    return _Record(rain[0][0], flow, at, inside, share, usual)


def _numbers(x: Floats) -> Floats:
    """(…, parameters) on their own scales."""
    found: Floats = np.where(_LOGS, np.exp(np.where(_LOGS, x, 0.0)), x)
    return found


def _free(x: Any) -> Floats:
    """Sizes as their logarithms."""
    x = np.asarray(x, np.float64)
    found: Floats = np.where(_LOGS, np.log(np.where(_LOGS, x, 1.0)), x)
    return found


def _foretold(r: _Record, xs: Floats, most: int) -> Floats:
    """(most, sets of parameters, slots) the discharge one to `most` hours after each slot, m3/s."""
    v, many = _numbers(xs), r.at.shape[1]
    area, x1, x2, x3, _, start_s, start_by = np.repeat(v, many, axis=0).T
    near, far = (np.repeat(x, many, axis=1) for x in hydrographs(v[:, 4].tolist()))
    basins = Basins(x1, x2, x3, near, far, begins(start_s, start_by, np.tile(r.first, len(v))))
    rain = np.tile(r.of(r.rain, 0.0), len(v))
    flow = np.tile(r.of(r.flow, np.nan), len(v)) * (3.6 / area)
    run = follow(basins, rain, flow, _PE)
    found = ahead(basins, run, most, _ASKED) * (area / 3.6)
    found = found.reshape(most, _ASKED, len(v), many).transpose(0, 2, 3, 1)
    told: Floats = found.reshape(most, len(v), -1)[:, :, : r.flow.size]
    return told


def _fit(r: _Record, lead: int, use: Bools, whole: Floats | None) -> Floats:
    """The catchment by all slots of which `use` holds; whole: that of the whole record, to begin with."""
    from scipy.optimize import least_squares as fitted_to  # as large as all that the rest loads

    seen = np.sqrt(np.maximum(r.flow[lead:], 0))
    asked = use[lead:] & use[:-lead] & np.isfinite(seen)
    low, high = _free(_LOW), _free(_HIGH)

    def roots(xs: Floats) -> Floats:
        told = _foretold(r, xs, lead)[-1, :, :-lead][:, asked]
        found: Floats = np.sqrt(np.maximum(told, 0))
        return found

    def misses(x: Floats) -> Floats:
        found: Floats = roots(x[None])[0] - seen[asked]
        return found

    def slopes(x: Floats) -> Floats:
        """(slots, parameters): all of them in one run, for a run costs by its hours."""
        step = np.where(x + _STEPS > high, -_STEPS, _STEPS)
        all_ = roots(np.vstack((x, x + np.diag(step))))
        found: Floats = ((all_[1:] - all_[0]) / step[:, None]).T
        return found

    if whole is None:
        # water that came down, half of which never reaches the gauge
        area = 3.6 * float(np.nansum(r.flow)) / max(float(r.rain.sum()), 1.0) * 1.5
        whole = _free((min(max(area, 0.1), 9e4), *_START[1:]))
        looks = _LOOKS
    else:
        looks = _AGAIN
    start = np.clip(whole, low + 1e-6, high - 1e-6)
    best = fitted_to(
        misses, start, jac=slopes, bounds=(low, high), max_nfev=looks, x_scale=100 * _STEPS
    )
    found: Floats = best.x
    return found


def _names(lead: int) -> list[str]:
    flows = range(1, lead + 3) if lead <= 6 else (1, lead // 2, lead, lead + 1, lead + 2)
    names = ["level", *(f"rise_{k * 60}min" for k in (1, 2, 3))]
    names += [*(f"rain_{k * 60}min" for k in (1, 3, 6)), *(f"flow_{k * 60}min" for k in flows)]
    missed = sorted({1, lead})
    return [*names, *(f"{what}_{k * 60}min" for k in missed for what in ("miss", "miss_flow"))]


def _terms(
    p: Place, r: _Record, x: Floats, plain: Floats, names: Sequence[str], far: int
) -> Floats:
    """(heard, terms) by the catchment `x`; plain: those that need none, the first of them."""
    hours = {n: int(n.split("_")[-1][:-3]) // 60 for n in names[plain.shape[1] :]}
    heard = p.track.heard
    told = np.maximum(
        scaled(_foretold(r, x[None], max(far, *hours.values()))[:, 0], *p.scale, _POWER), 0
    )
    u = np.maximum(scaled(r.flow, *p.scale, _POWER), 0)
    found = []
    for name, k in hours.items():
        if name.startswith("flow"):
            found.append(told[k - 1])
            continue
        miss = np.zeros(u.size)
        miss[k:] = np.nan_to_num(u[k:] - told[k - 1, :-k])
        found.append(miss * told[far - 1] if name.startswith("miss_flow") else miss)
    return np.column_stack([plain, *(f[heard] for f in found)])


def _tables(
    p: Place,
    r: _Record,
    whole: Floats,
    choice: int,
    terms: Terms,
    blocks: Ints,
    folds: Ints,
    lead: int,
) -> list[Table]:
    """On values of the whole record, of each fold by what was fitted without it, and without each fold."""
    many, names, far = int(folds.max()) + 1, _names(lead), lead + 1
    # the terms of level and rain are those of another kind, which has the same (`flood_score`)
    base = {"slot_min": 60, "silent_min": 60 * _SILENT_H, "power": _POWER}
    shared = [n for n in names if n.split("_")[0] in ("level", "rise", "rain")]
    plain = terms_at(p, base, shared)
    y = [highest_ahead(p, _POWER, lead * 60, far * 60)]
    every = folds[np.clip(np.searchsorted(blocks, _ends(p, r), "right") - 1, 0, blocks.size - 1)]

    def fit(x: Floats) -> tuple[Any, Any, Ints]:
        seen = [_terms(p, r, x, plain, names, far)]
        rows, of = rows_of([p], seen, y, [flood_weight(v) for v in y], far * 60, blocks, folds)
        return rows, least_squares(rows, many), of[0]

    rows, beta, fold = fit(whole)
    parameters = _parameters(r, whole, far) | weighed(rows, beta(()), names)
    made = FlowScore(zero_m=p.scale[0], flood_m=p.scale[1], **parameters)
    all_ = values_of(KINDS[FOLLOWED], made, p.track, p.beside)
    held, outer = np.empty(fold.size), []
    for f in range(many):
        rows, beta, _ = fit(_fit(r, lead, every != f, whole))
        values = np.empty(fold.size)
        for other in range(many):
            mine = fold == other
            values[mine] = rows.x[mine] @ beta((f,) if other == f else (f, other))
        held[fold == f] = values[fold == f]
        outer.append(values)
    limits = rungs([all_], flooded([p]))
    holds = (terms.window_ms // 60_000, 60)
    return [
        table([(FOLLOWED, parameters, [v])], choice, [p], holds, terms, blocks, limits)
        for v in (all_, held, *outer)
    ]


def _ends(p: Place, r: _Record) -> Ints:
    """(slots,) ms."""
    begin = int(p.track.at[0]) - int(p.track.heard[0]) * 3_600_000
    found: Ints = begin + np.arange(r.flow.size) * 3_600_000
    return found


def _parameters(r: _Record, x: Floats, far: int) -> dict[str, Any]:
    found = {n: float(f"{v:.6g}") for n, v in zip(_NAMES, _numbers(x).tolist(), strict=True)}
    more = {"power": _POWER, "usual_m3_s": float(f"{r.usual:.6g}"), "pe_mm_h": _PE, "days": _DAYS}
    return found | more | {"ahead_min": far * 60, "silent_h": _SILENT_H}
