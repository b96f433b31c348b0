r"""Any quantity against thresholds: high is bad (`quantity_above`), or low is (`quantity_below`).

Sees: gas, depth, density, flow, battery, soil moisture … that is at a threshold or above it (or below
it): a value equal to the threshold has reached it. With `take` the newest value, or the mean, highest
or lowest of the last `over_s`. The mean rides over a spike; of `quantity_above` the lowest says that it
was above all the time.

Equation: value = take{x of the last over_s}, in the quantity's own unit; NaN with fewer than
`min_points` slots heard. A slot holds the highest of what came in it (of `below`: the lowest).
Parameters: over_s, slot_s (seconds), take, min_points.

Delay it adds: newest, and the side that warns: none; mean: about half of `over_s`; the other side:
all of it.
Cannot see: a change that stays inside the thresholds; a dead sensor that repeats itself (quality
tests). For rain sums take `cumulative_rain`.
Source: none needed; thresholds come from the standard of the quantity, named in `source`.

>>> view = View(np.array([[[1.0, np.nan, 4.0]]]), np.array([0]), 60, np.ones((1, 1)))
>>> [float(above(Above(over_s=180, take=t), view).value[0]) for t in ("newest", "mean", "lowest")]
[4.0, 2.5, 1.0]
"""

from typing import Literal

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Kind, Parameters, Scored, View, scored
from detectors.rain.sums import check, check_slots
from detectors.statistics.robust_slope import newest


class Above(Parameters, frozen=True):
    """How long to look back and what to take."""

    over_s: int = 300
    slot_s: int = 60
    take: Literal["newest", "mean", "highest", "lowest"] = "newest"
    min_points: int = 1

    def __post_init__(self) -> None:
        check_slots(self.slot_s, over_s=self.over_s)
        most = self.over_s // self.slot_s
        check(1 <= self.min_points <= most, f"min_points: 1 … {most} (over_s / slot_s)")
        check(most <= 4096, Text("over_s / slot_s: 至多 4096", "over_s / slot_s: at most 4096"))


class Below(Above, frozen=True):
    """The same, where low is bad."""


def above(p: Above, view: View) -> Scored:
    """In the quantity's unit."""
    x = view.values[:, 0]
    points = (~np.isnan(x)).sum(axis=1)
    if p.take == "newest":
        value = newest(x)[0]
    elif p.take == "mean":
        value = np.nansum(x, axis=1) / np.maximum(points, 1)
    else:
        value = (np.fmax if p.take == "highest" else np.fmin).reduce(x, axis=1)
    return scored(np.where(points >= p.min_points, value, np.nan), p.over_s // 60)


def of_pictures(name: str, *, seen: str) -> Kind:
    """The same of what a picture shows: `seen`, the highest of a slot."""
    return _kind(name, Above, falling=False)._replace(inputs=("frame",), seen=seen)


def _kind(name: str, parameters: type[Above], *, falling: bool) -> Kind:
    return Kind(
        name=name,
        inputs=("*",),
        parameters=parameters,
        slot_s=lambda p: p.slot_s,
        span=lambda p: p.over_s // p.slot_s,
        score=above,
        gather="min" if falling else "max",
        falling=falling,
    )


KINDS = (
    _kind("quantity_above", Above, falling=False),
    _kind("quantity_below", Below, falling=True),
)
