r"""Discharge to come from a rainfall–runoff model of four parameters, run over the last weeks.

Sees: how wet the catchment is by its own water balance, and the flood that the rain so far makes.

Equation: GR4 at an hourly step. Net rain Pn or net evaporation En fills or empties the production
store S (capacity `x1` mm); percolation S (1 - [1 + (S / (21/4 x1))^4]^(-1/4)); what leaves goes 90 %
through a unit hydrograph of `x4` hours into the routing store R (capacity `x3` mm, outflow
R (1 - [1 + (R / x3)^4]^(-1/4))), 10 % through one of 2 `x4` straight out; both branches exchange
`x2` (R / x3)^3.5 mm/h with the ground. S-curves of the hydrographs have the exponent 1.25 (hourly).
The model starts `start_s` x1 and `start_r` x3 full and runs over `days` of hourly areal rain; value
= the highest discharge, m3/s, from now to `ahead_h` hours on without more rain.
window_min: how far ahead that is. per_h: as it grows if the rain goes on.
Parameters: area_km2; x1 (mm), x2 (mm/h), x3 (mm), x4 (h), fitted to the gauge; pe_mm_h: potential
evaporation, one number or twelve of the months (mm/h); start_s, start_r (share), days, ahead_h,
silent_h (hours).

Delay it adds: hours are whole hours.
Cannot see: rain to come, snow, dams; bursts shorter than an hour; unfitted parameters say nothing.
The weeks before the window are only in start_s and start_r. Cost: a loop over all hours each time
a row is judged: for a catchment or two, not for every gauge.
Source: Perrin, Michel & Andréassian 2003, J. Hydrol. 279:275–289 (GR4J); hourly: Mathevet 2005,
doctoral thesis, ENGREF, Paris.

>>> p = Gr4h(area_km2=3.6, x1=300.0, x2=0.0, x3=50.0, x4=4.0, days=2, ahead_h=6)
>>> rain = np.zeros((1, 1, 48)); rain[0, 0, -3:] = 20.0
>>> view = View(rain, np.array([0]), 3600, np.ones((1, 1)))
>>> wet = Gr4h(area_km2=3.6, x1=300.0, x2=0.0, x3=50.0, x4=4.0, days=2, ahead_h=6, start_s=0.9)
>>> [round(float(score(x, view).value[0]), 1) for x in (p, wet)]  # the same rain on wetter ground
[0.5, 8.1]
"""

from typing import NamedTuple

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints, Kind, Parameters, Scored, View
from detectors.rain.sums import areal_mean, check, going_on, so_far

_HOUR = 3_600_000
NEAR_STORE = 0.9  # the share that goes through the routing store


class Gr4h(Parameters, frozen=True):
    """The catchment."""

    area_km2: float
    x1: float
    x2: float
    x3: float
    x4: float
    pe_mm_h: tuple[float, ...] = (0.1,)
    start_s: float = 0.3
    start_r: float = 0.5
    days: int = 30
    ahead_h: int = 6
    silent_h: int = 2

    def __post_init__(self) -> None:
        check(self.area_km2 > 0, Text("area_km2 应为正", "area_km2 must be positive"))
        check(self.x1 > 0 and self.x3 > 0, Text("x1, x3 应为正", "x1, x3 must be positive"))
        check(0.5 <= self.x4 <= 240, "x4: 0.5 … 240 h")
        check(
            len(self.pe_mm_h) in (1, 12),
            Text("pe_mm_h: 一个数或十二个", "pe_mm_h: one number or twelve"),
        )
        check(
            all(x >= 0 for x in self.pe_mm_h),
            Text("pe_mm_h 应不为负", "pe_mm_h must not be negative"),
        )
        check(0 <= self.start_s <= 1 and 0 <= self.start_r <= 1, "start_s, start_r: 0 … 1")
        check(1 <= self.days <= 90 and 0 <= self.ahead_h <= 240, "days: 1 … 90, ahead_h: 0 … 240")
        check(1 <= self.silent_h <= 24, "silent_h: 1 … 24")


class Gr4hRun(NamedTuple):
    """flow: (n, W + A) mm/h; what evaporated, was exchanged and is stored at the end, mm."""

    flow: Floats
    evaporated: Floats
    exchanged: Floats
    stored: Floats


def ordinates(x4: float) -> tuple[Floats, Floats]:
    """The two unit hydrographs, hourly."""
    t = np.arange(int(np.ceil(x4)) + 1) / x4
    one = np.diff(np.minimum(t, 1) ** 1.25)
    t = np.arange(int(np.ceil(2 * x4)) + 1) / x4
    rise, fall = 0.5 * t**1.25, 1 - 0.5 * np.maximum(2 - t, 0) ** 1.25
    return one, np.diff(np.where(t <= 1, rise, fall))


