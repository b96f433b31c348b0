"""What published rules say of the same rows, to stand beside a tuned one.

- M1 of the USGS at chance >= 0.5, of 15, 30 and 60 minutes: `detectors.rain.postfire_m1`.
- peak 15-minute intensity >= 24 mm/h, a threshold in use for burnt ground of the western United
  States (Staley et al. 2017, Geomorphology 278:149-162, after its regional thresholds).
- I = 14.82 D^-0.39 (Caine 1980, Geografiska Annaler 62A:23-27), the worldwide curve, reached at any
  of the durations of the table; D in hours, I in mm/h.
- I = 12.5 D^-0.4 (Cannon et al. 2008, Geomorphology 96:250-269), burnt basins of southern California.

A rule is scored on the rows that have its inputs; on the others it says nothing, which counts as no
warning.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats
from detectors.rain.postfire_m1 import M1, chance
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES
from skill.tables.fit import counted
from skill.verify.score import Counts, auc


class Published(NamedTuple):
    """applies: rows that have its inputs. auc: over those."""

    name: str
    counts: Counts
    auc: float | None
    applies: int


Columns = Mapping[str, Floats]  # quantity -> (n,) in its own unit


def _power(alpha: float, beta: float, c: Columns) -> Floats:
    """The most that intensity exceeds the curve over its durations, as a ratio."""
    ratios = [
        x / (alpha * (TABLE_QUANTITIES[n].minutes / 60) ** -beta)
        for n, x in c.items()
        if TABLE_QUANTITIES[n].minutes >= 10  # shorter ones lie outside both curves
    ]
    most: Floats = np.fmax.reduce(ratios)
    return most


def _m1(minutes: int, c: Columns) -> Floats:
    rain = c[f"intensity_{minutes}min"] * minutes / 60
    return chance(minutes, rain, c["burned_steep"], c["dnbr"], c["soil_kf"])


def _rules() -> Iterator[tuple[str, Callable[[Columns], Floats], float]]:
    for minutes in M1:
        yield f"USGS M1-{minutes}, p >= 0.5", lambda c, m=minutes: _m1(m, c), 0.5  # type: ignore[misc]
    yield "I15 >= 24 mm/h", lambda c: c["intensity_15min"], 24.0
    yield "Caine 1980, 14.82 D^-0.39", lambda c: _power(14.82, 0.39, c), 1.0
    yield "Cannon 2008, 12.5 D^-0.4", lambda c: _power(12.5, 0.4, c), 1.0


NAMES = tuple(name for name, _, _ in _rules())
_BASIN = ("burned_steep", "dnbr", "soil_kf")
# of each, as it runs on a record: kind, threshold, parameters, and what it needs of the basin
RUN_AS: dict[str, tuple[str, float, dict[str, float | int], tuple[str, ...]]] = {
    **{
        f"USGS M1-{m}, p >= 0.5": ("postfire_m1", 0.5, {"duration_min": m, "within_min": m}, _BASIN)
        for m in M1
    },
    "I15 >= 24 mm/h": ("peak_intensity", 24.0, {"duration_min": 15, "within_min": 15}, ()),
    "Caine 1980, 14.82 D^-0.39": (
        "intensity_duration",
        1.0,
        {"alpha": 14.82, "beta": 0.39, "from_min": 10, "to_min": 60},
        (),
    ),
    "Cannon 2008, 12.5 D^-0.4": (
        "intensity_duration",
        1.0,
        {"alpha": 12.5, "beta": 0.4, "from_min": 10, "to_min": 60},
        (),
    ),
}


def _stated(columns: Columns) -> Iterator[tuple[str, Floats, float]]:
    """(name, value, threshold) of those whose inputs the table has in at least one row."""
    for name, score, limit in _rules():
        try:
            value = score(columns)
        except (KeyError, ValueError):  # a column that the table lacks
            continue
        if np.isfinite(value).any():
            yield name, value, limit


def log_ratios(columns: Columns) -> dict[str, Floats]:
    """Of each published rule, how far its value is above its threshold, as a logarithm; NaN where it
    is silent."""
    return {n: np.log(np.maximum(v, 1e-9) / limit) for n, v, limit in _stated(columns)}


def published(columns: Columns, yes: Bools) -> list[Published]:
    """Each on the rows that have its inputs."""
    found = []
    for name, value, limit in _stated(columns):
        known = np.isfinite(value)
        alarm = np.where(known, value, -np.inf) >= limit
        ranked = auc(value[known], yes[known])
        found.append(Published(name, counted(alarm, yes), ranked, int(known.sum())))
    return found
