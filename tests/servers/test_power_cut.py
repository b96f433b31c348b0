"""Power goes at any instant: what was acknowledged is there when it is back, and everything opens. A real ext4
forgets what was not synced (tests/support/power_cut.py); the instant is drawn from a seed."""

import contextlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.servers.mosquitto import sqlite_plugin
from console.auth.accounts import Users
from dispatch.people.contact_store import ContactStore
from ingest.people.kept_words import Words
from loudspeaker.store import Identity, Store
from stream.disk.blobs import FrameStore
from stream.history.open import open_history
from stream.history.port import Point
from stream.history.sqlite import SqliteHistory
from stream.log.kept import holds
from stream.log.open import open_log
from stream.log.port import Log, Out
from tests.support.power_cut import Volume
from tests.support.servers import InfluxServer, Kafka, Mosquitto

CHILD = Path(__file__).parents[1] / "support" / "power_cut_worker.py"
CUTS = 6
T = 1_753_524_000_000
PATIENCE_S = 180


def started(what: str, where: object, first: int) -> "subprocess.Popen[str]":
    words = [sys.executable, str(CHILD), what, str(where), str(first)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def acknowledged_until_a_cut(
    volume: Volume, what: str, first: int, rng: random.Random
) -> list[str]:
    """What the child was told is durable; it ends, and the power, some time after the first of it."""
    child = started(what, volume.path, first)
    assert child.stdout is not None
    said = [child.stdout.readline()]
    end = threading.Timer(rng.uniform(0.0, 0.4), child.kill)
    end.start()
    said += list(child.stdout)
    assert child.wait() == -signal.SIGKILL
    volume.cut()
    volume.off()
    return whole(said)


def whole(lines: list[str]) -> list[str]:
    """The last may be cut off."""
    return [line.strip() for line in lines if line.endswith("\n")]


def by_word(said: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word, _, rest in (s.partition(" ") for s in said):
        found.setdefault(word, []).append(rest)
    return found


def log_keeps(folder: Path, said: list[str]) -> None:
    log = open_log(f"sqlite:///{folder}", "exercise-1", "toy", 2)
    try:
        log_has(log, said)
        assert log.positions("cases", "worker") == [log.ends("alerts")[0]]
    finally:
        log.close()


def values(log: Log, topic: str) -> list[str]:
    """All of them, however fast the machine wrote: one `read` has a limit."""
    found, at = list[str](), 0
    while entries := log.read(topic, 0, at):
        found += [e.value.decode() for e in entries]
        at = entries[-1].offset + 1
    return found


def log_has(log: Log, said: list[str]) -> None:
    """What was acknowledged, and each case copied once."""
    told, until = by_word(said), time.monotonic() + PATIENCE_S
    while True:
        cases, alerts = values(log, "cases"), values(log, "alerts")
        lost = set(told["appended"]) - set(cases), set(told.get("committed", ())) - set(alerts)
        # Kafka first ends what was open, and only then shows what comes after it
        if not any(lost) or time.monotonic() > until:
            break
        time.sleep(0.2)
    assert lost == (set(), set())
    assert len(set(cases)) == len(cases)  # none is there twice
    assert alerts == [f"{n + 1}:{case}" for n, case in enumerate(cases[: len(alerts)])]


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


def test_kafka_with_one_copy_keeps_what_it_has_acknowledged(large_volume: Volume) -> None:
    """A broker as it comes: what makes it sync are our topics, and Kafka's own, as we set them up."""
    broker = Kafka(large_volume.path)
    large_volume.sync()
    broker.start()
    url, said = f"kafka://{broker.address()}", list[str]()
    try:
        child = started("log", url, 0)
        assert child.stdout is not None
        said.append(child.stdout.readline())
        listens = threading.Thread(target=said.extend, args=(child.stdout,))
        listens.start()
        end = threading.Timer(random.Random(5).uniform(3.0, 6.0), broker.kill)
        end.start()
        end.join()
        large_volume.cut()
        child.kill()
        child.wait()
        listens.join()
        large_volume.off()
        large_volume.again()
        broker.start()
        log = open_log(url, "exercise-1", "toy", 2)
        assert holds(log.kept()), log.kept()
        log_has(log, whole(said))
        log.append([Out("cases", "k", b"it goes on")])
        log.close()
    finally:
        broker.stop()


def test_influxdb_keeps_what_it_has_acknowledged(
    large_volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it comes it syncs its write-ahead log before it answers."""
    server = InfluxServer(large_volume.path).start()
    monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", server.place.token)
    try:
        history = open_history(server.place.url, "live", "toy")
        written = [Point("R1", "rain", T + n, n, n, 1) for n in range(300)]
        for at in range(0, 300, 10):
            history.write(written[at : at + 10], [])
        server.kill()
        large_volume.cut()
        history.close()
        large_volume.off()
        large_volume.again()
        server.start()
        history = open_history(server.place.url, "live", "toy")
        assert history.series("R1", "rain", T, T + 1000) == written
        history.close()
    finally:
        server.stop()


def written_down(server: Mosquitto, since_ns: int) -> bool:
    """Whether its store, a file a second by our settings, is younger; or its SQLite holds all that waits:
    another than the broker sees what is committed, and SQLite syncs before it shows."""
    if not server.sqlite:
        store = server.folder / "mosquitto.db"
        return store.exists() and store.stat().st_mtime_ns > since_ns
    with contextlib.closing(sqlite3.connect(server.folder / "mosquitto.sqlite3")) as db:
        (count,) = db.execute("SELECT count(*) FROM client_msgs").fetchone()
    return bool(count == WAIT)


WAIT = 500
# 2.1 alone has the second
STORES = {"file": None} | ({"sqlite": plugin} if (plugin := sqlite_plugin()) else {})


@pytest.mark.parametrize("store", STORES)
def test_mosquitto_keeps_what_it_has_written_down(large_volume: Volume, store: str) -> None:
    """What it has acknowledged since then is gone: of the last second, and with SQLite of the broker's last
    turn. It syncs the file and not the folder that it renames it in (2.0.11): the folder's attribute does
    that."""
    server = Mosquitto(large_volume.path, STORES[store])
    if not server.sqlite:
        subprocess.run(["chattr", "+D", str(server.folder)], check=True)
    large_volume.sync()
    server.start()
    at = ["-h", "127.0.0.1", "-p", str(server.port), "-u", server.user, "-P", server.password]
    hears = ["mosquitto_sub", *at, "-i", "ingest", "-c", "-q", "1", "-t", "t/#"]
    try:
        subprocess.run([*hears, "-E"], check=True, timeout=PATIENCE_S)
        sent = [f"{n}" for n in range(WAIT)]
        subprocess.run(
            ["mosquitto_pub", *at, "-q", "1", "-t", "t/1", "-l"],
            input="\n".join(sent) + "\n", text=True, check=True, timeout=PATIENCE_S,
        )  # fmt: skip
        said_at, until = time.time_ns(), time.monotonic() + PATIENCE_S
        while not written_down(server, said_at):
            assert time.monotonic() < until, "it writes nothing down"
            time.sleep(0.05)
        server.kill()
        large_volume.cut()
        large_volume.off()
        large_volume.again()
        server.start()
        heard = subprocess.run(
            [*hears, "-C", str(WAIT), "-W", str(PATIENCE_S)],
            stdout=subprocess.PIPE, text=True, check=True, timeout=2 * PATIENCE_S,
        )  # fmt: skip
        assert heard.stdout.split() == sent
    finally:
        server.stop()
