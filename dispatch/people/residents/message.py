"""A short message to a resident about their subscription, as a delivery. Pure."""

import hashlib
from typing import Literal

from config.language import Text, choose
from config.records.district import District
from config.records.level import Action, Level
from dispatch.notices import RESIDENT, drill_mark
from dispatch.records import Delivery, Route
from dispatch.words.sms_length import segments


def message(
    district: District,
    live: bool,
    to: str,
    key: str,
    words: Text,
    lang: Literal["zh", "en"],
    at: int,
    valid_ms: int,
) -> Delivery:
    """to: an opaque id of the contact store. key: the same is the same message, which goes out once. at: of
    the run's clock, ms."""
    signed = f"【{district.signature}】{choose(drill_mark(live) + words, lang)}"
    return Delivery(
        id=hashlib.sha256(f"resident|{key}".encode()).hexdigest()[:16],
        alert=RESIDENT + key[:16],
        version=1,
        area="",
        hazard="",
        level=Level.NONE,
        action=Action.NONE,
        msg_type="alert",
        status="actual" if live else "exercise",
        recipient=to,
        audience="internal",
        routes=(Route(channel="sms", text=signed, segments=segments(signed)),),
        queued_at=at,
        deadline_at=at + 60_000,
        expires_at=at + valid_ms,
        lang=lang,
    )
