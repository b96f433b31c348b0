"""A moving front in a camera's picture, said only when the camera can see.

Sees: a large part of the region of interest (the lower middle of the picture, where the channel
is) that changes between two frames, in `frames` consecutive pairs.

Equation: with grey frames F (160 x 120), moving = share of the region with |F_t - F_{t-1}| > 18
after the whole picture's median change is taken out (clouds, exposure); a pair speaks when
moving >= `moving_share`. Self-check first: dark (mean grey < `dark_below`), blurred (variance of
the Laplacian < `blurred_below`, Pech-Pacheco et al. 2000), frozen (`frozen_frames` identical
frames), moved (the picture's border changes as much as its middle): then it says nothing but that
it cannot see.
Delay it adds: `frames` frame intervals. Down after `hold_min` without a moving pair.
Cannot see: at night without light, in fog, what moves outside the region; it does not tell water
from a landslide, a flock or a truck. Evidence, not an oracle.
Source: Arattano & Marchi 2008, Sensors 8:2436–2452 (ground and video monitoring of debris flows).
"""

import io
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from config.district import CameraRule

_SIZE = (160, 120)
_STEP = 18  # grey levels; above a cheap sensor's noise
Grey = npt.NDArray[np.int16]


class CameraState(msgspec.Struct):
    """Memory of one camera: its last grey frame and what the frames before it said."""

    frame: bytes = b""
    frame_at: int = -1
    digest: str = ""
    same: int = 0
    moving: int = 0
    on: bool = False
    quiet_since: int = -1
    sight: str = ""


class Look(NamedTuple):
    """What one frame says: `on` the rule speaks now; `sight` is empty or why it cannot see."""

    on: bool
    changed: bool
    share: float
    sight: str


def decode(body: bytes | None) -> Grey | None:
    """JPEG bytes -> (120, 160) grey levels, or None if it is no picture."""
    if body is None:
        return None
    try:
        with Image.open(io.BytesIO(body)) as image:
            return np.asarray(image.convert("L").resize(_SIZE), np.int16)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None


def judge(rule: CameraRule, state: CameraState, at: int, digest: str, body: bytes | None) -> Look:
    """Take the frame of time `at` (ms); a frame older than the last is not looked at."""
    if at <= state.frame_at:
        return Look(state.on, False, 0.0, state.sight)
    grey = decode(body)
    state.same = state.same + 1 if digest == state.digest else 0
    sight = _sight(rule, grey, state.same)
    share = 0.0
    if not sight and grey is not None:
        if state.frame:
            before = np.frombuffer(state.frame, np.int16).reshape(_SIZE[::-1])
            share, elsewhere = _moving(before, grey)
            if share >= rule.moving_share and elsewhere >= share:
                sight = "moved"
        state.frame = grey.tobytes()
    state.frame_at, state.digest = at, digest
    was, was_sight = state.on, state.sight
    state.sight = sight
    if sight:
        state.moving = 0  # blindness is no evidence, neither for nor against
    elif share >= rule.moving_share:
        state.moving += 1
        state.quiet_since = -1
        state.on = state.on or state.moving >= rule.frames
    else:
        state.moving = 0
        state.quiet_since = at if state.quiet_since < 0 else state.quiet_since
        if state.on and at - state.quiet_since >= rule.hold_min * 60_000:
            state.on = False
    return Look(state.on, state.on != was or sight != was_sight, share, sight)


def _sight(rule: CameraRule, grey: Grey | None, same: int) -> str:
    if grey is None:
        return "no picture"
    if same >= rule.frozen_frames:
        return "frozen"
    if float(grey.mean()) < rule.dark_below:
        return "dark"
    g = grey.astype(np.float64)
    laplacian = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    return "blurred" if float(laplacian.var()) < rule.blurred_below else ""


def _moving(before: Grey, now: Grey) -> tuple[float, float]:
    """Share of moving pixels in the region of interest and in the picture's border."""
    change = now - before
    change = np.abs(change - np.int16(np.median(change)))
    rows, columns = change.shape
    region = change[rows // 3 :, columns // 4 : columns * 3 // 4]
    border = np.concatenate((change[:, : columns // 8], change[:, -columns // 8 :]), axis=1)
    return float((region > _STEP).mean()), float((border > _STEP).mean())
