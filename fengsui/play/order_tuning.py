"""Orders to move and to prepare tuned on simulated storms of the district's own basins: the curve of lead
against false orders by threshold, and the threshold that the district's cost of a miss chooses.

Each storm is played once to fit the forecast of the streams and once for every candidate rule to see it;
all thresholds are judged on what the rules saw, by the level machine (`skill.series.track.standing`) and
the definition of a hit (`skill.verify.storms`) of a run. The storms are those from `TRAINING` on, which
no score uses.

Where the level is not known, what a stream is forecast from rain alone is held against the same thresholds:
it is taken so far down that in these storms, with every level gauge dead from the start, it orders no more
people for nothing than the whole rule does.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.district import District
from config.records.rules import RuleRow
from fengsui.play.at_once import at_once
from fengsui.play.order_rules import (
    AHEAD_MIN,
    GOES_ON,
    HOLD_MIN,
    Basin,
    Sums,
    basins,
    by_rain,
    dead,
    flood_rows,
    forecast,
    slope_row,
    sums,
)
from fengsui.play.season import Season, Seen, orders, season, seen, spans
from fengsui.run.order_need import order_need
from simulators.scenario import KEPT, TRAINING, Scenario, storm_set
from skill.series.csv_text import SeriesFault
from skill.series.rules import toml_text
from skill.verify.order_curve import Rung, bill, cheapest, curve
from skill.verify.storms import Key, StormRow, WarnedVersion, score

FLOOD, DEBRIS = "flash_flood", "debris_flow"
MOST = KEPT - TRAINING
_LIMITS = {
    FLOOD: tuple(round(0.8 + 0.025 * n, 3) for n in range(49)),
    DEBRIS: tuple(round(1.6 + 0.1 * n, 1) for n in range(40)),
}
_CLEAR = 0.7  # as a row has it that says nothing
_HEAD = Text(
    "# fengsui tune --simulated 所写：贴入 rules.toml，替换同名规则，再 fengsui check、fengsui sign\n",
    "# by fengsui tune --simulated: rows for rules.toml, in place of those of the same id; check, sign\n",
)
Judged = dict[float, list[StormRow]]  # threshold -> rows
Told = Callable[[Text], None]


class Candidate(NamedTuple):
    """A rule of one hazard, without thresholds: rows of rules.toml. dead: what the same rows say without a
    level, where they say anything then."""

    hazard: str
    words: Text
    rows: tuple[RuleRow, ...]
    dead: tuple[RuleRow, ...] = ()


class Tuned(NamedTuple):
    """Of one hazard: the candidate that was chosen, its curve, what it orders from on, and what that is
    worth without a level (None: it is silent then)."""

    candidate: Candidate
    steps: list[Rung]
    move: Rung
    prepare: Rung
    rows: list[RuleRow]
    dead: Rung | None = None


def tuned(district: District, count: int, told: Told = lambda _: None) -> list[Tuned]:
    """count: storms, 1 … `MOST`, else SeriesFault. A hazard of which nothing can be tuned is left away:
    no flood in the storms, no basin with a stage gauge, no area with debris flow."""
    if not 1 <= count <= MOST:
        raise SeriesFault(f"--seeds {count}: 1 … {MOST}")
    storms = storm_set(count, TRAINING)
    candidates = _candidates(district, storms, told)
    asked = [*candidates, *(c._replace(rows=c.dead) for c in candidates if c.dead)]
    every = [Judged() for _ in asked]
    for n, found in enumerate(at_once(partial(judged, district, asked), storms), 1):
        for judgement, rows in zip(every, found, strict=True):
            for limit, more in rows.items():
                judgement.setdefault(limit, []).extend(more)
        told(Text(f"评分 {n}/{count}", f"judging {n}/{count}"))
    best: dict[str, Tuned] = {}
    blind = iter(every[len(candidates) :])
    for candidate, judgement in zip(candidates, every, strict=False):
        unseen = next(blind) if candidate.dead else {}
        one = _chosen(district, candidate, judgement, unseen, count)
        held = best.get(candidate.hazard)
        if one and (held is None or _bill(district, one) < _bill(district, held)):
            best[candidate.hazard] = one
    return list(best.values())


def written(found: Sequence[Tuned]) -> str:
    """TOML: rows for rules.toml, in place of those of the same id. Raises SeriesFault without any."""
    if not found:
        nothing = Text(
            "这些模拟暴雨中没有可率定的灾情，未写规则",
            "nothing floods in these storms that could be tuned: no rule is written",
        )
        raise SeriesFault(nothing)
    return toml_text(_HEAD, {}, [("[[rule]]", row) for one in found for row in one.rows])


def _candidates(district: District, storms: Sequence[Scenario], told: Told) -> list[Candidate]:
    """The streams' forecasts, fitted, and the slopes' curves."""
    places = basins(district, season(district, storms[0]).record)
    total: Sums | None = None
    found = []
    if places:
        for n, more in enumerate(at_once(partial(fit, places, district), storms), 1):
            total = more if total is None else total.plus(more)
            told(Text(f"拟合 {n}/{len(storms)}", f"fitting {n}/{len(storms)}"))
    if total is not None:
        for ahead in AHEAD_MIN:
            words = Text(f"雨与水位预报 {ahead} min", f"forecast from rain and level, {ahead} min")
            rows = tuple(flood_rows(places, forecast(total, ahead)))
            found.append(Candidate(FLOOD, words, rows, dead(rows)))
    if any(DEBRIS in a.hazards for a in district.areas.values()):
        for minutes, trend in GOES_ON:
            words = Text(
                f"面雨强历时，雨再下 {minutes} min，趋势 {trend}",
                f"areal intensity, {minutes} min more rain, trend {trend}",
            )
            found.append(Candidate(DEBRIS, words, (slope_row(district, minutes, trend),)))
    return found


def fit(places: Sequence[Basin], district: District, storm: Scenario) -> Sums:
    """What one storm says of the forecast of the streams."""
    return sums(season(district, storm), places)


def judged(district: District, candidates: Sequence[Candidate], storm: Scenario) -> list[Judged]:
    """What each candidate's orders were worth in one storm, by threshold."""
    found = season(district, storm)
    return [_judged(district, c, found) for c in candidates]


