"""What several tests use, by the one it was written for: cap_xml."""

from typing import Any

from config.records.level import Action, Level
from dispatch.records import Alert, Delivery, Route

T0 = 1_753_567_800_999  # 2025-07-27T06:10:00.999+08:00


def delivery(**changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "id": "d1",
        "alert": "0a1b",
        "version": 1,
        "area": "A01",
        "hazard": "flash_flood",
        "level": Level.RED,
        "action": Action.MOVE,
        "msg_type": "alert",
        "status": "exercise",
        "recipient": "cap",
        "audience": "public",
        "routes": (),
        "queued_at": T0,
        "deadline_at": T0,
        "expires_at": T0 + 21_600_000,
    }
    return Delivery(**{**fields, **changes})


ROUTE = Route(
    channel="cap",
    title="（演练）香屯村山洪红色预警",
    text="（演练）10分钟降雨 27 毫米，可能发生山洪。",
)


def alert_for(area: str, **changes: Any) -> Alert:
    fields: dict[str, Any] = {
        "id": "yanqing-A01-flash_flood-1",
        "version": 1,
        "area": area,
        "hazard": "flash_flood",
        "status": "exercise",
        "msg_type": "alert",
        "level": Level.YELLOW,
        "action": Action.NONE,
        "proposed_level": Level.YELLOW,
        "proposed_action": Action.NONE,
        "public": True,
        "state": "released",
        "incident": "i",
        "sent_at": T0,
        "onset_at": T0,
        "expires_at": T0 + 3_600_000,
        "reason": "r",
    }
    return Alert(**{**fields, **changes})
