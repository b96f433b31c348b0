"""What goes on from waveforms: readings of the stations, what is told of oddities, and from where to go on
after a break. Pure: packets in, messages out; nothing is done here.

After a start the filter must settle again, so the stream is asked for from a little before what was told
last; seconds that were told are not told again. What is kept says so for each station: the last packet that
need not come again, and of each channel the second that was told last.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from config.language import Said, Text, en, text_of, zh
from config.records.quantity import QUANTITIES
from config.records.row import Row
from ingest.waveform.seconds import STEP_S, Band, Piece, Seconds

# counts a unit of what a sensitivity is given in (m/s, Pa) in the quantity's own unit
_PER = {"ground_velocity": 1e6, "infrasound": 1.0}
_SLACK_MS = 2_000
_REMEMBERED = 600  # packets of a station
LARGEST = 0xFFFFFF  # a sequence number of SeedLink has six hexadecimal digits
_WORDS = {
    "gap": Text("缺口", "gap"),
    "overlap": Text("重叠，已略去", "sent again, passed over"),
    "step": Text("时钟回拨，从新时刻继续", "clock set back, going on from the new time"),
}


class Geophone(Row, frozen=True, kw_only=True):
    """One row of geophones.csv: which channel is which station. sensitivity: counts per m/s, of infrasound
    per Pa."""

    station: str
    channel: str  # NET.STA.LOC.CHA
    sensitivity: float
    quantity: Literal["ground_velocity", "infrasound"] = "ground_velocity"
    low_hz: float = 5.0
    high_hz: float = 40.0
    value: Literal["rms", "peak"] = "rms"


class Place(msgspec.Struct):
    """Of one SeedLink station: done with up to packet `seq`; told: channel -> ms."""

    seq: int = -1
    told: dict[str, int] = {}


class Message(NamedTuple):
    """Readings of one station."""

    station: str
    quantity: str
    readings: list[dict[str, Any]]


class Handed(NamedTuple):
    messages: list[Message]
    told: list[Text]


class Feed:
    """places: what was kept."""

    def __init__(self, rows: Sequence[Geophone], places: dict[str, Place]) -> None:
        self._rows = {r.channel: r for r in rows}
        self.places = places
        self._seconds = {
            r.channel: Seconds(Band(r.low_hz, r.high_hz, r.value), r.sensitivity / _PER[r.quantity])
            for r in rows
        }
        self._packets: dict[str, deque[tuple[int, int]]] = {}
        self._doubted: dict[str, Said] = {}

    def take(self, station: str, seq: int, piece: Piece) -> Handed:
        """A packet of SeedLink. seq: -1 where there is none."""
        row = self._rows.get(piece.channel)
        place = self.places.setdefault(station, Place())
        if row is None:
            return Handed([], [])
        try:
            seconds, odd = self._seconds[piece.channel].feed(piece)
        except ValueError as e:
            return Handed([], self._doubt(piece.channel, text_of(e)))
        told = [
            Text(
                f"{row.station}: {_WORDS[kind].zh} {s:.1f} 秒",
                f"{row.station}: {_WORDS[kind].en} {s:.1f} s",
            )
            for kind, s in odd
            if kind in _WORDS
        ]
        told += self._doubt(row.station, piece.clock)
        last = place.told.get(piece.channel, 0)
        new = [s for s in seconds if s.at > last or last - s.at > STEP_S * 1000]
        if new:
            place.told[piece.channel] = new[-1].at
        if seq >= 0:
            self._done(station, seq, piece, place)
        unit, per = QUANTITIES[row.quantity].unit, QUANTITIES[row.quantity].per_unit
        readings = [
            {"time": s.at / 1000, "value": round(s.value * per) / per, "unit": unit} for s in new
        ]
        return Handed([Message(row.station, row.quantity, readings)] if readings else [], told)

    def _doubt(self, who: str, why: Said) -> list[Text]:
        """What is doubtful of a station, when that changes."""
        before, self._doubted[who] = self._doubted.get(who, ""), why
        if why == before:
            return []
        if not why:
            return [Text(f"{who}: 时钟恢复可信", f"{who}: its clock is sure again")]
        return [Text(f"{who}: 存疑：{zh(why)}", f"{who}: in doubt: {en(why)}")]

    def _done(self, station: str, seq: int, piece: Piece, place: Place) -> None:
        """The newest packet that ended before the filter must begin to settle for what comes next."""
        held = self._packets.setdefault(station, deque(maxlen=_REMEMBERED))
        end_ms = (piece.start_ns + round(piece.samples.size / piece.rate * 1e9)) // 1_000_000
        held.append((seq, end_ms))
        if place.seq < 0:  # the first of all: it must come again until more is known
            place.seq = (seq - 1) & LARGEST
        heard = [c for c in self._rows if c.startswith(f"{station}.") and c in place.told]
        if not heard:
            return
        settle_ms = max(round(self._seconds[c].settle_s() * 1000) for c in heard)
        first = min(place.told[c] for c in heard) - settle_ms - _SLACK_MS
        while len(held) > 1 and held[0][1] <= first:
            place.seq = held.popleft()[0]


def topics(prefix: str, gateway: str, messages: Iterable[Message]) -> list[tuple[str, bytes]]:
    """As they go out: to each station's own topic, or together to a gateway's."""
    if not gateway:
        return [
            (f"{prefix}/station/{m.station}/{m.quantity}", msgspec.json.encode(m.readings))
            for m in messages
        ]
    together = [
        {"station": m.station, "quantity": m.quantity} | r for m in messages for r in m.readings
    ]
    return [(f"{prefix}/gateway/{gateway}/json", msgspec.json.encode(together))] if together else []
