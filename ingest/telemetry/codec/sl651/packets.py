"""Frames of several packets put together: a picture, or a report that was too long for one."""

from typing import NamedTuple

from ingest.telemetry.codec.sl651.body import Body651, read, read_bytes
from ingest.telemetry.codec.sl651.frame import Frame651

MOST = 0xFFF  # packets: their number has twelve bits
MOST_BYTES = 2_100_000  # of all bodies: a picture is at most two megabytes
_PAIR = 2  # rounds in which missing packets are asked for


class Joined(NamedTuple):
    """Every packet is there. body: what they hold together; first: the packet with serial and time."""

    first: Frame651
    body: Body651


class Packets:
    """The packets of one message of one station, in whatever order they come; the same twice is one."""

    def __init__(self, packets: int) -> None:
        self.packets = packets
        self._found: dict[int, Frame651] = {}
        self._bytes = 0
        self.asked: dict[int, int] = {}  # packet -> how often it was asked for

    def add(self, frame: Frame651) -> bool:
        """False where this packet belongs to another message, or all of them are too large."""
        if frame.packets != self.packets:
            return False
        if frame.packet == 1 and 1 in self._found and frame.body != self._found[1].body:
            return False
        if frame.packet not in self._found:
            self._bytes += len(frame.body)
            if self._bytes > MOST_BYTES:
                return False
            self._found[frame.packet] = frame
        return True

    @property
    def serial(self) -> int:
        """Which an answer repeats; 0 while the packet that has it is not there."""
        first = self._found.get(1)
        return 0 if first is None else max(0, read(first).serial)

    def missing(self) -> int:
        """The first packet that is not there; 0 if all are."""
        return next((n for n in range(1, self.packets + 1) if n not in self._found), 0)

    def ask(self) -> int:
        """The missing packet to ask for now; 0 where none is missing, or was asked for too often."""
        lost = self.missing()
        if lost:
            self.asked[lost] = self.asked.get(lost, 0) + 1
        return lost if self.asked.get(lost, 0) <= _PAIR else 0

    def whole(self) -> Joined | None:
        """All of it, or None while a packet is missing."""
        if self.missing():
            return None
        first = self._found[1]
        head = first.raw[: first.body_at]
        body = b"".join(self._found[n].body for n in range(1, self.packets + 1))
        return Joined(first, read_bytes(head + body, len(head), len(head) + len(body), first))
