"""A gauge that should send a running total and sends a rolling sum: what has fallen in the last hour, or in
some other length of time.

Such a sum falls with nothing that resets it, by just what it rose so long before. With T the true total and L
the length it shows S(t) = T(t) - T(t - L), so that T(t) = S(t) + T(t - L), and whether a guess of L is right
shows by itself: with the right one T never falls, for each fall of S is a rise of the same size, L before.
Where a true total was shown first (a logger that was set otherwise), T goes on from there; where S was 0,
nothing had fallen for L. Of several lengths that explain all that was shown the longest is taken: it makes
the least rain.

What the falls hid is then rain of the minutes in which it fell, and what is shown from then on is read by
that length, for as long as it fits: T neither falls nor rises above the climate, and no sum stands still
while as much falls as leaves it.

Delay it adds: until the sum has fallen by more than a millimetre since it became one; what it hid until then
is little. Cannot see: a length that is none of `_LENGTHS_MIN`, with or without its newest reading; one that
began in rain with nothing known before.
Source: the identity above. The lengths are those that people name; that they are all is not known.
"""

from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from detectors.quality.rain_bounds import Bounds

_MINUTE = 60_000
_LENGTHS_MIN = (10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440)
_KEPT_MS = 50 * 60 * _MINUTE  # twice the longest, and a little
_MOST = 3000  # changes that are kept
_JITTER = 10  # 1 mm: one tip of the coarsest bucket
_EXACT = 3  # so much T may fall while a length is looked for
_STILL_MS = 30 * _MINUTE
_BEGINNINGS = 4  # looked at: the oldest of either sort
_SMOOTHER = 1.2  # by so much at least, over the root of the steps: less is chance
_STEPS = 12  # judged by so many at least
_READINGS = 10  # a sum has more of them than that: fewer match by chance
_AGAIN_MS = _MINUTE  # between two looks, longer where they are in vain

Floats = npt.NDArray[np.float64]


class Shown(msgspec.Struct, frozen=True, array_like=True):
    """A reading that is another than the one before it, at `since`; total: what had fallen by then."""

    since: int
    at: int
    value: int
    total: float


class RollingSum(msgspec.Struct):
    """Of one gauge. Times in ms, values in counts. length: 0 where it is taken for a running total."""

    at: int = -1  # its newest reading
    total: float = 0.0
    shown: list[Shown] = []
    length: int = 0
    top: float = 0.0  # the highest total so far
    over: float = 0.0  # so much more was said than has fallen
    still_since: int = -1
    still: float = 0.0  # the total then
    first_at: int = -1  # of looks in vain
    next_at: int = -1


class Hidden(NamedTuple):
    """Rain of the time (since, at] that was not said."""

    since: int
    at: int
    amount: int


def note(m: RollingSum, at: int, value: int, said: int) -> None:
    """A reading that was taken for a running total's, and what rain was said of it."""
    if m.at < 0:
        m.at = at
    m.total += said
    _keep(m, at, value)


def _keep(m: RollingSum, at: int, value: int) -> None:
    last = m.shown[-1] if m.shown else None
    if last is None or last.value != value or last.total != m.total:
        m.shown.append(Shown(m.at, at, value, m.total))
    m.at = at
    gone = 0
    while gone < len(m.shown) - 1 and (
        m.shown[gone + 1].at < at - _KEPT_MS or len(m.shown) - gone > _MOST
    ):
        gone += 1
    if gone:
        del m.shown[:gone]


def goes_on(m: RollingSum, at: int, value: int, climate: Bounds) -> list[Hidden] | None:
    """What fell by a reading of a gauge whose length is known; None if that does not explain it, and
    nothing is known of it any more."""
    total = value + _total_at(m.shown, at - m.length)
    rise = total - m.top
    if value != m.shown[-1].value:
        m.still_since, m.still = at, total
    stands = at - m.still_since >= _STILL_MS and total - m.still > _JITTER
    if rise < -_JITTER or rise > climate.most(at - m.at) or stands:
        forget(m)
        return None
    m.total = total
    found = []
    if rise > 0:
        m.top = total
        told = int(rise - m.over) if rise > m.over else 0
        m.over += told - rise
        found = [Hidden(m.at, at, told)] if told else []
    _keep(m, at, value)
    return found


