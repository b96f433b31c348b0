"""What each message of a telemetry station means and how it is answered: readings, dead letters, the bytes to
send once the log has both.

It remembers of every address of telemetry.csv its last reports (the same again is answered again and counts
once), who speaks for it, and the packets of a message that has not come whole.
"""

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from config.language import Text
from config.records.district import District
from ingest.identify import Register
from ingest.observation import Observation
from ingest.telemetry.book import (
    REASON,
    Address,
    Meant,
    Picture,
    book,
    doubted,
    of_206,
    of_651,
    rejected,
)
from ingest.telemetry.codec.said import Broken, Fault
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.body import Body651, moment, read
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.codec.sl651.packets import Packets
from ingest.telemetry.codec.sl651.tables import (
    ACK,
    EOT,
    ESC,
    HOURLY,
    KEEP_ALIVE,
    NOW,
    PERIOD,
    PICTURES,
    REPORTS,
    SET_CLOCK,
    TEST,
    TIMED,
)
from ingest.telemetry.codec.szy206 import frame as frame_206
from ingest.telemetry.codec.szy206.data import read_data
from ingest.telemetry.codec.szy206.frame import Finder206, Frame206
from stream.records import Rejected

_REMEMBERED = 24  # reports of an address, and elements of them
_PARTS, _PART_MS = 100, 120_000  # messages that have not come whole, and how long one is waited for
_ASKED = frozenset((NOW, PERIOD, 0x39, 0x3A))  # answers to what a centre asked
_ONCE = frozenset(
    (TIMED, HOURLY)
)  # one of a time; of an add-on report several may be of one minute
_OPEN_MS = 600_000  # so long who spoke for an address is still taken to be there
_SAY_MS = 3_600_000
_AWAY_MS = 300_000  # of a clock


Told = tuple[int, int, str, object]  # function, element, time as it was sent, value


def finder_of(first: bytes) -> Finder | Finder206:
    """By the first byte of a stream: 68 begins SZY 206, all else is looked at as SL 651."""
    return Finder206() if first[:1] == b"\x68" else Finder()


class Heard(NamedTuple):
    """What a message means. address: for the source of its dead letters. reply: what its sender waits for,
    to go out after the log has the rest; b"" for nothing."""

    address: str
    found: list[Observation]
    letters: list[Rejected]
    reply: bytes = b""


class _Known:
    """Of one address: the reports that were taken and what they said, who spoke for it and when, when it was
    last doubted."""

    def __init__(self) -> None:
        self.reports: OrderedDict[tuple[int, int, str], bytes] = OrderedDict()
        self.said: OrderedDict[tuple[int, int, str], int] = OrderedDict()
        self.spoke: OrderedDict[str, int] = OrderedDict()
        self.told_at = -_SAY_MS
        self.unknown: set[int] = set()
        self.set_at = -_SAY_MS  # when its clock was set

    def again(self, report: tuple[int, int, str], content: object) -> bool:
        """Was this very report taken before? A re-send keeps its serial, and says the same."""
        digest = hashlib.blake2b(repr(content).encode(), digest_size=8).digest()
        if self.reports.get(report) == digest:
            return True
        self.reports[report] = digest
        _bounded(self.reports)
        return False

    def contradicts(self, told: Iterable[Told]) -> bool:
        """Was one of these told before with another value?"""
        found = False
        for function, element, seen, value in told:
            key, mark = (function, element, seen), hash(repr(value))
            found |= self.said.get(key, mark) != mark
            self.said[key] = mark
        _bounded(self.said)
        return found


def _bounded(held: OrderedDict[Any, Any]) -> None:
    while len(held) > _REMEMBERED:
        held.popitem(last=False)


