"""Where the water meets the bank or a staff gauge, as a stage.

Sees: the place along the configured staff (two points with their stage) where what lies below turns
into what lies above.

Equation: along the staff, of each column of samples the mean grey, the two colour components (a*,
b*, where the picture has colour) and the log of the deviation across it: smooth water, rough
bank. A single change point splits the line into two Gaussian pieces, each with its own mean and
variance in every feature. Its log-likelihood over the position k is
l(k) = -sum over features of (k ln v1 + (n - k) ln v2) / 2 r, where r is the number of samples over
which neighbours repeat one another: (1 + q) / (1 - q), q the feature's lag-1 autocorrelation within
the pieces. p(k) ~ exp l(k); the stage is the mean of p, sigma its deviation and at least half a
sample. The piece above is looked at again in grey alone: where it changes once more by as much, and
what is then above has over 1.5 times the contrast (deviation over mean), the upper change is the line,
since what lies between is the staff's own mirror in the water. Told only where two pieces beat one by 8
(log-likelihood), sigma is at most 5 % of the staff, and the line is not within 3 % of an end.
Parameters: over_s, slot_s, take, min_points as of `quantity_above`. Thresholds in m of stage.

Delay it adds: none.
Cannot see: a line that is not the largest change along the staff (a painted mark, a shadow's edge,
branches that hang on it, drops on the lens): where two changes are about as strong it is silent; stage
between the two points is taken as linear in pixels: for an oblique view keep the points near one
another; ice and foam.
Source: change point of a Gaussian series: Hinkley 1970, Biometrika 57:1–17; image stage: Gilmore,
Birgand & Chapman 2013, J. Hydrology 496:177–186.

>>> x, y = np.meshgrid(np.arange(100, dtype=np.float32), np.full(17, 8, np.float32))
>>> shade = np.where(np.arange(100) < 60, 40, 120).astype(np.uint8)
>>> image = np.repeat(np.tile(shade, (17, 1))[..., None], 3, axis=2)
>>> picture = Picture(image, image[..., 0], image, image[..., 0], (100, 17), 1)
>>> line = water_line(Staff(x, y, np.linspace(0, 2, 100)), picture)
>>> round(line.stage, 1) if line else None
1.2
"""

from typing import NamedTuple

import numpy as np

from detectors.camera.picture import Bytes, Picture, cv2
from detectors.camera.scene import Floats, Staff, sample
from detectors.statistics.quantity_threshold import of_pictures

_REPEATS = (4.0, 40.0)
_BEATS = 8.0  # a line without an edge reached 3.5
_UNSURE = 0.05
_END = 0.03
_GREY = [0, 3]  # the features that ink of another colour does not change
_LEAST_ABOVE = 16
_MORE = 1.5
_FLOOR = np.array(
    [9.0, 2.0, 2.0, 0.02]
)  # least variance of each feature: grey, a, b, log deviation

KIND = of_pictures("camera_waterline", seen="water_line")


class Waterline(NamedTuple):
    """Stage and its deviation, m."""

    stage: float
    sigma: float


def water_line(staff: Staff, picture: Picture) -> Waterline | None:
    """None where the edge is not clear."""
    f = _features(sample(picture.colour, staff))
    n, below = len(f), 0
    change = _change(f, _FLOOR)
    if change is None:
        return None
    best = change.at
    # of a staff that the water mirrors, the mirror's own end may be the largest change: the water line is
    # the uppermost, as long as what is above shows more contrast than what is below
    while n - best >= _LEAST_ABOVE:
        above = f[best:]
        higher = _change(above[:, _GREY], _FLOOR[_GREY])
        if higher is None or not _stands_out(above[:, 0], higher.at):
            break
        below, best, change = best, best + higher.at, higher
    p = np.exp(change.gain - change.gain.max())
    p /= p.sum()
    edge = below + change.k - 0.5  # between two samples
    middle = float(p @ edge)
    spread = max(float(np.sqrt(p @ (edge - middle) ** 2)), 0.5)
    if spread > _UNSURE * n or not _END * n < middle < (1 - _END) * n:
        return None
    per_sample = abs(float(staff.stage[-1] - staff.stage[0])) / (n - 1)
    stage = float(np.interp(middle, np.arange(n), staff.stage))
    return Waterline(stage, spread * per_sample)


class _Change(NamedTuple):
    """at: samples below the change. gain: log-likelihood over the places k."""

    at: int
    k: Floats
    gain: Floats


def _change(f: Floats, least: Floats) -> _Change | None:
    """The change point of a line of features (n, m); None where two pieces are hardly better than one.
    least: the least variance of each feature."""
    n = len(f)
    sums = np.cumsum(np.concatenate((np.zeros((1, f.shape[1])), f)), axis=0)
    squares = np.cumsum(np.concatenate((np.zeros((1, f.shape[1])), f * f)), axis=0)
    at = np.arange(4, n - 3)
    k = at[:, None].astype(np.float64)
    low = _variance(sums[at], squares[at], k)
    high = _variance(sums[-1] - sums[at], squares[-1] - squares[at], n - k)
    whole = _variance(sums[-1], squares[-1], np.full(1, float(n)))
    each = 0.5 * (n * np.log(whole + least) - k * np.log(low + least))
    each -= 0.5 * (n - k) * np.log(high + least)
    gain = (each / _repeats(f, int(at[int(each.sum(axis=1).argmax())]))).sum(axis=1)
    if float(gain.max()) < _BEATS:
        return None
    return _Change(int(at[int(gain.argmax())]), k[:, 0], gain)


def _stands_out(grey: Floats, at: int) -> bool:
    """Whether what is above has more contrast (deviation over mean) than what is below. A wet or shaded
    band is darker with the same contrast; a mirror has less."""
    low, high = grey[:at], grey[at:]
    contrast = float(low.std()) / max(float(low.mean()), 1.0)
    return float(high.std()) / max(float(high.mean()), 1.0) > _MORE * max(contrast, 0.01)


def _features(band: Bytes) -> Floats:
    """(n, 4) along the staff of a (17, n, 3) picture of it."""
    lab = cv2.cvtColor(band.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    grey = lab[..., 0] * 2.55
    mean = grey.mean(axis=0)
    rough = ((grey - mean) ** 2).mean(axis=0)
    columns = [mean, lab[..., 1].mean(axis=0), lab[..., 2].mean(axis=0), np.log(rough + 1.0) / 2]
    return np.stack(columns, axis=1).astype(np.float64)


def _repeats(f: Floats, k: int) -> Floats:
    """Of each feature: over so many samples neighbours say the same."""
    rest = np.concatenate((f[:k] - f[:k].mean(axis=0), f[k:] - f[k:].mean(axis=0)))
    q = (rest[1:] * rest[:-1]).sum(axis=0) / np.maximum((rest * rest).sum(axis=0), 1e-9)
    return np.asarray(np.clip((1 + q) / np.maximum(1 - q, 1e-3), *_REPEATS), np.float64)


def _variance(total: Floats, square: Floats, n: Floats) -> Floats:
    return np.maximum(square / n - (total / n) ** 2, 0.0)