class Catchments(NamedTuple):
    """Parameters of one catchment, or (n,) of as many; near, far: (hours, 1 or n) the hydrographs."""

    x1: Floats | float
    x2: Floats | float
    x3: Floats | float
    near: Floats
    far: Floats
    start_s: Floats | float
    start_r: Floats | float


def run(p: Gr4h, rain: Floats, pe: Floats) -> Gr4hRun:
    """The model over hours (n, H) of rain and potential evaporation, mm."""
    near, far = (x[:, None] for x in ordinates(p.x4))
    return balance(Catchments(p.x1, p.x2, p.x3, near, far, p.start_s, p.start_r), rain, pe)


def balance(c: Catchments, rain: Floats, pe: Floats) -> Gr4hRun:
    """`run`, each row of a catchment of its own."""
    n, hours = rain.shape
    s, r = np.full(n, c.start_s * c.x1), np.full(n, c.start_r * c.x3)
    # by hour first: an hour of all rows lies together
    to_near, to_far = np.zeros((hours + len(c.near), n)), np.zeros((hours + len(c.far), n))
    flow, evaporated, exchanged = np.zeros((hours, n)), np.zeros(n), np.zeros(n)
    wet, dry = np.ascontiguousarray(rain.T), np.ascontiguousarray(pe.T)
    net_rain, net_pe = np.maximum(wet - dry, 0), np.maximum(dry - wet, 0)
    lost = np.minimum(wet, dry)
    near, far = NEAR_STORE * c.near, (1 - NEAR_STORE) * c.far
    rains = np.any(net_rain, axis=1)
    for h in range(hours):
        s, leaves, loss = produced(c.x1, s, net_rain[h], net_pe[h], rains=bool(rains[h]))[:3]
        evaporated += loss + lost[h]
        to_near[h : h + len(near)] += leaves * near
        to_far[h : h + len(far)] += leaves * far
        share = r / c.x3
        change = c.x2 * (share * share * share * np.sqrt(share))
        before = r + to_near[h]
        r = np.maximum(before + change, 0)
        out = r * (1 - root(r / c.x3))
        straight = np.maximum(to_far[h] + change, 0)
        exchanged += r - before + straight - to_far[h]
        r = r - out
        flow[h] = out + straight
    left = to_near[hours:].sum(axis=0) + to_far[hours:].sum(axis=0)
    return Gr4hRun(flow.T, evaporated, exchanged, s + r + left)


def produced(
    x1: Floats | float, s: Floats, net_rain: Floats, net_pe: Floats, *, rains: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """An hour of the production store, mm: the store, what leaves for the hydrographs, what evaporates of it,
    what leaks of it (a part of what leaves). rains: whether there is net rain anywhere."""
    full, gain = s / x1, np.zeros(())
    if rains:
        t = np.tanh(np.minimum(net_rain / x1, 13))
        gain = x1 * (1 - full * full) * t / (1 + full * t)
    t = np.tanh(np.minimum(net_pe / x1, 13))
    loss = s * (2 - full) * t / (1 + (1 - full) * t)
    s = s + gain - loss
    leak = s * (1 - root(s / (5.25 * x1)))
    return s - leak, leak + net_rain - gain, loss, leak


def root(share: Floats) -> Floats:
    """(1 + share^4)^(-1/4); a power costs ten times as much."""
    square = share * share
    found: Floats = 1 / np.sqrt(np.sqrt(1 + square * square))
    return found


def _pe(p: Gr4h, end_at: Ints, hours: int) -> Floats:
    """(n, W + A): of the month (UTC) that each hour ends in."""
    table = np.asarray(p.pe_mm_h, np.float64)
    if table.size == 1:
        return np.full((end_at.size, hours + p.ahead_h), table[0])
    at = end_at[:, None] + np.arange(1 - hours, p.ahead_h + 1) * _HOUR
    month = at.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64) % 12
    found: Floats = table[month]
    return found


def _score(p: Gr4h, view: View) -> tuple[Floats, Ints]:
    rain = areal_mean(view.values, view.weights, p.silent_h)[0]
    hours = rain.shape[1]
    pe = _pe(p, view.end_at, hours)
    flow = run(p, np.pad(rain, ((0, 0), (0, p.ahead_h))), pe).flow[:, hours - 1 :]
    best = flow.argmax(axis=1)
    return flow[np.arange(best.size), best] * (p.area_km2 / 3.6), best * 60


def score(p: Gr4h, view: View) -> Scored:
    """m3/s."""
    return going_on(_score, p, view)


KIND = Kind(
    name="gr4h",
    inputs=("rain",),
    parameters=Gr4h,
    slot_s=lambda _: 3600,
    span=lambda p: p.days * 24,
    score=score,
    joint=True,
    plain=lambda p, view: so_far(_score, p, view),
)
