"""What a person reads for the names that stand in files of rules and in results: of families of rules, and
of what was left out. Pure.

A name is one string, as the files have it since their first version; who shows one shows its pair.
"""

from collections.abc import Mapping

from config.language import Text

# families of rules on a record, by the code of their provenance
SERIES: Mapping[str, Text] = {
    "persistence": Text("持续（成灾值）", "persistence (the flood level)"),
    "level": Text("单一水位/流量", "one level"),
    "sum": Text("单一雨量", "one rain sum"),
    "published": Text("已发表", "published"),
    "trend": Text("水位+趋势", "level and trend"),
    "wetness": Text("雨量与前期雨", "rain and wetness"),
    "base": Text("水位、趋势与基流", "level, trend and base"),
    "either": Text("水位或雨量", "level or rain"),
    "both": Text("水位且雨量", "level and rain"),
    "soil": Text("雨量与墒情", "rain and soil moisture"),
    "upstream": Text("上游来水", "water from upstream"),
    "runoff": Text("降雨径流模型", "runoff model"),
    "balance": Text("降雨径流模型（GR4H）", "runoff model (GR4H)"),
    "followed": Text("实测流量校正的水文模型", "runoff model set by the discharge"),
    "forecast": Text("雨与水位的预报", "forecast from rain and level"),
    "chance": Text("雨与水位的概率", "chance from rain and level"),
}
# those on a table of one row a storm
DEPTH = str(Text("雨强与雨量", "burst and depth"))
GROUND = str(Text("雨强、雨量与过火", "rain and burnt ground"))
_ONE = str(Text("单一阈值", "one threshold: "))
# what was left out
PART, STRETCH = "a part of the events left out", "a stretch of time left out"
GROUP, ROWS = "leave one group out", "ten parts of the rows"
REGION, NONE = "leave one region out", "in the sample, flatters"

_PAIRS: Mapping[str, Text] = {
    **{str(text): text for text in SERIES.values()},
    DEPTH: Text("雨强与雨量", "burst and depth"),
    GROUND: Text("雨强、雨量与过火", "rain and burnt ground"),
    PART: Text("留出一部分事件", PART),
    STRETCH: Text("留出一段时间", STRETCH),
    GROUP: Text("逐组留出", GROUP),
    ROWS: Text("各行分十份，逐份留出", "ten parts of the rows, each left out once"),
    REGION: Text("逐个地区留出", REGION),
    NONE: Text("样本之内，偏乐观", NONE),
}


def threshold_on(quantity: str) -> str:
    """The name of one threshold on one quantity."""
    return _ONE + quantity


def said(name: str) -> Text:
    """A name's pair; a name of an author or a rule's id is the same in both."""
    if name.startswith(_ONE):
        quantity = name.removeprefix(_ONE)
        return Text(f"单一阈值 {quantity}", f"one threshold: {quantity}")
    return _PAIRS.get(name, Text(name, name))
