"""Lead before flows and alarms without one, of every rule at every threshold, side by side.

An alarm begins where the value reaches the threshold, and is over when it has stayed below `CLEAR` of it for
`HOLD_S`. A record of a flow has no moment of the flow's arrival of its own: in its place stands the middle of
the loudest ten seconds, when the front is nearest, and the lead is counted to that. Alarms without a flow are
counted in records of quiet, after their first `FIRST_S`, from which the reference is drawn; their rate has the
exact Poisson interval.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.engine.window_rule import Floats
from skill.seismic.records import Shaking
from skill.seismic.rules import MEAN_S, RULES, Rule
from skill.verify.score import poisson

THRESHOLDS = (2.0, 3.0, 4.0, 6.0, 10.0)
HOLD_S, CLEAR, FIRST_S = 600, 0.7, 300
_DAY_S = 86_400


class Lead(NamedTuple):
    """after_s: from the beginning of the record to the first alarm, below 0 in the window before it; None:
    there was none. lead_s: from there to the loudest, below 0 after it. again: further alarms. before_s: how
    much there is of that window; an alarm at its first second stood before."""

    record: str
    after_s: int | None
    lead_s: int | None
    again: int
    before_s: int


class Quiet(NamedTuple):
    """Alarms in so many seconds without a flow, and the rate a day with its 95 % interval."""

    alarms: int
    heard_s: int
    per_day: float
    low: float
    high: float


class Figure(NamedTuple):
    """One rule at one threshold."""

    rule: str
    threshold: float
    leads: tuple[Lead, ...]
    quiet: Quiet | None


def alarms(value: Floats, threshold: float) -> list[int]:
    """Where alarms begin."""
    found: list[int] = []
    on, last = False, 0
    for n in np.nonzero(~np.isnan(value))[0].tolist():
        on = on and n - last < HOLD_S
        if not on and value[n] >= threshold:
            found.append(n)
            on = True
        if on and value[n] >= CLEAR * threshold:
            last = n
    return found


def loudest(seconds: Floats) -> int:
    """The middle of the loudest ten seconds."""
    windows = sliding_window_view(seconds, MEAN_S)
    mean = np.where(np.isnan(windows).all(axis=1), -np.inf, np.nan_to_num(windows).mean(axis=1))
    return int(mean.argmax()) + MEAN_S // 2


def _level(record: Shaking) -> float:
    return float(np.nanmedian(record.seconds[: record.before]))


def _lead(rule: Rule, threshold: float, record: Shaking, level: float) -> Lead:
    value = rule.value(record.seconds, record.seconds[: record.before], level)
    begins = alarms(value, threshold)
    if not begins:
        return Lead(record.name, None, None, 0, record.before)
    first = begins[0]
    return Lead(
        record.name,
        first - record.before,
        loudest(record.seconds) - first,
        len(begins) - 1,
        record.before,
    )


def _quiet(rule: Rule, threshold: float, records: Sequence[Shaking]) -> Quiet | None:
    """None of a level from elsewhere: another sensor's counts say nothing here."""
    if rule.name == "brought" or not records:
        return None
    many = heard = 0
    for record in records:
        first, rest = record.seconds[:FIRST_S], record.seconds[FIRST_S:]
        many += len(alarms(rule.value(rest, first, 0.0), threshold))
        heard += int((~np.isnan(rest)).sum())
    days = heard / _DAY_S
    low, high = poisson(many)
    return Quiet(many, heard, many / days, low / days, high / days)


def measured(flows: Sequence[Shaking], quiet: Sequence[Shaking]) -> list[Figure]:
    """Every rule at every threshold."""
    found = []
    for rule in RULES:
        levels = {}
        for n, record in enumerate(flows):
            others = [_level(o) for m, o in enumerate(flows) if m != n]
            levels[record.name] = float(np.median(others)) if others else float("nan")
        if rule.name == "brought" and len(flows) < 2:
            continue
        for threshold in THRESHOLDS:
            leads = tuple(_lead(rule, threshold, f, levels[f.name]) for f in flows)
            found.append(Figure(rule.name, threshold, leads, _quiet(rule, threshold, quiet)))
    return found


def as_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        f._asdict()
        | {"leads": [x._asdict() for x in f.leads]}
        | {"quiet": f.quiet._asdict() if f.quiet else None}
        for f in figures
    ]
