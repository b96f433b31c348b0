"""A protocol carried out: tuned, measured on what was left out, and held against its goal."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from config.language import Said, Text, en, text_of
from skill.public.protocols import Protocol
from skill.series.tune import tune as tune_series
from skill.tables.tune import hindcast as hindcast_table
from skill.tables.tune import tune as tune_table
from skill.verify import names

Json = Mapping[str, Any]
# failed: a goal was missed; broken: the test could not be carried out to its end
Verdict = Literal["failed", "broken", "reached", "absent"]
VERDICTS: tuple[Verdict, ...] = ("failed", "broken", "reached", "absent")  # as the page orders them


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a rule on rows or events that it had not seen; ratios are None where undefined."""

    rule: Said
    hits: int
    misses: int
    false_alarms: int
    csi: float | None
    csi_interval: tuple[float, float] | None = None
    auc: float | None = None

    @property
    def pod(self) -> float | None:
        events = self.hits + self.misses
        return self.hits / events if events else None


class Goal(msgspec.Struct, frozen=True):
    """A figure, the least that it must reach, and what it reached."""

    figure: str
    least: float
    reached: float | None

    @property
    def met(self) -> bool:
        return self.reached is not None and self.reached >= self.least


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a protocol. best: the best simple or published rule on the same rows."""

    protocol: Protocol
    verdict: Verdict
    ours: Measured | None = None
    best: Measured | None = None
    goals: tuple[Goal, ...] = ()
    why: Said = ""


def try_out(protocol: Protocol, data: Path, maps: Path) -> TrialResult:
    """Carry out a protocol on the files below `data`; maps: the folder of the maps of columns. What
    goes wrong is a result too."""
    lacking = [f for f in protocol.files if not (data / f).is_file()]
    if lacking:
        names = ", ".join(lacking)
        why = Text(f"没有资料：{names}", f"no such data: {names}")
        return TrialResult(protocol=protocol, verdict="absent", why=why)
    try:
        with tempfile.TemporaryDirectory() as folder:
            ours, best = _measured(protocol, data, maps, Path(folder) / "rules.toml")
    except (ValueError, OSError) as e:
        return TrialResult(protocol=protocol, verdict="broken", why=text_of(e))
    return judged(protocol, ours, best)


def judged(protocol: Protocol, ours: Measured, best: Measured | None) -> TrialResult:
    """The result against the protocol's goal and the best simple rule; what hits nothing reaches
    nothing."""
    goals = [Goal(name, least, getattr(ours, name)) for name, least in protocol.goal.items()]
    if not ours.hits:
        goals.append(Goal("hits", 1, 0))
    if best is not None and best.csi is not None:
        goals.append(Goal("best", round(best.csi, 4), ours.csi))
    return TrialResult(
        protocol=protocol,
        verdict="reached" if all(g.met for g in goals) else "failed",
        ours=ours,
        best=best,
        goals=tuple(goals),
    )


def _measured(p: Protocol, data: Path, maps: Path, out: Path) -> tuple[Measured, Measured | None]:
    if p.observations:
        lead_s = p.min_lead_min * 60
        told = tune_series(data / p.observations, data / p.events, lead_s, out)
        by_part = p.left_out == en(told["cross_validated"][0]["how"])
        rivals = told["rivals"] if by_part else told["rivals_by_stretch"]
        return _left_out(p, told), _best(r for r in rivals if r["simple"])
    told = tune_table(data / p.table, p.response, p.group or None, maps / p.columns, out)
    if p.scored_on is None:
        here = [c for c in told["candidates"] if en(c["how"]) == p.left_out]
        return _left_out(p, told), _best(c for c in here if c["weights"] <= 1)
    o = p.scored_on
    scored = hindcast_table(out, data / o.table, o.response, maps / o.columns, o.group or None)
    return _of(scored["rule"], scored), _best(scored["published"])


def _left_out(p: Protocol, told: Json) -> Measured:
    """The whole procedure, its choices included, on what was left out; of a record as it chose before it fell
    back to a simple rule, which has seen what was left out and would be held against itself."""
    for one in told.get("chosen_anew", told["cross_validated"]):
        if en(one["how"]) == p.left_out:
            return _of(told["rule"], one)
    how = ", ".join(en(one["how"]) for one in told["cross_validated"]) or "–"
    raise ValueError(
        Text(
            f"没有按“{p.left_out}”留出（有：{how}）",
            f"nothing was left out as “{p.left_out}” says (there is: {how})",
        )
    )


def _best(others: Iterable[Json]) -> Measured | None:
    found = [_of(o.get("rule") or o["how"], o) for o in others if o["csi"] is not None]
    return max(found, key=lambda m: m.csi or 0.0, default=None)


def _of(rule: Said, one: Json) -> Measured:
    low, high = one.get("csi_interval") or (None, None)
    return Measured(
        rule=names.said(rule) if isinstance(rule, str) else rule,
        hits=one["hits"],
        misses=one["misses"],
        false_alarms=one["false_alarms"],
        csi=one["csi"],
        csi_interval=None if low is None or high is None else (low, high),
        auc=one.get("auc"),
    )
