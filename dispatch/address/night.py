"""One person, one message at night: what raises nothing waits a while for what comes with it. Pure.

Within the policy's night a message to a person goes at once when it tells them of a place for the first time,
when it is worse than all they were told of the place (`dispatch.grade.Grade.rank`: an order to move is as
bad as a red), when it is a hazard's first order to move, a place's first red, an end, or asks them to
decide. Every other one waits `night_gather_s` and goes with whatever of that place goes before. What adds
nothing to what they know (a renewal, a fall) waits for the morning once they had `night_messages` of its
level; but never past the moment at which what they were told last runs out. Nothing is dropped: a waiting
message is replaced by its warning's next version or goes out.

An order that the place was not told of never waits, to prepare as little as to move. What may wait asks for
nothing that is not being done: a colour below an order that stands, another hazard's lower colour, a fall.

Who is responsible for many places (`night_round_places`) is told by rounds: what is new of all of them goes as
one message each `night_round_s`, and at once what is worse than all they were told that night. Each place has
people of its own, who are told at once. Another county's duty room has rounds as well.
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
    """What a person was told: of the warning, of its place (other hazards too), None for nothing; and until
    when the last word on the warning counts."""

    own: Grade | None
    place: Grade | None
    expires_at: int = 0


def is_worse(now: Grade, before: Grade) -> bool:
    """Is it as bad as nothing before was, or the first red, or does it ask for more than was asked for?"""
    red = now.level == Level.RED and before.level < Level.RED
    return red or now.rank[0] > before.rank[0] or now.action > before.action


def rises(now: Grade, told: Told) -> bool:
    """Must it go at once, whatever else waits?"""
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
            place = (t.recipient, alert.area)
            if has_rounds(district, t.recipient, t.audience):
                until = round_until(policy, district.timezone, nights, t.recipient, at, grade)
            else:
                until = wait_until(policy, district.timezone, nights, place, at, grade, known(t))
            t = t._replace(not_before=max(t.not_before, until))
        found.append(t)
    return found


def wait_until(
    policy: Policy,
    zone: str,
    nights: dict[str, NightOf],
    place: tuple[str, str],
    at: int,
    now: Grade,
    told: Told,
) -> int:
    """Until when (ms) a message of `now`, made `at`, waits; 0: not at all. place: to whom, and of which area.
    Takes note of it in `nights`."""
    who, area = place
    end = quiet_until(policy.night, at, zone)
    if not (end and policy.night_gather_s):
        return 0
    night = nights.get(who)
    if night is None or night.until <= at:
        night = nights[who] = NightOf(until=end)
    waits = night.due.get(area, 0)
    if rises(now, told):
        night.due.pop(area, None)
        night.made += 1
        return 0
    until = at + policy.night_gather_s * 1000
    adds = now.exceeds(told.own or Grade())
    if not adds and night.made >= most(policy, now):
        until = end
    if told.expires_at > at:
        until = min(until, max(at, told.expires_at - _BEFORE_END_MS))
    if waits > at:
        until = min(until, waits)  # it goes with what waits already
    else:
        night.made += 1
    night.due[area] = until
    return until


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
    policy: Policy, zone: str, nights: dict[str, NightOf], who: str, at: int, now: Grade
) -> int:
    """Until when (ms) a message of `now`, made `at`, waits for its round; 0: not at all. Takes note of it in
    `nights`."""
    end = quiet_until(policy.night, at, zone)
    night = nights.get(who)
    if night is None or night.until <= at:
        night = nights[who] = NightOf(until=end)
    worse, night.worst = is_worse(now, night.worst), night.worst | now
    if worse:  # and what waits goes with it
        night.made, night.round_at, night.round_due = night.made + 1, at, 0
        return 0
    if night.round_due <= at:
        night.round_due = max(at + _TOGETHER_MS, night.round_at + policy.night_round_s * 1000)
        night.made, night.round_at = night.made + 1, night.round_due
    return night.round_due


def most_in_rounds(policy: Policy, span_ms: int) -> int:
    """How many messages somebody of many places may have between a night's first and last, so far apart: one a
    round, and one whenever it is worse than all before."""
    return span_ms // (policy.night_round_s * 1000) + 1 + _STEPS


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
