"""The memory of one camera: its last frames in the order of their time, by hash; what it usually
shows; whether it sees. The pictures lie in the frame store. Some 8 kB a camera."""

import msgspec

from detectors.camera.colour import Tones
from detectors.camera.front import NOWHERE

FRAMES = 12  # kept: what a surge passes in, and the clip
CLIP_BEFORE, CLIP_AFTER = 3, 2  # frames of the clip beside the one that spoke


class Frame(msgspec.Struct):
    """One frame. sight: empty, or why it shows nothing. x, y: the surroundings' shift, thumb pixels.
    share, elsewhere: of the channel and of its surroundings that changed since the frame before
    (-1: not known). speed: with the frame before, m/s or px/s."""

    at: int
    digest: str
    sight: str = ""
    print: int = 0  # checksum of the thumb
    x: float = 0.0
    y: float = 0.0
    share: float = -1.0
    elsewhere: float = -1.0
    place: float = NOWHERE
    speed: float | None = None


class Reference(msgspec.Struct):
    """A picture that could see, and its own shift against the first one."""

    at: int
    digest: str
    x: float = 0.0
    y: float = 0.0


class CameraState(msgspec.Struct):
    """Memory of one camera. Snapshots of older versions carry `on`, `quiet_since` and `same` alone:
    what was said stands, and the rest is learnt anew."""

    frames: list[Frame] = []
    references: dict[str, Reference] = {}  # day, night
    usual: list[tuple[int, bytes]] = []  # profiles along the channel (float32)
    tones: list[tuple[int, Tones]] = []
    view: str = ""  # the row of cameras.csv that all of this was seen by
    moved_since: int = -1
    same: int = 0  # frames in a row like the one before
    bad: int = 0
    good: int = 0
    blind: bool = False  # told so
    on: bool = False  # camera_motion
    quiet_since: int = -1
    owed: dict[str, int] = {}  # rule|area|hazard whose clip waits for so many frames more

    def clip(self, at: int) -> tuple[str, ...]:
        """Hashes of the frames before and at this moment."""
        return tuple(f.digest for f in self.frames if f.at <= at)[-CLIP_BEFORE - 1 :]
