"""Several internal notices to one person within a minute are one message. Pure.

The first goes at once. What follows within a minute waits for the end of that minute (for red and
立即转移: ten seconds) and leaves as one delivery that names every place, the highest first. Nothing that
rises waits: neither a grade above all that the person was told in that minute, nor a warning that
goes up. The deliveries that it speaks for (`covers`) keep their ids and end as it ends.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from config.language import Said, zh
from config.records.level import Action, Level
from dispatch.address.night import ORGANISATION
from dispatch.address.recipients import DOWNSTREAM
from dispatch.grade import Grade
from dispatch.notices import MERGED
from dispatch.proving.codes import asking
from dispatch.records import Delivery, Route
from dispatch.send.outbox import beside
from dispatch.send.outbox.grouped_words import heading, in_one
from dispatch.send.outbox.state import Box, Entry, Person, Rules, line_of
from dispatch.words.sms_length import segments
from dispatch.words.spoken import spoken

WINDOW_MS = 60_000
URGENT_MS = 10_000
SMS_SEGMENTS = 3
# what waited for the night's sake is one message for all places, however long that gets
NIGHT_SEGMENTS = 8
_WRITTEN = ("sms", "app", "email")


def mergeable(d: Delivery) -> bool:
    """Is it a written notice to a person, which can say that it is one of several?"""
    return (
        (d.audience == "internal" or d.category == ORGANISATION)
        and d.msg_type != "cancel"
        and not (d.asked_by or d.reply or d.covers)
        and bool(d.hazard)  # it is about a warning
        and d.category != DOWNSTREAM  # what it asks for is not what the warning asks for
        and bool(d.routes)
        and d.routes[0].channel in _WRITTEN
    )


def hold(rules: Rules, box: Box, e: Entry) -> Delivery | None:
    """Note that a notice came; it waits if its person was told something as high this minute, or for as
    long as address says at night (dispatch.address.night). One that goes at once takes along what waits so:
    the message that says all, if there is any such."""
    d = e.delivery
    office, before = d.category == ORGANISATION, box.people.get(d.recipient)
    if before is not None:
        _clear(box, before)
    if office and d.not_before <= d.queued_at and (before is None or not _nightly(box, before, d.queued_at)):
        return None  # by day an office gets each warning by itself
    if d.not_before > d.queued_at:
        mine = box.people.setdefault(
            d.recipient, Person(at=d.queued_at - WINDOW_MS, grade=Grade(), status=d.status)
        )
        _wait(box, mine, e, d.not_before)
        return None
    grade, p = Grade(d.level, d.action), box.people.get(d.recipient)
    within = p is not None and (bool(p.held) or d.queued_at < p.at + WINDOW_MS)
    if p is None or not within or p.status != d.status:
        if p is None or not p.held:
            box.people[d.recipient] = Person(at=d.queued_at, grade=grade, status=d.status)
        return None
    older = [box.entries[i].delivery for i in box.lines[line_of(d)] if i != d.id]
    risen = bool(older) and all(grade.exceeds(Grade(o.level, o.action)) for o in older)
    if risen or grade.exceeds(p.grade):
        p.grade |= grade
        return _along(rules, box, p, e)
    urgent = d.level == Level.RED or d.action == Action.MOVE
    due = min(p.at + WINDOW_MS, d.queued_at + (URGENT_MS if urgent else WINDOW_MS))
    if _nightly(box, p, d.queued_at):
        return _along(rules, box, p, e)
    _wait(box, p, e, due)
    return None


def _clear(box: Box, p: Person) -> None:
    """What was replaced while it waited keeps nobody to its moment."""
    p.held = [i for i in p.held if (x := box.entries.get(i)) is not None and not x.done]
    p.due = p.due if p.held else 0


def _wait(box: Box, p: Person, e: Entry, due: int) -> None:
    p.due = min(p.due or due, due)
    p.held.append(e.delivery.id)
    e.held = True
    box.touched.pop(e.delivery.id, None)


def _nightly(box: Box, p: Person, at: int) -> list[Entry]:
    """What waits for the night's sake."""
    found = (box.entries.get(i) for i in p.held)
    return [e for e in found if e is not None and not e.done and e.delivery.not_before > at]


def _along(rules: Rules, box: Box, p: Person, e: Entry) -> Delivery | None:
    """`e` goes at once, and what waits for the night's sake goes with it, as far as one message names it."""
    at = e.delivery.queued_at
    waiting = _nightly(box, p, at)
    parted = _parted(rules, [e, *waiting], NIGHT_SEGMENTS) if waiting else []
    mine = next((p for p in parted if e in p), [])
    if len(mine) < 2:
        return None
    told = _merged(rules, [x.delivery for x in mine], at)
    for x in mine:
        x.into, x.held = told.id, True
        box.touched.pop(x.delivery.id, None)
    left = {x.delivery.id for x in mine}
    p.held = [i for i in p.held if i not in left]
    p.due = min((x.delivery.not_before for x in _nightly(box, p, at)), default=0) or p.due
    p.due = p.due if p.held else 0
    return told


