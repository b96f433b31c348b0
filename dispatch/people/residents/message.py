"""A short message to a resident about their subscription, as a delivery. Pure."""

import hashlib
from typing import Literal

from config.language import Text, choose
from config.records.district import District
from dispatch.notices import RESIDENT, drill_mark, person_notice
from dispatch.records import Delivery
from dispatch.words.sms_length import person_route


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
    text = choose(drill_mark(live) + words, lang)
    return person_notice(
        hashlib.sha256(f"resident|{key}".encode()).hexdigest()[:16],
        RESIDENT + key[:16],
        to,
        (person_route("sms", district.signature, text),),
        at,
        live=live,
        within_ms=60_000,
        expires_at=at + valid_ms,
        lang=lang,
    )
