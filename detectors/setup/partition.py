"""What the groups of one partition need, worked out once: which rows the rules and the memory have,
and which of them an observation concerns."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.geometry import distance_km, metres
from config.records.devices.cameras import NEEDS
from config.records.district import Camera, District
from config.records.quantity import QUANTITIES
from detectors.engine.calm_together import CalmTogether, together
from detectors.engine.compound import Compound
from detectors.engine.minute_ring import Bools, Ints
from detectors.engine.window_engine import SeriesRule
from detectors.quality.level_course import Range
from detectors.quality.lone_burst import asks, least_alone
from detectors.quality.rain_bounds import Seasons
from detectors.quality.spatial_consistency import Near, limits_of, padded
from detectors.quality.station_tests import range_of
from detectors.setup.cascades import cascades
from detectors.setup.declared import compounds, series_rules
from detectors.setup.threshold_tables import rain_threshold, stage_trend
from detectors.water.cascade import Cascade
from stream.log.port import partition_of

# what the memory of a station must know of its quantity
OTHER, RAIN, COUNTER, LEVEL, FRAME = range(5)
NEVER = 2**63 - 1
_DAY = 86_400_000
_BURST_MIN = 30  # what one gauge alone says over longer is past the table's own sums before
_KINDS = {"rain": RAIN, "rain_counter": COUNTER, "stage": LEVEL, "depth": LEVEL, "frame": FRAME}


class Rows:
    """From rows of the memory to rows of a rule: each has none, one or several."""

    def __init__(self, of: Sequence[Sequence[int]]) -> None:
        self._many = np.array([len(x) for x in of], np.int64)
        self._begin = np.cumsum(self._many) - self._many
        self._all = np.array([n for x in of for n in x], np.int64)

    def of(self, row: int) -> list[int]:
        """Rule rows of one row."""
        begin = int(self._begin[row])
        found: list[int] = self._all[begin : begin + int(self._many[row])].tolist()
        return found

    def expand(self, rows: Ints) -> tuple[Ints, Ints]:
        """Rule rows of these rows in their order, and which of them each comes from."""
        if rows.size == 1:
            begin, one = self._begin[rows[0]], self._many[rows[0]]
            return self._all[begin : begin + one], np.zeros(one, np.int64)
        many = self._many[rows]
        source = np.repeat(np.arange(rows.size), many)
        within = np.arange(source.size) - np.repeat(np.cumsum(many) - many, many)
        return self._all[self._begin[rows][source] + within], source


class Fed(NamedTuple):
    """A window rule with the rows of the memory that feed it: entry = row * inputs + input."""

    rule: SeriesRule
    entries: Rows
    feeds: Bools
    seen: str  # the quantity that it takes of a camera's frames, if it takes one


class Together(NamedTuple):
    """Window rules that are alike, with the rows of the memory that feed them; entry as in `Fed`, in the memory
    of all. numbers: their places among all rules."""

    calm: CalmTogether
    entries: Rows
    feeds: Bools
    numbers: list[int]


class Part:
    """One partition. A row of the memory is a station or node in a watch group."""

    def __init__(self, district: District, partition: int) -> None:
        self.groups = [
            g for g in sorted(district.groups) if partition_of(g, district.partitions) == partition
        ]
        areas = [a for g in self.groups for a in district.groups[g]]
        run = district.rules.run
        self.rain = rain_threshold(district, areas if "rain_threshold" in run else ())
        self.stage = stage_trend(district, areas if "stage_trend" in run else ())
        self.motion, self.silence = "camera_motion" in run, "silence" in run
        self.compounds: list[Compound] = compounds(district, areas)
        self.cascades: dict[str, Cascade] = cascades(district, self.groups)
        self._areas: dict[str, list[str]] = {}
        for area in areas:
            for station in district.stations_of_area[area]:
                self._areas.setdefault(station, []).append(area)
        for node in district.nodes.values():
            if district.group_of_area.get(node.area) in self.groups:
                self._areas.setdefault(node.id, []).append(node.area)
        self._rows(district)
        row_of = {pair: n for n, pair in enumerate(zip(self.group, self.station, strict=True))}
        self.rain_rows = self._rule_rows(district, self.rain.rows, row_of)
        self.stage_rows = self._rule_rows(district, self.stage.rows, row_of)
        self.seasons = Seasons(district.rules.quality.climate)
        self._plans(district)
        self._ranges(district)
        self.listened = self._listened()
        self.series = [self._fed(district, r, row_of) for r in series_rules(district, areas)]
        self.together = self._together()
        found = {n for t in self.together for n in t.numbers}
        self.apart = [n for n in range(len(self.series)) if n not in found]
        self._feeds = [[f for f in self.series if f.feeds[n]] for n in range(len(self.station))]
        self.near = self._near(district)
        self.cameras = self._cameras(district)

    def _listened(self) -> dict[int, list[str]]:
        """Rows whose jumps some rule `cascade` looks at, with its name."""
        found: dict[int, list[str]] = {}
        for name, cascade in self.cascades.items():
            for gauge in (g for g in cascade.gauges.values() if g.per_unit):
                for row in self.rows_of.get(gauge.station, ()):
                    found.setdefault(row, []).append(name)
        return found

    def _cameras(self, district: District) -> dict[int, tuple[Camera | None, frozenset[str]]]:
        """Cameras that some rule looks through: row -> its view and the quantities wanted of it."""
        found = {}
        for row in map(int, np.nonzero(self.kind == FRAME)[0]):
            needs = frozenset(f.seen for f in self.series if f.seen and f.feeds[row])
            if needs or self.motion:
                found[row] = district.cameras.get(self.station[row]), needs
        return found

    def _rows(self, district: District) -> None:
        """Every station and node that some area here looks at, in each of its groups."""
        self.group: list[str] = []
        self.station: list[str] = []
        self.quantity: list[str] = []
        # group -> (station, quantity) -> row: what is not what a station measures is not for us
        self.place: dict[str, dict[tuple[str, str], int]] = {g: {} for g in self.groups}
        self._kinds: list[int] = []
        for s in district.stations.values():
            for group in district.groups_of_station.get(s.id, ()):
                self._row(group, s.id, s.quantity)
        self.stations_of_group = {
            g: np.array(list(place.values()), np.int64) for g, place in self.place.items()
        }
        for node in district.nodes.values():
            self._row(district.group_of_area.get(node.area, ""), node.id, "battery")
        # the stations of all groups, and beside those of each nobody's row, so that none is empty
        members = [np.append(self.stations_of_group[g], len(self.station)) for g in self.groups]
        self._members = np.concatenate(members) if members else np.zeros(0, np.int64)
        self._begins = np.cumsum([0, *map(len, members[:-1])])
        self.kind = np.array(self._kinds, np.int64)
        self.rows_of: dict[str, list[int]] = {}
        for n, station in enumerate(self.station):
            self.rows_of.setdefault(station, []).append(n)
        self.names = [f"{g}|{s}" for g, s in zip(self.group, self.station, strict=True)]
        self.expected = set(self.station)
        plans = {n.id: n.silent_after_s for n in district.nodes.values()}
        plans |= {s.id: s.silent_after_s for s in district.stations.values()}
        self.silent_ms = {s: plans[s] * 1000 for s in self.expected}

    def _row(self, group: str, station: str, quantity: str) -> None:
        if group in self.place:
            self.place[group][station, quantity] = len(self.station)
            self.group.append(group)
            self.station.append(station)
            self.quantity.append(quantity)
            self._kinds.append(_KINDS.get(quantity, OTHER))

    def _rule_rows(
        self, district: District, rule_rows: Sequence[Any], row_of: dict[tuple[str, str], int]
    ) -> Rows:
        found: list[list[int]] = [[] for _ in self.station]
        for n, r in enumerate(rule_rows):
            found[row_of[district.group_of_area[r.area], r.station]].append(n)
        return Rows(found)

    def _fed(
        self, district: District, rule: SeriesRule, row_of: dict[tuple[str, str], int]
    ) -> "Fed":
        found: list[list[int]] = [[] for _ in self.station]
        for n, r in enumerate(rule.rows):
            for k, station in enumerate(r.stations):
                row = row_of[district.group_of_area[r.area], station]
                found[row].append(n * rule.inputs + k)
        quantity = rule.rows[0].quantity if rule.rows else ""
        feeds = np.array([bool(x) for x in found], np.bool_)
        return Fed(rule, Rows(found), feeds, quantity if quantity in NEEDS else "")

    def _together(self) -> list[Together]:
        """Rules of which one look says which readings change nothing."""
        number = {f.rule.name: n for n, f in enumerate(self.series)}
        found = []
        for calm in together(f.rule for f in self.series if not f.seen):
            numbers = [number[r.name] for r in calm.rules]
            entries: list[list[int]] = [[] for _ in self.station]
            for n, begin in zip(numbers, (calm.begin * calm.inputs).tolist(), strict=True):
                fed = self.series[n]
                for row in fed.feeds.nonzero()[0].tolist():
                    entries[row] += [begin + e for e in fed.entries.of(row)]
            feeds = np.array([bool(x) for x in entries], np.bool_)
            found.append(Together(calm, Rows(entries), feeds, numbers))
        return found

    def _plans(self, district: District) -> None:
        """How often a row reports when all is well, over what its readings sum, and how much rain
        such a sum can hold in the driest of months; nodes have no sums."""
        stations = [district.stations.get(s) for s in self.station]
        self.plan_ms = np.array([s.interval_s * 1000 if s else _DAY for s in stations], np.int64)
        self.sum_ms = np.array([s.sum_interval_s * 1000 if s else _DAY for s in stations], np.int64)
        rain = QUANTITIES["rain"]
        self.wrap = np.array([rain.count(s.wrap_mm) if s else 0 for s in stations], np.int64)
        self.most_rain = np.array(
            [self.seasons.least(int(length)) for length in self.sum_ms], np.int64
        )

    def _ranges(self, district: District) -> None:
        """What rows can show. `limited`: those that measure no level and whose row names limits."""
        self.ranges: dict[int, Range] = {}
        self.gauges: dict[int, list[int]] = {}
        limited = []
        for row, name in enumerate(self.station):
            station = district.stations.get(name)
            if station is None:
                continue
            named = station.low is not None or station.high is not None or bool(station.codes)
            if self.kind[row] == LEVEL or named:
                self.ranges[row] = range_of(district, station)
            if self.kind[row] == LEVEL:
                group = self.stations_of_group[self.group[row]]
                self.gauges[row] = [int(n) for n in group if self.kind[n] in (RAIN, COUNTER)]
            elif named:
                limited.append(row)
        self.limited = np.array(limited, np.int64)

    def gap(self, row: int, length_ms: int) -> bool:
        """Is that longer than the station's plan, by more than a late report?"""
        return 2 * length_ms > 3 * int(self.plan_ms[row])

    def _near(self, district: District) -> Near:
        """Rain gauges of the same group that are near enough to have seen the same storm, and the
        sums at which the lowest order or orange of an area begins, of any rule."""
        limit = district.rules.quality.neighbour_km
        near: dict[int, list[int]] = {}
        for rows in self.stations_of_group.values():
            gauges = [int(n) for n in rows if self.kind[n] in (RAIN, COUNTER)]
            for n in gauges:
                here = district.stations[self.station[n]]
                far = [
                    (distance_km(here, district.stations[self.station[m]]), m)
                    for m in gauges
                    if m != n
                ]
                near[n] = [m for km, m in sorted(far) if km <= limit]
        lowest = np.minimum(
            self.rain.action_limits.min(axis=(0, 3)), self.rain.level_limits[..., 2].min(axis=0)
        )
        of = [self.rain_rows.expand(np.array([n]))[0].tolist() for n in range(len(self.station))]
        extreme = round(district.rules.quality.rain_extreme_mm_10min * 10)
        windows, limits = limits_of(of, self.rain.windows, lowest, extreme)
        for n in near:
            self._asked_sooner(n, windows, limits)
        place = np.zeros((len(self.station), 2))
        for n in near:
            first, here = (district.stations[self.station[m]] for m in (next(iter(near)), n))
            place[n] = metres(first, here.lon, here.lat)
        place /= 1000
        return Near(padded(near, len(self.station)), windows, limits, self.seasons, place)

    def _asked_sooner(self, row: int, windows: tuple[int, ...], limits: Ints) -> None:
        """Of one gauge: where a rule over windows orders at less than the table does."""
        for fed in self.series:
            if not (fed.feeds[row] and asks(fed.rule)):
                continue
            for entry in fed.entries.expand(np.array([row]))[0].tolist():
                of, nth = divmod(entry, fed.rule.inputs)
                for w, minutes in enumerate(windows):
                    if minutes <= _BURST_MIN:
                        least = least_alone(fed.rule, of, nth, minutes)
                        limits[row, w] = min(int(limits[row, w]), least)

    def fed_by(self, rows: Ints) -> Sequence[Fed]:
        """The window rules that these rows may feed, in their order; of one row no others."""
        return self._feeds[int(rows[0])] if rows.size == 1 else self.series

    def least_of_groups(self, values: Ints) -> list[int]:
        """The least of the values (rows,) of each group's stations; NEVER where it has none."""
        found: list[int] = []
        if self.groups:
            found = np.minimum.reduceat(
                np.append(values, NEVER)[self._members], self._begins
            ).tolist()
        return found

    def of(self, things: Iterable[str]) -> Bools:
        """(rows,): which are of these stations and nodes."""
        found = np.zeros(len(self.station), np.bool_)
        found[[row for thing in things for row in self.rows_of.get(thing, ())]] = True
        return found

    def areas_of(self, stations: set[str]) -> list[str]:
        """Areas of this partition that look at any of these, in order."""
        return sorted({a for s in stations for a in self._areas.get(s, ())})
