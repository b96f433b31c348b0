r"""Discharge to come as one number: a rainfall–runoff model that starts from the discharge that is measured.

Sees: a flood that the rain which has fallen will make of the water that is in the stream now, as far ahead as
water is on its way through the ground; how far the model erred an hour or two ago.

Equation: the stores and hydrographs of GR4 at an hourly step (`gr4h`) run over the last `days` of areal rain.
In each hour in which the discharge was heard the routing store is set to what gives that discharge, so the
model never drifts from the stream; in others it runs on. F_k is then the discharge k minutes on without more
rain. The production store begins start_s + start_by ln(q / usual_m3_s) full, with q the first discharge heard.
score = intercept + sum of weight x term, with u(q) = max(0, (q - zero_m) / (flood_m - zero_m))^power (0 usual,
1 the flood level): `level`, u of the newest discharge; `rise_Nmin`, u less what it was N minutes before (all 0
where one is not known); `rain_Nmin`, areal rain of the last N minutes, mm; `flow_Nmin`, u(F_N); `miss_Nmin`, u
less what was foretold of it N minutes ago, 0 where it is not heard; `miss_flow_Nmin`, that times
u(F of `ahead_min`): a gauge that has caught too little rain will have caught too little of what is on its way.
The value is the highest u that is expected within `ahead_min`. Discharge is the row's own, the rain gauges
stand beside it (`beside = { rain = [...] }`).
window_min: `ahead_min`.
Parameters: zero_m, flood_m (m3/s), power, intercept, weights (term: weight); area_km2, x1 (mm), x2 (mm/h), x3
(mm), x4 (h) of the model, start_s, start_by (shares), usual_m3_s, pe_mm_h (potential evaporation, mm/h), days,
ahead_min (minutes), silent_h (hours). `fengsui tune` fits all of them.

Delay it adds: hours are whole hours.
Cannot see: rain to come, snow, dams; bursts shorter than an hour; a rating curve that has changed. NaN where
the discharge was not heard for `silent_h`. Cost: a loop over all hours each time a row is judged: for a
catchment or two, not for every gauge.
Source: Perrin, Michel & Andréassian 2003, J. Hydrol. 279:275–289 (GR4J); setting the routing store by the last
discharge: Berthet, Andréassian, Perrin & Javelle 2009, Hydrol. Earth Syst. Sci. 13:819–831; the weights are
least squares on the record named in the file.

>>> p = FlowScore(flood_m=10, area_km2=36, x1=300, x2=0, x3=50, x4=4, days=2, weights={"flow_120min": 1.0})
>>> rain = np.zeros((1, 2, 48)); rain[0, 0] = 2.0; rain[0, 1, -3:] = 20.0
>>> seen = View(rain, np.array([0]), 3600, np.ones((1, 2)))
>>> dry = View(rain * [[[1.0], [0.0]]], np.array([0]), 3600, np.ones((1, 2)))
>>> [round(float(score(p, x).value[0]) ** 2, 2) for x in (dry, seen)]  # parts of the flood level, as discharge
[0.18, 0.47]
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import msgspec
import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, View, scored
from detectors.rain.storm.log_odds import weighed
from detectors.rain.sums import areal_mean, check, check_slots
from detectors.statistics.robust_slope import newest
from detectors.water.runoff.gr4h import NEAR_STORE, ordinates, produced, root
from detectors.water.stage_score import as_heard, check_scale, scaled, then

_TERM = re.compile(r"(rise|rain|flow|miss|miss_flow)_([1-9]\d{0,4})min")
_TERMS = "level, rise_Nmin, rain_Nmin, flow_Nmin, miss_Nmin, miss_flow_Nmin"
_LEAST = 0.1  # of the discharge goes through the routing store, whatever the other way brings
# outflow of the routing store of an hour, and what stays in it, both as shares of its capacity
_FULL = np.concatenate(([0.0], np.geomspace(1e-3, 1e3, 4000)))
_OUT = _FULL * (1 - root(_FULL))
_LEFT = _FULL - _OUT


class FlowScore(Parameters, frozen=True):
    """The stream's scale, its catchment, and what each term counts."""

    area_km2: float
    x1: float
    x2: float
    x3: float
    x4: float
    zero_m: float = 0.0
    flood_m: float = 1.0
    power: float = 0.5
    intercept: float = 0.0
    weights: dict[str, float] = msgspec.field(default_factory=lambda: {"flow_60min": 1.0})
    start_s: float = 0.5
    start_by: float = 0.0
    usual_m3_s: float = 1.0
    pe_mm_h: float = 0.1
    days: int = 20
    ahead_min: int = 180
    silent_h: int = 3

    def __post_init__(self) -> None:
        check_scale(self.zero_m, self.flood_m, self.power)
        check(self.area_km2 > 0, Text("area_km2 应为正", "area_km2 must be positive"))
        check(self.x1 > 0 and self.x3 > 0, Text("x1, x3 应为正", "x1, x3 must be positive"))
        check(0.5 <= self.x4 <= 240, "x4: 0.5 … 240 h")
        check(0 <= self.start_s <= 1, "start_s: 0 … 1")
        check(self.usual_m3_s > 0, Text("usual_m3_s 应为正", "usual_m3_s must be positive"))
        check(self.pe_mm_h >= 0, Text("pe_mm_h 应不为负", "pe_mm_h must not be negative"))
        check(1 <= self.days <= 90, "days: 1 … 90")
        check(60 <= self.ahead_min <= 1440, "ahead_min: 60 … 1440")
        check(1 <= self.silent_h <= 24, "silent_h: 1 … 24")
        check_slots(3600, ahead_min=self.ahead_min * 60)
        for name in self.weights:
            found = _TERM.fullmatch(name)
            check(
                name == "level" or found is not None,
                Text(f"weights: 未知 {name!r}: {_TERMS}", f"weights: unknown {name!r}: {_TERMS}"),
            )
            if found:
                check_slots(3600, **{name: int(found[2]) * 60})
                check(
                    int(found[2]) <= self.days * 1440 - self.silent_h * 60,
                    Text(f"{name}：长于 days", f"{name}: longer than days"),
                )


