"""Binary frames between a platform and its 大喇叭 adapters, as one implementation has them and its sample
frames prove: read, to look at what a platform's own equipment says. Nothing here sends any. Pure.

`49` to the adapter or `50` back · version 2 bytes · type 1 · source 1 · length of the body 4 · body · length of
the signature 2 · signature (time 4, certificate 6, r ‖ s 64) · CRC-32/MPEG-2 of all before, 4. Big-endian.
"""

from typing import NamedTuple

from dispatch.channels.platform.ebd.form import Wrong

_HEAD, _CRC = 9, 4
_POLYNOMIAL = 0x04C11DB7
TYPES = {
    0x04: "start or stop a broadcast",
    0x06: "volume",
    0x12: "general reply",
    0x13: "output channels",
    0x14: "input channels",
    0x15: "broadcast records",
    0x16: "fault",
    0x17: "answer to a broadcast",
    0x18: "start report",
    0x19: "stop report",
    0x20: "heart-beat",
    0x21: "platform's reply",
}


class Frame(NamedTuple):
    """back: it comes from the adapter. type: of `TYPES`, or another. source: 1 platform, 2 device."""

    back: bool
    version: int
    type: int
    source: int
    body: bytes
    signature: bytes


def crc32_mpeg2(data: bytes) -> int:
    """Polynomial 04C11DB7, begins with all ones, nothing reflected, nothing at the end."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (_POLYNOMIAL if crc & 0x80000000 else 0)
        crc &= 0xFFFFFFFF
    return crc


def read_frame(raw: bytes) -> Frame:
    """Raises Wrong: bad_frame, with what does not fit."""
    if len(raw) < _HEAD + 2 + _CRC or raw[0] not in (0x49, 0x50):
        raise Wrong("bad_frame", "head")
    size = int.from_bytes(raw[5:9], "big")
    end = _HEAD + size
    signed = int.from_bytes(raw[end : end + 2], "big")
    if len(raw) != end + 2 + signed + _CRC:
        raise Wrong("bad_frame", "length")
    if crc32_mpeg2(raw[:-_CRC]) != int.from_bytes(raw[-_CRC:], "big"):
        raise Wrong("bad_frame", "crc")
    body, signature = raw[_HEAD:end], raw[end + 2 : -_CRC]
    return Frame(raw[0] == 0x50, int.from_bytes(raw[1:3], "big"), raw[3], raw[4], body, signature)
