"""Snapshots in one body on Kafka: cut into records, for no record may be as large as a body."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from stream.log.port import Snapshot

_PIECE = 3_000_000  # bytes of a snapshot in one record


def packed(position: int, body: bytes) -> list[bytes]:
    """Pieces: a line of JSON with the checksum of the whole, then some of the compressed body."""
    small = zlib.compress(body, 1)
    cuts = range(0, max(len(small), 1), _PIECE)
    line_of = {"position": position, "crc32": zlib.crc32(body), "pieces": len(cuts)}
    line = json.dumps(line_of).encode() + b"\n"
    return [line + small[n : n + _PIECE] for n in cuts]


def head(piece: bytes) -> dict[str, Any] | None:
    """What its first line says; None where it is not one of ours."""
    try:
        found = json.loads(piece.partition(b"\n")[0])
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def unpacked(pieces: Sequence[bytes]) -> Snapshot | None:
    """None if any of it is damaged."""
    found = head(pieces[0])
    try:
        body = zlib.decompress(b"".join(p.partition(b"\n")[2] for p in pieces))
        if found is None or zlib.crc32(body) != found["crc32"]:
            return None
        return Snapshot(int(found["position"]), body)
    except (ValueError, KeyError, TypeError, zlib.error):
        return None
