"""A made district of any size for the benchmark: one rain gauge an area, gauges in groups of 25,
with the thresholds and the plain judgement of the published workload."""

from pathlib import Path

import msgspec

from bench.baseline.rain import HOLD_MIN, LIMITS, WINDOWS
from config.records.district import Area, District, RainThreshold, Station, Watch
from config.records.rules import RainRule, RuleRow, Rules
from ingest.observation import Flag, Observation, Observations
from stream.records import encode

GROUP = 25


def bench_district(
    like: District, gauges: list[str], partitions: int, *, classes: bool = False, rules: int = 0
) -> District:
    """`like` lends whatever an area and a station must have. classes: thresholds by antecedent
    wetness, so that thirty days of rain belong to the memory. rules: so many more of each gauge, every
    one of other parameters."""
    gauge = next(s for s in like.stations.values() if s.quantity == "rain")
    village = next(iter(like.areas.values()))
    groups = {
        f"G{n // GROUP:05d}": tuple(gauges[n : n + GROUP]) for n in range(0, len(gauges), GROUP)
    }
    of = {name: group for group, names in groups.items() for name in names}
    return msgspec.structs.replace(
        like,
        id="bench",
        folder=Path(),
        areas={n: _area(village, n) for n in gauges},
        stations={n: _station(gauge, n, k) for k, n in enumerate(gauges)},
        nodes={},
        watches=tuple(Watch(area=n, station=n) for n in gauges),
        rain=tuple(
            t
            for n in gauges
            for wetness in (("dry", "normal", "wet") if classes else ("normal",))
            for t in _thresholds(n, wetness)
        ),
        stage=(),
        rules=Rules(
            rain=RainRule(
                hold_min=HOLD_MIN,
                clear_factor=1.0,
                event_gap_min=1440,
                late_ends=False,
                antecedent_days=30,
            ),
            lateness_s=86_400,
            run=("rain_threshold",),
            rule=tuple(map(_rule, range(rules))),
        ),
        groups=groups,
        group_of_area=of,
        groups_of_station={n: (of[n],) for n in gauges},
        stations_of_area={n: (n,) for n in gauges},
        partitions=partitions,
    )


def names(count: int) -> list[str]:
    """Gauges of a made district."""
    return [f"b-{n:06d}" for n in range(count)]


def packed(
    district: District, readings: list[tuple[str, int, int]], batch: int
) -> list[tuple[str, bytes]]:
    """(gauge, ms, count) in order of arrival as records (key, value), the way ingest packs them: of
    each `batch` one record a watch group; with 1 each reading is a record."""
    records = []
    for at in range(0, len(readings), batch):
        groups: dict[str, list[Observation]] = {}
        for name, ms, count in readings[at : at + batch]:
            o = Observation(
                station=name, quantity="rain", observed_at=ms, value=count, flag=Flag.GOOD
            )
            groups.setdefault(district.group_of_area[name], []).append(o)
        records += [(g, encode(Observations.of(g, 0, items))) for g, items in groups.items()]
    return records


def _area(like: Area, name: str) -> Area:
    return msgspec.structs.replace(like, id=name, hazards=("flash_flood",))


def _station(like: Station, name: str, number: int) -> Station:
    """Half a degree from its neighbours: no two see the same storm."""
    place = {"lon": 80 + number % 80 * 0.5, "lat": 20 + number // 80 % 80 * 0.5}
    return msgspec.structs.replace(like, id=name, **place)


def _rule(number: int) -> RuleRow:
    """Peak intensity over 15 minutes, looked for in a while of its own."""
    within = {"within_min": 60 + 5 * number}
    return RuleRow(
        id=f"peak{number}",
        kind="peak_intensity",
        hazard="flash_flood",
        source="a bench",
        yellow=30.0,
        parameters=within,
    )


def _thresholds(area: str, wetness: str) -> list[RainThreshold]:
    return [
        RainThreshold(
            area=area,
            hazard="flash_flood",
            wetness=wetness,  # type: ignore[arg-type]
            window_min=window,
            blue_mm=limits[0] / 10,
            yellow_mm=limits[1] / 10,
            orange_mm=limits[2] / 10,
            red_mm=limits[3] / 10,
            prepare_mm=None,
            move_mm=None,
            source="published workload",
        )
        for window, limits in zip(WINDOWS, LIMITS, strict=True)
    ]
