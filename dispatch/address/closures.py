"""Which gullies and sites are closed 封沟, as whoever keeps them said, and who of those who subscribed there
was told of it: once when it begins, once when it ends. Pure.

A closure is renewed without a word. A place that is closed again and again tells of it `MOST` times a day: a
keeper who cannot decide, or whose telephone somebody else holds, is no reason to send a village twenty
messages. Whoever was told that it began is always told that it is over.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from config.language import Text, choose
from config.records.district import Contact, District
from dispatch.notices import RESIDENT, drill_mark, person_notice
from dispatch.records import Alert, Delivery
from dispatch.words.closed_place import closed_words
from dispatch.words.local_time import day, local, quiet_until
from dispatch.words.sms_length import person_route
from ingest.observation import PersonSays
from ingest.people.subscriber import Subscriber

MOST = 3  # closures of one place a day that are told
_DAY_MS = 86_400_000
_END_VALID_MS = 6 * 3_600_000
_WITHIN_MS = 30 * 60_000
_WAYS = ("sms", "app")  # a message wakes nobody as a call does


class ClosedPlace(msgspec.Struct):
    """id: of the word that closed it. until_at: 0: open. word: when the newest came, and whether it closes.
    told: who knows of this closure. begun: when closures of the last day were told."""

    id: str = ""
    until_at: int = 0
    word: tuple[int, bool] = (0, False)
    told: list[str] = []
    begun: list[int] = []


Closures = dict[str, ClosedPlace]


def is_closed(closures: Closures, area: str, at: int) -> bool:
    """Is it closed at this moment?"""
    return area in closures and closures[area].until_at > at


def of_keeper(
    district: District,
    closures: Closures,
    says: PersonSays,
    live: bool,
    said: Iterable[Alert | None],
) -> list[Delivery]:
    """What somebody's word has us tell, where it closes or opens a place. said: of each warning that is open,
    what was told of it last."""
    if says.what not in ("closed", "opened") or says.area not in district.areas:
        return []
    place = closures.setdefault(says.area, ClosedPlace())
    at, word = says.received_at, (says.said_at, says.what == "closed")
    warned = any(a is not None and a.area == says.area for a in said)
    if word <= place.word:
        closed = says.what == "opened" and place.word[1] and place.until_at > at
        return _still_closed(district, says, place, at, live) if closed else []
    place.word = word
    if says.what == "opened":
        return _over(district, says.area, place, at, live, warned, lapsed=False)
    renewed, place.until_at = place.until_at > 0, max(says.until_at, 0)
    if renewed:
        return []
    place.id, place.told = says.id, []
    place.begun = [b for b in place.begun if b > at - _DAY_MS]
    if place.until_at <= at or len(place.begun) >= MOST:
        return []
    place.begun.append(at)
    return _begins(district, says.area, place, district.contacts.values(), at, live)


def _still_closed(
    district: District, says: PersonSays, place: ClosedPlace, at: int, live: bool
) -> list[Delivery]:
    """To who opened a place that somebody closed after they had wished for it; once a closure."""
    keeper, here = district.contacts.get(says.person), district.areas[says.area]
    if keeper is None:
        return []
    since = local(place.word[0], district.timezone, "%H:%M")
    words = Text(
        f"{here.name}没有开：{since}有人封沟，仍然封着。看过确实安全，再发“{here.name} 开沟”。",
        f"{here.name_en} is NOT open: it was closed at {since}. If it is safe, ask to open it again.",
    )
    end_at = at + _END_VALID_MS
    return [_message(district, keeper, place, words, at, end_at, live, version=1)]


def lapsed(
    district: District, closures: Closures, areas: Iterable[str], at: int, live: bool
) -> list[Delivery]:
    """Of these areas what is over because nobody said it again."""
    found = []
    for area in areas:
        place = closures.get(area)
        if place is not None and 0 < place.until_at <= at:
            found += _over(district, area, place, at, live, True, lapsed=True)
    return found


def for_joiner(
    district: District, closures: Closures, person: Subscriber, live: bool
) -> list[Delivery]:
    """What who has just subscribed is told of their places."""
    found = []
    for area, place in closures.items():
        if place.until_at > person.said_at and area in district.areas and person.areas:
            those = [person.contact()]
            found += _begins(district, area, place, those, person.said_at, live)
    return found


def _begins(
    district: District, area: str, place: ClosedPlace, those: Iterable[Contact], at: int, live: bool
) -> list[Delivery]:
    here = district.areas[area]
    until, phone = local(place.until_at, district.timezone), here.phone or district.hotline
    words = Text(
        f"{here.name}：{closed_words(here, 'zh')}。到 {until}，可能延长。电话{phone}。",
        f"{here.name_en}: {closed_words(here, 'en')}. Until {until} or longer. Call {phone}.",
    )
    found = []
    for c in those:
        if c.id not in place.told and _there(district, c, area, at):
            place.told.append(c.id)
            found.append(_message(district, c, place, words, at, place.until_at, live, version=1))
    return found


def _over(
    district: District,
    area: str,
    place: ClosedPlace,
    at: int,
    live: bool,
    warned: bool,
    *,
    lapsed: bool,
) -> list[Delivery]:
    here = district.areas[area]
    phone = here.phone or district.hotline
    words = Text(f"{here.name}：封闭已解除。", f"{here.name_en}: no longer closed.")
    if lapsed:  # nobody looked: it says no more than that
        words = Text(
            f"{here.name}：封闭到时，没有人报延长。进去之前先打电话问。",
            f"{here.name_en}: the closure ran out and nobody renewed it. Call before you go in.",
        )
    elif warned:
        words += Text("预警仍然有效，先不要进去。", " A warning is in force: keep out.")
    words += Text(f"电话{phone}。", f" Call {phone}.")
    known = [district.contacts[i] for i in place.told if i in district.contacts]
    place.until_at, place.told = 0, []
    end_at = at + _END_VALID_MS
    return [_message(district, c, place, words, at, end_at, live, version=2) for c in known]


def _there(district: District, c: Contact, area: str, at: int) -> bool:
    if c.role != "residents" or not ("*" in c.areas or area in c.areas):
        return False
    return not c.until or f"{day(at, district.timezone)}" <= c.until


def _message(
    district: District,
    c: Contact,
    place: ClosedPlace,
    words: Text,
    at: int,
    expires_at: int,
    live: bool,
    *,
    version: int,
) -> Delivery:
    said = choose(drill_mark(live) + words, c.lang)
    title = choose(Text("封沟", "Closed places"), c.lang)
    routes = tuple(
        person_route(w, district.signature, said, "" if w == "sms" else title)
        for w in c.channels
        if w in _WAYS
    )
    later = quiet_until(c.quiet, at, district.timezone) if c.quiet else 0
    end_at = max(expires_at, later + _END_VALID_MS) if version > 1 else expires_at
    return person_notice(
        hashlib.sha256(f"closure|{place.id}|{version}|{c.id}".encode()).hexdigest()[:16],
        f"{RESIDENT}closure:{place.id}",
        c.id,
        routes,
        at,
        live=live,
        within_ms=_WITHIN_MS,
        expires_at=end_at,
        lang=c.lang,
        version=version,  # the end replaces a beginning that waits for the end of quiet hours
        category=c.kind,
        not_before=later,
    )
