"""The outbox of send: which attempt is due, and how every delivery ends. Pure.

Everything is known from the topic `deliveries`: a `Delivery` queues, a `Receipt` tells what became
of an attempt, a `Tick` or `Mark` tells the time. So a crash between an attempt and its receipt
repeats the attempt, with the same idempotency key: twice beats never.

A delivery ends as
- reached: a state in `FINAL` of its route's channel (with `must_answer`: only `answered`);
- `superseded`: a newer version for the same alert and recipient came before it was sent;
- `expired`: its time was over; `failed`: every route failed for good.
After the last two the duty room is told by a notice of its own (`recipient` "duty:…", channel
console), unless the delivery was such a notice. A loudspeaker that is silent at its deadline is told
of then, and tried on as long as the warning is in force. A late fact corrects an end: what was `failed` and
is then `played` was played, and an SMS that was `accepted` and is then undeliverable goes on.
"""

from config.language import Said, Text
from detectors.detection import Acknowledgement, Mark
from dispatch.address.report_notices import REPLIES
from dispatch.address.unproven import stray
from dispatch.cap.acknowledgements import receipt_of, unknown
from dispatch.channels.status_words import ALOUD, TAKEN_BACK
from dispatch.notices import DUTY, RESIDENT
from dispatch.proving.judged import JudgedAnswer
from dispatch.records import Delivery, DeliveryRecord, Receipt, RouteHealth, State, state_words
from dispatch.send.outbox import beside, coded, ends, grouping
from dispatch.send.outbox.ends import all_parts, back, close, end, progress
from dispatch.send.outbox.replaced import is_stale, not_over, parted, replaced, superseded, with_it
from dispatch.send.outbox.replies import receipt
from dispatch.send.outbox.state import (
    NOT_REACHED,
    RANK,
    Box,
    Entry,
    Missed,
    Rules,
    forget,
    is_final,
    is_silent,
    key_of,
    line_of,
    note_aloud,
    note_coded,
    note_end,
    outdated,
)
from dispatch.send.outbox.undelivered import list_of_missed, notice, route_notice
from ingest.observation import PersonSays
from stream.records import DeadLetter, Run, Tick

_LATER_S = 300  # after its tries and its deadline a loudspeaker is tried on, so far apart
_GATHER_MS = 60_000  # those who did not answer are told of together

Written = Delivery | Receipt | JudgedAnswer | DeadLetter


def apply(rules: Rules, box: Box, record: DeliveryRecord) -> list[Written]:
    """Take one record; return what it makes the outbox write to the log. The box already knows
    what is returned: reading it back changes nothing."""
    match record:
        case Delivery():
            return _take(rules, box, record)
        case Receipt():
            return _receive(rules, box, record)
        case Acknowledgement():
            return _answered(rules, box, record)
        case PersonSays() if record.what in REPLIES:
            return _replied(rules, box, record)
        case Mark():
            if record.clock_at > box.marks.get(record.group, 0):
                box.marks[record.group] = record.clock_at
            return _advance(rules, box, record.clock_at)
        case Tick():
            return _advance(rules, box, record.clock_at)
        case RouteHealth():
            return _health(rules, box, record)
        case Run() if (record.kind == "live") != rules.live:
            return [stray(record, rules.live, box.clock_at)]
        case Run() if box.run is None:
            box.run = record
    return []


def _take(rules: Rules, box: Box, d: Delivery) -> list[Written]:
    """A delivery of the log; our own are queued already."""
    if d.id in box.entries:
        return []
    out = _queue(rules, box, d)
    e = box.entries.get(d.id)
    mergeable = e is not None and not e.done and grouping.mergeable(d)
    if e is not None and mergeable and (told := grouping.hold(rules, box, e)):
        out += [told, *_queue(rules, box, told)]
    return out


