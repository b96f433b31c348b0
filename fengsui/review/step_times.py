"""How long each step of a warning took, from the run's own records: evidence, version, decision,
loudspeaker, telephone, answer, and the time left before the disaster. Pure.

A sample whose `seconds` is None was due and never happened. What an update replaced while it had time
was not due, nor what had time left when the records end. Times are those of the run's
clock; an exercise's moves in steps of a minute.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

from detectors.detection import Detection, Mark
from dispatch.grade import Grade, grade_of
from dispatch.notices import DUTY, about
from dispatch.records import Alert, Delivery, Receipt
from ingest.observation import HISTORICAL, Observations
from skill.verify.storms import Need, StormRow, Tier, least_need, score, warned
from skill.verify.truth import Truth
from stream.records import Tick

# how long before a disaster people were warned, ordered to prepare, and ordered to move
LEADS: dict[str, Tier] = {"lead": "warned", "lead_prepare": "prepare", "lead_move": "move"}
_HEARD = ("accepted", "delivered", "playing", "played", "answered")


class Sample(NamedTuple):
    """One thing that was due: where or to whom, from when, and after how long it was done."""

    what: str
    start_at: int
    seconds: float | None
    deadline_s: float | None = None
    by: str = ""


class Spread(NamedTuple):
    """due: samples; done: those that happened; the rest in seconds, None where nothing was done."""

    due: int
    done: int
    p50: float | None
    p95: float | None
    longest: float | None


class Hops(NamedTuple):
    """Samples by hop, in order of their start."""

    samples: dict[str, list[Sample]]

    def of(self, hop: str) -> list[Sample]:
        return self.samples.get(hop, [])


class Records(NamedTuple):
    """What the hops of some warnings are read from."""

    alerts: dict[str, list[Alert]]  # id -> versions in order
    detections: dict[str, Detection]
    deliveries: dict[str, Delivery]
    receipts: dict[str, list[Receipt]]  # of a delivery, in order of time
    end_at: int  # as far as the run's clock came
    readings: tuple[
        Sample, ...
    ] = ()  # of each batch and station the newest: how long it was on its way


def gather(records: Iterable[object], incident: str = "") -> Records:
    """Of one incident, or of all that is in the records."""
    found: dict[tuple[str, int], Alert] = {}
    detections: dict[str, Detection] = {}
    deliveries: dict[str, Delivery] = {}
    receipts: dict[str, list[Receipt]] = defaultdict(list)
    readings: list[Sample] = []
    end_at = 0
    for r in records:
        match r:
            case Alert():
                found.setdefault((r.id, r.version), r)
            case Detection():
                detections.setdefault(r.id, r)
            case Delivery():
                deliveries.setdefault(r.id, r)
            case Receipt():
                receipts[r.delivery].append(r)
                end_at = max(end_at, r.receipt_at)
            case Observations():
                readings += heard(r)
            case Mark() | Tick():
                end_at = max(end_at, r.clock_at)
            case _:
                pass
    alerts: dict[str, list[Alert]] = defaultdict(list)
    for (name, _), a in sorted(found.items()):
        if not incident or a.incident == incident:
            alerts[name].append(a)
    mine = {k: d for k, d in deliveries.items() if d.alert in alerts}
    told = {k: sorted(receipts[k], key=lambda r: r.receipt_at) for k in mine if k in receipts}
    return Records(dict(alerts), detections, mine, told, end_at, tuple(readings))


def heard(batch: Observations) -> Iterator[Sample]:
    """Of each station in a batch its newest reading: from its own time until the line, and with it the duty
    room, had it. What a device says it had stored is no reading of now. A played gauge is handed in ahead
    of its minute: 0."""
    newest: dict[str, int] = {}
    tests = batch.test or ("",) * len(batch.station)
    for station, at, test in zip(batch.station, batch.observed_at, tests, strict=True):
        if test != HISTORICAL:
            newest[station] = max(at, newest.get(station, at))
    for station, at in newest.items():
        yield Sample(station, at, max(0.0, (batch.received_at - at) / 1000))


def first(found: Records, delivery: str, states: Sequence[str]) -> int | None:
    """When a delivery first came to one of the states. An exercise's attempts bear the clock that
    send had passed, a step behind: nothing arrives before it was queued."""
    queued_at = found.deliveries[delivery].queued_at
    for r in found.receipts.get(delivery, ()):
        if r.state in states:
            return max(r.receipt_at, queued_at)
    return None


def excused(found: Records, delivery: str, slack: int = 0) -> bool:
    """Has an update taken its place while it had time, or was it still under way at the end, with time
    left? What was late already when an update came had not been done. slack: ms that it had besides."""
    said = found.receipts.get(delivery, ())
    deadline_at = found.deliveries[delivery].deadline_at + slack
    replaced = [r.receipt_at for r in said if r.state == "superseded"]
    if replaced:
        return min(replaced) <= deadline_at
    over = any(r.state == "expired" or (r.state == "failed" and r.permanent) for r in said)
    return not over and deadline_at > found.end_at


def measure(
    found: Records,
    truth: Sequence[Truth],
    until: int | None = None,
    needed: Need = least_need,
) -> Hops:
    """Every hop. until: what began at that moment or later is left out (ms); leads are not. needed:
    area, moment of the disaster (ms) -> the lead that orders must have there (s)."""
    every = _measure(found, truth, needed)
    if until is None:
        return every
    return Hops(
        {
            name: [s for s in samples if name in LEADS or s.start_at < until]
            for name, samples in every.samples.items()
        }
    )


def _measure(found: Records, truth: Sequence[Truth], needed: Need) -> Hops:
    return Hops(
        {
            "version": _ordered(_versions(found)),
            "notice": _ordered(_notices(found)),
            "decision": _ordered(_decisions(found)),
            "loudspeaker": _ordered(_sounds(found)),
            "delivered": _ordered(_delivered(found)),
            "answer": _ordered(_answers(found)),
            "heard": _ordered(found.readings),
            "asked": _ordered(_asked(found)),
            "first_resident": _ordered(_first_residents(found)),
            "resident": _ordered(_residents(found)),
            "silent": _ordered(_silent(found)),
            **{name: _leads(found, truth, tier, needed) for name, tier in LEADS.items()},
        }
    )


def _leads(found: Records, truth: Sequence[Truth], tier: Tier, needed: Need) -> list[Sample]:
    """Every disaster: below 0 where the order came after it, None where it never came."""
    out = []
    for r in leads(found, truth, tier, least_need if tier == "warned" else needed):
        if r.flooded_at is None:
            continue
        seconds = None if r.warned_at is None else (r.flooded_at - r.warned_at) / 1000
        if tier == "warned":  # what began in the disaster is told as missed, as it always was
            seconds = r.lead_s
        out.append(
            Sample(f"{r.area} {r.hazard}", r.warned_at or r.flooded_at, seconds, float(r.need_s))
        )
    return out


def _ordered(samples: Iterable[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda s: (s.start_at, s.what))


def spread(samples: Sequence[Sample]) -> Spread:
    """Percentiles by nearest rank."""
    done = sorted(s.seconds for s in samples if s.seconds is not None)
    if not done:
        return Spread(len(samples), 0, None, None, None)
    at = {p: done[max(0, ceil(p * len(done)) - 1)] for p in (0.5, 0.95)}
    return Spread(len(samples), len(done), at[0.5], at[0.95], done[-1])


def rising(found: Records) -> Iterator[tuple[Alert, int]]:
    """Versions that ask for more than all before them, each with the moment of the evidence that
    made it (the newest that the version before did not have). A person's own act has none."""
    for versions in found.alerts.values():
        peak, known = Grade(), frozenset[str]()
        for a in versions:
            asked = Grade(a.proposed_level, a.proposed_action)
            there = [d for d in a.detections if d not in known and d in found.detections]
            new = [found.detections[d] for d in there]  # older ones have passed their retention
            if asked.exceeds(peak) and new and a.msg_type != "cancel":
                yield a, max(d.detected_at for d in new)
            peak, known = peak | asked, known | frozenset(a.detections)


