"""Who is told of a warning version, as what, by which channels, and by when. Pure.

Responsible persons are told of everything; officers of what they are asked to decide; observers of
every internal notice; residents, loudspeakers and neighbouring counties of what is public. The
public feed gets what is public, the duty room everything. Who is responsible for an area into which
the water may go on is told too, until that area has a warning of its own.

A subscriber chooses areas, hazards, the least level, language, the order of channels and quiet hours.
The least level, hazards and quiet hours hold for colours below red only: red and every order reach
everybody of the area at once. Quiet hours delay what is public to residents and nothing else, and not
what follows upon a message that was loud: who was woken is also told that it is over.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from typing import NamedTuple

from config.records.district import Contact, District
from config.records.level import Action, Level
from dispatch.cap.neighbours import CHANNEL, RELEASE, RELEASE_PLATFORM, recipient, wants
from dispatch.geography.concerned import concerned
from dispatch.geography.downstream import Hit, areas_below, is_told
from dispatch.grade import Grade
from dispatch.records import Alert
from dispatch.words.compose import Kind, Role
from dispatch.words.local_time import day, quiet_until

CAP_FEED = "cap-feed"
DOWNSTREAM: Role = "downstream"
DUTY_ROOM = "duty-room"
PLATFORM = "broadcast_platform"
MACHINES = (("cap",), (CHANNEL,), (PLATFORM,), (RELEASE,))  # who get each warning by itself
# a loudspeaker wakes a whole village: from this colour on, and for every order
BROADCAST_FROM = Level.YELLOW
# a person must answer (叫应) from this colour on, and for every order
ANSWER_FROM = Level.ORANGE

# by when a recipient should be reached, minutes: the shorter of level and action
_DEADLINE_MIN = {Level.NONE: 30, Level.BLUE: 30, Level.YELLOW: 15, Level.ORANGE: 5, Level.RED: 3}
_ORDER_MIN = {Action.NONE: 30, Action.PREPARE: 5, Action.MOVE: 3}


_TOLD_INSIDE = ("responsible", "observer")
# warning -> recipient -> what it told them from upstream
Heard = Mapping[str, Mapping[str, Grade]]


class Target(NamedTuple):
    """One recipient of a version."""

    recipient: str
    audience: str  # internal or public
    kind: Kind
    role: Role
    channels: tuple[str, ...]
    lang: str = "zh"
    must_answer: bool = False
    category: str = ""  # config.records.district.Contact.kind
    not_before: int = 0  # epoch ms; 0: at once
    yours: Hit | None = None  # the nearest area of theirs in the way of the water


def deadline_ms(grade: Grade) -> int:
    """How long reaching somebody may take."""
    return 60_000 * min(_DEADLINE_MIN[grade.level], _ORDER_MIN[grade.action])


def internal_grade(alert: Alert) -> Grade:
    """What a notice is about: what the evidence asks for, or what is in force if that is more."""
    return Grade(alert.proposed_level, alert.proposed_action) | Grade(alert.level, alert.action)


def _concerns(contact: Contact, area: str) -> bool:
    return "*" in contact.areas or area in contact.areas


def is_loud(grade: Grade) -> bool:
    """What no choice of a subscriber holds back."""
    return bool(grade.action) or grade.level == Level.RED


def _is_public(contact: Contact, alert: Alert, zone: str) -> bool:
    """Is it somebody whom a public warning of this place concerns? A visitor's last day may be over."""
    if contact.role not in ("residents", "organisation") or not _concerns(contact, alert.area):
        return False
    return not contact.until or f"{day(alert.sent_at, zone)}" <= contact.until


def _wants(contact: Contact, grade: Grade) -> bool:
    return bool(grade.action) or grade.level >= contact.min_level


def _chose(contact: Contact, hazard: str, grade: Grade) -> bool:
    """The same for a resident, who may also choose hazards."""
    if is_loud(grade):
        return True
    return grade.level >= contact.min_level and (not contact.hazards or hazard in contact.hazards)


def internal(district: District, alert: Alert, told: Iterable[str]) -> list[Target]:
    """Who gets this version as an internal notice. told: who got an earlier one: they get all that
    follows, whatever their `min_level`."""
    known, asked = set(told), _asked(district, alert)
    grade = internal_grade(alert)
    answer = grade.level >= ANSWER_FROM or bool(grade.action)
    over = alert.msg_type == "cancel"  # who was told of nothing is told of no end
    found = [Target(DUTY_ROOM, "internal", "notice", "duty", ("console",))]
    for c in district.contacts.values():
        theirs = c.role in ("responsible", "observer") and _concerns(c, alert.area)
        if c.id in asked or (theirs and not over and _wants(c, grade)) or c.id in known:
            must = (c.role == "responsible" and answer) or c.id in asked
            must = must and not over
            role: Role = "observer" if c.role == "observer" else "responsible"
            found.append(Target(c.id, "internal", "notice", role, c.channels, c.lang, must, c.kind))
    return found


def asked(district: District, alert: Alert) -> list[Target]:
    """Who is asked to decide, when nothing else of the version is new."""
    return [
        Target(c.id, "internal", "notice", "responsible", c.channels, c.lang, True, c.kind)
        for c in map(district.contacts.get, sorted(_asked(district, alert)))
        if c is not None
    ]


