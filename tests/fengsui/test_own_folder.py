"""A run's folder is its owner's, its broker keeps its port, and `status` tells what was heard."""

import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from console.model.trail import Trail
from console.model.view import View
from console.pages.stations import parts
from dispatch.words.local_time import day
from fengsui.play.play import _alone, _port, broker_of
from fengsui.run.folder_lock import held
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import free_port, make_setup, own
from fengsui.status.lines import dead_letters, status_lines
from ingest.observation import Flag, Observation, Observations
from stream.environment import Usage
from stream.log.port import Out
from stream.records import DeadLetter, encode
from stream.stages.run_identity import begin
from tests.support.districts import yanqing

ROOT = Path(__file__).parents[2]
DISTRICT = yanqing()
T0 = 1_785_000_000_000


def test_what_a_run_leaves_is_for_its_owner_alone(storm_modes: dict[str, int]) -> None:
    """Whatever the umask, and in a folder of an older version too."""
    assert len(storm_modes) > 6
    assert {path: oct(mode) for path, mode in storm_modes.items() if mode & 0o077} == {}


def test_a_second_line_on_a_folder_leaves_the_first_its_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fengsui.play.play._LEAVES_S", 0.5)
    setup = make_setup(DISTRICT, "live", tmp_path)
    own(setup.folder)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        setup.broker_file.write_text(f"mqtt://u:p@127.0.0.1:{s.getsockname()[1]}\n")
        with pytest.raises(Usage, match="--state"):
            _alone(setup)
    _alone(setup)  # whoever left that address is gone
    assert setup.broker_file.exists()


def test_a_second_line_is_refused_at_any_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would be the same users there, and no session would last."""
    words = (
        "import sys; from pathlib import Path; from fengsui.run.folder_lock import held\n"
        "with held(Path(sys.argv[1]), 90): print('held', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", words, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    setup = make_setup(DISTRICT, "live", tmp_path, broker="mqtt://broker.example")
    with pytest.raises(Usage, match="--state"), held(tmp_path, 0.5):
        pass
    first.kill()
    first.communicate(timeout=90)
    with held(tmp_path, 90):  # gone with its process
        pass
    setup.folder.mkdir()
    monkeypatch.setattr("fengsui.play.play._LEAVES_S", 0.5)
    monkeypatch.setattr("os.umask", lambda _: 0)
    with held(setup.folder, 90), pytest.raises(Usage, match="--state"), broker_of(setup, 0):
        pass


def test_the_broker_keeps_its_port_while_old_connections_close(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fengsui.play.play._LEAVES_S", 0.5)
    port = free_port()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        client = socket.create_connection(("127.0.0.1", port))
        server, _ = listener.accept()
        assert _port(port) != port
        assert str(port) in capsys.readouterr().err, "another port is told"
        server.close()  # first to close: its side waits in TIME_WAIT
        client.close()
    assert _port(port) == port
    assert capsys.readouterr().err == ""


def test_reporting_is_what_was_heard(tmp_path: Path) -> None:
    setup = make_setup(DISTRICT, "live", tmp_path, start_at=T0)
    log = open_run_log(setup)
    begin(log, setup.run)
    one = Observation(station="R01", quantity="rain", observed_at=T0, value=1, flag=Flag.GOOD)
    log.append([Out("observations", "g", encode(Observations.of("g", T0, (one,))))])
    lines = list(status_lines(log, DISTRICT, T0 + 1000, setup.run))
    total = len(DISTRICT.stations) + len(DISTRICT.nodes)
    assert f"stations and loudspeakers: 1/{total} reporting" in [x.en for x in lines]
    assert any(f"not heard yet: {total - 1} " in x for x in lines)
    lines = list(status_lines(log, DISTRICT, T0 + 30 * 86_400_000, setup.run))
    assert f"stations and loudspeakers: 0/{total} reporting" in [x.en for x in lines]
    assert any(f"never heard: {total - 1} " in x for x in lines)
    assert [x for x in lines if "  silent R01:" in x]
    log.close()


def test_what_waits_does_not_scroll_away_behind_lists_of_stations(tmp_path: Path) -> None:
    """Every calibration is over and nothing was ever heard: a line each, the worst first."""
    setup = make_setup(DISTRICT, "live", tmp_path, start_at=T0)
    log = open_run_log(setup)
    begin(log, setup.run)
    later = T0 + 3 * 365 * 86_400_000
    lines = list(status_lines(log, DISTRICT, later, setup.run))
    log.close()
    before = lines[: next(n for n, x in enumerate(lines) if "open warnings" in x)]
    today = day(later, DISTRICT.timezone)
    overdue = {s.id: s.overdue(today) for s in DISTRICT.stations.values() if s.overdue(today) > 0}
    (told,) = [x for x in before if "calibration out of date" in x]
    assert f"date: {len(overdue)} (" in told and f"{max(overdue.values())} days" in told
    assert len([x for x in before if "  silent" in x]) == 1


def test_many_dead_letters_are_counted_without_reading_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = make_setup(DISTRICT, "live", tmp_path, start_at=T0)
    log = open_run_log(setup)

    def put(reason: str, count: int) -> None:
        letter = DeadLetter(received_at=T0, source="s", reason=reason, detail="", payload="")
        log.append([Out("dead-letters", "s", encode(letter))] * count)

    put("bad_value", 30)
    log.append([Out("dead-letters", "s", b"\xff")])
    put("oversize", 70)
    assert dead_letters(log) == (100, Counter(oversize=70, bad_value=30), True)
    monkeypatch.setattr("fengsui.status.lines._NEWEST", 50)
    assert dead_letters(log) == (101, Counter(oversize=50), False)
    log.close()


def test_a_burst_is_no_day_of_reports() -> None:
    """A gauge that said five hundred tips in an hour and then nothing did not report all day."""
    hour = 3_600_000
    trail, view = Trail(), View()
    first = T0 // hour * hour
    for n in range(500):
        one = Observation(
            station="R01", quantity="rain", observed_at=first + n, value=1, seq=n, flag=Flag.GOOD
        )
        trail.take(Observations.of("g", first + n, (one,)), view)
    row = parts(DISTRICT, view, trail, first + 20 * hour)["health"]["R01"]
    assert row["count"] == 500
    assert row["share"] < 0.1
