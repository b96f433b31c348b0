"""What address told of one warning so far, and to whom. Pure."""

from collections.abc import Collection, Sequence

import msgspec

from config.records.district import District
from config.records.level import Action
from dispatch.address.night import Told, highest
from dispatch.address.recipients import Target
from dispatch.geography.downstream import areas_below
from dispatch.grade import Grade
from dispatch.records import Alert


class LastTold(msgspec.Struct):
    """What was said of one warning so far, and to whom."""

    version: int = 0
    again: int = 0  # so often was that version put to somebody anew
    asked: dict[str, int] = {}  # what is asked -> until when, as its officers were told last
    inside: dict[str, bool] = {}  # recipients of internal notices, in order
    below: dict[str, Grade] = {}  # who is responsible downstream -> what they were told last
    outside: dict[str, Grade] = {}  # public recipients -> what they were told last
    public: Grade = Grade()
    expires_at: int = 0  # of the last public version
    loud: bool = False  # a public version was, so nobody sleeps through what follows
    moved: bool = False  # a public version told people to move
    # whom quiet hours keep from what `outside` says: until when, and what they heard before
    held: dict[str, tuple[int, Grade | None]] = {}
    said: Alert | None = None  # the last public version
    area: str = ""
    # what who is told inside was told last, and whom the night keeps from it (as `held`)
    notices: dict[str, Grade] = {}
    late: dict[str, tuple[int, Grade | None]] = {}
    ended_at: int = 0
    closed: bool = False  # the place is, as this version is told

    def heard(self, recipient: str, at: int) -> Grade | None:
        """What a public recipient was really told last."""
        until, before = self.held.get(recipient, (0, None))
        return before if until > at else self.outside.get(recipient)

    def noticed(self, recipient: str, at: int) -> Grade | None:
        """What somebody was really told last by an internal notice."""
        until, before = self.late.get(recipient, (0, None))
        return before if until > at else self.notices.get(recipient)


def most_told(alert: Alert, beside: Sequence[Alert]) -> Grade:
    """The highest of what a message tells; nothing where it tells of one warning alone."""
    found = Grade()
    for a in (alert, *beside) if beside else ():
        found |= Grade(a.level, a.action)
    return found


def said_beside(others: Sequence[LastTold], recipient: str) -> tuple[Alert, ...]:
    """What this recipient was told of the other warnings of the place."""
    return tuple(t.said for t in others if t.said is not None and recipient in t.outside)


def known_to(
    district: District, all_: Collection[LastTold], told: LastTold, alert: Alert, t: Target
) -> Told:
    """What this recipient knows as a version of `alert` is made. told: of that warning; all_: of each that is
    open."""
    outward, at = t.audience == "public", alert.sent_at
    here = [x for x in all_ if x.area == alert.area]
    heard = [(x.heard if outward else x.noticed)(t.recipient, at) for x in (told, *here)]
    ready = not outward and any(_readied(district, x, t.recipient, alert) for x in all_)
    return Told(heard[0], highest(heard), told.expires_at if outward else 0, ready)


def _readied(district: District, upstream: LastTold, recipient: str, alert: Alert) -> bool:
    """Were they told of an order that stands upstream of this area of theirs, and has not run out?"""
    grade, said = upstream.below.get(recipient), upstream.said
    if grade is None or said is None or grade.action < Action.PREPARE or said.expires_at <= alert.sent_at:
        return False
    return any(h.id == alert.area for h in areas_below(district, upstream.area, said.hazard))
