"""A telemetry station that speaks SL 651-2014 over TCP or UDP: it reports, waits for its answer, says a report
that nobody answered again, and keeps what it could not hand over."""

import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from config.records.district import address_of
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.body import read
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.codec.sl651.tables import (
    ADD_ON,
    HOURLY,
    KEEP_ALIVE,
    NAK,
    NOW,
    PICTURES,
    TEST,
    TIMED,
)

_RIVER = 0x48
_TIMES = 3  # a report is said, and twice more
_SLOT_MS = 300_000
_LARGEST_SERIAL = 65_535


class Answer(NamedTuple):
    """What a centre said. sent: its clock, as digits."""

    function: int
    serial: int
    sent: str
    end: int


class Station651:
    """One station. way: tcp or udp; wait_s: for an answer. Its clock is what each report is given."""

    def __init__(
        self,
        address: str,
        host: str,
        port: int,
        way: str = "tcp",
        *,
        wait_s: float = 10.0,
        password: str = "1234",  # noqa: S107  # as it left the factory
    ) -> None:
        self.address, self._password, self.wait_s = address, password, wait_s
        self._where, self._way = (host, port), way
        self._serial = 0
        self._finder = Finder()
        self._socket: socket.socket | None = None
        self._heard: list[Frame651] = []
        self.kept: list[list[bytes]] = []  # reports that nobody has answered, as they were said
        self.said = 0  # frames that went out
        self.lose: Callable[[int], bool] = lambda _: False  # frames that do not arrive, by number

    # --- the line

    def connect(self) -> None:
        """A new connection in place of the old one."""
        self.close()
        kind = socket.SOCK_DGRAM if self._way == "udp" else socket.SOCK_STREAM
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.settimeout(self.wait_s)
        self._socket.connect(self._where)
        self._finder = Finder()

    def close(self) -> None:
        """Off line."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def send(self, raw: bytes) -> None:
        """Bytes as they are."""
        if self._socket is None:
            self.connect()
        assert self._socket is not None
        self.said += 1
        if not self.lose(self.said):
            self._socket.sendall(raw)

    def listen(self) -> Frame651 | None:
        """The next frame from the centre; None when none came in time."""
        assert self._socket is not None
        while not self._heard:
            try:
                data = self._socket.recv(65_536)
            except TimeoutError:
                return None
            if not data:
                return None
            self._heard += [f for f in self._finder.feed(data) if isinstance(f, Frame651)]
        return self._heard.pop(0)

    # --- reports

    def hand_over(self, packets: Sequence[bytes]) -> Answer | None:
        """One message; said again while nobody answers, and kept when nobody does. A packet that the centre
        asks for is said alone."""
        for _ in range(_TIMES):
            try:
                for raw in packets:
                    self.send(raw)
                while (heard := self.listen()) is not None:
                    if heard.end == NAK and heard.packet:
                        self.send(packets[heard.packet - 1])
                        continue
                    body = read(heard)
                    return Answer(heard.function, body.serial, body.sent, heard.end)
            except OSError:
                self.close()
        self.kept.append(list(packets))
        return None

    def catch_up(self) -> int:
        """Says again what is kept; how much of it was taken."""
        waiting, self.kept = self.kept, []
        return sum(self.hand_over(packets) is not None for packets in waiting)

    def report(
        self, function: int, sent_ms: int, seen_ms: int, elements: Sequence[bytes]
    ) -> Answer | None:
        """One report of these elements."""
        return self.hand_over([self.frame(function, sent_ms, seen_ms, elements)])

    def frame(
        self,
        function: int,
        sent_ms: int,
        seen_ms: int,
        elements: Sequence[bytes],
        swapped: bool = False,
    ) -> bytes:
        """A report with the next serial."""
        body = encode.report(self.address, self._next(), sent_ms, _RIVER, seen_ms, elements)
        return encode.frame(self.address, function, body, password=self._password, swapped=swapped)

    def _next(self) -> int:
        self._serial = self._serial % _LARGEST_SERIAL + 1
        return self._serial

    def hourly(
        self,
        at_ms: int,
        rain: Sequence[float | None],
        levels: Sequence[float | None] = (),
        *,
        total: float = 0.0,
        level: float | None = None,
        volts: float = 12.6,
    ) -> list[bytes]:
        """The elements of an hour that ends at `at_ms`, to be sent with `hour`: twelve amounts, twelve levels
        above the base, and what is at its end."""
        found = []
        if rain:
            found.append(encode.rain_slots(rain))
        if levels:
            found.append(encode.level_slots(0xF5, levels))
        found += [encode.observed(at_ms), encode.element(0x26, total, 4, 1)]
        if level is not None:
            found.append(encode.element(0x39, level, 4, 3))
        return [*found, encode.element(0x38, volts, 2, 2)]

    def hour(self, at_ms: int, sent_ms: int, elements: Sequence[bytes]) -> Answer | None:
        """An hourly report: its first time is that of the first of twelve values."""
        return self.report(HOURLY, sent_ms, at_ms - 11 * _SLOT_MS, elements)

    def timed(self, at_ms: int, elements: Sequence[bytes]) -> Answer | None:
        return self.report(TIMED, at_ms, at_ms, elements)

    def add_on(self, at_ms: int, elements: Sequence[bytes]) -> Answer | None:
        return self.report(ADD_ON, at_ms, at_ms, elements)

    def test(self, at_ms: int, elements: Sequence[bytes]) -> Answer | None:
        return self.report(TEST, at_ms, at_ms, elements)

    def keep_alive(self, at_ms: int) -> None:
        """Nobody answers it; its serial is the last one used."""
        body = self._serial.to_bytes(2, "big") + bytes.fromhex(encode.digits(at_ms))
        self.send(encode.frame(self.address, KEEP_ALIVE, body, password=self._password))

    def picture(self, at_ms: int, jpeg: bytes) -> Answer | None:
        """A picture in packets, with one answer at its end."""
        body = encode.report(self.address, self._next(), at_ms, _RIVER, at_ms, [b"\xf3\xf3" + jpeg])
        packets = encode.in_packets(self.address, PICTURES, body, password=self._password)
        return self.hand_over(packets)

    def answer_question(self, at_ms: int, elements: Sequence[bytes]) -> bool:
        """Waits to be asked for its values and says them."""
        if self._socket is None:
            self.connect()
        heard = self.listen()
        if heard is None or heard.function != NOW:
            return False
        self.send(self.frame(NOW, at_ms, at_ms, elements))
        return True


def main() -> None:
    """`python -m simulators.telemetry ADDRESS HOST:PORT [tcp|udp]`: one hourly report of the hour that has
    just ended, and what came back."""
    if len(sys.argv) < 3:
        raise SystemExit(main.__doc__)
    address = address_of(sys.argv[1])
    host, _, port = sys.argv[2].rpartition(":")
    station = Station651(address, host, int(port), *sys.argv[3:4])
    now = int(time.time() * 1000)
    end = now // _SLOT_MS * _SLOT_MS
    elements = station.hourly(end, [0.0] * 11 + [0.5], [0.32] * 12, total=0.5, level=1.32)
    answer = station.hour(end, now, elements)
    station.close()
    print("no answer" if answer is None else f"answered: {answer}")
