"""How much is at stake: a colour and an order to move as one grade. Pure."""

from collections.abc import Sequence

import msgspec

from config.language import Text, joined
from config.records.level import LEVEL_EN, LEVEL_ZH, Action, Level, order_en, order_zh

LEVEL_KEY = {
    Level.BLUE: "blue",
    Level.YELLOW: "yellow",
    Level.ORANGE: "orange",
    Level.RED: "red",
}
ACTION_KEY = {Action.PREPARE: "prepare", Action.MOVE: "move"}
ORDER = (*LEVEL_KEY.values(), *ACTION_KEY.values())


def sentence(reasons: Sequence[Text]) -> Text:
    """Reasons as one sentence."""
    return joined(reasons, Text("；", "; ")) + Text("。", ".")


class Grade(msgspec.Struct, frozen=True, array_like=True):
    """A level and an action: a point on the two scales."""

    level: Level = Level.NONE
    action: Action = Action.NONE

    def __or__(self, other: "Grade") -> "Grade":
        return grade(max(self.level, other.level), max(self.action, other.action))

    def __and__(self, other: "Grade") -> "Grade":
        return grade(min(self.level, other.level), min(self.action, other.action))

    def __bool__(self) -> bool:
        return bool(self.level or self.action)

    def above(self, other: "Grade") -> "Grade":
        """What of it is higher than `other`, scale by scale."""
        return Grade(
            self.level if self.level > other.level else Level.NONE,
            self.action if self.action > other.action else Action.NONE,
        )

    def exceeds(self, other: "Grade") -> bool:
        """Higher on at least one scale."""
        return self.level > other.level or self.action > other.action

    @property
    def rank(self) -> tuple[int, int, int]:
        """How bad, for lists: an order to move is as bad as a red, one to prepare as an orange; then the
        order, then the colour."""
        worth = {Action.MOVE: Level.RED, Action.PREPARE: Level.ORANGE}.get(self.action, Level.NONE)
        return max(self.level, worth), self.action, self.level

    def words(self, hazard: str = "") -> Text:
        """黄色、准备转移 / yellow, prepare to move; of a hazard, as its orders are called."""
        ordered = bool(self.action)
        zh = [LEVEL_ZH[self.level]] * bool(self.level) + [order_zh(hazard, self.action)] * ordered
        en = [LEVEL_EN[self.level]] * bool(self.level) + [order_en(hazard, self.action)] * ordered
        return Text("、".join(zh) or "无", ", ".join(en) or "none")


_EVERY = [[Grade(level, action) for action in Action] for level in Level]


def grade(level: int, action: int) -> Grade:
    """By their numbers, as they stand in the log: there are no more than fifteen."""
    return _EVERY[level][action]


TOP = Grade(Level.RED, Action.MOVE)


def between(low: Grade, high: Grade) -> list[str]:
    """Levels, then actions, that `high` has beyond `low`, lowest first."""
    levels = [key for lv, key in LEVEL_KEY.items() if low.level < lv <= high.level]
    return levels + [key for a, key in ACTION_KEY.items() if low.action < a <= high.action]


def grade_of(what: str) -> Grade:
    """ "orange" -> Grade(ORANGE, NONE); "move" -> Grade(NONE, MOVE)."""
    for level, key in LEVEL_KEY.items():
        if key == what:
            return Grade(level=level)
    for action, key in ACTION_KEY.items():
        if key == what:
            return Grade(action=action)
    raise ValueError(Text(f"{what!r} 不是等级或指令", f"{what!r} is neither a level nor an action"))
