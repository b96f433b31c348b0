"""One person, one message at night: what raises nothing waits a while for what comes with it. Pure.

Within the policy's night a message to a person goes at once when it tells them of a place for the first time,
when it is worse than all they were told of the place (`dispatch.grade.Grade.rank`: an order to move is as
bad as a red), when it is a hazard's first order to move, a place's first red, an end, or asks them to
decide. Every other one waits `night_gather_s` and goes with whatever of that place goes before. What adds
nothing to what they know (a renewal, a fall, a colour that the place has by another hazard) waits for the
morning once they had `night_messages` of its level; but never past the moment at which what they were told
last runs out. Nothing is dropped: a waiting message is replaced by its warning's next version or goes out.

An order that the place was not told of never waits, to prepare as little as to move. What may wait asks for
nothing that is not being done: a colour below an order that stands, another hazard's lower colour, a fall.

Who is responsible for many places (`night_round_places`) is told by rounds: what is new of all of them goes as
one message each `night_round_s`, and at once what is worse than all they were told that night. An order to
move or a first red of one place more waits a minute at most, with all that waits. Each place has people of its
own, who are told at once. Another county's duty room has rounds as well.

Nothing waits until it has run out itself: it goes a minute before.
"""

from collections.abc import Callable, Sequence

import msgspec

from config.records.authority import Policy
from config.records.district import District
from config.records.level import Action, Level
from dispatch.address.recipients import DUTY_ROOM, MACHINES, Target, asked, internal_grade
from dispatch.grade import LEVEL_KEY, Grade
from dispatch.records import Alert
from dispatch.words.local_time import quiet_until

ORGANISATION = "organisation"  # the kind of contact that is another county's duty room or an office
_READ = (("sms",), ("app",), ("email",))
_BEFORE_END_MS = 60_000  # what runs out is said again so long before
_TOGETHER_MS = 60_000  # what comes in one minute is one round, after a while without any
_URGENT_MS = 60_000  # an order to move of one place more waits no longer
_STEPS = 6  # blue, yellow, orange or an order to prepare, red, each order for the first time


class NightOf(msgspec.Struct):
    """One person's night. until: its end (ms); made: messages so far; due: place -> when what waits of it
    goes. Of rounds, worst: all they were told of; round_at: when the last goes or went; round_due: when what
    waits goes, 0 for nothing."""

    until: int
    made: int = 0
    due: dict[str, int] = {}
    worst: Grade = Grade()
    round_at: int = 0
    round_due: int = 0


class Told(msgspec.Struct, frozen=True):
    """What a person was told: of the warning, of its place (other hazards too), None for nothing; until when
    the last word on the warning counts; and whether an order stands upstream, of which they know that people
    are to leave the water and get ready here."""

    own: Grade | None
    place: Grade | None
    expires_at: int = 0
    ready: bool = False


def is_worse(now: Grade, before: Grade) -> bool:
    """Is it as bad as nothing before was, or the first red, or does it ask for more than was asked for?"""
    red = now.level == Level.RED and before.level < Level.RED
    return red or now.rank[0] > before.rank[0] or now.action > before.action


def rises(now: Grade, told: Told) -> bool:
    """Must it go at once, whatever else waits?"""
    if told.ready and now.rank[0] <= Level.YELLOW and not now.action:
        return False  # people leave the water and get ready: such a colour goes with what comes next
    if told.place is None or is_worse(now, told.place):
        return True
    return now.action == Action.MOVE and (told.own is None or told.own.action < Action.MOVE)


def tonight(
    district: District,
    nights: dict[str, NightOf],
    alert: Alert,
    targets: Sequence[Target],
    known: Callable[[Target], Told],
) -> list[Target]:
    """The targets of a version, and until when what need not go at once waits. nights: who was told
    something this night. known: what each was told before. Machines, loudspeakers, the duty room and who
    is downstream wait for nothing, nor does an end or whoever is asked to decide."""
    policy, at = district.policy, alert.sent_at
    if not policy.night_gather_s or not quiet_until(policy.night, at, district.timezone):
        nights.clear()
        return list(targets)
    now = {t.recipient for t in asked(district, alert)}
    found = []
    for t in targets:
        person = t.channels[:1] not in MACHINES and t.recipient not in district.nodes
        person = person and t.recipient != DUTY_ROOM and t.yours is None
        if person and alert.msg_type != "cancel" and t.recipient not in now:
            outward = t.audience == "public"
            grade = Grade(alert.level, alert.action) if outward else internal_grade(alert)
            place, ends = (t.recipient, alert.area), alert.expires_at
            way = round_until if has_rounds(district, t.recipient, t.audience) else wait_until
            until = way(policy, district.timezone, nights, place, at, grade, known(t), ends)
            t = t._replace(not_before=max(t.not_before, until))
        found.append(t)
    return found


