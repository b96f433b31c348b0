"""The curve of lead against false orders as lines, for the person who signs. Pure."""

from collections.abc import Iterator, Sequence

from config.language import Said, Text
from config.records.authority import OrderCost
from config.records.level import HAZARD_EN, HAZARD_ZH
from fengsui.play.order_tuning import Tuned
from skill.verify.order_curve import Rung, bill

_EACH = 2  # steps that lie between two lines, where nothing is chosen


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
        f"其中取账最小者；未在前下令一次抵 {costs} 次空令",
        f"{HAZARD_EN[hazard]}: floods {floods}; ★ move ☆ prepare: at least {least} of them {lead} min "
        f"ahead, and of those the least bill; a flood without it costs {costs} false orders",
    )
    yield Text(
        f"      阈值   ≥{lead} min   ≥0 min   灾后   未令   空令    FAR       账",
        f"  threshold  ≥{lead} min   ≥0 min  after  never  false    FAR     bill",
    )
    for n, s in enumerate(steps):
        f = s.figures
        chosen = ("★" if s == move else "") + ("☆" if s == prepare else "")
        if not chosen and (n % _EACH or not f.leads_min):
            continue
        yield (
            f"{chosen:2}  {s.limit:7.2f}  {f.share(lead):7.0%}  {f.share(0):7.0%}  {f.after:5}  "
            f"{f.never:5}  {f.false:5}   {f.far:4.2f}  {bill(f, lead, cost.move_cost):7.0f}"
        )
