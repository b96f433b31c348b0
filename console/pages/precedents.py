"""What similar cases led to: earlier warnings of the same area and hazard, and what people reported of
those hours (`fengsui outcome`). Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from console.model.answers import Before, Earlier
from console.model.view import View
from dispatch.grade import Grade
from dispatch.records import Alert, Outcome

WINDOW_MS = 6 * 3_600_000  # what happens within it belongs to the warning, as in the skill ledger
SHOWN = 5


def similar(view: View, outcomes: dict[tuple[str, str], list[Outcome]], alert: Alert) -> Before:
    """Earlier warnings, newest first: when, how high, and `happened`, `quiet` or `unknown`; and how
    often it happened without a warning."""
    told = outcomes.get((alert.area, alert.hazard), [])
    mine = [
        versions
        for versions in view.first.values()
        if (versions[0].area, versions[0].hazard) == (alert.area, alert.hazard)
    ]
    rows = [_row(v, told) for v in mine if v[0].id != alert.id and v[0].sent_at < alert.sent_at]
    rows.sort(key=lambda r: -r["at"])
    missed = sum(o.happened and not any(_near(v, o) for v in mine) for o in _newest(told).values())
    came = Counter(r["came"] for r in rows)
    return {
        "happened": came["happened"],
        "quiet": came["quiet"],
        "unknown": came["unknown"],
        "missed": missed,
        "rows": rows[:SHOWN],
    }


def _row(versions: Sequence[Alert], told: Sequence[Outcome]) -> Earlier:
    peak = Grade()
    for a in versions:
        peak |= Grade(a.level, a.action) | Grade(a.proposed_level, a.proposed_action)
    near = [o for o in _newest(told).values() if _near(versions, o)]
    came: Literal["happened", "quiet", "unknown"] = "unknown"
    if near:
        came = "happened" if any(o.happened for o in near) else "quiet"
    return {
        "at": versions[0].sent_at,
        "level": peak.level,
        "action": peak.action,
        "came": came,
        "notes": [o.note for o in near if o.note],
    }


def _newest(told: Sequence[Outcome]) -> dict[int, Outcome]:
    """The last word on a time counts."""
    return {o.start_at: o for o in sorted(told, key=lambda o: o.told_at)}


def _near(versions: Sequence[Alert], o: Outcome) -> bool:
    """Does what was told concern the hours of this warning?"""
    end = max(a.sent_at for a in versions) + WINDOW_MS
    return o.start_at <= end and o.end_at >= versions[0].sent_at
