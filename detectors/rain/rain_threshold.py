r"""Rain sums over several windows against a table of thresholds by antecedent wetness.

Sees: a gauge whose rain over any of the windows (10 min … 24 h) reaches the threshold of a level
or an action for the ground's present wetness.

Equation: S_W = sum of rain over (head - W, head]; level = max{k : S_W >= T[wetness, W, k]} over
all W, at the gauge's own clock `head`, after every single observation. Up at once. Down when for
`hold_min` every S_W stayed below clear_factor * T (see detectors.engine.hysteresis). After `event_gap_min`
without rain the event is over and no level is held by what fell before (a minimum inter-event
time, Restrepo-Posada & Eagleson 1982, J. Hydrol. 55:303–319); when it rains again inside the
windows, the earlier rain counts again, for the ground has not forgotten it.
Wetness: antecedent index Pa = sum over d = 1 … antecedent_days of decay^d * P(d days ago), days of
08:00–08:00 Beijing time (= the UTC day; the hydrological day of GB/T 50095): wet above
`wet_above_mm`, dry below `dry_below_mm`; with less than the full record never dry, for not knowing
is no proof of dryness.

Delay it adds: none beyond the observation's own. Late values within `late_min` are judged at every
minute they touch; older ones enter the sums, and at the next tick the sums up to every minute within
`late_min` are judged anew (`judge_back`).
Cannot see: rain between gauges; snow; a clogged gauge (see `silence` and neighbour tests).
Suspect values count, and `sure_*` says what the level would be without them; rain whose minute is
not known, only the time in which it fell, is in doubt for windows shorter than that time.
Source: dynamic critical rain of Chinese mountain-flood practice (SL/T 666; 刘志雨 et al. 2010,
"山洪预警预报技术研究与应用"); Pa: Kohler & Linsley 1951, U.S. Weather Bureau Research Paper 34.

>>> table = {"normal": {10: ((80, 120, 160, 220), ())}}
>>> rule = RainThreshold([RainRow("a", "flash_flood", "g", table)])
>>> state = rule.new()
>>> change, = rule.judge(state, np.array([0, 0]), np.array([1, 2]), np.array([70, 60]))
>>> change.nth, change.level, change.window_min, change.value, change.limit
(1, 2, 10, 130, 120)
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from detectors.engine.hysteresis import either, without
from detectors.engine.minute_ring import (
    BLOCK,
    KEPT,
    SPAN,
    Bools,
    Ints,
    among,
    around,
    rounds,
    turns,
)
from detectors.engine.owed_ends import Owed
from detectors.engine.snapshot_arrays import EVERY, chosen, pack
from detectors.engine.thresholds import highest
from detectors.engine.window_rows import Change
from detectors.rain.judgement import Arrived, Judged, calm, history, lay_back, news_of, set_apart
from detectors.rain.limit_table import CLASSES, NEVER, RainRow, table_of
from detectors.rain.threshold_state import RainState, arrays_of, load
from detectors.rain.wetness import Wetness

_NOBODY = np.zeros(0, np.int64)
_RAISES = 8  # of late rain; a row has four levels and two actions
_MANY = 4  # turns: of more, most come late
_WORSE = np.array([1, 2, 3, 4, 2.5, 4.5])  # of levels and actions: which of several is shown


class RainThreshold:
    """The rule for many rows; parameters are the object, memory is an argument."""

    def __init__(
        self,
        rows: Sequence[RainRow],
        *,
        hold_min: int = 60,
        clear_factor: float = 0.7,
        event_gap_min: int = 1440,
        late_min: int = 30,
        late_ends: bool = True,
        decay: float = 0.85,
        antecedent_days: int = 15,
        wet_above: int = 500,
        dry_below: int = 150,
    ) -> None:
        self.rows = list(rows)
        self.names = [f"{r.area}|{r.hazard}|{r.station}" for r in rows]
        windows = {w for r in rows for table in r.limits.values() for w in table} or {60}
        self._gap = event_gap_min < 1440
        self.windows = tuple(sorted(windows | ({event_gap_min} if self._gap else set())))
        self._gap_window = self.windows.index(event_gap_min) if self._gap else 0
        self._hold_min = hold_min
        self._late_min = late_min
        self._late_ends = late_ends
        classes = any(len(r.limits) > 1 for r in rows)
        self.wetness = Wetness(decay, antecedent_days, wet_above, dry_below, classes=classes)
        shape = (len(CLASSES), len(rows), len(self.windows))
        self._limits = np.full((*shape, 6), NEVER, np.int64)
        self.level_limits, self.action_limits = self._limits[..., :4], self._limits[..., 4:]
        made: dict[tuple[int, int], Ints] = {}  # rows of one area share their table
        for n, row in enumerate(rows):
            key = (id(row.limits), row.interval_min)
            if key not in made:
                made[key] = table_of(*row[3:], self.windows)
            self._limits[:, n] = made[key]
        clear = np.ceil(np.where(self.level_limits < NEVER, self.level_limits * clear_factor, 0))
        self._level_keep = np.where(self.level_limits < NEVER, clear, NEVER).astype(np.int64)
        clear = np.ceil(np.where(self.action_limits < NEVER, self.action_limits * clear_factor, 0))
        self._action_keep = np.where(self.action_limits < NEVER, clear, NEVER).astype(np.int64)
        self._acting = bool((self.action_limits < NEVER).any())
        self._lowest = self._limits.min(axis=-1)  # below it a window calls for nothing
        self._lowest_of_all = self._lowest.min(axis=0)  # whatever the ground's wetness
        self._least = self._lowest_of_all.min(axis=1)  # nor does any window

    def new(self) -> RainState:
        return RainState(len(self.rows), self.windows)

    def judge(
        self,
        state: RainState,
        rows: Ints,
        minutes: Ints,
        counts: Ints,
        add: Bools | None = None,
        doubt: Bools | Ints | None = None,
        clock: Ints | None = None,
    ) -> list[Change]:
        """One observation each: row, minute (since 1970), count (0.1 mm), in order of arrival.

        add: True for another observation of a minute that is held already (two tips); otherwise
        such an observation is a duplicate. doubt: True where a quality test flagged it, or the
        minutes below which a window must not rest on it, 0 for none. clock: the line's own when it
        came (minutes): of what is older than the lateness by it, only what counts now is judged, and
        lowers nothing. Returns changes in order of arrival; batches do not show in them.
        """
        out: list[Change] = []
        state.changed[rows] = True
        reach: Ints | None = None
        if doubt is not None:
            reach = np.where(doubt, SPAN + 1, 0) if doubt.dtype == np.bool_ else np.asarray(doubt)
        told = Arrived(rows, minutes, counts, add, reach, clock)
        left, after = np.arange(rows.size), _NOBODY
        if rows.size > _MANY:
            news = news_of(state, self._late_min, told)
            before, between, after = around(rows, news)
            left = np.sort(np.concatenate((self._past(state, before, told, out), between)))
        self._in_turns(state, left, told, out)
        self._in_turns(state, self._past(state, after, told, out), told, out)
        out.sort(key=lambda c: (c.nth, c.row))
        return out

    def calm(self, state: RainState, row: int, minute: int) -> bool:
        """Does a dry minute ahead of the row's clock change nothing but that clock?"""
        if any(state.machines.of(row)) or row in state.doubt:
            return False
        ahead = -1 < state.window.head.item(row) < minute
        return ahead and self.wetness.same_day(state, row, minute)

    def _past(self, state: RainState, which: Ints, told: Arrived, out: list[Change]) -> Ints:
        """Of these, what has yet to be judged; the rest is laid into its past."""
        for _ in range(_RAISES):
            if not which.size:
                break
            some = told.some(which)
            sure, first = history(state, self._lowest_of_all, self._limits, self._late_min, some)
            held = sure & (some.minute > state.window.head[some.row] - KEPT)
            lay_back(state, self.wetness, held.nonzero()[0], some)
            left = ~sure
            if first.size:
                left[first] = False
                self._turn(state, which[first], some.some(first), out)
            which = which[left]
            if not first.size:
                break
        return which

    def _in_turns(self, state: RainState, left: Ints, told: Arrived, out: list[Change]) -> None:
        """These, each at its own row's clock."""
        if not left.size:
            return
        some, late = told.some(left), _NOBODY
        parts = turns(state.window.head, some.row, some.minute, BLOCK)
        if len(parts) > _MANY:
            parts, late = set_apart(parts, calm(state, self._least, some))
        for part, _ in parts:
            self._turn(state, left[part], some.some(part), out)
        lay_back(state, self.wetness, late, some)

    def _turn(self, state: RainState, part: Ints, told: Arrived, out: list[Change]) -> None:
        rows, minutes, counts, add, doubt, clock = told
        taken, head = state.window.put(rows, minutes, counts, False if add is None else add)
        turned = self.wetness.take(state, rows, minutes, np.where(taken, counts, 0))
        if doubt is not None and doubt.any():
            for n in np.nonzero((doubt > 0) & taken)[0].tolist():
                state.mistrust(int(rows[n]), int(minutes[n]), int(counts[n]), int(doubt[n]))
        news, still = (counts != 0) | turned, None
        timely = taken & (head - minutes <= self._late_min)
        if clock is not None:
            old = taken & (clock - minutes > self._late_min)
            timely &= ~old
            still = self._still(state, part, rows, head, clock, (old & news).nonzero()[0])
        hot = self._hot(state, rows, minutes, head, (timely & news).nonzero()[0])
        k: Ints = (timely & hot).nonzero()[0]
        if k.size == 0 and still is None:
            return
        sums = self._sums(state, rows[k], minutes[k], head[k])
        j = self._judged(state, part[k], rows[k], head[k], news[k], sums)
        if still is not None:
            j = j.beside(still)
        unsteady = state.machines.unsteady(j.row, j.called, state.doubt)
        busy = np.nonzero(unsteady[j.row])[0]
        for batch in rounds(j.row[busy]):
            self._levels(state, j, busy[batch], out)

    def _judged(
        self, state: RainState, nth: Ints, r: Ints, head: Ints, news: Bools, sums: Ints
    ) -> Judged:
        wet, none = state.wetness[r], np.zeros(r.size, np.int64)
        raw, keep = self.level_limits[wet, r], self._level_keep[wet, r]
        levels = (highest(sums, raw), highest(sums, keep))
        if not self._acting:
            return Judged(nth, r, head, news, sums, *levels, none, none)
        raw, keep = self.action_limits[wet, r], self._action_keep[wet, r]
        return Judged(nth, r, head, news, sums, *levels, highest(sums, raw), highest(sums, keep))

    def _still(
        self, state: RainState, nth: Ints, rows: Ints, head: Ints, clock: Ints, n: Ints
    ) -> Judged | None:
        """Of observations `n`, which are history, those whose rain still counts enough to raise a
        level now; None where there are none."""
        if n.size == 0:
            return None
        r = rows[n]
        sums = state.window.still(r, head[n], np.maximum(clock[n], head[n]))
        if self._gap:
            sums *= (sums[:, self._gap_window] > 0)[:, None]
        reached = (sums >= self._lowest[state.wetness[r], r]).any(axis=1)
        if not reached.any():
            return None
        n, r, sums = n[reached], r[reached], sums[reached]
        return self._raised(state, nth[n], r, head[n], sums)

    def _raised(self, state: RainState, nth: Ints, r: Ints, head: Ints, sums: Ints) -> Judged:
        """Those that raise a level; they lower none."""
        j = self._judged(state, nth, r, head, np.ones(r.size, np.bool_), sums)
        machines = state.machines
        up = (j.raw > machines.level.level[r]) | (j.raw_action > machines.action.level[r])
        return j._replace(keep=np.full(r.size, 4), keep_action=np.full(r.size, 2)).where(up)

    def judge_back(self, state: RainState, owed: Owed) -> list[Change]:
        """Judge rows again at every end of a window from `first` on: history that came after them may
        have reached there what nobody saw. It raises and lowers nothing."""
        out: list[Change] = []
        r = owed.row
        if not self._late_ends or not r.size:
            return out
        lowest = self._lowest[state.wetness[r], r]
        sums, which = state.window.most_since(r, owed.first, lowest)
        if self._gap:
            sums *= (sums[:, self._gap_window] > 0)[:, None]
        r = r[which]
        j = self._raised(state, np.zeros(r.size, np.int64), r, state.window.head[r], sums)
        state.changed[j.row] = True
        self._levels(state, j, np.arange(j.row.size), out)
        return out

    def _hot(self, state: RainState, rows: Ints, minutes: Ints, head: Ints, news: Ints) -> Bools:
        """Of which of `rows` a level is held, in doubt, or reached by what is new of the row. Of all
        others a judgement would change nothing."""
        hot = state.machines.held_of(rows)
        if state.doubt:
            hot |= among(rows, state.doubt)
        if news.size:
            r = rows[news]
            sums = self._sums(state, r, minutes[news], head[news])
            reached = np.zeros(len(self.rows), np.bool_)
            reached[r[(sums >= self._lowest[state.wetness[r], r]).any(axis=1)]] = True
            hot |= reached[rows]
        return hot

    def _sums(self, state: RainState, rows: Ints, minutes: Ints, head: Ints) -> Ints:
        """(k, windows): up to each row's clock; of a late value the largest over all ends that it
        touches. When the event is over, what fell before counts nothing while it stays dry."""
        sums = state.window.sums(rows, head)
        if self._late_ends:
            for n in (minutes < head).nonzero()[0].tolist():
                most = state.window.touched(int(rows[n]), int(minutes[n]), int(head[n]))
                sums[n] = np.maximum(sums[n], most)
        if self._gap:
            sums *= (sums[:, self._gap_window] > 0)[:, None]
        return sums

    def seen(self, state: RainState, row: int) -> Ints:
        """(windows,) the sums of a row as they are judged at its own clock, in counts."""
        return np.asarray(self._sums(state, np.array([row]), *[state.window.head[[row]]] * 2)[0])

    def _levels(self, state: RainState, j: Judged, n: Ints, out: list[Change]) -> None:
        """Judgements `n` through the machines; no row twice."""
        r = j.row[n]
        live = j.news[n] | state.machines.held_of(r)
        n, r = n[live], r[live]
        if n.size == 0:
            return
        h = j.head[n]
        called = j.called.of(n)
        moved = state.machines.judge(r, h, called, self._hold_min, acting=self._acting)
        sums = j.sums[n]
        if state.doubt:
            moved = either(moved, self._doubt(state, r, h, sums))
        nth = j.nth[n]
        for m in moved:
            out.append(self._change(state, int(nth[m]), int(r[m]), int(h[m]), sums[m]))

    def _doubt(
        self, state: RainState, rows: Ints, head: Ints, sums: Ints, *, proved: bool = False
    ) -> Ints:
        """Judge rows without their suspect values; the indices of those that changed in that. A level
        that only they reached is not sure because they grow old, but where it is `proved`."""
        which = [n for n, row in enumerate(rows.tolist()) if row in state.doubt]
        over = {n for n in which if not state.lasting(int(rows[n]), int(head[n]))}
        # what holds nothing is sure of nothing
        weigh = [
            n for n in which if any(state.machines.of(int(rows[n]))) and not (proved and n in over)
        ]
        good: dict[int, tuple[int, int]] = {}
        if weigh:
            r = rows[weigh]
            doubted = [0 if n in over else state.doubted(int(rows[n]), int(head[n])) for n in weigh]
            sure = np.stack([sums[n] - x for n, x in zip(weigh, doubted, strict=True)])
            wet = state.wetness[r]
            reached = (
                highest(sure, table[wet, r]) for table in (self.level_limits, self.action_limits)
            )
            good = dict(zip(weigh, zip(*(x.tolist() for x in reached), strict=True), strict=True))
        changed = []
        for n in which:
            row = int(rows[n])
            now = level, action = state.machines.of(row)
            was = state.sure.get(row, (0, 0))
            if n in good:
                now = (without(level, was[0], good[n][0]), without(action, was[1], good[n][1]))
            state.sure[row] = now
            if n in over and now == (level, action):
                del state.doubt[row], state.sure[row]
            if now != was:
                changed.append(n)
        return np.array(changed, np.int64)

    def trust(self, state: RainState, row: int, held: Mapping[int, int], nth: int) -> list[Change]:
        """These counts (minute -> count) are in doubt no longer; what that changes."""
        state.trust(row, held)
        state.changed[row] = True
        rows = np.array([row])
        head, sums = state.window.head[rows], self.seen(state, row)
        changed = self._doubt(state, rows, head, sums[None, :], proved=True)
        return [self._change(state, nth, row, int(head[0]), sums)] if changed.size else []

    def _change(self, state: RainState, nth: int, row: int, head: int, sums: Ints) -> Change:
        """A change with what decided it."""
        level, action = state.machines.of(row)
        sure = state.sure.get(row, (0, 0)) if row in state.doubt else (level, action)
        wet = int(state.wetness[row])
        limits = self._limits[wet, row]
        hit = (sums[:, None] >= limits) * _WORSE
        window, which = np.unravel_index(int(hit.argmax()), hit.shape)
        limit = int(limits[window, which]) if hit[window, which] else 0
        if not limit:  # falling: show the window that is nearest to its lowest threshold
            window = (sums / limits.min(axis=1)).argmax()
        return Change(
            nth,
            row,
            head,
            level,
            action,
            *sure,
            self.windows[window],
            int(sums[window]),
            limit,
            self._wait(state, row, head, level, sums),
        )

    def _wait(self, state: RainState, row: int, head: int, level: int, sums: Ints) -> float:
        """Minutes to the next level at the mean rate of the last 30 minutes."""
        rate = state.window.total(row, head, 30) / 30
        if rate <= 0 or level >= self.level_limits.shape[-1]:
            return np.inf
        limits = self.level_limits[state.wetness[row], row][:, level:].min(axis=1)
        open_ = limits < NEVER
        # a window shorter than the rate's own says nothing about what is to come
        open_ &= (state.window.windows >= 30) | (sums >= limits)
        need = np.maximum(limits - sums, 0)[open_]
        return round(float(need.min()) / rate, 1) if need.size else np.inf

    def dump(self, state: RainState, rows: Ints | slice = EVERY) -> bytes:
        doubt = {self.names[r]: (held, state.sure.get(r)) for r, held in state.doubt.items()}
        return msgspec.msgpack.encode(
            (pack(chosen(self.names, rows), arrays_of(state, rows)), doubt)
        )

    def load(self, *bodies: bytes) -> RainState:
        return load(self.new(), self.names, bodies)
