"""Files into the log: whole, once, moved when they are there, through a crash at any instant."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.language import en
from ingest.weather.folder import WATCHED_S, DropFolder
from ingest.weather.run import FileDoor
from stream.guard import letter
from stream.records import Rejected
from tests.support.weather import HEAD, NOW, Door, door

GOOD = HEAD + "54406,2026-07-26,08:00,1.2,52100\nA1234,2026-07-26,08:00,T,\n"
BAD = GOOD + "54406,2026-07-26,07:00,x,\n"


def what(of: Door) -> list[tuple[str, int, str]]:
    return sorted((o.station, o.value, o.test) for o in of.readings())


SAID = [("R01", 12, ""), ("R02", 0, "trace"), ("S01", 521_000, "")]


def test_a_file_is_moved_once_its_readings_are_in_the_log(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        of.drop_file("pre_1.csv", BAD)
        of.look()
        assert what(of) == SAID
        (letter,) = of.letters()
        assert letter.source == "weather pre_1.csv"
        assert letter.reason == "bad_value"
        assert "pre_1.csv row 4 PRE: R01: 'x'" in en(letter.detail)
        assert sorted(p.name for p in of.folder.iterdir()) == ["done"]
        assert (of.folder / "done" / "pre_1.csv").read_text() == BAD


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        of.drop_file("pre_1.csv", BAD)
        of.look()
        for name in ("pre_1.csv", "pre_2.csv"):
            of.drop_file(name, BAD)
            of.look()
        assert what(of) == SAID
        assert len(of.letters()) == 1
        assert sorted(p.name for p in of.folder.iterdir()) == ["done"]
        assert len(list((of.folder / "done").iterdir())) == 3


def test_a_file_that_grows_brings_its_new_rows_alone(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        of.drop_file("pre_day.csv", GOOD)
        of.look()
        of.drop_file("pre_day.csv", GOOD + "54406,2026-07-26,09:00,3.4,\n")
        of.look()
        assert what(of) == sorted([*SAID, ("R01", 34, "")])
        of.drop_file("pre_day.csv", GOOD.replace("1.2", "1.4"))  # revised
        of.look()
        assert what(of) == sorted([*SAID, ("R01", 34, ""), ("R01", 14, "")])


def test_a_file_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        with (of.folder / "pre_1.csv").open("w") as f:
            f.write(GOOD)
            f.flush()
            of.look(5)
            assert what(of) == []
            f.write("54406,2026-07-26,07:00,2.0,\n")
        of.look()
        assert what(of) == sorted([*SAID, ("R01", 20, "")])


_OPENED_MEANWHILE = """
import fcntl, os, sys
from ingest.weather import folder
asked, path = fcntl.fcntl, sys.argv[1]
def meanwhile(handle, what, *more):
    found = asked(handle, what, *more)
    if (what, more) == (fcntl.F_SETLEASE, (fcntl.F_RDLCK,)):
        if not os.fork():
            try:
                os.open(path, os.O_WRONLY | os.O_NONBLOCK)  # has the kernel tell whoever holds the lease
            finally:
                os._exit(0)
        os.wait()
    return found
