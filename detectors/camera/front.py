"""A surge front: an edge that comes down the channel from picture to picture.

Sees: debris, foam or mud that fills the channel upstream of an edge while downstream of it the
water is as it was, and that edge moving downstream.

Equation: the channel is straightened along its axis (256 x 48 samples) and cut into 32 bins. Of each:
roughness r = ln((deviation of the fine grey, less that of the sensor's noise, + 1) / (mean + 8)) and
tint c = ln((R + 8) / (G + 8)), ln((B + 8) / (G + 8)): shares of the light, so exposure and a cloud's
shadow, which dims all alike, leave them. A bin has changed where r or a tint lies more than 4
deviations from its median over the usual pictures (the median absolute deviation x 1.48, at least
0.2 and 0.05), less what the downstream end has changed (rain and fog come everywhere at once).
The front is the place s where changed(upstream of s) - changed(downstream) is largest, at least 0.7
of the bins above it and at most 0.15 of those below it. It is *moving* when it stood in at least 3
pictures in a row (none further apart than `_GAP_S`), never went back by more than a bin, came at
least 0.2 of the axis further, and lies within 0.08 of a straight line; that line's slope is the
value, in m/s (pixels/s without ground points: quantity `image_front`).
Parameters: over_s, slot_s, take, min_points as of `quantity_above`.

Delay it adds: three pictures that show it. Send a picture a second, or bursts, when a trigger upstream
speaks; at v m/s over an axis of L m three pictures need an interval below L / (4 v).
Cannot see: a front that passes between two pictures (`camera_motion` sees that all has changed);
night without light; a front where the whole axis is rough and muddy already.
Source: Arattano & Marchi 2008, Sensors 8:2436–2452; Arattano & Grattoni 2000, using a fixed video
camera to measure debris-flow surface velocity, 2nd Int. Conf. Debris-Flow Hazards Mitigation 273–281.

>>> now = np.where(np.arange(BINS)[:, None] < 8, 1.0, 0.0) * np.ones(3)
>>> place([np.zeros((BINS, 3))] * 3, now)
0.25
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.camera.picture import Picture, cv2
from detectors.camera.scene import STRIP, Floats, Scene, moved_by, sample
from detectors.statistics.quantity_threshold import of_pictures

BINS = 32
_FEATURES = 3
_USUAL = 3  # least pictures to compare with
_FLOOR = np.array([0.2, 0.05, 0.05])
_FAR = 4.0
_ABOVE, _BELOW = 0.7, 0.15
_GAP_S, _MOST_S = 90.0, 600.0
_LEAST, _PROGRESS, _STRAIGHT = 3, 0.2, 0.08
NOWHERE = -1.0

KIND = of_pictures("camera_front", seen="front_speed")


class Front(NamedTuple):
    """How fast the front comes, metres (or pixels of the whole picture) a second, and where it is,
    0 (upstream) … 1."""

    value: float
    place: float


def profile(scene: Scene, picture: Picture, moved: tuple[float, float]) -> Floats | None:
    """(32, 3) roughness and two tints of each bin, upstream first; None without an axis. moved: of
    the surroundings against the reference, working pixels."""
    if scene.strip is None:
        return None
    band = sample(picture.colour, moved_by(scene.strip, moved)).astype(np.float32)
    grey = band @ np.array([0.114, 0.587, 0.299], np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 4)
    # the sensor's noise is finer than anything that is carried: neighbours tell it
    noise = float(np.median(np.abs(cv2.Laplacian(grey, cv2.CV_32F)))) * 1.48 / 20**0.5
    parts = fine.reshape(BINS, STRIP[0] // BINS, STRIP[1])
    strength = np.sqrt(np.maximum(parts.var(axis=(1, 2)) - noise**2, 0))
    level = grey.reshape(BINS, -1).mean(axis=1)
    tone = np.median(band.reshape(BINS, -1, 3), axis=1) + 8
    found = [
        np.log((strength + 1) / (level + 8)),
        np.log(tone[:, 2] / tone[:, 1]),
        np.log(tone[:, 0] / tone[:, 1]),
    ]
    return np.stack(found, axis=1).astype(np.float64)


def place(usual: Sequence[Floats], now: Floats) -> float:
    """Where the edge of what has changed lies, 0 … 1 of the axis; NOWHERE if there is no edge."""
    if len(usual) < _USUAL:
        return NOWHERE
    past = np.stack(usual)
    middle = np.median(past, axis=0)
    spread = 1.48 * np.median(np.abs(past - middle), axis=0)
    away = now - middle
    away -= np.median(away[-BINS // 4 :], axis=0)
    changed = (np.abs(away) > _FAR * np.maximum(spread, _FLOOR)).any(axis=1)
    up = np.cumsum(changed)[:-1]
    k = np.arange(1, BINS)
    above_, below = up / k, (changed.sum() - up) / (BINS - k)
    s = int(np.argmax(above_ - below))
    ok = above_[s] >= _ABOVE and below[s] <= _BELOW and k[s] < BINS - 1
    return float(k[s]) / BINS if ok else NOWHERE


def front(scene: Scene, at_ms: Sequence[int], places: Sequence[float]) -> Front | None:
    """From the last pictures' edges, oldest first, the newest last; None if it does not move."""
    if scene.strip is None or not places or places[-1] < 0:
        return None
    n = len(places) - 1
    while (
        n > 0
        and places[n - 1] >= 0
        and places[n - 1] <= places[n] + 1.5 / BINS
        and at_ms[n] - at_ms[n - 1] <= _GAP_S * 1000
        and at_ms[-1] - at_ms[n - 1] <= _MOST_S * 1000
    ):
        n -= 1
    t = (np.array(at_ms[n:], np.float64) - at_ms[n]) / 1000
    s = np.array(places[n:])
    if len(s) < _LEAST or s[-1] - s[0] < _PROGRESS or t[-1] <= 0:
        return None
    slope, start = np.polyfit(t, s, 1)
    if np.sqrt(np.mean((s - start - slope * t) ** 2)) > _STRAIGHT or slope <= 0:
        return None
    return Front(float(slope) * scene.strip.length, float(s[-1]))
