"""The promises of the line as intervals with a target: what was due, what came in time, and what is left of the
misses that the target allows. Pure.

An interval is a hop of `fengsui.review.step_times`: the after-action report, `fengsui slo` and the metrics of
the auditor measure it by the same code. Its target is the district's (`drill.toml`), else `USUAL_SLO`.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil
from typing import NamedTuple

import msgspec

from config.language import Said, Text
from detectors.detection import Detection, Mark
from dispatch.records import Alert, Delivery, Receipt
from fengsui.review.after_action import HOP_ZH
from fengsui.review.step_times import Hops, gather, heard, measure, spread
from fengsui.review.targets import Plan, Target, hold, in_time
from ingest.observation import Observations
from stream.records import Tick

INTERVALS = ("heard", "asked", "decision", "first_resident", "resident", "silent")
# starting values; a district sets its own in drill.toml
USUAL_SLO: dict[str, Target] = {
    t.hop: t
    for t in (
        Target(hop="heard", within_s=120, share=0.99),
        Target(hop="asked", within_s=60, share=0.99),
        Target(hop="decision", share=0.95),
        Target(hop="first_resident", within_s=60, share=0.95),
        Target(hop="resident", within_s=300, share=0.9),
        Target(hop="silent", within_s=420, share=0.99),
    )
}
WINDOW_MS = 30 * 86_400_000
_DAY_MS = 86_400_000


class SloRow(msgspec.Struct, frozen=True, kw_only=True):
    """An interval and what came of it. within_s: None where each question has its own deadline. ratio: in
    time of due, None where nothing was due. allowed: misses that the target allows; left: of these, below 0
    where more were missed; left_ratio: the same as a share of what is allowed. Lengths in seconds."""

    hop: str
    words: Text
    within_s: int | None
    share: float
    due: int
    in_time: int
    ratio: float | None
    allowed: float
    left: float
    left_ratio: float | None
    p50: float | None
    p95: float | None
    longest: float | None


class Abroad(NamedTuple):
    """What happened elsewhere, to be held beside ours: times of that place as text, and minutes between."""

    where: Text
    asked: str
    approved: str
    sent: str
    minutes: int
    source: str


# KSAT Investigates, 4 August 2025, of the sheriff's words at the legislative hearing of 31 July 2025: asked for
# at 4:22, approved by a supervisor a minute later, sent to the public at 5:01; KSAT itself saw no record of
# an alert before 5:34. KHOU 11 had the police chief's telephone, which received it at 5:02.
KERR = Abroad(
    Text("得克萨斯州 Kerr 县，2025 年 7 月 4 日", "Kerr County, Texas, 4 July 2025"),
    "04:22",
    "04:23",
    "05:01",
    39,
    "https://www.ksat.com/news/ksat-investigates/2025/08/04/one-month-after-hill-country-flooding-what-have-"
    "we-discovered-what-is-still-left-to-be-revealed",
)


def targets(plan: Plan) -> dict[str, Target]:
    """Of each interval: the district's own, where it has one."""
    own: dict[str, Target] = {t.hop: t for t in plan.target if t.hop in INTERVALS}
    return {hop: own.get(hop, USUAL_SLO[hop]) for hop in INTERVALS}


def table(wanted: dict[str, Target], hops: Hops) -> list[SloRow]:
    """A row an interval, in their order."""
    out = []
    for hop in INTERVALS:
        (held,) = hold(Plan(target=(wanted[hop],)), hops)
        took = spread(hops.of(hop))
        out.append(_row(wanted[hop], held.due, held.in_time, (took.p50, took.p95, took.longest)))
    return out


def _row(
    t: Target, due: int, done: int, took: tuple[float | None, float | None, float | None]
) -> SloRow:
    allowed, missed = (1 - t.share) * due, due - done
    return SloRow(
        hop=t.hop,
        words=Text(*HOP_ZH[t.hop]),
        within_s=t.within_s,
        share=t.share,
        due=due,
        in_time=done,
        ratio=done / due if due else None,
        allowed=allowed,
        left=allowed - missed,
        left_ratio=(allowed - missed) / allowed if allowed else None,
        p50=took[0],
        p95=took[1],
        longest=took[2],
    )