fcntl.fcntl = meanwhile
print(folder.written(os.open(path, os.O_RDONLY)))
"""


def test_a_writer_who_comes_while_we_look_ends_no_process(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x")
    words = [sys.executable, "-c", _OPENED_MEANWHILE, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_a_file_that_ends_within_a_line_waits_for_its_rest(tmp_path: Path) -> None:
    """Of a writer on another machine nobody knows whether it still writes."""
    with door(tmp_path) as of:
        path = of.drop_file("pre_1.csv", GOOD + "54406,2026-07-26,07:00,1")
        of.look(5)
        assert what(of) == []
        path.write_text(GOOD + "54406,2026-07-26,07:00,12.5,\n")
        of.look()
        assert what(of) == sorted([*SAID, ("R01", 125, "")])
        of.drop_file("pre_2.csv", HEAD + "54406,2026-07-26,06:00,2.5,")
        of.look(3)
        of.time += 61
        of.look()
        assert ("R01", 25, "") in what(of)  # nobody went on


def test_what_is_written_after_the_file_was_moved_is_read_too(tmp_path: Path) -> None:
    """Its writer is on another machine, or another user, and had not ended."""
    with door(tmp_path) as of:
        of.drop_file("pre_1.csv", GOOD)
        of.look()
        kept = of.folder / "done" / "pre_1.csv"
        with kept.open("a") as f:
            f.write("54406,2026-07-26,07:00,2.0,\n")
        of.drop_file("pre_1.csv", HEAD + "54406,2026-07-26,06:00,3.0,\n")  # has its name now
        of.look(6)
        assert what(of) == sorted([*SAID, ("R01", 20, ""), ("R01", 30, "")])
        assert [p.name for p in of.folder.iterdir()] == ["done"]
        assert len(list((of.folder / "done").iterdir())) == 2
        of.time += WATCHED_S
        of.look()
        for file in (of.folder / "done").iterdir():
            os.utime(file, ns=(1, 1))
        of.look(3)
        assert [p.name for p in of.folder.iterdir()] == ["done"], "nobody looks for ever"


def test_only_a_file_that_does_not_change_is_read(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        path = of.drop_file("pre_1.csv", GOOD)
        for n in range(3):
            of.look(1)
            path.write_text(GOOD + f"54406,2026-07-26,07:00,2.0,{n}\n")
            os.utime(path, ns=(n, n))
        assert what(of) == []
        of.look()
        assert what(of)


@pytest.mark.parametrize("name", [".pre_1.csv", "pre_1.csv.part", "pre_1.csv.tmp", "pre_1.csv~"])
def test_names_of_what_is_not_finished_are_left(name: str, tmp_path: Path) -> None:
    with door(tmp_path) as of:
        of.drop_file(name, GOOD)
        of.look(4)
        assert what(of) == []
        assert (of.folder / name).exists()


def test_what_nobody_knows_is_put_aside_and_told(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        of.drop_file("report.doc", b"\xd0\xcf")
        of.drop_file("pre_1.csv", "<html>\n")
        (of.folder / "pre_link.csv").symlink_to("/etc/hostname")
        of.look()
        assert sorted(x.reason for x in of.letters()) == ["bad_payload", "unknown_file"]
        names = sorted(p.name for p in (of.folder / "refused").iterdir())
        assert names == ["pre_1.csv", "report.doc"]
        of.drop_file("pre_2.csv", GOOD)
        of.look()
        assert what(of) == SAID


def test_a_name_says_nothing_in_our_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with door(tmp_path) as of:
        of.drop_file("pre_1\nfengsui weather: all is well\x1b[2J\u202e.csv", BAD)
        of.look()
        assert what(of) == SAID
        (letter,) = of.letters()
        assert letter.source.isprintable() and en(letter.detail).isprintable()
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert all(c.isprintable() for c in said.rstrip("\n")) and "\\x0afengsui" in said


def test_many_bad_rows_are_told_within_a_bound_and_counted(tmp_path: Path) -> None:
    with door(tmp_path) as of:
        of.drop_file("pre_1.csv", GOOD + "54406,2026-07-26,07:00,x,\n" * 3000)
        of.look()
        letters = of.letters()
        assert len(letters) == 500
        assert "2501 more" in en(letters[-1].detail)
        assert of.door.bad == 3000
        assert what(of) == SAID


class Down(Exception):
    """The machine went down."""


def crash(of: Door, monkeypatch: pytest.MonkeyPatch, instant: str) -> None:
    """From here on the process ends at this instant."""

    def down(*_: Any) -> Any:
        raise Down

    def after(then: Callable[..., Any]) -> Callable[..., Any]:
        def first(*args: Any) -> Any:
            then(*args)
            raise Down

        return first

    match instant:
        case "before note":
            monkeypatch.setattr(of.memory, "note", down)
        case "before append":
            monkeypatch.setattr(of.log, "append", down)
        case "after append":
            monkeypatch.setattr(of.log, "append", after(of.log.append))
        case "after done":
            monkeypatch.setattr(of.memory, "done", after(of.memory.done))
        case "after move":
            monkeypatch.setattr(DropFolder, "put", after(DropFolder.put))


@pytest.mark.parametrize(
    "body", [BAD, HEAD + "54406,2026-07-26,07:00,x,\n"], ids=["both", "letters"]
)
@pytest.mark.parametrize(
    "instant", ["before note", "before append", "after append", "after done", "after move"]
)
def test_a_crash_at_any_instant_loses_nothing_and_doubles_nothing(
    instant: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door(tmp_path) as of:
        of.drop_file("pre_1.csv", body)
        with monkeypatch.context() as m:
            crash(of, m, instant)
            with pytest.raises(Down):
                of.look()
        # of another run something stands behind it by now
        of.log.append([letter(NOW, "weather another.csv", Rejected("bad_value", "x"))] * 3)
    with door(tmp_path) as of:
        of.look()
        assert what(of) == (SAID if body == BAD else [])
        assert [x.source for x in of.letters()].count("weather pre_1.csv") == 1
        assert sorted(p.name for p in of.folder.iterdir()) == ["done"]


def test_a_program_error_in_a_file_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door(tmp_path) as of:

        def wrong(*_: Any) -> Any:
            raise ZeroDivisionError

        with monkeypatch.context() as m:
            m.setattr("ingest.weather.run.read_table", wrong)
            of.drop_file("pre_1.csv", GOOD)
            of.look()
        assert [x.reason for x in of.letters()] == ["bad_payload"]
        assert (of.folder / "refused" / "pre_1.csv").exists()


def test_a_folder_that_cannot_be_written_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door(tmp_path) as of:

        def denied(*_: Any) -> Any:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "rename", denied)
        of.drop_file("pre_1.csv", BAD)
        of.look(4)
        assert what(of) == SAID
        assert len(of.letters()) == 1


def test_the_door_is_one_process_s(tmp_path: Path) -> None:
    import sqlite3

    from ingest.weather.memory import FileMemory

    with door(tmp_path) as of:
        assert isinstance(of.door, FileDoor)
        with pytest.raises(sqlite3.OperationalError):
            FileMemory(tmp_path / "weather.db")
