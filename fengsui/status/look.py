"""What the commands that look at a run know of it: its log folded, and kept beside it as a file, so that
the next look reads only what is new.

What is kept is never trusted for its own sake. It is thrown away, and the log read from its beginning,
unless all of this holds: it is whole; this very program wrote it (a digest of the source of whatever
takes part in the fold); it is of this run; the log has the same topics and partitions; and in each of
these the last record that went into it still stands at its offset, byte for byte. A log that was
restored from a backup, written anew or cut short has another one there.

What has passed its retention since stays in the fold that saw it: a station that was last heard before
that was heard then, and not never.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from console.model.follow import Follower, Place
from console.model.view import View
from fengsui.run.setup import Setup
from fengsui.status.cap_exchange import Crossing
from stream.disk.files import write_file
from stream.log.port import Log
from stream.records import Run

FORMAT = 1
FILE = "look.fold"
_TOPICS = ("observations", "cases", "alerts", "deliveries")
_WORTH = 5000  # records: to read fewer is no work
_ROOT = Path(__file__).parents[2]
# whatever makes a record, or makes something of one
_SOURCES = (
    "config",
    "stream",
    "ingest",
    "detectors",
    "dispatch",
    "console/model",
    "fengsui/status",
)


@dataclass
class Look:
    """The folded log. view: the line as it looks now. crossing: what crossed the district's line by
    CAP."""

    view: View
    crossing: Crossing = field(default_factory=Crossing)

    def take(self, topic: str, record: Any) -> None:
        """Fold one record of a topic in."""
        self.view.take(record)
        self.crossing.take(topic, record)


class _Kept(msgspec.Struct, array_like=True):
    """The file. marks: of each place that was read how far, and a digest of the last record there."""

    format: int
    code: bytes
    run: tuple[str, str, str]  # name, kind, district
    marks: list[tuple[str, int, int, bytes]]
    body: bytes
    digest: bytes  # of `body`


def look_of(log: Log, ours: Run | None = None, folder: Path | None = None) -> Look:
    """Everything in the log, folded. ours: the run that is asked about. folder: of the run, where
    the fold is kept for the next look; without it, and where it cannot be written, it is not."""
    look, since = Look(View(ours=ours)), dict[Place, int]()
    if folder is None or ours is None or _size(log) < _WORTH:
        _fold(look, Follower(log, _TOPICS))
        return look
    if (found := _read(log, ours, folder / FILE)) is not None:
        look, since = found
    follower = Follower(log, _TOPICS, since)
    if _fold(look, follower) >= _WORTH:
        _write(log, ours, folder / FILE, follower.places, look)
    return look


def _fold(look: Look, follower: Follower) -> int:
    """All that it has not read yet; how many records."""
    many = 0
    for topic, record in follower.take():
        look.take(topic, record)
        many += 1
    return many


def look_at(setup: Setup, log: Log) -> Look:
    """The same, of a run's own log."""
    return look_of(log, setup.run, setup.folder)


def _size(log: Log) -> int:
    return sum(sum(log.ends(t)) - sum(log.starts(t)) for t in _TOPICS)


def _write(log: Log, ours: Run, file: Path, places: dict[Place, int], look: Look) -> None:
    marks = []
    for place, at in places.items():
        if (mark := _mark(log, place, at)) is None:
            return  # it passed its retention just now: nothing would tell this log from another
        marks.append((*place, at, mark))
    body = msgspec.msgpack.encode(look)
    kept = _Kept(FORMAT, _code(), _name(ours), marks, body, blake2b(body).digest())
    with suppress(OSError):  # a folder that only its owner may write to: the next look reads all
        write_file(file, msgspec.msgpack.encode(kept))


def _read(log: Log, ours: Run, file: Path) -> tuple[Look, dict[Place, int]] | None:
    """What is kept and how far it goes; None where nothing is that fits."""
    try:
        kept = msgspec.msgpack.decode(file.read_bytes(), type=_Kept)
        places = {(topic, part): at for topic, part, at, _ in kept.marks}
        fits = (
            (kept.format, kept.run, kept.code) == (FORMAT, _name(ours), _code())
            and kept.digest == blake2b(kept.body).digest()
            and places.keys() == Follower(log, _TOPICS).places.keys()
            and all(_mark(log, (t, p), at) == mark for t, p, at, mark in kept.marks)
        )
        if not fits:
            return None
        look = msgspec.msgpack.decode(kept.body, type=Look)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    look.view.ours = ours
    return look, places


def _mark(log: Log, place: Place, at: int) -> bytes | None:
    """A digest of the last record before `at`; b"" where that is the beginning, None if it is gone."""
    if at == 0:
        return b""
    for entry in log.read(*place, at - 1, 1):
        if entry.offset == at - 1:
            return blake2b(entry.key.encode() + b"\0" + entry.value, digest_size=16).digest()
    return None


def _name(run: Run) -> tuple[str, str, str]:
    return run.name, run.kind, run.district


def _code() -> bytes:
    digest = blake2b()
    for file in _files():
        digest.update(file.read_bytes())
    return digest.digest()


def _files() -> Iterator[Path]:
    for room in _SOURCES:
        yield from sorted((_ROOT / room).rglob("*.py"))