def _queue(rules: Rules, box: Box, d: Delivery) -> list[Written]:
    if d.id in box.entries:
        return []
    if (d.status == "actual") != rules.live:  # it leaves no trace in the box
        letter = stray(d, rules.live, box.clock_at)
        return [end(box, Entry(delivery=d), "failed", box.clock_at, letter.reason), letter]
    e = box.entries[d.id] = Entry(delivery=d, next_at=d.not_before)
    box.open[d.id] = box.touched[d.id] = True
    ids = box.lines.setdefault(line_of(d), [])
    ids.append(d.id)
    note_aloud(box.aloud, d.id, d)
    note_end(box.ends, d.id, d)
    note_coded(box.coded, d.id, d)
    for number, route in enumerate(d.routes):
        box.keys.setdefault(key_of(d, route.channel), (d.id, number))
    out: list[Written] = []
    for older in (box.entries[i] for i in ids if len(ids) > 1):
        if not older.done and older.state in ("queued", "failed") and outdated(box, older.delivery):
            out.append(superseded(box, older, d.queued_at))
            out += replaced(box, older, d.queued_at)
    out.extend(not_over(box, d))
    beside.take(rules, box, e)
    if not e.done and box.clock_at >= d.expires_at and d.not_before >= d.expires_at:
        out.append(end(box, e, "expired", box.clock_at, ends.QUIET))
    elif not e.done and box.clock_at >= d.expires_at:
        out += _give_up(rules, box, e, "expired", box.clock_at, ends.UNSENT)
    elif not e.done and not d.routes:
        out += _give_up(rules, box, e, "failed", d.queued_at, ends.NO_WAY)
    return out


def _receive(rules: Rules, box: Box, r: Receipt) -> list[Written]:
    e = box.entries.get(r.delivery)
    if e is None:
        return []
    said = coded.by_call(box, e, r) if 0 <= r.route < len(e.delivery.routes) else []
    return [*said, *_moved_on(rules, box, e, r)]


def _moved_on(rules: Rules, box: Box, e: Entry, r: Receipt) -> list[Written]:
    if r.state in ("superseded", "expired"):
        if not e.done:
            end(box, e, r.state, r.receipt_at, "")
            beside.free(box, e)
        return []
    if not 0 <= r.route < len(e.delivery.routes):
        return []
    e.idle = r.unsent and (e.idle or e.heard == (0, 0))
    e.heard = max(e.heard, (r.route, r.attempt))
    if r.state == "failed":
        return _failed(rules, box, e, r)
    if r.refs and not all_parts(box, e, r):
        return []
    if is_final(e, r.route, r.state):
        # a fact, whatever was believed before; but no lower state after a higher one
        if not e.done or RANK.get(e.state, -1) < RANK[r.state]:
            e.route, e.state, e.rank = r.route, r.state, RANK[r.state]
            e.attempt = max(e.attempt, r.attempt)
            close(box, e)
            return [*with_it(box, e, r)]
        return []
    if not e.done and r.route == e.route:
        progress(e, r)
    return []


def _answered(rules: Rules, box: Box, answer: Acknowledgement) -> list[Written]:
    """A neighbour's word on what it got."""
    out: list[Written] = []
    for key in answer.keys:
        delivery, route = box.keys.get(key, ("", 0))
        if delivery in box.entries:
            receipt = receipt_of(answer, delivery, route, box.entries[delivery].attempt)
            out += [receipt, *_receive(rules, box, receipt)]
    return out or [unknown(answer, box.clock_at)]


def _replied(rules: Rules, box: Box, says: PersonSays) -> list[Written]:
    """Whoever answers has heard what was sent to them before they spoke, and nothing else."""
    found = coded.judge(rules, box, says)
    out: list[Written] = [*found.judged]
    ends_now = found.answered
    for entry_id in box.open:
        e = box.entries[entry_id]
        mine = e.delivery.must_answer and e.delivery.recipient == says.person
        if mine and not e.delivery.code and not e.done and 0 < e.begun_at <= says.said_at:
            ends_now.append(e)
    for e in ends_now:
        told = receipt(says, e)
        out += [told, *_receive(rules, box, told)]
    for reminder in found.told:
        out += [] if reminder.id in box.entries else [reminder, *_queue(rules, box, reminder)]
    return out


