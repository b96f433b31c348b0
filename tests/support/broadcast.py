"""Our side of a reference platform: its row, its carrier, and what is sent by it."""

from pathlib import Path
from typing import Any

import msgspec

from config.records.channels import Carrier
from config.records.devices.broadcast import Platform
from config.records.district import District
from config.records.level import Action, Level
from dispatch.channels import Parcel
from dispatch.channels.platform.carrier import ByPlatform
from dispatch.channels.platform.declared import made
from dispatch.records import Delivery, Route
from simulators.carriers.platform import OURS, THEIRS, keys

OUR_KEYS, THEIR_KEYS = keys(1), keys(2)
T0 = 1_753_567_800_000  # 2025-07-27 06:10:00 in China
TEXT = "香屯村，山洪红色预警，立即转移！路线：沿村东坡道 <&>。"
HOUR = 3_600_000


class Clock:
    """Epoch ms, moved by hand."""

    def __init__(self) -> None:
        self.at = T0

    def __call__(self) -> int:
        return self.at


def agreed(**other: Any) -> Platform:
    """What the county and we agreed on."""
    said: dict[str, Any] = {
        "ours": OURS, "theirs": THEIRS, "public": OUR_KEYS.public, "their_public": THEIR_KEYS.public,
        "serial": "3363", "issuer": "75", "sender_code": "110119", "drill_type": "5",
        "order_severity": {"prepare": "2", "move": "1"}, "listen": "127.0.0.1:0",
        "heartbeat_s": 3600,
    }  # fmt: skip
    return Platform(**{**said, **other})


def row(url: str, **other: Any) -> Carrier:
    return Carrier(
        name="county", channel="broadcast_platform", kind="ebd", url=url, contact="C-EBM",
        secret="env:EBD_KEY", platform=agreed(**other),
    )  # fmt: skip


def our_side(district: District, url: str, folder: Path, clock: Clock, **other: Any) -> ByPlatform:
    channels = msgspec.structs.replace(district.channels, attempt_timeout_s=60)
    waits = msgspec.structs.replace(district, channels=channels)
    return made(waits, row(url, **other), OUR_KEYS.private, folder, clock)


def delivery(
    version: int = 1,
    *,
    alert: str = "yanqing-A01-flash_flood-1",
    msg_type: str = "alert",
    level: Level = Level.RED,
    action: Action = Action.MOVE,
    status: str = "actual",
    hazard: str = "flash_flood",
    text: str = TEXT,
    at: int = T0,
    issuers: tuple[str, ...] = (),
) -> Delivery:
    return Delivery(
        id=f"{alert}-{version}",
        alert=alert,
        version=version,
        area="A01",
        hazard=hazard,
        level=level,
        action=action,
        msg_type=msg_type,  # type: ignore[arg-type]
        status=status,  # type: ignore[arg-type]
        recipient="C-EBM",
        audience="public",
        routes=(Route(channel="broadcast_platform", text=text, title="山洪红色预警"),),
        queued_at=at,
        deadline_at=at + 180_000,
        expires_at=at + HOUR,
        issuers=issuers,
    )


def parcel(d: Delivery, key: str = "") -> Parcel:
    text, title = str(d.routes[0].text), str(d.routes[0].title)
    return Parcel("C-EBM", title, text, key or f"{d.alert}|{d.version}", 1, 3600.0, d)
