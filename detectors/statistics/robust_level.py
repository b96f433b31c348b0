r"""What is usual for a sensor: the median of a window and its spread by the median absolute
deviation, which a few odd values do not move.

sigma = 1.4826 median |x - median|, which is the standard deviation of a normal variable. Source:
Hampel 1974, J. Am. Stat. Assoc. 69:383–393.

>>> usual(np.array([[1.0, 2.0, np.nan, 3.0, 900.0]]), 0.0)
(array([2.5]), array([1.4826]), array([4]))
"""

from typing import Literal

import numpy as np

from detectors.engine.window_rule import Floats, Ints

Side = Literal["up", "down", "both"]


def median(values: Floats) -> Floats:
    """Of each row; NaN is passed over, and comes back where there is nothing else."""
    width = values.shape[1]
    if width and not np.isnan(values).any():
        low, high = (width - 1) // 2, width // 2
        parted = np.partition(values, (low, high), axis=1)
        middle: Floats = (parted[:, low] + parted[:, high]) / 2
        return middle
    ordered = np.sort(values, axis=1)
    many = (~np.isnan(values)).sum(axis=1)
    row, last = np.arange(len(values)), np.maximum(many - 1, 0)
    found: Floats = (ordered[row, last // 2] + ordered[row, last - last // 2]) / 2
    return found


def usual(values: Floats, least_sigma: float) -> tuple[Floats, Floats, Ints]:
    """Median, sigma (at least `least_sigma`) and number of values of each row."""
    middle = median(values)
    sigma = 1.4826 * median(np.abs(values - middle[:, None]))
    return middle, np.maximum(sigma, least_sigma), (~np.isnan(values)).sum(axis=1)


def sided(deviation: Floats, side: Side) -> Floats:
    """So that what is bad is large."""
    return {"up": deviation, "down": -deviation, "both": np.abs(deviation)}[side]
