"""What has been heard of every station of a partition: its newest moment, the ids of its last
observations (duplicates end here) and its last minutes of rain. Arrays, a row each station in each
watch group, so that a batch costs no loop over its readings: only what repeats, comes late or
looks extreme is taken one by one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.engine.minute_ring import Bools, Ints, begins, by_row, lengths, twice
from detectors.engine.snapshot_arrays import EVERY, chosen, pack, unpack
from ingest.observation import Flag

SEEN_MS = 7_200_000  # how long an id is remembered; older repeats are known by their minute
RECENT = 128  # minutes of rain kept for the neighbour tests
HALVES = 64  # and half hours
LONG = 110  # windows longer than this are told by half hours
_MINUTE = 60_000
_FAIL = int(Flag.FAIL)  # arrays are slow to compare with a member of an enum
_MANY = 4  # late ones: so many are worth a look at all of them
_AT_ONCE = 65_536  # ids compared at once: they lie in the processor's cache
_FIRST, _MOST = 128, 1024  # ids remembered of a station: at first, and at most


class Batch(NamedTuple):
    """Observations in order of arrival, a column each; `row` as `StationMemory` numbers them."""

    row: Ints
    at: Ints  # observed_at, ms
    value: Ints  # counts
    seq: Ints  # -1: none
    flag: Ints


class Taken(NamedTuple):
    """What is new in a batch: indices into it, in order of arrival."""

    nth: Ints
    minute: Ints  # since 1970: the minute that ends with or after the observation
    amount: Ints  # the value; of a revision what it adds
    add: Bools  # another observation of its minute, not a duplicate of what the minute holds
    newest: Bools  # nothing later had been heard of the station when it arrived


class _Taking(NamedTuple):
    """A batch while it is taken, an entry each: its id, the newest moment of its row before it, whether it
    passed its range; and what is found of it: whether it is new, another of its minute, what it counts."""

    batch: Batch
    key: Ints
    before: Ints
    good: Bools
    keep: Bools
    add: Bools
    counts: Ints


class SeenRain:
    """What the looks at all gauges ask of their kept minutes, worked out again only where these have
    changed. at_most: counts that no sum of them is above; of_half_hours: the same of the kept half hours;
    newest: the last in which it rained, or -1."""

    def __init__(self, rows: int) -> None:
        self.at_most = np.zeros(rows, np.int64)
        self.of_half_hours = np.zeros(rows, np.int64)
        self.newest = np.full(rows, -1, np.int64)
        self.most = self.most_of_half_hours = 0  # of any row
        self.stale = np.zeros(rows, np.bool_)

    def of(self, heard: "StationMemory") -> "SeenRain":
        """As it is now."""
        rows = self.stale.nonzero()[0]
        if rows.size:
            count = heard.rain_count[rows]
            self.at_most[rows] = np.maximum(count, 0).sum(axis=1)
            self.of_half_hours[rows] = np.maximum(heard.half_count[rows], 0).sum(axis=1)
            self.most = int(self.at_most.max())
            self.most_of_half_hours = int(self.of_half_hours.max())
            self.newest[rows] = np.where(count > 0, heard.rain_minute[rows], -1).max(axis=1)
            self.stale[rows] = False
        return self


class StationMemory:
    """Memory of every row."""

    def __init__(self, rows: int) -> None:
        self.head = np.full(rows, -1, np.int64)  # newest event time, ms
        self.keys = np.full((rows, _FIRST), -1, np.int64)
        self.values = np.zeros((rows, _FIRST), np.int64)
        self.next = np.zeros(rows, np.int64)  # where the next id goes
        self.forgot = np.full(rows, -1, np.int64)  # newest moment whose id had to make room
        self.rain_minute = np.full((rows, RECENT), -1, np.int64)
        self.rain_count = np.zeros((rows, RECENT), np.int64)
        self.half_slot = np.full((rows, HALVES), -1, np.int64)
        self.half_count = np.zeros((rows, HALVES), np.int64)
        self.seen_rain = SeenRain(rows)
        self.changed = np.ones(rows, np.bool_)  # rows that no snapshot has as they are
        # what only its neighbours' silence makes doubtful
        self.lone: dict[int, dict[int, int]] = {}
        # of a day, what was estimated (`infill`): minute -> tenths of a count, what of it is laid into
        # the sums, and which minutes no record has spoken of
        self.owed: dict[int, dict[int, int]] = {}
        self.filled: dict[int, dict[int, int]] = {}
        self.awaited: dict[int, set[int]] = {}
        self.test: dict[int, str] = {}  # the last test that flagged it, where one did

    def take(self, b: Batch) -> tuple[Taken, Ints]:
        """Remember a batch; what is new in it, and the newest moment heard of its station before
        each observation. One that failed its range is heard, but counts nothing that a revision
        could add to."""
        self.changed[b.row] = True
        key = (b.at << 20) | ((b.seq + 1) & 0xFFFFF)
        order = by_row(b.row)
        before = self._before(b, order)
        newer, good = b.at > before, b.flag != _FAIL
        of = _Taking(b, key, before, good, newer & good, np.ones_like(good), b.value.copy())
        np.maximum.at(self.head, b.row, b.at)
        inserted = order[of.keep[order]]
        self._insert(b.row[inserted], key[inserted], b.value[inserted])
        late = (~newer).nonzero()[0]
        if late.size >= _MANY and good[late].all():
            while late.size:
                many = self._once_round(b.row[late])
                self._backlog(of, late[:many])
                late = late[many:]
        self._one_by_one(of, late)
        nth = of.keep.nonzero()[0]
        at = b.at[nth]
        return Taken(nth, -(-at // _MINUTE), of.counts[nth], of.add[nth], at >= before[nth]), before

    def _one_by_one(self, of: "_Taking", late: Ints) -> None:
        b, key, before, good, keep, add, count = of
        for n in late:
            row = int(b.row[n])
            found = np.flatnonzero(self.keys[row] == key[n])
            if found.size:
                held = int(self.values[row, found[0]])
                if held == b.value[n] or not good[n]:
                    continue
                self.values[row, found[0]] = b.value[n]
                count[n] = b.value[n] - held
            elif good[n]:
                self._insert(b.row[n : n + 1], key[n : n + 1], b.value[n : n + 1])
            keep[n] = good[n]
            add[n] = b.at[n] > max(int(before[n]) - SEEN_MS, int(self.forgot[row]))

    def takes(self, row: int, at: int) -> bool:
        """Is one reading newer than all before of its row, which is known, and has its id room?"""
        if not -1 < self.head.item(row) < at:
            return False
        over = self.keys.item(row, self.next.item(row))
        return over < 0 or self.keys.shape[1] == _MOST or over >> 20 <= at - SEEN_MS

    def put(self, row: int, at: int, key: int, value: int) -> None:
        """As `take`, a reading that is so."""
        self.head[row] = at
        self.changed[row] = True
        slot = self.next.item(row)
        over = self.keys.item(row, slot)
        if over >= 0:
            self.forgot[row] = max(self.forgot.item(row), over >> 20)
        self.keys[row, slot], self.values[row, slot] = key, value
        self.next[row] = (slot + 1) % self.keys.shape[1]

    def before(self, b: Batch) -> Ints:
        """The newest moment of its station that will have been heard before each observation."""
        return self._before(b, by_row(b.row))

    def _before(self, b: Batch, order: Ints) -> Ints:
        """The newest moment of its station that had been heard before each observation."""
        if order.size == 1:
            return self.head[b.row]
        rows, at = b.row[order], b.at[order]
        first = np.ones(rows.size, np.bool_)
        first[1:] = rows[1:] != rows[:-1]
        # a running maximum that starts anew with each row: the row's rank is the high part
        rank = np.cumsum(first) << 45
        top = np.maximum.accumulate(np.where(first, np.maximum(at, self.head[rows]), at) + rank)
        before = np.empty(rows.size, np.int64)
        before[order[1:]] = (top - rank)[:-1]
        before[order[first]] = self.head[rows[first]]
        return before

    def _once_round(self, rows: Ints) -> int:
        """How many of these come before a row would have to overwrite an id of theirs."""
        width = self.keys.shape[1]
        if rows.size <= width:
            return rows.size
        order = by_row(rows)
        begin = begins(rows[order])
        over = np.arange(rows.size) - begin.repeat(lengths(begin, rows.size)) == width
        return int(order[over].min()) if over.any() else rows.size

    def _backlog(self, of: "_Taking", late: Ints) -> None:
        """What comes late, in order of arrival and none of it over another: at once, what repeats what is
        held or is told for the first time. Of a row where an id stands twice, comes with another value, or
        must go while it still counts, each by itself."""
        b = of.batch
        late = late[by_row(b.row[late])]
        rows, keys = b.row[late], of.key[late]
        known, same = self._known(rows, keys, b.value[late])
        new, width = ~known, self.keys.shape[1]
        rows_new, keys_new, fresh = rows[new], keys[new], late[new]
        over_new, young_new = self._over(rows_new)
        if young_new.any() and width < _MOST:
            # room is made when it is needed, neither sooner nor later
            every, first = np.sort(late), int(fresh[young_new].min())
            self._backlog(of, every[every < first])
            if self.keys.shape[1] == width:
                self._grow()
            self._backlog(of, every[every >= first])
            return
        bad = np.zeros(self.head.size, np.bool_)
        bad[rows[known & ~same]] = True
        bad[rows_new[young_new]] = True
        bad[rows_new[twice(rows_new, keys_new)]] = True
        lost = np.zeros(self.head.size, np.bool_)
        lost[rows_new[over_new >= 0]] = True
        bad[rows[known & lost[rows]]] = True
        if not bad.any():
            self._lay(of, rows_new, fresh, over_new)
            return
        alone = bad[rows]
        if width < _MOST and self._over(rows)[1][alone].any():  # may need room in between
            self._one_by_one(of, np.sort(late))
            return
        fine = ~bad[rows_new]
        self._lay(of, rows_new[fine], fresh[fine], over_new[fine])
        self._one_by_one(of, np.sort(late[alone]))

    def _known(self, rows: Ints, keys: Ints, values: Ints) -> tuple[Bools, Bools]:
        """Which ids are held of their rows, and with the same value."""
        known, same = np.zeros(rows.size, np.bool_), np.zeros(rows.size, np.bool_)
        step = max(1, _AT_ONCE // self.keys.shape[1])
        for first in range(0, rows.size, step):
            part = slice(first, first + step)
            found = self.keys[rows[part]] == keys[part, None]
            known[part] = found.any(axis=1)
            same[part] = self.values[rows[part], found.argmax(axis=1)] == values[part]
        return known, same

    def _over(self, rows: Ints) -> tuple[Ints, Bools]:
        """The ids in whose place those of rows that stand together would go, -1 where there is room; and
        which of them still count."""
        begin = begins(rows)
        rank = np.arange(rows.size) - begin.repeat(lengths(begin, rows.size))
        over = self.keys[rows, (self.next[rows] + rank) % self.keys.shape[1]]
        return over, (over >= 0) & ((over >> 20) > self.head[rows] - SEEN_MS)

    def _lay(self, of: "_Taking", rows: Ints, fresh: Ints, over: Ints) -> None:
        """Of rows that stand together, what is told for the first time and goes in the place of `over`."""
        # what a row has forgotten when each is taken: a running maximum that starts anew with each row
        begin = begins(rows)
        forgot = np.maximum(np.where(over >= 0, over >> 20, -1), self.forgot[rows])
        part = (np.arange(begin.size) + 1).repeat(lengths(begin, rows.size)) << 45
        forgot = np.maximum.accumulate(forgot + part) - part
        b = of.batch
        self._insert(rows, of.key[fresh], b.value[fresh])
        of.keep[fresh] = True
        of.add[fresh] = b.at[fresh] > np.maximum(of.before[fresh] - SEEN_MS, forgot)

    def _insert(self, rows: Ints, keys: Ints, values: Ints) -> None:
        """Ids of rows, those of one row together and in order."""
        if rows.size == 0:
            return
        begin = begins(rows)
        many = lengths(begin, rows.size)
        rank = np.arange(rows.size) - begin.repeat(many)
        width = self.keys.shape[1]
        slot = (self.next[rows] + rank) % width
        over = np.where(rank >= width, keys, self.keys[rows, slot])
        lost = over >= 0
        if lost.any():
            moment = over[lost] >> 20
            if width < _MOST and (moment > self.head[rows[lost]] - SEEN_MS).any():
                self._grow()
                self._insert(rows, keys, values)
                return
            np.maximum.at(self.forgot, rows[lost], moment)
        self.keys[rows, slot] = keys
        self.values[rows, slot] = values
        self.next[rows[begin]] = (self.next[rows[begin]] + many) % width

    def _grow(self) -> None:
        """Room for twice as many ids: some station sends often."""
        rows, width = self.keys.shape
        turn = (self.next[:, None] + np.arange(width)) % width  # oldest first
        every = np.arange(rows)[:, None]
        keys = np.full((rows, 2 * width), -1, np.int64)
        values = np.zeros((rows, 2 * width), np.int64)
        keys[:, :width], values[:, :width] = self.keys[every, turn], self.values[every, turn]
        self.keys, self.values = keys, values
        self.next = np.full(rows, width, np.int64)
        self.changed[:] = True

    # --- the last minutes of rain

    def remember_rain(self, rows: Ints, minute: Ints, count: Ints) -> None:
        """Add counts to minutes and half hours; what is too old to be kept is passed over."""
        _keep(self.rain_minute, self.rain_count, rows, minute, count)
        _keep(self.half_slot, self.half_count, rows, minute // 30, count)
        self.seen_rain.stale[rows] = True
        self.changed[rows] = True

    def rain(self, row: int, minute: int, length: int) -> int:
        """Counts of the minutes (minute - length, minute]; of hours, whole half hours around it."""
        return int(self.sums(np.array(row), np.array(minute), length))

    def sums(self, rows: Ints | slice, minute: Ints | int, length: int) -> Ints:
        """The same for rows of any shape, to one minute or one each; a slice is not copied."""
        if length <= LONG:
            held, count, first, last = self.rain_minute, self.rain_count, minute - length, minute
        else:
            held, count = self.half_slot, self.half_count
            first, last = (minute - length) // 30, minute // 30
        kept, end = held[rows], np.asarray(last)[..., None]
        inside = (kept > np.asarray(first)[..., None]) & (kept <= end)
        found: Ints = (count[rows] * inside).sum(axis=-1)
        return found

    def at_most(self) -> Ints:
        """(rows,): counts that no sum of its kept minutes is above; 0 of a row where none has rained."""
        return self.seen_rain.of(self).at_most

    def has_had(self, counts: float, half_hours: float) -> bool:
        """May some row have had so many counts in its kept minutes, or so many in its kept half hours?"""
        seen = self.seen_rain.of(self)
        return seen.most >= counts or seen.most_of_half_hours >= half_hours

    def newest_rain(self) -> Ints:
        """(rows,): the newest of its kept minutes in which it rained; -1 where none."""
        return self.seen_rain.of(self).newest

    def wet_until(self, rows: Ints, now: int) -> Ints:
        """The newest of its kept minutes up to `now` in which it rained; -1 where none."""
        found: Ints = self.seen_rain.of(self).newest[rows]
        ahead = (found > now).nonzero()[0]
        if ahead.size:
            kept = self.rain_minute[rows[ahead]]
            wet = (self.rain_count[rows[ahead]] > 0) & (kept <= now)
            found[ahead] = np.where(wet, kept, -1).max(axis=1)
        return found

    def between(self, rows: Ints, first: Ints, last: Ints) -> Ints:
        """Counts of the minutes (first, last], of rows of any shape; not longer than `LONG`."""
        kept = self.rain_minute[rows]
        inside = (kept > first[..., None]) & (kept <= last[..., None])
        return np.asarray((self.rain_count[rows] * inside).sum(axis=-1))

    # --- snapshots

    def dump(self, names: Sequence[str], rows: Ints | slice = EVERY) -> bytes:
        """Only ids that still matter: the rest would be most of a snapshot. Of these rows; `names` of all."""
        arrays = self._arrays(rows)
        young = (arrays["keys"] >> 20) > (arrays["head"] - SEEN_MS)[:, None]
        arrays["keys"] = np.where(young, arrays["keys"], -1)
        arrays["values"] = np.where(young, arrays["values"], 0)
        return pack(chosen(names, rows), arrays)

    def load(self, names: Sequence[str], body: bytes, width: int) -> None:
        """What was held of these rows; `width`: how many ids a row had room for."""
        while self.keys.shape[1] < width:
            self._grow()
        unpack(body, names, self._arrays())
        self.seen_rain.stale[:] = True

    @property
    def row_bytes(self) -> int:
        """Of the arrays, a row."""
        return sum(a.nbytes for a in self._arrays().values()) // max(1, self.head.size)

    def _arrays(self, rows: Ints | slice = EVERY) -> dict[str, npt.NDArray[np.int64]]:
        return {
            "head": self.head[rows],
            "keys": self.keys[rows],
            "values": self.values[rows],
            "next": self.next[rows],
            "forgot": self.forgot[rows],
            "rain_minute": self.rain_minute[rows],
            "rain_count": self.rain_count[rows],
            "half_slot": self.half_slot[rows],
            "half_count": self.half_count[rows],
        }


def _keep(held: Ints, total: Ints, rows: Ints, slot: Ints, count: Ints) -> None:
    """Into rings of slots: a newer one empties its place."""
    width = held.shape[1]
    flat = rows * width + slot % width
    slots, counts = held.reshape(-1), total.reshape(-1)
    old = slots[flat]
    np.maximum.at(slots, flat, slot)
    counts[flat[slots[flat] != old]] = 0
    mine = slots[flat] == slot
    np.add.at(counts, flat[mine], count[mine])
