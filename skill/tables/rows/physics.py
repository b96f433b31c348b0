"""What a storm can have been: gaps that physics fills, and totals that cannot be those of their storm.

- A peak over longer than the storm lasted is its whole rain: short, violent storms have no 30- or
  60-minute peak in many tables, and it is just these that trigger.
- Where no rain fell, every peak is 0.
- A storm's rain is at least what fell within its peaks: a total below that (0 stands for none recorded
  in some tables) is missing.

>>> q = ("intensity_15min", "intensity_60min", "storm_total", "duration")
>>> x, notes = sound(q, np.array([[24.0, np.nan, 6.8, 0.7], [24.0, 10.0, 0.0, 2.0]]))
>>> x[0].tolist(), x[1].tolist()
([24.0, 6.8, 6.8, 0.7], [24.0, 10.0, nan, 2.0])
"""

import numpy as np

from config.language import Said, Text
from detectors.engine.window_rule import Floats
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES

_SLACK, _SLACK_MM = 0.9, 0.5  # of rounding and of gauges that tip by 0.2 to 0.5 mm


def peaks(quantities: tuple[str, ...]) -> list[tuple[int, int]]:
    """(column, minutes) of the peak intensities, shortest first."""
    found = [(k, TABLE_QUANTITIES[q].minutes) for k, q in enumerate(quantities)]
    return sorted((x for x in found if x[1]), key=lambda x: x[1])


def sound(quantities: tuple[str, ...], value: Floats) -> tuple[Floats, list[Said]]:
    """value: (n, k) in the quantities' own units -> the same, and what was done."""
    if "storm_total" not in quantities:
        return value, []
    out, notes = value.copy(), list[Said]()
    column = quantities.index("storm_total")
    total = out[:, column]
    within = np.column_stack(
        [np.zeros(len(out)), *(out[:, k] * m / 60 for k, m in peaks(quantities))]
    )
    with np.errstate(invalid="ignore"):
        wrong = total < _SLACK * np.nanmax(within, axis=1) - _SLACK_MM
    total[wrong] = np.nan
    if wrong.any():
        notes.append(
            Text(
                f"storm_total：{int(wrong.sum())} 行小于其峰值之雨，按缺测",
                f"storm_total: {int(wrong.sum())} rows have less rain than fell within their peaks: "
                "missing",
            )
        )
    hours = out[:, quantities.index("duration")] if "duration" in quantities else np.nan * total
    filled = 0
    for k, minutes in peaks(quantities):
        whole = ~np.isfinite(out[:, k]) & ((hours * 60 <= minutes + 1) | (total == 0))
        whole &= np.isfinite(total)
        out[whole, k] = np.minimum(
            total[whole] * 60 / minutes, TABLE_QUANTITIES[quantities[k]].high
        )
        filled += int(whole.sum())
    if filled:
        notes.append(
            Text(
                f"{filled} 处雨强缺测：历时不长于时段，取过程雨量",
                f"{filled} missing peaks over longer than the storm lasted: its whole rain",
            )
        )
    return out, notes
