"""Named scenarios, and the sets of storms for scoring."""

from typing import NamedTuple

from simulators.faults import Fault
from simulators.storm import Storm


class Scenario(NamedTuple):
    """One play: weather, when, how fast it is shown, and what is broken."""

    name: str
    title: str
    storm: Storm
    start_at: int  # ms
    hours: float
    speed: float  # scenario seconds a second
    seed: int
    faults: tuple[Fault, ...] = ()
    slot_s: int = 60


_START = 1_753_524_000_000  # 2025-07-26T10:00:00Z, 18:00 in Beijing

SCENARIOS = {
    s.name: s
    for s in (
        Scenario(
            "yanqing-storm",
            "模拟暴雨过程（移用 2025 年 7 月下旬北京山区量级） a storm of July 2025's size",
            Storm(cells=8, peak_mm_h=104.0, wide_mm_h=9.0, hours=6.5, first_h=0.5),
            _START,
            hours=7.0,
            speed=400.0,
            seed=20250726,
            faults=(
                Fault("dropout", "R08", 150, 600),
                Fault("clogged", "R21", 60, 600),
                Fault("duplicates", "R02", 0, 600),
                Fault("late", "R05", 90, 400),
                Fault("node_offline", "N011", 0, 10_000),
            ),
        ),
        Scenario(
            "cloudburst",
            "一小时强对流 an hour of heavy rain",
            Storm(cells=3, peak_mm_h=110.0, wide_mm_h=4.0, hours=2.7, first_h=0.0),
            _START,
            hours=1.5,
            speed=200.0,
            seed=7,
        ),
        Scenario(
            "near-miss",
            "接近阈值而未成灾 close to the thresholds, no disaster",
            Storm(cells=3, peak_mm_h=30.0, wide_mm_h=3.0, hours=6.0, first_h=0.5),
            _START,
            hours=7.0,
            speed=400.0,
            seed=11,
        ),
        Scenario(
            "dry-day",
            "无雨 a dry day",
            Storm(cells=0, peak_mm_h=0.0, wide_mm_h=0.0, hours=4.0, first_h=0.0),
            _START,
            hours=4.0,
            speed=600.0,
            seed=12,
        ),
    )
}


def scenario(name: str) -> Scenario:
    """Raises ValueError naming those that exist."""
    if name not in SCENARIOS:
        raise ValueError(
            f"没有情景 there is no scenario {name!r}; there are {', '.join(SCENARIOS)}"
        )
    return SCENARIOS[name]


def storm_set(count: int) -> list[Scenario]:
    """Storms fixed after the thresholds were: in turn strong, moderate, near miss, dry; every third
    with dead gauges, every fifth with lying ones."""
    kinds = (
        ("strong", Storm(6, 100.0, 6.0, 8.0, 0.5), 9.0),
        ("moderate", Storm(4, 60.0, 4.0, 7.0, 0.5), 8.0),
        ("near-miss", Storm(3, 32.0, 3.0, 6.0, 0.5), 7.0),
        ("strong", Storm(4, 85.0, 3.0, 6.0, 0.5), 7.0),
        ("dry", Storm(0, 0.0, 0.0, 3.0, 0.0), 3.0),
    )
    found = []
    for n in range(count):
        name, storm, hours = kinds[n % len(kinds)]
        faults: tuple[Fault, ...] = ()
        if n % 3 == 2:
            faults += tuple(
                Fault("dropout", f"R{1 + (7 * n + k) % 51:02d}", 40, 900) for k in range(6)
            )
        if n % 5 == 3:
            faults += tuple(
                Fault("clogged", f"R{1 + (11 * n + k) % 51:02d}", 0, 900) for k in range(4)
            )
            faults += (Fault("stuck_high", f"R{1 + (5 * n) % 51:02d}", 60, 75),)
        found.append(Scenario(f"{name}-{n}", name, storm, _START, hours, 0.0, 9_000 + n, faults))
    return found
