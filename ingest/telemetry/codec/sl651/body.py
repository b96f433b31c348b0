"""What stands in a frame of SL 651-2014: serial, times, the station's own words on itself, elements.

An element is its id (`FF` and another byte: an extended one), a definition byte (high five bits: bytes of
data, low three: decimals) and BCD, the highest digits first. Width and decimals are the device's own. All
`FF` or all `AA` is missing; `FF` before digits is a minus; any other nibble A to F is damage, of this element
alone.
"""

from datetime import datetime, timedelta, timezone
from functools import cache, lru_cache
from struct import unpack_from
from typing import NamedTuple

from ingest.telemetry.codec.said import Fault
from ingest.telemetry.codec.sl651 import ascii_body
from ingest.telemetry.codec.sl651.frame import Frame651
from ingest.telemetry.codec.sl651.tables import (
    ADDRESS,
    CLASSES,
    ELEMENTS,
    KEEP_ALIVE,
    LEVELS_12,
    MANUAL,
    OBSERVED,
    PERIOD,
    PICTURE,
    RAIN_12,
    STATUS,
    STEP,
    UNIFORM,
)

Value = float | None | str | bytes | tuple[float | None, ...]
_POWER = tuple(10**n for n in range(8))
_TENTHS: tuple[float | None, ...] = (*(n / 10 for n in range(255)), None)  # of a slot of F4
_BEIJING = timezone(timedelta(hours=8))
_TWICE = frozenset((OBSERVED, ADDRESS, MANUAL, PICTURE))
_OTHER = frozenset((*_TWICE, RAIN_12, *LEVELS_12, STATUS, STEP, 0xFF))  # read otherwise than as BCD
_PLAIN = frozenset(ELEMENTS) - _OTHER
_ELEMENTS = range(0x30, 0x3B)  # functions whose bodies hold elements
_MINUTE_MS, _SLOT_MS = 60_000, 5 * 60_000
_TWO_F0, _TWO_F1 = b"\xf0\xf0", b"\xf1\xf1"
_new = tuple.__new__  # of a named tuple: half the time
_HEAD = 8  # serial and time of sending


class Item(NamedTuple):
    """One element. at, size: its bytes in the frame. value: a number; None: missing; twelve or more of
    them, one a slot; words or bytes. seen: the observation time before it, ten digits, or "". step_ms: the
    time between the values of a series. wrong: code of the fault, or ""."""

    at: int
    size: int
    id: int
    value: Value
    seen: str = ""
    step_ms: int = 0
    wrong: str = ""


class Body651(NamedTuple):
    """serial: -1 where there is none, as in a later packet. sent: YYMMDDhhmmss. address: what F1 says.
    rest_at: where that begins which is read by nobody here."""

    serial: int
    sent: str
    address: str
    kind: int
    items: list[Item]
    faults: list[Fault]
    rest_at: int


@lru_cache(8192)
def moment(text: str) -> int | None:
    """Beijing time of two-digit year, as `YYMMDDhhmm` or with seconds -> ms since 1970; None if it is no
    time. Nothing says the century: this one."""
    if not (text.isascii() and text.isdigit()):
        return None
    year, *rest = (int(text[n : n + 2]) for n in range(0, len(text), 2))
    try:
        when = datetime(2000 + year, *rest, tzinfo=_BEIJING)  # type: ignore[misc,arg-type]
    except (ValueError, TypeError):
        return None
    return int(when.timestamp()) * 1000


def times(item: Item, ends_last: bool = False) -> list[int]:
    """The moment of each value of an element, ms; [] where none is known. ends_last: this device's
    observation time is that of the twelfth value and not of the first."""
    first = moment(item.seen) if item.seen else None
    if first is None:
        return []
    many = len(item.value) if isinstance(item.value, tuple) else 1
    if ends_last:
        first -= (many - 1) * item.step_ms
    return [first + n * item.step_ms for n in range(many)]


def read(frame: Frame651) -> Body651:
    """The body of a whole frame. Of a packet that is not the first nothing is read: `packets.Joined`."""
    if frame.packet > 1:
        return Body651(-1, "", "", 0, [], [], frame.body_at)
    return read_bytes(frame.raw, frame.body_at, frame.body_end, frame)


def read_bytes(raw: bytes, at: int, end: int, frame: Frame651) -> Body651:
    """The same of bytes that several packets made."""
    if frame.ascii:
        return _ascii(raw, at, end)
    if end - at < _HEAD:
        fault = Fault(at, "cut", "缺流水号和发报时间", "serial and time of sending are missing")
        return Body651(-1, "", "", 0, [], [fault], at)
    serial, sent = raw[at] << 8 | raw[at + 1], raw[at + 2 : at + 8].hex()
    items: list[Item] = []
    faults: list[Fault] = []
    if moment(sent) is None:
        faults.append(Fault(at + 2, "bad_time", f"发报时间 {sent}", f"time of sending {sent}"))
    at += _HEAD
    address, kind = "", 0
    if not frame.down and frame.function != KEEP_ALIVE:
        elements = frame.function in _ELEMENTS
        if raw[at : at + 2] == _TWO_F1 and end - at >= 7:
            address = raw[at + 2 : at + 7].hex().upper()
            at += 7
            if elements and at < end and raw[at : at + 2] != _TWO_F0:
                kind = raw[at]
                if kind not in CLASSES:
                    words = f"站类 {kind:02X} 不认识", f"no such class of stations: {kind:02X}"
                    faults.append(Fault(at, "bad_value", *words))
                at += 1
        if elements or raw[at : at + 2] == b"\x45\x20":
            series = frame.function in (UNIFORM, PERIOD)
            at = _Elements(raw, end, items, faults, series).read(at)
    return Body651(serial, sent, address, kind, items, faults, at)


