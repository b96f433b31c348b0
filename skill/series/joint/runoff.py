"""Discharge to come from rain alone, by a unit hydrograph that is fitted to the record (`unit_hydrograph`).

Three numbers are fitted to the root of the discharge by least squares (SciPy): the area that answers, the curve
number and the time of the linear stores; the base is the usual flow. They rest on every slot of the record and
are fitted anew without each fold. For a fold that is left out altogether the others keep the fits without
themselves: what such a fit owes to it may sway the choice among families, never what is counted of it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.sums import areal_mean
from detectors.setup.registry import KINDS
from detectors.water.unit_hydrograph import UnitHydrograph, hydrograph, runoff, span
from skill.series.families import Rival, Told
from skill.series.fit import Place, Terms, flooded, joined, rungs, table
from skill.series.track import Track, values_of

RUNOFF = "unit_hydrograph"
LEAST_FOLDS = 3
_MEMORY_H = 48
_LOW, _HIGH = (np.log(0.01), 20.0, np.log(0.2)), (np.log(1e5), 99.0, np.log(7.0))
_START = (np.log(30.0), 60.0, np.log(2.0))


def runoffs(
    sets: Sequence[tuple[Place, Track]],
    first: int,
    terms: Terms,
    blocks: Ints,
    folds: Ints,
    told: Told = lambda _: None,
) -> list[Rival]:
    """Sets of one place whose tracks are rain gauges, with the discharge on their slots."""
    many, parts = int(folds.max()) + 1, []
    if many < LEAST_FOLDS:
        return []
    for n, (place, flow) in enumerate(sets):
        told(f"{place.track.station} → {flow.station} {flow.quantity}")
        at = place.track.at[0] + (np.arange(flow.values.size) - place.track.heard[0]) * (
            place.track.slot_s * 1000
        )
        every = folds[np.clip(np.searchsorted(blocks, at, "right") - 1, 0, blocks.size - 1)]
        base = _base(place, flow, terms)
        whole, values = _fit(place, flow, base, every < 0)
        held = np.empty_like(values)
        mine = every[place.track.heard]
        for f in range(many):
            held[mine == f] = _fit(place, flow, base, every == f)[1][mine == f]
        limits = rungs([values], flooded([place]))
        holds = (terms.window_ms // 60_000, 60)
        parts.append(
            [
                table([(RUNOFF, whole, [v])], first + n, [place], holds, terms, blocks, limits)
                for v in (values, held)
            ]
        )
    if not parts:
        return []
    whole_, held_ = (joined(column) for column in zip(*parts, strict=True))
    return [Rival("runoff", 3, False, whole_, held_, (held_,) * many)]


def _base(place: Place, flow: Track, terms: Terms) -> dict[str, Any]:
    slot_min = place.track.slot_s // 60
    lead = -(-terms.min_lead_ms // 60_000 // slot_min) * slot_min
    return {
        "n": 2.0,
        "memory_h": _MEMORY_H,
        "decay_per_day": 0.9,
        "base_m3_s": round(float(np.nanmedian(flow.values)), 3),
        "slot_min": slot_min,
        "silent_min": 3 * slot_min,
        "ahead_min": lead + 3 * slot_min,
    }


def _fit(
    place: Place, flow: Track, base: dict[str, Any], out: Bools
) -> tuple[dict[str, Any], Floats]:
    """Parameters by all slots but those `out`, and the rule's values with them."""
    from scipy.optimize import least_squares  # as large as all that the rest loads
    from scipy.signal import lfilter

    gauges = np.stack([t.values for t in (place.track, *place.beside)])[None]
    rain = areal_mean(gauges, np.ones(gauges.shape[:2]), 3)[0][0]
    use = ~out & ~np.isnan(flow.values)
    seen = np.sqrt(np.maximum(flow.values[use], 0))

    def parameters(x: Floats) -> dict[str, Any]:
        named = {"area_km2": np.exp(x[0]), "cn": x[1], "k_h": np.exp(x[2])}
        return base | {name: float(f"{v:.5g}") for name, v in named.items()}

    def misses(x: Floats) -> Floats:
        area, cn, k = float(np.exp(x[0])), float(x[1]), float(np.exp(x[2]))
        p = UnitHydrograph(area_km2=area, cn=cn, k_h=k, **base)
        keep = p.decay_per_day ** (p.slot_min / 1440)
        before = lfilter([0.0, keep], [1.0, -keep], rain)
        left = np.convolve(runoff(before, rain, cn, p.ia), hydrograph(p)[: span(p)])[: rain.size]
        told = left * (area * 1000 / (p.slot_min * 60)) + p.base_m3_s
        found: Floats = np.sqrt(told[use]) - seen
        return found

    best = least_squares(misses, _START, bounds=(_LOW, _HIGH), max_nfev=40, diff_step=[1e-3] * 3)
    chosen = parameters(best.x)
    kind = KINDS[RUNOFF]
    assert kind.plain is not None
    made = msgspec.convert(chosen, UnitHydrograph)
    return chosen, values_of(kind._replace(score=kind.plain), made, place.track, place.beside)
