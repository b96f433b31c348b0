"""What is in force, in one line: the title of a warning, and how it differs from what was.

A colour is the forecast's, an order the county's: where both stand in one line each is named for what it
is, 黄色预警；转移指令：立即转移. numbers: colours with the number of their level.
"""

from config.records.district import Area
from config.records.level import (
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    colour_en,
    colour_zh,
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


def ordered_zh(hazard: str, order: str) -> str:
    """转移指令：立即转移: an order beside a colour."""
    return f"{orders_zh(hazard)}：{order}"


def ordered_en(order: str) -> str:
    """by order MOVE NOW: the same in English; order to move lifted stays as it is."""
    return order if order.startswith("order ") else f"by order {order}"


def two_things(hazard: str, grade: Grade, lang: str) -> str:
    """That colour and order are two things, where a message has both; else nothing."""
    if not (grade.level and grade.action):
        return ""
    if lang == "zh":
        return f"颜色是预警等级，{orders_zh(hazard)}由本地下达，请按指令行动"
    return "The colour is the warning's level, the order is the district's own: follow the order"


def title(
    area: Area, a: Alert, lang: str, *, notice: bool, numbers: bool = False
) -> str:
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
        colour = colour_zh(grade.level, numbers=numbers)
        order = order_zh(a.hazard, grade.action) if grade.action else ""
        if order:
            order = f"；{ordered_zh(a.hazard, order)}" if colour else f" {order}"
        inner = "内部" if notice else ""
        end = "预警解除" if over else f"{colour}预警{order}"
        return f"{drill}{place}{inner}{HAZARD_ZH[a.hazard]}{end}"
    colour = f" {colour_en(grade.level, numbers=numbers)}" if grade.level else ""
    order = order_en(a.hazard, grade.action) if grade.action else ""
    if order:
        order = f"; {ordered_en(order)}" if colour else f", {order}"
    inner = " (internal)" if notice else ""
    end = " warning lifted" if over else f"{colour} warning{order}"
    return f"{drill}{upper(HAZARD_EN[a.hazard])}{end}{inner}, {place}"


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def place_of(area: Area, lang: str) -> str:
    return f"{area.township}{area.name}" if lang == "zh" else f"{area.name_en}, {area.township_en}"


def head_zh(area: Area, a: Alert, was: Grade, force: Grade, numbers: bool = False) -> str:
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
    elif order:
        order = ordered_zh(a.hazard, order)
    colour = colour_zh(force.level, numbers=numbers)
    if not force.level:
        return f"{place}{hazard}，{order}"
    if force.level == was.level:
        told = f"{place}{hazard}{colour}预警继续有效"
    elif not was.level:
        told = f"{place}{hazard}{colour}预警"
    else:
        told = f"{place}{hazard}预警{'升级' if force.level > was.level else '降级'}：{colour}"
    return f"{told}；{order}" if order else told


def head_en(
    area: Area, a: Alert, was: Grade, force: Grade, short: bool, numbers: bool = False
) -> str:
    hazard = upper(HAZARD_EN[a.hazard])
    place = area.name_en if short else place_of(area, "en")
    if a.msg_type == "cancel":
        return f"{hazard} warning {'lapsed' if a.state == 'expired' else 'lifted'}: {place}"
    colour = LEVEL_EN[force.level].upper() if force.level else ""
    if numbers and colour:
        colour = colour_en(force.level, numbers=True).replace(LEVEL_EN[force.level], colour)
    order = order_en(a.hazard, force.action).upper() if force.action else ""
    if was.action > force.action:
        order = f"now {order}" if order else "order to move lifted"
    turned = ""
    if was.level and force.level:
        turned = (" lowered to", " still", " raised to")[
            (force.level > was.level) - (force.level < was.level) + 1
        ]
    if colour and order:
        turned = "" if short else turned
        return f"{hazard} warning{turned} {colour}; {ordered_en(order)}: {place}"
    return f"{hazard}{turned} {colour or order}: {place}"


def head_spoken(area: Area, a: Alert, was: Grade, force: Grade) -> str:
    """As the loudspeaker says it: place, hazard, colour, order, with pauses."""
    hazard, place = HAZARD_ZH[a.hazard], f"{area.township}{area.name}"
    if a.msg_type == "cancel":
        ended = "已到期失效" if a.state == "expired" else "已解除"
        return f"{place}，{hazard}预警{ended}。"
    order = order_zh(a.hazard, force.action) if force.action else ""
    if not force.level:
        order = f"，{order}！" if order else "。"
        return f"{place}，{hazard}{orders_zh(a.hazard)}{order}"
    order = f"。指令：{order}！" if order else "。"
    colour = LEVEL_ZH[force.level]
    if not was.level:
        return f"{place}，{hazard}{colour}预警{order}"
    turned = ("降为", "仍为", "升级为")[(force.level > was.level) - (force.level < was.level) + 1]
    return f"{place}，{hazard}预警{turned}{colour}{order}"
