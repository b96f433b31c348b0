"""What several tests use, by the one it was written for: smpp_pdu."""

import struct

from dispatch.channels.smpp.pdu import DELIVER_SM

BOOK = (
    "id:{} sub:001 dlvrd:001 submit date:2511290934 done date:2511290935 stat:DELIVRD err:000 text:"
)


def head(command: int, body: bytes, status: int = 0) -> bytes:
    return struct.pack(">LLLL", 16 + len(body), command, status, 7) + body


def deliver(
    text: bytes, tail: bytes = b"", *, esm: int = 0, coding: int = 0, length: int | None = None
) -> bytes:
    body = b"\0\1\1" + b"8619900000004\0" + b"\1\1" + b"1069\0" + bytes([esm, 0, 0]) + b"\0\0"
    body += bytes([1, 0, coding, 0, len(text) if length is None else length]) + text + tail
    return head(DELIVER_SM, body)
