"""Frames of SZY 206-2016: `68 L 68`, L bytes of user data, CRC-8, `16`. In a picture's frame L counts
kibibytes.

User data: control, the count of a split message where control says so, address, function, data.
"""

from typing import NamedTuple

from ingest.telemetry.codec.held import Held
from ingest.telemetry.codec.said import Broken, Fault

_BEGIN, _END = 0x68, 0x16
PICTURE, LINK, REPORT, ALARM, BY_HAND = 0x61, 0x02, 0xC0, 0x81, 0x82
_PICTURE_USER = 1 + 1 + 5 + 1 + 2 + 1024  # control, count, address, function, length, the piece
LONGEST = _PICTURE_USER + 5


def _step(crc: int) -> int:
    for _ in range(8):
        crc = (crc << 1 ^ 0xE5 if crc & 0x80 else crc << 1) & 255
    return crc


_CRC = tuple(_step(n) for n in range(256))


def crc8(data: bytes) -> int:
    """Polynomial x7+x6+x5+x2+1 (E5), start 0, not reflected."""
    crc = 0
    for byte in data:
        crc = _CRC[crc ^ byte]
    return crc


class Frame206(NamedTuple):
    """A frame whose CRC is right. station: ten hex digits. left: of a split message, down to 1; 0: whole.
    data_at, data_end: the data behind the function."""

    raw: bytes
    control: int
    left: int
    station: str
    function: int
    data_at: int
    data_end: int

    @property
    def up(self) -> bool:
        return bool(self.control & 0x80)

    @property
    def kind(self) -> int:
        """What is reported: `data.KINDS`."""
        return self.control & 15

    @property
    def data(self) -> bytes:
        return self.raw[self.data_at : self.data_end]


def read(raw: bytes) -> Frame206 | Fault:
    """One whole frame; of a wrong one where and why."""
    if len(raw) >= 3 and (raw[0] != _BEGIN or raw[2] != _BEGIN):
        return Fault(0, "bad_head", "不是 68 L 68 开头", "does not begin with 68 L 68")
    need = _size(raw)
    if len(raw) < max(4, need):
        return Fault(
            len(raw),
            "cut",
            f"缺 {max(4, need) - len(raw)} 字节",
            f"{max(4, need) - len(raw)} bytes are missing",
        )
    user = raw[3 : need - 2]
    if raw[need - 1] != _END:
        return Fault(need - 1, "bad_head", "不以 16 结束", "does not end with 16")
    crc = crc8(user)
    if crc != raw[need - 2]:
        words = f"校验码 {raw[need - 2]:02X}，算得 {crc:02X}"
        return Fault(
            need - 2,
            "bad_crc",
            words,
            f"the CRC says {raw[need - 2]:02X}, the bytes make {crc:02X}",
        )
    if len(raw) > need:
        return Fault(need, "noise", f"多出 {len(raw) - need} 字节", f"{len(raw) - need} bytes more")
    split = user[0] >> 6 & 1
    if len(user) < 7 + split:
        return Fault(3, "bad_head", "用户数据太短", "the user data are too short")
    at = 3 + 1 + split
    station = raw[at : at + 5].hex().upper()
    return Frame206(raw, user[0], user[1] if split else 0, station, raw[at + 5], at + 6, need - 2)


def _size(raw: bytes) -> int:
    """Bytes of the whole frame by what its head says; 0 where that is not there yet."""
    if len(raw) < 2:
        return 0
    if raw[1] != 1:
        return raw[1] + 5
    # one byte of user data can be nothing; one kibibyte is a piece of a picture
    return LONGEST


class Finder206(Held[Frame206]):
    """Frames of one stream; see `sl651.frame.Finder`."""

    def feed(self, data: bytes) -> list[Frame206 | Broken]:
        """What these bytes complete, in their order."""
        buffer = self._held + data
        found: list[Frame206 | Broken] = []
        at, size = 0, len(buffer)
        while at < size:
            start = _next(buffer, at)
            self._noise(found, buffer, at, start)
            at = start
            need = at + (_size(buffer[at : at + 2]) or 3)
            if at >= size:
                break
            if size - at >= 3 and need <= size:
                frame = read(buffer[at:need])
                if isinstance(frame, Frame206):
                    found.append(frame)
                    at = need
                    continue
                self._tell(found, at, buffer[at:need], frame)
                at += 1
                continue
            later = _later(buffer, at)
            if later < 0:
                break
            wrong = read(buffer[at:later])
            if isinstance(wrong, Fault):
                self._tell(found, at, buffer[at:later], wrong)
            at = later
        self._hold(buffer, at)
        return found

    def rest(self) -> list[Frame206 | Broken]:
        """Nothing more will come: what is held is cut."""
        held, self._held = self._held[self._blamed :], b""
        self._blamed = 0
        if not held:
            return []
        wrong = read(held)
        return [Broken(held, wrong)] if isinstance(wrong, Fault) else []


def _next(buffer: bytes, at: int) -> int:
    """Where the next frame may begin."""
    start = buffer.find(_BEGIN, at)
    while 0 <= start < len(buffer) - 2 and buffer[start + 2] != _BEGIN:
        start = buffer.find(_BEGIN, start + 1)
    return len(buffer) if start < 0 else start


def _later(buffer: bytes, at: int) -> int:
    """Where behind a frame that is not whole another one stands whole; -1 if none does."""
    start = _next(buffer, at + 1)
    while start < len(buffer) - 2:
        need = start + _size(buffer[start : start + 2])
        if need <= len(buffer) and isinstance(read(buffer[start:need]), Frame206):
            return start
        start = _next(buffer, start + 1)
    return -1


def frame(
    control: int, station: str, function: int, data: bytes, count: int | None = None
) -> bytes:
    """One frame. count: of a split message. Raises ValueError for what no frame can hold."""
    split = b"" if count is None else bytes([count])
    user = (
        bytes([control | 0x40 if split else control])
        + split
        + bytes.fromhex(station)
        + bytes([function])
        + data
    )
    long = len(user) == _PICTURE_USER and function == PICTURE
    if len(user) > 255 and not long:
        raise ValueError(f"{len(user)} bytes of user data")
    head = bytes([_BEGIN, 1 if long else len(user), _BEGIN])
    return head + user + bytes([crc8(user), _END])


def answer(to: Frame206) -> bytes:
    """What a centre says to a frame: control with bit 7 cleared, the same address and function, one byte 00."""
    split = to.left if to.control & 0x40 else None
    return frame(to.control & 0x7F, to.station, to.function, b"\x00", split)