def _asked(district: District, alert: Alert) -> set[str]:
    """Contacts of the officers who are asked to decide, or were passed over."""
    called = {o for q in alert.questions for o in q.called} | set(alert.notified)
    return {district.officers[o].contact for o in called if o in district.officers}


def below(
    district: District, alert: Alert, here: Collection[str], warned: Container[str], heard: Heard
) -> list[Target]:
    """Who is responsible for what lies downstream and has no warning of its own, when there is
    something new for them.

    here: who gets this version as responsible for the area itself. warned: areas with an open
    warning. heard: what each open warning told whom from upstream, this one's under its id."""
    own = heard.get(alert.id, {})
    if not own and not is_told(internal_grade(alert)):
        return []
    others = [told for name, told in heard.items() if name != alert.id]
    hits = [h for h in areas_below(district, alert.area, alert.hazard) if h.id not in warned]
    found: dict[str, Target] = {}
    # of all contacts, who may be many more than these
    people = [c for c in district.contacts.values() if c.role == "responsible" and c.id not in here]
    for hit in hits:
        for c in people:
            if c.id in found or not _concerns(c, hit.id):
                continue
            known = [told[c.id] for told in others if c.id in told]
            if _is_news(c, alert, own.get(c.id), known):
                target = Target(c.id, "internal", "notice", DOWNSTREAM, c.channels, c.lang)
                found[c.id] = target._replace(category=DOWNSTREAM, yours=hit)
    return list(found.values())


def _is_news(contact: Contact, alert: Alert, was: Grade | None, others: list[Grade]) -> bool:
    """For somebody downstream: it is high enough and above all they heard; or what they heard of it
    has fallen or ended, and no other warning upstream says the same."""
    grade = internal_grade(alert)
    if alert.msg_type == "cancel":
        return was is not None and not others
    if was is not None and was != grade and not grade.exceeds(was):
        return not others
    # a colour below an order that stands up there is nothing new for who is down here
    higher = all(grade.rank[:2] > g.rank[:2] for g in ([] if was is None else [was]) + others)
    return higher and is_told(grade) and _wants(contact, grade)


def units_of(district: District, alert: Alert) -> dict[str, str]:
    """Who is told for a unit that stands in the way (risks.csv), and of what kind it is: whatever areas they
    chose. A responsible person or observer of the area is told already."""
    found: dict[str, str] = {}
    for r in district.plans.risks.values():
        if not r.is_unit or r.area != alert.area or (r.hazards and alert.hazard not in r.hazards):
            continue
        for name in r.contacts:
            c = district.contacts.get(name)
            told = c is not None and c.role in _TOLD_INSIDE and _concerns(c, alert.area)
            if c is not None and c.role != "organisation" and not told:
                found.setdefault(name, r.kind)
    return found


def public(
    district: District, alert: Alert, told: Iterable[str], *, awake: bool = False
) -> list[Target]:
    """Who gets this version as a public warning; see `internal` for told. awake: this warning was
    loud once, so quiet hours hold back nothing more of it."""
    known = set(told)
    grade = Grade(alert.level, alert.action)
    over = alert.msg_type == "cancel"
    found = []
    if not over or CAP_FEED in known:
        found.append(Target(CAP_FEED, "public", "public", "duty", ("cap",)))
    if district.channels.release.connected and (not over or RELEASE_PLATFORM in known):
        found.append(Target(RELEASE_PLATFORM, "public", "public", "duty", (RELEASE,)))
    for n in concerned(district, alert.area, alert.status == "actual"):
        name = recipient(n.id)
        if name in known or (wants(n, grade) and not over):
            found.append(Target(name, "public", "public", "duty", (CHANNEL,)))
    loud_now = awake or is_loud(grade)
    loud = bool(grade.action) or grade.level >= BROADCAST_FROM
    for node in district.nodes.values():
        if node.area == alert.area and (node.id in known or (loud and not over)):
            found.append(Target(node.id, "public", "public", "duty", ("broadcast",)))
    units = units_of(district, alert)
    for c in district.contacts.values():
        unit = units.get(c.id, "")
        if not unit and not _is_public(c, alert, district.timezone):
            continue
        if c.role == "organisation":
            if c.id in known or (_wants(c, grade) and not over):
                # a broadcast platform is a voice for the village, not an office that is informed
                kind: Kind = "public" if PLATFORM in c.channels else "organisation"
                target = Target(c.id, "public", kind, "duty", c.channels, c.lang)
                found.append(target._replace(category=c.kind))
        elif c.id in known or (_chose(c, alert.hazard, grade) and not over):
            later = 0
            if c.quiet and not loud_now:
                later = quiet_until(c.quiet, alert.sent_at, district.timezone)
            found.append(
                Target(
                    c.id,
                    "public",
                    "public",
                    "duty",
                    c.channels,
                    c.lang,
                    category=unit or c.kind,
                    not_before=later,
                )
            )
    return found


def everybody(district: District, alert: Alert) -> list[Target]:
    """Whom this warning would reach if nobody had heard of any: an estimate, for who has a warning of
    their own when it goes is not told again from upstream."""
    inside = internal(district, alert, ())
    along = below(district, alert, {t.recipient for t in inside}, (), {})
    return [*public(district, alert, ()), *inside, *along]
