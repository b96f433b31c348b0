"""What several tests use, by the one it was written for: roll."""

from typing import Any

import msgspec

from config.records.level import Action, Level
from dispatch.records import Alert, Delivery, Route
from ingest.observation import PersonSays
from tests.support.decide_district import MIN, T0, yanqing

PEOPLE = yanqing().areas["A01"].population


def alert(version: int = 1, *, action: Action = Action.MOVE, **changes: Any) -> Alert:
    made = Alert(
        id="al-1", version=version, area="A01", hazard="flash_flood", status="exercise",
        msg_type="alert", level=Level.ORANGE, action=action, proposed_level=Level.ORANGE,
        proposed_action=action, public=True, state="released", incident="i",
        sent_at=T0 + version * MIN, onset_at=T0, expires_at=T0 + 600 * MIN, reason="",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def said(
    minute: float, what: Any, *, person: str = "C-0001", people: int | None = None, **more: Any
) -> PersonSays:
    at = T0 + int(minute * MIN)
    fields: dict[str, Any] = {
        "id": f"{person}{what}{minute}{people}", "person": person, "role": "responsible",
        "area": "A01", "what": what, "said_at": at, "received_at": at, "way": "sms",
        "people": people, **more,
    }  # fmt: skip
    return PersonSays(**fields)


def asked(person: str, ident: str = "d-1") -> Delivery:
    return Delivery(
        id=ident, alert="al-1", version=1, area="A01", hazard="flash_flood", level=Level.ORANGE,
        action=Action.MOVE, msg_type="alert", status="exercise", recipient=person,
        audience="internal", routes=(Route(channel="sms", text="x"),), queued_at=T0 + MIN,
        deadline_at=T0 + 9 * MIN, expires_at=T0 + 600 * MIN, must_answer=True,
        category="responsible",
    )  # fmt: skip