class Desk:
    """keep: puts a picture away, and says what observation it is."""

    def __init__(
        self,
        district: District,
        register: Register,
        keep: Callable[[Picture, int], Observation | Rejected],
    ) -> None:
        self._register, self._keep = register, keep
        self.book = book(district.telemetry)
        self._known = {key: _Known() for key in self.book}
        self._parts: OrderedDict[tuple[str, int], tuple[Packets, int]] = OrderedDict()
        self.counted: Counter[str] = Counter()  # what is told once and counted each time
        self.missing = 0

    def told_less(self) -> list[tuple[str, int]]:
        """Since the last time: what had been told before and was only counted, and values that were missing."""
        found = [*self.counted.items(), *[("missing", self.missing)] * bool(self.missing)]
        self.counted.clear()
        self.missing = 0
        return found

    def broken(self, broken: Broken) -> Heard:
        """Bytes that are no frame. Nobody is answered."""
        return Heard("?", [], [rejected("?", broken.fault)])

    def hear(self, frame: Frame651 | Frame206, peer: str, now: int) -> Heard:
        """One whole frame. peer: the connection or address it came by; now: of receipt, ms."""
        is_651 = isinstance(frame, Frame651)
        key = ("sl651" if is_651 else "szy206", frame.station)
        mine, at = self.book.get(key), 3 if is_651 else frame.raw.find(bytes.fromhex(frame.station))
        if mine is None:
            words = Text(
                f"{frame.station} 第 {at} 字节：站址未登记，请加进 telemetry.csv",
                f"{frame.station} at byte {at}: this address is not registered: add it to telemetry.csv",
            )
            return Heard(frame.station, [], [Rejected("unknown_station", words)])
        known = self._known[key]
        if isinstance(frame, Frame651):
            return self._651(frame, mine, known, peer, now)
        return self._206(frame, mine, known, peer, now)

    # --- SL 651

    def _651(self, f: Frame651, mine: Address, known: _Known, peer: str, now: int) -> Heard:
        if f.down:
            return self._no(
                f.station, 11, "no_frame", "下行报文，不是测站发的", "goes down: no station sent it"
            )
        if mine.head.password and mine.head.password.upper() != f.password:
            return self._no(f.station, 8, "bad_password", "密码不对", "the password is not its own")
        if f.function in (KEEP_ALIVE, SET_CLOCK):
            return Heard(f.station, [], [])
        if f.packets:
            return self._packet(f, mine, known, peer, now)
        return self._report(f, read(f), mine, known, peer, now)

    def _no(self, address: str, at: int, reason: str, zh: str, en: str) -> Heard:
        words = Text(f"{address} 第 {at} 字节：{zh}", f"{address} at byte {at}: {en}")
        return Heard(address, [], [Rejected(reason, words)])

    def _packet(self, f: Frame651, mine: Address, known: _Known, peer: str, now: int) -> Heard:
        """One of several. A picture gets one answer at its end, or is asked for what is missing; a report in
        packets has each but the last acknowledged, for it waits for that."""
        key = (f.station, f.function)
        letters: list[Rejected] = []
        held, _ = self._parts.pop(key, (Packets(f.packets), now))
        if not held.add(f):
            letters.append(_lost(f.station, held))
            held = Packets(f.packets)
            held.add(f)
        whole = held.whole()
        if whole is not None:
            heard = self._report(whole.first, whole.body, mine, known, peer, now)
            return heard._replace(letters=letters + heard.letters)
        reply = b""
        if f.more:
            if f.function != PICTURES and mine.head.mode != "M3":
                reply = encode.answer(f, held.serial, now, ACK)
        elif lost := held.ask():
            reply = encode.again(f, held.serial, now, lost)
        else:
            letters.append(_lost(f.station, held))
            return Heard(f.station, [], letters)
        self._parts[key] = held, now
        while len(self._parts) > _PARTS:
            (address, _), (oldest, _) = self._parts.popitem(last=False)
            letters.append(_lost(address, oldest))
        return Heard(f.station, [], letters, reply)

    def late(self, now: int) -> list[Heard]:
        """Messages whose other packets did not come."""
        found = []
        for key, (held, at) in list(self._parts.items()):
            if now - at > _PART_MS:
                del self._parts[key]
                found.append(Heard(key[0], [], [_lost(key[0], held)]))
        return found

    def _report(
        self, f: Frame651, body: Body651, mine: Address, known: _Known, peer: str, now: int
    ) -> Heard:
        if f.function not in REPORTS and f.function not in _ASKED:
            words = "没有问过它", "nobody asked for it"
            return self._no(f.station, 10, "unasked", *words)
        reply = b""
        if f.function in REPORTS and mine.head.mode != "M1" and body.serial >= 0:
            clock = _clock(f, mine, known, body.sent, now)
            stays = clock or mine.head.end == "ESC" or mine.head.mode == "M4"
            reply = encode.answer(f, body.serial, now, ESC if stays else EOT) + clock
        seen = next((i.seen for i in body.items if i.seen), "")
        content = [item[2:] for item in body.items]
        if known.again((f.function, body.serial, seen), content):
            return Heard(f.station, [], [], reply)
        once = body.items if f.function in _ONCE else ()
        told = [(f.function, i.id, i.seen, i.value) for i in once if i.seen]
        twice = self._twice(known, told, peer, now)
        letters = self._faults(f.station, body.faults, body.items, mine, known)
        if body.address and body.address != f.station:
            self.counted["other_address"] += 1
        meant = of_651(self._register, mine, body.items, body.sent, now)
        return self._heard(f.station, meant, letters, f.function == TEST, twice, now, reply)

    def _heard(
        self,
        address: str,
        meant: Meant,
        letters: list[Rejected],
        test: bool,
        twice: Rejected | bool,
        now: int,
        reply: bytes,
    ) -> Heard:
        found: Iterable[Observation | Rejected] = meant.found
        found = [*found, *(self._keep(p, now) for p in meant.pictures)]
        if test:  # of somebody at work on the station
            found = doubted(found, "test_report")
        if twice:
            found = doubted(found, "address_twice")
        if isinstance(twice, Rejected):
            letters = [*letters, twice]
        self.missing += meant.missing
        kept: list[Observation] = []
        for one in found:
            if isinstance(one, Observation):
                kept.append(one)
            else:
                letters.append(one)
        return Heard(address, kept, letters, reply)

    def _faults(
        self,
        address: str,
        faults: Iterable[Fault],
        items: Iterable[object],
        mine: Address,
        known: _Known,
    ) -> list[Rejected]:
        """What is wrong within a message. An element that nobody knows is told once an address, for it comes
        with every message, and counted each time; one that stands in telemetry.csv is known."""
        named = {getattr(i, "at", -1): getattr(i, "id", -1) for i in items}
        found = []
        for fault in faults:
            if fault.code == "unknown_element":
                name = named.get(fault.at, -1)
                if name in mine.of:
                    continue
                if name in known.unknown:
                    self.counted[REASON[fault.code]] += 1
                    continue
                if len(known.unknown) < _REMEMBERED:
                    known.unknown.add(name)
            found.append(rejected(address, fault))
        return found

    def _twice(self, known: _Known, told: Iterable[Told], peer: str, now: int) -> Rejected | bool:
        """Do two stations speak for one address? Two do where a report of one time is told with other values,
        or where a connection speaks again after another one has taken its place. Told once an hour."""
        other = known.contradicts(told)
        last = next(reversed(known.spoke), peer)
        back = peer != last and now - known.spoke.get(peer, now - _OPEN_MS) < _OPEN_MS
        known.spoke[peer] = now
        known.spoke.move_to_end(peer)
        _bounded(known.spoke)
        if not (other or back):
            return False
        if now - known.told_at < _SAY_MS:
            self.counted["address_twice"] += 1
            return True
        known.told_at = now
        words = Text(
            f"第 3 字节：像有两个站用同一站址（{last} 和 {peer}）；读数存疑",
            f"at byte 3: two stations seem to use one address ({last} and {peer}); readings are suspect",
        )
        return Rejected("address_twice", words)

    # --- SZY 206

    def _206(self, f: Frame206, mine: Address, known: _Known, peer: str, now: int) -> Heard:
        if not f.up:
            return self._no(
                f.station, 3, "no_frame", "下行报文，不是测站发的", "goes down: no station sent it"
            )
        reply = b"" if mine.head.mode == "M1" else frame_206.answer(f)
        if f.function == frame_206.LINK or f.function == frame_206.PICTURE:
            # a piece of a picture tells no time, and none is made up: it is answered and not kept
            self.counted["picture_without_time"] += f.function == frame_206.PICTURE
            return Heard(f.station, [], [], reply)
        if f.function not in (frame_206.REPORT, frame_206.ALARM):
            words = "没有问过它", "nobody asked for it"
            return self._no(f.station, f.data_at - 1, "unasked", *words)
        data = read_data(f)
        seen = "" if data.time is None else repr(data.time)
        if known.again((f.function << 8 | f.kind, 0, seen), f.data):
            return Heard(f.station, [], [], reply)
        told = [(f.function, f.kind, seen, [v.value for v in data.values])] if seen else []
        twice = self._twice(known, told, peer, now)
        letters = self._faults(f.station, data.faults, (), mine, known)
        meant = of_206(self._register, mine, data, now)
        return self._heard(f.station, meant, letters, False, twice, now, reply)


def _clock(f: Frame651, mine: Address, known: _Known, sent: str, now: int) -> bytes:
    """Its clock is told right where the district wants it so: twice, as the standard says of one that is more
    than five minutes off; at most once an hour, for not every station obeys."""
    at = moment(sent)
    if mine.head.clock != "set" or at is None or abs(at - now) <= _AWAY_MS:
        return b""
    if now - known.set_at < _SAY_MS:
        return b""
    known.set_at = now
    return 2 * encode.question(
        f.station, SET_CLOCK, now, centre=f.centre, password=f.password, swapped=f.swapped
    )


def _lost(address: str, held: Packets) -> Rejected:
    lost = held.missing()
    words = Text(
        f"{address} 多包报文不全：共 {held.packets} 包，缺第 {lost} 包",
        f"{address}: of {held.packets} packets no. {lost} did not come",
    )
    return Rejected("cut_frame", words)
