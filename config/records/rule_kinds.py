"""What a rule is called by those who read its warnings, and the unit of its value: one row a kind of
`[[rule]]`, and the names of the rules with tables of their own. Pure.

How a kind judges stands in `detectors`; who only speaks of a rule (a warning's words, a report) needs
this table and none of that. `detectors.setup.registry` refuses a kind without a row.
"""

from typing import Any, NamedTuple

from config.language import Text
from config.records.district import District
from config.records.quantity import Quantity


class RuleKind(NamedTuple):
    """One row of the table.

    unit: of the rule's value; "" the unit of the quantity that it looks at, "/h" that one an hour.
    after: of a rule of any quantity, what stands behind the quantity's name (None: the rule has a name
    of its own, whatever it looks at). tells: the note of its evidence stands beside the value. share: its
    value is a chance, 0 … 1 in records and in rules.toml, told in per cent. ahead: the window of its
    evidence is how far it looks, and belongs to its name.
    """

    name: str
    words: Text
    unit: str = ""
    after: Text | None = None
    tells: bool = False
    share: bool = False
    ahead: bool = False

    def told(self, value: Any) -> Any:
        """A value or threshold of it, or an array of them, as a person reads it, in `unit_of`."""
        return value * 100 if self.share else value

    def named(self, window_min: int | None) -> Text:
        """Its name, and of one that looks ahead how far: 未来30分钟内受淹的可能性."""
        if not (self.ahead and window_min):
            return self.words
        return Text(
            f"未来{window_min}分钟内{self.words.zh}",
            f"{self.words.en} within {window_min} min,",
        )


_ROWS = (
    RuleKind("intensity_duration", Text("雨强历时", "rain intensity for its duration"), "1"),
    RuleKind("peak_intensity", Text("短时雨强峰值", "peak rain intensity"), "mm/h"),
    RuleKind(
        "postfire_m1",
        Text("火烧迹地泥石流概率", "chance of a debris flow from burnt ground"),
        "%",
        share=True,
    ),
    RuleKind("storm_score", Text("场次雨情概率", "chance from the storm so far"), "%", share=True),
    RuleKind("antecedent_rain", Text("有效降雨量", "effective antecedent rain"), "mm"),
    RuleKind("cumulative_rain", Text("累计雨量", "cumulative rain"), "mm"),
    RuleKind("recent_prior_rain", Text("近期与前期雨量", "recent and prior rain"), "mm"),
    RuleKind("areal_intensity", Text("面雨强历时", "areal rain intensity for its duration"), "1"),
    RuleKind(
        "slope_chance",
        Text("泥石流的可能性", "chance of a debris flow"),
        "%",
        share=True,
        ahead=True,
    ),
    RuleKind("areal_rain", Text("面雨量", "areal mean rain"), "mm"),
    RuleKind(
        "unit_hydrograph",
        Text("预报流量（单位线）", "forecast discharge (unit hydrograph)"),
        "m3/s",
    ),
    RuleKind(
        "gr4h", Text("预报流量（水文模型）", "forecast discharge (rainfall–runoff model)"), "m3/s"
    ),
    RuleKind("travel_time", Text("上游来水", "water on its way from upstream")),
    RuleKind("stage_projection", Text("水位预估", "projected stage"), "m"),
    RuleKind(
        "level_forecast", Text("水位预报概率", "chance of reaching the level"), "%", tells=True
    ),
    RuleKind("flood_score", Text("雨水情综合评分", "level and rain as one score"), "1", tells=True),
    RuleKind("flow_score", Text("流量综合预报", "discharge to come, by model and gauge"), "1"),
    # flood_score again, its table fitted to whether a place floods (`told_as`)
    RuleKind(
        "flood_chance",
        Text("受淹的可能性", "chance of flooding"),
        "%",
        tells=True,
        share=True,
        ahead=True,
    ),
    RuleKind("soil_and_rain", Text("墒情折算雨量", "rain by soil moisture"), "mm"),
    RuleKind("level_and_rain", Text("水位与雨量", "level and rain"), "1"),
    RuleKind("stage_score", Text("水位评分", "stage score"), "1"),
    RuleKind("rise_rate", Text("水位涨率", "rate of rise"), "m/h"),
    RuleKind("quantity_above", Text("实测值", "measured value"), after=Text("", "")),
    RuleKind(
        "quantity_below",
        Text("实测值（偏低）", "measured value, low"),
        after=Text("偏低", ", low,"),
    ),
    RuleKind(
        "quantity_rise", Text("上升速率", "rate of rise"), "/h", after=Text("上升速率", " rising")
    ),
    RuleKind(
        "quantity_fall", Text("下降速率", "rate of fall"), "/h", after=Text("下降速率", " falling")
    ),
    RuleKind(
        "mann_kendall",
        Text("趋势显著性", "significance of a trend"),
        "1",
        after=Text("趋势显著性", ", significance of its trend,"),
    ),
    RuleKind(
        "ewma", Text("持续偏移", "lasting shift"), "σ", after=Text("持续偏移", ", lasting shift,")
    ),
    RuleKind(
        "cusum",
        Text("累积偏离", "cumulated deviation"),
        "σ",
        after=Text("累积偏离", ", cumulated deviation,"),
    ),
    RuleKind("camera_speed", Text("表面流速", "surface speed"), "m/s"),
    RuleKind("camera_front", Text("龙头推进", "surge front"), "m/s"),
    RuleKind("camera_colour", Text("水色变化", "change of the water's colour"), "1"),
    RuleKind("camera_waterline", Text("图像水位", "water line"), "m"),
    RuleKind(
        "moveout",
        Text("沿沟相继震动站数", "stations that shook one after another down the gully"),
        "1",
        tells=True,
    ),
    RuleKind("sta_lta", Text("地声短长时比", "ground motion, short over long mean"), "1"),
    # these judge no window of a station's values: other rules, and silences
    RuleKind("compound", Text("综合研判", "several rules")),
    RuleKind("cascade", Text("上下游测站相继断报", "gauges silent down the river")),
)
RULE_KINDS: dict[str, RuleKind] = {row.name: row for row in _ROWS}

