"""Stations whose clock is slow: every reading comes late, and always by as much.

Sees: of six arrivals in a row the newest reading of each is older than `SLOW_S` (and than two of its
intervals), they go on in time, and their ages lie within `_SPREAD_S` (or two intervals) of each other
over half an hour and more; or sooner, where their ages differ by no more than a fifth of the time in
which they came: its clock goes as ours does, only later. A backlog is none: its times go faster than
ours; nor is one late message. It is so until three arrivals in a row are fresh.
Delay it adds: seven arrivals. What is said of the clock changes no value.
Cannot see: whether the clock is slow or the link keeps everything for as long; both are to be looked
at. A clock that is fast by more than 5 minutes is refused at the door (`clock_ahead`), one that is
fast by less is taken as it is.
Source: none needed; QARTOD's timing test asks only whether data come in time.
"""

import msgspec

from detectors.engine.minute_ring import Bools, Ints

SLOW_S = 600
_SPREAD_S = 600
_ARRIVALS, _SPAN_MS = 6, 1_800_000
_PACE_MS = 2_000  # times in whole seconds, and the way
_FRESH = 3


class ClockState(msgspec.Struct):
    """What is known of a station's clock. came_at, came_newest: the last arrival and the newest time
    of its readings, weighed when the next one comes. least, most: ages of the arrivals since
    `since_at`, ms; newest_at: its own newest time; late, fresh: arrivals in a row; slow_ms: 0 while the
    clock is right."""

    came_at: int = 0
    came_newest: int = 0
    since_at: int = 0
    newest_at: int = 0
    least: int = 0
    most: int = 0
    late: int = 0
    fresh: int = 0
    slow_ms: int = 0

    @property
    def right(self) -> bool:
        """Nothing is held against it."""
        return not self.slow_ms and not self.late


def hear(held: ClockState, received_at: int, newest_at: int, interval_s: int) -> bool:
    """The newest reading of an arrival, or of a part of one. True where what is known of the clock has
    changed."""
    if received_at == held.came_at:
        held.came_newest = max(held.came_newest, newest_at)
        return False
    changed = bool(held.came_at) and _weigh(held, interval_s)
    held.came_at, held.came_newest = received_at, newest_at
    return changed


def late(age_ms: int, interval_s: int) -> bool:
    """Later than a reading of a right clock comes."""
    return age_ms > 1000 * max(SLOW_S, 2 * interval_s)


def _weigh(held: ClockState, interval_s: int) -> bool:
    received_at, newest_at = held.came_at, held.came_newest
    age = received_at - newest_at
    if not late(age, interval_s):
        held.late, held.fresh, held.newest_at = 0, held.fresh + 1, newest_at
        if held.slow_ms and held.fresh >= _FRESH:
            held.slow_ms = 0
            return True
        return False
    held.fresh = 0
    least, most = min(held.least, age), max(held.most, age)
    steady = most - least <= 1000 * max(_SPREAD_S, 2 * interval_s)
    if not held.late or not steady or newest_at <= held.newest_at:
        held.late, held.since_at, held.newest_at = 1, received_at, newest_at
        held.least = held.most = age
        return False
    held.late, held.newest_at, held.least, held.most = held.late + 1, newest_at, least, most
    gone = received_at - held.since_at
    paced = most - least <= max(_PACE_MS, gone // 5)
    if held.late < _ARRIVALS or (gone < _SPAN_MS and not paced):
        return False
    before, held.slow_ms = held.slow_ms, least
    return not before or late(abs(before - least), interval_s)


def newest(rows: Ints, at: Ints, received: Ints, look: Bools | None) -> list[tuple[int, int]]:
    """The arrivals of a batch that bear on a clock, in order: (index of its newest reading, row).
    look: which are to be looked at though they are fresh; None: none."""
    late = received - at > 1000 * SLOW_S
    if look is not None:
        late |= look
    if not late.any():
        return []
    of = set(rows[late].tolist())
    found: dict[tuple[int, int], int] = {}
    came, row_of, time = received.tolist(), rows.tolist(), at.tolist()
    for n, key in enumerate(zip(came, row_of, strict=True)):
        if key[1] in of and (key not in found or time[n] > time[found[key]]):
            found[key] = n
    return [(n, row) for (_, row), n in found.items()]
