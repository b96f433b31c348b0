"""The hands of the edge program: takes waveforms, publishes readings, keeps where it is.

What is kept is written after the broker has confirmed all that it speaks of; so a crash at any instant sends
some seconds again, which ingest knows as repetitions, and loses none that the server still has."""

import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.language import Text
from ingest.waveform.feed import Feed, Geophone, Handed, Message, Place, topics
from ingest.waveform.records import Unreadable, pieces_of, record_length
from ingest.waveform.seconds import Piece
from ingest.waveform.seedlink import SeedLink
from stream.disk.files import write_file
from stream.mqtt.client import Mqtt
from stream.oplog import Seldom, say
from stream.wall_clock import now_ms

_SAVE_S, _LOOK_S, _WAIT_S = 2.0, 2.0, 0.5
_CONFIRM_S = 30.0
_AHEAD_MS, _BEHIND_MS = 60_000, 600_000
_MOST_READINGS = 2_000  # of one message
_FILES = "files"  # the place of what comes from files
_HEAD, _AGAIN = 4096, 32  # bytes in which a file says its records' length; records to settle on


class Progress(msgspec.Struct):
    """The file beside the program. files: path -> bytes that are done with."""

    places: dict[str, Place] = {}
    files: dict[str, int] = {}


class Way(NamedTuple):
    """Where readings go. gateway: "" for each station's own topic."""

    broker: str
    prefix: str
    gateway: str
    name: str


class Agent:
    """file: what is kept. Raises ValueError where it cannot be read."""

    def __init__(self, rows: Sequence[Geophone], file: Path, way: Way) -> None:
        self._file, self._way = file, way
        self.kept = Progress()
        if file.exists():
            try:
                self.kept = msgspec.json.decode(file.read_bytes(), type=Progress)
            except (msgspec.DecodeError, OSError) as e:
                raise ValueError(
                    Text(
                        f"{file}: 读不了（{e}）；移走它，从现在的波形开始",
                        f"{file}: cannot be read ({e}); move it away to begin with what comes now",
                    )
                ) from e
        self._rows = rows
        self._feed = Feed(rows, self.kept.places)
        self._mqtt = Mqtt(way.broker, way.name)
        self._saved_at = 0.0
        self._seldom = Seldom(600.0)
        self._opened: set[str] = set()

    def close(self) -> None:
        """Keeps what has been confirmed, and leaves the broker."""
        self._confirm()
        self._mqtt.close()

    # --- SeedLink

    def follow_server(self, address: str, stop: threading.Event) -> None:
        """Until `stop`."""
        resume = {s: p.seq for s, p in self.kept.places.items() if p.seq >= 0}
        link = SeedLink(address, [r.channel for r in self._rows], resume)
        try:
            while not stop.is_set():
                packet = link.take(_WAIT_S)
                if packet is not None:
                    self._age(packet.piece)
                    self._out(self._feed.take(packet.station, packet.seq, packet.piece))
                if time.monotonic() - self._saved_at > _SAVE_S:
                    self._confirm()
        finally:
            link.close()

    def _age(self, piece: Piece) -> None:
        """A clock that is far from ours, or a server that is behind: told at most every ten minutes."""
        end = piece.start_ns // 1_000_000 + round(piece.samples.size / piece.rate * 1000)
        away = end - now_ms()
        if away > _AHEAD_MS:
            words = Text(
                f"{piece.channel}: 时钟超前", f"{piece.channel}: its clock is ahead of ours"
            )
            self._seldom("geophones", words)
        elif away < -_BEHIND_MS:
            words = Text(
                f"{piece.channel}: 数据迟到十分钟以上", f"{piece.channel}: over ten minutes late"
            )
            self._seldom("geophones", words)

    # --- files

    def read_files(self, paths: Sequence[Path]) -> list[Text]:
        """What is new in these files and folders; what could not be read is told, and tried again when it
        has grown."""
        wrong = []
        for path in sorted(f for p in paths for f in ([*p.iterdir()] if p.is_dir() else [p])):
            if not path.is_file() or path.name.startswith("."):
                continue
            try:
                self._read(path)
            except (Unreadable, OSError) as e:
                wrong.append(Text(f"{path.name}: {e}", f"{path.name}: {e}"))
        self._confirm()
        return wrong

    def follow_files(self, paths: Sequence[Path], stop: threading.Event) -> None:
        """Until `stop`: files that come, and what they grow by."""
        while not stop.is_set():
            for words in self.read_files(paths):
                self._seldom("geophones", words)
            stop.wait(_LOOK_S)

    def _read(self, path: Path) -> None:
        name, size = str(path.resolve()), path.stat().st_size
        done = self.kept.files.get(name, 0)
        if size < done:
            done = 0  # another file of that name
        if size == done:
            return
        with path.open("rb") as f:
            length = record_length(f.read(_HEAD))
            # after a start the filter must settle on what was told already, which is not told again
            begin = done if name in self._opened or not length else max(0, done - _AGAIN * length)
            f.seek(begin)
            body = f.read()
        whole = len(body) // length * length if length else len(body)
        if begin + whole <= done:
            return
        self._opened.add(name)
        for piece in pieces_of(body[:whole], path.name):
            self._out(self._feed.take(_FILES, -1, piece))
        self.kept.files[name] = begin + whole

    # --- out

    def _out(self, fed: Handed) -> None:
        for words in fed.told:
            say("geophones", words)
        for part in _parts(fed):
            for topic, payload in topics(self._way.prefix, self._way.gateway, part):
                self._mqtt.publish(topic, payload)

    def _confirm(self) -> None:
        """What the broker has, is done with. While it does not answer nothing more is taken: the server
        keeps it."""
        if not self._mqtt.flush(_CONFIRM_S):
            say("geophones", Text("MQTT 服务器没有确认，暂停", "no word from the broker: waiting"))
            return
        write_file(self._file, msgspec.json.format(msgspec.json.encode(self.kept)))
        self._saved_at = time.monotonic()


def _parts(fed: Handed) -> Iterable[list[Message]]:
    for m in fed.messages:
        for n in range(0, len(m.readings), _MOST_READINGS):
            yield [m._replace(readings=m.readings[n : n + _MOST_READINGS])]
