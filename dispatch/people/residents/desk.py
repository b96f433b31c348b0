"""What becomes of a resident's wish: a code to the number, and when it comes back, the choice into the contact
store and down the line. For the public page and for short messages alike.

A number counts for nothing until its code came back. Whoever asks learns nothing of a number: a number that
is known, is not, or has had its share is answered alike.
"""

import hashlib
import hmac
import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import msgspec

from config.language import Text
from config.records.district import Contact, District
from config.records.level import Level
from dispatch.people.contact_store import ASKED, ContactStore, digits_of
from dispatch.people.erase import Held, erase
from dispatch.people.residents import texts
from dispatch.people.residents.allowance import (
    CODE_MS,
    CODES_DAY,
    HOST_DAY,
    NUMBER_DAY,
    TRIES,
    Allowance,
    Limit,
    Waiting,
)
from dispatch.people.residents.message import message
from dispatch.people.residents.villages import MOST, Villages
from dispatch.people.residents.words import CODE_DIGITS, Wanted, asks, is_mobile
from dispatch.people.signed_choices import signed
from dispatch.words.local_time import day
from ingest.people.subscriber import OWN, Subscriber, chosen
from stream import metrics
from stream.log.port import Out
from stream.records import encode

Way = Literal["page", "sms"]


class Wish(msgspec.Struct, frozen=True):
    """What is to be once the code came back. leave: no more of these areas; (): of any."""

    areas: tuple[str, ...]
    lang: Literal["zh", "en"]
    quiet: str = ""
    until: str = ""  # of a visitor
    leave: bool = False


class Done(NamedTuple):
    """What came of a code: outs for the log, and with what holds now the areas. gone: who is to be erased once
    the log has it (`ResidentDesk.finish`): address has to know first."""

    state: Literal["wrong", "subscribed", "left"]
    outs: tuple[Out, ...] = ()
    areas: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


FAULTS = (OSError, ValueError, sqlite3.Error)  # what a store that cannot be used raises
_wish = msgspec.json.Decoder(Wish)


