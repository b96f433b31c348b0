"""Snapshots that come in pieces (`stream.log.port.Piece`), as every adapter keeps them: which pieces make
the newest memory, and which nobody needs any more.

Two of them are kept that share no piece, so that one damaged piece costs no more than a longer start.
"""

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from stream.log.port import Piece, Snapshot


class Laid(NamedTuple):
    """A piece as it is kept. nth: pieces of a partition are numbered through, whoever writes them; body
    None: it is damaged, or was not asked for."""

    nth: int
    position: int
    point: bool
    back: int
    body: bytes | None = None

    @classmethod
    def of(cls, nth: int, position: int, piece: Piece) -> "Laid":
        return cls(nth, position, piece.point, piece.back, piece.body)


class Needed(NamedTuple):
    """first: the lowest number that must stay; positions: of the newest memories that share no piece, the
    older one first; one or none where there are no two as yet."""

    first: int
    positions: tuple[int, ...]


def needed(laid: Sequence[Laid]) -> Needed:
    """What must stay of these, which are in order."""
    points = [p for p in laid if p.point]
    if not points:
        return Needed(laid[0].nth if laid else 0, ())
    newest = points[-1]
    before = [p for p in points if p.nth < newest.nth - newest.back]
    if not before:
        return Needed(laid[0].nth, (newest.position,))
    older = before[-1]
    return Needed(older.nth - older.back, (older.position, newest.position))


def assembled(laid: Iterable[Laid]) -> Snapshot | None:
    """The newest memory of which every piece is there and intact."""
    bodies = {p.nth: p for p in laid if p.body is not None}
    for nth in sorted(bodies, reverse=True):
        last = bodies[nth]
        mine = [bodies.get(n) for n in range(nth - last.back, nth + 1)]
        if last.point and None not in mine:
            return Snapshot(last.position, b"", tuple(p.body or b"" for p in mine if p))
    return None


def newer(whole: Snapshot | None, pieced: Snapshot | None) -> Snapshot | None:
    """Of the one in one piece, as an older build may have written it, and the one in pieces."""
    if whole is None or pieced is None:
        return whole or pieced
    return whole if whole.position > pieced.position else pieced


def newest_intact(
    whole: Iterable[tuple[int, int, bytes]],
    laid: Iterable[tuple[Laid, int]],
    tell: Callable[[str], None],
) -> Snapshot | None:
    """Of what a log keeps of a partition. whole: position, checksum and body of each snapshot in one piece,
    newest first; laid: the pieces in order, with checksums; tell: which of them is damaged."""
    found = None
    for position, crc, body in whole:
        if zlib.crc32(body) == crc:
            found = Snapshot(position, body)
            break
        tell(f"{position}")
    intact = []
    for piece, crc in laid:
        if zlib.crc32(piece.body or b"") == crc:
            intact.append(piece)
        else:
            tell(f"{piece.position}+{piece.nth}")
    return newer(found, assembled(intact))
