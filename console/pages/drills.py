"""The page Drills (演练): what came of one exercise run, by its kept after-action report. Pure."""

import re
from datetime import UTC, datetime
from typing import Literal, NotRequired, TypedDict

import msgspec

from config.language import Said

Result = Literal["met", "not_met", "not_measured"]
_STAMP = re.compile(r"exercise-(\d{8}T\d{6}Z)")  # the name that a drill is given by itself


class Target(msgspec.Struct):
    """A target of the plan and what came of it (fengsui/review/after_action.py)."""

    zh: str
    en: str
    due: int
    in_time: int
    result: Result


class KeptReport(msgspec.Struct):
    """What is listed of a report; the page to print has the rest."""

    run: str
    exercise: bool
    scenario: str
    begin_at: int
    end_at: int
    broken_off: Said
    targets: list[Target]


class DrillRow(TypedDict):
    """A drill as it is listed. assessed: there is a report, and what it says is here; problem: why one
    cannot be read."""

    run: str
    held_at: int
    scenario: str
    assessed: bool
    problem: Said
    begin_at: NotRequired[int]
    end_at: NotRequired[int]
    result: NotRequired[Result]
    targets: NotRequired[list[Target]]
    broken_off: NotRequired[Said]


class Playable(TypedDict):
    name: str
    title: tuple[str, str]
    hours: float


class Drills(TypedDict):
    """The newest of `count`; command: what stands before `drill` to play another."""

    drills: list[DrillRow]
    count: int
    command: str
    scenarios: list[Playable]


def held_at(run: str, written_at: int) -> int:
    """When it was held (ms): as its name says, or else when it was last written."""
    if found := _STAMP.fullmatch(run):
        try:
            there = datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return written_at
        return int(there.timestamp() * 1000)
    return written_at


def result(targets: list[Target]) -> Result:
    """One target that was not met is enough; where nothing was measured nothing is claimed."""
    found = {t.result for t in targets}
    if "not_met" in found:
        return "not_met"
    return "met" if "met" in found else "not_measured"


def row(run: str, at: int, kept: KeptReport | None, scenario: str, problem: Said) -> DrillRow:
    """kept: None where it was not assessed yet; problem: why it cannot be read, in words."""
    found: DrillRow = {
        "run": run,
        "held_at": at,
        "scenario": kept.scenario if kept else scenario,
        "assessed": kept is not None,
        "problem": problem,
    }
    if kept is not None:
        found |= {
            "begin_at": kept.begin_at,
            "end_at": kept.end_at,
            "result": result(kept.targets),
            "targets": kept.targets,
            "broken_off": kept.broken_off,
        }
    return found
