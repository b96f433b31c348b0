"""Can the camera see? A rule over pictures speaks only where this says nothing.

Sees: a picture that is none, truncated or too small; `dark`; `glare` (over half of it is white);
`fogged`; `blurred`; `dirty` (a good part has lost the detail that it had); `frozen`; `moved` (what
stands still around the channel lies elsewhere than in the reference); `other shape`.

Equations, on the grey thumb T (160 x 120):
dark: mean T < `dark_below` and 95th percentile < 3 x that. Fogged: p95 - p5 of T < `fogged_below`
while the dark channel (the least of the three colours in 15 x 15 px; small in clear air wherever
there is colour or shadow, He et al. 2011) is in the median over 0.65 of p99. Blurred: variance of the
Laplacian of T < `blurred_below` (Pech-Pacheco et al. 2000), or, over (p95 - p5)^2, less than a tenth
of the reference's. Dirty: of the surroundings' 10 x 10 px blocks with detail in the reference
(deviation > 8), over 65 % have kept less than a quarter of what the best have kept. Moved: phase
correlation (Kuglin & Hines 1975) of the surroundings with the reference shifts them by more than
`moved_share` of the width (peak > 0.2), or does not find them at all (peak < 0.08). The surroundings
are what lies more than a tenth of the picture's width outside the channel: a flood is not blindness.
Frozen: `frozen_frames` pictures in a row like the one before them, to the last pixel of T.

Once moved it sees again only when its surroundings are surely found (peak > 0.2), and the other kind, by
night or by day, gets no first reference until then: it would be one of the moved view.

The reference is a picture of the same kind (by day in colour, at night in grey) that could see;
it is renewed every six hours while nothing has moved, and its own shift is carried along. A new
`checked` in cameras.csv begins anew; a camera without a row there adopts a new view after a day.
Delay it adds: none: a bad picture is never judged. It is *told* blind after `blind_frames` bad ones
in a row, and to see again after `see_frames` good ones, so that it does not flap.
Cannot see: a stain that grows slower than the reference is renewed; a frozen picture with a ticking
clock in it; where the whole picture is channel, that the camera has moved.
Source: He, Sun & Tang 2011, IEEE TPAMI 33:2341–2353; Pech-Pacheco et al. 2000, ICPR 15:3:314–317;
Kuglin & Hines 1975, Proc. IEEE Cybernetics and Society 163–165.
"""

from typing import NamedTuple

import numpy as np

from config.records.rules import CameraRule
from detectors.camera.picture import THUMB, Bytes, Picture, Reals, cv2
from detectors.camera.scene import Scene

_WHITE = 250
_DARK_CHANNEL = 0.65
_DETAIL, _LOST, _DIRTY = 8.0, 0.25, 0.65
_STILL = 0.3
FOUND, _NOWHERE = 0.2, 0.08  # peaks
_SOFTER = 0.1
_COLOURFUL = 2.5  # grey levels between the strongest and the weakest colour


class Shift(NamedTuple):
    """Of the surroundings against the reference, in thumb pixels, and how sure (0 … 1)."""

    x: float
    y: float
    peak: float


def kind_of(picture: Picture) -> str:
    """`day` in colour, `night` in grey (infrared): each has its reference."""
    blue, green, red = cv2.split(picture.small)
    spread = cv2.max(cv2.max(blue, green), red) - cv2.min(cv2.min(blue, green), red)
    return "day" if float(spread.mean()) > _COLOURFUL else "night"


def sight(rule: CameraRule, picture: Picture, scene: Scene) -> str:
    """Empty, or why this picture by itself shows nothing."""
    if not scene.fits:
        return "other shape"
    t = picture.thumb
    low, high, top = np.percentile(t, (5, 95, 99))
    if float(t.mean()) < rule.dark_below and high < 3 * rule.dark_below:
        return "dark"
    if float((t >= _WHITE).mean()) > 0.5:
        return "glare"
    if high - low < rule.fogged_below:
        veil = cv2.erode(picture.small.min(axis=2), np.ones((15, 15), np.uint8))
        if float(np.median(veil)) > _DARK_CHANNEL * top:
            return "fogged"
    if float(cv2.Laplacian(t, cv2.CV_32F).var()) < rule.blurred_below:
        return "blurred"
    return ""


def against(
    rule: CameraRule, reference: Bytes, thumb: Bytes, scene: Scene, carried: tuple[float, float]
) -> tuple[str, Shift]:
    """Empty, or why this picture shows nothing, seen beside the reference; and its shift, on top of
    the reference's own. A peak too low to tell a shift tells none."""
    found = shift(reference, thumb, scene)
    sure = found.peak > FOUND
    found = Shift(carried[0] + found.x * sure, carried[1] + found.y * sure, found.peak)
    if found.peak >= _NOWHERE and _sharpness(thumb) < _SOFTER * _sharpness(reference):
        return "blurred", found
    far = float(np.hypot(found.x, found.y)) > rule.moved_share * THUMB[0]
    if found.peak < _NOWHERE or far:
        return "moved", found
    return ("dirty" if _dirty(reference, thumb, scene) else ""), found


def _sharpness(thumb: Bytes) -> float:
    low, high = np.percentile(thumb, (5, 95))
    return float(cv2.Laplacian(thumb, cv2.CV_32F).var()) / max(float(high - low), 1.0) ** 2


def _dirty(reference: Bytes, thumb: Bytes, scene: Scene) -> bool:
    before, now = _detail(reference), _detail(thumb)
    around = scene.static.reshape(12, 10, 16, 10).mean(axis=(1, 3)) > _STILL
    had = (before > _DETAIL) & around
    if had.sum() < 12:
        return False
    kept = now[had] / before[had]
    # fog and a darker hour take detail from everywhere: compare with what the best have kept
    return bool((kept < _LOST * min(1.0, float(np.quantile(kept, 0.9)))).mean() > _DIRTY)


def _detail(thumb: Bytes) -> Reals:
    """Deviation of each 10 x 10 block."""
    blocks = thumb.reshape(12, 10, 16, 10).astype(np.float32)
    return np.asarray(blocks.std(axis=(1, 3)))


def shift(reference: Bytes, thumb: Bytes, scene: Scene) -> Shift:
    """Phase correlation of the surroundings, blind to slow changes of light."""
    a, b = (_edges(t) * scene.static for t in (reference, thumb))
    (x, y), peak = cv2.phaseCorrelate(a, b)
    return Shift(float(x), float(y), float(peak))


def _edges(thumb: Bytes) -> Reals:
    grey = thumb.astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 3)
    return np.asarray(np.clip(fine / (float(fine.std()) + 1e-3), -3, 3), np.float32)
