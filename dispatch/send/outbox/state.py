"""The memory of the outbox: deliveries, how far each came, what became of the ways out. Pure."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import msgspec

from config.language import Text
from dispatch.channels import message_id
from dispatch.channels.status_words import ALOUD, FINAL
from dispatch.grade import Grade
from dispatch.notices import DUTY
from dispatch.proving.codes import AnswerCodes
from dispatch.records import Delivery, RouteHealth, State, attempt_key
from stream.records import Run

_ANSWERED: frozenset[State] = frozenset({"answered"})
NOT_REACHED: frozenset[State] = frozenset({"failed", "expired", "superseded"})
_KEPT_MS = 24 * 3_600_000  # after its expiry a delivery still takes late receipts
RANK: dict[State, int] = {
    "queued": 0,
    "sent": 1,
    "accepted": 2,
    "delivered": 3,
    "playing": 4,
    "played": 5,
    "answered": 6,
}


class Rules(NamedTuple):
    """Parameters, from config.records.channels.Channels. `areas`: id -> name, for notices. `not_woken_to`:
    (contact, its channels) who get the list of those who did not answer."""

    live: bool
    retry_s: tuple[int, ...]
    played_within_s: int
    answer_within_s: int
    areas: Mapping[str, str]
    voice_retry_s: tuple[int, ...] = (40, 40)
    call_within_s: int = 60
    not_woken_to: tuple[tuple[str, tuple[str, ...]], ...] = ()
    not_woken_lang: Mapping[str, Literal["zh", "en"]] = {}  # contact -> language; Chinese
    signature: str = ""
    zone: str = "Asia/Shanghai"
    hotline: str = ""
    areas_en: Mapping[str, str] = {}
    codes: AnswerCodes | None = None  # of answers, where the district asks for them
    gather_ms: int = 60_000  # config.records.authority.Policy.gather_s

    def place(self, area: str) -> Text:
        """The name of an area; its id where it has none."""
        name = self.areas.get(area, area)
        return Text(name, self.areas_en.get(area, name))

    def retries(self, channel: str) -> tuple[int, ...]:
        """Seconds to wait after each failed attempt of a channel."""
        return self.voice_retry_s if channel == "voice" else self.retry_s


class Entry(msgspec.Struct, kw_only=True):
    """One delivery and how far it came. `attempt` counts within the route, from receipts."""

    delivery: Delivery
    route: int = 0
    attempt: int = 0
    counted: int = 0  # the highest attempt whose failure was dealt with
    state: State = "queued"
    rank: int = 0  # the highest of this route
    begun_at: int = 0  # of the attempt under way
    next_at: int = 0  # when the next attempt may begin
    heard: tuple[int, int] = (0, 0)  # the highest (route, attempt) that got an answer
    done: bool = False
    parts: list[str] = []  # refs of the parts of which no delivery receipt came yet
    held: bool = False  # waits for others to the same person (dispatch.send.outbox.grouping), or went with them
    into: str = ""  # the delivery that speaks for it
    named: str = ""  # the newest that tells it too (dispatch.send.outbox.beside)
    waits: bool = False  # for others of its place, until `next_at`
    since: int = 0  # when that was over; 0: it did not wait
    idle: bool = False  # all that was heard of it is that no attempt was made


class Missed(msgspec.Struct, kw_only=True):
    """Somebody who did not answer (未叫应)."""

    delivery: str
    at: int


class Person(msgspec.Struct, kw_only=True):
    """What somebody was told within a minute: since when, how high, and what waits until `due`."""

    at: int
    grade: Grade
    status: str
    due: int = 0
    held: list[str] = []


class Box(msgspec.Struct, kw_only=True):
    """The memory of a partition of `deliveries`."""

    run: Run | None = None  # as the topic says it first
    clock_at: int = 0
    marks: dict[str, int] = {}
    entries: dict[str, Entry] = {}
    open: dict[str, bool] = {}  # ids that have not ended, in order of arrival
    lines: dict[str, list[str]] = {}  # alert and recipient -> ids
    keys: dict[str, tuple[str, int]] = {}  # idempotency key -> delivery, route
    refs: dict[str, tuple[str, int]] = {}  # a carrier's id of a message or part -> delivery, route
    spelled: dict[
        str, list[str]
    ] = {}  # dispatch.channels.message_id.index of refs; no part of the memory
    health: dict[str, RouteHealth] = {}  # "channel/carrier" -> the last word on it
    missed: list[Missed] = []  # of whom the superiors are not told yet
    people: dict[str, Person] = {}  # who was told something within the last minute
    # warning -> what of it is for loudspeakers (see `aloud`); no part of the memory
    aloud: dict[str, list[str]] = {}
    # recipient and area -> its cancels (see `note_end`); no part of the memory
    ends: dict[str, list[str]] = {}
    wrong: dict[str, int] = {}  # line and way -> wrong codes
    judged: dict[str, int] = {}  # answers that were judged -> when
    coded: dict[str, list[str]] = {}  # person -> ids that ask for a code; no part of the memory
    # ids that became ready for an attempt, for an agenda to pick up; no part of the memory
    touched: dict[str, bool] = {}


class Attempt(NamedTuple):
    """What is to be tried now."""

    delivery: Delivery
    route: int
    attempt: int
    key: str


def key_of(d: Delivery, channel: str) -> str:
    """The idempotency key of a delivery on a channel. Of one version and person the duty room may be told
    several things (not reached, and not again when asked anew): each notice has a key of its own."""
    if d.recipient.startswith(DUTY):
        return attempt_key(d.id, 1, channel, d.recipient)
    return attempt_key(d.alert, d.version, channel, d.recipient, d.again)


def grade_said(d: Delivery) -> Grade:
    """The most that its words call for, of whichever hazard."""
    return Grade(d.level, d.action) | Grade(d.most_level, d.most_action)


def line_of(d: Delivery) -> str:
    """What never has two attempts under way: a newer version must not arrive first."""
    return f"{d.alert}|{d.recipient}"


def is_ready(e: Entry, at: int) -> bool:
    """May an attempt begin at `at`?"""
    return (
        not e.done
        and not e.held
        and e.state in ("queued", "failed")
        and e.next_at <= at < e.delivery.expires_at
    )


def attempt_of(box: Box, e: Entry) -> Attempt:
    """The attempt to begin."""
    d = _as_heard(box, e.delivery)
    return Attempt(d, e.route, e.attempt + 1, key_of(d, d.routes[e.route].channel))


def _as_heard(box: Box, d: Delivery) -> Delivery:
    """With words that are true for this recipient. What an earlier version said counts only if it
    went out: one that was replaced unsent, failed, ran out in quiet hours or met a loudspeaker that
    was off is nothing that could still be in force (继续有效), have risen or fallen."""
    if not d.plain:
        return d
    before = _told_last(box, d)
    if before is None:
        first = "alert" if d.msg_type == "update" else d.msg_type
        return msgspec.structs.replace(d, routes=d.plain, msg_type=first)
    same = (before.level, before.action) == (d.was_level, d.was_action)
    return d if same else msgspec.structs.replace(d, routes=d.plain)


def _told_last(box: Box, d: Delivery) -> Delivery | None:
    """The newest version before `d` that is sure to have reached its recipient."""
    earlier = (box.entries[i] for i in box.lines.get(line_of(d), ()))
    reached = [
        e.delivery
        for e in earlier
        if e.delivery.version < d.version and e.done and e.state not in NOT_REACHED
    ]
    return max(reached, key=lambda x: x.version, default=None)


def urgency(delivery: Delivery) -> tuple[int, int, int, int]:
    """Sort key: red and 立即转移 before all, an order to move before a mere colour, then the
    deadline. An order never waits for a colour, so it has the rank of the colour it goes with."""
    level = max(delivery.level, delivery.most_level)
    action = max(delivery.action, delivery.most_action)
    worst, ordered, colour = Grade(level, action).rank
    return -worst, -ordered, -colour, delivery.deadline_at


def outdated(box: Box, d: Delivery) -> bool:
    """Is there a newer version for the same recipient, or was the question put to them anew?"""
    lines = [box.entries[i].delivery for i in box.lines.get(line_of(d), ())]
    anew = 0 if d.asked_by else max((o.again for o in lines if _put_anew(d, o)), default=0)
    return anew > d.again or any(o.version > d.version for o in lines)


def _put_anew(d: Delivery, other: Delivery) -> bool:
    return other.version == d.version and not other.asked_by


def is_final(e: Entry, route: int, state: State) -> bool:
    """Does this state of this route mean that the recipient was reached?"""
    if e.delivery.must_answer:
        return state in _ANSWERED
    channel = e.delivery.routes[route].channel
    return state in FINAL.get(channel, _ANSWERED)


def is_silent(e: Entry, at: int) -> bool:
    """A loudspeaker, the last way to its village, that does not sound at its deadline."""
    d = e.delivery
    late = max(0, e.since - d.queued_at)  # it was not to sound before
    if e.done or e.held or e.waits or e.state == "playing" or at < d.deadline_at + late:
        return False
    return d.routes[e.route].channel in ALOUD and e.route + 1 == len(d.routes)


def passed(box: Box, groups: Collection[str], busy: bool) -> int:
    """The clock up to which every group's marks are handled; 0 while an attempt is due or begun."""
    return 0 if busy else min((box.marks.get(group, 0) for group in groups), default=0)


