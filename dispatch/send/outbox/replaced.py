"""How a delivery ends by another one: a newer version replaces it, an all-clear must not go out, one message
spoke for several. Pure."""

from dispatch.records import Delivery, Receipt
from dispatch.send.outbox import beside, ends, grouping
from dispatch.send.outbox.ends import end
from dispatch.send.outbox.state import RANK, Box, Entry, grade_said, place_of


def not_over(box: Box, d: Delivery) -> list[Receipt]:
    """An all-clear that has not gone out yet must not go out once the hazard is there again, or once
    another one of the place calls for more than its words say: heard after the new warning it would
    take that back."""
    if d.msg_type == "cancel":
        return []
    out: list[Receipt] = []
    for over in (box.entries[i] for i in box.ends.get(place_of(d), ())):
        said = over.delivery
        again = said.hazard == d.hazard and said.alert != d.alert
        waits = not over.done and over.state in ("queued", "failed")
        if waits and (again or grade_said(d).exceeds(grade_said(said))):
            out += [superseded(box, over, d.queued_at), *replaced(box, over, d.queued_at)]
    return out


def superseded(box: Box, e: Entry, at: int) -> Receipt:
    """It ends, for a newer version says what counts."""
    told = end(box, e, "superseded", at, ends.REPLACED)
    beside.free(box, e)
    return told


def replaced(box: Box, older: Entry, at: int) -> list[Receipt]:
    """`older` is outdated: a message that would still say it must not go out."""
    together = box.entries.get(older.into)
    if (
        together is None
        or not together.delivery.covers
        or together.done
        or together.state not in ("queued", "failed")
    ):
        return []
    return parted(box, together, at)


def parted(box: Box, together: Entry, at: int) -> list[Receipt]:
    """It says what is outdated, and the rest of what it spoke for goes out anew."""
    grouping.free(box, together, at)
    return [superseded(box, together, at)]


def is_stale(box: Box, together: Entry) -> bool:
    """Is a part of what it says outdated since it was first tried?"""
    found = (box.entries.get(i) for i in together.delivery.covers)
    return any(c is not None and c.state == "superseded" for c in found)


def with_it(box: Box, e: Entry, r: Receipt) -> list[Receipt]:
    """What `e` spoke for was heard when it was."""
    out: list[Receipt] = []
    for c in grouping.covered(box, e):
        if c.state != "superseded" and (not c.done or RANK.get(c.state, -1) < RANK[r.state]):
            out.append(end(box, c, r.state, r.receipt_at, ends.WITH + e.delivery.id))
    return out
