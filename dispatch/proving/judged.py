"""The records of what was proved: how strong an answer to a call (叫应) is. The outbox of send judges every
answer and writes what it found to `deliveries`, so that each page and report says the same of it."""

from typing import Literal

from stream.records import Record, Whole

# what an answer is worth, the weakest first. received: the telephone has the message; read: somebody spoke
# (收到, a key, any word); code: they sent back or keyed the code that the message held; acted: and what they
# did is proved (a transfer with its proof)
Strength = Literal["received", "read", "code", "acted"]
STRENGTHS: tuple[Strength, ...] = ("received", "read", "code", "acted")
# what came of the code: none was sent; it is this person's; nobody's; once right, and over now; so many were
# wrong that no more are taken
Verdict = Literal["none", "right", "wrong", "late", "locked"]


class JudgedAnswer(Record, frozen=True, kw_only=True, tag="judged_answer"):
    """What one answer to a warning that asks for a code is worth. No code stands in it."""

    id: str  # of the person's word or the receipt that was judged, and the warning
    person: str  # opaque id of a contact
    area: str
    alert: str
    delivery: str
    way: Literal["form", "sms", "app", "voice"]
    what: str  # as in `PersonSays`; a call that was picked up: received
    strength: Strength
    verdict: Verdict
    answered_at: Whole
    wrong: Whole = 0  # wrong codes of this person about this warning so far, this one counted


def stronger(one: Strength, other: Strength) -> Strength:
    """The stronger of two.

    >>> stronger("code", "read")
    'code'
    """
    return max(one, other, key=STRENGTHS.index)