def free(box: Box, merged: Entry, at: int, *, in_force: bool = False) -> None:
    """What `merged` spoke for waits again: it was replaced before it was sent, or (in_force) it is over and
    these are not."""
    d = merged.delivery
    mine = [c for c in covered(box, merged) if not in_force or _goes_on(c, at)]
    if not mine:
        return
    p = box.people.setdefault(
        d.recipient, Person(at=at, grade=Grade(d.level, d.action), status=d.status)
    )
    for e in mine:
        e.into = ""
        p.held.append(e.delivery.id)
    p.due = at


def _goes_on(e: Entry, at: int) -> bool:
    return not e.done and e.delivery.expires_at > at


def covered(box: Box, merged: Entry) -> list[Entry]:
    """The entries that `merged` speaks for."""
    found = (box.entries.get(i) for i in merged.delivery.covers)
    mine = [e for e in found if e is not None and e.into == merged.delivery.id]
    return mine + beside.covered(box, merged)


def due(rules: Rules, box: Box) -> Iterator[Delivery]:
    """The messages whose minute is over at the box's clock."""
    for recipient, p in list(box.people.items()):
        if not p.held and box.clock_at >= p.at + WINDOW_MS:
            del box.people[recipient]
        if not p.held or box.clock_at < p.due:
            continue
        found = (box.entries.get(i) for i in p.held)
        waiting = [e for e in found if e is not None and not e.done]
        p.held, p.due, p.at = [], 0, box.clock_at
        nightly = all(e.delivery.not_before > e.delivery.queued_at for e in waiting)
        for several in _parted(rules, waiting, NIGHT_SEGMENTS if nightly else SMS_SEGMENTS):
            if len(several) == 1:
                several[0].held = False
                box.touched[several[0].delivery.id] = True
                continue
            told = _merged(rules, [e.delivery for e in several], box.clock_at)
            for e in several:
                e.into = told.id
            yield told


def _parted(rules: Rules, waiting: list[Entry], most: int) -> list[list[Entry]]:
    """The highest first, as many together as an SMS of at most so many segments can name."""
    waiting.sort(key=lambda e: (-e.delivery.action, -e.delivery.level, e.delivery.area))
    parts: list[list[Entry]] = []
    for e in waiting:
        more = [*(x.delivery for x in parts[-1]), e.delivery] if parts else []
        if more and segments(in_one(rules, more, signed=True)) <= most:
            parts[-1].append(e)
        else:
            parts.append([e])
    return parts


def _route(rules: Rules, those: Sequence[Delivery], channel: str) -> Route:
    """A short text names all; an app message and a mail carry each whole text as well."""
    lang: Literal["zh", "en"] = "en" if those[0].lang == "en" else "zh"
    text = in_one(rules, those, signed=channel == "sms")
    code, aloud = _code(those), channel == "voice" and lang == "zh"
    if code and not aloud:
        text = zh(asking(text, lang, channel, code))
    if channel == "sms":
        return Route(channel=channel, text=text, segments=segments(text))
    if aloud:
        drill = "（演练）" if those[0].status != "actual" else ""
        said: Said = spoken(text.removeprefix(drill))
        said = asking(said, "zh", channel, code) if code else said
        return Route(channel=channel, text=zh(said) + drill)
    whole = [str(r.text) for d in those for r in d.routes if r.channel == channel]
    return Route(channel=channel, title=heading(those), text="\n\n".join([text, *whole]))


def _code(those: Sequence[Delivery]) -> str:
    return next((d.code for d in those if d.code), "")


def _merged(rules: Rules, those: list[Delivery], at: int) -> Delivery:
    """The one delivery that speaks for `those`, the highest first."""
    first = those[0]
    digest = hashlib.sha256("|".join(["merged", *(d.id for d in those)]).encode())
    name = digest.hexdigest()[:24]
    return msgspec.structs.replace(
        first,
        id=name,
        alert=f"{MERGED}{name}",
        version=1,
        level=max(d.level for d in those),
        msg_type="alert",
        routes=tuple(_route(rules, those, r.channel) for r in first.routes),
        queued_at=at,
        deadline_at=max(
            min(d.deadline_at for d in those), at + min(d.deadline_at - d.queued_at for d in those)
        )
        if any(d.not_before for d in those)
        else min(d.deadline_at for d in those),
        not_before=0,
        plain=(),  # its words compare with nothing
        was_level=Level.NONE,
        was_action=Action.NONE,
        expires_at=min(d.expires_at for d in those),
        must_answer=any(d.must_answer for d in those),
        code=_code(those),
        covers=tuple(d.id for d in those),
    )
