r"""Ground shaking that comes down a gully: stations that begin to shake in order, at a flow's pace.

Sees: the front of a debris flow as it passes geophones (or infrasound sensors) one after another. One
station's noise, an earthquake and a storm's thunder (all at once) and what runs faster or slower than a
flow do not make it speak.

Equation: at each station r(t) = mean of f(x) over `sta_s` / reference, f(x) = |x| or x^2 (`of` = amplitude
or energy). Reference, at least `floor`: with `before` = median the median of f(x) over the whole window,
which the flow itself moves little; with mean the mean of the `lta_s` before the `sta_s`. A station begins
to shake at t where r reaches `on` and was below it in the `sta_s` before. What at least half of the
stations heard (two or more) began within `together_s` of each other is common shaking, and struck out. Two
beginnings at stations i above j belong together when
(d_j - d_i) / fast_m_s - tolerance_s <= t_j - t_i <= (d_j - d_i) / slow_m_s + tolerance_s.
value = how many stations stand in the longest chain of such pairs within the last `within_s`; a station
that heard nothing is passed over. NaN where fewer than two stations can be judged.
Beside the value stand the speed between the first and the last of the chain, and for an area of
`village_m` when the flow may be there: at the earliest with `fast_m_s`, or with the greatest speed that
`tolerance_s` leaves of what was seen if that is less; at the latest with `slow_m_s`.
Parameters: distance_m (m along the channel, of each station in the row's order, downstream), slow_m_s,
fast_m_s (m/s), on (1), sta_s, lta_s, within_s, tolerance_s, together_s, slot_s (seconds), of, before, floor
(as in rule `sta_lta`), min_share (share of slots heard), village_m (area = "m along the channel").

window_min: from the first station of the chain to the last.
What comes late is judged at the row's clock: a chain that lies further back than `within_s` is history.
Delay it adds: the way of the flow from the first station to the second, and part of `sta_s`.
Cannot see: a flow that begins below the last station but one; stations so near that a flow and an
earthquake differ by less than `together_s` and `tolerance_s` (refused); a train or a vehicle that runs down
the valley at a flow's pace; with fewer than `min_share` of the window heard, anything.
Source: shaking down a channel at known distances: Arattano & Marchi 2008, Sensors 8:2436–2452; Schimmel,
Coviello & Comiti 2022, Nat. Hazards Earth Syst. Sci. 22:1955–1968. The range of speeds is wide on purpose
and not fitted: state the gully's own.

>>> p = Moveout(distance_m=(0, 400), slow_m_s=5, fast_m_s=20, sta_s=1, lta_s=20, within_s=90)
>>> quiet = [1.0, 2.0] * 56
>>> upper, lower = [*quiet[:40], *[9.0] * 20, *quiet[60:]], [*quiet[:80], *[9.0] * 32]
>>> view = View(np.array([[upper, lower]]), np.array([0]), 1, np.ones((1, 2)))
>>> float(score(p, view).value[0]), tells(p, view, "A01").note
(2.0, '10 m/s')
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
import numpy as np

from config.language import Said, Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Kind, Parameters, Scored, Tells, View
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_level import median

_LEAST = 2  # stations: one alone has no pace


class Moveout(Parameters, frozen=True):
    """Where the stations stand, and what counts as shaking."""

    distance_m: tuple[float, ...]
    slow_m_s: float = 1.0
    fast_m_s: float = 20.0
    on: float = 3.0
    sta_s: int = 10
    lta_s: int = 1800
    within_s: int = 1200
    tolerance_s: int = 5
    together_s: int = 5
    slot_s: int = 1
    of: Literal["amplitude", "energy"] = "amplitude"
    before: Literal["median", "mean"] = "median"
    floor: float = 0.0
    min_share: float = 0.5
    village_m: dict[str, float] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        windows = {"sta_s": self.sta_s, "lta_s": self.lta_s, "within_s": self.within_s}
        check_slots(self.slot_s, **windows)
        check(
            self.lta_s > self.sta_s, Text("lta_s 应长于 sta_s", "lta_s must be longer than sta_s")
        )
        check(span(self) <= 8192, Text("时段过多，至多 8192", "too many slots, at most 8192"))
        two = Text("distance_m 至少两站", "distance_m: at least two stations")
        check(len(self.distance_m) >= _LEAST, two)
        speeds = Text("应 0 < slow_m_s < fast_m_s", "0 < slow_m_s < fast_m_s is needed")
        check(0 < self.slow_m_s < self.fast_m_s, speeds)
        check(self.on > 1, Text("on 应大于 1", "on must be above 1"))
        check(self.floor >= 0, Text("floor 应不为负", "floor must not be negative"))
        check(0 < self.min_share <= 1, "min_share: 0 … 1")
        check(self.tolerance_s >= 0 and self.together_s >= 0, "tolerance_s, together_s: ≥ 0")
        ways = np.diff(np.array(self.distance_m, np.float64))
        rising = Text("distance_m 应自上而下递增", "distance_m must rise downstream")
        check(bool((ways > 0).all()), rising)
        near = (self.tolerance_s + self.together_s + self.slot_s) * self.fast_m_s
        check(float(ways.min()) >= near, _too_near(near))
        least = float(ways.min()) / self.slow_m_s
        short = Text(f"within_s 应不短于 {least:g} s", f"within_s must be at least {least:g} s")
        check(least <= self.within_s, short)
        low = " ".join(a for a, m in self.village_m.items() if m <= 0)
        check(not low, Text(f"village_m 应为正：{low}", f"village_m must be positive: {low}"))


def _too_near(near: float) -> Text:
    return Text(
        f"distance_m：相邻两站应至少相隔 {near:g} m，否则最快的流与地震分不开"
        "（fast_m_s、tolerance_s、together_s）",
        f"distance_m: stations at least {near:g} m apart, or the fastest flow cannot be told from an "
        "earthquake (fast_m_s, tolerance_s, together_s)",
    )


_Chain = tuple[tuple[int, int], ...]  # station and slot of each that began, downstream


def span(p: Moveout) -> int:
    """The window, with what goes before its first beginning."""
    return (p.lta_s + 2 * p.sta_s + p.within_s) // p.slot_s


def _means(x: Floats, length: int, min_share: float) -> Floats:
    """(…, W - length + 1): means of `length` slots in a row, NaN where too few were heard."""
    known = np.cumsum(np.pad(~np.isnan(x), [(0, 0)] * (x.ndim - 1) + [(1, 0)]), axis=-1)
    total = np.cumsum(np.pad(np.nan_to_num(x), [(0, 0)] * (x.ndim - 1) + [(1, 0)]), axis=-1)
    many = known[..., length:] - known[..., :-length]
    mean = (total[..., length:] - total[..., :-length]) / np.maximum(many, 1)
    found: Floats = np.where(many >= min_share * length, mean, np.nan)
    return found


def ratios(p: Moveout, values: Floats) -> Floats:
    """(n, k, within + sta): r of each of the newest slots; the first `sta_s` only say what was before."""
    x = np.abs(values)
    if p.of == "energy":
        x = x * x
    sta, lta = p.sta_s // p.slot_s, p.lta_s // p.slot_s
    short = _means(x, sta, p.min_share)[..., lta:]
    if p.before == "mean":
        usual = _means(x, lta, p.min_share)[..., : short.shape[-1]]
    else:
        n, k, width = x.shape
        heard = (~np.isnan(x)).sum(axis=-1) >= p.min_share * width
        middle = median(x.reshape(n * k, width)).reshape(n, k)
        usual = np.where(heard, middle, np.nan)[..., None]
    usual = np.maximum(usual, p.floor)
    found: Floats = (short / np.where(usual > 0, usual, np.nan))[..., -_newest(p) :]
    return found


def _newest(p: Moveout) -> int:
    return (p.within_s + p.sta_s) // p.slot_s


def _beginnings(p: Moveout, r: Floats) -> Bools:
    """(n, k, within): where each station begins to shake."""
    quiet = p.sta_s // p.slot_s
    on, known = r >= p.on, ~np.isnan(r)
    shook = np.cumsum(np.pad(on, ((0, 0), (0, 0), (1, 0))), axis=-1)
    heard = np.cumsum(np.pad(known, ((0, 0), (0, 0), (1, 0))), axis=-1)
    many = on.shape[-1] - quiet
    before: Bools = shook[..., quiet : quiet + many] - shook[..., :many] == 0
    judged = heard[..., quiet : quiet + many] - heard[..., :many] > 0
    found: Bools = on[..., quiet:] & before & judged
    return found


def _apart(p: Moveout, begins: Sequence[Sequence[int]], heard: int) -> list[list[int]]:
    """Without the shaking that half of the stations felt at once."""
    near, need = p.together_s // p.slot_s, max(_LEAST, -(-heard // 2))
    left = []
    for k, mine in enumerate(begins):
        others = [of for j, of in enumerate(begins) if j != k]
        at_once = [1 + sum(any(abs(t - u) <= near for u in of) for of in others) for t in mine]
        left.append([t for t, many in zip(mine, at_once, strict=True) if many < need])
    return left


def _longest(p: Moveout, begins: Sequence[Sequence[int]]) -> _Chain:
    """The chain of most stations, the newest of those."""
    chains: list[_Chain] = []
    for k, mine in enumerate(begins):
        mine_end = []
        for t in mine:
            best: _Chain = ((k, t),)
            for c in chains:
                i, u = c[-1]
                way, took = p.distance_m[k] - p.distance_m[i], (t - u) * p.slot_s
                early, late = way / p.fast_m_s - p.tolerance_s, way / p.slow_m_s + p.tolerance_s
                if early <= took <= late and len(c) >= len(best):
                    best = (*c, (k, t))
            mine_end.append(best)
        chains += mine_end
    return max(chains, key=lambda c: (len(c), c[-1][1]), default=())


def _chains(p: Moveout, view: View) -> list[_Chain | None]:
    """Of each judgement; None where fewer than two stations can be judged."""
    r = ratios(p, view.values[:, : len(p.distance_m)])
    heard = (~np.isnan(r)).any(axis=-1).sum(axis=-1)
    begins = _beginnings(p, r)
    busy = begins.any(axis=-1).sum(axis=-1)
    found: list[_Chain | None] = []
    for n in range(len(r)):
        if heard[n] < _LEAST:
            found.append(None)
        elif not busy[n]:
            found.append(())
        else:
            each = [np.nonzero(row)[0].tolist() for row in begins[n]]
            found.append(_longest(p, _apart(p, each, int(heard[n]))))
    return found


def score(p: Moveout, view: View) -> Scored:
    """Stations. A row with fewer stations than distances cannot say."""
    n = len(view.values)
    nothing = np.full(n, np.nan)
    if view.values.shape[1] < len(p.distance_m):
        return Scored(nothing, np.zeros(n, np.int64), nothing)
    chains = _chains(p, view)
    value = np.array([np.nan if c is None else float(len(c)) for c in chains])
    took = [(c[-1][1] - c[0][1]) * p.slot_s if c else 0 for c in chains]
    return Scored(value, np.array([-(-s // 60) for s in took], np.int64), nothing)


def tells(p: Moveout, view: View, area: str) -> Tells:
    """Of one judgement: the speed seen, and when the flow may be at the area, where that is known."""
    chain = _chains(p, view)[0]
    if chain is None or len(chain) < _LEAST:
        return Tells()
    (i, t), (j, u), inputs = chain[0], chain[-1], tuple(k for k, _ in chain)
    way, took = p.distance_m[j] - p.distance_m[i], (u - t) * p.slot_s
    note = f"{way / max(took, p.slot_s):.2g} m/s"
    left = p.village_m.get(area, 0.0) - p.distance_m[j]
    if left <= 0:  # it stands above the last station that felt it, or no distance is stated
        return Tells(note, inputs=inputs)
    fastest = min(p.fast_m_s, way / (took - p.tolerance_s)) if took > p.tolerance_s else p.fast_m_s
    passed = int(view.end_at[0]) - (p.within_s // p.slot_s - 1 - u) * p.slot_s * 1000
    early, late = (round(left / v * 1000) for v in (max(fastest, p.slow_m_s), p.slow_m_s))
    return Tells(note, passed + early, passed + late, inputs)


def unfit(p: Moveout, stations: Sequence[str], areas: Iterable[str]) -> Said:
    """Why a row with these stations cannot be."""
    if len(stations) != len(p.distance_m):
        many = len(p.distance_m)
        return Text(
            f"stations 应列 {many} 站，从上游到下游，与 distance_m 一一对应",
            f"stations: list {many}, downstream, one for each distance_m",
        )
    known = {*areas}
    unknown = [a for a in p.village_m if a not in known]
    if unknown:
        names = " ".join(unknown)
        return Text(f"village_m：没有预警区 {names}", f"village_m: no such area {names}")
    return ""


KIND = Kind(
    name="moveout",
    inputs=("ground_velocity", "infrasound"),
    parameters=Moveout,
    slot_s=lambda p: p.slot_s,
    span=span,
    score=score,
    gather="max",
    joint=True,
    newest=True,
    tells=tells,
    unfit=unfit,
)
