"""Several hazards of one place in one message: who leads, what is named, what else is to be done. Pure.

The highest order, or else the highest colour, leads: its advice, way and shelter are said whole, its
order once. Of every other hazard in force the message has the name, the colour and its row `keep`:
where not to go. So no message says less than what is in force in its place, and no advice stands
against another. It ends when the first of them runs out, for then something is said again.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from config.records.district import Area
from config.records.level import (
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    Action,
    colour_en,
    colour_zh,
    order_en,
    order_zh,
    orders_zh,
)
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.headline import DRILL, ordered_en, ordered_zh, place_of, upper


class Together(NamedTuple):
    """force: what is in force, the highest first. ended: what is over now. was: the highest order
    that its reader was told before."""

    area: Area
    force: tuple[Alert, ...]
    ended: tuple[Alert, ...]
    was: Action
    numbers: bool = False  # colours with the number of their level, where it is written

    @property
    def grade(self) -> Grade:
        found = Grade()
        for a in self.force:
            found |= Grade(a.level, a.action)
        return found

    @property
    def lead(self) -> Alert:
        return (*self.force, *self.ended)[0]

    @property
    def others(self) -> tuple[Alert, ...]:
        return self.force[1:]

    @property
    def expires_at(self) -> int:
        return min(a.expires_at for a in (self.force or self.ended))


def together(
    area: Area, alert: Alert, beside: Sequence[Alert], was: Action, numbers: bool = False
) -> Together:
    """alert: what the message is sent for. was: the highest order that its reader was told of it."""
    those = sorted((alert, *beside), key=lambda a: (-a.action, -a.level, a.hazard))
    force = tuple(a for a in those if a.msg_type != "cancel")
    before = max(was, max((a.action for a in force if a is not alert), default=Action.NONE))
    ended = tuple(a for a in those if a.msg_type == "cancel")
    return Together(area, force, ended, before, numbers)


def said_zh(t: Together) -> str:
    """香屯村泥石流红色、山洪橙色预警；转移指令：立即转移；河道洪水预警解除."""
    place = place_of(t.area, "zh")
    if not t.force:
        return f"{place}{_ended_zh(t)}"
    order = _order_zh(t)
    lapsed = f"；{_ended_zh(t)}" if t.ended else ""
    mark = "；" if t.grade.level else "，"
    return f"{place}{_named_zh(t.force, t.numbers)}{f'{mark}{order}' if order else ''}{lapsed}"


def _named_zh(those: Sequence[Alert], numbers: bool = False) -> str:
    names = "、".join(HAZARD_ZH[a.hazard] + colour_zh(a.level, numbers=numbers) for a in those)
    return f"{names}{'预警' if any(a.level for a in those) else orders_zh(those[0].hazard)}"


def _ended_zh(t: Together) -> str:
    names = "、".join(HAZARD_ZH[a.hazard] for a in t.ended)
    lapsed = all(a.state == "expired" for a in t.ended)
    return f"{names}预警{'到期失效' if lapsed else '解除'}"


def _order_zh(t: Together) -> str:
    """The highest order once, or that an order is over."""
    lead = t.lead
    order = order_zh(lead.hazard, t.grade.action) if t.grade.action else ""
    if t.was > t.grade.action:
        orders = orders_zh(lead.hazard)
        return f"{orders}调整为{order}" if order else f"{orders}解除"
    return ordered_zh(lead.hazard, order) if order and t.grade.level else order


def said_aloud(t: Together) -> str:
    """As the loudspeaker says it, with pauses."""
    place = f"{t.area.township}{t.area.name}"
    spoken = _order_zh(t).replace(ordered_zh(t.lead.hazard, ""), "指令：")
    over = f"{_ended_zh(t)}。" if t.ended else ""
    if not t.force:
        return f"{place}，{over}"
    order = spoken
    mark = "！" if order and t.was <= t.grade.action else "。"
    comma = "。" if t.grade.level else "，"
    return f"{place}，{_named_zh(t.force)}{f'{comma}{order}' if order else ''}{mark}{over}"


def said_en(t: Together, short: int = 0) -> str:
    """Debris flow RED, flash flood ORANGE, MOVE NOW: Xiangtun. River flood warning lifted. short: 1
    without the township, 2 for an SMS without room: of the colours the highest, or the order alone."""
    place = t.area.name_en if short else place_of(t.area, "en")
    if not t.force:
        return f"{_ended_en(t)}: {place}"
    order = order_en(t.lead.hazard, t.grade.action).upper() if t.grade.action else ""
    named = ", ".join(
        HAZARD_EN[a.hazard]
        + (f" {_colour_en(t, a, short)}" if a.level and _coloured(t, a, short, order) else "")
        for a in t.force
    )
    if t.was > t.grade.action:
        order = f"now {order}" if order else "order to move lifted"
    over = f". {_ended_en(t)}" if t.ended else ""
    if order and t.grade.level and short < 2:
        return f"{upper(named)} warning; {ordered_en(order)}: {place}{over}"
    return f"{upper(named)}{f', {order}' if order else ''}: {place}{over}"


def _colour_en(t: Together, a: Alert, short: int) -> str:
    colour = LEVEL_EN[a.level]
    written = colour_en(a.level, numbers=t.numbers and not short)
    return written.replace(colour, colour.upper())


def _coloured(t: Together, a: Alert, short: int, order: str) -> bool:
    return short < 2 or (a.level == t.grade.level and not order)


def _ended_en(t: Together) -> str:
    names = ", ".join(HAZARD_EN[a.hazard] for a in t.ended)
    lapsed = all(a.state == "expired" for a in t.ended)
    return f"{upper(names)} warning {'lapsed' if lapsed else 'lifted'}"


def title_of(t: Together, lang: str) -> str:
    """One line above the text."""
    lead, place = t.lead, place_of(t.area, lang)
    drill = DRILL.get((lead.status, lang), "")
    if lang == "zh":
        order = order_zh(lead.hazard, t.grade.action) if t.grade.action else ""
        if order:
            order = f"；{ordered_zh(lead.hazard, order)}" if t.grade.level else f" {order}"
        return f"{drill}{place}{_named_zh(t.force, t.numbers) if t.force else _ended_zh(t)}{order}"
    if not t.force:
        return f"{drill}{_ended_en(t)}, {place}"
    names = ", ".join(
        f"{HAZARD_EN[a.hazard]} {colour_en(a.level, numbers=t.numbers)}" if a.level else HAZARD_EN[a.hazard]
        for a in t.force
    )
    order = order_en(lead.hazard, t.grade.action) if t.grade.action else ""
    if order:
        order = f"; {ordered_en(order)}" if t.grade.level else f", {order}"
    return f"{drill}{upper(names)} warning{order}, {place}"


def keeps(t: Together, advice: dict[str, Any], rows: str) -> list[str]:
    """Where not to go because of the others. rows: zh, en or speak."""
    return list(dict.fromkeys(advice[a.hazard][rows]["keep"] for a in t.others))
