"""The levels and actions of a warning, the hazards, and the words a person reads for them.

Level (public colour, 预警等级) and action (village order, 转移指令) are two scales: a colour is a
statement to the public, an action is an order to a village and never waits for a colour.
Colours and their order: 国家突发公共事件总体应急预案 (Ⅳ–Ⅰ级, 蓝黄橙红). Actions 准备转移 and
立即转移: 山洪灾害防御预案编制导则 (SL/T 666).
"""

from collections.abc import Iterable
from enum import IntEnum

from config.language import Text


class Level(IntEnum):
    """Public warning level. The numbers are internal and are never shown to a person."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


class Action(IntEnum):
    """Order to a village."""

    NONE = 0
    PREPARE = 1
    MOVE = 2


LEVEL_ZH = {
    Level.NONE: "无",
    Level.BLUE: "蓝色",
    Level.YELLOW: "黄色",
    Level.ORANGE: "橙色",
    Level.RED: "红色",
}
LEVEL_EN = {
    Level.NONE: "none",
    Level.BLUE: "blue",
    Level.YELLOW: "yellow",
    Level.ORANGE: "orange",
    Level.RED: "red",
}
# the numbers of the levels (国家突发公共事件总体应急预案)
NUMBER_ZH = {Level.BLUE: "Ⅳ", Level.YELLOW: "Ⅲ", Level.ORANGE: "Ⅱ", Level.RED: "Ⅰ"}
NUMBER_EN = {Level.BLUE: "IV", Level.YELLOW: "III", Level.ORANGE: "II", Level.RED: "I"}


def colour_zh(level: Level, *, numbers: bool = False) -> str:
    """蓝色, or with its number 蓝色（Ⅳ级）; nothing for none."""
    if not level:
        return ""
    return LEVEL_ZH[level] + (f"（{NUMBER_ZH[level]}级）" if numbers else "")


def colour_en(level: Level, *, numbers: bool = False) -> str:
    """blue, or with its number blue (level IV); nothing for none."""
    if not level:
        return ""
    return LEVEL_EN[level] + (f" (level {NUMBER_EN[level]})" if numbers else "")


ACTION_ZH = {Action.NONE: "无", Action.PREPARE: "准备转移", Action.MOVE: "立即转移"}
ACTION_EN = {Action.NONE: "none", Action.PREPARE: "prepare to move", Action.MOVE: "move now"}

# where an order is not 转移: vehicles withdraw (撤离), a crowd disperses (疏散) and is never told to run
_ORDER_ZH = {
    "traffic": {Action.PREPARE: "准备撤离", Action.MOVE: "立即撤离"},
    "crowd": {Action.PREPARE: "准备疏散", Action.MOVE: "有序疏散"},
}
_ORDER_EN = {
    "traffic": {Action.PREPARE: "prepare to leave", Action.MOVE: "leave now"},
    "crowd": {Action.PREPARE: "prepare to leave", Action.MOVE: "leave calmly"},
}
_ORDERS_ZH = {"traffic": "撤离指令", "crowd": "疏散指令"}


def order_zh(hazard: str, action: Action) -> str:
    """What an order is called when it is about this hazard: 立即转移, 立即撤离, 有序疏散."""
    return _ORDER_ZH.get(hazard, {}).get(action) or ACTION_ZH[action]


def order_en(hazard: str, action: Action) -> str:
    """The same in English: move now, leave now, leave calmly."""
    return _ORDER_EN.get(hazard, {}).get(action) or ACTION_EN[action]


def orders_zh(hazard: str) -> str:
    """What such orders are called: 转移指令, 撤离指令, 疏散指令."""
    return _ORDERS_ZH.get(hazard, "转移指令")


# the natural ones, then those of the district's other plans (危险化学品, 道路交通, 人员密集场所, 森林
# 火灾, 城市内涝), which are monitored by config alone
HAZARD_ZH = {
    "flash_flood": "山洪",
    "debris_flow": "泥石流",
    "river_flood": "河道洪水",
    "dam_break": "堰塞湖溃决",
    "reservoir_release": "水库泄洪",
    "urban_flood": "城市内涝",
    "forest_fire": "森林火灾",
    "chemical": "危险化学品泄漏",
    "traffic": "道路交通",
    "crowd": "人员密集",
}
HAZARD_EN = {
    "flash_flood": "flash flood",
    "debris_flow": "debris flow",
    "river_flood": "river flood",
    "dam_break": "lake outburst",
    "reservoir_release": "dam release",
    "urban_flood": "urban flooding",
    "forest_fire": "forest fire",
    "chemical": "chemical release",
    "traffic": "road traffic",
    "crowd": "crowding",
}


def hazard_words(hazard: str) -> Text:
    """What a hazard is called; one that is none of ours keeps its name."""
    return Text(HAZARD_ZH.get(hazard, hazard), HAZARD_EN.get(hazard, hazard))


# of water and slopes in the mountains: what the plan for floods (防汛应急预案) is about
MOUNTAIN = frozenset(
    {"flash_flood", "debris_flow", "river_flood", "dam_break", "reservoir_release"}
)
_OF_SLOPES = frozenset({"debris_flow"})
_OF_WATER = (MOUNTAIN - _OF_SLOPES) | {"urban_flood"}
# facts that somebody tells, of which a wave comes down the river
FACTS = frozenset({"dam_break", "reservoir_release"})
# for these no order and no red goes out by a machine alone, whatever the policy says: to drive a dense
# crowd out by loudspeaker can be the accident itself
BY_PERSON = frozenset({"crowd"})


def occurrence_zh(hazards: Iterable[str]) -> str:
    """What reports and pages call an incident: 汛情 of water, 泥石流险情 of slopes, both of both, else the
    hazard's own name, or 突发事件 of several."""
    found = set(hazards)
    if found <= _OF_WATER | _OF_SLOPES:
        slopes = [f"{HAZARD_ZH[h]}险情" for h in sorted(found & _OF_SLOPES)]
        return "、".join(["汛情"] * bool(found & _OF_WATER or not found) + slopes)
    name = HAZARD_ZH.get(min(found)) if len(found) == 1 else None
    return f"{name}事件" if name else "突发事件"


def occurrence_en(hazards: Iterable[str]) -> str:
    """The same in English."""
    found = set(hazards)
    if found <= _OF_WATER | _OF_SLOPES:
        slopes = [HAZARD_EN[h] for h in sorted(found & _OF_SLOPES)]
        return " and ".join(["flood"] * bool(found & _OF_WATER or not found) + slopes)
    return HAZARD_EN.get(min(found), "emergency") if len(found) == 1 else "emergency"
