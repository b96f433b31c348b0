"""The record of the duty room: whatever is done to it by another hand is found."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from console.auth.accounts import Users
from console.auth.record import End, Record
from console.auth.record_end import ends, tell, telling
from dispatch.ledger.chain import Tail, entered
from fengsui.cli.root import cli
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from stream.log.port import Out
from stream.records import encode
from stream.stages.stage import Item
from tests.support.decide_district import unproved, yanqing

PRIVATE = bytes(range(32))
NOW = 1_753_531_200_000


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record(tmp_path / "console.db", PRIVATE)
    for n in range(5):
        record.note(NOW + n, "wang", "release", f"A0{n}|x")
    yield record
    record.close()


def test_it_keeps_what_was_done_in_order(record: Record) -> None:
    assert [x.detail for x in record.noted()] == [f"A0{n}|x" for n in range(5)]
    assert record.end().n == 5
    assert [row[0] for row in record.newest(2)] == [5, 4]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET detail='A09' WHERE n=2",
        "UPDATE audit SET who='wang|release', what='A04', detail='x' WHERE n=5",  # same joined text
        "UPDATE audit SET who='zhao' WHERE n=5",
        "DELETE FROM audit WHERE n=3",
        "DELETE FROM audit WHERE n=1",
        "UPDATE audit SET signature='' WHERE n>2",
        "UPDATE audit SET signature=(SELECT signature FROM audit WHERE n=1) WHERE n=2",
    ],
)
def test_a_changed_entry_is_found(record: Record, tmp_path: Path, change: str) -> None:
    with sqlite3.connect(tmp_path / "console.db") as db:
        db.execute(change)
    with pytest.raises(ValueError, match="record was changed"):
        record.noted()


def test_entries_written_with_another_key_are_found(record: Record, tmp_path: Path) -> None:
    other = Record(tmp_path / "console.db", bytes(32))
    other.note(NOW + 9, "wang", "release", "A09")
    other.close()
    with pytest.raises(ValueError, match="signature"):
        record.noted()


@pytest.mark.parametrize("gone", [1, 2, 5])
def test_entries_taken_from_the_end_are_found_by_an_end_seen_before(
    record: Record, tmp_path: Path, gone: int
) -> None:
    seen = record.end()
    assert len(record.noted([seen, End(3, _hash(tmp_path, 3))])) == 5
    with sqlite3.connect(tmp_path / "console.db") as db:
        db.execute("DELETE FROM audit WHERE n>?", (5 - gone,))
    with pytest.raises(ValueError, match="cut off"):
        record.noted([seen])
    for n in range(gone):  # and others put in their place
        record.note(NOW + 10 + n, "wang", "note", "nothing happened")
    with pytest.raises(ValueError, match="changed"):
        record.noted([seen])


def _hash(folder: Path, n: int) -> str:
    with sqlite3.connect(folder / "console.db") as db:
        found: str = db.execute("SELECT hash FROM audit WHERE n=?", (n,)).fetchone()[0]
    return found


def test_entries_of_a_version_without_signatures_are_still_read(tmp_path: Path) -> None:
    record = Record(tmp_path / "console.db", PRIVATE)
    for n in range(2):
        record.note(NOW + n, "wang", "note", str(n))
    with sqlite3.connect(tmp_path / "console.db") as db:
        db.execute("ALTER TABLE audit DROP COLUMN signature")
    record.close()
    record = Record(tmp_path / "console.db", PRIVATE)
    record.note(NOW + 2, "wang", "note", "2")
    assert [x.detail for x in record.noted()] == ["0", "1", "2"]
    record.close()


def test_thousands_of_refusals_are_a_few_lines_and_a_number(tmp_path: Path) -> None:
    record = Record(tmp_path / "console.db", PRIVATE)
    for n in range(3000):
        record.refused(NOW + n % 1000, "wang", f"10.0.0.{n % 250}")
    record.refused(NOW + 60_000, "wang", "10.0.0.1")
    lines = record.noted()
    assert len(lines) < 30
    assert "2980" in lines[-2].detail
    record.close()


def test_half_a_character_is_written_down_somehow(record: Record) -> None:
    record.note(NOW, "wa\ud800ng", "note", "\udfff")
    assert len(record.noted()) == 6


def test_the_command_line_puts_what_it_does_to_accounts_on_record(tmp_path: Path) -> None:
    def say(*words: str, given: str = "") -> str:
        made = CliRunner().invoke(
            cli, ["--state", str(tmp_path), "console", *words, "--run", "exercise"], input=given
        )
        assert made.exit_code == 0, made.output
        return made.output

    twice = "a long enough one\na long enough one\n"
    new = ("user", "add", "wang", "--before-start", "--role", "duty", "--officer", "K-01")
    say(*new, given=twice)
    say("user", "add", "wang", "--role", "approver", "--officer", "K-01", given=twice)
    say("user", "link", "wang")
    say("user", "unlock", "wang")
    say("user", "remove", "wang")
    lines = say("record").splitlines()
    for line, what in zip(
        lines, ("user added wang duty", "user changed", "link made", "user removed"), strict=True
    ):
        assert what in line
        assert "command line" in line


def test_the_ledger_misses_what_was_taken_from_the_end(tmp_path: Path) -> None:
    """The console tells the log where the record ends, decide passes it on, and whoever takes the last
    entries away is found by the command line."""
    setup = make_setup(yanqing(), "exercise", tmp_path)
    log = open_run_log(setup)
    users = Users(setup.folder)
    for n in range(4):
        users.note(NOW + n, "wang", "release", f"A0{n}")
    assert tell(log, users, End(0, ""), NOW).n == 0, "never the first record of a topic"
    log.append([Out("cases", "run", encode(setup.run))])
    last = tell(log, users, End(0, ""), NOW)
    assert last == users.record.end()
    assert tell(log, users, last, NOW) == last
    told = [e.value for e in log.read("cases", 0, 0)][1:]
    assert len(told) == 1
    stage = unproved(setup.district)
    _, writes = stage.step(stage.new(0), [Item(0, 1, "", stage.decode(told[0]))])
    log.append([Out(w.topic, w.key, encode(w.record)) for w in writes])
    assert list(ends(log)) == [last]
    entry = entered(Tail("alerts"), encode(writes[0].record))
    assert entry is not None
    assert b"record_end" in entry[0]
    users.close()

    def say() -> tuple[int, str]:
        words = ["--state", str(tmp_path), "console", "record", "--run", "exercise"]
        made = CliRunner().invoke(cli, words)
        return made.exit_code, made.output

    assert say()[0] == 0
    with sqlite3.connect(setup.folder / "console.db") as db:
        db.execute("DELETE FROM audit WHERE n>2")
    code, words = say()
    assert code == 1
    assert "cut off" in words
    log.close()


def test_a_console_that_stops_tells_where_the_record_ends(tmp_path: Path) -> None:
    setup = make_setup(yanqing(), "exercise", tmp_path)
    log = open_run_log(setup)
    log.append([Out("cases", "run", encode(setup.run))])
    users, stop = Users(setup.folder), threading.Event()
    args = (lambda: open_run_log(setup), users, lambda: NOW, stop)
    thread = threading.Thread(target=telling, args=args)
    thread.start()
    users.note(NOW, "wang", "release", "A01")
    stop.set()
    thread.join()
    found = [msgspec.json.decode(e.value) for e in log.read("cases", 0, 1)]
    assert [(x["type"], x["n"]) for x in found] == [("record_end", 1)]
    users.close()
    log.close()