class Basins(NamedTuple):
    """Parameters of one catchment, or (n,) of as many; near, far: (hours, 1 or n) the hydrographs."""

    x1: Floats | float
    x2: Floats | float
    x3: Floats | float
    near: Floats
    far: Floats
    start_s: Floats | float


class Followed(NamedTuple):
    """(hours, n), mm: what left for the hydrographs, what of it leaked from the production store, the routing
    store at the end of the hour."""

    leaves: Floats
    leak: Floats
    store: Floats


@cache
def _length(name: str) -> tuple[str, int]:
    """What a term is of, and over how many hours."""
    found = _TERM.fullmatch(name)
    return (found[1], int(found[2]) // 60) if found else (name, 0)


def hydrographs(x4: Sequence[float]) -> tuple[Floats, Floats]:
    """(hours, sets) both unit hydrographs of each x4, each with its share of the water."""
    found = []
    for which, share in enumerate((NEAR_STORE, 1 - NEAR_STORE)):
        each = [share * ordinates(float(x))[which] for x in x4]
        longest = max(e.size for e in each)
        found.append(np.stack([np.pad(e, (0, longest - e.size)) for e in each], 1))
    return found[0], found[1]


def begins(start_s: Floats | float, start_by: Floats | float, share: Floats) -> Floats:
    """(n,) how full the production store begins; share: of the first discharge in the usual one."""
    found: Floats = np.clip(start_s + start_by * np.log(np.maximum(share, 1e-3)), 0.02, 0.98)
    return found


def follow(b: Basins, rain: Floats, flow: Floats, pe: float) -> Followed:
    """The model over (hours, n) of rain, mm, set right by the discharge, mm/h, where it was heard."""
    hours, n = rain.shape
    s, r = np.full(n, b.start_s * b.x1), np.full(n, 0.3 * b.x3)
    net_rain, net_pe = np.maximum(rain - pe, 0), np.maximum(pe - rain, 0)
    rains, heard = np.any(net_rain, axis=1), np.isfinite(flow)
    to_near, to_far = np.zeros((hours + len(b.near), n)), np.zeros((hours + len(b.far), n))
    leaves, leak, store = (np.empty((hours, n)) for _ in range(3))
    for h in range(hours):
        s, leaves[h], _, leak[h] = produced(b.x1, s, net_rain[h], net_pe[h], rains=bool(rains[h]))
        to_near[h : h + len(b.near)] += leaves[h] * b.near
        to_far[h : h + len(b.far)] += leaves[h] * b.far
        r, _, straight = _routed(b, r, to_near[h], to_far[h])
        told = np.maximum(flow[h] - straight, _LEAST * flow[h])
        r = np.where(heard[h], b.x3 * np.interp(told / b.x3, _OUT, _LEFT), r)
        store[h] = r
    return Followed(leaves, leak, store)


def _routed(b: Basins, r: Floats, near: Floats, far: Floats) -> tuple[Floats, Floats, Floats]:
    """The routing store after an hour, the discharge out of it and that past it, mm."""
    share = r / b.x3
    change = b.x2 * (share * share * share * np.sqrt(share))
    full = np.maximum(r + near + change, 0)
    out = full * (1 - root(full / b.x3))
    return full - out, out, np.maximum(far + change, 0)


def ahead(b: Basins, f: Followed, most: int, last: int) -> Floats:
    """(most, last, n) the discharge, mm/h, one to `most` hours after each of the `last` hours, if no more rain
    falls and the production store leaks on as it did."""
    r, found = f.store[-last:], []
    for k in range(1, most + 1):
        near, far = (_coming(f, u, k, last) for u in (b.near, b.far))
        r, out, straight = _routed(b, r, near, far)
        found.append(out + straight)
    return np.array(found)


def _coming(f: Followed, u: Floats, k: int, last: int) -> Floats:
    """(last, n) what a hydrograph brings k hours on of what has left so far."""
    hours = len(f.leaves)
    total: Floats = u[:k].sum(axis=0) * f.leak[-last:]
    for j in range(k, len(u)):
        back = j - k
        first = max(hours - last - back, 0)
        some = f.leaves[first : hours - back]
        if not len(some):
            break
        total[last - len(some) :] += u[j] * some
    return total


def terms(p: FlowScore, view: View, names: Iterable[str] | None = None) -> Floats:
    """(n, terms) in the order of `weights`, or those of these names; NaN where the discharge was not heard."""
    names = list(p.weights if names is None else names)
    lengths = [_length(name) for name in names]
    flow, silent = view.values[:, 0], p.silent_h
    rain = np.zeros_like(flow)
    if view.values.shape[1] > 1:
        rain = areal_mean(view.values[:, 1:], view.weights[:, 1:], silent)[0]
    rows = np.arange(len(flow))
    first = np.nan_to_num(flow[rows, np.isfinite(flow).argmax(axis=1)], nan=p.usual_m3_s)
    near, far = hydrographs([p.x4])
    start = begins(p.start_s, p.start_by, first / p.usual_m3_s)
    basins = Basins(p.x1, p.x2, p.x3, near, far, start)
    run = follow(basins, np.ascontiguousarray(rain.T), flow.T * (3.6 / p.area_km2), p.pe_mm_h)
    missed = [k for what, k in lengths if what.startswith("miss")]
    most = max([p.ahead_min // 60, *(k for what, k in lengths if what == "flow"), *missed])
    told = scale(p, ahead(basins, run, most, max([1, *(k + 1 for k in missed)])))
    u = scale(p, flow, in_mm=False)
    now, back = newest(u[:, -silent - 1 :])
    seen = as_heard(u, back)
    fell = np.cumsum(rain[:, ::-1], axis=1)
    found = np.empty((len(flow), len(names)))
    for n, (what, k) in enumerate(lengths):
        found[:, n] = (
            now if what == "level"
            else now - then(seen, k, silent) if what == "rise"
            else fell[:, k - 1] if what == "rain"
            else told[k - 1, -1] if what == "flow"
            else np.nan_to_num(u[:, -1] - told[k - 1, -1 - k])
        )  # fmt: skip
        if what == "miss_flow":
            found[:, n] *= told[p.ahead_min // 60 - 1, -1]
    rises = [n for n, (what, _) in enumerate(lengths) if what == "rise"]
    lacks = np.any(np.isnan(found[:, rises]), axis=1)
    for n in rises:
        found[lacks, n] = 0.0
    found[np.isnan(now)] = np.nan
    return found


def scale(p: FlowScore, flow: Floats, *, in_mm: bool = True) -> Floats:
    """u of a discharge, m3/s or mm/h; NaN stays NaN."""
    q = flow * (p.area_km2 / 3.6) if in_mm else flow
    u: Floats = np.maximum(scaled(q, p.zero_m, p.flood_m, p.power), 0)
    return u


def score(p: FlowScore, view: View) -> Scored:
    """1 is the flood level."""
    return scored(weighed(p.intercept, p.weights, terms(p, view)), p.ahead_min)


KIND = Kind(
    name="flow_score",
    inputs=("discharge",),
    parameters=FlowScore,
    slot_s=lambda _: 3600,
    span=lambda p: p.days * 24,
    score=score,
    gather="max",
    joint=True,
    mixed=("rain",),
)
