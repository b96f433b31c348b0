"""What `fengsui upgrade-check` says of a run whose stages were changed in a storm, and of what it is given."""

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.language import en
from config.records.level import Action, Level
from dispatch.records import Alert, Delivery
from fengsui.cli.root import cli
from fengsui.upgrade.account import account
from fengsui.upgrade.builds import Processes, older_build, this_build
from ingest.observation import Observation, Observations
from stream.environment import Usage
from stream.records import DeadLetter
from tests.support.decide_district import T0

ROOT = Path(__file__).parents[2]


def alert(version: int) -> tuple[str, Any]:
    return "alerts", Alert(
        id="w", version=version, area="A01", hazard="flash_flood", status="exercise",
        msg_type="alert", level=Level.RED, action=Action.MOVE, proposed_level=Level.RED,
        proposed_action=Action.MOVE, public=True, state="released", incident="i", sent_at=T0,
        onset_at=T0, expires_at=T0 + 1, reason="r",
    )  # fmt: skip


def delivery(name: str) -> tuple[str, Any]:
    return "deliveries", Delivery(
        id=name, alert="w", version=1, area="A01", hazard="flash_flood", level=Level.RED,
        action=Action.MOVE, msg_type="alert", status="exercise", recipient="C-1",
        audience="public", routes=(), queued_at=T0, deadline_at=T0, expires_at=T0 + 1,
    )  # fmt: skip


READ = Observations.of(
    "g", T0, [Observation(station="R01", quantity="rain", observed_at=T0, value=1.0)]
)
WELL = [("observations", READ), alert(1), alert(2), delivery("d1"), delivery("d2")]
HEARD = frozenset({("R01", T0)})


def said(records: list[tuple[str, Any]], **more: Any) -> list[str]:
    given: dict[str, Any] = {
        "published": HEARD,
        "posts": 2,
        "taken": {"a": 1, "b": 2},
        "behind": {},
    }
    return [en(t) for t in account(records, **{**given, **more}).faults]


def test_a_line_that_lost_nothing_has_no_fault() -> None:
    assert said(WELL) == []


@pytest.mark.parametrize(
    ("records", "more", "words"),
    [
        (WELL[1:], {}, "1 acknowledged readings are in no log: R01"),
        (WELL, {"posts": 3}, "1 messages were sent twice"),
        ([*WELL, alert(2)], {}, "versions of a warning are not in a row: w: [1, 2, 2]"),
        ([*WELL, delivery("d1")], {}, "1 deliveries stand twice, e.g. d1"),
        (WELL, {"behind": {"send": 4, "decide": 0}}, "send has 4 records unread"),
    ],
    ids=["lost", "twice", "versions", "deliveries", "behind"],
)
def test_each_fault_is_named(records: Any, more: dict[str, Any], words: str) -> None:
    (only,) = said(records, **more)
    assert words in only


def test_a_warning_that_one_version_could_not_read_is_a_fault() -> None:
    def letter(source: str, reason: str) -> tuple[str, Any]:
        return "dead-letters", DeadLetter.of(T0, source, reason, "x", b"{}")

    letters = [
        letter("alerts/0/7", "undecodable_record"),
        letter("observations/1/3", "failed_record"),
        letter("station/R01/rain", "bad_value"),
    ]
    found = account([*WELL, *letters], HEARD, 2, {"a": 1, "b": 2}, {})
    (fault,) = map(en, found.faults)
    assert "1 records of alerts" in fault
    assert "do not change to it while a warning is open" in fault
    assert "1 records of observations" in en(found.told[0])
    assert "bad_value" not in "".join(map(en, found.told))


def test_an_older_version_is_a_source_tree_or_a_python(tmp_path: Path) -> None:
    tree = older_build(ROOT, tmp_path)
    assert tree.env()["PYTHONPATH"] == str(ROOT)
    assert older_build(Path(sys.executable), tmp_path).words[0] == sys.executable
    with pytest.raises(Usage, match=str(tmp_path)):
        older_build(tmp_path, tmp_path)


def test_a_password_stands_in_no_list_of_processes_and_last_words_are_told(tmp_path: Path) -> None:
    where = {"FENGSUI_BROKER": "mqtt://u:secret@127.0.0.1:1", "FENGSUI_STATE": str(tmp_path)}
    build = this_build(tmp_path / "no-district")
    processes = Processes(tmp_path, where, "exercise-upgrade", "2025-07-26T10:00:00Z", "")
    try:
        port = processes.start("decide", build)
        with pytest.raises(RuntimeError, match=r"decide \(new\): .*no-district"):
            processes.wait_ready("decide", port)
    finally:
        processes.close()
    assert [(s.stage, s.build, s.code) for s in processes.stopped] == [("decide", "new", 2)]
    assert "secret" not in processes.last_words("decide", build)


def test_without_a_broker_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FENGSUI_BROKER", raising=False)
    done = CliRunner().invoke(
        cli, ["upgrade-check", str(ROOT)], env={"FENGSUI_LANG": "en", "FENGSUI_BROKER": ""}
    )
    assert isinstance(done.exception, Usage)
    assert "name a broker" in en(done.exception)