class _Elements:
    """One walk through elements."""

    def __init__(
        self, raw: bytes, end: int, items: list[Item], faults: list[Fault], series: bool
    ) -> None:
        self._raw, self._end, self._items, self._faults = raw, end, items, faults
        self._series = series
        self._seen, self._step_ms, self._over = "", 0, False

    def read(self, at: int) -> int:
        """From here on; where what is left begins. What nearly every report has is read here, whatever is
        otherwise by `_other`."""
        raw, end, add = self._raw, self._end, self._items.append
        text, seen = raw.hex(), self._seen
        while at + 1 < end:
            name, word, begin = raw[at], raw[at + 1], at + 2
            if name in _PLAIN and not self._step_ms:
                stop = begin + (word >> 3)
                try:
                    if begin < stop <= end:
                        value = int(text[2 * begin : 2 * stop]) / _POWER[word & 7]
                        add(_new(Item, (at, stop - at, name, value, seen, 0, "")))
                        at = stop
                        continue
                except ValueError:
                    pass
            elif name == word == OBSERVED:
                digits = text[2 * begin : 2 * begin + 10]
                if begin + 5 <= end and moment(digits) is not None:
                    self._seen = seen = digits
                    add(_new(Item, (at, 7, name, digits, digits, 0, "")))
                    at = begin + 5
                    continue
            elif name == RAIN_12 and word == 0x60 and begin + 12 <= end:
                amounts = tuple([_TENTHS[b] for b in raw[begin : begin + 12]])
                add(_new(Item, (at, 14, name, amounts, seen, _SLOT_MS, "")))
                at = begin + 12
                continue
            at = self._other(at, name)
            seen = self._seen
            if self._over:
                return at
        return self._cut(at, end) if at < end else at

    def _other(self, at: int, name: int) -> int:
        """An element that is not as most are; `_over` where nothing more can be read behind it."""
        if name in _OTHER:
            return self._special(at, name)
        word, begin = self._raw[at + 1], at + 2
        size = word >> 3
        stop = begin + size
        if stop > self._end or not size:
            self._over = True
            return self._cut(at, self._end)
        if self._step_ms and self._series and (self._end - begin) % size == 0:
            return self._values(at, name, begin, size, word & 7)
        self._items.append(self._odd(at, name, begin, stop, word & 7))
        if name not in ELEMENTS:
            self._unknown(at, name, size)
        return stop

    def _cut(self, at: int, end: int) -> int:
        left = self._raw[at:end].hex(" ").upper()[:48]
        words = f"要素不完整：{left}", f"an element that is not whole: {left}"
        self._faults.append(Fault(at, "cut", *words))
        return at

    def _unknown(self, at: int, name: int, size: int) -> None:
        words = (
            f"要素 {name:02X} 不认识，跳过 {size} 字节",
            f"element {name:02X} is not known, {size} bytes",
        )
        self._faults.append(Fault(at, "unknown_element", *words))

    def _odd(self, at: int, name: int, begin: int, stop: int, decimals: int) -> Item:
        """No plain digits: missing, negative or damaged."""
        data = self._raw[begin:stop]
        value, wrong = number(data, decimals)
        if wrong:
            text = data.hex().upper()
            self._faults.append(
                Fault(
                    begin,
                    "bad_value",
                    f"要素 {name:02X} 不是 BCD：{text}",
                    f"{name:02X}: no BCD: {text}",
                )
            )
        elif name not in ELEMENTS:
            wrong = "unknown_element"
        return Item(at, stop - at, name, value, self._seen, 0, wrong)

    def _special(self, at: int, name: int) -> int:
        raw, end = self._raw, self._end
        if name in _TWICE and raw[at : at + 2] == bytes((name, name)):
            return self._named(at, name)
        begin = at + 2 + (name == 0xFF)
        if begin > end:
            return self._stop(at)
        if name == 0xFF:
            name = 0xFF00 | raw[at + 1]
        word = raw[begin - 1]
        stop = begin + (word >> 3)
        if stop > end or stop == begin:
            return self._stop(at)
        data = raw[begin:stop]
        value: Value
        wrong, step_ms = "", 0
        if name == RAIN_12:
            value, step_ms = tuple([_TENTHS[b] for b in data]), _SLOT_MS
        elif name in LEVELS_12:
            value, step_ms = _pairs(data), _SLOT_MS
        elif name == STATUS:
            value = float(int.from_bytes(data, "big"))
        else:
            value, wrong = number(data, word & 7)
            if name == STEP and isinstance(value, float):
                value, self._step_ms = _step(int(data.hex()))
            elif wrong:
                text = data.hex().upper()
                words = f"要素 {name:02X} 不是 BCD：{text}", f"{name:02X}: no BCD: {text}"
                self._faults.append(Fault(begin, "bad_value", *words))
            elif name not in ELEMENTS:
                wrong = "unknown_element"
                self._unknown(at, name, stop - begin)
        self._items.append(Item(at, stop - at, name, value, self._seen, step_ms, wrong))
        return stop

    def _stop(self, at: int) -> int:
        """Cut: nothing behind it can be found."""
        self._cut(at, self._end)
        return self._end

    def _named(self, at: int, name: int) -> int:
        """Ids that stand twice: a time, an address, words or a picture to the end."""
        raw, end, begin = self._raw, self._end, at + 2
        if name == OBSERVED:
            text = raw[begin : begin + 5].hex()
            if begin + 5 > end:
                return self._stop(at)
            wrong = "" if moment(text) is not None else "bad_time"
            if wrong:
                self._faults.append(
                    Fault(begin, "bad_time", f"观测时间 {text}", f"time of observation {text}")
                )
            self._seen = text
            self._items.append(Item(at, 7, name, text, text, 0, wrong))
            return begin + 5
        if name == ADDRESS:
            if begin + 5 > end:
                return self._stop(at)
            self._items.append(Item(at, 7, name, raw[begin : begin + 5].hex().upper(), self._seen))
            return begin + 5
        data = raw[begin:end]
        value: Value = data.decode("gb18030", "replace") if name == MANUAL else data
        self._items.append(Item(at, end - at, name, value, self._seen))
        return end

    def _values(self, at: int, name: int, begin: int, size: int, decimals: int) -> int:
        """A series of uniform steps: one id and definition, values to the end."""
        found: list[float | None] = []
        for place in range(begin, self._end, size):
            value, wrong = number(self._raw[place : place + size], decimals)
            found.append(value)
            if wrong:
                text = self._raw[place : place + size].hex().upper()
                self._faults.append(
                    Fault(place, "bad_value", f"不是 BCD：{text}", f"no BCD: {text}")
                )
        wrong = "" if name in ELEMENTS else "unknown_element"
        if wrong:
            self._unknown(at, name, self._end - begin)
        step_ms = self._step_ms
        self._items.append(Item(at, self._end - at, name, tuple(found), self._seen, step_ms, wrong))
        return self._end


