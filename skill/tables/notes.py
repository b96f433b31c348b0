"""What a one-row-a-storm table does not support, and where it differs from what a rule was made of."""

from collections.abc import Mapping

import numpy as np

from config.language import Said, Text
from skill.tables.fit import Sample, usable
from skill.tables.rows.read import Storms
from skill.tables.rules import TableRules
from skill.tables.table import Climate

_FEW = 10  # events below which a percentage says little


def unsupported(storms: Storms, s: Sample, group: str | None) -> list[Said]:
    """What the table does not support."""
    notes: list[Said] = []
    events = int(storms.yes.sum())
    if events < _FEW:
        notes.append(
            Text(
                f"仅 {events} 次事件，看次数与区间，勿看百分比",
                f"only {events} events: read counts and intervals, no percentage",
            )
        )
    for name, fine in zip(s.names, usable(s), strict=True):
        if not fine:
            notes.append(
                Text(f"{name} 无值或为常数，未用", f"{name} has no values or is constant: not used")
            )
    if not group:
        notes.append(
            Text(
                "未给 --group：同场火、同站的行相互关联，交叉验证偏乐观",
                "without --group rows that share weather stand on both sides: the cross-validation "
                "flatters",
            )
        )
        return notes
    one = [g for g in sorted(set(storms.group)) if _one_class(storms, g)]
    if one:
        some = ", ".join(one[:12]) + (" …" if len(one) > 12 else "")
        notes.append(
            Text(
                f"{len(one)} 组只有一种结果：{some}",
                f"{len(one)} groups with one outcome only: {some}",
            )
        )
    largest = np.bincount(s.group, weights=s.yes).max() / events
    if largest > 0.5:
        notes.append(
            Text(
                f"一组占 {largest:.0%} 的事件，留出它等于换一个地方",
                f"one group holds {largest:.0%} of the events: leaving it out is to move to another "
                "place",
            )
        )
    return notes


def place_notes(by: Mapping[str, float], at: Climate) -> list[Said]:
    """Where a rule is moved to, and how much stronger the storms are there."""
    if not at.whole.storms:
        return [
            Text(
                "规则文件没有率定地区的暴雨，未作换算",
                "the rules know no climate: rain is taken as it is",
            )
        ]
    notes: list[Said] = []
    for region, ratio in by.items():
        if region in at.regions and region:
            continue
        name = region or Text("本表", "this table")
        notes.append(
            name
            + Text(
                f"：率定时未见此地区，峰值雨强除以 {ratio:.2f}（两地暴雨之比）",
                f": a region that the rule has not seen: its peaks are divided by {ratio:.2f}, by "
                "how much its storms are stronger",
            )
        )
    return notes


def _one_class(storms: Storms, group: str) -> bool:
    yes = [y for y, g in zip(storms.yes, storms.group, strict=True) if g == group]
    return all(yes) or not any(yes)


def strange(file: TableRules, storms: Storms) -> list[Said]:
    """Where a table differs from what the rule was made of."""
    notes: list[Said] = []
    names = {t.quantity for t in file.term}
    for t in file.term:
        if t.quantity not in storms.quantities and t.weight:
            notes.append(
                Text(
                    f"{t.quantity}：本表没有，由其余的量推得",
                    f"{t.quantity}: this table lacks it: inferred from the others",
                )
            )
    if unknown := [q for q in storms.quantities if q not in names]:
        known = Text("规则不知，未用：", "not known to the rule, not used: ")
        notes.append(known + ", ".join(unknown))
    for k, name in enumerate(storms.quantities):
        if name not in names:
            continue
        t = next(t for t in file.term if t.quantity == name)
        x = storms.value[:, k]
        outside = int(((x < t.lowest) | (x > t.highest)).sum())
        if outside and t.weight:
            between = f"{t.lowest:g} … {t.highest:g} {t.unit}"
            notes.append(
                Text(
                    f"{name}：{outside} 行越出率定范围 {between}：外推",
                    f"{name}: {outside} rows lie outside the range it was tuned on, {between}: "
                    "extrapolated",
                )
            )
    return notes
