"""A record's rows in order of time, one value a station, quantity and time, and without those whose clock
was off. A record that is so already is not touched: to sort a hundred million rows takes longer than to
read them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from config.language import Said, Text
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Ints
from skill.series.clock import astray, remote
from skill.series.record.gather import ReadRows
from skill.verify.shared_times import SharedTimes

_BLOCK = 2_000_000
_FAR_DAYS = 179  # a day less than what `remote` calls far
_DAY = 86_400_000


def in_order(rows: ReadRows, names: list[tuple[str, str]], notes: list[Said]) -> ReadRows:
    """What was odd is told."""
    if _ordered(rows):
        far = _scattered(rows, len(names))
        if not far.size:
            return rows
    whole = ReadRows(rows.which.astype(np.int64), rows.at[:], rows.counts)
    return _once(_wrong_clock(whole, names, notes), notes)


def _ordered(rows: ReadRows) -> bool:
    """Does each row come after the one before, or at its time of a later pair?"""
    for begin in range(0, rows.which.size, _BLOCK):
        block = slice(begin, begin + _BLOCK + 1)
        at, which = rows.at[block], rows.which[block].astype(np.int32)
        later = np.diff(at)
        if not ((later > 0) | ((later == 0) & (np.diff(which) > 0))).all():
            return False
    return True


def _scattered(rows: ReadRows, many: int) -> Ints:
    """Pairs that were not heard for so long that what lies beyond may be a clock that was off."""
    first, last = int(rows.at[0]) // _DAY, int(rows.at[-1]) // _DAY
    none = np.zeros(0, np.int64)
    if last - first < _FAR_DAYS:
        return none
    if (last - first) * many > 500_000_000:  # a few rows centuries away
        return np.arange(many)
    heard = np.zeros((many, last - first + 1), np.bool_)
    for begin in range(0, rows.which.size, _BLOCK):
        block = slice(begin, begin + _BLOCK)
        heard[rows.which[block], rows.at[block] // _DAY - first] = True
    found = []
    for pair, days in enumerate(heard):
        on = np.flatnonzero(days)
        if on.size and np.diff(on).max(initial=0) >= _FAR_DAYS:
            found.append(pair)
    return np.array(found, np.int64)


def _taken(rows: ReadRows, use: Ints | Bools) -> ReadRows:
    at = rows.at[:] if isinstance(rows.at, SharedTimes) else rows.at
    return ReadRows(rows.which[use], at[use], rows.counts[use])


def _wrong_clock(rows: ReadRows, names: list[tuple[str, str]], notes: list[Said]) -> ReadRows:
    """Without runs of rows whose clock was off."""
    good = np.ones(rows.which.size, np.bool_)
    for (station, quantity), mine in zip(names, _by_pair(rows, len(names)), strict=True):
        at = rows.at[mine]
        off = np.union1d(astray(at), remote(at))
        if off.size:
            good[mine[off]] = False
            first = _moment(int(at[off[0]]))
            notes.append(
                Text(
                    f"{station} {quantity}：{off.size} 行的时刻脱离前后，疑为时钟错误，已剔除，首例 {first}",
                    f"{station} {quantity}: {off.size} rows are out of time with those around "
                    f"them (clock?), set aside, first {first}",
                )
            )
    return rows if good.all() else _taken(rows, good)


def _moment(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _by_pair(rows: ReadRows, many: int) -> Iterator[Ints]:
    """Where the rows of each pair stand, in their order."""
    order = np.argsort(rows.which, kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(rows.which, minlength=many))[:-1])


def _once(rows: ReadRows, notes: list[Said]) -> ReadRows:
    """In order of time, one value a station, quantity and time: the last of the file."""
    order = np.argsort(rows.which, kind="stable")
    at = rows.at[:]
    back = int(((np.diff(at[order]) < 0) & (np.diff(rows.which[order]) == 0)).sum())
    if back:
        notes.append(
            Text(
                f"测站内时刻倒退 {back} 次，已按时间排序",
                f"times of a station go back {back} times: put in order",
            )
        )
    if (np.diff(at) <= 0).any():  # stable: rows of one time stay in order of the file
        rows = _taken(rows, np.lexsort((rows.which, at)))
        at = rows.at[:]
    again = (np.diff(at) == 0) & (np.diff(rows.which) == 0)
    if not again.any():
        return rows
    differ = again & (np.diff(rows.counts) != 0)
    equal = int(again.sum() - differ.sum())
    if equal:
        notes.append(
            Text(f"完全重复 {equal} 行，各留一行", f"{equal} equal rows: one of each is kept")
        )
    if differ.any():
        first = _moment(int(at[np.flatnonzero(differ)[0]]))
        notes.append(
            Text(
                f"同站同时刻数值不同 {int(differ.sum())} 处，留文件中靠后者，首例 {first}",
                f"{int(differ.sum())} values differ at one station and time: the last of the file is kept, "
                f"first {first}",
            )
        )
    return _taken(rows, np.append(~again, True))
