"""The skill ledger in JSON, for `fengsui skill --json` and the page Skill. Pure."""

from typing import TypedDict

from config.language import Said
from skill.report.outcomes import (
    EventOutcome,
    Ledger,
    Score,
    WarningOutcome,
    by_rule,
    scores,
)
from skill.series.clock import iso


class ScoreJson(TypedDict):
    """A `Score` in JSON; pod, far, csi: None where there is nothing to divide by."""

    hits: int
    misses: int
    false_alarms: int
    late: int
    open: int
    warned: int
    quiet_days: int | None
    pod: float | None
    far: float | None
    csi: float | None


class RuleJson(TypedDict):
    rule: str
    version: str
    hit: int
    late: int
    false: int
    open: int


class WarnedJson(TypedDict):
    """A `WarningRow` in JSON; times in RFC 3339."""

    area: str
    hazard: str
    outcome: WarningOutcome
    start: str
    end: str
    level: int
    action: int
    public: bool
    lead_minutes: float | None
    because: Said
    rules: list[str]
    alert: str


class EventJson(TypedDict):
    area: str
    hazard: str
    outcome: EventOutcome
    start: str
    end: str
    lead_minutes: float | None
    because: Said


class LedgerJson(ScoreJson):
    """The whole district's score, and what it is made of."""

    areas: dict[str, ScoreJson]
    rules: list[RuleJson]
    warnings: list[WarnedJson]
    events: list[EventJson]


def as_json(found: Ledger) -> LedgerJson:
    """One object for --json and for the page Skill."""
    every = scores(found)
    return {
        **_score_json(every.pop("*")),
        "areas": {name: _score_json(s) for name, s in every.items()},
        "rules": [
            {
                "rule": rule, "version": version, "hit": many["hit"], "late": many["late"],
                "false": many["false"], "open": many["open"],
            }
            for (rule, version), many in by_rule(found).items()
        ],
        "warnings": [
            {
                "area": r.warned.area, "hazard": r.warned.hazard, "outcome": r.outcome,
                "start": iso(r.warned.start_at), "end": iso(r.warned.end_at),
                "level": int(r.warned.level), "action": int(r.warned.action),
                "public": r.warned.public, "lead_minutes": r.lead_min, "because": r.because,
                "rules": [rule for rule, _ in r.warned.rules], "alert": r.warned.alert,
            }
            for r in found.warnings
        ],
        "events": [
            {
                "area": e.area, "hazard": e.hazard, "outcome": e.outcome, "start": iso(e.start_at),
                "end": iso(e.end_at), "lead_minutes": e.lead_min, "because": e.because,
            }
            for e in found.events
        ],
    }  # fmt: skip


def _score_json(s: Score) -> ScoreJson:
    c = s.counts
    return {
        "hits": c.hits, "misses": c.misses, "false_alarms": c.false_alarms, "late": s.late,
        "open": s.open, "warned": s.warnings, "quiet_days": c.quiet, "pod": c.pod, "far": c.far,
        "csi": c.csi,
    }  # fmt: skip
