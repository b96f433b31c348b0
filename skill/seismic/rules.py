"""What each rule makes of a record, second by second, as a ratio to what it takes for usual.

The rules run as they are declared, over the windows that the engine would give them. A record seldom has the
hours before it that a reference needs: in their place stands what it has of quiet, its seconds drawn again and
again with a fixed seed. So nothing of the flow is known beforehand, and nothing quieter than it was.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from config.language import Text
from detectors.engine.window_rule import Floats, View
from detectors.setup.registry import KINDS
from detectors.statistics.sta_lta import StaLta

MEAN_S = 10  # a plain threshold stands on the mean of so many seconds, as the short mean of sta_lta
ADAPTIVE = StaLta(slot_s=10, sta_s=20, lta_s=21_600, before="median")
_SEED = 20130722


class Rule(NamedTuple):
    """value: (seconds, quiet seconds before them, a level from elsewhere) -> the value at each second's
    end, NaN where it has none."""

    name: str
    words: Text
    value: Callable[[Floats, Floats, float], Floats]


def drawn(quiet: Floats, many: int) -> Floats:
    """So many seconds, drawn from what there is of quiet."""
    known = quiet[~np.isnan(quiet)]
    return np.random.default_rng(_SEED).choice(known, many)


def _means(seconds: Floats, quiet: Floats) -> Floats:
    whole = np.concatenate((drawn(quiet, MEAN_S - 1), seconds))
    windows = sliding_window_view(whole, MEAN_S)
    heard = (~np.isnan(windows)).sum(axis=1)
    mean = np.nansum(windows, axis=1) / np.maximum(heard, 1)
    return np.where(heard >= MEAN_S / 2, mean, np.nan)


def set_here(seconds: Floats, quiet: Floats, _: float) -> Floats:
    """A level that was set on the spot, once, from the quiet before."""
    return _means(seconds, quiet) / np.nanmedian(quiet)


def brought(seconds: Floats, quiet: Floats, level: float) -> Floats:
    """A level that was set elsewhere, in the sensor's unit."""
    return _means(seconds, quiet) / level


def short_over_long(p: StaLta) -> Callable[[Floats, Floats, float], Floats]:
    """sta_lta with these parameters."""

    def value(seconds: Floats, quiet: Floats, _: float) -> Floats:
        span = KINDS["sta_lta"].span(p)
        whole = np.concatenate((drawn(quiet, (span - 1) * p.slot_s), seconds))
        slots = _slots(whole, p.slot_s)
        windows = sliding_window_view(slots, span)
        found = _scored(p, windows)
        out = np.full(seconds.size, np.nan)
        ends = np.arange(1, found.size + 1) * p.slot_s - 1
        out[ends[ends < seconds.size]] = found[ends < seconds.size]
        return out

    return value


def _scored(p: Any, windows: Floats) -> Floats:
    """In parts: a window of hours has thousands of slots."""
    found, kind = [], KINDS["sta_lta"]
    for n in range(0, len(windows), 500):
        part = windows[n : n + 500, None, :]
        view = View(part, np.zeros(len(part), np.int64), p.slot_s, np.ones((len(part), 1)))
        found.append(kind.score(p, view).value)
    return np.concatenate(found)


def _slots(seconds: Floats, slot_s: int) -> Floats:
    """The highest of each slot, as the engine gathers it."""
    whole = seconds[: seconds.size // slot_s * slot_s].reshape(-1, slot_s)
    highest: Floats = np.fmax.reduce(whole, axis=1)
    return highest


RULES = (
    Rule("amplitude", Text("定值，就地设定", "a level set here"), set_here),
    Rule("brought", Text("定值，取自另一次记录", "a level set on another record"), brought),
    Rule("sta_lta", Text("sta_lta 缺省", "sta_lta, defaults"), short_over_long(StaLta())),
    Rule(
        "adaptive",
        Text("sta_lta，6 小时中位数", "sta_lta, median of 6 h"),
        short_over_long(ADAPTIVE),
    ),
)
