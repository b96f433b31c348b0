"""The outbox of send: which attempt is due, and how every delivery ends. Pure.

Everything is known from the topic `deliveries`: a `Delivery` queues, a `Receipt` tells what became
of an attempt, a `Tick` or `Mark` tells the time. So a crash between an attempt and its receipt
repeats the attempt, with the same idempotency key: twice beats never.

A delivery ends as
- reached: a state in `FINAL` of its route's channel (with `must_answer`: only `answered`);
- `superseded`: a newer version for the same alert and recipient came before it was sent;
- `expired`: its time was over; `failed`: every route failed for good.
After the last two the duty room is told by a notice of its own (`recipient` "duty:…", channel
console), unless the delivery was such a notice. A late fact corrects an end: what was `failed` and
is then `played` was played, and an SMS that was `accepted` and is then undeliverable goes on.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import msgspec

from config.level import Action, Level
from detectors.detection import Answer, Mark
from dispatch.alert import Delivery, DeliveryRecord, Receipt, State, attempt_key
from dispatch.cap_answer import receipt_of, unknown
from dispatch.not_reached import DUTY, notice, stray
from ingest.observation import DeadLetter, Run, Tick

# which states mean that the recipient was reached, by channel. An SMS or app message counts when
# the carrier has it: many carriers never tell more. A loudspeaker counts only when it sounded.
FINAL: dict[str, frozenset[State]] = {
    "broadcast": frozenset({"played"}),
    "sms": frozenset({"accepted", "delivered", "answered"}),
    "app": frozenset({"accepted", "delivered", "answered"}),
    "cap": frozenset({"accepted", "delivered"}),
    "cap_push": frozenset({"accepted", "delivered", "answered"}),
    "console": frozenset({"delivered"}),
}
# whose later word takes back that it was reached, and from which states
_TAKEN_BACK: dict[str, tuple[State, ...]] = {
    "sms": ("accepted",),
    "app": ("accepted",),
    "cap_push": ("accepted", "answered"),
}
_ANSWERED: frozenset[State] = frozenset({"answered"})
RANK: dict[State, int] = {
    "queued": 0,
    "sent": 1,
    "accepted": 2,
    "delivered": 3,
    "playing": 4,
    "played": 5,
    "answered": 6,
}
_KEPT_MS = 24 * 3_600_000  # after its expiry a delivery still takes late receipts


class Rules(NamedTuple):
    """Parameters, from config.district.Channels. `areas`: id -> name, for notices."""

    live: bool
    retry_s: tuple[int, ...]
    played_within_s: int
    answer_within_s: int
    areas: Mapping[str, str]


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


class Box(msgspec.Struct, kw_only=True):
    """The memory of a partition of `deliveries`."""

    clock_at: int = 0
    marks: dict[str, int] = {}
    entries: dict[str, Entry] = {}
    open: dict[str, bool] = {}  # ids that have not ended, in order of arrival
    lines: dict[str, list[str]] = {}  # alert and recipient -> ids
    keys: dict[str, tuple[str, int]] = {}  # idempotency key -> delivery, route


class Attempt(NamedTuple):
    """What is to be tried now."""

    delivery: Delivery
    route: int
    attempt: int
    key: str


Written = Delivery | Receipt | DeadLetter


def apply(rules: Rules, box: Box, record: DeliveryRecord) -> list[Written]:
    """Take one record; return what it makes the outbox write to the log. The box already knows
    what is returned: reading it back changes nothing."""
    match record:
        case Delivery():
            return _queue(rules, box, record)
        case Receipt():
            return _receive(rules, box, record)
        case Answer():
            return _answered(rules, box, record)
        case Mark():
            if record.clock_at > box.marks.get(record.group, 0):
                box.marks[record.group] = record.clock_at
            return _advance(rules, box, record.clock_at)
        case Tick():
            return _advance(rules, box, record.clock_at)
        case Run() if (record.kind == "live") != rules.live:
            return [stray(record, rules.live, box.clock_at)]
    return []


def due(box: Box, in_flight: Collection[str], at: int) -> list[Attempt]:
    """Attempts to begin at `at`, most urgent first. in_flight: ids of deliveries whose attempt has
    begun and whose receipt has not been read back. Never two versions for one recipient at once,
    so that the newer one cannot arrive first; that an older one is not waiting beside a newer one
    `apply` has seen to."""
    busy = {_line(box.entries[i].delivery) for i in in_flight if i in box.entries}
    found = []
    for entry_id in box.open:
        e = box.entries[entry_id]
        d = e.delivery
        if (
            e.state in ("queued", "failed")
            and e.next_at <= at < d.expires_at
            and entry_id not in in_flight
            and _line(d) not in busy
        ):
            found.append(e)
    found.sort(key=lambda e: (*urgency(e.delivery), e.delivery.queued_at, e.delivery.id))
    return [_attempt(e) for e in found]


def urgency(delivery: Delivery) -> tuple[int, int, int, int]:
    """Sort key: red and 立即转移 before all, an order to move before a mere colour, then the
    deadline. An order never waits for a colour, so it has the rank of the colour it goes with."""
    worth = {Action.MOVE: Level.RED, Action.PREPARE: Level.ORANGE}.get(delivery.action, Level.NONE)
    return (
        -max(delivery.level, worth),
        -delivery.action,
        -delivery.level,
        delivery.deadline_at,
    )


def passed(box: Box, groups: Collection[str], in_flight: Collection[str]) -> int:
    """The clock up to which every group's marks are handled; 0 while an attempt is due or begun."""
    if in_flight or due(box, in_flight, box.clock_at):
        return 0
    return min((box.marks.get(group, 0) for group in groups), default=0)


