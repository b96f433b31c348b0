"""What is in force, in one line: the title of a warning, and how it differs from what was."""

from config.records.district import Area
from config.records.level import (
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    order_en,
    order_zh,
    orders_zh,
)
from dispatch.grade import Grade
from dispatch.records import Alert

DRILL = {
    ("exercise", "zh"): "（演练）",
    ("exercise", "en"): "EXERCISE. ",
    ("test", "zh"): "（测试）",
    ("test", "en"): "TEST. ",
}


def title(area: Area, a: Alert, lang: str, *, notice: bool) -> str:
    """One line above the text. notice: of an internal one, which is about what the evidence asks
    for."""
    over, drill, place = (
        a.msg_type == "cancel",
        DRILL.get((a.status, lang), ""),
        place_of(area, lang),
    )
    grade = Grade(a.level, a.action)
    if notice:
        grade = Grade(a.proposed_level, a.proposed_action) | grade
    if lang == "zh":
        colour = LEVEL_ZH[grade.level] if grade.level else ""
        order = f" {order_zh(a.hazard, grade.action)}" if grade.action else ""
        inner = "内部" if notice else ""
        end = "预警解除" if over else f"{colour}预警{order}"
        return f"{drill}{place}{inner}{HAZARD_ZH[a.hazard]}{end}"
    colour = f" {LEVEL_EN[grade.level]}" if grade.level else ""
    order = f", {order_en(a.hazard, grade.action)}" if grade.action else ""
    inner = " (internal)" if notice else ""
    end = " warning lifted" if over else f"{colour} warning{order}"
    return f"{drill}{upper(HAZARD_EN[a.hazard])}{end}{inner}, {place}"


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def place_of(area: Area, lang: str) -> str:
    return f"{area.township}{area.name}" if lang == "zh" else f"{area.name_en}, {area.township_en}"


def head_zh(area: Area, a: Alert, was: Grade, force: Grade) -> str:
    """What is in force, and how it differs from what was."""
    hazard, place = HAZARD_ZH[a.hazard], place_of(area, "zh")
    if a.msg_type == "cancel":
        return f"{place}{hazard}预警" + ("到期失效" if a.state == "expired" else "解除")
    order = order_zh(a.hazard, force.action) if force.action else ""
    orders = orders_zh(a.hazard)
    if was.action > force.action:
        order = f"{orders}调整为{order}" if order else f"{orders}解除"
    elif not force.level:
        return f"{place}{hazard}{orders}：{order}"
    colour = LEVEL_ZH[force.level]
    if not force.level:
        told = f"{place}{hazard}"
    elif force.level == was.level:
        told = f"{place}{hazard}{colour}预警继续有效"
    elif not was.level:
        told = f"{place}{hazard}{colour}预警"
    else:
        told = f"{place}{hazard}预警{'升级' if force.level > was.level else '降级'}：{colour}"
    return f"{told}，{order}" if order else told


def head_en(area: Area, a: Alert, was: Grade, force: Grade, short: bool) -> str:
    hazard = upper(HAZARD_EN[a.hazard])
    place = area.name_en if short else place_of(area, "en")
    if a.msg_type == "cancel":
        return f"{hazard} warning {'lapsed' if a.state == 'expired' else 'lifted'}: {place}"
    colour = LEVEL_EN[force.level].upper() if force.level else ""
    order = order_en(a.hazard, force.action).upper() if force.action else ""
    if was.action > force.action:
        order = f"now {order}" if order else "order to move lifted"
    turned = ""
    if was.level and force.level:
        turned = (" lowered to", " still", " raised to")[
            (force.level > was.level) - (force.level < was.level) + 1
        ]
    what = ", ".join(w for w in (colour, order) if w)
    return f"{hazard}{turned} {what}: {place}"


def head_spoken(area: Area, a: Alert, was: Grade, force: Grade) -> str:
    """As the loudspeaker says it: place, hazard, colour, order, with pauses."""
    hazard, place = HAZARD_ZH[a.hazard], f"{area.township}{area.name}"
    if a.msg_type == "cancel":
        ended = "已到期失效" if a.state == "expired" else "已解除"
        return f"{place}，{hazard}预警{ended}。"
    order = f"，{order_zh(a.hazard, force.action)}！" if force.action else "。"
    if not force.level:
        return f"{place}，{hazard}{orders_zh(a.hazard)}{order}"
    colour = LEVEL_ZH[force.level]
    if not was.level:
        return f"{place}，{hazard}{colour}预警{order}"
    turned = ("降为", "仍为", "升级为")[(force.level > was.level) - (force.level < was.level) + 1]
    return f"{place}，{hazard}预警{turned}{colour}{order}"