class Slo:
    """The same of a line that runs, over the last 30 days: takes records as they come. Readings are counted
    by the day; of warnings and messages the records are kept and measured anew."""

    def __init__(self, wanted: dict[str, Target]) -> None:
        self._targets = wanted
        self._records: list[tuple[int, object]] = []
        self._heard: dict[int, list[int]] = {}  # day -> due, in time
        self.dirty = False
        self._clock = 0

    def take(self, record: object) -> None:
        """Fold one record in."""
        match record:
            case Observations():
                self._reading(record)
            case Alert():
                self._keep(record.sent_at, record)
            case Detection():
                self._keep(record.detected_at, record)
            case Delivery():
                self._keep(record.queued_at, record)
            case Receipt():
                self._keep(record.receipt_at, record)
            case Mark() | Tick():
                self._clock = max(self._clock, record.clock_at)
            case _:
                pass

    def _keep(self, at: int, record: object) -> None:
        self._records.append((at, record))
        self.dirty = True

    def _reading(self, batch: Observations) -> None:
        for s in heard(batch):
            counts = self._heard.setdefault(s.start_at // _DAY_MS, [0, 0])
            counts[0] += 1
            counts[1] += in_time(self._targets["heard"], s)
        self.dirty = True

    def rows(self, now: int) -> list[SloRow]:
        """As they stand at `now` (ms): what began in the last 30 days."""
        since = now - WINDOW_MS
        self._forget(since)
        self._heard = {d: c for d, c in self._heard.items() if d >= since // _DAY_MS}
        self.dirty = False
        told: Sequence[object] = [r for _, r in self._records]
        every = measure(gather([*told, Tick(clock_at=self._clock)]), ()).samples
        hops = Hops({k: [s for s in v if s.start_at >= since] for k, v in every.items()})
        due = sum(c[0] for c in self._heard.values())
        done = sum(c[1] for c in self._heard.values())
        mine = _row(self._targets["heard"], due, done, (None, None, None))
        return [mine if r.hop == "heard" else r for r in table(self._targets, hops)]

    def _forget(self, since: int) -> None:
        """Warnings of which nothing is so new, whole: of half a warning a renewal looks like a release."""
        late = [r for at, r in self._records if at >= since]
        mine = {r.id for r in late if isinstance(r, Alert)}
        mine |= {r.alert for r in late if isinstance(r, Delivery)}
        rests, theirs = set[str](), set[str]()
        for _, r in self._records:
            if isinstance(r, Alert) and r.id in mine:
                rests |= set(r.detections)
            elif isinstance(r, Delivery) and r.alert in mine:
                theirs.add(r.id)

        def stays(at: int, r: object) -> bool:
            match r:
                case Alert():
                    return r.id in mine
                case Delivery():
                    return r.id in theirs
                case Receipt():
                    return r.delivery in theirs or at >= since
                case Detection():
                    return r.id in rests or at >= since
            return False

        self._records = [(at, r) for at, r in self._records if stays(at, r)]


def heard_of_all(wanted: dict[str, Target], batches: Iterable[object], until: int | None) -> SloRow:
    """The row `heard` of all that a log has, however much: batches are counted as they come. until: what was
    measured then or later is left out (ms)."""
    target, took, done = wanted["heard"], Counter[float](), 0
    for batch in batches:
        for s in heard(batch) if isinstance(batch, Observations) else ():
            if until is None or s.start_at < until:
                took[s.seconds or 0.0] += 1
                done += in_time(target, s)
    at, due = sorted(took), took.total()
    ends = list(accumulate(took[x] for x in at))

    def rank(p: float) -> float | None:
        return at[bisect_left(ends, max(1, ceil(p * due)))] if due else None

    return _row(target, due, done, (rank(0.5), rank(0.95), at[-1] if at else None))


def limit(row: SloRow) -> Said:
    """≤ 60 s, 99 %."""
    within = Text("各自时限", "its own deadline") if row.within_s is None else f"≤ {row.within_s} s"
    return within + Text(f"，{row.share:.0%}", f", {row.share:.0%}")
