"""The memory of a window rule: rings of slots of equal length, a row and its inputs each.

A row's head is its newest slot, its own clock. A slot holds the sum, highest or lowest of what came
(NaN: nothing heard), so the order of arrival does not show in it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from config.records.quantity import QUANTITIES
from detectors.engine.hysteresis import Machine, Machines
from detectors.engine.minute_ring import Bools
from detectors.engine.snapshot_arrays import EVERY, chosen, pack, unpack
from detectors.engine.window_rule import Floats, Ints, Kind

_NOTHING = 1e-6  # of counts: shares that were added and taken away again


class Envelope:
    """Within what lies all that the windows of each row hold (`detectors.engine.calm_rows`), in counts;
    room: up to how much rain nothing is reached, -1 where that is not known; asked_at: at which of its
    slots it was looked at in vain."""

    __slots__ = ("asked_at", "fell", "high", "low", "room")

    def __init__(self, rows: int) -> None:
        self.low = np.full(rows, np.inf)
        self.high = np.full(rows, -np.inf)
        self.fell = np.zeros(rows)
        self.room = np.full(rows, -1.0)
        self.asked_at = np.full(rows, -2, np.int64)

    def forget(self) -> None:
        """Nothing is known of the rings any more."""
        self.fell[:] = np.inf


class SeriesState:
    """Memory of every row. doubt: row -> (input, slot) -> what of the value is in doubt; sure: what the
    row would say without that."""

    def __init__(self, rows: int, inputs: int, slots: int) -> None:
        self.ring = np.full((rows, inputs, slots), np.nan)
        self.head = np.full(rows, -1, np.int64)
        self.wet = np.full(rows, -(2**40), np.int64)  # newest slot that is not zero
        self.unjudged = np.zeros(rows, np.bool_)  # rain that came too late for a judgement
        self.within = Envelope(rows)
        self.machines = Machines(rows)
        self.changed = np.ones(rows, np.bool_)  # rows that no snapshot has as they are
        self.doubt: dict[int, dict[tuple[int, int], float]] = {}
        self.sure: dict[int, tuple[int, int]] = {}

    def mistrust(
        self, rows: Ints, inputs: Ints, slot: Ints, value: Floats, share: Bools | Floats
    ) -> None:
        """This share of each of these values is in doubt."""
        for n in np.nonzero(share)[0]:
            row = int(rows[n])
            if row not in self.doubt:  # what was said so far rests on good values
                self.sure[row] = self.machines.of(row)
            held = self.doubt.setdefault(row, {})
            key = (int(inputs[n]), int(slot[n]))
            held[key] = held.get(key, 0.0) + float(value[n] * share[n])

    def good(self, row: int, end: int, span: int, gathers: Sequence[str]) -> tuple[Floats, Floats]:
        """(1, inputs, span) up to slot `end`, without what is in doubt; and how much that is (of what is
        no sum: infinite)."""
        last = np.arange(end - span + 1, end + 1) & (self.ring.shape[2] - 1)
        values = self.ring[row][:, last][None].copy()
        doubt = np.zeros(values.shape)
        for (k, slot), value in self.doubt[row].items():
            sums = gathers[k] == "sum"
            if end - span < slot <= end and not (sums and abs(value) < _NOTHING):
                place = (0, k, span - 1 - (end - slot))
                values[place] = values[place] - value if sums else np.nan
                doubt[place] = value if sums else np.inf
        return values, doubt

    def first_heard(self, rows: Ints, first: Ints, last: Ints) -> Ints:
        """Of each row the first slot from `first` to `last` of which anything was heard; one after `last`
        where there is none."""
        if not rows.size:
            return first
        ends = first[:, None] + np.arange(int((last - first).max()) + 1)
        held = self.ring[rows[:, None], :, ends & (self.ring.shape[2] - 1)]
        heard = ~np.isnan(held).all(axis=2) & (ends <= last[:, None])
        return np.where(heard.any(axis=1), first + heard.argmax(axis=1), last + 1)

    def trust(self, row: int, of: int, slot_ms: int, counts: Mapping[int, int]) -> None:
        """These counts (minute -> count) of an input are in doubt no longer; its next value tells."""
        held = self.doubt.get(row, {})
        for minute, count in counts.items():
            key = (of, -(-minute * 60_000 // slot_ms))
            if key in held and (left := held.pop(key) - count) > 0:
                held[key] = left


def joined(states: Sequence[SeriesState]) -> SeriesState:
    """One memory of all their rows, one after another, of which each is a part from here on: what is written
    into the one stands in the other. Rings must be of one shape. What is in doubt, each keeps to itself."""
    whole = SeriesState(sum(s.head.size for s in states), *states[0].ring.shape[1:])
    begin = 0
    for state in states:
        part = slice(begin, begin + state.head.size)
        for one, all_ in zip(_arrayed(state), _arrayed(whole), strict=True):
            for name in _ARRAYS[type(one)]:
                mine = getattr(all_, name)[part]
                mine[:] = getattr(one, name)
                setattr(one, name, mine)
        begin = part.stop
    return whole


def _arrayed(state: SeriesState) -> tuple[object, ...]:
    return state, state.within, state.machines.level, state.machines.action


_ARRAYS: dict[type, tuple[str, ...]] = {
    SeriesState: ("ring", "head", "wet", "unjudged", "changed"),
    Envelope: Envelope.__slots__,
    Machine: Machine.__slots__,
}


def advance(state: SeriesState, rows: Ints, slot: Ints, behind: Bools) -> None:
    """Empty the slots between a row's clock and its next; rows stand together, in order."""
    moving = np.nonzero(~behind)[0]
    if moving.size == 0:
        return
    r, s = rows[moving], slot[moving]
    first = np.ones(r.size, np.bool_)
    first[1:] = r[1:] != r[:-1]
    before = np.where(first, state.head[r], np.concatenate(([0], s[:-1])))
    gap = np.where(before < 0, 1, np.minimum(s - before, state.ring.shape[2]))
    if int(gap.max()) == 1:
        state.ring[r, :, s & (state.ring.shape[2] - 1)] = np.nan
    else:
        source = np.repeat(np.arange(r.size), gap)
        within = np.arange(source.size) - np.repeat(np.cumsum(gap) - gap, gap)
        state.ring[r[source], :, (s[source] - within) & (state.ring.shape[2] - 1)] = np.nan
    np.maximum.at(state.head, r, s)


