"""What the outbox says of deliveries that did not arrive or must not go out: the notice to the duty
room, and the dead letter of a record of the wrong kind of run. Pure."""

import hashlib
from base64 import b64encode

from config.level import ACTION_ZH, HAZARD_ZH, LEVEL_ZH
from dispatch.alert import Delivery, Route
from ingest.observation import DeadLetter, Run, encode

DUTY = "duty:"  # a notice's recipient is this and the recipient who was not reached
_VALID_MS = 6 * 3_600_000
_PAYLOAD_KEPT = 4096


def notice(d: Delivery, area: str, at: int, detail: str) -> Delivery:
    """Tell the duty room that `d` did not reach its recipient; area: its name."""
    order = ACTION_ZH[d.action] if d.action else LEVEL_ZH[d.level]
    drill = "" if d.status == "actual" else "（演练）"
    text = (
        f"{drill}未送达，请人工叫应 NOT REACHED, call by hand: {area} {d.area} "
        f"{HAZARD_ZH.get(d.hazard, d.hazard)} {order} {d.alert}/{d.version} "
        f"接收者 recipient {d.recipient}：{detail}"
    )
    return Delivery(
        id=hashlib.sha256(f"not reached|{d.id}".encode()).hexdigest()[:16],
        alert=d.alert,
        version=d.version,
        area=d.area,
        hazard=d.hazard,
        level=d.level,
        action=d.action,
        msg_type=d.msg_type,
        status=d.status,
        recipient=DUTY + d.recipient,
        audience="internal",
        routes=(Route(channel="console", title="未送达 not reached", text=text),),
        queued_at=at,
        deadline_at=at,
        expires_at=at + _VALID_MS,
    )


def stray(record: Run | Delivery, live: bool, at: int) -> DeadLetter:
    """A record of an exercise in a live run (`live`), or the other way round."""
    return DeadLetter(
        received_at=at,
        source="deliveries",
        reason="exercise_record_in_live_run" if live else "live_record_in_exercise",
        detail="nothing of it is sent; find the program that writes to the wrong run",
        payload=b64encode(encode(record)[:_PAYLOAD_KEPT]).decode(),
    )
