"""A camera over the simulated gully, looked through frame by frame, for tests."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

import msgspec

from config.records.devices.cameras import NEEDS
from config.records.district import Camera
from config.records.rules import CameraRule
from detectors.camera.picture import Picture, decode
from detectors.camera.state import CameraState
from detectors.camera.watch import Watched, watch
from simulators.views.gully import Look, picture

WIDE = 640  # columns of the simulated pictures
HIGH = WIDE * 9 // 16
GSD = 0.05  # m a pixel
ALL = frozenset(NEEDS) - {"moving_share"}
CAMERA = Camera(
    id="V01",
    width=WIDE,
    height=HIGH,
    roi=((190, 0), (375, 0), (375, HIGH), (190, HIGH)),
    gsd_m=GSD,
    axis=((282, 0), (282, HIGH - 1)),
    staff=((384, 180, 0.08), (600, 180, 4.4)),
)


class Eye:
    """One camera with its memory and its store of pictures."""

    def __init__(
        self,
        camera: Camera | None = CAMERA,
        rule: CameraRule | None = None,
        needs: frozenset[str] = ALL,
    ) -> None:
        self.camera, self.rule, self.needs = camera, rule or CameraRule(), needs
        self.state = CameraState()
        self.store: dict[str, bytes] = {}
        self.seen: dict[str, Picture | str] = {}

    def see(self, digest: str) -> Picture | str:
        if digest not in self.seen:
            self.seen[digest] = decode(self.store.get(digest))
        return self.seen[digest]

    def show(self, at_s: float, body: bytes | None) -> Watched:
        """Take a frame; through a snapshot, as after a restart."""
        digest = hashlib.sha256(body or b"").hexdigest()
        if body is not None:
            self.store[digest] = body
        self.state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.state), type=CameraState)
        at = round(at_s * 1000)
        return watch(self.rule, self.camera, self.needs, self.state, at, digest, self.see)

    def look(self, at_s: float, look: Look, seed: int = 1, quality: int = 80) -> Watched:
        return self.show(at_s, _picture(seed, at_s, look, quality))


@lru_cache(maxsize=512)  # some 60 KB each
def _picture(seed: int, at_s: float, look: Look, quality: int) -> bytes:
    return picture(seed, at_s, look, WIDE, quality)


def readings(watched: Sequence[Watched], quantity: str) -> list[tuple[int, int]]:
    """(ms, counts) of one quantity."""
    return [(r.at, r.counts) for w in watched for r in w.readings if r.quantity == quantity]


def usual(eye: Eye, count: int = 5, look: Look | None = None, seed: int = 1) -> float:
    """So many quiet minutes of a camera that has seen nothing yet; the moment after them."""
    assert not eye.store
    state, store = _usual(eye.camera, eye.rule, eye.needs, count, look or Look(speed=40), seed)
    eye.state = msgspec.msgpack.decode(state, type=CameraState)
    eye.store |= store
    return 60.0 * count


@cache
def _usual(
    camera: Camera | None,
    rule: CameraRule,
    needs: frozenset[str],
    count: int,
    look: Look,
    seed: int,
) -> tuple[bytes, dict[str, bytes]]:
    """What it remembers of them, and its pictures: looked at once for all tests of a process."""
    eye = Eye(camera, rule, needs)
    for n in range(count):
        eye.look(60.0 * n, look, seed)
    return msgspec.msgpack.encode(eye.state), eye.store


Moving = Callable[[float], Look]
