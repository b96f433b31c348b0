"""What several tests use, by the one it was written for: channels."""

from pathlib import Path

from config.records.level import Action, Level
from dispatch.records import Delivery, Route

ROOT = Path(__file__).parents[2]
TEXT = "【延庆防汛】（演练）香屯村山洪红色预警，立即转移！\n路线：沿村东坡道 {to} & <100%> “是” +1"


def delivery(recipient: str) -> Delivery:
    return Delivery(
        id="d1",
        alert="x",
        version=1,
        area="A01",
        hazard="flash_flood",
        level=Level.RED,
        action=Action.MOVE,
        msg_type="alert",
        status="exercise",
        recipient=recipient,
        audience="public",
        routes=(Route(channel="sms", text=TEXT),),
        queued_at=1,
        deadline_at=2,
        expires_at=3,
    )


ROUTE = Route(channel="sms", text=TEXT, title="山洪预警")
