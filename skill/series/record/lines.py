r"""Lines `station,quantity,time,value` as arrays, many at once, in the form that nearly all records have.

A plain line has three commas and no quote, a time as 2016-01-10T10:00:00Z and a value as -12.34. It is read
from its bytes by NumPy, a column at a time, so that it costs a fraction of what a reader of any CSV takes; what
it says is the same. Of lines of any other form only the numbers are told.

>>> lines = Lines(lambda s, q: q == "rain")
>>> found = lines.read(b"a,rain,2016-01-01T00:00:00Z,1.5\nb,rain,2016-01-01T00:05:00Z,.25\nb,?,x,1\n")
>>> lines.pairs, found.which.tolist(), found.value.tolist(), found.odd.tolist()
([('a', 'rain'), ('b', 'rain')], [0, 1, 0], [1.5, 0.25, 1.0], [2])
>>> (found.at[:2] // 1000).tolist(), Lines(lambda s, q: True).read(b'"a",rain,x,1\n')
([1451606400, 1451606700], None)
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

_COMMA, _LINE, _RETURN, _QUOTE, _MINUS, _POINT, _ZERO = b',\n\r"-.0'
_TIME = 20  # characters
_KEY, _VALUE = 64, 12  # the most that is looked at
_PAD = b"\0" * 32
_HEAD = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)  # the first n bytes of eight
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Plain(NamedTuple):
    """Of each line which pair, ms UTC and value; odd: (m,) lines that are not plain, of which these say
    nothing."""

    which: Ints
    at: Ints
    value: Floats
    odd: Ints
    begin: Ints  # of each line, in bytes
    end: Ints


class Lines:
    """Reads one block after another. pairs: (station, quantity), as they came. known: may this pair be?"""

    def __init__(self, known: Callable[[str, str], bool]) -> None:
        self.pairs: list[tuple[str, str]] = []
        self.place: dict[tuple[str, str], int] = {}
        self._known = known
        self._hashes = np.zeros(0, np.uint64)  # sorted
        self._words = np.zeros((_KEY // 8, 0), np.uint64)
        self._pair = np.zeros(0, np.int64)

    def number(self, station: str, quantity: str) -> int:
        """Of a pair, which is a new one if need be."""
        found = self.place.setdefault((station, quantity), len(self.pairs))
        if found == len(self.pairs):
            self.pairs.append((station, quantity))
        return found

    def read(self, block: bytes) -> Plain | None:
        """Whole lines, the last one ended too. None: quotes, single returns, or other columns than four."""
        if sys.byteorder != "little" or b'"' in block:
            return None
        text = np.frombuffer(block + _PAD, np.uint8)
        line = np.flatnonzero(text == _LINE)
        comma = np.flatnonzero(text == _COMMA)
        returns = text[np.maximum(line - 1, 0)] == _RETURN
        if comma.size != 3 * line.size or int(returns.sum()) != block.count(b"\r"):
            return None
        begin = np.append(0, line[:-1] + 1)
        one, two, three = comma.reshape(-1, 3).T
        if not ((one >= begin) & (three < line)).all():
            return None
        end = line - returns
        words = np.ndarray((text.size - 8,), "V8", text.data, 0, (1,))
        at, dated = _times(text, words, two + 1, three)
        value, numbers = _numbers(text, three + 1, end)
        usable = dated & numbers
        which, sure = self._pairs(words, block, begin, one, two, usable)
        odd = np.flatnonzero(~(sure & usable))
        return Plain(which, at, value, odd, begin, end)

    # --- pairs

    def _pairs(
        self,
        words: npt.NDArray[np.void],
        block: bytes,
        begin: Ints,
        one: Ints,
        two: Ints,
        usable: Bools,
    ) -> tuple[Ints, Bools]:
        """Of each line, and of which that is sure; pairs that only unusable lines have are not learnt."""
        length = two - begin
        keys, hashes = [], np.zeros(length.size, np.uint64)
        for at in range(0, min(int(length.max(initial=0)), _KEY), 8):
            keys.append(_word(words, begin + at) & _HEAD[np.clip(length - at, 0, 8)])
            hashes = (hashes ^ keys[-1]) * _MIX
            hashes ^= hashes >> np.uint64(29)
        which, sure = self._found(hashes, keys)
        new = ~sure & (length <= _KEY) & usable
        if new.any():
            rows = np.flatnonzero(new)
            first = np.sort(np.unique(hashes[rows], return_index=True)[1])
            self._learn(block, rows[first], begin, one, two, hashes, keys)
            which, sure = self._found(hashes, keys)
        return which, sure & (length <= _KEY)

    def _found(self, hashes: Words, keys: list[Words]) -> tuple[Ints, Bools]:
        if not self._hashes.size:
            return np.zeros(hashes.size, np.int64), np.zeros(hashes.size, np.bool_)
        at = np.minimum(np.searchsorted(self._hashes, hashes), self._hashes.size - 1)
        same = self._hashes[at] == hashes
        for mine, theirs in zip(self._words, keys, strict=False):
            same &= mine[at] == theirs
        return self._pair[at], same

    def _learn(
        self,
        block: bytes,
        rows: Ints,
        begin: Ints,
        one: Ints,
        two: Ints,
        hashes: Words,
        keys: list[Words],
    ) -> None:
        """The pairs of these lines, each of a hash of its own; all at once, for to put one after another in its
        place among those that are there would take a time that grows with the square of their number."""
        place = np.searchsorted(self._hashes, hashes[rows])
        there = np.append(self._hashes, np.uint64(0))[place] == hashes[rows]
        there &= place < self._hashes.size  # two pairs of one hash: the other stays odd
        taken, numbers = [], []
        for n in rows[~there].tolist():
            try:
                station = block[begin[n] : one[n]].decode("utf-8")
                quantity = block[one[n] + 1 : two[n]].decode("utf-8")
            except UnicodeDecodeError:
                continue
            if station and station == station.strip() and self._known(station, quantity):
                taken.append(n)
                numbers.append(self.number(station, quantity))
        words = np.zeros((_KEY // 8, len(taken)), np.uint64)
        for mine, theirs in zip(words, keys, strict=False):
            mine[:] = theirs[taken]
        found = np.append(self._hashes, hashes[taken])
        order = np.argsort(found, kind="stable")
        self._hashes = found[order]
        self._words = np.concatenate((self._words, words), axis=1)[:, order]
        self._pair = np.append(self._pair, np.array(numbers, np.int64))[order]


def _word(words: npt.NDArray[np.void], at: Ints) -> Words:
    """Eight bytes from each place on, as one number."""
    found: Words = words[np.minimum(at, words.size - 1)].view(np.uint64)
    return found


# --- times


def _times(text: Bytes, words: npt.NDArray[np.void], begin: Ints, end: Ints) -> tuple[Ints, Bools]:
    """ms UTC, and of which lines that is sure. A time that stands in many lines in a row is read once."""
    fit = (end - begin == _TIME) & (text[np.maximum(end - 1, 0)] == ord("Z"))
    parts = [_word(words, begin + k) for k in (0, 8, 12)]
    new = np.ones(begin.size, np.bool_)
    new[1:] = (
        (parts[0][1:] != parts[0][:-1])
        | (parts[1][1:] != parts[1][:-1])
        | (parts[2][1:] != parts[2][:-1])
        | (fit[1:] != fit[:-1])
    )
    rows = np.flatnonzero(new)
    run = np.cumsum(new) - 1
    ms, sure = _moments(text, begin[rows])
    return ms[run], sure[run] & fit


def _moments(text: Bytes, begin: Ints) -> tuple[Ints, Bools]:
    """2016-01-10T10:00:00 from each place on."""
    letters = text[np.arange(19)[:, None] + begin]
    digits = (letters - _ZERO).astype(np.int64)
    marks = [(4, "-"), (7, "-"), (13, ":"), (16, ":")]
    sure: Bools = (letters[10] == ord("T")) | (letters[10] == ord(" "))
    for k, mark in marks:
        sure &= letters[k] == ord(mark)
    for k in (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18):
        sure &= digits[k] <= 9
    year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]
    month, day, hour, minute, second = (digits[k] * 10 + digits[k + 1] for k in (5, 8, 11, 14, 17))
    sure &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    sure &= (hour < 24) & (minute < 60) & (second < 60)
    months = np.where(sure, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64)
    sure &= day <= (months + 1).astype("datetime64[D]").astype(np.int64) - days
    seconds = (days + day - 1) * 86_400 + hour * 3600 + minute * 60 + second
    return np.where(sure, seconds * 1000, 0), sure


# --- numbers


def _numbers(text: Bytes, begin: Ints, end: Ints) -> tuple[Floats, Bools]:
    """-12.34 of each, and of which that is sure. So few digits over a power of ten are exact when divided."""
    length = end - begin
    widest = int(min(length.max(initial=0), _VALUE))
    total, digits, places = (np.zeros(begin.size, np.int64) for _ in range(3))
    point = np.zeros(begin.size, np.bool_)
    minus = text[begin] == _MINUS
    used = minus.astype(np.int64)
    for k in range(widest):
        letter = text[begin + k]
        live = length > k
        digit = (letter - _ZERO).astype(np.uint8)
        number = live & (digit <= 9)
        total = np.where(number, total * 10 + digit, total)
        digits += number
        places += number & point
        dot = live & (letter == _POINT)
        used += number
        used += dot & ~point
        point |= dot
    value = total / (10.0**places)
    sure = (length <= _VALUE) & (digits > 0) & (used == length)
    return np.where(minus, -value, value), sure
