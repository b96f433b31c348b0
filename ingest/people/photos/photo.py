"""A person's photograph, made anew: upright, small, a JPEG, and nothing in it but the picture. The
place and the phone that its EXIF names are gone, and so is whatever else a file may hide.

It is read by a process of its own (`ingest.people.photos.photo_process`), one at a time, with a limit to
its memory and its time: a file that is made to fill a memory fills nobody's, and ends nothing but
its own reading.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from config.language import Text, each
from ingest.observation import PhotoFacts
from stream.limits import LAST_AT
from stream.oplog import say
from stream.records import Rejected

MAX_BYTES = 8_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
TOO_LARGE, NO_PICTURE, NO_MEMORY = 3, 4, 5  # what the process says by its exit
_WAIT_S = 30.0  # a slow machine; the process itself has `photo_made.CPU_S` of work
_one = threading.Lock()
_NOT_NOW = Text("照片现在读不了", "the photograph cannot be read now")
_TOO_SLOW = Text(
    f"照片读了 {_WAIT_S:.0f} 秒还没读完", f"the photograph was not read within {_WAIT_S:.0f} s"
)


class _Told(msgspec.Struct):
    taken: str = ""
    offset: str = ""
    lon: float | None = None
    lat: float | None = None
    look: str = ""


_told = msgspec.json.Decoder(_Told)


def _too_long(size: int) -> Text:
    return Text(
        f"照片 {size} 字节，上限 {MAX_BYTES}", f"a photograph of {size} bytes, at most {MAX_BYTES}"
    )


class PhotoTaken(NamedTuple):
    """jpeg: made anew. taken: when, as the file has it, "" where it does not say; offset: of that time to UTC,
    "" where it is the camera's own. look: dHash, "" for a picture of nothing."""

    jpeg: bytes
    taken: str = ""
    offset: str = ""
    lon: float | None = None
    lat: float | None = None
    look: str = ""

    def facts(self, zone: str) -> PhotoFacts:
        """As a record has them. zone: of a camera that names none."""
        by: Literal["", "exif"] = "" if self.lon is None else "exif"
        return PhotoFacts(
            taken_at=self._at(zone), lon=self.lon, lat=self.lat, place_by=by, look=self.look
        )

    def _at(self, zone: str) -> int:
        """Epoch ms; 0 for what is no time."""
        try:
            day, _, clock = self.taken.partition(" ")
            whole = datetime.fromisoformat(f"{day.replace(':', '-')}T{clock}{self.offset}")
            if whole.tzinfo is None:
                whole = whole.replace(tzinfo=ZoneInfo(zone))
        except ValueError:
            return 0
        return max(0, int(whole.timestamp() * 1000))


def at_browser(facts: PhotoFacts, fields: Mapping[str, str]) -> PhotoFacts:
    """With the place that the browser knew as the picture was chosen, where the file names none. A picture
    without a time of its own is of then, and no older."""
    if facts.lon is not None:
        return facts
    try:
        lon, lat, at = (float(fields.get(k, "")) for k in ("lon", "lat", "placed"))
    except ValueError:
        return facts
    if not (abs(lon) <= 180 and abs(lat) <= 90 and 0 < at < LAST_AT):
        return facts
    taken_at = facts.taken_at or int(at)
    return msgspec.structs.replace(
        facts, lon=lon, lat=lat, place_by="browser", taken_at=taken_at
    )


def remade(body: bytes) -> bytes | Rejected:
    """The picture's JPEG alone; see `taken`."""
    found = taken(body)
    return found if isinstance(found, Rejected) else found.jpeg


def taken(body: bytes) -> PhotoTaken | Rejected:
    """The picture made anew and what it said of itself; not a picture, too large, or a bomb: why not. Waits for
    its turn."""
    if len(body) > MAX_BYTES:
        return Rejected("oversize", _too_long(len(body)))
    command = [sys.executable, "-P", "-m", "ingest.people.photos.photo_process"]
    with _one:
        try:
            done = subprocess.run(  # noqa: S603  # no word of it comes from outside
                command, input=body, capture_output=True, timeout=_WAIT_S, check=False,
                env={"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Rejected("bad_frame", _TOO_SLOW)
        except OSError as e:
            return Rejected("bad_frame", _NOT_NOW + f": {e.strerror}")
    if done.returncode == 0:
        told = _told.decode(done.stderr.rpartition(b"\n")[2] or b"{}")
        return PhotoTaken(done.stdout, **msgspec.structs.asdict(told))
    if done.returncode == NO_PICTURE:
        return Rejected("bad_frame", Text("不是照片：", "not a picture: ") + ", ".join(FORMATS))
    if done.returncode in (TOO_LARGE, NO_MEMORY) or done.returncode < 0:  # ended by its limit
        size = done.stderr[:40].decode("ascii", "replace") * (done.returncode == TOO_LARGE)
        words = Text(f"照片太大 {size}", f"the photograph is too large to be read {size}")
        return Rejected("bad_frame", each(words, str.strip))
    code = done.returncode
    say(
        "ingest",
        Text(
            f"读照片的进程出错：退出码 {code}",
            f"the process that reads photographs failed: exit {code}",
        ),
    )
    return Rejected("bad_frame", _NOT_NOW)