def put(
    state: SeriesState,
    rows: Ints,
    inputs: Ints,
    slot: Ints,
    value: Floats,
    kept: Bools,
    add: Bools | None,
    gather: str,
) -> None:
    """Into the rings. A row's slots differ within a turn."""
    place = (rows, inputs, slot & (state.ring.shape[2] - 1))
    held = state.ring[place]
    empty = np.isnan(held)
    if gather == "sum":
        new = np.where(empty, 0.0, held) + value
        if add is not None:  # otherwise what comes late and stands already is a repetition
            new = np.where(empty | add, new, held)
    elif gather == "min":
        new = np.fmin(held, value)
    else:
        new = np.fmax(held, value)
    if kept.all():
        state.ring[place] = new
    else:
        state.ring[tuple(p[kept] for p in place)] = new[kept]
    wet = kept & (value != 0)
    np.maximum.at(state.wet, rows[wet], slot[wet])


def gathers(kind: Kind, quantities: Sequence[str]) -> list[str]:
    """How values of a slot come together, an input each: of a quantity beside the kind's own, as that is
    measured."""
    return [
        kind.gather if q not in kind.mixed else "sum" if QUANTITIES[q].kind == "interval" else "max"
        for q in quantities
    ]


def put_each(
    state: SeriesState,
    rows: Ints,
    inputs: Ints,
    slot: Ints,
    value: Floats,
    kept: Bools,
    add: Bools | None,
    by_input: Sequence[str],
) -> None:
    """`put`, each input in its own way."""
    for gather in dict.fromkeys(by_input):
        of = np.array([g == gather for g in by_input])[inputs]
        if of.all():
            put(state, rows, inputs, slot, value, kept, add, gather)
        elif of.any():
            mine = (rows[of], inputs[of], slot[of], value[of], kept[of])
            put(state, *mine, None if add is None else add[of], gather)


def lay_each(
    state: SeriesState,
    rows: Ints,
    inputs: Ints,
    slot: Ints,
    value: Floats,
    add: Bools | None,
    by_input: Sequence[str],
) -> None:
    """`put_each` of values that may stand in one slot, one after another; the clocks have moved on. What
    was not zero is told elsewhere."""
    width = state.ring.shape[2]
    ring = state.ring.reshape(-1)
    place = (rows * state.ring.shape[1] + inputs) * width + (slot & (width - 1))
    for gather in dict.fromkeys(by_input):
        of = np.array([g == gather for g in by_input])[inputs]
        here, v = place[of], value[of]
        if gather == "sum":
            if add is not None:
                first = np.zeros(here.size, np.bool_)
                first[np.unique(here, return_index=True)[1]] = True
                taken = add[of] | (first & np.isnan(ring[here]))
                here, v = here[taken], v[taken]
            ring[here] = np.where(np.isnan(ring[here]), 0.0, ring[here])
            np.add.at(ring, here, v)
        elif gather == "min":
            np.fmin.at(ring, here, v)
        else:
            np.fmax.at(ring, here, v)


def arrays_of(state: SeriesState, rows: Ints | slice = EVERY) -> dict[str, npt.NDArray[Any]]:
    return {
        "ring": state.ring[rows],
        "head": state.head[rows],
        "wet": state.wet[rows],
        **state.machines.arrays(rows),
    }


def dump(state: SeriesState, names: Sequence[str], rows: Ints | slice = EVERY) -> bytes:
    """As a snapshot holds these rows, and all that is in doubt; `names` of every row."""
    doubt = [
        (names[r], [(k, s, v) for (k, s), v in sorted(held.items())], state.sure.get(r, (0, 0)))
        for r, held in sorted(state.doubt.items())
    ]
    return msgspec.msgpack.encode((pack(chosen(names, rows), arrays_of(state, rows)), doubt))


def load(state: SeriesState, names: Sequence[str], bodies: Sequence[bytes]) -> SeriesState:
    """Into a new memory, which is returned: what was held of rows of these names, the newest last."""
    state.unjudged[:] = True  # a look too many changes nothing
    doubt: list[tuple[str, list[tuple[int, int, float]], tuple[int, int]]] = []
    for body in bodies:
        arrays, doubt = msgspec.msgpack.decode(
            body, type=tuple[bytes, list[tuple[str, list[tuple[int, int, float]], tuple[int, int]]]]
        )
        unpack(arrays, names, arrays_of(state))
    state.within.forget()
    row = {name: n for n, name in enumerate(names)}
    for name, held, sure in doubt:
        if name in row:
            state.doubt[row[name]] = {(k, s): v for k, s, v in held}
            state.sure[row[name]] = sure
    return state