def _line(d: Delivery) -> str:
    return f"{d.alert}|{d.recipient}"


def _outdated(box: Box, d: Delivery) -> bool:
    ids = box.lines.get(_line(d), ())
    return any(box.entries[i].delivery.version > d.version for i in ids)


def _attempt(e: Entry) -> Attempt:
    d = e.delivery
    channel = d.routes[e.route].channel
    return Attempt(d, e.route, e.attempt + 1, attempt_key(d.alert, d.version, channel, d.recipient))


def _is_final(e: Entry, route: int, state: State) -> bool:
    if e.delivery.must_answer:
        return state in _ANSWERED
    channel = e.delivery.routes[route].channel
    return state in FINAL.get(channel, _ANSWERED)


def _queue(rules: Rules, box: Box, d: Delivery) -> list[Written]:
    if d.id in box.entries:
        return []
    if (d.status == "actual") != rules.live:  # it leaves no trace in the box
        letter = stray(d, rules.live, box.clock_at)
        return [_end(box, Entry(delivery=d), "failed", box.clock_at, letter.reason), letter]
    e = box.entries[d.id] = Entry(delivery=d)
    box.open[d.id] = True
    ids = box.lines.setdefault(_line(d), [])
    ids.append(d.id)
    for number, route in enumerate(d.routes):
        key = attempt_key(d.alert, d.version, route.channel, d.recipient)
        box.keys.setdefault(key, (d.id, number))
    out: list[Written] = []
    for older in (box.entries[i] for i in ids):
        if (
            not older.done
            and older.state in ("queued", "failed")
            and _outdated(box, older.delivery)
        ):
            out.append(_superseded(box, older, d.queued_at))
    if not e.done and box.clock_at >= d.expires_at:
        out += _give_up(rules, box, e, "expired", box.clock_at, "expired before it was sent")
    elif not e.done and not d.routes:
        out += _give_up(rules, box, e, "failed", d.queued_at, "no route to this recipient")
    return out


def _receive(rules: Rules, box: Box, r: Receipt) -> list[Written]:
    e = box.entries.get(r.delivery)
    if e is None:
        return []
    if r.state in ("superseded", "expired"):
        if not e.done:
            _end(box, e, r.state, r.receipt_at, "")
        return []
    if not 0 <= r.route < len(e.delivery.routes):
        return []
    e.heard = max(e.heard, (r.route, r.attempt))
    if r.state == "failed":
        return _failed(rules, box, e, r)
    if _is_final(e, r.route, r.state):
        # a fact, whatever was believed before; but no lower state after a higher one
        if not e.done or RANK.get(e.state, -1) < RANK[r.state]:
            e.route, e.state, e.rank = r.route, r.state, RANK[r.state]
            e.attempt = max(e.attempt, r.attempt)
            _close(box, e)
        return []
    if not e.done and r.route == e.route:
        _progress(e, r)
    return []


def _answered(rules: Rules, box: Box, answer: Answer) -> list[Written]:
    """A neighbour's word on what it got."""
    out: list[Written] = []
    for key in answer.keys:
        delivery, route = box.keys.get(key, ("", 0))
        if delivery in box.entries:
            receipt = receipt_of(answer, delivery, route, box.entries[delivery].attempt)
            out += [receipt, *_receive(rules, box, receipt)]
    return out or [unknown(answer, box.clock_at)]


def _progress(e: Entry, r: Receipt) -> None:
    """A step forward that is not the end. After a failure it brings the attempt back to life: the
    node is there after all, and gets its time again."""
    new = r.attempt > e.attempt
    e.attempt = max(e.attempt, r.attempt)
    if e.state in ("queued", "failed") and (new or RANK[r.state] > e.rank):
        e.state, e.begun_at, e.rank = r.state, r.receipt_at, max(e.rank, RANK[r.state])
    elif e.state not in ("queued", "failed") and RANK[r.state] > RANK[e.state]:
        e.state, e.rank = r.state, max(e.rank, RANK[r.state])


