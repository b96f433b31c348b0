"""The engine of every window rule (`detectors.engine.window_rule`): rings of slots, thresholds, levels.

A row is an area and hazard with one station, or several where the rule is joint. What a row holds
of a slot is the sum, highest or lowest of what came (`Kind.gather`), so the order of arrival does not show
in it. After each observation the row is judged at its own clock, its newest slot; a late one (within
`late_min`) at every slot whose window it touches, as in `detectors.rain.rain_threshold`, and for what is older
at the next tick (`judge_back`). Up at once, down by `detectors.engine.hysteresis`. A value that the rule cannot
give (NaN), or that lacks what it should rest on (`Kind.holds`), holds the level: not to know is no
all-clear. Rows whose window is empty of rain are passed over where the rule allows.

Cost: a gather of k x W numbers a judgement, vectorised over all judgements of a batch; none for a
dry row. How a stream is cut into batches does not show in the result.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from config.records.quantity import QUANTITIES
from detectors.engine.calm_rows import Bound, CalmRows
from detectors.engine.hysteresis import either, without
from detectors.engine.minute_ring import Bools, around, rounds, turns
from detectors.engine.owed_ends import Owed
from detectors.engine.slot_ring import SeriesState, advance, dump, gathers, load, put_each
from detectors.engine.snapshot_arrays import EVERY
from detectors.engine.thresholds import Limits
from detectors.engine.window_rows import SeriesChange, SeriesRow
from detectors.engine.window_rule import Floats, Ints, Kind, Scored, SeriesJudged, View

_MINUTE = 60_000
_WAITED = 32  # slots: so long may what comes late have waited
_FEW = 16  # of fewer, none is sought that need no judgement
_ELEMENTS = 2_000_000  # numbers gathered at once


class SeriesRule:
    """A kind with its parameters and thresholds, for many rows. Parameters are the object, memory
    is an argument."""

    def __init__(
        self,
        name: str,
        kind: Kind,
        parameters: Any,
        rows: Sequence[SeriesRow],
        levels: tuple[float | None, ...],
        actions: tuple[float | None, ...] = (None, None),
        *,
        hold_min: int = 60,
        clear: float = 0.7,
        late_min: int = 30,
        speaks: bool = True,
    ) -> None:
        self.name, self.kind, self.parameters = name, kind, parameters
        self.rows = list(rows)
        self.names = [f"{r.area}|{r.hazard}|{r.station}" for r in rows]
        self.speaks = speaks
        self._hold_min = hold_min
        self.slot_ms = kind.slot_s(parameters) * 1000
        self.span = kind.span(parameters)
        span_min = self.span * self.slot_ms // _MINUTE
        self.least_min = kind.least(parameters) if kind.least else span_min
        self._late = max(0, -(-late_min * _MINUTE // self.slot_ms))
        self.inputs = max((len(r.stations) for r in rows), default=1)
        need = 2 * self.span + late_min * _MINUTE // self.slot_ms + 64
        self.slots = 1 << (need - 1).bit_length()
        self._kept = self.span + self._late + _WAITED
        self._block = self.slots - self._kept
        self._sign = -1.0 if kind.falling else 1.0
        self.limits = Limits((*levels, *actions), clear, falling=kind.falling)
        self.quantities = rows[0].quantities if rows else ()  # the same of all rows
        units = [
            [QUANTITIES[q].per_unit for q in r.quantities or (r.quantity,) * self.inputs]
            for r in rows
        ]
        self._per_unit = np.array(units, np.float64).reshape(len(rows), self.inputs)
        self._gathers = gathers(kind, self.quantities or ("",) * self.inputs)
        self._weights = np.zeros((len(rows), self.inputs))
        for n, row in enumerate(rows):
            self._weights[n, : len(row.weights)] = row.weights
        self._first = np.arange(-self.span + 1, 1)
        # dry slots are passed over, unless nothing at all would be reached by a threshold
        self._passes = kind.quiet is not None and not any(
            x.any() for x in self.limits.reached(np.array([kind.quiet]))
        )
        self._fades = self._passes and kind.fades(parameters)
        at_most = kind.at_most
        self.bounds = [Bound(at_most, parameters, self.limits.lowest())] if at_most else []
        self.calm = CalmRows(self.bounds, np.zeros(len(rows), np.int64), **self.alike())

    def new(self) -> SeriesState:
        return SeriesState(len(self.rows), self.inputs, self.slots)

    def alike(self) -> dict[str, Any]:
        """What `CalmRows` must know of the rows beside their bounds."""
        rains = [q == "rain" for q in self.quantities or self.kind.inputs[:1] * self.inputs]
        form = {"late": self._late, "kept": self._kept, "fades": self._fades}
        return {
            "rain": np.array(rains),
            "per_unit": self._per_unit,
            "gathers": self._gathers,
            **form,
        }

    # --- observations in

    def judge(
        self,
        state: SeriesState,
        rows: Ints,
        inputs: Ints,
        at: Ints,
        counts: Ints,
        add: Bools | None = None,
        suspect: Bools | Floats | None = None,
        old: Bools | None = None,
        *,
        calm: bool = True,
    ) -> list[SeriesChange]:
        """One observation each: row, which of its stations, time (ms), count of the resolution, in
        order of arrival. add: as in `RainThreshold.judge`; suspect: the share of it that is in doubt;
        old: kept and not judged; calm: False where it is known that none is of a calm row."""
        out: list[SeriesChange] = []
        if rows.size == 0:
            return out
        state.changed[rows] = True
        slot = -(-at // self.slot_ms)
        value = counts.astype(np.float64)  # whole numbers: sums are exact
        left = np.arange(rows.size)
        if calm:
            laid = self.calm.lay(state, rows, inputs, slot, value, add, suspect, old)
            left = (~laid).nonzero()[0]
        after = left[:0]
        if left.size > _FEW:
            over = self.calm.over(state, rows[left], slot[left], old if old is None else old[left])
            before, left, after = (left[part] for part in around(rows[left], ~over))
            self.calm.lay_past(state, before, rows, inputs, slot, value, add, suspect)
        some = turns(state.head, rows[left], slot[left], self._block) if left.size else []
        for turn, late in some:
            part = left[turn]
            self._turn(
                state,
                part,
                late,
                rows[part],
                inputs[part],
                slot[part],
                value[part],
                None if add is None else add[part],
                None if suspect is None else suspect[part],
                None if old is None else old[part],
                out,
            )
        if after.size:
            self.calm.lay_past(state, after, rows, inputs, slot, value, add, suspect)
        out.sort(key=lambda c: (c.nth, c.row))
        return out

    def _turn(
        self,
        state: SeriesState,
        part: Ints,
        behind: Bools,
        rows: Ints,
        inputs: Ints,
        slot: Ints,
        value: Floats,
        add: Bools | None,
        suspect: Bools | Floats | None,
        old: Bools | None,
        out: list[SeriesChange],
    ) -> None:
        head = np.where(behind, state.head[rows], slot)  # the row's clock after each
        kept = slot > head - self._kept
        advance(state, rows, slot, behind)
        put_each(state, rows, inputs, slot, value, kept, add, self._gathers)
        if suspect is not None and suspect.any():
            state.mistrust(rows, inputs, slot, value, kept * suspect)
        timely = kept & (head - slot <= self._late) & (True if old is None else ~old)
        if self._fades:  # rain that is not judged itself may yet show in what is
            state.unjudged[rows[kept & ~timely & (value != 0)]] = True
        which = np.nonzero(timely & self._alive(state, rows, value, head))[0]
        hot = state.machines.held()
        if state.doubt:
            hot[list(state.doubt)] = True
        judged = None
        if which.size:
            judged = self._judge(state, rows[which], slot[which], head[which])
            reached = (judged.raw > 0) | (judged.raw_action > 0)
            hot[rows[which[reached]]] = True
            if self._fades:
                state.unjudged[rows[which]] = False
        all_ = np.nonzero(timely & hot[rows])[0]
        if all_.size == 0:
            return
        if judged is None or which.size < int(timely.sum()):  # of these rows every observation
            judged = self._judge(state, rows[all_], slot[all_], head[all_])
        else:
            judged = SeriesJudged(*[x[hot[rows[which]]] for x in judged])  # type: ignore[arg-type]
        r, h = rows[all_], head[all_]
        busy = np.nonzero(state.machines.unsteady(r, judged.called, state.doubt)[r])[0]
        minute = h * self.slot_ms // _MINUTE
        for batch in rounds(r[busy]):
            self._levels(state, part[all_], r, h, minute, judged, busy[batch], out)

    def _alive(self, state: SeriesState, rows: Ints, value: Floats, head: Ints) -> Bools:
        """What may raise a level: anything, or what has rain in its window, or rain itself."""
        if not self._passes:
            return np.ones(rows.size, np.bool_)
        live: Bools = head - state.wet[rows] < self.span
        if self._fades:
            live &= (value != 0) | state.unjudged[rows]
        return live

    def judge_back(self, state: SeriesState, owed: Owed) -> list[SeriesChange]:
        """Judge rows again at every slot from `first` on whose window holds what came late: it may have
        reached there what nobody saw. It raises and lowers nothing."""
        out: list[SeriesChange] = []
        r, head = owed.row, state.head[owed.row]
        first = np.maximum(-(-owed.first * _MINUTE // self.slot_ms), head - self._kept + self.span)
        if self.kind.newest:
            first = head.copy()
        last = np.minimum(head, -(-owed.newest * _MINUTE // self.slot_ms) + self.span - 1)
        which = ((head >= 0) & (first <= last)).nonzero()[0]
        which = which[~self.calm.sure(state, r[which])]
        if self.kind.gather != "sum":  # from the first on in which anything was heard
            first[which] = state.first_heard(r[which], first[which], last[which])
            which = which[first[which] <= last[which]]
        if not which.size:
            return out
        r, head = r[which], head[which]
        judged = self._worst(state, r, first[which], last[which])
        up = judged.raw > state.machines.level.level[r]
        n = (up | (judged.raw_action > state.machines.action.level[r])).nonzero()[0]
        state.changed[r[n]] = True
        none, minute = np.zeros(r.size, np.int64), head * self.slot_ms // _MINUTE
        judged = judged._replace(keep=none + 4, keep_action=none + 2)
        if n.size:
            self._levels(state, none, r, head, minute, judged, n, out)
        return out

    # --- values to levels

    def _judge(self, state: SeriesState, rows: Ints, slot: Ints, head: Ints) -> SeriesJudged:
        """Judge each row at its clock, and where the observation is behind at every slot since."""
        slot = head if self.kind.newest else slot
        return self._worst(state, rows, slot, np.minimum(head, slot + self.span - 1))

    def _worst(self, state: SeriesState, rows: Ints, slot: Ints, last: Ints) -> SeriesJudged:
        """Of what each row calls for at the slots up to `last` the worst."""
        many = last - slot + 1
        if int(many.max()) == 1:
            return self._values(state, rows, slot)
        source = np.repeat(np.arange(rows.size), many)
        ends = slot[source] + np.arange(source.size) - np.repeat(np.cumsum(many) - many, many)
        if self.kind.gather != "sum":  # a slot with no value of its own says nothing new
            heard = ~np.isnan(state.ring[rows[source], :, ends & (self.slots - 1)]).all(axis=1)
            heard |= ends == slot[source]
            source, ends = source[heard], ends[heard]
        all_ = self._values(state, rows[source], ends)
        order = np.lexsort((self._sign * np.nan_to_num(all_.value, nan=-np.inf), source))
        best = order[np.searchsorted(source[order], np.arange(rows.size), "right") - 1]
        begin = np.searchsorted(source, np.arange(rows.size))
        return SeriesJudged(
            np.maximum.reduceat(all_.raw, begin),
            np.maximum.reduceat(all_.keep, begin),
            np.maximum.reduceat(all_.raw_action, begin),
            np.maximum.reduceat(all_.keep_action, begin),
            all_.value[best],
            all_.window_min[best],
            all_.per_h[best],
            all_.end[best],
        )

    def values(self, state: SeriesState, rows: Ints) -> Scored:
        """What the rule sees of these rows, each at its own clock."""
        return self._score(self._window(state, rows, state.head[rows]))

    def _values(self, state: SeriesState, rows: Ints, ends: Ints) -> SeriesJudged:
        step = max(1, _ELEMENTS // (self.inputs * self.span))
        views = (
            self._window(state, rows[n : n + step], ends[n : n + step])
            for n in range(0, rows.size, step)
        )
        each = [(*self._score(view), self.kind.blind(self.parameters, view)) for view in views]
        *seen, blind = each[0] if len(each) == 1 else map(np.concatenate, zip(*each, strict=True))
        score = Scored(*seen)
        raw, raw_action = self.limits.reached(score.value)
        keep, keep_action = self.limits.reached(score.value, keep=True)
        blind = blind | np.isnan(score.value)
        keep, keep_action = np.where(blind, 4, keep), np.where(blind, 2, keep_action)
        return SeriesJudged(
            raw, keep, raw_action, keep_action, score.value, score.window_min, score.per_h, ends
        )

    def _score(self, view: View) -> Scored:
        return (self.kind.plain or self.kind.score)(self.parameters, view)

    def _window(self, state: SeriesState, rows: Ints, ends: Ints) -> View:
        window = (ends[:, None] + self._first) & (self.slots - 1)
        values = state.ring[rows[:, None, None], np.arange(self.inputs)[:, None], window[:, None]]
        return self._view(values, rows, ends)

    def _view(self, values: Floats, rows: Ints, ends: Ints) -> View:
        unit, at = self._per_unit[rows][:, :, None], ends * self.slot_ms
        weights = self._weights[rows]
        return View(values / unit, at, self.slot_ms // 1000, weights, self.quantities)

    def _levels(
        self,
        state: SeriesState,
        nth: Ints,
        rows: Ints,
        head: Ints,
        minute: Ints,
        j: SeriesJudged,
        n: Ints,
        out: list[SeriesChange],
    ) -> None:
        """Judgements `n`, no row twice, through the machines."""
        r = rows[n]
        changed = state.machines.judge(r, minute[n], j.called.of(n), self._hold_min)
        if state.doubt:
            ends = [(m, int(head[k]), int(j.end[k])) for m, k in enumerate(n)]
            doubted = [m for m, h, end in ends if self._doubt(state, int(r[m]), h, end)]
            changed = either(changed, np.array(doubted, np.int64))
        if changed.size == 0:
            return
        changed = changed.astype(np.int64)
        growth = j.per_h[n[changed]]
        if self.kind.plain is not None:
            view = self._window(state, r[changed], j.end[n[changed]])
            growth = self.kind.score(self.parameters, view).per_h
        for m, per_h in zip(changed, growth, strict=True):
            k, row = int(n[m]), int(r[m])
            level, action = state.machines.of(row)
            sure = state.sure.get(row, (0, 0)) if row in state.doubt else (level, action)
            value = float(f"{j.value[k]:.9g}")
            view = self._window(state, r[m : m + 1], j.end[k : k + 1])
            tells = self.kind.tells(self.parameters, view, self.rows[row].area)
            out.append(
                SeriesChange(
                    int(nth[k]),
                    row,
                    int(minute[k]),
                    level,
                    action,
                    *sure,
                    int(j.window_min[k]),
                    value,
                    self.limits.limit(value),
                    self.limits.wait_min(value, float(per_h), level),
                    tells,
                )
            )

    # --- doubt

    def _doubt(self, state: SeriesState, row: int, head: int, end: int) -> bool:
        """Judge a row at its clock and at the slot that was judged, without its suspect values; True if
        that changed. A level that only they reached is not sure because they grow old, but where all
        that are left have proved true."""
        held = state.doubt.get(row)
        if held is None:
            return False
        now = level, action = state.machines.of(row)
        was, over = state.sure.get(row, (0, 0)), True
        if held:
            newest = max(slot for _, slot in held)
            over = newest <= head - self.span - self._late
            for key in [k for k in held if k[1] <= min(newest - 1, head - self.span - self._late)]:
                del held[key]
            now = (min(level, was[0]), min(action, was[1]))
            if now != (level, action):  # good values may make sure what is not yet
                good = [self._good(state, row, e) for e in {head, end}]
                sure, act = (max(x) for x in zip(*good, strict=True))
                now = (without(level, was[0], sure), without(action, was[1], act))
        state.sure[row] = now
        if over and now == (level, action):
            del state.doubt[row], state.sure[row]
        return now != was

    def _good(self, state: SeriesState, row: int, end: int) -> tuple[int, int]:
        """The level and action that a row reaches at this slot without its suspect values."""
        values, doubt = state.good(row, end, self.span, self._gathers)
        taken = doubt / self._per_unit[[row]][:, :, None]
        view = self._view(values, np.array([row]), np.array([end]))._replace(doubt=taken)
        raw, action = self.limits.reached(self._score(view).value)
        return int(raw[0]), int(action[0])

    # --- snapshots

    def dump(self, state: SeriesState, rows: Ints | slice = EVERY) -> bytes:
        return dump(state, self.names, rows)

    def load(self, *bodies: bytes) -> SeriesState:
        """What was held of rows that are still declared, if the rule's window is still the same."""
        return load(self.new(), self.names, bodies)
