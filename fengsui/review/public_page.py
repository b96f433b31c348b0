"""`fengsui skill --public`: one page of tests whose protocols were fixed before, failed ones first."""

from collections.abc import Sequence
from datetime import datetime

from config.language import Language, Text
from fengsui.review.paper import render
from skill.public.trial import VERDICTS, Goal, Measured, TrialResult
from skill.verify.orders import OrderFigures

# what the order to move is held to, and when that was written down: the share of floods that it came
# before by so long, of orders that were false, and of floods without any
_LEAD_MIN, _EARLY, _FALSE, _NEVER = 20, 0.70, 0.40, 0.03
ORDER_GOALS_FIXED = "2026-11-24"
VERDICT = {
    "failed": Text("未达到", "not reached"),
    "broken": Text("没能做完", "broken off"),
    "reached": Text("达到", "reached"),
    "absent": Text("没有资料，未做", "no data, not done"),
}
_FIGURE: dict[str, Text] = {
    "csi": Text("CSI", "CSI"),
    "auc": Text("AUC", "AUC"),
    "pod": Text("命中率", "POD"),
    "hits": Text("命中", "hits"),
    "best": Text("最好的简单规则之 CSI", "CSI of the best simple rule"),
}


def ordered(results: Sequence[TrialResult]) -> list[TrialResult]:
    """What failed first; within that as the protocols stand."""
    return sorted(results, key=lambda r: VERDICTS.index(r.verdict))


def public_page(
    results: Sequence[TrialResult],
    orders: OrderFigures | None,
    storms: int,
    digest: str,
    version: str,
    made: datetime,
    language: Language,
) -> str:
    """The page as HTML, in one language, to print. orders: of so many simulated storms, or None where
    none was played; digest: of the file of protocols; version: of the district's configuration."""
    return render(
        "public.html.j2",
        language,
        results=ordered(results),
        counts={v: sum(r.verdict == v for r in results) for v in VERDICTS},
        orders=orders,
        order_goals=_order_goals(orders) if orders else [],
        order_goals_fixed=ORDER_GOALS_FIXED,
        storms=storms,
        digest=digest,
        version=version,
        made=made,
        verdict=VERDICT,
        goal=goal_words,
        counted=counts_words,
    )


def goal_words(g: Goal) -> Text:
    """CSI 0.49，应 ≥ 0.45 / CSI 0.49, at least 0.45."""
    name = _FIGURE[g.figure]
    if g.figure == "best":
        return Text(
            f"不低于{name.zh}（{_ratio(g.least, 3)}）：{_ratio(g.reached, 3)}",
            f"not below the {name.en} ({_ratio(g.least, 3)}): {_ratio(g.reached, 3)}",
        )
    return Text(
        f"{name.zh} 应不低于 {g.least:g}：{_ratio(g.reached)}",
        f"{name.en} at least {g.least:g}: {_ratio(g.reached)}",
    )


def counts_words(m: Measured) -> Text:
    """Counts first: with few events a ratio alone misleads."""
    low_high = m.csi_interval
    between = f" ({low_high[0]:.2f} … {low_high[1]:.2f})" if low_high else ""
    auc = "" if m.auc is None else f", AUC {m.auc:.2f}"
    return Text(
        f"命中 {m.hits}，漏报 {m.misses}，空报 {m.false_alarms}；CSI {_ratio(m.csi)}{between}"
        + auc.replace(", ", "，"),
        f"{m.hits} hits, {m.misses} misses, {m.false_alarms} false; CSI {_ratio(m.csi)}{between}{auc}",
    )


def _order_goals(f: OrderFigures) -> list[tuple[Text, bool]]:
    """The goals of the order to move in words, and whether each is reached."""
    many = max(f.floods, 1)
    share = f.share(_LEAD_MIN)
    return [
        (
            Text(
                f"立即转移在成灾前至少 {_LEAD_MIN} 分钟：应占 {_EARLY:.0%}，实为 {share:.0%}",
                f"order to move at least {_LEAD_MIN} minutes before the flood: {share:.0%}, "
                f"must be {_EARLY:.0%}",
            ),
            share >= _EARLY,
        ),
        (
            Text(
                f"空令：应不超过 {_FALSE:.0%}，实为 {f.far:.0%}（{f.false} 次）",
                f"false orders: {f.far:.0%} ({f.false}), at most {_FALSE:.0%}",
            ),
            f.far <= _FALSE,
        ),
        (
            Text(
                f"从未下令：应不超过 {_NEVER:.0%}，实为 {f.never / many:.0%}（{f.never} 处）",
                f"never ordered: {f.never / many:.0%} ({f.never}), at most {_NEVER:.0%}",
            ),
            f.never / many <= _NEVER,
        ),
    ]


def _ratio(x: float | None, digits: int = 2) -> str:
    return "–" if x is None else str(x) if isinstance(x, int) else f"{x:.{digits}f}"
