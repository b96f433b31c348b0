"""What a column of a one-row-a-storm table can be: its unit, its range, the shape it enters a rule in.

Intensities are the highest of the storm over their duration. Shapes: a debris flow answers to the
*ratio* of intensities rather than to their difference, so rain enters as log(1 + x); shares of burnt
ground as their square root, since the first burnt tenth matters most. `sign` is what physics says of
the effect: more rain, more burnt steep ground never make a flow less likely, and a fit that says so
has read noise. 0: not used in the rule, but it helps to infer what is missing.

>>> convert("intensity_15min", "mm")(6.0), convert("intensity_30min", "in")(0.5)
(24.0, 25.4)
>>> convert("duration", "min")(90.0), convert("burned_steep", "%")(45.0)
(1.5, 0.45)
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats

_MM_PER_IN = 25.4


class Quantity(NamedTuple):
    """low, high: what is physically possible, in `unit`. minutes: of an intensity."""

    zh: str
    en: str
    unit: str
    low: float
    high: float
    shape: str  # log1p, sqrt, log or none
    sign: int
    minutes: int = 0


def _intensity(minutes: int) -> Quantity:
    """The most ever measured: 31 mm in 1 min (Unionville), 401 mm in 1 h (Shangdu), WMO archive."""
    high = 2000.0 if minutes < 30 else 600.0
    return Quantity(
        f"{minutes} 分钟雨强峰值",
        f"peak {minutes}-min intensity",
        "mm/h",
        0,
        high,
        "log1p",
        1,
        minutes,
    )


TABLE_QUANTITIES: dict[str, Quantity] = {
    **{f"intensity_{m}min": _intensity(m) for m in (2, 5, 10, 15, 30, 60)},
    "storm_total": Quantity("过程雨量", "rain of the storm", "mm", 0, 3000, "log1p", 1),
    "duration": Quantity("历时", "duration of the storm", "h", 0, 720, "log1p", 0),
    "area": Quantity("集水面积", "contributing area", "km2", 1e-4, 1e5, "log", 0),
    "burned_steep": Quantity(
        "陡坡中高度过火比例",
        "share burned high or moderate on slopes >= 23 deg",
        "1",
        0,
        1,
        "sqrt",
        1,
    ),
    "burned": Quantity("中高度过火比例", "share burned high or moderate", "1", 0, 1, "sqrt", 1),
    "dnbr": Quantity("dNBR/1000", "mean dNBR/1000", "1", -1, 2, "none", 1),
    "soil_kf": Quantity("土壤可蚀性 KF", "soil erodibility KF", "1", 0, 1, "none", 1),
    "slope": Quantity("平均坡度", "mean slope", "deg", 0, 90, "none", 0),
    "ruggedness": Quantity("崎岖度", "ruggedness", "1", 0, 100, "sqrt", 0),
    "days_since_fire": Quantity(
        "火后天数", "days since the fire began", "d", 0, 36_500, "log1p", 0
    ),
    "flows_before": Quantity("已发生次数", "debris flows so far", "1", 0, 1000, "log1p", 0),
}
_FACTORS = {
    ("mm/h", "in/h"): _MM_PER_IN,
    ("mm/h", "cm/h"): 10.0,
    ("mm", "cm"): 10.0,
    ("mm", "in"): _MM_PER_IN,
    ("h", "min"): 1 / 60,
    ("h", "s"): 1 / 3600,
    ("h", "d"): 24.0,
    ("d", "h"): 1 / 24,
    ("km2", "m2"): 1e-6,
    ("km2", "ha"): 0.01,
    ("km2", "mi2"): 2.589988110336,
    ("1", "%"): 0.01,
    ("1", "1/1000"): 0.001,  # dNBR as it is, where dNBR/1000 is meant
}


def units(quantity: str) -> list[str]:
    """Every unit that a column of this quantity may have."""
    q = TABLE_QUANTITIES[quantity]
    found = [q.unit, *(u for base, u in _FACTORS if base == q.unit)]
    return [*found, "mm", "cm", "in"] if q.minutes else found


def convert(quantity: str, unit: str) -> Callable[[float], float]:
    """Into the quantity's own unit; an intensity in mm is what fell within its duration. KeyError
    of an unknown unit."""
    q = TABLE_QUANTITIES[quantity]
    if unit == q.unit:
        return float
    if q.minutes and unit in ("mm", "cm", "in"):
        factor = (1.0 if unit == "mm" else _FACTORS["mm", unit]) * 60 / q.minutes
    else:
        factor = _FACTORS[q.unit, unit]
    return lambda x: round(x * factor, 12)


def shaped(quantity: str, x: Floats) -> Floats:
    """As it enters a rule; NaN stays NaN. x: in the quantity's own unit."""
    shape = TABLE_QUANTITIES[quantity].shape
    if shape == "log1p":
        return np.log1p(np.maximum(x, 0))
    if shape == "sqrt":
        return np.sqrt(np.maximum(x, 0))
    if shape == "log":
        return np.log(np.maximum(x, 1e-4))
    return np.asarray(x, np.float64)
