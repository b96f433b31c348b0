"""From rain to water: how a small basin's stream rises, and when an area is really flooded.

The stream follows the basin's mean rain through an initial loss, a runoff share that grows with
wetness, and a cascade of linear reservoirs (Nash 1957), so it lags the rain by the basin's own
time; stage follows discharge by a power-law rating. The truth has parameters of its own, drawn
from a seed that the warning thresholds do not know: the truth and the thresholds are not of one
hand.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from config.records.district import District
from skill.verify.truth import Truth

Floats = npt.NDArray[np.float64]


class Basin(NamedTuple):
    """Drawn once a seed and basin."""

    lag_min: float  # of the reservoirs together
    loss_mm: float
    share: float
    full_mm_h: float  # runoff that fills the channel to its banks (stage 2.2 m)


def draw(rng: np.random.Generator) -> Basin:
    """Small steep basins: lags of 20–60 min."""
    return Basin(
        lag_min=rng.uniform(20, 60),
        loss_mm=rng.uniform(12, 30),
        share=rng.uniform(0.35, 0.6),
        full_mm_h=rng.uniform(12, 22),
    )


def runoff_mm_h(basin: Basin, rain_mm: Floats) -> Floats:
    """Runoff of a basin in mm/h, a minute each, from its mean rain (mm a minute)."""
    fallen = np.cumsum(rain_mm)
    wet = np.clip((fallen - basin.loss_mm) / 60.0, 0, 1)  # the share saturates with 60 mm more
    effective = rain_mm * basin.share * (0.3 + 0.7 * wet) * (fallen > basin.loss_mm)
    steps = np.arange(1, int(basin.lag_min * 5))
    # three reservoirs in a row: a gamma density of shape 3, up to what the sum takes out again
    unit = steps**2 * np.exp(-3.0 * steps / basin.lag_min)
    unit /= unit.sum()
    flow: Floats = np.convolve(effective, unit)[: len(effective)] * 60.0
    return flow


def stage_m(basin: Basin, flow_mm_h: Floats) -> Floats:
    """Stage above the bed: 0.35 m at low water, 2.2 m when the channel is full."""
    stage: Floats = 0.35 + 1.85 * (np.maximum(flow_mm_h, 0) / basin.full_mm_h) ** 0.6
    return stage


def truth_of(
    district: District,
    seed: int,
    start_at: int,
    area_rain: dict[str, Floats],
    stages: dict[str, Floats],
) -> list[Truth]:
    """When each area floods, if it does: where the stream of its basin, smaller or larger at the
    village, overtops its own banks; and where rain passes a debris-flow curve of the slope's own.

    Debris flow: I = k * 14.82 D^-0.39 (Caine 1980, Geografiska Annaler 62A), mm/h and hours, with k
    drawn a slope from 3.2 to 4.6: Caine's line is the lowest that ever failed, not the usual one.
    """
    rng = np.random.default_rng([seed, 77])
    found = []
    for area in district.areas.values():
        banks_m = rng.uniform(2.2, 3.0)
        slope = rng.uniform(3.2, 4.6)
        over = np.nonzero(stages[area.basin] * rng.uniform(0.85, 1.1) >= banks_m)[0]
        if "flash_flood" in area.hazards and over.size:
            found.append(Truth(area.id, "flash_flood", start_at + int(over[0] + 1) * 60_000))
        if "river_flood" in area.hazards and over.size:
            found.append(Truth(area.id, "river_flood", start_at + int(over[0] + 1) * 60_000))
        if "debris_flow" in area.hazards:
            at = _debris(area_rain[area.id], slope)
            if at is not None:
                found.append(Truth(area.id, "debris_flow", start_at + (at + 1) * 60_000))
    return found


_HOURS = (0.5, 1.0, 2.0, 3.0, 6.0)


def _debris(rain_mm: Floats, k: float) -> int | None:
    """The first minute at which some duration passes the curve."""
    first = None
    for length, share in _shares(rain_mm):
        hit = np.nonzero(share >= k)[0]
        if hit.size and (first is None or hit[0] + length - 1 < first):
            first = int(hit[0]) + length - 1
    return first


def worst_rain(rain_mm: Floats) -> float:
    """How many times the published curve the worst rain of a slope is, of any duration."""
    return max((float(share.max()) for _, share in _shares(rain_mm) if share.size), default=0.0)


def _shares(rain_mm: Floats) -> Iterator[tuple[int, Floats]]:
    """Each duration in minutes, and its rain against the published curve from its first full one on."""
    total = np.concatenate(([0.0], np.cumsum(rain_mm)))
    for hours in _HOURS:
        length = int(hours * 60)
        yield length, (total[length:] - total[:-length]) / (14.82 * hours ** (1 - 0.39))
