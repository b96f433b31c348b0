"""Frames of SL 651-2014 in a stream of bytes, whole or in pieces, with rubbish between.

A frame stands alone: `7E 7E`, the head, a body of the length it says, the end character, CRC. After a wrong
one the search goes on from the next byte, not from the end that it claimed. The ASCII form begins with
`01` and has every byte of head and CRC as two characters.
"""

from typing import NamedTuple

from ingest.telemetry.codec.held import Held
from ingest.telemetry.codec.said import Broken, Fault
from ingest.telemetry.codec.sl651.crc import crc16
from ingest.telemetry.codec.sl651.tables import ENDS, ETB, STX, SYN

_HEAD, _TAIL = 14, 3  # bytes before the body, and behind it
_LENGTH = 0xFFF
LONGEST = _HEAD + _LENGTH + _TAIL
_SOH, _ASCII_HEAD, _ASCII_TAIL = b"\x01", 24, 5
_START = b"\x7e\x7e"
_new = tuple.__new__  # of a named tuple: half the time
_HEX = frozenset(b"0123456789ABCDEFabcdef")


class Frame651(NamedTuple):
    """A frame whose CRC is right. station: ten hex digits. body_at: the first byte of the body, behind the
    packet numbers. packets, packet: 0 where it is whole. swapped: the CRC has its low byte first."""

    raw: bytes
    down: bool
    centre: int
    station: str
    password: str
    function: int
    packets: int
    packet: int
    body_at: int
    body_end: int
    end: int
    swapped: bool = False
    ascii: bool = False

    @property
    def body(self) -> bytes:
        """Without packet numbers."""
        return self.raw[self.body_at : self.body_end]

    @property
    def more(self) -> bool:
        """A packet of several that is not the last."""
        return self.end == ETB


def read(raw: bytes) -> Frame651 | Fault:
    """One whole frame; of a wrong one where and why."""
    size = len(raw) - _HEAD - _TAIL
    if size >= 0 and raw[:2] == _START and raw[13] == STX:
        word = raw[11] << 8 | raw[12]
        if word in (size, size | 0x8000):
            return _whole(raw, size)
    if raw[:1] == _SOH:
        return _read_ascii(raw)
    if raw[:2] != _START:
        return Fault(0, "bad_head", "不是 7E7E 开头", "does not begin with 7E7E")
    wrong = _head_fault(raw, 0)
    if wrong is not None:
        return wrong
    if len(raw) < _HEAD:
        return Fault(len(raw), "cut", "报头不全", "the head is cut off")
    size = (raw[11] << 8 | raw[12]) & _LENGTH
    need = _HEAD + size + _TAIL
    if len(raw) < need:
        return Fault(
            len(raw),
            "cut",
            f"缺 {need - len(raw)} 字节：长度字说正文 {size} 字节",
            f"{need - len(raw)} bytes are missing: the length says a body of {size}",
        )
    if len(raw) > need:
        return Fault(need, "noise", f"多出 {len(raw) - need} 字节", f"{len(raw) - need} bytes more")
    return _whole(raw, size)


def _head_fault(raw: bytes, at: int) -> Fault | None:
    """None while nothing of the head that is there is wrong: cheap, and before anything is waited for."""
    size = len(raw) - at
    if size > 11 and raw[at + 11] >> 4 not in (0, 8):
        return Fault(11, "bad_head", "方向应为 0 或 8", "the direction is neither 0 nor 8")
    if size > 13 and raw[at + 13] not in (STX, SYN):
        return Fault(13, "bad_head", "应为 STX（02）或 SYN（16）", "neither STX (02) nor SYN (16)")
    return None


def _whole(raw: bytes, size: int) -> Frame651 | Fault:
    tail = _HEAD + size
    told = raw[tail + 1] << 8 | raw[tail + 2]
    crc = crc16(raw[: tail + 1])
    swapped = crc != told
    if swapped and (crc >> 8 | (crc & 255) << 8) != told:
        return Fault(
            tail + 1,
            "bad_crc",
            f"校验码 {told:04X}，算得 {crc:04X}",
            f"the CRC says {told:04X}, the bytes make {crc:04X}",
        )
    down = raw[11] >> 4 == 8
    end = raw[tail]
    if end not in ENDS:
        return Fault(
            tail, "bad_head", f"结束符 {end:02X} 不认识", f"no such end character: {end:02X}"
        )
    packets = packet = 0
    body_at = _HEAD
    if raw[13] == SYN:
        if size < 3:
            return Fault(_HEAD, "cut", "缺包号", "the packet numbers are missing")
        packets, packet = raw[14] << 4 | raw[15] >> 4, (raw[15] & 15) << 8 | raw[16]
        body_at = _HEAD + 3
        if not 0 < packet <= packets:
            return Fault(
                14, "bad_head", f"包号 {packet}/{packets} 不对", f"packet {packet} of {packets}"
            )
    station, centre = (raw[2:7], raw[7]) if down else (raw[3:8], raw[2])
    fields = (
        raw, down, centre, station.hex().upper(), raw[8:10].hex().upper(), raw[10], packets, packet,
        body_at, tail, end, swapped, False,
    )  # fmt: skip
    return _new(Frame651, fields)


