"""What the duty room is told of a loudspeaker that acted alone. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from config.records.district import Area
from config.records.level import ACTION_ZH, Level
from config.records.quantity import QUANTITIES
from dispatch.nodes.protocol import NodeReport
from dispatch.notices import ALONE, duty_notice
from dispatch.records import Delivery
from stream.limits import LAST_AT, number

_STATES = {"playing": "正在播 playing", "played": "已播出 played", "failed": "未播成 failed"}


def account(report: NodeReport, area: Area, zone: str, at: int) -> Delivery:
    """A node's report as a notice to the duty room, in the log of deliveries at `at`: the record of
    the act, once for each state of it."""
    row = QUANTITIES.get(report.quantity)
    count, minutes = number(report.count), number(report.window_min)
    value = (
        "?" if count is None else f"{row.amount(int(count)):g} {row.unit}" if row else f"{count}"
    )
    over = f"{minutes} min " if minutes else ""
    drill = "" if report.kind == "live" else "（演练）"
    text = (
        f"{drill}终端自主播出 A NODE ACTED ALONE: {report.node} {area.township}{area.name} "
        f"{ACTION_ZH[report.action]} {_when(report.began_at, zone)} "
        f"{_STATES[report.state]} {report.detail}".rstrip()
        + f"；依据 because {report.quantity} {over}{value}；中断自 link lost "
        f"{_when(report.lost_at, zone)}；核对并补发决定 confirm or cancel it now"
    )
    return duty_notice(
        f"alone|{report.act}|{report.state}",
        report.node,
        "终端自主播出 acted alone",
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


def _when(at: int, zone: str) -> str:
    """The node's own clock may be broken: what it did is told all the same."""
    if not 0 <= at <= LAST_AT:
        return "时刻不明 time unknown"
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%m-%d %H:%M:%S")
