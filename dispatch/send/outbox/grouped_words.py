"""The words of several internal notices in one message: every place, the highest first, then what to
do, until when, whom to call. Pure."""

from collections.abc import Mapping, Sequence

from config.records.level import (
    ACTION_EN,
    ACTION_ZH,
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Action,
    Level,
)
from dispatch.address.night import ORGANISATION
from dispatch.grade import Grade
from dispatch.records import Delivery
from dispatch.send.outbox.state import Rules
from dispatch.words.headline import DRILL
from dispatch.words.local_time import when

_DO = {
    Action.MOVE: ("请立即组织转移，逐户核实", "Move people now, check every house"),
    Action.PREPARE: (
        "请组织转移准备，老人、儿童先走",
        "Get ready, old and young first",
    ),
    Action.NONE: ("请到岗值守，加强巡查", "Stand by, patrol more"),
}
_OFFICE = ("请相应防范，通知贵方有关地方", "Act accordingly and tell your places concerned")


def heading(those: Sequence[Delivery]) -> str:
    """（演练）内部预警3条, EXERCISE. 3 notices; in the language of the person. An office: 通报3条预警."""
    first, many = those[0], len(those)
    said = f"内部预警{many}条" if first.lang == "zh" else f"{many} notices"
    if first.category == ORGANISATION:
        said = f"通报{many}条预警" if first.lang == "zh" else f"Notice of {many} warnings"
    return f"{DRILL.get((first.status, first.lang), '')}{said}"


def in_one(rules: Rules, those: Sequence[Delivery], *, signed: bool) -> str:
    """The short text of all."""
    body = _zh(rules, those) if those[0].lang == "zh" else _en(rules, those)
    sign = f"【{rules.signature}】" if signed and rules.signature else ""
    return f"{sign}{heading(those)}{body}"


def _zh(rules: Rules, those: Sequence[Delivery]) -> str:
    """。立即转移、红色：香屯村山洪、沙门村泥石流；黄色：…"""
    parts = []
    for grade, some in _by_grade(those).items():
        named = (
            f"{rules.areas.get(d.area, d.area)}{HAZARD_ZH.get(d.hazard, d.hazard)}" for d in some
        )
        words = "、".join(_words(grade, ACTION_ZH, LEVEL_ZH))
        parts.append(f"{words}：{'、'.join(dict.fromkeys(named))}")
    until = when(min(d.expires_at for d in those), rules.zone, "zh")
    hotline = f"值班电话{rules.hotline}。" if rules.hotline else ""
    answer = "收到请回复。" if any(d.must_answer for d in those) else ""
    return f"。{'；'.join(parts)}。{_todo(those[0])[0]}。有效至{until}。{hotline}{answer}"


def _en(rules: Rules, those: Sequence[Delivery]) -> str:
    """: move now, red: flash flood Xiangtun, Shamen; debris flow Shamen; yellow: … By hazard, as the
    signature makes an SMS one of 70 characters a segment."""
    parts = []
    for grade, some in _by_grade(those).items():
        named = dict[str, list[str]]()
        for d in some:
            hazard = HAZARD_EN.get(d.hazard, d.hazard)
            named.setdefault(hazard, []).append(rules.areas_en.get(d.area, d.area))
        words = ", ".join(_words(grade, ACTION_EN, LEVEL_EN))
        all_ = "; ".join(f"{h} {', '.join(dict.fromkeys(names))}" for h, names in named.items())
        parts.append(f"{words}: {all_}")
    until = when(min(d.expires_at for d in those), rules.zone, "en")
    hotline = f" Duty {rules.hotline}." if rules.hotline else ""
    answer = " Please answer." if any(d.must_answer for d in those) else ""
    todo = _todo(those[0])[1]
    return f": {'; '.join(parts)}. {todo}. Until {until}.{hotline}{answer}"


def _todo(first: Delivery) -> tuple[str, str]:
    return _OFFICE if first.category == ORGANISATION else _DO[first.action]


def _words(grade: Grade, actions: Mapping[Action, str], levels: Mapping[Level, str]) -> list[str]:
    return [actions[grade.action]] * bool(grade.action) + [levels[grade.level]] * bool(grade.level)


def _by_grade(those: Sequence[Delivery]) -> dict[Grade, list[Delivery]]:
    found: dict[Grade, list[Delivery]] = {}
    for d in those:
        found.setdefault(Grade(d.level, d.action), []).append(d)
    return found
