r"""How the rain moves over the gauges, and where it is in an hour if it goes on so. Pure.

The velocity is the one at which what a gauge measured looks most like what another, so much further along,
measured so much later: the space-time correlation of all pairs of gauges, pooled over lags of 10 to 30 minutes
(Marshall 1980, J. Hydrol. 48:19–39: movement of storms by correlation analysis of rain gauges). No field is
interpolated for it, for that of fixed gauges has peaks that stand still. Amounts are taken by their roots, less
the mean of all gauges at that time, so that rain which comes and goes everywhere moves nowhere.

How sure that is comes of leaving out an eighth of the gauges at a time (the grouped jackknife: Efron &
Tibshirani 1993, An Introduction to the Bootstrap, ch. 11). It is not known where too few gauges are wet, where
nothing correlates, and where the motion is not twice its own error: rain that stands has no direction.

Where it goes: the rain of now is taken along, and neither grows nor fades (Lagrangian persistence: Germann &
Zawadzki 2002, Mon. Weather Rev. 130:2859–2873), which holds for an hour at most."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Why = Literal["dry", "sparse", "short", "unclear", "standing"]

STEP_MIN = 5  # of the columns of rain
WINDOW = 18  # so many of them are looked at: an hour and a half
AHEAD_MIN = 60
REACH_KM = 9.0  # of a gauge's word on the rain beside it, as the map draws it
HEAVY_MM_H = (
    16.0  # what is called heavy rain within an hour (GB/T 28592-2012: 暴雨 begins at 16 mm/h)
)
_LAGS = (2, 3, 4, 5, 6)  # columns
_WET_MM, _WET, _GAUGES = 1.0, 5, 8
_CELL_KM, _HALF = 2.0, 26  # the plane of distances between two gauges
_STEPS = np.arange(2 * _HALF + 1)
_BLUR = np.exp(-0.5 * ((_STEPS[:, None] - _STEPS[None, :]) / 1.5) ** 2)
_FASTEST, _EVERY, _NEAR = 88.0, 4.0, 24.0  # km/h; how far a part of the gauges may differ
_LEAST_R, _LEAST_KMH, _GROUPS, _MOST_GAUGES = 0.35, 5.0, 8, 160
_SHARE = 0.12  # of the pairs at rest, at a velocity that is believed
# beside what the jackknife sees: fast rain is found too slow, as it leaves the gauges
_SLOW, _OFF_KMH = 0.12, 1.0


class Motion(NamedTuple):
    """Towards where it moves. error_kmh: one standard error of the velocity, in its worse direction;
    alike: the correlation, 0 … 1."""

    east_kmh: float
    north_kmh: float
    error_kmh: float
    alike: float

    @property
    def kmh(self) -> float:
        return float(np.hypot(self.east_kmh, self.north_kmh))

    @property
    def bearing(self) -> float:
        """Degrees clockwise from north."""
        return float(np.degrees(np.arctan2(self.east_kmh, self.north_kmh)) % 360)

    @property
    def bearing_error(self) -> float:
        """Degrees to either side, one standard error."""
        return float(np.degrees(np.arctan2(self.error_kmh, self.kmh)))

    @property
    def sure(self) -> bool:
        """Within a quarter of its speed, and well alike."""
        return self.error_kmh <= self.kmh / 4 and self.alike >= 0.6


def motion(places: Floats, rain: Floats) -> Motion | Why:
    """places: (gauges, 2), km east and north. rain: (gauges, columns of STEP_MIN), mm, NaN where nothing
    was heard; its newest WINDOW columns count."""
    rain = rain[:, -WINDOW:]
    known = np.isfinite(rain)
    heard = known.mean(axis=1) >= 0.5
    if heard.sum() < _GAUGES <= (known[:, -6:].mean(axis=1) >= 0.5).sum():
        return "short"  # they have told for the last half hour alone
    places, rain = places[heard], rain[heard]
    half_hour = np.nansum(rain[:, -6:], axis=1)
    wet = int((half_hour >= _WET_MM).sum())
    if not wet and len(rain) >= _GAUGES:
        return "dry"
    if wet < _WET or len(rain) < _GAUGES or rain.shape[1] <= _LAGS[-1] + 2:
        return "sparse"
    every = -(-len(rain) // _MOST_GAUGES)
    places, rain = places[::every], rain[::every]
    best = _velocity(places, rain)
    if best is None:
        return "unclear"
    east, north, alike = best
    rest = [_velocity(*_without(places, rain, n), (east, north)) for n in range(_GROUPS)]
    told = np.array([r[:2] for r in rest if r is not None])
    if len(told) < _GROUPS:
        return "unclear"
    spread = (_GROUPS - 1) / _GROUPS * ((told - told.mean(axis=0)) ** 2).sum(axis=0)
    known_off = _OFF_KMH + _SLOW * float(np.hypot(east, north))
    found = Motion(east, north, float(np.sqrt(spread.max() + known_off**2)), alike)
    if found.kmh < max(_LEAST_KMH, 2 * found.error_kmh):
        return "standing" if found.error_kmh <= _LEAST_KMH else "unclear"
    return found


def _without(places: Floats, rain: Floats, group: int) -> tuple[Floats, Floats]:
    keep = np.arange(len(rain)) % _GROUPS != group
    return places[keep], rain[keep]


def _velocity(
    places: Floats, rain: Floats, near: tuple[float, float] | None = None
) -> tuple[float, float, float] | None:
    """East and north (km/h), and the correlation there; None: nothing that counts. near: it is looked for
    within _NEAR of this."""
    axes = [np.arange(-_FASTEST, _FASTEST + 1, _EVERY)] * 2
    if near is not None:
        axes = [np.arange(-_NEAR, _NEAR + 1, _EVERY) + v for v in near]
    east, north = np.meshgrid(*axes)
    pooled, middle = _pooled(places, rain, east, north)
    both, first, second, pairs, a, b = pooled
    n = np.maximum(pairs, 1e-9)  # every sum is about the mean of just the pairs that it has
    both, first, second = both - a * b / n, first - a * a / n, second - b * b / n
    enough = (pairs >= _SHARE * middle) & (np.hypot(east, north) <= _FASTEST)
    alike = np.where(enough, both / np.sqrt(np.maximum(first * second, 1e-12)), -1.0)
    y, x = np.unravel_index(int(alike.argmax()), alike.shape)
    if alike[y, x] < _LEAST_R or 0 in (x, y) or len(alike) - 1 in (x, y):
        return None
    if (alike[y - 1 : y + 2, x - 1 : x + 2] <= -1).any():
        return None  # the best stands at the edge of what can be told
    return (
        float(axes[0][x] + _EVERY * _top(*alike[y, x - 1 : x + 2])),
        float(axes[1][y] + _EVERY * _top(*alike[y - 1 : y + 2, x])),
        float(alike[y, x]),
    )


def _pooled(places: Floats, rain: Floats, east: Floats, north: Floats) -> tuple[Floats, float]:
    """Sums over the pairs of what came later so much further along, of every velocity: products, squares of
    the earlier and the later, pairs, the earlier, the later; and how many pairs there are at rest."""
    two = rain[:, 1:] + rain[:, :-1]  # ten minutes, half as ragged
    known = np.isfinite(two)
    root = np.sqrt(np.where(known, two, 0.0))
    mean = root.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    odd, seen = np.where(known, root - mean, 0.0), known.astype(float)
    apart = np.rint((places[None, :, :] - places[:, None, :]) / _CELL_KM).astype(int) + _HALF
    inside = ((apart >= 0) & (apart <= 2 * _HALF)).all(axis=2)
    at = (apart[..., 1] * (2 * _HALF + 1) + apart[..., 0])[inside]
    pooled, middle = np.zeros((6, *east.shape)), 0.0
    for lag in _LAGS:
        before, after = odd[:, :-lag], odd[:, lag:]
        was, now = seen[:, :-lag], seen[:, lag:]
        sums = (
            *(before @ after.T, before**2 @ now.T, was @ (after**2).T),
            *(was @ now.T, before @ now.T, was @ after.T),
        )
        planes = np.array([_plane(at, s[inside]) for s in sums])
        pooled += _along(planes, east, north, lag * STEP_MIN / 60)
        middle += float(planes[3, _HALF, _HALF])
    return pooled, middle


def _plane(at: npt.NDArray[np.int64], weights: Floats) -> Floats:
    """What pairs of gauges say, by how far and in which direction they stand apart, blurred."""
    wide = 2 * _HALF + 1
    plane: Floats = np.bincount(at, weights, wide * wide).reshape(wide, wide).astype(float)
    blurred: Floats = _BLUR @ plane @ _BLUR
    return blurred


def _along(planes: Floats, east: Floats, north: Floats, hours: float) -> Floats:
    """The planes where something that moves so would be after `hours`, between cells by their neighbours."""
    x = np.clip(east * hours / _CELL_KM + _HALF, 0, 2 * _HALF - 1e-6)
    y = np.clip(north * hours / _CELL_KM + _HALF, 0, 2 * _HALF - 1e-6)
    i, j = x.astype(int), y.astype(int)
    u, v = x - i, y - j
    low = planes[:, j, i] * (1 - u) + planes[:, j, i + 1] * u
    high = planes[:, j + 1, i] * (1 - u) + planes[:, j + 1, i + 1] * u
    between: Floats = low * (1 - v) + high * v
    return between


def _top(left: float, middle: float, right: float) -> float:
    """Where a parabola through three has its top, in steps from the middle."""
    bent = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bent, -0.5, 0.5)) if bent < 0 else 0.0


def field(places: Floats, rates: Floats, points: Floats) -> Floats:
    """Rain at `points` (points, 2), mm/h: the mean of gauges within REACH_KM by the inverse square of their
    distance; NaN where none is near."""
    known = np.isfinite(rates)
    km = np.hypot(*(points[:, None, :] - places[None, known, :]).transpose(2, 0, 1))
    weight = np.where(km < REACH_KM, 1 / np.maximum(km, 0.5) ** 2, 0.0)
    total = weight.sum(axis=1)
    return np.where(total > 0, weight @ rates[known] / np.where(total > 0, total, 1), np.nan)


class Arrival(NamedTuple):
    """Of heavy rain at a place, minutes from now, within STEP_MIN and as fast or slow as the error allows;
    mm_h: what falls where it comes from."""

    earliest_min: int
    minutes: int
    latest_min: int
    mm_h: float


def arrivals(places: Floats, rates: Floats, moves: Motion, targets: Floats) -> list[Arrival | None]:
    """When rain of HEAVY_MM_H comes to each of `targets` within the hour; None: not, or it is there."""
    way = np.array([moves.east_kmh, moves.north_kmh])
    steps = range(0, AHEAD_MIN + 1, STEP_MIN)
    came = np.array([field(places, rates, targets - way * m / 60) for m in steps])
    heavy = np.nan_to_num(came) >= HEAVY_MM_H
    found: list[Arrival | None] = []
    slower, faster = (moves.kmh / (moves.kmh + d) for d in (-moves.error_kmh, moves.error_kmh))
    for n in range(len(targets)):
        if heavy[0, n] or not heavy[:, n].any():
            found.append(None)
            continue
        first = int(heavy[:, n].argmax())
        at = int(steps[first])
        most = float(np.nanmax(came[first : first + 4, n]))
        found.append(Arrival(int((at - STEP_MIN) * faster), at, round(at * slower), most))
    return found