class ResidentDesk:
    """district: of a run, with its vault. clock: the run's, ms, which records carry; wall: the real one, by
    which codes end and days are counted. Methods raise OSError, sqlite3.Error and ValueError where the store
    cannot be read or written."""

    def __init__(
        self, district: District, live: bool, clock: Callable[[], int], wall: Callable[[], int]
    ) -> None:
        assert district.vault is not None
        self._district, self._live, self._folder = district, live, district.vault
        self._clock, self._wall = clock, wall
        self.villages = Villages(district)
        self._day = district.channels.residents_sms_day
        self._lock = threading.RLock()
        # what is granted and not in the log yet: its id, whom to erase then, and the row of their last answer
        self._after: list[tuple[str, Done, str]] = []

    def ask(self, number: str, wish: Wish, host: str) -> tuple[str, list[Out]]:
        """Of the page: what waits for its code, and the message with it. The id says nothing of whether one
        goes out. Raises `Often` where this address has asked too much."""
        now, ident, number = self._wall(), secrets.token_hex(16), digits_of(number)
        with self._lock, ContactStore(self._folder) as store, _shared(self._folder) as share:
            self._sweep(store, share, now)
            mark = store.mark(number)
            if share.lets([Limit("host", store.mark_of(host), HOST_DAY)], now):
                raise Often
            if wish.leave and not self._own(store, number):
                return ident, []  # nobody's phone rings for a number that is not there
            limits = [
                Limit("code", mark, CODES_DAY),
                Limit("number", mark, NUMBER_DAY),
                Limit(
                    "page", "", self._day - self._day // 4
                ),  # whoever writes by SMS has a share too
                Limit("all", "", self._day),
            ]
            if full := share.lets(limits, now):
                metrics.RESIDENTS.labels("page", f"full_{full}").inc()
                return ident, []
            metrics.RESIDENTS.labels("page", "code").inc()
            return ident, self._coded(store, share, number, wish, ident, now)

    def confirm(self, ident: str, code: str, host: str) -> Done:
        """Of the page. The outs are to be in the log before anybody is told, then `finish`. Raises `Often`."""
        now = self._wall()
        with self._lock, ContactStore(self._folder) as store, _shared(self._folder) as share:
            if share.lets([Limit("tries", store.mark_of(host), HOST_DAY)], now):
                raise Often
            w = share.waits(ident, now)
            asked = store.whole(ASKED + ident) if w is not None else None
            if w is None or asked is None or not self._right(share, w, asked, code):
                metrics.RESIDENTS.labels("page", "wrong_code").inc()
                return Done("wrong")
            return self._granted(store, w, asked, "page")

    def finish(self, ident: str, done: Done) -> None:
        """What was confirmed is in the log: it waits no more, and whoever left is erased."""
        with self._lock, ContactStore(self._folder) as store, _shared(self._folder) as share:
            self._erase(store, done.gone)
            share.done(ident)
            store.drop([ASKED + ident])

    def hear(self, number: str, text: str, ident: str, *, later: bool = False) -> list[Out] | None:
        """A short message from a telephone; None where it asks for nothing here and goes its usual way.
        ident: the carrier's, "" none: the same again is answered once. later: `settle` is called once the log
        has it; until then the same code may come again, after a crash too, and makes the same."""
        asked = asks(text, self.villages.known)
        if asked is None or not is_mobile(number):
            return None
        now, number = self._wall(), digits_of(number)
        with self._lock, ContactStore(self._folder) as store, _shared(self._folder) as share:
            self._sweep(store, share, now)
            mark = store.mark(number)
            waiting = share.of_mark(mark, now)
            if asked.kind == "code" and not waiting:
                return None
            limits = [Limit("number", mark, NUMBER_DAY), Limit("all", "", self._day)]
            if share.lets(limits, now):
                metrics.RESIDENTS.labels("sms", "full").inc()
                return []  # a machine that answers our answers is left alone
            metrics.RESIDENTS.labels("sms", asked.kind).inc()
            key = hashlib.sha256(
                f"{mark}|{ident or f'{text}|{now // 60_000}'}".encode()
            ).hexdigest()
            if asked.kind == "code":
                outs = self._code(store, share, number, asked, waiting, key, now)
                if not later:
                    self._settle(store, share)
                return outs
            return self._asked(store, share, number, asked, key, now)

    def settle(self) -> None:
        """What was heard is in the log: codes that came wait no more, and whoever left is erased."""
        if self._after:
            with self._lock, ContactStore(self._folder) as store, _shared(self._folder) as share:
                self._settle(store, share)

    def _settle(self, store: ContactStore, share: Allowance) -> None:
        while self._after:
            ident, done, answered = self._after[0]
            row = store.whole(answered) if answered else None
            self._erase(store, done.gone)  # and what was asked of the number
            store.put([] if row is None else [row])  # the last answer is still to go
            share.done(ident)
            store.drop([ASKED + ident])
            del self._after[0]

    def unsure(self, text: str) -> bool:
        """Whether a wish says more than was understood: it may be a report in words that nobody foresaw."""
        asked = asks(text, self.villages.known)
        return asked is not None and asked.unsure(self.villages.known)

    def ended(self) -> list[Out]:
        """Visitors whose last day is over leave the list; numbers whose code is over are forgotten, and
        those of which nothing waits any more: a crash or an old copy of the store left them."""
        with self._lock, ContactStore(self._folder) as store, _shared(self._folder) as share:
            self._sweep(store, share, self._wall())
            store.drop(sorted(set(store.asked()) - {ASKED + i for i in share.ids()}))
            today = f"{day(self._clock(), self._district.timezone)}"
            gone = [c for c in store.load().values() if c.until and c.until < today]
            self._erase(store, [c.id for c in gone])
            return [self._left(store, c, "time") for c in gone]

    def _asked(
        self, store: ContactStore, share: Allowance, number: str, asked: Wanted, key: str, now: int
    ) -> list[Out]:
        own = self._own(store, number)
        lang = own[0].lang if own else "zh"
        if asked.kind == "how":
            return self._answer(store, share, number, key, texts.HOW, lang)
        if asked.kind == "subscribe":
            found = texts.meant(self.villages, asked.about)
            if isinstance(found, Text):
                return self._answer(store, share, number, key, found, lang)
            wish = Wish(found, lang, own[0].quiet if own else "")
            return self._coded(store, share, number, wish, key[:32], now)
        if not own:
            listed = any(not i.startswith(ASKED) for i in store.with_number(number))
            words = texts.listed(self._district.hotline) if listed else texts.NONE_YET
            return self._answer(store, share, number, key, words, lang)
        if asked.kind == "leave":
            named = texts.meant(self.villages, asked.about) if asked.about else ()
            areas = () if isinstance(named, Text) else named
            return self._coded(store, share, number, Wish(areas, lang, leave=True), key[:32], now)
        if asked.kind == "language" and asked.lang is None:
            return self._answer(store, share, number, key, texts.NO_LANGUAGE, lang)
        if asked.kind == "hours" and asked.quiet is None:
            return self._answer(store, share, number, key, texts.NO_HOURS, lang)
        outs: list[Out] = []
        quiet = own[0].quiet if asked.quiet is None else asked.quiet
        for c in own:
            new = msgspec.structs.replace(c, lang=asked.lang or c.lang, quiet=quiet)
            outs += self._put(store, new, "sms")
        return [
            *outs,
            *self._answer(store, share, number, key, texts.changed(quiet), asked.lang or lang),
        ]

    def _coded(
        self, store: ContactStore, share: Allowance, number: str, wish: Wish, ident: str, now: int
    ) -> list[Out]:
        """The number and its code into the store, what is wished beside it, and the message."""
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        waiting = Waiting(ident, store.mark(number), msgspec.json.encode(wish), 0, now + CODE_MS)
        if share.wait(waiting):
            store.put([self._nobody(ident, number, code, wish.lang)])
        areas = wish.areas or tuple({a for c in self._own(store, number) for a in c.areas})
        named = [self._district.areas[a] for a in sorted(areas) if a in self._district.areas]
        words = texts.code(named, leave=wish.leave)
        return [self._sms(ASKED + ident, ident, words, wish.lang, CODE_MS)]

    def _code(
        self,
        store: ContactStore,
        share: Allowance,
        number: str,
        asked: Wanted,
        waiting: Sequence[Waiting],
        key: str,
        now: int,
    ) -> list[Out]:
        """A code that came by SMS: of whatever waits for this number."""
        lang: Literal["zh", "en"] = "zh"
        for w in waiting:
            row = store.whole(ASKED + w.id)
            if row is not None and hmac.compare_digest(row.name, asked.code):
                done, gone = self._granted(store, w, row, "sms"), list[Out]()
                if done.state == "left":
                    gone = self._answer(store, share, number, key, texts.GONE, row.lang)
                self._after.append((w.id, done, ASKED + _answer_id(key) if gone else ""))
                return [*done.outs, *gone]
            lang = row.lang if row else lang
        share.tried(waiting[0].id)
        assert now
        return self._answer(store, share, number, key, texts.WRONG_CODE, lang)

    def _right(self, share: Allowance, w: Waiting, asked: Contact, code: str) -> bool:
        right = hmac.compare_digest(asked.name.encode(), digits_of(code).encode())
        if not right:
            share.tried(w.id)
        return right

    def _granted(self, store: ContactStore, w: Waiting, asked: Contact, way: Way) -> Done:
        """The wish of a number that is proved."""
        wish, number = _wish.decode(w.wish), asked.phone
        outs: list[Out] = []
        own = self._own(store, number)
        if wish.leave:
            return self._granted_leave(store, wish, own, way)
        same = next((c for c in own if bool(c.until) == bool(wish.until)), None)
        before = same.areas if same else ()
        areas = tuple(dict.fromkeys((*wish.areas, *before)))[:MOST]
        new = Contact(
            id=same.id if same else self._new_id(store),
            name=same.name if same else "",
            role="residents",
            areas=areas,
            lang=wish.lang,
            channels=same.channels if same else ("sms",),
            min_level=same.min_level if same else Level.BLUE,
            phone=number,
            app=same.app if same else "",
            email=same.email if same else "",
            category="tourist" if wish.until else (same.category if same else ""),
            hazards=same.hazards if same else (),
            quiet=wish.quiet,
            people=same.people if same else 1,
            until=wish.until,
        )
        outs += self._put(store, new, way)
        named = [self._district.areas[a] for a in areas if a in self._district.areas]
        words = texts.subscribed(named, wish.quiet, wish.until)
        outs.append(self._sms(new.id, f"{w.id}+", words, wish.lang, 6 * 3_600_000))
        metrics.RESIDENTS.labels(way, "subscribed").inc()
        return Done("subscribed", tuple(outs), areas)

    def _granted_leave(
        self, store: ContactStore, wish: Wish, own: Sequence[Contact], way: Way
    ) -> Done:
        outs: list[Out] = []
        gone: list[str] = []
        for c in own:
            left = tuple(a for a in c.areas if wish.areas and a not in wish.areas)
            if left:
                outs += self._put(store, msgspec.structs.replace(c, areas=left), way)
            else:
                outs.append(self._left(store, c, way))
                gone.append(c.id)
        metrics.RESIDENTS.labels(way, "left").inc()
        return Done("left", tuple(outs), wish.areas, tuple(gone))

    def _own(self, store: ContactStore, number: str) -> list[Contact]:
        """Whoever of this number may choose and leave by themselves."""
        found = (store.whole(i) for i in store.with_number(number) if not i.startswith(ASKED))
        return [c for c in found if c is not None and c.role == "residents" and c.category in OWN]

    def _put(self, store: ContactStore, c: Contact, way: Way) -> list[Out]:
        store.put([c])
        return [self._record(store, chosen(c, self._clock(), way))]

    def _left(self, store: ContactStore, c: Contact, way: Literal["page", "sms", "time"]) -> Out:
        return self._record(store, chosen(c, self._clock(), way, left=True))

    def _erase(self, store: ContactStore, names: Sequence[str]) -> None:
        """Whoever leaves is erased; in records that a lock holds they stay, without areas."""
        for name in names:
            try:
                erase(self._folder, [name], self._wall())
            except Held:
                c = store.whole(name)
                store.put([] if c is None else [msgspec.structs.replace(c, areas=())])

    def _record(self, store: ContactStore, s: Subscriber) -> Out:
        return Out("cases", s.id, encode(signed(s, store.signing_key, self._district.id)))

    def _new_id(self, store: ContactStore) -> str:
        there = {*store.ids(), *store.erased()}
        while (made := f"S-{secrets.token_hex(5)}") in there:
            pass
        return made

    def _nobody(self, ident: str, number: str, code: str, lang: Literal["zh", "en"]) -> Contact:
        """A number that is nobody's yet."""
        return Contact(
            id=ASKED + ident, name=code, role="residents", areas=(), lang=lang, channels=("sms",),
            min_level=Level.BLUE, phone=number,
        )  # fmt: skip

    def _answer(
        self,
        store: ContactStore,
        share: Allowance,
        number: str,
        key: str,
        words: Text,
        lang: Literal["zh", "en"],
    ) -> list[Out]:
        """To a number of which nobody need be known; it is forgotten with what waits."""
        ident = _answer_id(key)
        until = self._wall() + CODE_MS
        if share.wait(Waiting(ident, "", b"", TRIES, until)):
            store.put([self._nobody(ident, number, "", lang)])
        return [self._sms(ASKED + ident, ident, words, lang, CODE_MS)]

    def _sms(self, to: str, key: str, words: Text, lang: Literal["zh", "en"], valid_ms: int) -> Out:
        d = message(self._district, self._live, to, key, words, lang, self._clock(), valid_ms)
        return Out("deliveries", d.id, encode(d))

    def _sweep(self, store: ContactStore, share: Allowance, now: int) -> None:
        over = share.over(now)
        store.drop(ASKED + i for i in over)  # first: what is left half way is swept again
        share.forget(over)


def _answer_id(key: str) -> str:
    return hashlib.sha256(f"{key}|answer".encode()).hexdigest()[:32]


class Often(Exception):
    """One address has asked too much today."""


class _shared(Allowance):  # noqa: N801  # reads as a verb where it is used
    def __enter__(self) -> Allowance:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