def _night_of(nights: dict[str, NightOf], who: str, at: int, end: int) -> NightOf:
    """Of somebody the night in which `at` lies; one that is over is begun anew, until `end`."""
    night = nights.get(who)
    if night is None or night.until <= at:
        night = nights[who] = NightOf(until=end)
    return night


def wait_until(
    policy: Policy,
    zone: str,
    nights: dict[str, NightOf],
    place: tuple[str, str],
    at: int,
    now: Grade,
    told: Told,
    ends: int,
) -> int:
    """Until when (ms) a message of `now`, made `at`, waits; 0: not at all. place: to whom, and of which area.
    ends: when (ms) the message itself runs out. Takes note of it in `nights`."""
    who, area = place
    end = quiet_until(policy.night, at, zone)
    if not (end and policy.night_gather_s):
        return 0
    night = _night_of(nights, who, at, end)
    waits = night.due.get(area, 0)
    if rises(now, told):
        night.due.pop(area, None)
        night.made += 1
        return 0
    until = at + policy.night_gather_s * 1000
    if not adds(now, told) and night.made >= most(policy, now):
        until = end
    until = min(until, _last_moment(ends, at))
    if told.expires_at > at:
        until = min(until, _last_moment(told.expires_at, at))
    if waits > at:
        until = min(until, waits)  # it goes with what waits already
    else:
        night.made += 1
    night.due[area] = until
    return until


def adds(now: Grade, told: Told) -> bool:
    """Does it say more than they know? A colour that the place has already, by another hazard, says nothing
    more where no order is new."""
    own, place = told.own or Grade(), told.place or Grade()
    if now.action > own.action:
        return True
    return now.level > max(own.level, place.level)


def has_rounds(district: District, recipient: str, audience: str) -> bool:
    """Is it somebody who is responsible for so many places that each night's news come by rounds? Or another
    county's duty room, which reads of as many of ours, and whose way in is a person's?"""
    policy, contact = district.policy, district.contacts.get(recipient)
    if contact is None:
        return False
    office = contact.kind == ORGANISATION
    if office != (audience == "public") or (office and contact.channels[:1] not in _READ):
        return False
    places = len(district.areas) if "*" in contact.areas else len(contact.areas)
    return bool(policy.night_round_s) and places >= policy.night_round_places


def round_until(
    policy: Policy,
    zone: str,
    nights: dict[str, NightOf],
    place: tuple[str, str],
    at: int,
    now: Grade,
    told: Told,
    ends: int,
) -> int:
    """As `wait_until`, for who is told by rounds. What asks for more of its place than they were told of it (an
    order to move) and its first red wait a minute at most."""
    who, end = place[0], quiet_until(policy.night, at, zone)
    night = _night_of(nights, who, at, end)
    worse, night.worst = is_worse(now, night.worst), night.worst | now
    if worse:  # and what waits goes with it
        night.made, night.round_at, night.round_due = night.made + 1, at, 0
        return 0
    waits = night.round_due > at
    due = night.round_due if waits else max(at + _TOGETHER_MS, night.round_at + policy.night_round_s * 1000)
    if is_urgent(now, told.place or Grade()):
        due = min(due, at + _URGENT_MS)
    due = min(due, _last_moment(ends, at))
    night.made += not waits
    night.round_due = night.round_at = due
    return due


def is_urgent(now: Grade, told: Grade) -> bool:
    """Is it a place's order to move, or its first red, of which nothing was told yet?"""
    moves = now.action == Action.MOVE and told.action < Action.MOVE
    return moves or (now.level == Level.RED and told.level < Level.RED)


def _last_moment(ends: int, at: int) -> int:
    """The last (ms) at which it can go before what ends then has ended; never before `at`."""
    return max(at, ends - _BEFORE_END_MS)


def most_in_rounds(policy: Policy, span_ms: int, urgent: int = 0) -> int:
    """How many messages somebody of many places may have between a night's first and last, so far apart: one a
    round, one whenever it is worse than all before, and one for each place's order to move and first red
    (urgent: so many of these), but of those no more than one a minute."""
    rounds = span_ms // (policy.night_round_s * 1000) + 1
    return rounds + _STEPS + min(urgent, span_ms // _URGENT_MS + 1)


def most(policy: Policy, grade: Grade) -> int:
    """How many messages a person may have in a night before one of this grade that adds nothing waits for
    the morning."""
    level = Level(max(grade.rank[0], Level.BLUE))
    return policy.night_messages.get(LEVEL_KEY[level], 1_000)


def highest(those: Sequence[Grade | None]) -> Grade | None:
    """All together; None where nothing was told."""
    known = [g for g in those if g is not None]
    found = Grade()
    for g in known:
        found |= g
    return found if known else None
