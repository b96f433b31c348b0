"""Who answers has heard: the receipt that a person's word is. Pure."""

from config.language import Text
from dispatch.address.report_notices import REPLIES, WAY
from dispatch.records import Receipt
from dispatch.send.outbox.state import Entry
from ingest.observation import PersonSays


def receipt(says: PersonSays, e: Entry) -> Receipt:
    """Whoever answers a warning has heard it, whichever message they answer."""
    return Receipt(
        delivery=e.delivery.id,
        route=max(0, e.route),
        state="answered",
        receipt_at=says.received_at,
        attempt=max(1, e.attempt),
        detail=WAY[says.way] + Text("：", ": ") + REPLIES[says.what],
    )
