"""What the duty room is told of a loudspeaker that acted alone. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from config.language import Text, each, en, text_of, zh
from config.records.district import Area
from config.records.level import ACTION_EN, ACTION_ZH, Level
from config.records.quantity import QUANTITIES
from dispatch.nodes.protocol import NodeReport
from dispatch.notices import ALONE, drill_mark, duty_notice
from dispatch.records import Delivery
from stream.limits import LAST_AT, number

_STATES = {
    "playing": Text("正在播", "playing"),
    "played": Text("已播出", "played"),
    "failed": Text("未播成", "failed"),
}


def account(report: NodeReport, area: Area, zone: str, at: int) -> Delivery:
    """A node's report as a notice to the duty room, in the log of deliveries at `at`: the record of
    the act, once for each state of it."""
    row = QUANTITIES.get(report.quantity)
    count, minutes = number(report.count), number(report.window_min)
    value = (
        "?" if count is None else f"{row.amount(int(count)):g} {row.unit}" if row else f"{count}"
    )
    over = f"{minutes} min " if minutes else ""
    began, lost, state = (
        _when(report.began_at, zone),
        _when(report.lost_at, zone),
        _STATES[report.state],
    )
    how = Text(report.detail, report.detail_en or report.detail)
    detail = each(how, lambda half: f" {half}".rstrip())
    text = drill_mark(report.kind == "live") + Text(
        f"终端自主播出：{report.node} {area.township}{area.name} {ACTION_ZH[report.action]} {began.zh} "
        f"{state.zh}{zh(detail)}；依据 {report.quantity} {over}{value}；中断自 {lost.zh}；核对并补发决定",
        f"A NODE ACTED ALONE: {report.node} {area.name_en}, {area.township_en} "
        f"{ACTION_EN[report.action]} {began.en} {state.en}{en(detail)}; because {report.quantity} "
        f"{over}{value}; link lost {lost.en}; confirm or cancel it now",
    )
    return duty_notice(
        f"alone|{report.act}|{report.state}",
        report.node,
        Text("终端自主播出", "acted alone"),
        text,
        at,
        alert=ALONE + report.act,
        status="actual" if report.kind == "live" else "exercise",
        level=Level.NONE,
        version=("playing", "failed", "played").index(report.state) + 1,
        area=area.id,
        hazard=report.hazard,
        action=report.action,
        digits=24,
    )


def _when(at: int, zone: str) -> Text:
    """The node's own clock may be broken: what it did is told all the same."""
    if not 0 <= at <= LAST_AT:
        return Text("时刻不明", "time unknown")
    return text_of(datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%m-%d %H:%M:%S"))
