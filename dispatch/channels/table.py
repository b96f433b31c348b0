"""Carriers' words and what they mean here: one table a channel. A word that is not in its table is
refused (dead letter), never guessed."""

from typing import NamedTuple

from dispatch.alert import State


class Meaning(NamedTuple):
    """A state, and for `failed` whether the same attempt again would fail again."""

    state: State
    permanent: bool = False


# a node's acknowledgement (dispatch.node_wire.NodeAck.state)
NODE: dict[str, Meaning] = {
    "accepted": Meaning("accepted"),
    "playing": Meaning("playing"),
    "played": Meaning("played"),
    "failed": Meaning("failed"),
    "refused": Meaning("failed", permanent=True),
}
# what a node's refusal means when its `detail` is one of these (dispatch.node_wire.Refusal):
# garbled on the way is worth another try, and what it has seen it has
NODE_REFUSED: dict[str, Meaning] = {
    "bad_payload": Meaning("failed"),
    "bad_signature": Meaning("failed"),
    "no_time": Meaning("failed"),  # it has just started and waits for a beacon
    "seen": Meaning("accepted"),
}

# receipts for SMS and app messages: plain words, and the message states of SMPP 3.4, 5.2.28. A
# carrier that gives up has tried for long, and would drop the same key: the next route is tried
CARRIER: dict[str, Meaning] = {
    "accepted": Meaning("accepted"),
    "queued": Meaning("accepted"),
    "sent": Meaning("accepted"),
    "delivered": Meaning("delivered"),
    "read": Meaning("delivered"),
    "answered": Meaning("answered"),
    "failed": Meaning("failed", permanent=True),
    "undelivered": Meaning("failed", permanent=True),
    "undeliverable": Meaning("failed", permanent=True),
    "rejected": Meaning("failed", permanent=True),
    "expired": Meaning("failed", permanent=True),
    "ACCEPTD": Meaning("accepted"),
    "ENROUTE": Meaning("accepted"),
    "DELIVRD": Meaning("delivered"),
    "UNDELIV": Meaning("failed", permanent=True),
    "REJECTD": Meaning("failed", permanent=True),
    "DELETED": Meaning("failed", permanent=True),
    "EXPIRED": Meaning("failed", permanent=True),
    "UNKNOWN": Meaning("failed", permanent=True),
}

# HTTP answers after which the same request would be refused again. 429 and 5xx pass by.
HTTP_PERMANENT = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
