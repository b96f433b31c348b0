"""Much of the channel moves at once, said only when the camera can see.

Sees: a large part of the region of interest (cameras.csv; else the lower middle of the picture) that
changes between two frames, in `frames` consecutive pairs.

Equation: H = T - its Gaussian mean (6 px), of the grey thumbs T (160 x 120), the second one moved back
by what the surroundings moved (shake). moving = share of the region with |H_t - H_{t-1}| > 14 grey
levels; a pair speaks when moving >= `moving_share` and the surroundings change less than the channel
(else the picture shook, or the light flickered). A change of exposure or a cloud's shadow changes T,
but not H.
Parameters: `[camera]` of rules.toml.

Delay it adds: `frames` frame intervals. Down after `hold_min` without a moving pair.
Cannot see: at night without light, in fog (`camera_sight` tells), what moves outside the region; it
does not tell water from a landslide, a flock or a truck. Evidence, not an oracle.
Source: Arattano & Marchi 2008, Sensors 8:2436–2452 (ground and video monitoring of debris flows).
"""

from typing import NamedTuple

import numpy as np

from config.records.rules import CameraRule
from detectors.camera.picture import THUMB, Bytes, Reals, cv2
from detectors.camera.scene import Scene
from detectors.camera.state import CameraState, Frame

_STEP = 14.0  # grey levels; above a cheap sensor's noise
_STILL = 0.3  # weight of a thumb pixel that counts as surroundings
_LEAST_SHIFT = 0.25


class Look(NamedTuple):
    """`on`: the rule speaks now; share: of the channel that moved, in this frame's pair."""

    on: bool
    changed: bool
    share: float


def moving(
    before: Bytes, now: Bytes, scene: Scene, shaken: tuple[float, float]
) -> tuple[float, float]:
    """Share of moving pixels in the channel and in its surroundings. shaken: thumb pixels."""
    a, b = _fine(before), _fine(now)
    if max(abs(shaken[0]), abs(shaken[1])) > _LEAST_SHIFT:
        back = np.array([[1, 0, -shaken[0]], [0, 1, -shaken[1]]], np.float32)
        b = cv2.warpAffine(b, back, THUMB, borderMode=cv2.BORDER_REPLICATE)
    changed = np.abs(b - a) > _STEP
    still = scene.static > _STILL
    elsewhere = float(changed[still].mean()) if still.any() else 0.0
    return float(changed[scene.channel_thumb].mean()), elsewhere


def _fine(thumb: Bytes) -> Reals:
    grey = thumb.astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), 6), np.float32)


def _speaks(rule: CameraRule, frame: Frame) -> bool:
    return not frame.sight and rule.moving_share <= frame.share > frame.elsewhere


def judge(rule: CameraRule, state: CameraState, n: int) -> Look:
    """After frame `n` of the state has been looked at: enough moving pairs in a row with it?"""
    frame, was = state.frames[n], state.on
    newest = n == len(state.frames) - 1
    first = last = n
    while first > 0 and _speaks(rule, state.frames[first - 1]):
        first -= 1
    while last < len(state.frames) - 1 and _speaks(rule, state.frames[last + 1]):
        last += 1
    moves = _speaks(rule, frame)
    if moves and last - first + 1 >= rule.frames:
        state.on = True
    if newest and moves:
        state.quiet_since = -1
    elif newest and not frame.sight:  # blindness is no evidence, neither for nor against
        state.quiet_since = frame.at if state.quiet_since < 0 else state.quiet_since
        if state.on and frame.at - state.quiet_since >= rule.hold_min * 60_000:
            state.on = False
    return Look(state.on, state.on != was, max(frame.share, 0.0))
