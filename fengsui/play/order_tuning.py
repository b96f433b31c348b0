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
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from config.language import Said, Text
from config.records.authority import OrderCost
from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH
from config.records.rules import RuleRow
from fengsui.play.at_once import at_once
from fengsui.play.order_chance import (
    CHANCES_MIN,
    HIGH,
    Moments,
    chances,
    high_rows,
    joined,
    moments,
    slope_chances,
    slope_moments,
)
from fengsui.play.order_rules import (
    AHEAD_MIN,
    FALLEN,
    GOES_ON,
    HOLD_MIN,
    Basin,
    Sums,
    basins,
    by_rain,
    dead,
    fallen_row,
    flood_rows,
    forecast,
    is_chance,
    slope_chance_rows,
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
CHANCE = "chance"
MOST = KEPT - TRAINING
_LIMITS = {
    FLOOD: tuple(round(0.8 + 0.025 * n, 3) for n in range(49)),
    CHANCE: tuple(round(0.06 + 0.01 * n, 2) for n in range(55)),
    DEBRIS: tuple(round(2.0 + 0.05 * n, 2) for n in range(81)),
}
_EACH = 2  # steps that lie between two lines, where nothing is chosen
_CLEAR = 0.7  # as a row has it that says nothing
_HEAD = Text(
    "# fengsui tune --simulated 所写：贴入 rules.toml，替换同名规则，再 fengsui check、fengsui sign\n",
    "# by fengsui tune --simulated: rows for rules.toml, in place of those of the same id; check, sign\n",
)
Span = tuple[int, int]
Judged = dict[float, list[StormRow]]  # threshold -> rows
Told = Callable[[Text], None]


class Candidate(NamedTuple):
    """A rule of one hazard (a stream's stands for the river's too), without thresholds: rows of rules.toml.
    dead: what the same rows say without a level, where they say anything then. last: rows with thresholds
    of their own that order beside them."""

    hazard: str
    words: Text
    rows: tuple[RuleRow, ...]
    dead: tuple[RuleRow, ...] = ()
    last: tuple[RuleRow, ...] = ()

    @property
    def limits(self) -> tuple[float, ...]:
        return _LIMITS[CHANCE if is_chance(self.rows[0]) else self.hazard]


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
    unseen = {id(c.dead): c._replace(rows=c.dead, last=()) for c in candidates if c.dead}
    asked = [*candidates, *unseen.values()]
    every = [Judged() for _ in asked]
    for n, found in enumerate(at_once(partial(judged, district, asked), storms), 1):
        for judgement, rows in zip(every, found, strict=True):
            for limit, more in rows.items():
                judgement.setdefault(limit, []).extend(more)
        told(Text(f"评分 {n}/{count}", f"judging {n}/{count}"))
    best: dict[str, Tuned] = {}
    blind = dict(zip(unseen, every[len(candidates) :], strict=True))
    for candidate, judgement in zip(candidates, every, strict=False):
        one = _chosen(district, candidate, judgement, blind.get(id(candidate.dead), {}), count)
        held = best.get(candidate.hazard)
        if one and (held is None or _worth(district, one) < _worth(district, held)):
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
    every, on_slopes = list[Moments](), list[Moments]()
    found = []
    slopes = any(DEBRIS in a.hazards for a in district.areas.values())
    if places or slopes:
        for n, one in enumerate(at_once(partial(fit, places, district), storms), 1):
            total = one.sums if total is None else total.plus(one.sums)
            every.append(one.streams)
            on_slopes.append(one.slopes)
            told(Text(f"拟合 {n}/{len(storms)}", f"fitting {n}/{len(storms)}"))
    if places and total is not None:
        for ahead in AHEAD_MIN:
            words = Text(f"雨与水位预报 {ahead} min", f"forecast from rain and level, {ahead} min")
            rows = tuple(flood_rows(places, forecast(total, ahead)))
            found.append(Candidate(FLOOD, words, rows, dead(rows)))
        found += _chances(places, joined(every))
    if slopes:
        last = {limit: fallen_row(district, limit) for limit in FALLEN}
        found += _slopes(district, last)
        found += _slope_chances(district, joined(on_slopes), last)
    return found


def _slopes(district: District, last: dict[float, RuleRow]) -> Iterator[Candidate]:
    for minutes, trend in GOES_ON:
        rows = (slope_row(district, minutes, trend),)
        for fallen, row in last.items():
            words = Text(
                f"面雨强历时，雨再下 {minutes} min，趋势 {trend}；或已降雨到曲线的 {fallen:g}",
                f"areal intensity, {minutes} min more rain, trend {trend}; or what fell at {fallen:g} "
                "of the curve",
            )
            yield Candidate(DEBRIS, words, rows, last=(row,))


def _slope_chances(
    district: District, every: Moments, last: dict[float, RuleRow]
) -> Iterator[Candidate]:
    """None without both, slopes that moved and slopes that did not."""
    if not (every.flooded.any() and every.dry.any()):
        return
    for ahead in CHANCES_MIN:
        rows = tuple(slope_chance_rows(district, slope_chances(every, ahead)))
        for fallen, row in last.items():
            words = Text(
                f"泥石流的可能性，{ahead} min 内；或已降雨到曲线的 {fallen:g}",
                f"chance of a debris flow within {ahead} min, or what fell at {fallen:g} of the curve",
            )
            yield Candidate(DEBRIS, words, rows, last=(row,))


def _chances(places: Sequence[Basin], every: Moments) -> Iterator[Candidate]:
    """None without both, places that flooded and places that did not."""
    if not (every.flooded.any() and every.dry.any()):
        return
    for ahead in CHANCES_MIN:
        rows = tuple(flood_rows(places, chances(every, ahead)))
        unseen = dead(rows)
        for high in HIGH:
            words = Text(
                f"成灾的可能性，{ahead} min 内；或水位到立即转移的 {high:g}",
                f"chance of a flood within {ahead} min, or the level at {high:g} of the order to move",
            )
            yield Candidate(FLOOD, words, rows, unseen, tuple(high_rows(places, high)))


class Fit(NamedTuple):
    """What one storm says of the forecast of the streams, of their chances and of the slopes'."""

    sums: Sums
    streams: Moments
    slopes: Moments


def fit(places: Sequence[Basin], district: District, storm: Scenario) -> Fit:
    """Of one storm."""
    found = season(district, storm)
    return Fit(sums(found, places), moments(found, places), slope_moments(found, district))


def judged(district: District, candidates: Sequence[Candidate], storm: Scenario) -> list[Judged]:
    """What each candidate's orders were worth in one storm, by threshold."""
    found = season(district, storm)
    once = dict[int, list[Seen]]()  # rows that several candidates have see the same
    return [_judged(district, c, found, once) for c in candidates]


def _judged(
    district: District, candidate: Candidate, found: Season, known: dict[int, list[Seen]]
) -> Judged:
    hazards = {r.hazard for r in candidate.rows}
    truth = [t for t in found.truth if t.hazard in hazards]
    needed = order_need(district)
    every, always = defaultdict[Key, list[Seen]](list), defaultdict[Key, list[Span]](list)
    for row in (*candidate.rows, *candidate.last):
        if id(row) not in known:
            known[id(row)] = seen(district, [row], found.record)
    for row in candidate.rows:
        for one in known[id(row)]:
            every[one.area, row.hazard].append(one)
    for row in candidate.last:
        for one in known[id(row)]:
            always[one.area, row.hazard] += spans(one, row.move or 0.0, row.clear, row.hold_min)
    out = {}
    for limit in candidate.limits:
        once = dict[int, list[Span]]()  # areas with the same stations see the same
        given: dict[Key, list[WarnedVersion]] = {}
        for key, of in every.items():
            stood = list(always.get(key, ()))
            for one in of:
                if id(one.value) not in once:
                    once[id(one.value)] = spans(one, limit, _CLEAR, HOLD_MIN)
                stood += once[id(one.value)]
            if versions := orders(stood):
                given[key] = versions
        out[limit] = score(truth, given, "move", needed).rows
    return out


def _worth(district: District, one: Tuned) -> tuple[bool, bool, float, float]:
    """In order of what a district asks for first; less is better."""
    cost, f = district.policy.orders, one.move.figures
    late = f.share(cost.lead_min) < cost.least_share
    over = max(f.far - cost.most_false, 0.0)
    return (
        late,
        f.never > cost.most_never * f.floods,
        over,
        bill(f, cost.move_cost),
    )


def _chosen(
    district: District, candidate: Candidate, judgement: Judged, unseen: Judged, count: int
) -> Tuned | None:
    """None without a flood in the storms. unseen: what the rule is worth without a level."""
    cost = district.policy.orders
    steps = curve("move", judgement)
    if not steps or not steps[0].figures.floods:
        return None
    move = cheapest(
        steps, cost.lead_min, cost.move_cost, cost.least_share, cost.most_never, cost.most_false
    )
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
        rows = [by_rain(r, _share(candidate, move, blind)) for r in rows]
    rows += [msgspec.structs.replace(r, source=source) for r in candidate.last]
    return Tuned(candidate, steps, move, prepare, rows, blind)


def _share(candidate: Candidate, move: Rung, blind: Rung | None) -> float | None:
    """As `by_rain` takes it."""
    if blind is None:
        return None
    if is_chance(candidate.rows[0]):
        return move.limit / (1 - move.limit) * (1 - blind.limit) / blind.limit
    return move.limit / blind.limit


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
            f"{f.share(cost.lead_min):.0%} (by the place's own need {f.pod:.0%}), "
            f"never {f.never}, false {f.false} (FAR {f.far:.2f}); "
            f"prepare: in time {p.share(cost.lead_min):.0%}, false {p.false} (FAR {p.far:.2f}){without}",
        )
    )


