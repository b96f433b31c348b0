"""The chain of decisions: each record names the hash of the one before it, so that a decision that
was changed, removed or slipped in later shows.

hash = SHA-256 over the record as canonical JSON (sorted keys, defaults omitted, `hash` empty),
`previous` included. The first record's `previous` is "".
"""

import hashlib
from collections.abc import Iterable

import msgspec

from dispatch.records import Decision

_encoder = msgspec.json.Encoder(order="sorted")


def digest(decision: Decision) -> str:
    """The hash that belongs to a decision with its `previous`."""
    bare = msgspec.structs.replace(decision, hash="")
    return hashlib.sha256(_encoder.encode(bare)).hexdigest()


def chained(previous: str, decision: Decision) -> Decision:
    """The decision as the next link after `previous`."""
    linked = msgspec.structs.replace(decision, previous=previous, hash="")
    return msgspec.structs.replace(linked, hash=digest(linked))


def broken(decisions: Iterable[Decision], previous: str = "") -> int | None:
    """The index of the first decision that does not fit the chain; None when all do."""
    for n, decision in enumerate(decisions):
        if decision.previous != previous or decision.hash != digest(decision):
            return n
        previous = decision.hash
    return None
