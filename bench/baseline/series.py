"""One station or gauge in order of time, as a plain loop: slots, levels and holds as the engine has them,
over the equations of `window_rules`."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from bench.baseline.window_rules import PLAIN


class _Level:
    """Up at once, down after a hold, as `detectors.engine.hysteresis` has it for many."""

    def __init__(self) -> None:
        self._level, self._since, self._peak = 0, -1, 0

    def judge(self, minute: int, raw: int, keep: int, hold_min: int) -> tuple[int, int] | None:
        """(minute, new level) if it changed."""
        level = self._level
        if raw > level:
            self._level, self._since = raw, -1
        elif keep >= level:
            self._since = -1
        elif self._since < 0:
            self._since, self._peak = minute, keep
        else:
            self._peak = max(self._peak, keep)
            if minute - self._since >= hold_min:
                self._level = self._peak
                self._since, self._peak = (minute, keep) if keep < self._peak else (-1, keep)
        return (minute, self._level) if self._level != level else None


class PlainSeries:
    """One row: readings in order of time, slot by slot, with the levels and holds of the engine."""

    def __init__(
        self,
        rule: Any,
        row: int,
        levels: Sequence[float],
        hold_min: int = 60,
        clear: float = 0.7,
    ) -> None:
        self._rule, self._row = rule, rule.rows[row]
        self._score = PLAIN[rule.kind.name]
        self._slots: list[dict[int, float]] = [{} for _ in self._row.stations]
        sign = -1.0 if rule.kind.falling else 1.0
        self._sign, self._limits = sign, [sign * x for x in levels]
        self._keeps = [x - abs(x) * (1 - clear) for x in self._limits]
        self._hold_min, self._head = hold_min, -1
        self._level = _Level()

    def step(self, k: int, at: int, value: float) -> tuple[int, int] | None:
        """Input, ms, value in the unit; (minute, new level) if it changed."""
        rule = self._rule
        slot, span = -(-at // rule.slot_ms), rule.span
        held = self._slots[k]
        if slot not in held:
            held[slot] = value
        elif rule.kind.gather == "sum":
            held[slot] += value
        else:
            held[slot] = (max if rule.kind.gather == "max" else min)(held[slot], value)
        if slot > self._head:
            self._head = slot
            for x in self._slots:
                for old in [s for s in x if s <= slot - span]:
                    del x[old]
        window = range(slot - span + 1, slot + 1)
        if rule.kind.quiet is not None and not any(any(x.values()) for x in self._slots):
            found: float | None = rule.kind.quiet  # dry: no look is needed
        else:
            w = [[x.get(s) for s in window] for x in self._slots]
            found = self._score(rule.parameters, w, rule.slot_ms // 1000, self._row.weights)
        return self._judge(slot * rule.slot_ms // 60_000, found)

    def _judge(self, minute: int, value: float | None) -> tuple[int, int] | None:
        def reached(limits: Sequence[float]) -> int:
            assert value is not None
            met = [n for n, x in enumerate(limits, 1) if self._sign * value >= x - 1e-9 * abs(x)]
            return max(met, default=0)

        raw, keep = (0, 4) if value is None else (reached(self._limits), reached(self._keeps))
        return self._level.judge(minute, raw, keep, self._hold_min)


class PlainStage:
    """One gauge of `stage_trend` in order of time, with the rule's own defaults: mm, mm an hour."""

    def __init__(self, limits: Sequence[int], rise_per_h: int, ahead_min: int) -> None:
        self._limits, self._rise, self._ahead = limits, rise_per_h, ahead_min
        self._window: list[tuple[int, int]] = []
        self._level = _Level()

    def step(self, minute: int, value: int) -> tuple[int, int] | None:
        """Minute, mm; (minute, new level) if it changed."""
        self._window = [x for x in self._window if x[0] > minute - 30] + [(minute, value)]
        raw = sum(value >= x for x in self._limits)
        keep = sum(value + 200 >= x for x in self._limits)
        if len(self._window) >= 5 and raw < len(self._limits):
            rates = [
                (b - a) / (m - n)
                for k, (n, a) in enumerate(self._window)
                for m, b in self._window[k + 1 :]
            ]
            slope = median(rates)
            near = slope > 0 and (self._limits[raw] - value) / slope <= self._ahead
            steps = [b - a for (_, a), (_, b) in pairwise(self._window)]
            grows = 3 * (sum(steps) - max(steps)) >= sum(steps)
            raw += slope * 60 >= self._rise and near and grows
        return self._level.judge(minute, raw, max(raw, keep), 60)