def _read_ascii(raw: bytes) -> Frame651 | Fault:
    """The ASCII form, as far as it is known: SOH, the head as 22 hex characters, STX (or SYN and 6 hex
    characters), the body, the end character, the CRC as 4 hex characters. The length counts characters."""
    head = raw[1:23]
    if len(head) < 22 or not _HEX.issuperset(head):
        code = "cut" if _HEX.issuperset(head) else "bad_head"
        return Fault(1, code, "报头应为 22 个十六进制字符", "the head is not 22 hex characters")
    packed = bytes.fromhex(head.decode())
    word = packed[9] << 8 | packed[10]
    size = word & _LENGTH
    tail = _ASCII_HEAD + size
    if word >> 12 not in (0, 8):
        return Fault(19, "bad_head", "方向应为 0 或 8", "the direction is neither 0 nor 8")
    if len(raw) < tail + _ASCII_TAIL:
        missing = tail + _ASCII_TAIL - len(raw)
        return Fault(len(raw), "cut", f"缺 {missing} 字节", f"{missing} bytes are missing")
    if raw[23] not in (STX, SYN) or raw[tail] not in ENDS:
        return Fault(23, "bad_head", "起始符或结束符不对", "no STX, or no end character")
    told = raw[tail + 1 : tail + 5]
    crc = crc16(raw[: tail + 1])
    numbers, body_at = bytes(3), _ASCII_HEAD
    if raw[23] == SYN:
        field = raw[24:30]
        if size < 6 or not _HEX.issuperset(field):
            return Fault(24, "bad_head", "缺包号", "the packet numbers are missing")
        numbers, body_at = bytes.fromhex(field.decode()), _ASCII_HEAD + 6
    if told.upper() != f"{crc:04X}".encode():
        words = told.decode("ascii", "replace")
        return Fault(
            tail + 1, "bad_crc", f"校验码 {words}，算得 {crc:04X}", f"the CRC is {crc:04X}"
        )
    down = word >> 12 == 8
    station, centre = (packed[:5], packed[5]) if down else (packed[1:6], packed[0])
    packets, packet = numbers[0] << 4 | numbers[1] >> 4, (numbers[1] & 15) << 8 | numbers[2]
    return Frame651(
        raw[: tail + _ASCII_TAIL], down, centre, station.hex().upper(), packed[6:8].hex().upper(),
        packed[8], packets, packet, body_at, tail, raw[tail], False, True,
    )  # fmt: skip


class Finder(Held[Frame651]):
    """Frames of one stream."""

    def feed(self, data: bytes) -> list[Frame651 | Broken]:
        """What these bytes complete, in their order."""
        if not self._held and not self._blamed and _claims_all(data):
            alone = read(data)  # as nearly every report comes
            if isinstance(alone, Frame651):
                return [alone]
        buffer = self._held + data if self._held else data
        found: list[Frame651 | Broken] = []
        at, size = 0, len(buffer)
        while at < size:
            start = _next_start(buffer, at)
            self._noise(found, buffer, at, start)
            at = start
            if at >= size:
                break
            end = _end_of(buffer, at)
            if end > size:
                later = _later(buffer, at)
                if later < 0:
                    break
                self._cut(found, at, buffer[at:later])  # and another one whole behind it
                at = later
                continue
            frame = read(buffer[at:end])
            if isinstance(frame, Frame651):
                found.append(frame)
                at = end
            else:
                self._tell(found, at, buffer[at:end], frame)
                at += 1
        self._hold(buffer, at)
        return found

    def rest(self) -> list[Frame651 | Broken]:
        """Nothing more will come: what is held is cut."""
        found: list[Frame651 | Broken] = []
        held, self._held = self._held, b""
        if len(held) > self._blamed:
            self._cut(found, self._blamed, held[self._blamed :])
        self._blamed = 0
        return found

    def _cut(self, found: list[Frame651 | Broken], at: int, claimed: bytes) -> None:
        wrong = read(claimed)
        if isinstance(wrong, Fault):
            self._tell(found, at, claimed, wrong)


def _claims_all(data: bytes) -> bool:
    """Is it one frame by its own word?"""
    if len(data) < _HEAD + _TAIL or data[:2] != _START:
        return False
    return (data[11] << 8 | data[12]) & _LENGTH == len(data) - _HEAD - _TAIL


def _next_start(buffer: bytes, at: int) -> int:
    """Where the next frame may begin; a lone 7E at the end may be half a beginning."""
    if buffer[at : at + 2] == _START:
        return at
    hexes, soh = buffer.find(_START, at), buffer.find(_SOH, at)
    while (
        soh >= 0 and (hexes < 0 or soh < hexes) and not _HEX.issuperset(buffer[soh + 1 : soh + 23])
    ):
        soh = buffer.find(_SOH, soh + 1)
    if hexes < 0 and soh < 0:
        return len(buffer) - 1 if buffer[-1:] == b"\x7e" else len(buffer)
    return hexes if soh < 0 or 0 <= hexes < soh else soh


def _end_of(buffer: bytes, at: int) -> int:
    """Where the frame that begins at `at` ends by its own word; beyond the buffer where more must come. A
    head that cannot be one ends where it is wrong."""
    size = len(buffer)
    if buffer[at] == 0x01:
        head = buffer[at + 1 : at + 23]
        if len(head) < 22:
            return size + 1
        return at + _ASCII_HEAD + int(head[18:22], 16) % (_LENGTH + 1) + _ASCII_TAIL
    if size - at < _HEAD:
        wrong = _head_fault(buffer, at)
        return size + 1 if wrong is None else size
    if _head_fault(buffer, at) is not None:
        return at + _HEAD
    return at + _HEAD + ((buffer[at + 11] << 8 | buffer[at + 12]) & _LENGTH) + _TAIL


def _later(buffer: bytes, at: int) -> int:
    """Where behind a frame that is not whole another one stands whole; -1 if none does."""
    start = buffer.find(_START, at + 1)
    while start >= 0:
        end = _end_of(buffer, start)
        if end <= len(buffer) and isinstance(read(buffer[start:end]), Frame651):
            return start
        start = buffer.find(_START, start + 1)
    return -1