def _versions(found: Records) -> Iterator[Sample]:
    for a, seen_at in rising(found):
        yield Sample(f"{a.area} {a.id}/{a.version}", seen_at, (a.sent_at - seen_at) / 1000)


def _notices(found: Records) -> Iterator[Sample]:
    """From the evidence to the first responsible person whose phone or carrier had the notice."""
    told: dict[tuple[str, int], list[str]] = defaultdict(list)
    for key, d in found.deliveries.items():
        if d.audience == "internal":
            told[d.alert, d.version].append(key)
    for a, seen_at in rising(found):
        mine = told[a.id, a.version]
        heard = [at for key in mine if (at := first(found, key, _HEARD)) is not None]
        if not mine or (not heard and all(excused(found, key) for key in mine)):
            continue
        seconds = (min(heard) - seen_at) / 1000 if heard else None
        yield Sample(f"{a.area} {a.id}/{a.version}", seen_at, seconds)


def _decisions(found: Records) -> Iterator[Sample]:
    """From the first question to the version in which it is no longer asked. A question that in its time
    gave way to a higher one, or ran out with its warning, was not due; afterwards nobody had decided."""
    for versions in found.alerts.values():
        asked: dict[str, tuple[int, int | None]] = {}
        for a in versions:
            now = {q.what: q for q in a.questions}
            for what in [w for w in asked if w not in now]:
                at, until = asked.pop(what)
                if a.state != "expired" and _settled(a, what, bool(now)):
                    yield _decision(a, what, at, until, (a.sent_at - at) / 1000)
                elif until is not None and until < a.sent_at:
                    yield _decision(a, what, at, until, None)
            for what, q in now.items():
                asked.setdefault(what, (a.sent_at, q.deadline_at))
        for what, (at, until) in asked.items():
            if until is not None and until > found.end_at:
                continue
            yield _decision(versions[-1], what, at, until, None)


