"""One frame of one camera: decoded once, checked, compared with those beside it, and turned into
readings of the quantities that the district's rules take (`config.records.devices.cameras.NEEDS`).

Exact: the frames of a camera are kept in the order of their time (the last `FRAMES`), by hash; a late
frame is put in its place and looked at with its neighbours on both sides, so that it may raise; one
that is older than all that is kept is looked at alone; the same moment again is passed over. What is
usual (references, profiles, tones) is learnt from the newest frames only. The pictures themselves come
from `see`, by hash; one that is gone from the store is a frame that shows nothing.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Set
from typing import NamedTuple

import numpy as np

from config.records.district import Camera
from config.records.quantity import QUANTITIES
from config.records.rules import CameraRule
from detectors.camera.colour import colour_shift, tones
from detectors.camera.front import BINS, NOWHERE, front, place, profile
from detectors.camera.motion import Look, judge, moving
from detectors.camera.picture import THUMB, Picture
from detectors.camera.scene import Floats, Scene, moved_by, scene_of
from detectors.camera.sight import FOUND, against, kind_of, sight
from detectors.camera.speed import speed
from detectors.camera.state import FRAMES, CameraState, Frame, Reference
from detectors.camera.waterline import water_line

See = Callable[[str], Picture | str]

_HOUR = 3_600_000
_RENEW, _ADOPT = 6 * _HOUR, 24 * _HOUR
_USUAL, _USUAL_MS = 12, 60_000  # profiles kept, and how far apart at least
_TONES = 40
_TOGETHER_MS = 10_000  # pairs that one reading of the speed rests on
_PAIRS = 3


class Reading(NamedTuple):
    """A quantity that a frame shows, in counts of its resolution; note: how sure."""

    quantity: str
    at: int
    counts: int
    note: str = ""


class Watched(NamedTuple):
    """sight: why this frame shows nothing, or empty. told: whether the camera is to be told blind
    (True) or to see again (False); None: as before."""

    sight: str
    told: bool | None
    look: Look
    readings: list[Reading]


def watch(
    rule: CameraRule,
    camera: Camera | None,
    needs: Set[str],
    state: CameraState,
    at: int,
    digest: str,
    see: See,
) -> Watched:
    """Take the frame of time `at` (ms). needs: the quantities that some rule takes."""
    view = repr(camera)
    if state.view != view:  # set up anew: what was learnt is of another view
        state.references, state.usual, state.tones, state.view = {}, [], [], view
        state.moved_since = -1
    n = bisect_left(state.frames, at, key=lambda f: f.at)
    if n < len(state.frames) and state.frames[n].at == at:
        return Watched(state.frames[n].sight, None, Look(state.on, False, 0.0), [])
    picture = see(digest)
    frame, newest = Frame(at, digest), n == len(state.frames)
    alone = n == 0 and len(state.frames) >= FRAMES  # older than all that is kept
    scene = None if isinstance(picture, str) else scene_of(camera, picture)
    frame.sight = _sight(rule, camera, state, frame, picture, scene, newest, see)
    if not alone:
        state.frames.insert(n, frame)
        if len(state.frames) > FRAMES:
            state.frames.pop(0)
            n -= 1
    told = _told(rule, state, frame.sight) if newest else None
    readings: list[Reading] = []
    if not frame.sight and not isinstance(picture, str) and scene is not None:
        eye = _Eye(rule, needs, state, see)
        readings = eye.one(frame, picture, scene)
        if not alone:
            readings += eye.beside(n, scene)
        if newest:
            eye.learn(frame, picture, scene)
    look = Look(state.on, False, 0.0) if alone else judge(rule, state, n)
    return Watched(frame.sight, told, look, readings)


def _sight(
    rule: CameraRule,
    camera: Camera | None,
    state: CameraState,
    frame: Frame,
    picture: Picture | str,
    scene: Scene | None,
    newest: bool,
    see: See,
) -> str:
    """Empty, or why the frame shows nothing; its shift is noted in it."""
    if isinstance(picture, str) or scene is None:
        return str(picture)
    frame.print = zlib.crc32(picture.thumb.tobytes())
    if newest:
        before = state.frames[-1] if state.frames else None
        again = before is not None and frame.print == before.print
        state.same = state.same + 1 if again else 0
        if state.same >= rule.frozen_frames:
            return "frozen"
    if found := sight(rule, picture, scene):
        return found
    kind = kind_of(picture)
    reference = state.references.get(kind)
    known = see(reference.digest) if reference is not None else ""
    moved = 0 <= state.moved_since <= frame.at
    given_up = camera is None and moved and frame.at - state.moved_since >= _ADOPT
    if reference is None or isinstance(known, str):
        if moved and not given_up:  # by day: its first night must not become what is usual
            return "moved"
        if newest:
            state.references[kind] = Reference(frame.at, frame.digest)
        return ""
    carried = (reference.x, reference.y)
    found, shift = against(rule, known.thumb, picture.thumb, scene, carried)
    frame.x, frame.y = round(shift.x, 3), round(shift.y, 3)
    if moved and not found and shift.peak <= FOUND:  # another view looks a little like the old one
        found = "moved"
    if not newest:
        return found
    if not found:
        state.moved_since = -1
    elif found == "moved":
        state.moved_since = max(state.moved_since, 0) or frame.at
    adopt = given_up and found == "moved"
    if adopt or (not found and frame.at - reference.at >= _RENEW):
        x, y = (0.0, 0.0) if adopt else (frame.x, frame.y)
        state.references[kind] = Reference(frame.at, frame.digest, x, y)
    return found


def _told(rule: CameraRule, state: CameraState, sight: str) -> bool | None:
    """Blind, or seeing again, when that is to be told."""
    state.bad, state.good = (state.bad + 1, 0) if sight else (0, state.good + 1)
    if not state.blind and state.bad >= rule.blind_frames:
        state.blind = True
        return True
    if state.blind and state.good >= rule.see_frames:
        state.blind = False
        return False
    return None


class _Eye:
    """What a frame that can be seen shows."""

    def __init__(self, rule: CameraRule, needs: Set[str], state: CameraState, see: See) -> None:
        self._rule, self._needs, self._state, self._see = rule, needs, state, see
        self._profile: Floats | None = None  # of the frame at hand

    def one(self, frame: Frame, picture: Picture, scene: Scene) -> list[Reading]:
        """By itself and against the usual."""
        found = []
        if "water_line" in self._needs and scene.staff is not None:
            line = water_line(moved_by(scene.staff, _shift(frame, picture)), picture)
            if line is not None:
                sure = f"± {line.sigma:.2f} m"
                found.append(_reading("water_line", frame.at, line.stage, sure))
        if "colour_shift" in self._needs and kind_of(picture) == "day":
            now = tones(picture, scene)
            since = frame.at - self._rule.usual_h * _HOUR
            before = [t for at, t in self._state.tones if since <= at < frame.at]
            if now is not None and (away := colour_shift(before, now)) is not None:
                found.append(_reading("colour_shift", frame.at, away))
        if self._needs & {"front_speed", "image_front"}:
            self._profile = profile(scene, picture, _shift(frame, picture))
            if self._profile is not None:
                past = [_unpacked(p) for at, p in self._state.usual if at < frame.at]
                frame.place = place(past, self._profile)
        return found

    def beside(self, n: int, scene: Scene) -> list[Reading]:
        """With the frames before and after it, which may have come earlier."""
        found = []
        frames = self._state.frames
        for late in (n, n + 1):
            if late < len(frames) and late > 0:
                found += self._pair(frames[late - 1], frames[late], scene)
        for last in range(n, len(frames)):
            if last in (n, n + 1) and (found_speed := self._speed(last, scene)) is not None:
                found.append(found_speed)
            found += self._front(last, scene)
        return found

    def _pair(self, before: Frame, now: Frame, scene: Scene) -> list[Reading]:
        """What changed between two neighbours, both seen."""
        now.share, now.elsewhere, now.speed = -1.0, -1.0, None
        a, b = self._see(before.digest), self._see(now.digest)
        if before.sight or now.sight or isinstance(a, str) or isinstance(b, str):
            return []
        if a.size != b.size:
            return []
        shaken = (now.x - before.x, now.y - before.y)
        share, elsewhere = moving(a.thumb, b.thumb, scene, shaken)
        now.share, now.elsewhere = round(share, 4), round(elsewhere, 4)
        dt_s = (now.at - before.at) / 1000
        if self._needs & {"surface_speed", "image_speed"} and dt_s <= self._rule.pair_s:
            one, two = _shift(before, a), _shift(now, b)
            moved = (two[0] - one[0], two[1] - one[1])
            measured = speed(scene, a, b, dt_s, moved)
            now.speed = None if measured is None else round(measured.value, 4)
        if "moving_share" not in self._needs or share <= elsewhere:
            return []
        return [_reading("moving_share", now.at, 100 * share)]

    def _speed(self, n: int, scene: Scene) -> Reading | None:
        """The median of the last pairs."""
        last = self._state.frames[n]
        if last.speed is None:
            return None
        near = [f for f in self._state.frames[: n + 1] if last.at - f.at <= _TOGETHER_MS]
        speeds = [f.speed for f in near if f.speed is not None][-_PAIRS:]
        name = "surface_speed" if scene.metric else "image_speed"
        return _reading(name, last.at, float(np.median(speeds)))

    def _front(self, n: int, scene: Scene) -> list[Reading]:
        # an unseen frame neither adds to a front's way nor breaks it
        seen = [f for f in self._state.frames[: n + 1] if not f.sight]
        if not seen or seen[-1] is not self._state.frames[n]:
            return []
        moved = front(scene, [f.at for f in seen], [f.place for f in seen])
        if moved is None:
            return []
        name = "front_speed" if scene.metric else "image_front"
        return [_reading(name, seen[-1].at, moved.value)]

    def learn(self, frame: Frame, picture: Picture, scene: Scene) -> None:
        """What is usual. A picture in which something happens is not."""
        state, rule = self._state, self._rule
        if "colour_shift" in self._needs and kind_of(picture) == "day":
            every = rule.usual_h * _HOUR // _TONES
            if not state.tones or frame.at - state.tones[-1][0] >= every:
                now = tones(picture, scene)
                if now is not None:
                    state.tones = [*state.tones, (frame.at, now)][-_TONES:]
        if self._profile is None or frame.place != NOWHERE or frame.share >= rule.moving_share:
            return
        if not state.usual or frame.at - state.usual[-1][0] >= _USUAL_MS:
            packed = self._profile.astype(np.float32).tobytes()
            state.usual = [*state.usual, (frame.at, packed)][-_USUAL:]


def _unpacked(body: bytes) -> Floats:
    return np.frombuffer(body, np.float32).reshape(BINS, -1).astype(np.float64)


def _shift(frame: Frame, picture: Picture) -> tuple[float, float]:
    """The surroundings' shift in working pixels."""
    rows, columns = picture.grey.shape
    return frame.x * columns / THUMB[0], frame.y * rows / THUMB[1]


def _reading(quantity: str, at: int, value: float, note: str = "") -> Reading:
    return Reading(quantity, at, QUANTITIES[quantity].count(value), note)
