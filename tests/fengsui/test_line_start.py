"""The line while it comes up and goes down, and what its screen calls a change."""

import io
import re
import stat
import sys
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from config.records.level import Action, Level
from console.model.view import Change, View
from detectors.detection import Evidence
from dispatch.nodes.keys import Ring, sender_keys
from dispatch.nodes.mandate import Grant
from dispatch.send.node_supervisor import Caretaker
from fengsui.play.play import Watch
from fengsui.play.screen import change_line, screen
from fengsui.run import processes as line_module
from fengsui.run.processes import Line
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from fengsui.run.signing import judging, trusted
from fengsui.run.threshold_gate import start
from ingest.decode.reading import JSON_BYTES
from stream.limits import Unreadable, read_json
from stream.log.port import Unavailable
from tests.support.decide_district import T0, yanqing
from tests.support.roll import alert

DISTRICT = yanqing()


def test_a_line_that_is_asked_to_stop_while_it_comes_up_does_not_wait_for_its_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = threading.Event()

    def never_ready(
        name: str, setup: object, stop: threading.Event, *_: object, **__: object
    ) -> None:
        waiting.set()
        assert stop.wait(300)

    monkeypatch.setattr(line_module, "run_stage", never_ready)
    line, stop = Line(make_setup(DISTRICT, "exercise-t", tmp_path, start_at=T0)), threading.Event()
    threading.Thread(target=lambda: (waiting.wait(300), stop.set()), daemon=True).start()
    assert line.start(("detect", "decide"), timeout_s=300, stop=stop) is False
    assert line.stop_event.is_set()
    assert line.code == 0
    assert not any(t.is_alive() for t in line._threads)


def test_a_stage_that_fails_while_it_comes_up_is_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(line_module, "run_stage", fails)
    line = Line(make_setup(DISTRICT, "exercise-t", tmp_path, start_at=T0))
    with pytest.raises(RuntimeError, match="no room"):
        line.start(("detect",), timeout_s=300, stop=threading.Event())
    assert line.code == 1


def test_where_stages_share_an_interpreter_whoever_waits_for_it_has_it_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit gives it away and must get it back beside a detect that computes."""
    before, found = sys.getswitchinterval(), list[float]()

    def notes(*_: object, **__: object) -> None:
        found.append(sys.getswitchinterval())

    monkeypatch.setattr(line_module, "run_stage", notes)
    line = Line(make_setup(DISTRICT, "exercise-t", tmp_path, start_at=T0))
    stop = threading.Event()
    stop.set()
    try:
        line.start(("detect",), timeout_s=300, stop=stop)
    finally:
        sys.setswitchinterval(before)
    assert [0.0 < one <= 0.001 for one in found] == [True]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_decide_that_begins_while_its_log_is_away_makes_its_list_of_signers_when_it_is_back(
    tmp_path: Path, *, stopped: bool
) -> None:
    """Without that list nobody's act would count until somebody starts decide again."""
    setup = make_setup(DISTRICT, "exercise-t", tmp_path, start_at=T0)
    stop, asked = threading.Event(), list[str]()

    class AwayTwice:
        def positions(self, topic: str, group: str) -> list[int]:
            asked.append(group)
            if stopped:
                stop.set()
            if stopped or len(asked) < 3:
                raise Unavailable("away")
            return log.positions(topic, group)

        def ends(self, topic: str) -> list[int]:
            return log.ends(topic)

    log = open_run_log(setup)
    judging(setup, AwayTwice(), stop)  # type: ignore[arg-type]  # what is asked of it
    log.close()
    assert len(asked) == (1 if stopped else 3)
    found = trusted(setup)
    assert found is None if stopped else (found is not None and found.now.run == setup.run.name)


