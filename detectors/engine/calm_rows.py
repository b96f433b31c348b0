"""Rows of a window rule of which it is sure, before anything is scored, that no judgement can change
anything: what comes for them is laid into their rings at once, in whatever order it came.

Two kinds of rows are so. Of one that holds no level and nothing doubtful, all that its windows can hold,
the batch with it, stays below its lowest threshold by the kind's own bound (`Kind.at_most`). And of
one to which a batch brings nothing but what is too late to be judged there is nothing to judge; of others
neither before the first nor after the last that is not too late (`over`).

Of each row an envelope is kept, within which lies all that its windows hold: the lowest and highest
value of what is no rain, and how much rain there can be. It only grows, and is drawn anew from the
ring where it has outgrown the thresholds. It is no memory: no snapshot has it, and a wider one costs
a look and changes nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools, among
from detectors.engine.slot_ring import SeriesState, advance, lay_each
from detectors.engine.window_rule import Envelopes, Floats, Ints

_FEW = 16  # so many are taken one by one: arrays cost more
_MORE_RAIN, _MORE = 20, 20  # counts: drawn so much wider, if that is still below the thresholds
_MARGIN = 1e-6  # a bound is a sum too

AtMost = Callable[[Any, Envelopes], Floats]


class Bound(NamedTuple):
    """By which a row is known to reach nothing: the kind's own, with its parameters, and what a value must
    stay below to call for nothing."""

    at_most: AtMost
    parameters: Any
    lowest: float


class CalmRows:
    """Of one rule, or of several whose memories are alike (`detectors.engine.calm_together`). bounds: by which
    rows are asked, none where nothing is known; bound_of: (rows,), which of them is each row's. rain:
    (inputs,), which are of rain. per_unit: (rows, inputs). late, kept: in slots, behind a row's clock what
    may be judged, and what stays."""

    def __init__(
        self,
        bounds: Sequence[Bound],
        bound_of: Ints,
        rain: Bools,
        per_unit: Floats,
        gathers: list[str],
        *,
        late: int,
        kept: int,
        fades: bool,
    ) -> None:
        self._bounds, self._bound_of = bounds, bound_of
        self._rain, self._rains = rain, rain.tolist()
        self._gathers = gathers
        self._late, self._kept, self._fades = late, kept, fades
        # of the first input that is no rain, and of the first of rain
        self._unit = per_unit[:, int((~rain).argmax())]
        self._rain_unit = per_unit[:, int(rain.argmax())]

    def lay(
        self,
        state: SeriesState,
        rows: Ints,
        inputs: Ints,
        slot: Ints,
        value: Floats,
        add: Bools | None,
        suspect: Bools | Floats | None,
        old: Bools | None,
    ) -> Bools:
        """Lay what comes for calm rows into the rings; which of the batch that was."""
        over = self.over(state, rows, slot, old)
        self._widen(state, rows, inputs, value)
        calm = np.ones(state.head.size, np.bool_)
        asked = np.zeros(calm.size, np.bool_)
        asked[rows[~over]] = True
        few = rows.size <= _FEW
        if suspect is not None:
            calm[rows[(suspect != 0) & (few | asked[rows])]] = False
        some = asked.nonzero()[0]
        if some.size:
            calm[some] &= self._sure(state, some, rows, inputs, value)
        laid = calm[rows]
        if few:
            self._one_by_one(state, rows, inputs, slot, value, add, laid)
        elif laid.any():
            which = slice(None) if laid.all() else laid.nonzero()[0]
            self.lay_past(state, which, rows, inputs, slot, value, add, suspect)
        return laid

    def over(self, state: SeriesState, rows: Ints, slot: Ints, old: Bools | None) -> Bools:
        """Which of a batch are too late to be judged, whatever comes before them."""
        late: Bools = slot < state.head[rows] - self._late
        return late if old is None else late | old

    def lay_past(
        self,
        state: SeriesState,
        which: Ints | slice,
        rows: Ints,
        inputs: Ints,
        slot: Ints,
        value: Floats,
        add: Bools | None,
        suspect: Bools | Floats | None,
    ) -> None:
        """Lay these of a batch, of which nothing is judged, into the rings."""
        also = None if add is None else add[which]
        columns = (rows[which], inputs[which], slot[which], value[which])
        kept = self._at_once(state, *columns, also)
        if suspect is not None and (share := kept * suspect[which]).any():
            state.mistrust(*columns, share)

    # --- what a row can hold

    def _widen(self, state: SeriesState, rows: Ints, inputs: Ints, value: Floats) -> None:
        """The envelopes, by what comes."""
        e = state.within
        if rows.size <= _FEW:
            for row, of, v in zip(rows.tolist(), inputs.tolist(), value.tolist(), strict=True):
                if not self._rains[of]:
                    if v < e.low[row] or v > e.high[row]:
                        e.low[row], e.high[row] = min(v, e.low[row]), max(v, e.high[row])
                        e.room[row] = -1.0
                elif v:
                    e.fell[row] += v if v > 0 else np.inf  # an estimate that goes again
            return
        rains = self._rain[inputs]
        fell = value[rains]
        np.add.at(e.fell, rows[rains], np.where(fell < 0, np.inf, fell))
        r, v = rows[~rains], value[~rains]
        out = (v < e.low[r]) | (v > e.high[r])
        if out.any():
            r, v = r[out], v[out]
            np.minimum.at(e.low, r, v)
            np.maximum.at(e.high, r, v)
            e.room[r] = -1.0

    def sure(self, state: SeriesState, some: Ints) -> Bools:
        """Of which of these rows it is sure, as they are, that no window of theirs reaches anything."""
        none = some[:0]
        return self._sure(state, some, none, none, none.astype(np.float64))

    def _sure(
        self, state: SeriesState, some: Ints, rows: Ints, inputs: Ints, value: Floats
    ) -> Bools:
        """Of which of the rows `some` it is sure that nothing can be reached."""
        if not self._bounds:
            return np.zeros(some.size, np.bool_)
        e = state.within
        found = ~state.machines.held_of(some)
        if state.doubt:
            found &= ~among(some, state.doubt)
        ask = some[found & (e.fell[some] > e.room[some]) & (e.asked_at[some] < state.head[some])]
        if ask.size:
            self._draw(state, ask)
            mine = among(rows, set(ask.tolist()))
            self._widen(state, rows[mine], inputs[mine], value[mine])
            self._allow(state, ask)
        found &= e.fell[some] <= e.room[some]
        return np.asarray(found)

    def _draw(self, state: SeriesState, rows: Ints) -> None:
        """Envelopes anew, from all that a judgement may still look at."""
        e, slots = state.within, state.ring.shape[2]
        ends = state.head[rows][:, None] + np.arange(1 - self._kept, 1)
        held = state.ring[
            rows[:, None, None], np.arange(self._rain.size)[:, None], ends[:, None] & (slots - 1)
        ]
        others, rain = held[:, ~self._rain], held[:, self._rain]
        e.low[rows] = np.fmin.reduce(others, axis=(1, 2), initial=np.inf)
        e.high[rows] = np.fmax.reduce(others, axis=(1, 2), initial=-np.inf)
        # the mean of gauges is below the most that one of them had
        most = np.fmax.reduce(rain, axis=1, initial=0.0).sum(axis=1)
        e.fell[rows] = np.where((rain < 0).any(axis=(1, 2)), np.inf, most)

    def _allow(self, state: SeriesState, rows: Ints) -> None:
        """How much rain each may hold and reach nothing; a little more of all, where that is so too."""
        e = state.within
        low, high, fell = e.low[rows], e.high[rows], e.fell[rows]
        wide = self._below(rows, low - _MORE, high + _MORE, fell + _MORE_RAIN)
        fine = wide | self._below(rows, low, high, fell)
        e.low[rows[wide]] -= _MORE
        e.high[rows[wide]] += _MORE
        e.room[rows] = np.where(fine, fell + np.where(wide, _MORE_RAIN, 0), -1.0)
        # what holds too much now does so until its clock goes on
        e.asked_at[rows] = np.where(fine, -2, state.head[rows])

    def _below(self, rows: Ints, low: Floats, high: Floats, fell: Floats) -> Bools:
        """(n,): is the value of all windows within these below every threshold?"""
        unit, sure = self._unit[rows], np.isfinite(fell)
        within = Envelopes(low / unit, high / unit, np.where(sure, fell, 0) / self._rain_unit[rows])
        if len(self._bounds) == 1:
            return sure & _stays(self._bounds[0], within)
        of, below = self._bound_of[rows], np.zeros(rows.size, np.bool_)
        for n in np.flatnonzero(np.bincount(of)).tolist():
            mine = (of == n).nonzero()[0]
            below[mine] = _stays(self._bounds[n], Envelopes(*(x[mine] for x in within)))
        return sure & below

    # --- into the rings

    def _one_by_one(
        self,
        state: SeriesState,
        rows: Ints,
        inputs: Ints,
        slot: Ints,
        value: Floats,
        add: Bools | None,
        laid: Bools,
    ) -> None:
        also = [True] * rows.size if add is None else add.tolist()
        columns = (
            rows.tolist(),
            inputs.tolist(),
            slot.tolist(),
            value.tolist(),
            also,
            laid.tolist(),
        )
        for row, of, s, v, more, mine in zip(*columns, strict=True):
            if mine:
                self.lay_one(state, row, of, s, v, more=more)

    def lay_one(
        self, state: SeriesState, row: int, of: int, s: int, v: float, *, more: bool
    ) -> None:
        """One value of slot `s` into the ring of its row."""
        state.changed[row] = True
        ring, head, mask = state.ring, state.head, state.ring.shape[2] - 1
        before = head.item(row)  # a number of Python's own is quicker to compare
        if s > before:
            gap = 1 if before < 0 else min(s - before, mask + 1)
            for back in range(gap):
                ring[row, :, (s - back) & mask] = np.nan
            head[row] = before = s
        if s <= before - self._kept:
            return
        place = (row, of, s & mask)
        held, gather = ring.item(place), self._gathers[of]
        empty = held != held
        if gather == "sum":
            if empty or more:
                ring[place] = v if empty else held + v
        elif empty or (v < held if gather == "min" else v > held):
            ring[place] = v
        if v:
            state.wet[row] = max(s, int(state.wet[row]))
            if self._fades:
                state.unjudged[row] = True

    def still(self, state: SeriesState, row: int, of: int, slot: int, value: int) -> bool:
        """Is it known, without a look at the ring, that this value of this slot changes nothing? Of rain that
        is asked of none alone."""
        if not self._bounds:
            return False
        machines, within = state.machines, state.within
        if not self._rains[of] and not within.low.item(row) <= value <= within.high.item(row):
            return False
        if within.fell.item(row) > within.room.item(row) or row in state.doubt:
            return False
        held = machines.level.level.item(row) or machines.action.level.item(row)
        return not held and slot >= state.head.item(row) - self._late

    def _at_once(
        self,
        state: SeriesState,
        rows: Ints,
        inputs: Ints,
        slot: Ints,
        value: Floats,
        add: Bools | None,
    ) -> Bools:
        """As one after another: in which order they came shows only in what was too late when it did, and is
        not taken. Returns what was."""
        head = state.head[rows]
        if (slot > head).any():
            kept = slot > _clocks(state.head, rows, slot) - self._kept
            last = state.head.copy()
            np.maximum.at(last, rows, slot)
            moved = (last > state.head).nonzero()[0]
            advance(state, moved, last[moved], np.zeros(moved.size, np.bool_))
            head = last[rows]
        else:  # no clock moves
            kept = slot > head - self._kept
        wet = kept & (value != 0)
        np.maximum.at(state.wet, rows[wet], slot[wet])
        if self._fades:
            state.unjudged[rows[wet]] = True
        stays = kept & (
            slot > head - state.ring.shape[2]
        )  # else the clock has come round to its place
        also = None if add is None else add[stays]
        lay_each(state, rows[stays], inputs[stays], slot[stays], value[stays], also, self._gathers)
        return kept


def _stays(bound: Bound, within: Envelopes) -> Bools:
    """(n,): below the bound's lowest."""
    most = bound.at_most(bound.parameters, within)
    return np.asarray(most + _MARGIN * np.maximum(1, np.abs(most)) < bound.lowest)


def _clocks(head: Ints, rows: Ints, slot: Ints) -> Ints:
    """The row's clock after each of a batch."""
    order = np.argsort(rows, kind="stable")
    r = rows[order]
    first = np.ones(r.size, np.bool_)
    first[1:] = r[1:] != r[:-1]
    # a running maximum that starts anew with each row: the row's rank is the high part
    rank = np.cumsum(first) << 42
    top = np.maximum.accumulate(
        np.where(first, np.maximum(slot[order], head[r]), slot[order]) + rank
    )
    found = np.empty(rows.size, np.int64)
    found[order] = top - rank
    return found
