"""The stage detect: observations to detections and progress marks.

Within a batch everything is judged in order of arrival; the two rules with arrays judge the batch
at once and their changes are put back into that order, so that batches do not show.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from config.district import District
from detectors import camera_motion, quality, silence
from detectors.detection import Mark
from detectors.state import DetectState, Saying
from detectors.table import rain_threshold, stage_trend
from ingest.log import partition_of
from ingest.observation import (
    Flag,
    Observation,
    ObservationRecord,
    Observations,
    Record,
    Run,
    Tick,
)
from ingest.stage import Item, Write

_MINUTE = 60_000


class Detect:
    """See `ingest.stage.Stage`. `frame` gives the bytes of a picture by its hash."""

    name = "detect"
    reads = "observations"
    format = 1
    ticks = 5.0

    def __init__(self, district: District, frame: Callable[[str], bytes | None]) -> None:
        self._district = district
        self._frame = frame
        self._decoder = msgspec.json.Decoder(ObservationRecord)
        self._parts: dict[int, Part] = {}

    def decode(self, value: bytes) -> Record:
        record: Record = self._decoder.decode(value)
        return record

    def _part(self, partition: int) -> "Part":
        if partition not in self._parts:
            self._parts[partition] = Part(self._district, partition)
        return self._parts[partition]

    def new(self, partition: int) -> DetectState:
        part = self._part(partition)
        return DetectState(partition, part.rain.new(), part.stage.new())

    def step(self, state: DetectState, items: Sequence[Item]) -> tuple[DetectState, list[Write]]:
        part = self._part(state.partition)
        writes: list[Write] = []
        batch: list[Observations] = []
        for item in items:
            record = item.record
            if isinstance(record, Observations):
                batch.append(record)
                continue
            writes += self._observe(part, state, batch)
            batch = []
            if isinstance(record, Run) and state.run is None:
                state.run = record
                state.silence.started_at = state.silence.clock_at = record.start_at
                writes.append(Write("cases", "run", record))
            elif isinstance(record, Tick) and record.clock_at > state.silence.clock_at:
                writes += self._tick(part, state, record.clock_at)
        writes += self._observe(part, state, batch)
        return state, writes

    def _tick(self, part: "Part", state: DetectState, clock_at: int) -> list[Write]:
        """Silence can be heard only when time passes; then each group's progress."""
        state.silence.clock_at = clock_at
        saying = Saying(self._district, state)
        if part.silence:
            quiet = {s for s in part.expected if silence.late(self._district, state.silence, s)}
            if quiet != state.silence.silent:
                changed = quiet ^ state.silence.silent
                state.silence.silent = quiet
                for area in part.areas_of(changed):
                    saying.coverage(0, area, clock_at)
        writes = saying.writes()
        for group in part.groups:
            heads = [
                memory.head
                for s in part.stations[group]
                if s not in state.silence.silent and (memory := state.memory.get((group, s)))
            ]
            complete = min(heads, default=state.complete.get(group, 0))
            state.complete[group] = max(state.complete.get(group, 0), min(complete, clock_at))
            writes.append(
                Write(
                    "cases",
                    group,
                    Mark(group=group, clock_at=clock_at, complete_at=state.complete[group]),
                )
            )
        return writes

    def _observe(
        self, part: "Part", state: DetectState, batch: Sequence[Observations]
    ) -> list[Write]:
        if not batch:
            return []
        saying = Saying(self._district, state)
        rain, stage = _Arrays(), _Arrays()
        n = 0
        for record in batch:
            if record.group not in part.stations:
                continue  # of a group that this config no longer has
            for o in record.items:
                self._one(part, state, record.group, o, n, rain, stage, saying)
                n += 1
        for change, at in rain.judge(part.rain, state.rain):
            saying.change(at, "rain_threshold", part.rain.rows[change.row], change)
        for change, at in stage.judge(part.stage, state.stage):
            saying.change(at, "stage_trend", part.stage.rows[change.row], change)
        return saying.writes()

    def _one(
        self,
        part: "Part",
        state: DetectState,
        group: str,
        o: Observation,
        n: int,
        rain: "_Arrays",
        stage: "_Arrays",
        saying: "Saying",
    ) -> None:
        """One observation through memory and quality, into the arrays of the rules."""
        # not of a station that this config no longer has; and the battery of a gauge says neither
        # what it measures nor that it still does
        if o.quantity != part.quantity.get(o.station):
            return
        key = (group, o.station)
        memory = state.memory.get(key)
        if memory is None:
            memory = state.memory[key] = quality.Memory()
        new = quality.take(memory, o)
        seen = state.silence.seen
        if o.observed_at > seen.get(o.station, -1):
            seen[o.station] = o.observed_at
            if o.station in state.silence.silent and not silence.late(
                self._district, state.silence, o.station
            ):
                state.silence.silent.discard(o.station)
                for area in part.areas_of({o.station}):
                    saying.coverage(n, area, o.observed_at)
        if new is None:
            return
        suspect, test = new.suspect, new.test
        if new.quantity == "rain":
            if new.count:
                quality.remember_rain(memory, new.minute, new.count)
                found = quality.neighbour_test(
                    self._district.rules.quality,
                    memory,
                    new.minute,
                    [
                        m
                        for s in part.near.get(o.station, ())
                        if (m := state.memory.get((group, s)))
                    ],
                )
                suspect, test = suspect or bool(found), found or test
            rain.add(part.rain_rows.get(key, ()), n, new, suspect)
        elif new.quantity in ("stage", "depth"):
            found = quality.stage_test(self._district.rules.quality, memory, o)
            suspect, test = suspect or bool(found), found or test
            stage.add(part.stage_rows.get(key, ()), n, new, suspect)
        elif new.quantity == "frame" and part.camera:
            self._look(part, state, group, o, n, saying)
        flagged = test if suspect or o.flag >= Flag.SUSPECT else ""
        if flagged != memory.test and o.observed_at >= memory.head:
            memory.test = flagged
            for area in part.areas_of({o.station}):
                saying.quality(n, area, o, flagged)

    def _look(
        self,
        part: "Part",
        state: DetectState,
        group: str,
        o: Observation,
        n: int,
        saying: "Saying",
    ) -> None:
        """A camera's frame."""
        camera = state.cameras.setdefault(f"{group}|{o.station}", camera_motion.CameraState())
        rule = self._district.rules.camera
        look = camera_motion.judge(rule, camera, o.observed_at, o.ref, self._frame(o.ref))
        if look.changed:
            for area in part.areas_of({o.station}):
                saying.camera(n, area, o.station, o.observed_at, look)

    def dump(self, state: DetectState) -> bytes:
        part = self._part(state.partition)
        return state.dump(part.rain.dump(state.rain), part.stage.dump(state.stage))

    def load(self, partition: int, body: bytes) -> DetectState:
        part = self._part(partition)
        return DetectState.load(partition, body, part.rain.load, part.stage.load)


