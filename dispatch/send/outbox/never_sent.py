"""The end of a warning that never went out is nothing to tell. Pure.

An all-clear for somebody whose warning waited, ran out or was replaced before any attempt was made
ends with it, on record. It goes out when it is not sure that nothing went out (a crash may have come
between an attempt and its receipt), and when a loudspeaker may have told the village: whoever heard
it waits for its end.
"""

from collections.abc import Callable

from config.language import Text
from dispatch.records import Delivery
from dispatch.send.outbox.state import Box, Entry, line_of

UNSAID = Text("预警未发出，解除不再发", "the warning never went out, so its end does not either")
_NOT_SENT = frozenset({"queued", "failed", "expired", "superseded"})


def perhaps_begun(box: Box) -> set[str]:
    """What somebody else may have begun to send before this memory was rebuilt: all of which nothing
    is heard yet, except what never was due."""
    return {
        i
        for i, e in box.entries.items()
        if e.next_at <= box.clock_at and not (e.held and e.state == "queued")
    }


def is_unsaid(box: Box, d: Delivery, may: Callable[[str], bool]) -> bool:
    """Is `d` the end of what nobody can have heard of? may: whether a delivery, by its id, may have
    been begun, whatever is known of it."""
    if d.msg_type != "cancel" or not d.routes or d.routes[0].channel in ("cap", "console"):
        return False
    mine = [i for i in box.lines.get(line_of(d), ()) if i != d.id]
    said = [box.entries.get(i) for i in (*mine, *box.aloud.get(d.alert, ()))]
    return bool(mine) and all(_unsent(box, e, may) for e in said)


def _unsent(box: Box, e: Entry | None, may: Callable[[str], bool]) -> bool:
    """Is it sure that no attempt of it was made, nor of what speaks for it?"""
    if e is None or e.delivery.msg_type == "cancel":
        return True
    made = e.heard != (0, 0) and not e.idle
    if made or e.state not in _NOT_SENT or may(e.delivery.id):
        return False
    return not e.into or _unsent(box, box.entries.get(e.into), may)