# a kind whose parameters decide what its value is: kind and `outcome` -> the row that it is told by
TOLD_AS = {("flood_score", "chance"): "flood_chance"}


def told_as(kind: str, outcome: str) -> str:
    """The row by which a kind with this `outcome` among its parameters ("" without) is told."""
    return TOLD_AS.get((kind, outcome), kind)


# what a person told of the area of that id, in the words of those below it (dispatch.decide.wave)
UPSTREAM = "upstream_"

# the rules with tables of their own, and what else speaks as a rule
_OWN = {
    "rain_threshold": Text("雨量", "rain"),
    "stage_trend": Text("水位", "stage"),
    "camera_motion": Text("视频", "camera"),
    "observer": Text("现场人员报告", "people on the spot"),
    "silence": Text("断报", "silence"),
    "quality": Text("质控", "quality control"),
}


def rule_words(district: District, rule: str) -> Text:
    """What a rule of the district is called; one that nobody declares any more keeps its id."""
    if rule in _OWN:
        return _OWN[rule]
    kind = next(
        (
            told_as(r.kind, str(r.parameters.get("outcome", "")))
            for r in district.rules.rule
            if r.id == rule
        ),
        None,
    )
    if kind is None and rule.startswith(UPSTREAM):
        return Text("上游险情", "danger upstream")
    return RULE_KINDS[kind].words if kind in RULE_KINDS else Text(rule, rule)


def unit_of(kind: str, quantity: Quantity | None) -> str:
    """The unit of a kind's value, looking at this quantity. An interval's or a state's rate has no name of
    its own: 1/h."""
    unit = RULE_KINDS[kind].unit
    if quantity is None or unit not in ("", "/h"):
        return unit
    return "1/h" if unit and quantity.unit == "1" else quantity.unit + unit
