"""A person's message into records: who it is, which area it is about, what it says.

Pure but for the memory of the rate. Nothing of the person's own words goes on: a dead letter of a
person's message says how long it was and why nobody could read it.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from config.language import Text, text_of
from config.records.district import Area, Contact, District
from config.records.level import FACTS
from config.records.quantity import OF_PEOPLE
from ingest.decode.fact_time import fact_time, in_words
from ingest.decode.phrases import Meaning, hours_of, is_outburst, meanings, of_place, plain
from ingest.decode.service_words import LONGEST_MIN, Wish, wish
from ingest.identify import AHEAD_MS
from ingest.observation import PersonSays, Service
from ingest.people.sent import ReportIn, Sent, SmsIn, Way
from ingest.people.words.answer_code import answer_code, figures
from ingest.people.words.by_code import without_code
from ingest.people.words.field_words import going
from ingest.people.words.refusals import (
    A_FACT,
    A_GOER,
    A_KEEPER,
    A_MOVER,
    A_REPORT,
    A_TEXT,
    A_TIME,
    FACT_TIME,
    ONE_STATION,
)
from ingest.people.words.transfer_words import ways, witnessed
from stream.guard import letter
from stream.limits import Unreadable, clean, moment, read_json
from stream.log.port import Out
from stream.pace.rate_limit import RateLimit
from stream.records import Rejected, encode

JSON_BYTES = 16_000
A_MINUTE = 20  # messages of one person that are taken in
ANSWERS_DAY = 10  # of one person, to what is not understood: a machine answering answers ends there
AN_OFFICE = 10  # times as many: it speaks for many callers
OLD_MS = 2 * 3_600_000  # what was said longer ago is no news: the flood has come or gone
FACT_OLD_MS = 24 * 3_600_000  # a lake that burst before has no wave any more
_OURS = (("unclear", "sms"), ("words", "sms"), ("words", "app"))  # said of what nobody can read
OF_KEEPERS = ("staying", "closed", "opened")
OF_FIELD = ("out", "back")
HOW = ("", "shelter", "relatives", "upstairs")
SAYABLE = (*OF_PEOPLE, "moved", "help", "safe", "received", "witnessed", *OF_KEEPERS, *OF_FIELD)
CLOSED_H, CLOSED_MOST_H = 24, 72  # how long a closure holds, and the longest that one word makes it
_IDENT = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_MOST = 100_000
_SERVE = ("responsible", "observer", "officer")  # who may take a station out of judgement
_KEEPERS = ("camp", "tourist")  # categories of a site's own contact
_PROTECT = frozenset({"help", "closed", "report_flood", "report_debris_flow", "report_landslide"})
_sms = msgspec.json.Decoder(SmsIn)
_report = msgspec.json.Decoder(ReportIn)
_TOO_OFTEN = Text(f"每分钟至多 {A_MINUTE} 条", f"at most {A_MINUTE} a minute")
_HOURS = OLD_MS // 3_600_000
_TOO_OLD = Text(f"超过 {_HOURS} 小时：时钟对吗？", f"over {_HOURS} hours old: is the clock right?")
Said = PersonSays | Service | Rejected


class People:
    """Who may say something of which area: everybody on the contact list, of their own areas."""

    def __init__(
        self,
        district: District,
        *,
        exercise: bool = False,
        keep: Callable[[str, str, str, str, int], None] = lambda *_: None,
    ) -> None:
        """keep: where words that nobody can read are kept for the duty room (`ingest.people.kept_words`)."""
        self._exercise, self._keep = exercise, keep
        self._zone, self._opens_by_code = district.timezone, district.policy.opens_by_code
        self._coded = district.policy.proving.code
        self._moves = district.policy.proving.transfer
        self._field = district.policy.proving.check_back_min > 0
        self._contacts: Mapping[str, Contact] = district.contacts
        self._areas: Mapping[str, Area] = district.areas
        self.group: Mapping[str, str] = district.group_of_area
        self._recent = RateLimit(60_000)
        self._answers = RateLimit(24 * 3_600_000)
        self._things = {a: set(some) for a, some in district.stations_of_area.items()}
        for node in district.nodes.values():
            self._things.setdefault(node.area, set()).add(node.id)
        self._ids = {t.lower(): t for some in self._things.values() for t in some}
        self.partitions = range(district.partitions)

    def know(self, contacts: Mapping[str, Contact]) -> None:
        """Who may say something from now on: somebody subscribed, or left."""
        self._contacts = contacts

    def areas_of(self, person: str) -> tuple[str, ...]:
        """Ids; nothing for a stranger."""
        contact = self._contacts.get(person)
        if contact is None:
            return ()
        return tuple(self._areas) if "*" in contact.areas else contact.areas

    def times(self, person: str) -> int:
        """How many people's worth of messages may come from this one."""
        contact = self._contacts.get(person)
        return AN_OFFICE if contact is not None and contact.role == "organisation" else 1

    def written(self, sent: Sent, text: str, now: int) -> list[PersonSays | Rejected]:
        """What an office passes on in a caller's words: the area is named, or stands in the text. What
        is not understood goes to the duty room as it is."""
        text = clean(text)
        area = sent.area or self._named(self.areas_of(sent.person), plain(text))
        said = tuple(meanings(text, exercise=self._exercise)) or (Meaning("words"),)
        found = self.judge(self._of_fact(sent._replace(said=said, area=area), text, now), now)
        for one in found:
            if isinstance(one, PersonSays) and one.what == "words":
                self._keep(one.id, sent.person, one.area, text, now)
        return found

    def sms(self, person: str, payload: bytes, now: int) -> list[Said]:
        """`P/person/{person}/sms`: {"text": …, "id": the carrier's, "at": when it was sent}."""
        try:
            sent = read_json(payload, _sms, JSON_BYTES)
        except Unreadable as e:
            return [Rejected(e.reason, A_TEXT + _ours(e))]
        found = self.text(person, sent.text, sent.id, sent.at, now)
        return [without_code(x) for x in found] if self._opens_by_code else found

    def text(self, person: str, text: str, ident: str, at: Any, now: int) -> list[Said]:
        """The text of a short message. What is not understood is told three times: to the operators as
        a dead letter, and down the line to the duty room, which can read it as it is, and so that the
        sender gets an answer."""
        areas = self.areas_of(person)
        if not areas:
            return [nobody()]
        text = clean(text)
        urgent = any(m.what == "help" for m in meanings(text))
        asked_for = None if urgent else wish(text)
        if asked_for is not None and any(i in self._ids for i in asked_for.ids):
            ident = ident or hashlib.sha256(f"{text}|{at or now // 60_000}".encode()).hexdigest()
            return [self.service(person, asked_for, "sms", ident, now)]
        said = tuple(of_place(text) or meanings(text, exercise=self._exercise))
        area = self._named(areas, plain(text))
        names = tuple(self._areas[a].name for a in areas)
        code = answer_code(text, names) if self._coded else ""
        said = said or ((Meaning("received"),) if code else ())
        if not urgent:
            said = self._own_words(text, names) or said
        if not ident:  # the same words in another minute are another message
            ident = hashlib.sha256(f"{text}|{at or now // 60_000}".encode()).hexdigest()[:16]
        whole = Sent(person, "sms", said, area, ident, at, hours=hours_of(text), code=code)
        sent = self._of_fact(whole, text, now)
        found = self.judge(sent, now) if said and (area or self._placeless(sent)) else []
        if found and not isinstance(found[0], Rejected):
            return [*found]
        size = len(text)
        words = Text(
            f"看不懂，{size} 字：docs/people.md",
            f"not understood, {size} characters: docs/en/people.md",
        )
        why = Rejected("unclear", words)
        if said and not area:
            words = Text(
                f"没有写明自己的区，{size} 字",
                f"it does not say which of their areas, {size} characters",
            )
            why = Rejected("not_their_area", words)
        why = cast(Rejected, found[0]) if found else why
        if why.reason not in ("unclear", "not_their_area"):
            return [why]
        both: tuple[Meaning, ...] = (Meaning("words"), Meaning("unclear"))
        if not self._answers.lets(person, now, ANSWERS_DAY):
            both = (Meaning("words"),)  # it is read as before
        asked = self.judge(sent._replace(said=both, area=area or areas[0]), now)
        for one in asked:
            if isinstance(one, PersonSays) and one.what == "words":
                self._keep(one.id, person, one.area, text, now)
        # one that is refused otherwise (too many, too old) gets no answer
        return [why, *asked] if not isinstance(asked[0], Rejected) else [*asked]

    def _own_words(self, text: str, names: tuple[str, ...]) -> tuple[Meaning, ...]:
        """What the district's policy has a person say beside the rest: who goes out, how people moved."""
        if self._field and (gone := going(text, names)):
            return (Meaning(gone),)
        return tuple(ways(text, names) or witnessed(text, names)) if self._moves else ()

    def service(
        self, person: str, asked: Wish, way: Way, ident: str, now: int
    ) -> Service | Rejected:
        """One station or loudspeaker of their own areas, for hours at most: numbers can be forged, and
        a gauge that nobody judges warns nobody."""
        if person not in self._contacts:
            return nobody()
        things = {self._ids[i] for i in asked.ids if i in self._ids}
        if len(things) != 1 or not things <= set(self.serves(person)):
            return Rejected("not_their_area", ONE_STATION)
        if not 0 <= asked.minutes <= LONGEST_MIN:
            return Rejected(
                "bad_value",
                Text(f"minutes: 应为 0 … {LONGEST_MIN}", f"minutes: write 0 … {LONGEST_MIN}"),
            )
        if not self._in_time(person, (), now):
            return Rejected("too_many", _TOO_OFTEN)
        thing = things.pop()
        return Service(
            id=hashlib.sha256(f"{person}|{way}|{ident}|{thing}".encode()).hexdigest()[:16],
            thing=thing,
            by=person,
            said_at=now,
            until_at=now + asked.minutes * 60_000,
            reason=asked.reason,
            way=way,
        )

    def serves(self, person: str) -> list[str]:
        """Stations and loudspeakers that this person may take out of judgement."""
        contact = self._contacts.get(person)
        if contact is None or contact.role not in _SERVE:
            return []
        return sorted({t for a in self.areas_of(person) for t in self._things.get(a, ())})

    def goes_out(self, person: str) -> bool:
        """May this person say that they go out and are back, and is that looked after?"""
        contact = self._contacts.get(person)
        return self._field and contact is not None and contact.role in _SERVE

    def keeps(self, person: str) -> bool:
        """May this person say that a gully is closed, and how many stay tonight?"""
        contact = self._contacts.get(person)
        return contact is not None and (contact.role in _SERVE or contact.category in _KEEPERS)

    def report(self, person: str, payload: bytes, now: int) -> list[Said]:
        """`P/person/{person}/report`, of an app: {"id", "what", "area", "people", "time"}; or
        {"id", "what": "service", "thing", "minutes"}."""
        try:
            r = read_json(payload, _report, JSON_BYTES)
        except Unreadable as e:
            return [Rejected(e.reason, A_REPORT + _ours(e))]
        if r.what == "service":
            asked = Wish((r.thing.lower()[:40],), r.minutes, "维护")
            return [self.service(person, asked, "app", r.id or str(now // 60_000), now)]
        code = figures(r.code) if self._coded else ""
        sent = Sent(person, "app", (Meaning(r.what, r.people, r.how),), r.area, r.id, r.time, code=code)
        return [*self.told(sent, r.fact, r.happened, now)]

    def told(self, sent: Sent, fact: str, happened: str, now: int) -> list[PersonSays | Rejected]:
        """What a program reports, with a fact and its time, as `10:05` or RFC 3339. A time that cannot
        be is refused: whoever entered it can mend it."""
        if fact and fact not in FACTS:
            return [Rejected("bad_value", A_FACT)]
        try:
            at = fact_time(happened, now, self._zone)
        except ValueError as e:
            return [Rejected("bad_time", text_of(e))]
        if at > now or (at and at < now - FACT_OLD_MS):
            return [Rejected("bad_time", FACT_TIME)]
        return self.judge(sent._replace(fact=fact, happened_at=at), now)

    def _of_fact(self, sent: Sent, text: str, now: int) -> Sent:
        """With what a person's own words say of a dam or lake, and of when it gave way."""
        if "report_flood" not in [m.what for m in sent.said] or not is_outburst(text):
            return sent
        happened_at = in_words(plain(text), now, self._zone)
        return sent._replace(fact="dam_break", happened_at=happened_at)

    def judge(self, sent: Sent, now: int) -> list[PersonSays | Rejected]:
        """One record for each meaning, or one reason why not. A clock that is ahead is not believed:
        the time of receipt is taken, for a report of a flood must not be lost by it."""
        contact = self._contacts.get(sent.person)
        areas = self.areas_of(sent.person)
        if contact is None or not areas:
            return [nobody()]
        wrong = self._wrong(sent, areas)
        if wrong is not None:
            return [wrong]
        said_at = now if sent.at is None else moment(sent.at)
        if said_at is None:
            return [Rejected("bad_time", A_TIME)]
        if said_at < now - OLD_MS:
            return [Rejected("too_old", _TOO_OLD)]
        if said_at > now + AHEAD_MS:
            said_at = now
        if not self._in_time(sent.person, sent.said, now):
            return [Rejected("too_many", _TOO_OFTEN)]
        return [
            PersonSays(
                id=_id(sent, what + how, now),
                person=sent.person,
                role=contact.role,
                area=sent.area or ("" if self._placeless(sent) and len(areas) > 1 else areas[0]),
                what=what,  # type: ignore[arg-type]
                said_at=said_at,
                received_at=now,
                way=sent.way,
                people=people,
                photo=sent.photo,
                how=how,  # type: ignore[arg-type]  # one of HOW
                code=sent.code,
                fact=sent.fact  # type: ignore[arg-type]  # one of FACTS
                if what == "report_flood"
                else "",
                until_at=said_at + 3_600_000 * min(sent.hours or CLOSED_H, CLOSED_MOST_H)
                if what == "closed"
                else 0,
                happened_at=sent.happened_at if what == "report_flood" and sent.fact else 0,
            )
            for what, people, how in sent.said
        ]

    def _wrong(self, sent: Sent, areas: tuple[str, ...]) -> Rejected | None:
        if sent.ident and not _IDENT.fullmatch(sent.ident):
            return Rejected(
                "bad_value",
                Text("id: 字母、数字、. _ : -（1–64）", "id: letters, digits, . _ : - (1–64)"),
            )
        for what, people, how in sent.said:
            if how not in HOW or (how and what != "moved"):
                return Rejected("bad_value", A_MOVER)
            if what not in SAYABLE and (what, sent.way) not in _OURS:
                wanted = Text("what: 应为 ", "what: write one of ") + ", ".join(SAYABLE)
                return Rejected("bad_value", wanted)
            if what in OF_FIELD and not self.goes_out(sent.person):
                return Rejected("not_their_area", A_GOER)
            if what in OF_KEEPERS and not self.keeps(sent.person):
                return Rejected("not_their_area", A_KEEPER)
            if people is not None and not 0 <= people <= _MOST:
                return Rejected(
                    "bad_value", Text(f"people: 应为 0 … {_MOST}", f"people: write 0 … {_MOST}")
                )
        if self._placeless(sent) and not sent.area:
            return None
        if (sent.area and sent.area not in areas) or (not sent.area and len(areas) > 1):
            return Rejected(
                "not_their_area", Text("可报的区：", "theirs are ") + ", ".join(areas[:12])
            )
        return None

    def _in_time(self, person: str, said: Sequence[Meaning], now: int) -> bool:
        """What protects is counted apart, each by itself: whoever forges the sender of an SMS and writes
        without end keeps no cry for help, no report of danger and no closing from being heard."""
        apart = (m.what for m in said if m.what in _PROTECT)
        return self._recent.lets("|".join((person, *apart)), now, A_MINUTE * self.times(person))

    def _placeless(self, sent: Sent) -> bool:
        """A code says by itself what it answers; of who is out there a word counts without a place too."""
        said = {m.what for m in sent.said}
        field = said and said <= {*OF_FIELD, "safe"} and self.goes_out(sent.person)
        everywhere = "out" in said and "*" in self._contacts[sent.person].areas
        return (bool(field) and not everywhere) or (bool(sent.code) and said == {"received"})

    def _named(self, mine: tuple[str, ...], text: str) -> str:
        """The area that a text names, by id or name; the only one of a person who has one; "" if it
        is missing or somebody else's."""
        named = [
            a.id
            for a in sorted(self._areas.values(), key=lambda a: -len(a.name))
            if a.name in text or re.search(rf"(?<![a-z0-9]){a.id.lower()}(?![a-z0-9])", text)
        ]
        theirs = [a for a in named if a in mine]
        if theirs or named:
            return theirs[0] if theirs else ""
        return mine[0] if len(mine) == 1 else ""


def outs_of(found: Sequence[Said], people: People, where: str, now: int) -> list[Out]:
    """What the log is given. where: the topic or way, for dead letters; it holds opaque ids only."""
    outs = []
    for one in found:
        if isinstance(one, PersonSays):
            group = people.group.get(one.area) or min(people.group.values())
            outs.append(Out("observations", group, encode(one)))
            continue
        if isinstance(one, Service):  # a station may count in any partition
            value = encode(one)
            outs += [Out("observations", "service", value, p) for p in people.partitions]
            continue
        outs.append(letter(now, where, one))
    return outs


def _ours(e: Unreadable) -> Text | str:
    """The place in our own form; the parser's other words may hold a person's."""
    return e.words if isinstance(e.__cause__, msgspec.ValidationError) else e.reason


def nobody() -> Rejected:
    words = Text("联系人库中没有：fengsui contacts", "not in the contact store: fengsui contacts")
    return Rejected("unknown_person", words)


def _id(sent: Sent, what: str, now: int) -> str:
    """The same message again has the same id; one without an id of its own is told by its minute."""
    own = sent.ident or f"{sent.area}|{sent.at or now // 60_000}"
    text = f"{sent.person}|{sent.way}|{own}|{what}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
