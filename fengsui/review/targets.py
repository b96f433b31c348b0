"""What a drill or an event is held against: a district's `drill.toml`, or a file of the same form.

[[target]]
hop = "notice"        # one of HOPS
within_s = 60         # away: for hop "decision" each question's own deadline, for "lead_prepare" and
                      # "lead_move" the time that each place needs to move
share = 1.0           # of those due, so many in time
"""

from pathlib import Path
from typing import Literal, NamedTuple, get_args

import msgspec

from config.language import Said, Text
from config.load import ConfigError
from config.read.problem import Problem
from config.read.tables import read_toml
from fengsui.review.step_times import LEADS, Hops, Sample

HopName = Literal[
    "heard", "version", "notice", "asked", "decision", "first_resident", "resident", "loudspeaker",
    "delivered", "answer", "silent",
    "lead", "lead_prepare", "lead_move",
]  # fmt: skip
HOPS: tuple[str, ...] = get_args(HopName)
FILE = "drill.toml"
_OF_ITS_OWN = ("decision", "lead_prepare", "lead_move")  # hops whose samples have limits themselves


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """`share` of what was due on `hop` is done within `within_s`; on a hop of LEADS: people are told at
    least that long before the disaster."""

    hop: HopName
    within_s: int | None = None
    share: float = 1.0
    note: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The file."""

    target: tuple[Target, ...] = ()


# where a district has no drill.toml
USUAL = Plan(
    target=(
        Target(hop="notice", within_s=60),
        Target(hop="decision"),
        Target(hop="loudspeaker", within_s=180, share=0.95),
        Target(hop="answer", within_s=300, share=0.9),
        Target(hop="lead", within_s=1800, share=0.9),
        Target(hop="lead_move", share=0.7),
    )
)


class TargetResult(NamedTuple):
    """A target and what came of it. `met` is None where nothing was due: not measured."""

    target: Target
    due: int
    in_time: int
    met: bool | None


def read_plan(named: Path | None, folder: Path) -> Plan:
    """The file named, else the district's, else USUAL. Raises ConfigError."""
    file = named or folder / FILE
    if named is None and not file.exists():
        return USUAL
    problems: list[Problem] = []
    plan = read_toml(file, Plan, problems)
    for n, t in enumerate(plan.target if plan else (), 1):
        if t.within_s is None and t.hop not in _OF_ITS_OWN:
            problems.append(
                _wrong(file, n, "within_s", Text("缺少秒数", "the seconds are missing"))
            )
        elif t.within_s is not None and t.within_s <= 0:
            problems.append(
                _wrong(
                    file,
                    n,
                    "within_s",
                    Text(f"{t.within_s} 不大于 0", f"{t.within_s} is not above 0"),
                )
            )
        if not 0 < t.share <= 1:
            problems.append(
                _wrong(
                    file,
                    n,
                    "share",
                    Text(f"{t.share} 应大于 0，至多 1", f"{t.share} must be above 0, at most 1"),
                )
            )
    if plan is not None and not plan.target:
        problems.append(
            Problem(file.name, 0, "target", Text("没有 [[target]]", "there is no [[target]]"))
        )
    if problems or plan is None:
        raise ConfigError(file.parent, problems)
    return plan


def _wrong(file: Path, n: int, column: str, message: Said) -> Problem:
    return Problem(file.name, 0, f"target {n} {column}", message)


def hold(plan: Plan, hops: Hops) -> list[TargetResult]:
    """Every target against what was measured."""
    out = []
    for t in plan.target:
        samples = hops.of(t.hop)
        if t.within_s is None:
            samples = [s for s in samples if s.deadline_s is not None]
        done = sum(in_time(t, s) for s in samples)
        met = done >= t.share * len(samples) - 1e-9 if samples else None
        out.append(TargetResult(t, len(samples), done, met))
    return out


def in_time(t: Target, s: Sample) -> bool:
    """Was this done as the target wants it?"""
    if s.seconds is None:
        return False
    limit = t.within_s if t.within_s is not None else s.deadline_s
    if t.hop in LEADS:
        return s.seconds >= (limit or 0)
    return limit is not None and s.seconds <= limit
