"""The water's colour against what it usually is: mud in a stream that was clear.

Sees: that the water in the region of interest has taken another colour than in the hours before.

Equation: w, s = the median blue, green, red of the water and of the surroundings. The surroundings
say what the light did since each of the past pictures: gain g = s_then / s_now of each colour (von
Kries), so w is set right to w * g. In CIE L*a*b* (1976) the shift is the median over the past
pictures of the distance sqrt(da^2 + db^2): colour alone, not brightness. A just noticeable difference
is about 2.3; clear to turbid water is 10 to 40. The past: one picture a fortieth of `usual_h`, those
of the last `usual_h` hours before this one, at least `_LEAST`.
Parameters: over_s, slot_s, take, min_points as of `quantity_above`; `camera.usual_h` (rules.toml).

Delay it adds: none; after the start it is silent until `_LEAST` pictures are kept. A colour that
lasts longer than half of `usual_h` becomes the usual one.
Cannot see: at night in infrared (it says nothing); mud in water that is muddy already; a sky that
is mirrored in the water and not in the surroundings; what changed: ice, leaves and dye have a
colour too.
Source: CIE 15:2018; von Kries 1902 in Fairchild 2013, Color Appearance Models, ch. 9; turbidity by
colour: Leeuw & Boss 2018, Sensors 18:256.

>>> past = [(98.0, 104.0, 92.0, 90.0, 90.0, 90.0)] * 4
>>> colour_shift(past[:3], past[0]) is None, colour_shift(past, past[0])
(True, 0.0)
>>> (colour_shift(past, (78.0, 118.0, 150.0, 90.0, 90.0, 90.0)) or 0) > 20
True
"""

from collections.abc import Sequence

import numpy as np

from detectors.camera.picture import Picture, cv2
from detectors.camera.scene import Floats, Scene
from detectors.statistics.quantity_threshold import of_pictures

_LEAST = 4
_STILL = 0.5  # weight of a thumb pixel that counts as surroundings
_OFF = 6.0  # grey levels: what a black pixel still has

KIND = of_pictures("camera_colour", seen="colour_shift")

# water and surroundings: blue, green, red of each
Tones = tuple[float, float, float, float, float, float]


def tones(picture: Picture, scene: Scene) -> Tones | None:
    """None where water or surroundings fill too little of the picture."""
    water, still = scene.channel_thumb, scene.static > _STILL
    if water.sum() < 50 or still.sum() < 50:
        return None
    found = np.concatenate([np.median(picture.small[m], axis=0) for m in (water, still)])
    return tuple(np.round(found, 1).tolist())


def colour_shift(past: Sequence[Tones], now: Tones) -> float | None:
    """None with too little past."""
    if len(past) < _LEAST:
        return None
    then, here = np.array(past) + _OFF, np.array(now) + _OFF
    light = then[:, 3:] / here[3:]
    set_right = _lab(here[:3] * light - _OFF)
    usual = _lab(then[:, :3] - _OFF)
    away = np.hypot(*(set_right - usual)[:, 1:].T)
    return float(np.median(away))


def _lab(bgr: Floats) -> Floats:
    """(n, 3) in 0 … 255 -> L*, a*, b* (sRGB, D65)."""
    image = np.clip(bgr / 255, 0, 1).astype(np.float32)[None]
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2LAB)[0], np.float64)