def _failed(rules: Rules, box: Box, e: Entry, r: Receipt) -> list[Written]:
    if r.route != e.route or r.attempt <= e.counted:
        return []  # told before, or our own word read back
    if e.done:
        # the carrier took it and now says that it cannot deliver
        if e.state not in _TAKEN_BACK.get(e.delivery.routes[e.route].channel, ()):
            return []
        e.done = False
        box.open[e.delivery.id] = True
    elif e.state == "delivered":
        return []  # the device has it: no carrier's later word takes that back
    e.attempt = e.counted = max(e.attempt, r.attempt)
    e.state = "failed"
    return _next(rules, box, e, r.receipt_at, r.permanent, r.detail)


def _next(rules: Rules, box: Box, e: Entry, at: int, permanent: bool, detail: str) -> list[Written]:
    """After a failed attempt: again, by the next route, or the end."""
    d = e.delivery
    if _outdated(box, d):
        return [_superseded(box, e, at)]
    more = e.route + 1 < len(d.routes)
    tries = len(rules.retry_s)
    overdue = at >= d.deadline_at
    # the last route is tried on until the deadline
    if permanent or (more and overdue) or (e.attempt > tries and (more or overdue)):
        if not more:
            return _give_up(rules, box, e, "failed", at, f"all routes failed: {detail}")
        e.route, e.state, e.next_at = e.route + 1, "queued", at
        e.attempt = e.counted = e.rank = 0
        return []
    wait_s = rules.retry_s[min(e.attempt, tries) - 1] if tries else 60
    e.next_at = at + wait_s * 1000
    return []


def _advance(rules: Rules, box: Box, clock_at: int) -> list[Written]:
    if clock_at <= box.clock_at:
        return []
    hour_before, box.clock_at = box.clock_at // 3_600_000, clock_at
    out: list[Written] = []
    for entry_id in list(box.open):
        e = box.entries[entry_id]
        if clock_at >= e.delivery.expires_at:
            if _outdated(box, e.delivery):
                out.append(_superseded(box, e, clock_at))
            else:
                detail = f"expired in state {e.state}"
                out += _give_up(rules, box, e, "expired", clock_at, detail)
        elif e.state not in ("queued", "failed"):
            out += _impatient(rules, box, e)
    if clock_at // 3_600_000 != hour_before:
        _forget(box)
    return out


def _impatient(rules: Rules, box: Box, e: Entry) -> list[Written]:
    """An attempt under way for which nobody spoke in time."""
    answer = e.delivery.must_answer
    within_s = rules.answer_within_s if answer else rules.played_within_s
    if box.clock_at < e.begun_at + within_s * 1000:
        return []
    what = "not answered" if answer else "not played or confirmed"
    receipt = Receipt(
        delivery=e.delivery.id,
        route=e.route,
        state="failed",
        receipt_at=box.clock_at,
        attempt=max(1, e.attempt),
        permanent=answer,  # the same message again would not be answered either
        detail=f"{what} within {within_s} s, last state {e.state}",
    )
    e.attempt = e.counted = receipt.attempt
    e.state = "failed"
    detail, permanent = receipt.detail, receipt.permanent
    return [receipt, *_next(rules, box, e, box.clock_at, permanent, detail)]


def _end(box: Box, e: Entry, state: State, at: int, detail: str) -> Receipt:
    e.state = state
    _close(box, e)
    return Receipt(
        delivery=e.delivery.id,
        route=e.route,
        state=state,
        receipt_at=at,
        attempt=max(1, e.attempt),
        permanent=True,
        detail=detail,
    )


def _close(box: Box, e: Entry) -> None:
    e.done = True
    box.open.pop(e.delivery.id, None)


def _superseded(box: Box, e: Entry, at: int) -> Receipt:
    return _end(box, e, "superseded", at, "a newer version replaces it")


def _give_up(rules: Rules, box: Box, e: Entry, state: State, at: int, detail: str) -> list[Written]:
    out: list[Written] = [_end(box, e, state, at, detail)]
    if not e.delivery.recipient.startswith(DUTY):
        area = rules.areas.get(e.delivery.area, e.delivery.area)
        told = notice(e.delivery, area, at, detail)
        out += [told, *_queue(rules, box, told)]
    return out


def _forget(box: Box) -> None:
    """Drop what has ended long ago, a whole line at a time: its newest version keeps older ones
    from being sent."""
    for line, ids in list(box.lines.items()):
        old = [box.entries[i] for i in ids]
        if all(e.done and e.delivery.expires_at + _KEPT_MS < box.clock_at for e in old):
            del box.lines[line]
            for e in old:
                del box.entries[e.delivery.id]
    box.keys = {key: place for key, place in box.keys.items() if place[0] in box.entries}