class Part:
    """What a partition's groups need, worked out once."""

    def __init__(self, district: District, partition: int) -> None:
        self.groups = [
            g for g in sorted(district.groups) if partition_of(g, district.partitions) == partition
        ]
        areas = [a for g in self.groups for a in district.groups[g]]
        run = district.rules.run
        self.rain = rain_threshold(district, areas if "rain_threshold" in run else ())
        self.stage = stage_trend(district, areas if "stage_trend" in run else ())
        self.camera, self.silence = "camera_motion" in run, "silence" in run
        self.rain_rows: dict[tuple[str, str], list[int]] = {}
        self.stage_rows: dict[tuple[str, str], list[int]] = {}
        rules: tuple[tuple[Any, dict[tuple[str, str], list[int]]], ...] = (
            (self.rain, self.rain_rows),
            (self.stage, self.stage_rows),
        )
        for rule, rows in rules:
            for n, row in enumerate(rule.rows):
                rows.setdefault((district.group_of_area[row.area], row.station), []).append(n)
        self.stations: dict[str, list[str]] = {g: [] for g in self.groups}
        for station in district.stations:
            for group in district.groups_of_station.get(station, ()):
                if group in self.stations:
                    self.stations[group].append(station)
        self.expected = {s for members in self.stations.values() for s in members}
        self.quantity = {s: district.stations[s].quantity for s in self.expected}
        self._areas: dict[str, list[str]] = {}
        for area in areas:
            for station in district.stations_of_area[area]:
                self._areas.setdefault(station, []).append(area)
        for node in district.nodes.values():
            if node.area in areas:
                self.expected.add(node.id)
                self.quantity[node.id] = "battery"
                self._areas.setdefault(node.id, []).append(node.area)
        gauges = [district.stations[s] for s in sorted(self.expected & district.stations.keys())]
        gauges = [s for s in gauges if s.quantity in ("rain", "rain_counter")]
        near_km = district.rules.quality.neighbour_km
        self.near: dict[str, list[str]] = {
            a.id: [b.id for b in gauges if b is not a and quality.distance_km(a, b) <= near_km]
            for a in gauges
        }

    def areas_of(self, stations: set[str]) -> list[str]:
        """Areas of this partition that look at any of these, in order."""
        return sorted({a for s in stations for a in self._areas.get(s, ())})


class _Arrays:
    """A batch for one rule: rows, minutes, counts, and which observation each came with."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.nth: list[int] = []
        self.minutes: list[int] = []
        self.counts: list[int] = []
        self.add_: list[bool] = []
        self.suspect: list[bool] = []

    def add(self, rows: Sequence[int], n: int, new: quality.Intake, suspect: bool) -> None:
        for row in rows:
            self.rows.append(row)
            self.nth.append(n)
            self.minutes.append(new.minute)
            self.counts.append(new.count)
            self.add_.append(new.add)
            self.suspect.append(suspect)

    def judge(self, rule: Any, state: Any) -> list[tuple[Any, int]]:
        """Changes, each with the number of its observation."""
        if not self.rows:
            return []
        arrays = [np.array(x, np.int64) for x in (self.rows, self.minutes, self.counts)]
        suspect = np.array(self.suspect, np.bool_)
        if hasattr(state, "window"):
            changes = rule.judge(state, *arrays, np.array(self.add_, np.bool_), suspect)
        else:
            changes = rule.judge(state, *arrays, suspect)
        return [(c, self.nth[c.nth]) for c in changes]
