"""Snapshots in the embedded log: whole ones in `snapshots`, the last two of a partition; those in pieces in
`pieces`, a row each, as long as `stream.log.snapshots.pieces` needs them."""

import sqlite3
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stream.log.port import Piece, Snapshot, Step, damaged
from stream.log.snapshots.pieces import Laid, needed, newest_intact
from stream.oplog import say

Place = tuple[str, str, int]  # group, topic, partition


def newest(ask: Callable[..., list[tuple[Any, ...]]], place: Place, path: Path) -> Snapshot | None:
    """The newest intact one. ask: rows of a question to the database at `path`."""
    group, topic, part = place
    whole = ask(
        "SELECT pos, crc, body FROM snapshots WHERE grp=? AND topic=? AND part=? ORDER BY pos DESC",
        *place,
    )
    rows = ask(
        "SELECT nth, pos, point, back, body, crc FROM pieces WHERE grp=? AND topic=? AND part=? "
        "ORDER BY nth",
        *place,
    )
    laid = ((Laid(nth, pos, bool(point), back, body), crc) for nth, pos, point, back, body, crc in rows)
    return newest_intact(
        whole, laid, lambda which: say(group, damaged(f"{path}: {topic}/{part}/{which}"))
    )


def keep(db: sqlite3.Connection, place: Place, step: Step) -> None:
    """What the step has of a snapshot, in its transaction; and drop what nobody needs any more."""
    if step.snapshot is not None:
        db.execute(
            "INSERT OR REPLACE INTO snapshots VALUES (?,?,?,?,?,?)",
            (*place, step.position, zlib.crc32(step.snapshot), step.snapshot),
        )
        db.execute(
            "DELETE FROM snapshots WHERE grp=? AND topic=? AND part=? AND pos NOT IN "
            "(SELECT pos FROM snapshots WHERE grp=? AND topic=? AND part=? "
            "ORDER BY pos DESC LIMIT 2)",
            (*place, *place),
        )
    if step.piece is not None:
        _lay(db, place, step.position, step.piece)


def _lay(db: sqlite3.Connection, place: Place, position: int, piece: Piece) -> None:
    nth = db.execute(
        "SELECT COALESCE(max(nth) + 1, 0) FROM pieces WHERE grp=? AND topic=? AND part=?", place
    ).fetchone()[0]
    body = piece.body
    db.execute(
        "INSERT INTO pieces VALUES (?,?,?,?,?,?,?,?,?)",
        (*place, nth, position, piece.point, piece.back, zlib.crc32(body), body),
    )
    if not piece.point:
        return
    found = needed(_heads(db, place))
    db.execute(
        "DELETE FROM pieces WHERE grp=? AND topic=? AND part=? AND nth<?", (*place, found.first)
    )
    if len(found.positions) == 2:  # those of an older build are not needed once both are newer
        db.execute(
            "DELETE FROM snapshots WHERE grp=? AND topic=? AND part=? AND pos<=?",
            (*place, found.positions[0]),
        )


def _heads(db: sqlite3.Connection, place: Place) -> list[Laid]:
    rows = db.execute(
        "SELECT nth, pos, point, back FROM pieces WHERE grp=? AND topic=? AND part=? ORDER BY nth",
        place,
    )
    return [Laid(nth, pos, bool(point), back) for nth, pos, point, back in rows]


def kept_positions(db: sqlite3.Connection, place: Place) -> list[int]:
    """Where the partition's memory is known, by snapshots that share nothing, the newest last."""
    whole = db.execute("SELECT pos FROM snapshots WHERE grp=? AND topic=? AND part=?", place)
    return sorted([*(pos for (pos,) in whole), *needed(_heads(db, place)).positions])
