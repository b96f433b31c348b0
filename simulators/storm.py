"""A mountain storm over the district: rain rate at any place and minute, from a seed.

Transposed from the published figures of 23–29 July 2025 in the mountains of Beijing (elsewhere in
the city, most of all in Miyun: 543.4 mm at the wettest gauge over the event, 95.3 mm in its wettest
hour): a wet evening, and convective cells that are born at the south-west rim, cross the mountains
north-eastward and are anchored there. It is not a forecast and not a record of Yanqing.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
KM_LAT = 111.2
KM_LON = 84.6  # at 40.5° N


class Cell(NamedTuple):
    """A rain cell: where it is born, its way (km/min), size and life."""

    lon: float
    lat: float
    east_km: float
    north_km: float
    radius_km: float
    peak_mm_h: float
    start_min: float
    length_min: float


class Storm(NamedTuple):
    """Parameters. `peak_mm_h` is the rate in the middle of the strongest cell."""

    cells: int
    peak_mm_h: float
    wide_mm_h: float  # steady rain under it all
    hours: float
    first_h: float  # when the first cell is born


def make_cells(storm: Storm, seed: int) -> list[Cell]:
    """The cells of one storm."""
    rng = np.random.default_rng([seed, 1])
    cells = []
    for n in range(storm.cells):
        share = 1.0 if n == 0 else rng.uniform(0.35, 0.95)
        start = (storm.first_h + rng.uniform(0, max(0.1, storm.hours - storm.first_h - 2.5))) * 60
        cells.append(
            Cell(
                lon=rng.uniform(115.85, 116.38),
                lat=rng.uniform(40.32, 40.66),
                east_km=rng.uniform(0.01, 0.10),
                north_km=rng.uniform(0.0, 0.07),
                radius_km=rng.uniform(6.0, 11.0),
                peak_mm_h=storm.peak_mm_h * share,
                start_min=start,
                length_min=rng.uniform(90, 200),
            )
        )
    return cells


def rain_mm(storm: Storm, seed: int, lon: Floats, lat: Floats, minutes: int) -> Floats:
    """Rain of each minute in mm, (places, minutes); minute m is the one that ends at m + 1."""
    t = np.arange(minutes) + 0.5
    total = np.zeros((lon.size, minutes))
    rng = np.random.default_rng([seed, 2])
    if storm.wide_mm_h > 0:
        life = np.clip(np.sin(np.pi * np.clip(t / (storm.hours * 60), 0, 1)), 0, None)
        total += storm.wide_mm_h / 60 * life * rng.uniform(0.7, 1.3, lon.size)[:, None]
    for cell in make_cells(storm, seed):
        age = t - cell.start_min
        alive = (age > 0) & (age < cell.length_min)
        life = np.where(alive, np.sin(np.pi * np.clip(age / cell.length_min, 0, 1)) ** 2, 0.0)
        x = (lon[:, None] - cell.lon) * KM_LON - cell.east_km * age
        y = (lat[:, None] - cell.lat) * KM_LAT - cell.north_km * age
        total += cell.peak_mm_h / 60 * life * np.exp(-(x**2 + y**2) / (2 * cell.radius_km**2))
    gusts = rng.gamma(6.0, 1 / 6.0, total.shape)  # no two minutes are alike
    return total * gusts