def curves(found: Sequence[Tuned], cost: OrderCost) -> Iterator[Said]:
    """Of each hazard: which rule, and its curve."""
    for one in found:
        yield one.candidate.words
        yield from curve_told(one.candidate.hazard, one.steps, one.move, one.prepare, cost)
        if one.dead is not None:
            f, lead = one.dead.figures, cost.lead_min
            yield Text(
                f"水位计一直无数，只凭雨量：在前 {lead} min {f.share(lead):.0%}，灾后 {f.after}，未令 "
                f"{f.never}，空令 {f.false}（FAR {f.far:.2f}）",
                f"level gauges never heard, by rain alone: {f.share(lead):.0%} {lead} min ahead, after "
                f"{f.after}, never {f.never}, false {f.false} (FAR {f.far:.2f})",
            )


def curve_told(
    hazard: str, steps: Sequence[Rung], move: Rung, prepare: Rung, cost: OrderCost
) -> Iterator[Said]:
    """A line for every other threshold at which an order is given to anybody, and for the chosen ones."""
    floods, lead, least = steps[0].figures.floods, cost.lead_min, f"{cost.least_share:.0%}"
    costs = f"{cost.move_cost:g} / {cost.prepare_cost:g}"
    yield Text(
        f"{HAZARD_ZH[hazard]}：成灾 {floods}；★ 立即转移 ☆ 准备转移：在前 {lead} min 下令至少 {least}，"
        f"其中取账最小者；未按该区所需时间下令一次抵 {costs} 次空令",
        f"{HAZARD_EN[hazard]}: floods {floods}; ★ move ☆ prepare: at least {least} of them {lead} min "
        f"ahead, and of those the least bill; a flood not ordered in time for its place costs {costs} "
        "false orders",
    )
    yield Text(
        f"      阈值   ≥{lead} min  够该区用  ≥0 min   灾后   未令   空令    FAR       账",
        f"  threshold  ≥{lead} min  own need  ≥0 min  after  never  false    FAR     bill",
    )
    for n, s in enumerate(steps):
        f = s.figures
        chosen = ("★" if s == move else "") + ("☆" if s == prepare else "")
        if not chosen and (n % _EACH or not f.leads_min):
            continue
        yield (
            f"{chosen:2}  {s.limit:7.2f}  {f.share(lead):7.0%}  {f.pod:8.0%}  {f.share(0):6.0%}  {f.after:5}  "
            f"{f.never:5}  {f.false:5}   {f.far:4.2f}  {bill(f, cost.move_cost):7.0f}"
        )
