"""CRC-16 with x16+x15+x2+1, reflected (A001), start FFFF, as Modbus has it; its high byte goes first.

>>> hex(crc16(b"123456789"))
'0x4b37'
"""

from collections.abc import Callable
from functools import cache
from struct import Struct


def _step(crc: int) -> int:
    for _ in range(8):
        crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


_BYTE = tuple(_step(n) for n in range(256))


@cache
def _words() -> tuple[int, ...]:
    """Of each pair of bytes (the first of them low) what it makes of a remainder that is mixed into it: one
    look-up for two bytes. Two megabytes, made when the first frame comes."""
    one = [_BYTE[n & 255] ^ n >> 8 for n in range(65536)]
    return tuple([_BYTE[n & 255] ^ n >> 8 for n in one])


@cache
def _pairs(many: int) -> Callable[[bytes], tuple[int, ...]]:
    return Struct(f"<{many}H").unpack_from


def crc16(data: bytes) -> int:
    """The remainder of these bytes."""
    table, size, crc = _words(), len(data), 0xFFFF
    for word in _pairs(size >> 1)(data):
        crc = table[crc ^ word]
    return _BYTE[(crc ^ data[-1]) & 255] ^ crc >> 8 if size & 1 else crc
