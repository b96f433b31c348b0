"""What the duty room knew at a moment: nothing that came later, and everything that had come."""

import json
import subprocess
from pathlib import Path

import pytest

from config.language import Text, en, zh
from fengsui.inquiry.known import known
from fengsui.inquiry.moment import Moment, as_of
from fengsui.inquiry.moment_words import lines
from fengsui.inquiry.span import incidents, moment_of
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from stream.environment import Usage
from stream.records import Run
from tests.support.after_action import T0, S
from tests.support.backups import DISTRICT, opened
from tests.support.inquiry import RUN, filled, readings, records
from tests.support.played import fengsui


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    return filled(tmp_path_factory.mktemp("moment"))[0]


def then(setup: Setup, at: int) -> Moment:
    with opened(setup) as log:
        return as_of(DISTRICT, known(log), at)


def test_the_question_stands_open_until_it_is_decided_and_no_longer(run: Setup) -> None:
    (before,) = then(run, T0 + 100 * S).warnings
    (asked,) = before.questions
    assert (asked.what, asked.called, asked.since_at) == ("red", ("K-01",), T0 + 70 * S)
    assert asked.deadline_at == T0 + 370 * S
    assert not before.public
    late = " ".join(zh(x) for x in lines(then(run, T0 + 400 * S), str))
    assert "已过时限" in late
    assert "已过时限" not in " ".join(zh(x) for x in lines(then(run, T0 + 100 * S), str))
    (after, _) = then(run, T0 + 470 * S).warnings
    assert (after.questions, after.public, after.version) == ((), True, 2)


def test_who_was_reached_is_what_had_been_heard_of_by_then(run: Setup) -> None:
    asked = [next(w for w in then(run, T0 + s * S).warnings if w.id == "w1") for s in (80, 190)]
    assert [(w.sent, w.reached, w.must, w.answered) for w in asked] == [(3, 0, 3, 0), (3, 1, 3, 1)]


def test_a_reading_is_known_when_it_came_and_not_when_it_was_measured(tmp_path: Path) -> None:
    live = Run(name="live", kind="live", district="yanqing", config="c", start_at=T0)
    setup, _ = filled(tmp_path, [live, readings(T0, T0 + 600 * S, 70)])
    station = {s.id: s for s in then(setup, T0 + 599 * S).stations}["R01"]
    assert (station.heard_at, station.received_at) == (None, None)
    station = {s.id: s for s in then(setup, T0 + 600 * S).stations}["R01"]
    assert (station.heard_at, station.received_at) == (T0, T0 + 600 * S)
    assert station.said.startswith("7 mm")


def test_a_played_gauge_says_nothing_of_the_minute_to_come(tmp_path: Path) -> None:
    first = records()[0]
    setup, _ = filled(tmp_path, [first, readings(T0 + 60 * S, T0, 70)])
    assert {s.id: s for s in then(setup, T0).stations}["R01"].heard_at is None
    assert {s.id: s for s in then(setup, T0 + 60 * S).stations}["R01"].heard_at == T0 + 60 * S


def test_what_was_blind_is_told(run: Setup) -> None:
    (blind,) = then(run, T0 + 60 * S).blind
    assert (blind.area, blind.live, blind.expected, blind.silent) == ("A01", 3, 4, ("R02",))
    assert then(run, T0 + 20 * S).blind == ()
    assert any("R02" in en(x) for x in lines(then(run, T0 + 60 * S), str))


def test_incidents_and_hours(run: Setup) -> None:
    log = open_run_log(run)
    try:
        found = incidents(log)
    finally:
        log.close()
    assert list(found) == ["I1", "I2"]
    assert (found["I1"].begin_at, found["I1"].end_at) == (T0 + 70 * S, T0 + 480 * S)
    zone = DISTRICT.timezone  # T0 is 18:00 there
    assert moment_of("18:06", found["I1"], zone) == T0 + 360 * S
    assert moment_of("17:59", found["I1"], zone) == T0 + (24 * 3600 - 60) * S
    assert moment_of("2025-07-26T18:06:00+08:00", None, zone) == T0 + 360 * S
    for wrong in ("18:06", "2025-07-26T18:06", "noon"):
        with pytest.raises(Usage):
            moment_of(wrong, None, zone)


def test_the_command(run: Setup) -> None:
    def asked(*words: str) -> "subprocess.CompletedProcess[str]":
        return fengsui(run.folder.parent, "investigate", "--run", RUN, *words, FENGSUI_LANG="")

    told = asked("I1", "--at", "18:03")
    assert told.returncode == 0, told.stderr
    assert "待决：红色" in told.stdout
    assert "静默 R02" in told.stdout
    assert "open" not in told.stdout
    then = json.loads(asked("--json", "--at", "2025-07-26T18:03:00+08:00").stdout)
    assert then["at"] == T0 + 180 * S
    none = asked("I9", "--at", "18:03")
    assert none.returncode == 2
    assert "I1, I2" in none.stderr
    assert [line.split(":")[0] for line in asked().stdout.splitlines()] == ["I1", "I2"]
    assert [row["incident"] for row in json.loads(asked("--json").stdout)] == ["I1", "I2"]


def test_lines_speak_one_language(run: Setup) -> None:
    for line in lines(then(run, T0 + 100 * S), str):
        assert isinstance(line, str | Text)
