"""A record's rows as they are read, kept narrow: pair, time and count of the resolution, 4 bytes a row where
many stations report at one time and counts are small; and what rounding to the resolution does to each pair."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from config.language import Said, Text
from config.records.quantity import QUANTITIES
from detectors.engine.window_rule import Floats, Ints
from skill.verify.shared_times import SharedTimes

_FEW = 4  # rows a time: from here on a time is kept once
_WIDTHS = ((2**15 - 1, np.int16), (2**31 - 1, np.int32), (2**63 - 1, np.int64))
_BLOCK = 2_000_000  # rows that are looked at together


class ReadRows(NamedTuple):
    """In the order of the file. which: index of the pair; at: ms; counts: of the resolution."""

    which: Ints
    at: Ints | SharedTimes
    counts: Ints


class Gathered:
    """pairs: those known so far, which whoever reads appends to."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._which, self._counts = Growing(np.uint16), Growing(np.int16)
        self._times: list[Ints] = []  # each time of a run
        self._runs: list[Ints] = []  # and the rows it has
        self._unit = np.zeros(0)
        self._sums = np.zeros((2, 0))  # of values, and of counts
        self.size = 0

    def add(self, which: Ints, at: Ints, value: Floats) -> None:
        """Half away from zero, as a reading that comes live."""
        if not which.size:
            return
        self._widen()
        scaled = value * self._unit[which]
        counts = np.floor(np.abs(scaled) + 0.5)
        np.copysign(counts, scaled, out=counts)
        for n, weights in enumerate((value, counts)):
            self._sums[n] += np.bincount(which, weights, len(self._pairs))
        most = np.abs(counts).max()
        self._counts.widen(next((kind for top, kind in _WIDTHS if most <= top), np.int64))
        self._which.widen(np.int32 if len(self._pairs) > 2**16 else np.uint16)
        self._counts.add(counts)
        self._which.add(which)
        begin = np.flatnonzero(np.append(True, at[1:] != at[:-1]))
        self._times.append(at[begin])
        self._runs.append(np.diff(np.append(begin, at.size)))
        self.size += which.size

    def _widen(self) -> None:
        for _, quantity in self._pairs[self._unit.size :]:
            q = QUANTITIES[quantity]
            self._unit = np.append(self._unit, q.per_unit)
            self._sums = np.append(self._sums, np.zeros((2, 1)), axis=1)

    def rows(self) -> ReadRows:
        """All of them."""
        times, runs = (
            np.concatenate(x or [np.zeros(0, np.int64)]) for x in (self._times, self._runs)
        )
        at: Ints | SharedTimes = SharedTimes(times, np.append(0, np.cumsum(runs)[:-1]), self.size)
        if times.size * _FEW > self.size or (np.diff(times) < 0).any():
            at = np.repeat(times, runs)
        return ReadRows(self._which.whole(), at, self._counts.whole())

    def notes(self, left: ReadRows) -> Iterator[Said]:
        """Of pairs with values that cannot be, or a total that rounding changes. left: the rows that count."""
        found = zip(self._pairs, *self._sums, self._wild(left), strict=True)
        for (station, quantity), total, rounded, wild in found:
            q = QUANTITIES[quantity]
            if wild:
                between = f"{q.amount(q.low):g} … {q.amount(q.high):g} {q.unit}"
                yield Text(
                    f"{station} {quantity}：{wild} 个值越出物理范围 {between}，规则不用",
                    f"{station} {quantity}: {wild} values outside {between}: no rule uses them",
                )
            shift = rounded / q.per_unit - total
            if q.kind == "interval" and total > 0 and abs(shift) > 0.01 * total:
                step = f"{1 / q.per_unit:g} {q.unit}"
                yield Text(
                    f"{station} {quantity}：按 {step} 取整使总量变化 {shift / total:+.1%}",
                    f"{station} {quantity}: rounding to {step} changes the total by "
                    f"{shift / total:+.1%}",
                )

    def _wild(self, left: ReadRows) -> Ints:
        """How many are out of range, of each pair."""
        of = [QUANTITIES[quantity] for _, quantity in self._pairs]
        low, high = (np.array([getattr(q, x) for q in of], np.int64) for x in ("low", "high"))
        found = np.zeros(len(of), np.int64)
        for begin in range(0, left.which.size, _BLOCK):
            which, counts = (x[begin : begin + _BLOCK] for x in (left.which, left.counts))
            wild = (counts < low[which]) | (counts > high[which])
            found += np.bincount(which[wild], minlength=len(of))
        return found


class Growing:
    """Integers, one block after another, in one array that grows where it stands: so that a record is never
    held twice."""

    def __init__(self, kind: npt.DTypeLike) -> None:
        self._held = np.empty(1 << 16, kind)
        self._size = 0

    def add(self, values: Ints | Floats) -> None:
        """Whole numbers that the width holds."""
        end = self._size + values.size
        if end > self._held.size:
            self._held.resize(max(end, self._held.size * 5 // 4), refcheck=False)
        self._held[self._size : end] = values
        self._size = end

    def widen(self, kind: npt.DTypeLike) -> None:
        """To hold what `kind` does; it never becomes narrower."""
        if np.dtype(kind).itemsize > self._held.dtype.itemsize:
            self._held = self._held.astype(kind)

    def whole(self) -> Ints:
        """What was added; nothing more can be."""
        self._held.resize(self._size, refcheck=False)
        return self._held