def _failed(rules: Rules, box: Box, e: Entry, r: Receipt) -> list[Written]:
    if r.route != e.route or r.attempt <= e.counted:
        return []  # told before, or our own word read back
    if e.done:
        # the carrier took it and now says that it cannot deliver
        if e.state not in TAKEN_BACK.get(e.delivery.routes[e.route].channel, ()):
            return []
        e.done = False
        box.open[e.delivery.id] = True
        return [*back(box, e, r), *_again(rules, box, e, r)]
    if e.state == "delivered":
        return []  # the device has it: no carrier's later word takes that back
    return _again(rules, box, e, r)


def _again(rules: Rules, box: Box, e: Entry, r: Receipt) -> list[Written]:
    e.attempt = e.counted = max(e.attempt, r.attempt)
    e.state = "failed"
    return _next(rules, box, e, r.receipt_at, r.permanent, r.detail)


def _next(
    rules: Rules, box: Box, e: Entry, at: int, permanent: bool, detail: Said
) -> list[Written]:
    """After a failed attempt: again, by the next route, or the end."""
    d = e.delivery
    if outdated(box, d):
        return [superseded(box, e, at)]
    if is_stale(box, e):
        return [*parted(box, e, at)]
    newer = box.entries.get(e.named)
    if newer is not None and newer.done and newer.state not in NOT_REACHED:  # they know it
        return [end(box, e, newer.state, at, ends.WITH + e.named)]
    if beside.join(box, e):
        return []
    more = e.route + 1 < len(d.routes)
    channel = d.routes[e.route].channel
    waits = rules.retries(channel)
    tries, overdue = len(waits), at >= d.deadline_at
    # the last route is tried on until the deadline, a loudspeaker until the warning is over: its link
    # may come back. But nobody is called more often than said
    late = overdue and channel not in ALOUD
    spent = e.attempt > tries and (more or late or channel == "voice")
    if permanent or (more and overdue) or spent:
        if not more:
            words = Text("各渠道均失败：", "all routes failed: ") + detail
            return _give_up(rules, box, e, "failed", at, words)
        e.route, e.state, e.next_at = e.route + 1, "queued", at
        e.attempt = e.counted = e.rank = 0
        e.parts = []
        box.touched[d.id] = True
        return []
    wait_s = waits[min(e.attempt, tries) - 1] if tries else 60
    if overdue and e.attempt > tries:
        wait_s = max(wait_s, _LATER_S)
    e.next_at = at + wait_s * 1000
    box.touched[d.id] = True
    return []


def _advance(rules: Rules, box: Box, clock_at: int) -> list[Written]:
    if clock_at <= box.clock_at:
        return []
    hour_before, box.clock_at = box.clock_at // 3_600_000, clock_at
    out: list[Written] = []
    for entry_id in list(box.open):
        e = box.entries[entry_id]
        if e.done:  # it ended with the one that spoke for it
            continue
        if clock_at >= e.delivery.expires_at:
            if outdated(box, e.delivery):
                out.append(superseded(box, e, clock_at))
            else:
                detail = Text("已过期，停在", "expired in state ") + state_words(e.state)
                if ends.calls_for_nobody(e):
                    over = detail if ends.on_the_air(e) else ends.QUIET
                    out.append(end(box, e, "expired", clock_at, over))
                    continue
                out += _give_up(rules, box, e, "expired", clock_at, detail)
        else:
            if e.waits and clock_at >= e.next_at:
                e.waits, e.since = False, clock_at
            out += _impatient(rules, box, e)
            if is_silent(e, clock_at):  # somebody can still go there
                words = ends.TRYING_ON + state_words(e.state)
                out += _tell(rules, box, e.delivery, clock_at, words)
    for told in grouping.due(rules, box):
        out += [told, *_queue(rules, box, told)]
    out += _tell_superiors(rules, box)
    if clock_at // 3_600_000 != hour_before:
        forget(box)
    return out


