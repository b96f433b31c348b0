"""What the duty room is told of a loudspeaker that acted alone. Pure."""

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

from config.records.district import Area
from config.records.level import ACTION_ZH, Level
from config.records.quantity import QUANTITIES
from dispatch.nodes.protocol import NodeReport
from dispatch.notices import ALONE, DUTY
from dispatch.records import Delivery, Route
from stream.limits import LAST_AT, number

_VALID_MS = 6 * 3_600_000
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
    return Delivery(
        id=hashlib.sha256(f"alone|{report.act}|{report.state}".encode()).hexdigest()[:24],
        alert=ALONE + report.act,
        version=("playing", "failed", "played").index(report.state) + 1,
        area=area.id,
        hazard=report.hazard,
        level=Level.NONE,
        action=report.action,
        msg_type="alert",
        status="actual" if report.kind == "live" else "exercise",
        recipient=DUTY + report.node,
        audience="internal",
        routes=(Route(channel="console", title="终端自主播出 acted alone", text=text),),
        queued_at=at,
        deadline_at=at,
        expires_at=at + _VALID_MS,
    )


def _when(at: int, zone: str) -> str:
    """The node's own clock may be broken: what it did is told all the same."""
    if not 0 <= at <= LAST_AT:
        return "时刻不明 time unknown"
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%m-%d %H:%M:%S")
