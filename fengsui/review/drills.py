"""The drills of a state folder: every exercise run with a log of its own, or an after-action report
that was kept; and that report as a page to print."""

import shlex
import sqlite3
from pathlib import Path

import msgspec

from config.language import Language, Said, Text, en, zh
from console.pages.drills import DrillRow, Drills, KeptReport, held_at, row
from fengsui.review import page
from fengsui.review.assessment import Assessment
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, default_config, make_setup
from ingest.observation import ObservationRecord
from simulators.scenario import SCENARIOS
from stream.environment import Usage
from stream.log.port import Corrupt, Unavailable
from stream.records import Run, decode

SHOWN = 200  # the newest of them
# what another user's file, or one that is no log, comes to: one row, and not the page
_UNREADABLE = (Corrupt, Unavailable, sqlite3.Error)
_RECORD: msgspec.json.Decoder[ObservationRecord] = msgspec.json.Decoder(ObservationRecord)


def drills(setup: Setup, folder: Path) -> Drills:
    """For the page Drills, newest first: what was held, what can be played, and by which command."""
    state = setup.folder.parent
    names = {d.name for d in state.glob("exercise*") if d.is_dir()}
    names |= {d.name.removesuffix("-report") for d in state.glob("exercise*-report")}
    rows = [r for name in names if (r := _row(setup, name)) is not None]
    rows.sort(key=lambda r: (-r["held_at"], r["run"]))
    words = ["fengsui", "--state", str(state)]
    if folder.resolve() != default_config().resolve():
        words += ["--config", str(folder)]
    return {
        "drills": rows[:SHOWN],
        "count": len(rows),
        "command": shlex.join(words),
        "scenarios": [
            {"name": s.name, "title": (s.title.zh, s.title.en), "hours": s.hours}
            for s in SCENARIOS.values()
        ],
    }


def printed(setup: Setup, name: str, language: Language) -> str:
    """The after-action page of one of them: as it was kept, or else made of its log now. Raises
    ValueError: there is no such drill, or its log cannot be read."""
    ours = _setup_of(setup, name)
    if ours is None:
        raise ValueError(Text(f"没有这次演练 {name[:60]!r}", f"there is no drill {name[:60]!r}"))
    report = _report(ours)
    if _kept(ours)[0] is not None:
        try:
            kept = msgspec.json.decode(report.read_bytes(), type=Assessment)
            return page.page(ours.district, kept, language)
        except msgspec.ValidationError:
            pass  # of an older form: it is made anew
    if not _log(ours).exists():
        raise ValueError(
            Text(
                f"{name}: 没有记录，也没有可读的总结", f"{name}: neither a log nor a report to read"
            )
        )
    try:
        return page.printed(ours, "", language)
    except _UNREADABLE as e:
        raise ValueError(
            Text(f"{_log(ours)}: 读不了：{zh(e)}", f"{_log(ours)}: cannot be read: {en(e)}")
        ) from e


def _setup_of(setup: Setup, name: str) -> Setup | None:
    """The run of that name beside ours, on its own files: what the environment names may be the live
    run's. None: no exercise is called so."""
    state = setup.folder.parent
    here = f"sqlite:///{(state / name).resolve()}"
    try:
        made = make_setup(
            setup.district, name, state, broker="mqtt://127.0.0.1", log=here, history=here
        )
    except Usage:
        return None
    return None if made.live else made


def _log(ours: Setup) -> Path:
    return ours.folder / f"{ours.district.id}.{ours.run.name}.log.db"


def _report(ours: Setup) -> Path:
    """Where `fengsui drill` puts it by itself."""
    return ours.folder.with_name(f"{ours.folder.name}-report") / "after-action.json"


def _row(setup: Setup, name: str) -> DrillRow | None:
    ours = _setup_of(setup, name)
    there = [f for f in (_log(ours), _report(ours)) if f.exists()] if ours else []
    if ours is None or not there:
        return None
    at = held_at(name, int(there[0].stat().st_mtime * 1000))
    kept, problem = _kept(ours)
    scenario = ""
    if kept is None and there[0] == _log(ours):
        try:
            scenario = _scenario(ours)
        except _UNREADABLE as e:
            problem = Text(
                f"{_log(ours)}: 读不了：{zh(e)}", f"{_log(ours)}: cannot be read: {en(e)}"
            )
    return row(name, at, kept, scenario, problem)


def _kept(ours: Setup) -> tuple[KeptReport | None, Said]:
    """The report, or why it is not to be taken; a missing one is no fault."""
    file = _report(ours)
    try:
        found = msgspec.json.decode(file.read_bytes(), type=KeptReport)
    except FileNotFoundError:
        return None, ""
    except (OSError, msgspec.MsgspecError) as e:
        return None, Text(
            f"{file}: 读不懂，按日志重做：{zh(e)}",
            f"{file}: cannot be read, it is made anew of the log: {en(e)}",
        )
    if not found.exercise or found.run != ours.run.name:
        return None, Text(
            f"{file}: 不是这次演练的：{found.run}", f"{file}: is of another run: {found.run}"
        )
    return found, ""


def _scenario(ours: Setup) -> str:
    """What was played, as the first record of its log says."""
    log = open_run_log(ours)
    try:
        for entry in log.read("observations", 0, 0, limit=1):
            record = decode(_RECORD.decode, entry.value)
            if isinstance(record, Run):
                return record.scenario
    finally:
        log.close()
    return ""
