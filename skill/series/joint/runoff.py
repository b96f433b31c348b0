"""Discharge to come from rain alone, by runoff models that are fitted to the record: the unit hydrograph
(`unit_hydrograph`) and the water balance of weeks (`skill.series.joint.balance`).

Of the first, three numbers are fitted to the root of the discharge by least squares (SciPy): the area that
answers, the curve number and the time of the linear stores; the base is the usual flow. What is fitted rests on
every slot of the record and is fitted anew without each fold. For a fold that is left out altogether the others
keep the fits without themselves: what such a fit owes to it may sway the choice among families, never what is
counted of it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.sums import areal_mean
from detectors.setup.registry import KINDS
from detectors.water.runoff.unit_hydrograph import UnitHydrograph, hydrograph, runoff, span
from skill.series.families import Rival, Told
from skill.series.fit import Place, Terms, flooded, joined, rungs, table
from skill.series.track import Track, values_of

LEAST_FOLDS = 3
_MEMORY_H = 48
_LOW, _HIGH = (np.log(0.01), 20.0, np.log(0.2)), (np.log(1e5), 99.0, np.log(7.0))
_START = (np.log(30.0), 60.0, np.log(2.0))

Numbers = dict[str, Any]


class Model(NamedTuple):
    """A kind that a family is made of. fit: place with rain gauges, discharge on their slots, terms, slots
    that have no say, and what came of all slots if that is known -> the kind's parameters."""

    kind: str
    family: str
    fit: Callable[[Place, Track, Terms, Bools, Numbers | None], Numbers]


def runoffs(
    model: Model,
    sets: Sequence[tuple[Place, Track]],
    first: int,
    terms: Terms,
    blocks: Ints,
    folds: Ints,
    told: Told = lambda _: None,
    known: dict[tuple[str, int], tuple[Numbers, Floats]] | None = None,
) -> list[Rival]:
    """Sets of one place whose tracks are rain gauges, with the discharge on their slots. known: what came of
    the whole record, of each model and set, which is the same for all folds; it is filled."""
    known = {} if known is None else known
    many, parts = int(folds.max()) + 1, []
    if many < LEAST_FOLDS:
        return []
    for n, (place, flow) in enumerate(sets):
        told(f"{place.track.station} → {flow.station} {flow.quantity} ({model.kind})")
        at = place.track.at[0] + (np.arange(flow.values.size) - place.track.heard[0]) * (
            place.track.slot_s * 1000
        )
        every = folds[np.clip(np.searchsorted(blocks, at, "right") - 1, 0, blocks.size - 1)]
        mine = every[place.track.heard]
        if (model.kind, n) not in known:
            whole = model.fit(place, flow, terms, every < 0, None)
            known[model.kind, n] = whole, _values(model.kind, whole, place, mine >= 0)
        whole, values = known[model.kind, n]
        held = np.empty_like(values)
        for f in range(many):
            if (here := mine == f).any():
                without = model.fit(place, flow, terms, every == f, whole)
                held[here] = _values(model.kind, without, place, here)
        limits = rungs([values], flooded([place]))
        holds = (terms.window_ms // 60_000, 60)
        parts.append(
            [
                table([(model.kind, whole, [v])], first + n, [place], holds, terms, blocks, limits)
                for v in (values, held)
            ]
        )
    if not parts:
        return []
    whole_, held_ = (joined(column) for column in zip(*parts, strict=True))
    return [Rival(model.family, 3, False, whole_, held_, (held_,) * many)]


def _values(name: str, parameters: Numbers, place: Place, use: Bools) -> Floats:
    """What the rule says at the slots `use` of those that were heard."""
    kind, t = KINDS[name], place.track
    some = t._replace(heard=t.heard[use], at=t.at[use])
    made = msgspec.convert(parameters, kind.parameters)
    return values_of(kind, made, some, place.beside)


def areal(place: Place) -> Floats:
    """(slots,) mm, the mean of the place's gauges as the rules take it."""
    gauges = np.stack([t.values for t in (place.track, *place.beside)])[None]
    rain: Floats = areal_mean(gauges, np.ones(gauges.shape[:2]), 3)[0][0]
    return rain


def _base(place: Place, flow: Track, terms: Terms) -> Numbers:
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


def _fit(place: Place, flow: Track, terms: Terms, out: Bools, _: Numbers | None) -> Numbers:
    """The unit hydrograph by all slots but those `out`."""
    from scipy.optimize import least_squares  # as large as all that the rest loads
    from scipy.signal import lfilter

    base, rain = _base(place, flow, terms), areal(place)
    use = ~out & ~np.isnan(flow.values)
    seen = np.sqrt(np.maximum(flow.values[use], 0))

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
    named = {"area_km2": np.exp(best.x[0]), "cn": best.x[1], "k_h": np.exp(best.x[2])}
    return base | {name: float(f"{v:.5g}") for name, v in named.items()}


HYDROGRAPH = Model("unit_hydrograph", "runoff", _fit)