@pytest.mark.parametrize("before", [None, 0o644])
def test_what_a_live_run_remembers_of_its_thresholds_is_nobody_elses(
    tmp_path: Path, before: int | None
) -> None:
    setup = make_setup(DISTRICT, "live", tmp_path, start_at=T0)
    file = setup.folder / "thresholds.version"
    if before is not None:
        setup.folder.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{DISTRICT.rules_version} proved\n")
        file.chmod(before)
    start(setup)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ((Level.NONE, Action.NONE), (Level.NONE, Action.PREPARE), "山洪  准备转移"),
        (
            (Level.NONE, Action.PREPARE),
            (Level.RED, Action.MOVE),
            "山洪 准备转移→ ⬟ 红色  立即转移",
        ),
        ((Level.NONE, Action.NONE), (Level.BLUE, Action.NONE), "山洪  ○ 蓝色 "),
        ((Level.RED, Action.MOVE), (Level.NONE, Action.PREPARE), "山洪 红色、立即转移→ 准备转移"),
        ((Level.BLUE, Action.NONE), (Level.NONE, Action.NONE), "山洪 蓝色→ · 无 "),
    ],
)
def test_a_change_is_said_by_what_there_is(
    was: tuple[Level, Action],
    now: tuple[Level, Action],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")
    change = Change(T0, "A01", "flash_flood", *now, *was, public=True, msg_type="update")
    line = change_line(change, DISTRICT).plain
    assert line.partition("山洪")[1:] == ("山洪", words.removeprefix("山洪"))


def test_what_is_proposed_and_withdrawn_is_said_apart_from_what_is_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "zh")
    none, asks = (Level.NONE, Action.NONE), (Level.RED, Action.MOVE)

    def said(
        now: tuple[Level, Action], was: tuple[Level, Action], msg_type: str, *more: object
    ) -> str:
        made = Change(T0, "A01", "flash_flood", *now, *was, True, msg_type, *more)  # type: ignore[arg-type]
        return change_line(made, DISTRICT).plain.partition("山洪 ")[2]

    blue = (Level.BLUE, Action.NONE)
    assert said(none, none, "alert", *asks) == "提请红色、立即转移，待批"
    assert said(blue, none, "alert", *asks) == " ○ 蓝色  提请红色、立即转移，待批"
    assert said(blue, blue, "update", *asks) == "蓝色 提请红色、立即转移，待批"
    assert said(none, none, "cancel") == "提请撤回"
    assert said(none, blue, "cancel") == "解除"


@pytest.mark.parametrize("payload", [b"", b"  ", b"\r\n"])
def test_an_empty_message_is_called_so(payload: bytes) -> None:
    with pytest.raises(Unreadable, match="the message is empty"):
        read_json(payload, msgspec.json.Decoder(), JSON_BYTES)


def test_what_is_wrong_with_one_node_keeps_nothing_from_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = DISTRICT.nodes
    nodes = {
        **DISTRICT.nodes,
        first: msgspec.structs.replace(DISTRICT.nodes[first], box_key="00ff"),
    }
    district = msgspec.structs.replace(DISTRICT, nodes=nodes)
    grant = Grant(by="u1", reason="汛期", granted_at=T0, until_at=T0 + 86_400_000)
    (tmp_path / "mandate.json").write_bytes(msgspec.json.encode(grant))
    sender_keys(tmp_path)
    sent: list[str] = []

    def publish(topic: str, _: bytes) -> bool:
        sent.append(topic)
        return True

    caretaker = Caretaker(district, "p", "exercise", tmp_path, Ring(tmp_path, "exercise"), publish)
    for n in range(3):
        caretaker.look(T0 + n * 20_000)
    assert {t for t in sent if t.startswith("p/node/")} == {f"p/node/{n}/command" for n in others}
    assert sent.count("p/beacon") == 3
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and said.startswith(f"fengsui send: {first}: ")
    assert "box_key" in said


def test_the_last_screen_stays_and_only_what_comes_after_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The thread that draws goes on for as long as nobody stops the run."""
    monkeypatch.setenv("FENGSUI_LANG", "en")
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    setup = make_setup(DISTRICT, "exercise-t", tmp_path, start_at=T0)
    log = open_run_log(setup)
    watch = Watch(setup, log, plain=False)
    none, red = (Level.NONE, Action.NONE), (Level.RED, Action.MOVE)
    first = Change(T0, "A01", "flash_flood", *red, *none, public=True, msg_type="alert")
    with watch:
        watch.view.changes.append(first)
        watch.look()
        watch.end(None)
        capsys.readouterr()
        watch.look()
        assert capsys.readouterr().out == ""
        watch.view.changes.append(replace(first, msg_type="cancel"))
        watch.look()
        assert len(capsys.readouterr().out.strip().splitlines()) == 1
    log.close()


LONG = Evidence(station="R01", quantity="rain", value=20, threshold=20, note="x" * 200)


@pytest.mark.parametrize("count", [12, 13, 40])
def test_a_screen_that_is_too_low_for_all_warnings_says_how_many_more(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "en")
    view = View(ours=make_setup(DISTRICT, "exercise-t", tmp_path, start_at=T0).run)
    for n, area in enumerate(list(DISTRICT.areas)[:count]):
        view.alerts[f"W-{n}"] = alert(id=f"W-{n}", area=area, evidence=(LONG,))
    console = Console(width=90, record=True, file=io.StringIO())
    console.print(screen(view, DISTRICT, height=40))
    said = console.export_text()
    assert said.count(" move now ") >= min(count, 11)
    more = re.search(r"(\d+) more", said)
    assert (int(more[1]) if more else 0) == (0 if count <= 12 else count - 11)