def _settled(a: Alert, what: str, more: bool) -> bool:
    """Decided, one way or the other, and not only asked again as something higher?"""
    if what in ("lower", "cancel"):
        return True
    asked = grade_of(what)
    return (a.level >= asked.level and a.action >= asked.action) or not more


def _decision(a: Alert, what: str, at: int, until: int | None, seconds: float | None) -> Sample:
    deadline_s = None if until is None else (until - at) / 1000
    return Sample(f"{a.area} {a.hazard} {what}", at, seconds, deadline_s, a.by)


def _sounds(found: Records) -> Iterator[Sample]:
    """From the order (or warning) to the loudspeaker that sounds."""
    for key, d in found.deliveries.items():
        if d.msg_type == "cancel" or not any(r.channel == "broadcast" for r in d.routes):
            continue
        at = first(found, key, ("playing", "played"))
        if at is None and excused(found, key):
            continue
        yield Sample(d.recipient, d.queued_at, None if at is None else (at - d.queued_at) / 1000)


def _from(d: Delivery, at: int | None) -> Sample:
    """What waits (a subscriber's quiet hours, the night's rule) is due from when it may go."""
    begin = max(d.queued_at, d.not_before)
    return Sample(d.recipient, begin, None if at is None else max(0.0, (at - begin) / 1000))


def _delivered(found: Records) -> Iterator[Sample]:
    """Phones: to the carrier's word that the message has arrived."""
    for key, d in found.deliveries.items():
        if not any(r.channel in ("sms", "app", "voice") for r in d.routes):
            continue
        at = first(found, key, ("delivered", "answered"))
        if at is not None or not excused(found, key):
            yield _from(d, at)


def _answers(found: Records) -> Iterator[Sample]:
    """叫应: responsible persons who must answer. Several versions ask one person again and again:
    each that was not replaced is due."""
    for key, d in found.deliveries.items():
        if not d.must_answer:
            continue
        at = first(found, key, ("answered",))
        if at is not None or not excused(found, key):
            yield _from(d, at)


