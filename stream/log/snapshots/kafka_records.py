"""Snapshots in pieces on Kafka: records of the compacted topic, written in the transaction of their step.
Beside the committed position stands from where to where they are to be read."""

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stream.log.port import Entry, Piece
from stream.log.snapshots.pieces import Laid, needed

_RECORD = 3_000_000  # bytes of a piece in one record
_KEYS = 1024  # so many pieces have keys of their own: more than are ever needed, five rounds of detect's


class Pieces(NamedTuple):
    """Of a partition. begin, end: offsets of the oldest piece that is needed and of the newest; nth: of the
    newest. own: those that this process wrote, without their bodies, and where each stands."""

    begin: int
    end: int
    nth: int
    own: tuple[tuple[Laid, int], ...] = ()

    def with_(self, laid: Laid, offset: int) -> "Pieces":
        """With one more. Of what another process wrote all stays until there are two memories of ours."""
        own = (*self.own, (laid, offset))
        found = needed([one for one, _ in own])
        if laid.point and len(found.positions) == 2:
            own = tuple((one, at) for one, at in own if one.nth >= found.first)
            return Pieces(own[0][1], offset, laid.nth, own)
        return Pieces(offset if self.begin < 0 else self.begin, offset, laid.nth, own)


NO_PIECES = Pieces(-1, -1, -1)


class Noted(NamedTuple):
    """Of a partition. whole: offsets of the newest snapshots in one body, newest first."""

    whole: list[int]
    pieces: Pieces

    def note(self) -> str:
        """As it stands beside a committed position."""
        found: dict[str, Any] = {"snapshots": self.whole} if self.whole else {}
        if self.pieces.nth >= 0:
            found["pieces"] = self.pieces[:3]
        return json.dumps(found) if found else ""


NOTHING = Noted([], NO_PIECES)


def noted(note: str | None) -> Noted:
    """What stands beside a committed position."""
    try:
        found = json.loads(note or "{}")
        return Noted([int(n) for n in found.get("snapshots", [])], _pieces(found.get("pieces")))
    except (ValueError, TypeError, AttributeError):
        return NOTHING


def _pieces(found: Any) -> Pieces:
    if found is None:
        return NO_PIECES
    begin, end, nth = (int(n) for n in found)
    return Pieces(begin, end, nth)


def records(prefix: str, laid: Laid) -> list[tuple[bytes, bytes]]:
    """Key and value each: a line of JSON with the checksum of the whole, then some of it."""
    body = laid.body or b""
    cuts = range(0, max(len(body), 1), _RECORD)
    head = {
        "nth": laid.nth,
        "position": laid.position,
        "point": laid.point,
        "back": laid.back,
        "crc32": zlib.crc32(body),
        "records": len(cuts),
    }
    line = json.dumps(head).encode() + b"\n"
    return [
        (f"{prefix}{laid.nth % _KEYS}/{n}".encode(), line + body[cut : cut + _RECORD])
        for n, cut in enumerate(cuts)
    ]


def put(pieces: Pieces, step_position: int, piece: Piece) -> Laid:
    """The next one."""
    return Laid.of(pieces.nth + 1, step_position, piece)


def read(
    ask: Callable[[int, int], Sequence[Entry]], prefix: str, pieces: Pieces
) -> tuple[list[Laid], list[int]]:
    """The pieces that are kept, and the offsets of those that are not whole. ask: some records from an
    offset on, so many at the most."""
    heads: dict[int, dict[str, Any]] = {}
    parts: dict[int, list[bytes]] = {}
    where: dict[int, int] = {}
    at = pieces.begin
    while at >= 0 and (found := ask(at, 20)):
        at = found[-1].offset + 1
        for e in found:
            head = _head(e.value) if e.key.startswith(prefix) else None
            if head is not None:
                nth = head["nth"]
                heads[nth] = head
                where.setdefault(nth, e.offset)
                parts.setdefault(nth, []).append(e.value.partition(b"\n")[2])
        last = heads.get(pieces.nth)
        if at > pieces.end and (last is None or len(parts[pieces.nth]) >= last["records"]):
            break
    laid, damaged = [], []
    for nth, head in sorted(heads.items()):
        body = b"".join(parts[nth])
        intact = zlib.crc32(body) == head["crc32"]
        if not intact:
            damaged.append(where[nth])
        kept = body if intact else None
        laid.append(Laid(nth, head["position"], head["point"], head["back"], kept))
    return laid, damaged


def _head(value: bytes) -> dict[str, Any] | None:
    """None where it is not one of ours."""
    try:
        found = json.loads(value.partition(b"\n")[0])
        whole = {k: int(found[k]) for k in ("nth", "position", "back", "crc32", "records")}
        return {**whole, "point": bool(found["point"])}
    except (ValueError, TypeError, KeyError):
        return None