def aloud(box: Box) -> dict[str, list[str]]:
    """Warning -> what of it is for loudspeakers, as `Box.aloud` has it."""
    found: dict[str, list[str]] = {}
    for i, e in box.entries.items():
        note_aloud(found, i, e.delivery)
    return found


def note_aloud(found: dict[str, list[str]], entry_id: str, d: Delivery) -> None:
    """Take note of a delivery."""
    if d.msg_type != "cancel" and any(r.channel in ALOUD for r in d.routes):
        found.setdefault(d.alert, []).append(entry_id)


def place_of(d: Delivery) -> str:
    """Whom it tells of which area."""
    return f"{d.recipient}|{d.area}"


def note_end(found: dict[str, list[str]], entry_id: str, d: Delivery) -> None:
    """Take note of a delivery that is an end."""
    if d.msg_type == "cancel":
        found.setdefault(place_of(d), []).append(entry_id)


def note_coded(found: dict[str, list[str]], entry_id: str, d: Delivery) -> None:
    """Take note of a delivery that asks for a code."""
    if d.code:
        found.setdefault(d.recipient, []).append(entry_id)


def reindex(box: Box) -> None:
    """What is no part of the memory, from what is."""
    box.spelled, box.aloud, box.ends = message_id.index(box.refs), aloud(box), {}
    box.coded = {}
    for i, e in box.entries.items():
        note_coded(box.coded, i, e.delivery)
        note_end(box.ends, i, e.delivery)


def forget(box: Box) -> None:
    """Drop what has ended long ago, a whole line at a time: its newest version keeps older ones
    from being sent."""
    for line, ids in list(box.lines.items()):
        old = [box.entries[i] for i in ids]
        if all(e.done and e.delivery.expires_at + _KEPT_MS < box.clock_at for e in old):
            del box.lines[line]
            for e in old:
                del box.entries[e.delivery.id]
    box.keys = {key: place for key, place in box.keys.items() if place[0] in box.entries}
    box.refs = {ref: place for ref, place in box.refs.items() if place[0] in box.entries}
    box.wrong = {k: n for k, n in box.wrong.items() if k.rpartition("|")[0] in box.lines}
    kept = box.clock_at - _KEPT_MS
    box.judged = {name: at for name, at in box.judged.items() if at > kept}
    reindex(box)
