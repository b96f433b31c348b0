"""Power goes at any instant: what was acknowledged is there when it is back, and everything opens. A real ext4
forgets what was not synced (tests/support/power_cut.py); the instant is drawn from a seed."""

import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from console.auth.accounts import Users
from dispatch.people.contact_store import ContactStore
from ingest.people.kept_words import Words
from loudspeaker.store import Identity, Store
from stream.disk.blobs import FrameStore
from stream.history.sqlite import SqliteHistory
from stream.log.open import open_log
from tests.support.power_cut import Volume

CHILD = Path(__file__).parents[1] / "support" / "power_cut_worker.py"
CUTS = 6


def acknowledged_until_a_cut(
    volume: Volume, what: str, first: int, rng: random.Random
) -> list[str]:
    """What the child was told is durable; it ends, and the power, some time after the first of it."""
    words = [sys.executable, str(CHILD), what, str(volume.path), str(first)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = [child.stdout.readline()]
    end = threading.Timer(rng.uniform(0.0, 0.4), child.kill)
    end.start()
    said += list(child.stdout)
    assert child.wait() == -signal.SIGKILL
    volume.cut()
    volume.off()
    return [line.strip() for line in said if line.endswith("\n")]


def by_word(said: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, _, rest in (s.partition(" ") for s in said):
        found.setdefault(word, []).append(rest)
    return found


def log_keeps(folder: Path, said: list[str]) -> None:
    log = open_log(f"sqlite:///{folder}", "exercise-1", "toy", 2)
    try:
        cases = [e.value.decode() for e in log.read("cases", 0, 0)]
        alerts = [e.value.decode() for e in log.read("alerts", 0, 0)]
        told = by_word(said)
        assert set(told["appended"]) <= set(cases)
        assert set(told.get("committed", ())) <= set(alerts)
        assert len(set(cases)) == len(cases)  # none is there twice
        assert alerts == [f"{n + 1}:{case}" for n, case in enumerate(cases[: len(alerts)])]
        assert log.positions("cases", "worker") == [len(alerts)]
    finally:
        log.close()


def history_keeps(folder: Path, said: list[str]) -> None:
    history = SqliteHistory(f"sqlite:///{folder}", "exercise-1", "toy")
    try:
        found = {p.value for p in history.series("R1", "rain", 0, 1_000_000)}
        assert {int(s) for s in said} <= found
    finally:
        history.close()


def files_keep(folder: Path, said: list[str]) -> None:
    told = by_word(said)
    body = (folder / "deep" / "keys" / "one").read_bytes()
    number = re.fullmatch(rb"(\d+?)\1{999}", body)
    assert number is not None, "half of one and half of another"
    assert int(number[1]) >= max(map(int, told["written"]))
    for n in told.get("made", ()):
        assert (folder / f"made-{n}").read_text() == n
    for n in told.get("appended", ()):
        assert n in (folder / f"lines-{int(n) // 5}").read_text().split()
    for digest in told.get("picture", ()):
        assert FrameStore(folder / "frames").get(digest) is not None, digest


def people_keep(folder: Path, said: list[str]) -> None:
    told = by_word(said)
    with ContactStore(folder) as store:
        assert int(store.fact("last")) >= max(map(int, told["fact"]))
    words = Words(folder)
    try:
        assert set(told.get("word", ())) <= {w.id for w in words.read(0)}
    finally:
        words.close()


def console_keeps(folder: Path, said: list[str]) -> None:
    told = by_word(said)
    users = Users(folder)
    try:
        noted = {detail for _, _, who, _, detail in users.newest(100_000) if who == "wang"}
        assert set(told["noted"]) <= noted
        assert users.noted()  # the chain of the record is whole
        assert set(told.get("issued", ())) <= {row[0] for row in users.issued()}
    finally:
        users.close()


def node_keeps(folder: Path, said: list[str]) -> None:
    store = Store(folder / "node")
    kept = store.load(Identity(id="n", kind="live", prefix="fengsui/live/toy", root="00" * 32))
    assert kept.trust.keys.version >= max(int(s) for s in said)


KEEP: dict[str, Callable[[Path, list[str]], None]] = {
    "log": log_keeps,
    "history": history_keeps,
    "files": files_keep,
    "people": people_keep,
    "console": console_keeps,
    "node": node_keeps,
}


@pytest.mark.parametrize("what", KEEP)
def test_what_was_acknowledged_is_there_after_each_cut(any_volume: Volume, what: str) -> None:
    rng = random.Random(what)
    every: list[str] = []
    for _ in range(CUTS):
        every += acknowledged_until_a_cut(any_volume, what, len(every), rng)
        any_volume.again()
        KEEP[what](any_volume.path, every)
    assert len(every) > CUTS


def test_the_volume_forgets_what_was_not_synced(any_volume: Volume) -> None:
    """Else the tests beside this could not fail."""
    db = sqlite3.connect(any_volume.path / "log.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE t (n INTEGER)")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.execute("INSERT INTO t VALUES (1)")
    (any_volume.path / "plain").write_text("something")
    any_volume.cut()
    db.close()
    any_volume.off()
    any_volume.again()
    db = sqlite3.connect(any_volume.path / "log.db")
    assert db.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
    db.close()
    plain = any_volume.path / "plain"
    assert not plain.exists() or plain.read_bytes() == b""
