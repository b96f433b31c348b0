"""Who subscribed or left while address runs: they count from that moment, and hear at once what is in force
where they are. Pure."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from config.records.district import Contact, District
from config.records.level import Action
from dispatch.address.memory import AddressState
from dispatch.address.recipients import Target, deadline_ms, public
from dispatch.grade import Grade
from dispatch.people.signed_choices import dead_letter, remembered, verified, wrong
from dispatch.records import Alert, Delivery
from ingest.people.subscriber import OWN, Subscriber
from stream.records import DeadLetter

Joined = Mapping[str, Subscriber]


def with_joined(district: District, joined: Joined) -> District:
    """The district with everybody's newest choices. What the store held when this process began is older
    than what was heard since, or the same."""
    if not joined:
        return district
    people: dict[str, Contact] = dict(district.contacts)
    for name, last in joined.items():
        if not may_count(district, last):
            continue
        if last.areas:
            people[name] = last.contact()
        else:
            people.pop(name, None)
    return msgspec.structs.replace(district, contacts=people)


def may_count(district: District, person: Subscriber) -> bool:
    """Whether this record may change who is told: residents choose and leave by themselves; whoever answers
    for a place, or speaks for a unit, leaves the list by the duty room's erasing alone. district: as the list
    was when this process began."""
    known = district.contacts.get(person.id)
    if known is None or (known.role == "residents" and known.category in OWN):
        return True
    return person.way == "command" and not person.areas


def still_new(district: District, joined: Joined) -> dict[str, Subscriber]:
    """Of what was heard what the store, as it was read just now, does not say itself: the memory of it does
    not grow from start to start."""
    return {
        name: last
        for name, last in joined.items()
        if may_count(district, last)
        and verified(last, district.subscriber_key, district.id)
        and district.contacts.get(name) != (last.contact() if last.areas else None)
    }


def take_choice(
    district: District, state: AddressState, person: Subscriber, offset: int
) -> DeadLetter | None:
    """Remember this choice if whoever holds the contact store signed it and it is the newest; else what is to
    be kept of it. offset: where it stands in `alerts`."""
    clock = max(state.marks.values(), default=0)
    why = wrong(person, district.subscriber_key, district.id, state.newest, clock)
    if why is not None:
        return dead_letter(person, why, f"alerts/0/{offset}", max(clock, person.said_at))
    state.newest = remembered(state.newest, clock)
    state.newest[person.id] = person.said_at
    state.joined[person.id] = person
    return None


def in_force(alerts: Iterable[tuple[str, Alert | None]], person: Subscriber) -> Iterator[Alert]:
    """What public warnings were told last where this person is now, and hold."""
    for _, said in alerts:
        if said is None or said.expires_at <= person.said_at or said.msg_type == "cancel":
            continue
        if said.area in person.areas or "*" in person.areas:
            yield said


def as_joiner(district: District, alert: Alert, person: Subscriber) -> Target | None:
    """This person as a recipient of a warning that stands already, now; None where their choices do not ask
    for it. district: as the list is now."""
    if not may_count(district, person):
        return None
    alone = msgspec.structs.replace(district, contacts={person.id: person.contact()}, nodes={})
    now = msgspec.structs.replace(alert, sent_at=person.said_at)
    found = (t for t in public(alone, now, ()) if t.recipient == person.id)
    return next(found, None)


def begun_now(d: Delivery, person: Subscriber) -> Delivery:
    """The delivery of a standing warning as one of this moment."""
    at = max(person.said_at, d.not_before)
    most = Grade(d.level, d.action) | Grade(d.most_level, d.most_action or Action.NONE)
    deadline = min(at + deadline_ms(most), d.expires_at)
    return msgspec.structs.replace(
        d, queued_at=person.said_at, deadline_at=deadline, msg_type="alert"
    )
