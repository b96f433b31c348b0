"""Many simulated storms through detect and decide in memory, scored against their own truth."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from config.language import Text
from config.records.district import District
from config.records.level import Action
from detectors.setup.declared import OWN
from dispatch.records import Alert
from fengsui.play.at_once import at_once
from fengsui.play.in_memory import Inline
from fengsui.play.order_chance import NOTHING_STATED, Stated, said_chances, told_chances
from fengsui.play.season import Seen, orders, season, seen, spans
from fengsui.run.order_need import order_need
from simulators.scenario import Scenario, storm_set
from simulators.world import World
from skill.verify.foresight import Foreseen, least
from skill.verify.orders import LEADS_MIN, TIERS, OrderFigures, order_figures, worst_first
from skill.verify.rain_table import shares
from skill.verify.storms import Key, StormRow, StormScore, Tier, score, warned
from stream.records import Run

TIER_ZH: dict[Tier, str] = {"move": "立即转移", "prepare": "准备转移及以上", "warned": "橙色或指令"}
TIER_EN: dict[Tier, str] = {
    "move": "order to move",
    "prepare": "order to prepare or to move",
    "warned": "orange or an order",
}
_ORDERS: tuple[tuple[Tier, Action], ...] = (("move", Action.MOVE), ("prepare", Action.PREPARE))


def stepped(district: District, scenario: Scenario) -> tuple[World, list[Alert]]:
    """One storm through detect and decide, and an hour more: its world, and what was warned."""
    world = World(district, scenario)
    run = Run(
        name="exercise-score",
        kind="exercise",
        district=district.id,
        config=district.version,
        start_at=scenario.start_at,
        seed=world.seed,
        scenario=scenario.name,
    )
    inline = Inline(district, run)
    for minute in range(world.minutes + 60):
        inline.slot(world.observations(minute), world.at(minute))
    return world, inline.alerts


class StormResult(NamedTuple):
    """One storm: what each tier of warning was worth in it, what came of the chances that were said, and
    what could be foreseen of its places."""

    storm: Scenario
    scores: dict[Tier, StormScore]
    said: Stated = NOTHING_STATED
    foreseen: Sequence[Foreseen] = ()


def play_one(district: District, scenario: Scenario) -> StormResult:
    """One storm, stepped in memory."""
    world, alerts = stepped(district, scenario)
    versions = warned(alerts)
    needed = order_need(district)
    scores = {
        "move": score(world.truth, versions, "move", needed),
        "prepare": score(world.truth, versions, "prepare", needed),
        "warned": score(world.truth, versions),
    }
    return StormResult(scenario, {t: scores[t] for t in TIERS})


def judge_one(district: District, scenario: Scenario) -> StormResult:
    """One storm as the declared rules that order see it, slot by slot, and the table of rain sums, minute by
    minute: what `season` leaves out is left out."""
    found, needed = season(district, scenario), order_need(district)
    scores: dict[Tier, StormScore] = {}
    for tier, action in _ORDERS:
        stood = defaultdict[Key, list[tuple[int, int]]](list)
        for row in district.rules.rule:
            limit = row.move if tier == "move" else row.prepare
            if limit is None or row.kind in OWN or not row.speaks or row.quantity == "frame":
                continue
            for one in seen(district, [row], found.record):
                stood[one.area, row.hazard] += spans(one, limit, row.clear, row.hold_min)
        at, share = shares(district, found.record, action)
        form = district.rules.rain
        for key, value in share.items() if "rain_threshold" in district.rules.run else ():
            one = Seen(key[0], at, value)
            stood[key] += spans(one, 1.0, form.clear_factor, form.hold_min)
        given = {key: orders(some, action) for key, some in stood.items() if some}
        scores[tier] = score(found.truth, given, tier, needed)
    chances = said_chances(district, found, scenario.seed)
    return StormResult(scenario, scores, chances, found.foreseen)


def score_all(
    district: District, count: int, first: int = 0, *, rules_only: bool = False
) -> Iterator[Text]:
    """The order to move first, then the order to prepare and any warning; then each storm, and in it
    the floods that no order to move came before in time, the worst first. first: of `storm_set`;
    rules_only: as `judge_one` sees them."""
    one = judge_one if rules_only else play_one
    results = list(at_once(partial(one, district), storm_set(count, first)))
    floods = sum(r.scores["move"].hits + r.scores["move"].misses for r in results)
    yield Text(f"场次 {count}  成灾 {floods}", f"storms {count}  floods {floods}")
    for tier in (t for t in TIERS if all(t in r.scores for r in results)):
        yield from _tier(order_figures(tier, (x for r in results for x in r.scores[tier].rows)))
    yield from told_chances([r.said for r in results])
    if rules_only and floods:
        yield _at_best([x for r in results for x in r.foreseen], district.policy.orders.most_never)
    for r in results:
        moved = r.scores["move"]
        storm, faults = f"  {r.storm.name:14} seed {r.storm.seed}", len(r.storm.faults)
        yield Text(
            f"{storm}  {TIER_ZH['move']}: 及时 {moved.hits:3}  未及时 {moved.misses:3}"
            f"  空令 {moved.false_alarms:3}  故障 {faults}",
            f"{storm}  {TIER_EN['move']}: in time {moved.hits:3}  not in time {moved.misses:3}"
            f"  false {moved.false_alarms:3}  faults {faults}",
        )
        for x in worst_first(moved.rows):
            yield f"      {x.area} {x.hazard}: " + _fate(x)


def played(district: District, storms: list[Scenario]) -> list[StormResult]:
    """In the order given; on as many cores as there are."""
    return list(at_once(partial(play_one, district), storms))


def _at_best(every: Sequence[Foreseen], most_never: float) -> Text:
    best = least(every, most_never)
    return Text(
        f"若预知每条溪的最高水位和每面坡的最大雨（仍不知各村的岸高和坡）：未令不超过 {most_never:.0%} 时，"
        f"空令最少 {best.false}（FAR {best.far:.2f}）",
        "to one who foresees the highest water of every stream and the worst rain of every slope (and no "
        f"village's own banks or slope): with at most {most_never:.0%} never ordered, at least {best.false} "
        f"false (FAR {best.far:.2f})",
    )


def _tier(f: OrderFigures) -> Iterator[Text]:
    """What an order (or any warning) was worth: every flood by its fate, and the curve of leads."""
    need = Text("10 min", "10 min")
    if f.tier != "warned":
        need = Text("各区所需时间", "the place's own need")
    yield Text(
        f"{TIER_ZH[f.tier]}: 未令 {f.never}  灾后 {f.after}  太短 {f.short}  及时 {f.in_time}"
        f"（{need.zh}）  空令 {f.false}",
        f"{TIER_EN[f.tier]}: never {f.never}  after the flood {f.after}  too short {f.short}"
        f"  in time {f.in_time} ({need.en})  false {f.false}",
    )
    if not f.floods:
        return
    csi = f.in_time / (f.floods + f.false)
    ratios = f"  POD {f.pod:.2f}  FAR {f.far:.2f}  CSI {csi:.2f}"
    yield Text(ratios, ratios)
    if f.leads_min:
        least, most = f.leads_min[0], f.leads_min[-1]
        middle = f.leads_min[len(f.leads_min) // 2]
        yield Text(
            f"  提前量（分钟）：最短 {least:.0f}，中位 {middle:.0f}，最长 {most:.0f}",
            f"  lead min: shortest {least:.0f}, median {middle:.0f}, longest {most:.0f}",
        )
    curve = "  ".join(f"≥{m} {f.share(m):.0%}" for m in LEADS_MIN)
    yield Text(f"  成灾前至少几分钟：{curve}", f"  at least so many min before the flood: {curve}")


def _fate(x: StormRow) -> Text:
    if x.warned_at is None or x.flooded_at is None:
        return Text("未令", "never ordered")
    lead = (x.flooded_at - x.warned_at) // 60_000
    if lead < 0:
        return Text(f"灾后 {-lead} min", f"after the flood: {-lead} min")
    need = x.need_s // 60
    return Text(f"提前 {lead} min，需 {need} min", f"lead {lead} min, needs {need} min")
