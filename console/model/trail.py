"""What a page shows of the past: each station's values of the last hours, what the map looked like
every ten minutes, and the newest decisions. Pure: records in."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from config.records.quantity import QUANTITIES
from console.model.answers import Frame, Series
from console.model.cap_sources import Outside
from console.model.health import Health
from console.model.reach import Reached
from console.model.roll import Rolled
from console.model.shift_log import Shift
from console.model.view import View
from dispatch.records import Decision, Outcome
from ingest.observation import Flag, Observations

KEPT_MS = 6 * 3_600_000
BIN_MS = 5 * 60_000
FRAME_MS = 10 * 60_000
_DECISIONS = 40


@dataclass
class Trail:
    """bins: station -> start of five minutes -> rain summed, or the last value, in counts."""

    bins: dict[str, dict[int, int]] = field(default_factory=dict)
    quantity: dict[str, str] = field(default_factory=dict)
    frames: deque[Frame] = field(default_factory=deque)
    decisions: deque[Decision] = field(default_factory=lambda: deque(maxlen=_DECISIONS))
    outcomes: dict[tuple[str, str], list[Outcome]] = field(default_factory=dict)
    reached: Reached = field(default_factory=Reached)
    rolled: Rolled = field(default_factory=Rolled)
    shift: Shift = field(default_factory=Shift)
    health: Health = field(default_factory=Health)
    outside: Outside = field(default_factory=Outside)

    def take(self, record: Any, view: View) -> None:
        """Fold one record in, after the view has."""
        if isinstance(record, Observations):
            self._observations(record)
        elif isinstance(record, Decision):
            if record.hash:  # as asked, in `cases`, nothing has come of it yet
                self.decisions.append(record)
        elif isinstance(record, Outcome):
            self.outcomes.setdefault((record.area, record.hazard), []).append(record)
        self.reached.take(record, view)
        self.rolled.take(record, view)
        self.shift.take(record, view)
        self.health.take(record)
        self.outside.take(record)
        self._frame(view)

    def _observations(self, batch: Observations) -> None:
        for o in batch.items:
            if o.quantity not in ("rain", "stage") or o.flag == Flag.FAIL:
                continue
            bins = self.bins.setdefault(o.station, {})
            self.quantity[o.station] = o.quantity
            # a reading sums over the interval that ends at its time
            start = (o.observed_at - (o.quantity == "rain")) // BIN_MS * BIN_MS
            bins[start] = bins.get(start, 0) + o.value if o.quantity == "rain" else o.value
            newest = max(bins)
            for old in [b for b in bins if b < newest - KEPT_MS]:
                del bins[old]

    def _frame(self, view: View) -> None:
        at = view.clock_at // FRAME_MS * FRAME_MS
        if not at or (self.frames and self.frames[-1]["at"] >= at):
            return
        levels = {a: [int(lv), int(ac)] for a, (lv, ac) in view.area_levels().items()}
        values = {s: v for s in self.bins if (v := self.value(s, at)) is not None}
        self.frames.append({"at": at, "areas": levels, "stations": values})
        while self.frames[0]["at"] < at - KEPT_MS:
            self.frames.popleft()

    def value(self, station: str, at: int) -> float | None:
        """Rain of the hour before `at` (mm), or the newest value by then; None: nothing came."""
        bins, quantity = self.bins[station], QUANTITIES[self.quantity[station]]
        some = [b for b in bins if at - 3_600_000 <= b < at]
        if not some:
            return None
        count = sum(bins[b] for b in some) if quantity.kind == "interval" else bins[max(some)]
        return round(quantity.amount(count), 2)

    def series(self, station: str) -> Series:
        """The bins as two columns: starts (s since 1970 UTC) and amounts in the unit."""
        bins = self.bins.get(station, {})
        if not bins:
            return {"at": [], "value": []}
        quantity = QUANTITIES[self.quantity[station]]
        starts = sorted(bins)
        return {
            "at": [b / 1000 for b in starts],
            "value": [round(quantity.amount(bins[b]), 2) for b in starts],
        }