def forget(m: RollingSum) -> None:
    """The gauge is another than it was taken for."""
    m.at = m.still_since = m.first_at = m.next_at = -1
    m.shown, m.length, m.over = [], 0, 0.0


def _total_at(shown: list[Shown], at: int) -> float:
    """By `at`; between two readings evenly."""
    ends = [x.at for x in shown]
    k = int(np.searchsorted(ends, at, "right")) - 1
    if k < 0:
        return shown[0].total
    if k + 1 == len(shown) or shown[k + 1].since >= at:
        return shown[k].total
    then = shown[k + 1]
    share = (at - then.since) / max(1, then.at - then.since)
    return shown[k].total + share * (then.total - shown[k].total)


def recognised(m: RollingSum, climate: Bounds) -> list[Hidden] | None:
    """Is it a rolling sum, by all that it has shown? Then what it has hidden so far; from now on `goes_on`
    reads it."""
    if len(m.shown) < 2 or m.shown[-1].value >= m.shown[-2].value or m.at < m.next_at:
        return None
    if not (beginnings := _beginnings(m.shown)):
        return None
    apart = sorted(x.at - x.since for x in m.shown)[len(m.shown) // 2]
    guesses = ((n, b, dry) for n in _lengths(apart) for b, dry in beginnings)
    for length, begin, dry in guesses:
        if not _explains(seen := _seen(m, begin, length, dry=dry), climate):
            continue
        if _smoother(seen) and not _longer(m, begin, length, apart, climate, dry=dry):
            return _read_anew(m, seen)
        break  # a shorter one makes more rain
    m.first_at = m.at if m.first_at < 0 else m.first_at
    m.next_at = m.at + max(_AGAIN_MS, (m.at - m.first_at) // 2)
    return None


def _lengths(apart: int) -> list[int]:
    """Lengths that it may have, ms, the longest first: those of a name, and each without its newest reading.
    apart: how far readings are, ms."""
    named = [n * _MINUTE for n in _LENGTHS_MIN]
    found = {n for n in (*named, *(n - apart for n in named)) if n > _READINGS * apart}
    return sorted(found, reverse=True)


def _longer(
    m: RollingSum, begin: int, length: int, apart: int, climate: Bounds, *, dry: bool
) -> bool:
    """Does one explain it that is twice or three times as long? A sum of a length is one of its half too, of
    twice the rain."""
    for times in (2, 3):
        for n in range(-times, times + 1):
            seen = _seen(m, begin, times * length + n * apart, dry=dry)
            # what had fallen before anything was known may leave it
            if _explains(seen, climate, float(seen.total[1] - seen.total[0])):
                return True
    return False


def _beginnings(shown: list[Shown]) -> list[tuple[int, bool]]:
    """From which reading on it may be one, and whether nothing had fallen by then: from a fall of what was a
    running total, or from a 0. Only if it has fallen enough since."""
    value = np.array([x.value for x in shown])
    falls = np.flatnonzero(np.diff(value, prepend=value[0]) < -_JITTER).tolist()
    dry = np.flatnonzero(value == 0).tolist()
    found = [(n, False) for n in falls if _fallen(value[n:]) > _JITTER][:_BEGINNINGS]
    return found + [(n, True) for n in dry if _fallen(value[n:]) > 2 * _JITTER][-_BEGINNINGS:]


def _fallen(value: npt.NDArray[np.int64]) -> int:
    """Below the highest before it, at most."""
    return int((np.maximum.accumulate(value) - value).max())


class _Seen(NamedTuple):
    """What a guess makes of all that was shown, since `begin`. at: moments, the first that of the reading
    before it; shown, total, said: at each the sum, the total by the guess, and what was said of it."""

    begin: int
    length: int
    at: Floats
    shown: Floats
    total: Floats
    said: Floats


def _seen(m: RollingSum, begin: int, length: int, *, dry: bool) -> _Seen:
    """Before anything is known it is taken to have been dry."""
    before, since = m.shown[: begin + dry], m.shown[begin:]
    first = since[0]
    # what is shown between two readings is taken to change evenly
    at = [first.at] + [t for x in since[1:] for t in (x.since, x.at)]
    shown = [first.value] + [v for x, y in pairwise(since) for v in (x.value, y.value)]
    said = [first.total] + [t for x, y in pairwise(since) for t in (x.total, y.total)]
    known = [t for x in before for t in (x.since, x.at)]
    had = [
        v for x, y in zip([before[0], *before], before, strict=False) for v in (x.total, y.total)
    ]
    then, total = np.array(at, float), np.zeros(len(at))
    moments = then.copy()
    while (now := moments >= first.at).any():
        total[now] += np.interp(moments[now], at, shown)
        moments[now] -= length
    total += first.total if dry else np.interp(moments, known, had)
    start = first if dry else before[-1]
    return _Seen(
        begin + dry,
        length,
        np.concatenate(([float(first.since)], then)),
        np.concatenate(([0.0], np.array(shown, float))),
        np.concatenate(([start.total], total)),
        np.concatenate(([start.total], np.array(said, float))),
    )


def _explains(seen: _Seen, climate: Bounds, unknown: float = 0.0) -> bool:
    """Never fell what had fallen (but for what is unknown), nor rose it above the climate, nor while the sum
    stood still."""
    high = np.maximum.accumulate(seen.total)
    if (high - seen.total).max() > _EXACT + unknown:
        return False
    length, rise = np.diff(seen.at), np.diff(high)
    if ((length >= _STILL_MS) & (np.diff(seen.shown) == 0) & (rise > _JITTER))[1:].any():
        return False
    most = [climate.most(int(t)) for t in length]
    return bool((rise <= most).all())


def _smoother(seen: _Seen) -> bool:
    """Is the rain of the guess smoother than the steps of the sum, where something leaves it, and by more than
    chance makes it? The rain of one minute knows nothing of that of a minute so long before: what leaves a sum
    makes its steps rougher than rain is, and what leaves it by a wrong guess makes them rougher still."""
    length, shown, total = (np.diff(x)[1:] for x in (seen.at, seen.shown, seen.total))
    some = length > 0
    shown, total = (x[some] / length[some] for x in (shown, total))
    leaves = (total - shown)[1:] != 0
    steps = int(leaves.sum())
    raw, rain = (float((np.diff(x)[leaves] ** 2).sum()) for x in (shown, total))
    return steps >= _STEPS and rain < raw * (1 - _SMOOTHER / steps**0.5)


def _read_anew(m: RollingSum, seen: _Seen) -> list[Hidden]:
    """Its total from the beginning on, and what of that was not said."""
    hidden = np.floor(np.maximum.accumulate(np.maximum(seen.total - seen.said, 0)))
    at = seen.at.astype(int).tolist()
    del m.shown[seen.begin :]
    found = []
    for k in range(1, len(at)):
        if at[k] > at[k - 1]:
            m.shown.append(Shown(at[k - 1], at[k], int(seen.shown[k]), float(seen.total[k])))
            if hidden[k] > hidden[k - 1]:
                found.append(Hidden(at[k - 1], at[k], int(hidden[k] - hidden[k - 1])))
    m.length, m.total, m.top = seen.length, float(seen.total[-1]), float(seen.total.max())
    m.over = float(hidden[-1] - (seen.total[-1] - seen.said[-1])) - (m.top - m.total)
    m.still_since, m.still = m.at, m.total
    return found