def _asked(found: Records) -> Iterator[Sample]:
    """From the evidence to the version that puts a question to somebody."""
    for a, seen_at in rising(found):
        if any(q.what not in ("lower", "cancel") for q in a.questions):
            yield Sample(f"{a.area} {a.id}/{a.version}", seen_at, (a.sent_at - seen_at) / 1000)


def _released(found: Records) -> Iterator[Alert]:
    """Versions that are released to the public and are in force for more than all before them."""
    for versions in found.alerts.values():
        peak = Grade()
        for a in versions:
            grade = Grade(a.level, a.action)
            if a.public and a.msg_type != "cancel" and grade.exceeds(peak):
                peak |= grade
                yield a


def _of_residents(found: Records) -> Iterator[tuple[Alert, list[tuple[str, int | None]]]]:
    """Each release with everybody whom it had to reach, and when it did: telephones that had it, and
    loudspeakers that sounded. Whom an update reached instead was not due. A release that has nobody, for
    the place has no list or nothing was ever addressed, reached nobody."""
    told: dict[tuple[str, int], list[str]] = defaultdict(list)
    for key, d in found.deliveries.items():
        ways = {r.channel for r in d.routes}
        if d.audience == "public" and not d.covers and ways & _TO_PEOPLE:
            told[d.alert, d.version].append(key)
    for a in _released(found):
        had: list[tuple[str, int | None]] = []
        if not told[a.id, a.version] and found.end_at > a.sent_at + _SLACK_MS:
            yield a, had
            continue
        for key in told[a.id, a.version]:
            at = first(found, key, _HAD)
            if at is not None or not excused(found, key):
                had.append((key, at))
        if had:
            yield a, had


_SLACK_MS = 60_000  # what sounds so soon after its time is no silent one: nobody need be told
_TO_PEOPLE = {"broadcast", "sms", "app", "voice"}
_HAD = ("playing", "played", "delivered", "answered")


def _first_residents(found: Records) -> Iterator[Sample]:
    """From the release to the first of them; None where nobody was ever reached."""
    for a, had in _of_residents(found):
        times = [at - max(a.sent_at, found.deliveries[key].not_before) for key, at in had if at]
        seconds = max(0.0, min(times) / 1000) if times else None
        yield Sample(f"{a.area} {a.id}/{a.version}", a.sent_at, seconds)


def _residents(found: Records) -> Iterator[Sample]:
    """From the release to each of them; the longest is the last resident."""
    for a, had in _of_residents(found):
        for key, at in had:
            begin = max(a.sent_at, found.deliveries[key].not_before)
            seconds = None if at is None else max(0.0, (at - begin) / 1000)
            yield Sample(found.deliveries[key].recipient, a.sent_at, seconds)


def _silent(found: Records) -> Iterator[Sample]:
    """From the order to a loudspeaker that did not sound in its time to the notice that tells the duty room."""
    told: dict[tuple[str, int, str], int] = {}
    for d in found.deliveries.values():
        if about(d) == "missed":
            key = (d.alert, d.version, d.recipient.removeprefix(DUTY))
            told[key] = min(d.queued_at, told.get(key, d.queued_at))
    for name, d in found.deliveries.items():
        if d.msg_type == "cancel" or not any(r.channel == "broadcast" for r in d.routes):
            continue
        at = told.get((d.alert, d.version, d.recipient))
        sounded = first(found, name, ("playing", "played"))
        late = sounded is None or sounded > d.deadline_at + _SLACK_MS
        if at is None and (not late or excused(found, name, _SLACK_MS)):
            continue
        yield Sample(d.recipient, d.queued_at, None if at is None else (at - d.queued_at) / 1000)


def leads(
    found: Records,
    truth: Sequence[Truth],
    tier: Tier = "warned",
    needed: Need = least_need,
) -> list[StormRow]:
    """Public warnings against what happened, as `skill.verify.storms` counts."""
    versions = warned(a for versions in found.alerts.values() for a in versions)
    return score(truth, versions, tier, needed).rows