def _impatient(rules: Rules, box: Box, e: Entry) -> list[Written]:
    """An attempt under way for which nobody spoke in time."""
    if e.state in ("queued", "failed"):
        return []
    if ends.on_the_air(e):
        return []  # for as long as it was told to be; its word on how it went comes after that
    call = e.delivery.routes[e.route].channel == "voice"
    answer = e.delivery.must_answer and not call
    within_s = rules.answer_within_s if answer else rules.played_within_s
    if call:
        within_s = rules.call_within_s
    if box.clock_at < e.begun_at + within_s * 1000:
        return []
    what = Text("未播出或未确认", "not played or confirmed")
    if answer or call:
        what = Text("未叫应", "not answered")
    receipt = Receipt(
        delivery=e.delivery.id,
        route=e.route,
        state="failed",
        receipt_at=box.clock_at,
        attempt=max(1, e.attempt),
        permanent=answer,  # the same message again would not be answered either
        detail=Text(
            f"{within_s} 秒内{what.zh}，停在{state_words(e.state).zh}",
            f"{what.en} within {within_s} s, last state {e.state}",
        ),
    )
    e.attempt = e.counted = receipt.attempt
    e.state = "failed"
    detail, permanent = receipt.detail, receipt.permanent
    return [receipt, *_next(rules, box, e, box.clock_at, permanent, detail)]


def _tell(rules: Rules, box: Box, d: Delivery, at: int, detail: Said) -> list[Written]:
    """Tell the duty room once that `d` did not reach its recipient."""
    if d.recipient.startswith(DUTY) or d.alert.startswith(RESIDENT):
        return []
    told = notice(d, rules.place(d.area), at, detail)
    return [] if told.id in box.entries else [told, *_queue(rules, box, told)]


def _give_up(
    rules: Rules, box: Box, e: Entry, state: State, at: int, detail: Said
) -> list[Written]:
    out: list[Written] = [end(box, e, state, at, detail)]
    beside.free(box, e)
    if e.delivery.covers:  # nobody heard of any of these: the duty room is told of each
        if state == "expired":  # by the one of them that ends first: the others go on
            grouping.free(box, e, at, in_force=True)
        for c in grouping.covered(box, e):
            if c.state not in ("superseded", "expired", "failed"):
                out += _give_up(rules, box, c, state, at, detail)
        return out
    out += _tell(rules, box, e.delivery, at, detail)
    duty = e.delivery.recipient.startswith(DUTY)
    if not duty and e.delivery.must_answer and rules.not_woken_to:
        box.missed.append(Missed(delivery=e.delivery.id, at=at))
    return out


def _tell_superiors(rules: Rules, box: Box) -> list[Written]:
    """The list of those who did not answer, to each of their superiors."""
    if not box.missed or box.clock_at < box.missed[0].at + _GATHER_MS:
        return []
    missed = [box.entries[m.delivery].delivery for m in box.missed if m.delivery in box.entries]
    box.missed = []
    out: list[Written] = []
    for who, channels in rules.not_woken_to:
        for told in list_of_missed(rules, missed, who, channels, box.clock_at):
            out += [told, *_queue(rules, box, told)]
    return out


def _health(rules: Rules, box: Box, h: RouteHealth) -> list[Written]:
    """A way out that died, or came back, is news for the duty room."""
    name = f"{h.channel}/{h.carrier}"
    before = box.health.get(name)
    box.health[name] = h
    if h.up == (before is None or before.up):
        return []
    told = route_notice(h, rules.live)
    return [told, *_queue(rules, box, told)]
