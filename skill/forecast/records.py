"""The records on which chances are measured, fixed before they are looked at: which gauge, which level.

`reach` is a level that the record's own account calls a flood, or, where it has none, the level that is
reached in so many of its slots (`share`).
"""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats
from detectors.water.level_forecast import LevelForecast
from detectors.water.runoff.unit_hydrograph import UnitHydrograph
from skill.series.read import read_observations


class RecordPlan(NamedTuple):
    """folder: below the folder of data; slot_min: of its reports."""

    folder: str
    station: str
    slot_min: int
    words: Text
    reach: float | None = None
    share: float = 0.01
    rain: str = ""
    area_km2: float = 0.0


PLANS = (
    RecordPlan(
        "usgs-stage-5min",
        "plumtree",
        5,
        Text("Plumtree Run，5 分钟水位", "Plumtree Run, stage every 5 min"),
        reach=0.914,
    ),
    RecordPlan(
        "kenduskeag-hourly",
        "kenduskeag",
        60,
        Text("Kenduskeag，逐时水位和雨量", "Kenduskeag Stream, hourly stage and rain"),
        share=0.03,
        rain="bangor",
        area_km2=495.0,  # USGS 01037000, 191 square miles
    ),
    RecordPlan(
        "sitka-stage",
        "indian-river",
        60,
        Text("Indian River（Sitka），逐时水位", "Indian River at Sitka, hourly stage"),
        share=0.03,
    ),
)
FILE = "observations.csv.gz"


class Series(NamedTuple):
    """(slots,) in order of time, NaN where nothing was heard; rain in mm of the slot, None where none is."""

    level: Floats
    rain: Floats | None
    reach: float


def read(plan: RecordPlan, data: Path) -> Series:
    """The plan's record below `data`. Raises SeriesFault of a file that cannot be read."""
    readings, _ = read_observations(data / plan.folder / FILE)
    slot_ms = plan.slot_min * 60_000
    slot = -(-readings.at[:] // slot_ms)
    first, last = int(slot.min()), int(slot.max())

    def of(station: str, quantity: str, per_unit: int) -> Floats:
        mine = readings.which == readings.pairs.index((station, quantity))
        x = np.full(last - first + 1, np.nan)
        x[slot[mine] - first] = readings.counts[mine].astype(np.int64) / per_unit
        return x

    level = of(plan.station, "stage", 1000)
    rain = of(plan.rain, "rain", 10) if plan.rain else None
    heard = np.nonzero(~np.isnan(level))[0]
    level = level[heard[0] : heard[-1] + 1]
    rain = None if rain is None else rain[heard[0] : heard[-1] + 1]
    reach = plan.reach or round(float(np.nanquantile(level, 1 - plan.share)), 3)
    return Series(level, rain, reach)


def candidates(plan: RecordPlan, reach: float) -> list[LevelForecast]:
    """The few sets of parameters that are tried, that of the defaults first: whether a trend is damped, how
    long it is, and of rain how slow the catchment."""
    short = plan.slot_min < 30
    p = LevelForecast(
        reach=reach,
        horizon_min=60,
        slot_min=plan.slot_min,
        trend_min=15 if short else 60,
        silent_min=30 if short else 120,
        memory_h=12 if short else 72,
    )
    slow = msgspec.structs.replace(p, damp_min=180, trend_share=1.0)
    longer = msgspec.structs.replace(slow, trend_min=30 if short else 180)
    found = [p, slow, longer]
    if plan.rain:
        for k_h in (2.0, 5.0):
            runoff = UnitHydrograph(
                area_km2=plan.area_km2,
                loss="coefficient",
                coefficient=0.3,
                n=3,
                k_h=k_h,
                memory_h=72,
                slot_min=plan.slot_min,
            )
            found.append(msgspec.structs.replace(slow, runoff=runoff, runoff_gain=0.01))
    return found
