"""A short message from a telephone: whose number it is, and what it says, into records. The number is
looked up and forgotten; what goes on names the opaque id. A stranger's goes to the duty room to be read,
with the number, kept as people's own words are (`ingest.people.kept_words`)."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from config.language import Text
from config.records.district import Contact, District
from dispatch.channels import CarrierWord
from dispatch.people.contact_store import ContactStore, digits_of
from dispatch.people.residents.desk import FAULTS, ResidentDesk
from dispatch.send.opening import Openings
from ingest.decode.phrases import meanings
from ingest.observation import PersonSays, Service
from ingest.people.kept_words import Keeper
from ingest.people.reports import People, Said, outs_of
from ingest.people.strangers import Strangers
from stream import metrics
from stream.limits import clean
from stream.log.port import Out
from stream.oplog import say
from stream.records import Rejected, encode

_AGAIN_S = 60.0  # a number that nobody has is looked for anew once in so long
_SIGN = 4  # characters of 【签名】 by which our own words are known; a quotation may be cut short
_NUMBER = 7  # figures of a telephone; a carrier's own services have fewer
_LONGEST = 40
_FIRST = ("responsible", "observer", "officer")  # of several with one number


class NotNow(Exception):
    """The contact store cannot be read now."""


class Inbound:
    """now: real seconds, for how often the list is read again. residents: who hears what subscribers write.
    live: of the run, as answers say."""

    def __init__(
        self,
        district: District,
        now: Callable[[], float] = time.monotonic,
        residents: ResidentDesk | None = None,
        *,
        live: bool = False,
    ) -> None:
        self._district, self._now, self._residents = district, now, residents
        self._openings = Openings(district, live)
        self._keeper = Keeper(district.vault)
        self._people = People(district, keep=self._keeper.put)
        self._strangers = Strangers(district, self._keeper.put)
        self._lock = threading.Lock()
        self._holders: dict[str, tuple[str, ...]] = {}
        self._read_at: float | None = None

    def outs(self, heard: CarrierWord, clock_at: int) -> list[Out]:
        """What the log is given for a message (`heard.sender`, `heard.text`). Raises `NotNow`."""
        where = f"carrier/{heard.channel}/{heard.carrier}"
        text = self._text(heard)
        if text is None:
            words = Text(
                "只引用了我们的话，不是来信", "it quotes our own words and says nothing else"
            )
            return outs_of([Rejected("our_words", words)], self._people, where, clock_at)
        if (opened := self._opened(heard.sender, text, clock_at)) is not None:
            return outs_of([opened], self._people, where, clock_at)
        answers, unsure = self._subscriptions(heard, text)
        if answers is not None and not unsure:
            return answers
        with self._lock:
            person = next(iter(self._holder(digits_of(heard.sender))), "")
            ident = heard.refs[0].rpartition("|")[2] if heard.refs else ""
            found: list[Said] = (
                self._people.text(person, text, ident, None, clock_at)
                if person
                else self._stranger(heard.sender, text, ident, clock_at)
            )
        if answers is not None:  # one answer is enough
            found = [x for x in found if not (isinstance(x, PersonSays) and x.what == "unclear")]
        found, asked = self._asked(found, clock_at)
        for one in found:
            if isinstance(one, Service):
                metrics.READINGS.labels("send", "service").inc()
            elif isinstance(one, PersonSays):
                metrics.READINGS.labels("send", one.what).inc()
            else:
                metrics.DEAD_LETTERS.labels("send", one.reason).inc()
        return [*(answers or []), *outs_of(found, self._people, where, clock_at), *asked]

    def _opened(self, sender: str, text: str, clock_at: int) -> PersonSays | None:
        """What a keeper's code lets through."""
        with self._lock:
            person = next(iter(self._holder(digits_of(sender))), "")
            return self._openings.granted(person, text, clock_at) if person else None

    def _asked(self, found: list[Said], clock_at: int) -> tuple[list[Said], list[Out]]:
        """Without what waits for a code, and the codes. Raises `NotNow`."""
        waits = [x for x in found if isinstance(x, PersonSays) and self._openings.asks(x)]
        try:
            codes = [d for x in waits for d in self._openings.ask(x, clock_at)]
        except FAULTS as e:
            raise NotNow(f"{type(e).__name__}") from e
        outs = [Out("deliveries", d.id, encode(d)) for d in (*codes, *self._openings.notices())]
        return [x for x in found if x not in waits], outs

    def _subscriptions(self, heard: CarrierWord, text: str) -> tuple[list[Out] | None, bool]:
        """What a resident's wish makes; None for whatever is no wish. A report of danger never is one, and
        what says more than was understood (True) goes its usual way too: it may be one in other words."""
        if self._residents is None:
            return None, False
        ident = heard.refs[0].rpartition("|")[2] if heard.refs else ""
        readings = (text,) if meanings(text) else dict.fromkeys((text, heard.text, *heard.instead))
        try:
            for reading in readings:
                if (
                    outs := self._residents.hear(heard.sender, reading, ident, later=True)
                ) is not None:
                    with self._lock:
                        self._read_at = None  # whoever came is known from now on
                    return outs, self._residents.unsure(reading)
        except FAULTS as e:
            raise NotNow(f"{type(e).__name__}") from e
        return None, False

    def kept(self) -> None:
        """The log has what was made of everything heard so far."""
        if self._residents is not None:
            try:
                self._residents.settle()
            except FAULTS as e:  # it is done with the next one, and codes end by themselves
                say("send", Text("联系人库：", "contact store: ") + type(e).__name__)

    def _stranger(self, sender: str, text: str, ident: str, clock_at: int) -> list[Said]:
        """A number that nobody on the list has. A sender without a number of some length is a service,
        and no person."""
        number = digits_of(sender)
        if len(number) < _NUMBER:
            return [*self._people.text("", text, ident, None, clock_at)]
        alias = self._keeper.alias(number)
        return [
            *self._strangers.text(alias, clean(sender.strip()[:_LONGEST]), text, ident, clock_at)
        ]

    def whose(self, numbers: Iterable[str]) -> frozenset[str]:
        """The ids of everybody who has one of these numbers."""
        with self._lock:
            return frozenset(i for n in numbers for i in self._holder(digits_of(n)))

    def _text(self, heard: CarrierWord) -> str | None:
        """What the person says: of several readings the first that is understood. Whatever follows our
        own signature is ours; None where nothing else is there."""
        ours = f"【{self._district.signature}"[:_SIGN] if self._district.signature else ""
        texts = [t.partition(ours)[0] if ours else t for t in (heard.text, *heard.instead)]
        if heard.text.strip() and not texts[0].strip():
            return None
        return next((t for t in texts if meanings(t)), texts[0])

    def _holder(self, digits: str) -> tuple[str, ...]:
        """Their ids, who speaks with it first; none for nobody's."""
        if digits in self._holders and digits:
            return self._holders[digits]
        now = self._now()
        if self._read_at is None or now >= self._read_at + _AGAIN_S:
            self._holders, self._read_at = self._numbers(), now
        return self._holders.get(digits, ()) if digits else ()

    def _numbers(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[Contact]] = {}
        for c in self._everybody():
            if digits := digits_of(c.phone):
                found.setdefault(digits, []).append(c)
        return {
            digits: tuple(c.id for c in sorted(some, key=lambda c: c.role not in _FIRST))
            for digits, some in found.items()
        }

    def _everybody(self) -> list[Contact]:
        contacts: Mapping[str, Contact] = self._district.contacts
        if self._district.vault is None:
            return list(contacts.values())
        try:
            with ContactStore(self._district.vault) as store:
                if self._residents is not None:
                    contacts = store.load()
                    self._people.know(contacts)
                whole = [_whole(store, i) for i in store.ids() if i in contacts]
        except (OSError, ValueError, sqlite3.Error) as e:  # the disk's fault, or the key's
            raise NotNow(f"{type(e).__name__}") from e
        return [c for c in whole if c is not None]


def _whole(store: ContactStore, ident: str) -> Contact | None:
    """A damaged row is nobody: the others are still known by their numbers."""
    try:
        return store.whole(ident)
    except (ValueError, msgspec.MsgspecError) as e:
        why = f"{ident}: {type(e).__name__}: fengsui contacts import"
        say("send", Text("联系人库：", "contact store: ") + why)
        return None
