"""The levels and actions of a warning, the hazards, and the words a person reads for them.

Level (public colour, 预警等级) and action (village order, 转移指令) are two scales: a colour is a
statement to the public, an action is an order to a village and never waits for a colour.
Colours and their order: 国家突发公共事件总体应急预案 (Ⅳ–Ⅰ级, 蓝黄橙红). Actions 准备转移 and
立即转移: 山洪灾害防御预案编制导则 (SL/T 666).
"""

from enum import IntEnum


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
ACTION_ZH = {Action.NONE: "无", Action.PREPARE: "准备转移", Action.MOVE: "立即转移"}
ACTION_EN = {Action.NONE: "none", Action.PREPARE: "prepare to move", Action.MOVE: "move now"}

# the natural ones, then those of the district's other plans (危险化学品, 道路交通, 人员密集场所, 森林
# 火灾, 城市内涝), which are monitored by config alone
HAZARD_ZH = {
    "flash_flood": "山洪",
    "debris_flow": "泥石流",
    "river_flood": "河道洪水",
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
    "urban_flood": "urban flooding",
    "forest_fire": "forest fire",
    "chemical": "chemical release",
    "traffic": "road traffic",
    "crowd": "crowding",
}
