"""Snapshots in pieces, of every log: a half-written one is none, a damaged piece costs no more than a longer
start, and what nobody needs goes."""

import time
from pathlib import Path

import pytest

from stream.log.open import open_log
from stream.log.port import Consumer, Entry, Piece, Step
from stream.log.sqlite import SqliteLog
from tests.support.log_adapters import Open, cut_short, opening, put, take

__all__ = ["opening"]


def pieces_of(consumer: Consumer, part: int = 0) -> tuple[int, list[bytes]] | None:
    found = consumer.snapshot(part)
    return None if found is None else (found.position, list(found.pieces))


def lay(consumer: Consumer, entry: Entry, body: bytes, *, point: bool = True, back: int) -> None:
    step = Step(0, entry.offset + 1, [], piece=Piece(body, point, back))
    consumer.commit_all([step])()


def test_a_snapshot_in_pieces_is_one_when_its_point_is_there(opening: Open) -> None:
    log = opening()
    put(log, list("abcde"))
    consumer = log.join("cases", "g", "m")
    a, b, c, d, e = take(consumer, 5)
    big = b"1" * 4_000_000  # more than a record of Kafka holds
    lay(consumer, a, big, point=False, back=0)
    assert pieces_of(consumer) is None  # half written
    lay(consumer, b, b"2", back=1)
    lay(consumer, c, b"3", point=False, back=2)
    for found in (consumer, opening().join("cases", "g", "other")):
        if found is not consumer:
            consumer.close()
            take(found, 2)
        assert pieces_of(found) == (b.offset + 1, [big, b"2"])
        assert found.snapshot(1) is None
    lay(found, d, b"4", point=False, back=0)  # who comes after begins anew
    assert pieces_of(found) == (b.offset + 1, [big, b"2"])
    lay(found, e, b"5", back=1)
    assert pieces_of(found) == (e.offset + 1, [b"4", b"5"])
    found.close()


def test_of_two_snapshots_in_pieces_one_may_be_damaged(
    opening: Open, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = opening()
    put(log, list("abcdef"))
    consumer = log.join("cases", "g", "m")
    a, b, c, d, e, f = take(consumer, 6)
    lay(consumer, a, b"first", point=False, back=0)
    lay(consumer, b, b"second", back=1)
    lay(consumer, c, b"third", back=2)
    cut_short(log, monkeypatch)
    lay(consumer, d, b"whole again", back=0)
    lay(consumer, e, b"after it", back=1)
    assert pieces_of(consumer) == (c.offset + 1, [b"first", b"second", b"third"])
    assert "损坏，不用" in capfd.readouterr().err
    consumer.commit(0, f.offset + 1, [])  # what needs no piece leaves them
    consumer.close()
    again = opening().join("cases", "g", "m2")
    while not again.owned():
        again.poll(1.0)
    assert pieces_of(again) == (c.offset + 1, [b"first", b"second", b"third"])
    again.close()


def test_what_is_needed_no_more_goes(opening: Open) -> None:
    """However long it runs, so much is read as two memories take; and one of an older build counts until
    there is a newer one."""
    log = opening()
    put(log, [str(n) for n in range(30)])
    consumer = log.join("cases", "g", "m")
    entries = take(consumer, 30)
    consumer.commit(0, entries[0].offset + 1, [], b"of an older build")
    snapshot = consumer.snapshot(0)
    assert snapshot is not None
    assert (snapshot.body, snapshot.pieces) == (b"of an older build", ())
    for n, entry in enumerate(entries[1:]):
        lay(consumer, entry, str(n).encode(), point=n % 3 == 2, back=n % 3 + 3 * (n >= 3))
    assert pieces_of(consumer) == (
        entries[27].offset + 1,
        [str(n).encode() for n in range(21, 27)],
    )
    if isinstance(log, SqliteLog):
        kept = log.ask("SELECT count(*), min(nth) FROM pieces")
        assert kept == [(29 - 15, 15)]
        assert log.ask("SELECT count(*) FROM snapshots") == [(0,)]
    consumer.close()


def test_back_from_an_older_build_its_snapshot_counts_until_two_are_newer(
    opening: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = opening()
    put(log, list("abcd"))
    consumer = log.join("cases", "g", "m")
    a, b, c, d = take(consumer, 4)
    lay(consumer, a, b"before the way back", back=0)
    consumer.commit(0, b.offset + 1, [], b"of the older build")
    cut_short(log, monkeypatch)
    lay(consumer, c, b"of the newer one again", back=0)
    found = consumer.snapshot(0)
    assert found is not None
    assert (found.position, found.body) == (b.offset + 1, b"of the older build")
    lay(consumer, d, b"and once more", back=0)
    if isinstance(log, SqliteLog):
        assert log.ask("SELECT count(*) FROM snapshots") == [(0,)]
    consumer.close()


def test_nothing_is_dropped_that_the_older_snapshot_in_pieces_needs(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise-trim", "toy", 2)
    put(log, [str(n) for n in range(6)])
    consumer = log.join("cases", "g", "m")
    entries = take(consumer, 6)
    far = int(time.time() * 1000) + 10**13
    lay(consumer, entries[1], b"one", back=0)
    log.trim(far)
    assert log.starts("cases") == [0]
    lay(consumer, entries[3], b"two", back=0)
    lay(consumer, entries[5], b"three", point=False, back=1)
    log.trim(far)
    assert log.starts("cases") == [entries[1].offset + 1]
    log.close()
