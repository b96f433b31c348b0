"""The evacuation roll 转移清点: what was ordered in each area, who answered, who moved, who needs help.

A fold of the records of `alerts` and `deliveries` in any order: the newest word of each person on
each matter counts, so reading a record twice or late changes nothing. Pure.

Two people may count the same villagers, so the largest count of one person stands for the area, not
the sum: too few moved is the safe side. A count belongs to the warning that is open: what was said
before it began is of another storm. A cry for help stands until the same person says otherwise
(已转移, 平安), or for a day.

Beside the people who live there stand the guests of a camp site or an inn, as its keeper counts them in the
evening (the newest count of each keeper, for a day), and whether a gully is closed (封沟): until the time that
was said, until it is renewed, or opened.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec

from config.records.district import District
from config.records.level import Action
from dispatch.notices import DUTY, RECHECK, called_again_about
from dispatch.people.outings import Outing, Outings, places
from dispatch.people.outings import take as take_outing
from dispatch.proving.heard import Heard, heard
from dispatch.proving.judged import STRENGTHS, JudgedAnswer
from dispatch.proving.rechecks import Recheck, distrusted, result
from dispatch.proving.transfers import Sums, Transfers
from dispatch.records import Alert, Delivery, Receipt
from ingest.observation import PersonSays

_HELP_KEPT_MS = _DAY_MS = 24 * 3_600_000
_ANSWERS = ("moved", "help", "safe", "received")


class RollWord(msgspec.Struct, frozen=True):
    """What somebody answered. person: opaque id; role: as the contact list has it, "" not known."""

    person: str
    role: str
    what: str  # moved, help, safe, received
    at: int
    people: int | None = None


class Closure(msgspec.Struct, frozen=True):
    """A gully or site that is closed. photo: the proof, SHA-256 of the picture, "" none."""

    by: str  # opaque id
    at: int
    until_at: int
    photo: str = ""


class RollRow(msgspec.Struct, frozen=True):
    """One area. should: its people and guests while an order to move is in force, else 0. moved: see above;
    None while nobody has said. not_yet: how many are left; None while nobody has said. guests: tonight, as
    keepers said; None: nobody has."""

    area: str
    action: Action
    since_at: int  # when the warning began; 0: none is open
    should: int
    moved: int | None
    not_yet: int | None
    help: tuple[RollWord, ...]
    answers: tuple[RollWord, ...]  # newest first
    unanswered: tuple[str, ...]  # who must answer and has not
    guests: int | None = None
    closed: Closure | None = None
    rechecks: tuple[Recheck, ...] = ()  # who was called again, the newest first
    transfers: Sums | None = None  # where a move is to be proved: by ways, proven or not
    field: tuple[Outing, ...] = ()  # who is out there and not back, the longest silent first
    heard: tuple[Heard, ...] = ()  # who was asked for a code (叫应), and how strong their answer is

    @property
    def newest_at(self) -> int:
        """When the newest word came; 0: none."""
        return max((w.at for w in (*self.answers, *self.help)), default=0)


@dataclass
class Roll:
    """The fold. Records of other kinds are passed over."""

    # area -> id -> newest version
    alerts: dict[str, dict[str, Alert]] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)  # id -> when its oldest version was sent
    # area -> person and what -> the newest word
    words: dict[str, dict[tuple[str, str], RollWord]] = field(default_factory=dict)
    # area -> id -> delivery that must be answered
    asked: dict[str, dict[str, Delivery]] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)  # delivery -> when
    got: set[str] = field(default_factory=set)  # deliveries that a telephone has
    # area -> warning and person -> id -> what their answer is worth
    judged: dict[str, dict[tuple[str, str], dict[str, JudgedAnswer]]] = field(default_factory=dict)
    # area -> keeper -> when and how many
    staying: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)  # re-check and person -> given up
    transfers: Transfers = field(default_factory=Transfers)
    outings: Outings = field(default_factory=dict)
    kept: dict[str, PersonSays] = field(default_factory=dict)  # area -> the newest closed or opened

    def take(self, record: Any) -> None:
        """Fold one record in."""
        if isinstance(record, PersonSays):
            take_outing(self.outings, record)
            self.transfers.take(record)
        match record:
            case Alert():
                held = self.alerts.setdefault(record.area, {})
                if record.id not in held or record.version > held[record.id].version:
                    held[record.id] = record
                self.began[record.id] = min(self.began.get(record.id, 2**62), record.sent_at)
            case PersonSays() if record.what in _ANSWERS:
                r = record
                self._word(r.area, RollWord(r.person, r.role, r.what, r.said_at, r.people))
            case PersonSays(what="staying") if record.people is not None:
                counts = self.staying.setdefault(record.area, {})
                said = (record.said_at, record.people)
                counts[record.person] = max(counts.get(record.person, (0, 0)), said)
            case PersonSays(what="closed" | "opened"):
                before = self.kept.get(record.area)
                # of two of one moment the one with its proof, and else the closure: the order must not show
                if before is None or _later(record) > _later(before):
                    self.kept[record.area] = record
            case Delivery():
                self._delivery(record)
            case JudgedAnswer():
                own = self.judged.setdefault(record.area, {})
                own.setdefault((record.alert, record.person), {})[record.id] = record
            case Receipt() if record.state == "delivered":
                self.got.add(record.delivery)
            case Receipt() if record.state == "answered":
                self.got.add(record.delivery)
                heard = self.answered.get(record.delivery, 2**62)
                self.answered[record.delivery] = min(heard, record.receipt_at)
            case _:
                pass

    def _delivery(self, d: Delivery) -> None:
        if d.must_answer:
            self.asked.setdefault(d.area, {})[d.id] = d
        elif d.alert.startswith(RECHECK) and d.recipient.startswith(DUTY):
            # the notice that nobody answered a call again
            self.failed[f"{d.alert}|{d.recipient.removeprefix(DUTY)}"] = d.queued_at

    def _word(self, area: str, word: RollWord) -> None:
        held = self.words.setdefault(area, {})
        key = (word.person, word.what)
        # of two at one moment the smaller count: order of arrival must not show
        if key not in held or _rank(word) > _rank(held[key]):
            held[key] = word

    def rows(self, district: District, now_at: int) -> list[RollRow]:
        """Areas with an open warning or a cry for help: those who need help first, then orders with
        most people left."""
        gone = {a for o in self.outings.values() if o.is_out for a in places(district, o)}
        areas = sorted({*self.alerts, *self.words, *self.kept, *gone} & district.areas.keys())
        rows = [r for area in areas if (r := self.row(district, area, now_at)) is not None]
        return sorted(
            rows, key=lambda r: (not r.help, -r.action, -(r.should - (r.moved or 0)), r.area)
        )

    def row(self, district: District, area: str, now_at: int) -> RollRow | None:
        """One area; None: no warning is open and nobody asks for help."""
        alerts = [
            a for a in self.alerts.get(area, {}).values()
            if a.msg_type != "cancel" and a.state not in ("expired", "cancelled")
        ]  # fmt: skip
        since = min((self.began[a.id] for a in alerts), default=0)
        action = max((a.action for a in alerts), default=Action.NONE)
        guests = self.guests(area, now_at)
        should = district.areas[area].population + (guests or 0) if action else 0
        words = self._heard(area, {a.id for a in alerts})
        cries = [w for w in words if w.what == "help" and w.at > now_at - _HELP_KEPT_MS]
        help_ = tuple(w for w in cries if not _ended(w, words))
        closed = self.closed(area, now_at)
        gone = self._gone(district, area)
        if not since and not help_ and closed is None and not gone:
            return None
        answers = tuple(w for w in words if since and w.at >= since)
        again = self.called_again(area, {a.id for a in alerts})
        out = distrusted(again)
        sums = None
        if district.policy.proving.transfer and since:
            sums = self.transfers.sums(district, area, since, should, out)
        counts = [c for w in answers if (c := _count(w, should)) is not None]
        moved = max(counts, default=None)
        if sums is not None:
            moved = sums.proven + sums.unproven
        ids = {a.id for a in alerts}
        heard_ = self._how_strong(area, ids, {r.person for r in sums.rows if r.proven} if sums else set(), out)
        strong = {h.person for h in heard_ if h.proven}
        spoke = {w.person for w in answers} - {h.person for h in heard_} | strong
        asked = {d.recipient for d in self.asked.get(area, {}).values() if d.alert in ids}
        return RollRow(
            area,
            action,
            since,
            should,
            moved,
            None if moved is None else max(0, should - moved),
            help_,
            answers,
            tuple(sorted(asked - spoke)),
            guests,
            closed,
            again,
            sums,
            gone,
            heard_,
        )

    def guests(self, area: str, now_at: int) -> int | None:
        """How many stay tonight, as keepers said within a day; None: nobody has."""
        counts = [n for at, n in self.staying.get(area, {}).values() if at > now_at - _DAY_MS]
        return sum(counts) if counts else None

    def closed(self, area: str, now_at: int) -> Closure | None:
        """The closure that holds now."""
        last = self.kept.get(area)
        if last is None or last.what != "closed" or last.until_at <= now_at:
            return None
        return Closure(last.person, last.said_at, last.until_at, last.photo)

    def called_again(self, area: str, open_: Collection[str]) -> tuple[Recheck, ...]:
        """Of these warnings, who was called again."""
        own = self.judged.get(area, {})
        found = [
            result(
                d.recipient,
                d.queued_at,
                own.get((d.alert, d.recipient), {}).values(),
                self.failed.get(f"{d.alert}|{d.recipient}", 0),
            )
            for d in self.asked.get(area, {}).values()
            if called_again_about(d.alert) in open_
        ]
        return tuple(sorted(found, key=lambda r: (-r.at, r.person)))

    def _gone(self, district: District, area: str) -> tuple[Outing, ...]:
        found = [
            msgspec.structs.replace(o)  # a row is not changed by what comes after it
            for o in self.outings.values()
            if o.is_out and area in places(district, o)
        ]
        return tuple(sorted(found, key=lambda o: (o.last_at, o.person)))

    def _how_strong(self, area: str, open_: set[str], acted: set[str], out: set[str]
    ) -> tuple[Heard, ...]:
        """Who was asked for a code about what is open, the weakest answer first."""
        asked: dict[str, list[Delivery]] = {}
        for d in self.asked.get(area, {}).values():
            if d.code and d.alert in open_:
                asked.setdefault(d.recipient, []).append(d)
        own = self.judged.get(area, {})
        found = [
            heard(
                who,
                [j for a in {d.alert for d in ds} for j in own.get((a, who), {}).values()],
                delivered=any(d.id in self.got for d in ds),
                acted=who in acted,
                failed=who in out,
            )
            for who, ds in asked.items()
        ]
        return tuple(sorted(found, key=lambda h: (("", *STRENGTHS).index(h.strength), h.person)))

    def _heard(self, area: str, open_: set[str]) -> list[RollWord]:
        """Every newest word on the area, newest first; an answered call or message is 收到."""
        best = dict(self.words.get(area, {}))
        for name, d in self.asked.get(area, {}).items():
            if d.alert in open_ and name in self.answered:
                word = RollWord(d.recipient, d.category, "received", self.answered[name])
                key = (word.person, word.what)
                if key not in best or best[key].at < word.at:
                    best[key] = word
        return sorted(best.values(), key=lambda w: (-w.at, w.person, w.what))


def _later(says: PersonSays) -> tuple[int, bool, str]:
    return (says.said_at, says.what == "closed", says.photo)


def _rank(word: RollWord) -> tuple[int, int]:
    return (word.at, -(2**31 if word.people is None else word.people))


def _ended(cry: RollWord, words: list[RollWord]) -> bool:
    return any(
        w.person == cry.person and w.what in ("moved", "safe") and w.at > cry.at for w in words
    )


def _count(word: RollWord, should: int) -> int | None:
    """How many this word says have moved. 已转移 without a number is everybody, from who answers for
    the area; from anybody else it says no number."""
    if word.what != "moved":
        return None
    if word.people is not None:
        return word.people
    return should if word.role == "responsible" else None