def _judged(district: District, candidate: Candidate, found: Season) -> Judged:
    truth = [t for t in found.truth if t.hazard == candidate.hazard]
    needed = order_need(district)
    every = defaultdict[str, list[Seen]](list)
    for one in seen(district, candidate.rows, found.record):
        every[one.area].append(one)
    out = {}
    for limit in _LIMITS[candidate.hazard]:
        given: dict[Key, list[WarnedVersion]] = {}
        for area, of in every.items():
            if versions := orders([s for one in of for s in spans(one, limit, _CLEAR, HOLD_MIN)]):
                given[area, candidate.hazard] = versions
        out[limit] = score(truth, given, "move", needed).rows
    return out


def _bill(district: District, one: Tuned) -> float:
    cost = district.policy.orders
    return bill(one.move.figures, cost.lead_min, cost.move_cost)


def _chosen(
    district: District, candidate: Candidate, judgement: Judged, unseen: Judged, count: int
) -> Tuned | None:
    """None without a flood in the storms. unseen: what the rule is worth without a level."""
    cost = district.policy.orders
    steps = curve("move", judgement)
    if not steps or not steps[0].figures.floods:
        return None
    move = cheapest(steps, cost.lead_min, cost.move_cost, cost.least_share)
    below = [s for s in steps if s.limit <= move.limit]
    prepare = cheapest(below, cost.lead_min, cost.prepare_cost, cost.least_share)
    as_few = [s for s in curve("move", unseen) if s.figures.false <= move.figures.false]
    blind = as_few[0] if as_few else None
    source = _source(district, move, prepare, blind, count)
    rows = [
        msgspec.structs.replace(r, source=source, move=move.limit, prepare=prepare.limit)
        for r in candidate.rows
    ]
    if candidate.dead:
        rows = [by_rain(r, move.limit / blind.limit if blind else None) for r in rows]
    return Tuned(candidate, steps, move, prepare, rows, blind)


def _source(district: District, move: Rung, prepare: Rung, blind: Rung | None, count: int) -> str:
    """What the values rest on, as a row keeps it."""
    cost, f, p = district.policy.orders, move.figures, prepare.figures
    without = ""
    if blind is not None:
        b = blind.figures
        without = (
            f"; by rain alone, no level heard from the start, move: in time {b.share(cost.lead_min):.0%}, "
            f"never {b.never}, false {b.false} (FAR {b.far:.2f})"
        )
    return str(
        Text(
            "模拟所得，非实测",
            f"simulated, not measured: fengsui tune --simulated --seeds {count}, storms {TRAINING}–"
            f"{TRAINING + count - 1}, {f.floods} floods; lead {cost.lead_min} min for at least "
            f"{cost.least_share:.0%} of floods, a miss costs "
            f"{cost.move_cost:g} / {cost.prepare_cost:g} false orders; move: in time "
            f"{f.share(cost.lead_min):.0%}, never {f.never}, false {f.false} (FAR {f.far:.2f}); "
            f"prepare: in time {p.share(cost.lead_min):.0%}, false {p.false} (FAR {p.far:.2f}){without}",
        )
    )
