"""What the numbers (seq) of a station's readings say of what was lost on the way. Pure.

A number that counts messages goes up by one each time, and a larger step is a loss. Two kinds of devices number
otherwise, and lose nothing by it: one count for several quantities, or for samples of which every n-th is sent,
goes up by the same step each time; and a number that is a clock (the minute of the day, the record of a logger)
goes up with the time of the reading, however seldom it speaks.
"""

from collections import Counter
from dataclasses import dataclass, field

_MOST = 0.9  # of the steps, to call a number a clock
_USUAL = 0.5  # of the steps, to call one of them the usual one
_LENGTHS = 3  # of steps, to call a number a clock
_KINDS = 64  # different steps and rates that are remembered


@dataclass
class Numbers:
    """Of one station. count: readings with a number. restarts: how often it fell."""

    plan_ms: int
    count: int = 0
    restarts: int = 0
    _before: tuple[int, int] | None = None  # number, observed_at
    _steps: Counter[int] = field(default_factory=Counter)
    _rates: Counter[int] = field(default_factory=Counter)  # ms a number, where it is a whole one
    # (rate, step) that were taken while no report was due
    _early: set[tuple[int, int]] = field(default_factory=set)

    def take(self, seq: int, observed_at: int) -> None:
        """The next reading, as they come."""
        self.count += 1
        before, self._before = self._before, (seq, observed_at)
        if before is None:
            return
        step, ms = seq - before[0], observed_at - before[1]
        if step <= 0:
            self.restarts += step < 0
            return
        if step in self._steps or len(self._steps) < _KINDS:
            self._steps[step] += 1
        rate, rest = divmod(ms, step)
        if ms > 0 and not rest and (rate in self._rates or len(self._rates) < _KINDS):
            self._rates[rate] += 1
            if ms <= self.plan_ms and len(self._early) < _KINDS:
                self._early.add((rate, step))

    @property
    def skipped(self) -> int:
        """Numbers that were sent and never came."""
        steps = self._steps.total()
        if not steps or self._is_clock(steps):
            return 0
        usual, many = self._steps.most_common(1)[0]
        unit = usual if many > _USUAL * steps else 1
        return sum(n * (-(-step // unit) - 1) for step, n in self._steps.items())

    def _is_clock(self, steps: int) -> bool:
        """It keeps pace with the readings' time, in steps of several lengths while no report was due: what
        counts messages goes up by one however long it waits."""
        rate, many = max(self._rates.items(), key=lambda row: row[1], default=(0, 0))
        return many >= _MOST * steps and sum(r == rate for r, _ in self._early) >= _LENGTHS
