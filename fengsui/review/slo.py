"""The promises of the line as intervals with a target: what was due, what came in time, and what is left of the
misses that the target allows. Pure.

An interval is a hop of `fengsui.review.step_times`: the after-action report, `fengsui slo` and the metrics of
the auditor measure it by the same code. Its target is the district's (`drill.toml`), else `USUAL_SLO`.
"""

from collections.abc import Sequence
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
        """As they stand at `now` (ms)."""
        since = now - WINDOW_MS
        self._records = [r for r in self._records if r[0] >= since]
        self._heard = {d: c for d, c in self._heard.items() if d >= since // _DAY_MS}
        self.dirty = False
        told: Sequence[object] = [r for _, r in self._records]
        hops = measure(gather([*told, Tick(clock_at=self._clock)]), ())
        rows = table(self._targets, hops)
        due = sum(c[0] for c in self._heard.values())
        done = sum(c[1] for c in self._heard.values())
        mine = _row(self._targets["heard"], due, done, (None, None, None))
        return [mine if r.hop == "heard" else r for r in rows]


def limit(row: SloRow) -> Said:
    """≤ 60 s, 99 %."""
    within = Text("各自时限", "its own deadline") if row.within_s is None else f"≤ {row.within_s} s"
    return within + Text(f"，{row.share:.0%}", f", {row.share:.0%}")
