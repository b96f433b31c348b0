"""Discharge to come from rain alone, by a water balance of weeks that is fitted to the record (`gr4h`).

Its four parameters, the area that answers and how full both stores are at the beginning are fitted to the root
of the discharge by least squares (SciPy). The record is cut into stretches that each begin `days` before the
hours that are asked for, as the rule that runs live begins, so that what is fitted is what runs.
"""

from typing import Any

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats
from detectors.water.runoff.gr4h import Catchments, Gr4h, balance, ordinates
from skill.series.fit import Place, Terms
from skill.series.joint.runoff import Model, Numbers, areal
from skill.series.track import Track

_DAYS = 20
_ASKED = 96  # hours of a stretch that are asked for
_LOOKS, _AGAIN = 15, 3  # of a fit, and of one that begins with that of the whole record
# area km2, x1 mm, x2 mm/h, x3 mm, x4 h, fullness of both stores; the logarithm of those that are sizes
_LOGS = np.array([True, True, False, True, True, False, False])
_NAMES = ("area_km2", "x1", "x2", "x3", "x4", "start_s", "start_r")
_START = (30.0, 300.0, 0.02, 50.0, 4.0, 0.5, 0.3)
_LOW = (0.01, 10.0, -2.0, 1.0, 0.5, 0.01, 0.01)
_STEPS = np.array([0.01, 0.01, 0.001, 0.01, 0.01, 0.002, 0.002])  # of slopes, logarithms as such
_HIGH = (1e5, 3000.0, 2.0, 500.0, 96.0, 0.99, 0.99)


def _free(x: Any) -> Floats:
    """Sizes as their logarithms."""
    x = np.asarray(x, np.float64)
    found: Floats = np.where(_LOGS, np.log(np.where(_LOGS, x, 1.0)), x)
    return found


def _fit(place: Place, flow: Track, terms: Terms, out: Bools, whole: Numbers | None) -> Numbers:
    from scipy.optimize import least_squares  # as large as all that the rest loads

    ahead = -(-terms.min_lead_ms // 3_600_000) + 3
    base: Numbers = {"days": _DAYS, "ahead_h": int(ahead), "silent_h": 3}
    rain, slots = areal(place), flow.values.size
    before = _DAYS * 24
    starts = np.arange(0, slots, _ASKED)
    at = starts[:, None] + np.arange(-before, _ASKED)
    inside = (at >= 0) & (at < slots)
    fell = np.where(inside, rain[np.clip(at, 0, slots - 1)], 0.0)
    use = (~out & ~np.isnan(flow.values))[np.clip(at, 0, slots - 1)] & inside
    use[:, :before] = False
    seen = np.sqrt(np.maximum(flow.values[np.clip(at, 0, slots - 1)][use], 0))
    pe = Gr4h(area_km2=1, x1=1, x2=0, x3=1, x4=1).pe_mm_h[0]

    low, high = _free(_LOW), _free(_HIGH)

    def numbers(x: Floats) -> Floats:
        """(…, parameters) on their own scales."""
        found: Floats = np.where(_LOGS, np.exp(np.where(_LOGS, x, 0.0)), x)
        return found

    def roots(xs: Floats) -> Floats:
        """(sets of parameters, slots that are asked for) the root of the discharge."""
        v, many = numbers(xs), len(fell)
        each = np.repeat(v, many, axis=0)
        _, x1, x2, x3, _, start_s, start_r = each.T
        near, far = (np.repeat(x, many, axis=1) for x in _hydrographs(v[:, 4]))
        c = Catchments(x1, x2, x3, near, far, start_s, start_r)
        rows = np.tile(fell, (len(v), 1))
        flow = balance(c, rows, np.full(rows.shape, pe)).flow.reshape(len(v), *fell.shape)
        told: Floats = flow[:, use] * (v[:, :1] / 3.6)
        return np.sqrt(np.maximum(told, 0))

    def slopes(x: Floats) -> Floats:
        """(slots, parameters): all of them in one run, for a run costs by its hours."""
        step = np.where(x + _STEPS > high, -_STEPS, _STEPS)
        all_ = roots(np.vstack((x, x + np.diag(step))))
        found: Floats = ((all_[1:] - all_[0]) / step[:, None]).T
        return found

    def misses(x: Floats) -> Floats:
        found: Floats = roots(x[None])[0] - seen
        return found

    start = _START if whole is None else [whole[n] for n in _NAMES]
    best = least_squares(
        misses,
        np.clip(_free(start), low + 1e-6, high - 1e-6),
        jac=slopes,
        bounds=(low, high),
        max_nfev=_LOOKS if whole is None else _AGAIN,
        x_scale=100 * _STEPS,
    )
    found = zip(_NAMES, numbers(best.x), strict=True)
    return base | {name: float(f"{v:.5g}") for name, v in found}


def _hydrographs(x4: Floats) -> tuple[Floats, Floats]:
    """(hours, sets) both unit hydrographs of each x4."""
    each = [ordinates(float(x)) for x in x4]
    found = []
    for which in range(2):
        longest = max(e[which].size for e in each)
        found.append(np.stack([np.pad(e[which], (0, longest - e[which].size)) for e in each], 1))
    return found[0], found[1]


BALANCE = Model("gr4h", "balance", _fit)