def number(data: bytes, decimals: int) -> tuple[float | None, str]:
    """BCD with the sign rule: the value, None where it is missing; and `bad_value` for damage."""
    text = data.hex()
    if text.isdigit():
        return int(text) / _POWER[decimals], ""
    if not text.strip("f") or not text.strip("a"):
        return None, ""
    if text[:2] == "ff" and (digits := text[2:]).isdigit():
        return -int(digits) / _POWER[decimals], ""
    return None, "bad_value"


def _pairs(data: bytes) -> tuple[float | None, ...]:
    """Two bytes each, of 0.01; FFFF is missing."""
    table = _hundredths()
    return tuple([table[count] for count in unpack_from(f">{len(data) >> 1}H", data)])


@cache
def _hundredths() -> tuple[float | None, ...]:
    """Of two bytes; made when the first level of such a form comes."""
    return (*(n / 100 for n in range(0xFFFF)), None)


def _step(digits: int) -> tuple[str, int]:
    """`DDhhmm`: in words, and in ms."""
    days, hours, minutes = digits // 10000, digits // 100 % 100, digits % 100
    return f"{days} d {hours} h {minutes} min", (
        (days * 24 + hours) * 60 + minutes
    ) * _MINUTE_MS  # fmt: skip


def _ascii(raw: bytes, at: int, end: int) -> Body651:
    """Serial (four hex characters) and time of sending (twelve digits), then names and values."""
    head = raw[at : at + 16].decode("ascii", "replace")
    try:
        serial = int(head[:4], 16)
    except ValueError:
        serial = -1
    if len(head) < 16 or serial < 0:
        fault = Fault(at, "cut", "缺流水号和发报时间", "serial and time of sending are missing")
        return Body651(-1, "", "", 0, [], [fault], at)
    found = Body651(serial, head[4:], "", 0, [], [], end)
    if moment(head[4:]) is None:
        found.faults.append(Fault(at + 4, "bad_time", f"发报时间 {head[4:]}", f"time {head[4:]}"))
    for word in ascii_body.words(raw, at + 16, end):
        if word.fault is not None:
            found.faults.append(word.fault)
        if word.id is not None:
            wrong = "" if word.fault is None else word.fault.code
            found.items.append(Item(word.at, word.size, word.id, word.value, "", 0, wrong))
    return found
