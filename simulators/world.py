"""The simulated district: what every sensor sends in every minute, and what really happened.

Pure: the same scenario and seed give the same bytes.
"""

import json
from typing import NamedTuple

import numpy as np

from config.records.district import District, Station
from config.records.quantity import QUANTITIES
from ingest.camera.jpeg import Thumb, changed, thumb_of
from ingest.camera.pace import Pace
from ingest.observation import Flag, Observation
from simulators.faults import Reading, Total, suffer, totalled
from simulators.people import observed
from simulators.runoff import Floats, draw, runoff_mm_h, stage_m, truth_of, worst_rain
from simulators.scenario import Scenario
from simulators.storm import rain_mm
from simulators.views import staff_view
from simulators.views.camera import render
from simulators.wave import flooded, taken

_MINUTE = 60_000
_DRY_M = 0.35  # a stream without rain
_HIGH_M, _HELD_MIN = 1.0, 240  # high water at a staff, and so long a rule may hold it


class Publication(NamedTuple):
    """One MQTT message, without the topic's prefix."""

    suffix: str
    payload: bytes


class World:
    """One play of one scenario over one district."""

    def __init__(self, district: District, scenario: Scenario, seed: int | None = None) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.minutes = int(scenario.hours * 60)
        self._district = district
        rain = ("rain", "rain_counter")
        self._gauges = [s for s in district.stations.values() if s.quantity in rain]
        self._totals = {s.id: Total() for s in self._gauges if s.quantity == "rain_counter"}
        self._stages = [s for s in district.stations.values() if s.quantity == "stage"]
        self._of_basin = {
            b: [n for n, g in enumerate(self._gauges) if g.basin == b] for b in district.basins
        }
        self._cameras = [s for s in district.stations.values() if s.quantity == "frame"]
        self._pace = Pace(district)
        self._thumbs: dict[str, Thumb] = {}
        self._nodes = list(district.nodes.values())
        self._held: dict[str, list[Reading]] = {}
        areas_ = list(district.areas.values())
        lon = np.array([s.lon for s in self._gauges] + [a.lon for a in areas_])
        lat = np.array([s.lat for s in self._gauges] + [a.lat for a in areas_])
        field = rain_mm(scenario.storm, self.seed, lon, lat, self.minutes)
        self.rain = field[: len(self._gauges)]
        areas = dict(zip(district.areas, field[len(self._gauges) :], strict=True))
        self._on_areas = areas
        # a tipping bucket holds back what does not fill it: 0.1 mm steps of the running total
        tips = np.floor(np.cumsum(self.rain, axis=1) * 10 + 1e-9).astype(np.int64)
        self._tips = np.diff(tips, axis=1, prepend=0)
        rng = np.random.default_rng([self.seed, 3])
        self._flow: dict[str, Floats] = {}
        self._level: dict[str, Floats] = {}
        for basin in district.basins:
            inside = [f for a, f in areas.items() if district.areas[a].basin == basin]
            mean = np.mean(inside, axis=0) if inside else np.zeros(self.minutes)
            drawn = draw(np.random.default_rng([self.seed, 4, len(self._flow)]))
            flow = runoff_mm_h(drawn, mean)
            self._flow[basin] = flow / drawn.full_mm_h
            self._level[basin] = stage_m(drawn, flow)
        self._noise = rng.normal(0, 0.006, (len(self._stages), self.minutes))
        self.truth = truth_of(district, self.seed, scenario.start_at, areas, self._level)
        self._surge = self._surges()
        self._spoken = observed(district, self.truth, self.seed)
        self.truth += list(flooded(district, scenario.wave, scenario.start_at))
        self._faults = scenario.faults + taken(district, scenario.wave)

    def _surges(self) -> dict[str, tuple[int, int]]:
        """What there is to see: debris in the channel from twenty minutes before the first debris flow of a
        basin is there. No camera knows of it: it sees it when it looks."""
        first: dict[str, int] = {}
        for t in self.truth:
            if t.hazard == "debris_flow":
                basin = self._district.areas[t.area].basin
                minute = (t.flooded_at - self.scenario.start_at) // _MINUTE
                first[basin] = min(minute, first.get(basin, minute))
        return {b: (m - 20, m + 25) for b, m in first.items()}

    def worst(self, area: str, hazard: str) -> float:
        """The highest water of the area's stream (m), of `debris_flow` the worst rain on its slope against the
        published curve: what a flood hangs on beside the village's own banks or slope."""
        if hazard == "debris_flow":
            return worst_rain(self._on_areas[area])
        return float(self._level[self._district.areas[area].basin].max())

    def high_until(self, area: str, since: int) -> int:
        """The last moment (ms) at which the stream of an area is as high as it was at `since`."""
        level = self._level[self._district.areas[area].basin]
        first = min((since - self.scenario.start_at) // _MINUTE - 1, self.minutes - 1)
        return self.at(int(np.nonzero(level >= level[first])[0][-1]))

    def at(self, minute: int) -> int:
        """The clock at the end of a minute (ms)."""
        return self.scenario.start_at + (minute + 1) * _MINUTE

    def _readings(self, minute: int, frames: bool) -> list[Reading]:
        """What the sensors have to say at the end of a minute; after the storm only heartbeats."""
        at = self.at(minute)
        found = []
        for n, gauge in enumerate(self._gauges):
            count = int(self._tips[n, minute]) if minute < self.minutes else 0
            # rain at once, nothing every plan interval (spread, so that not all speak together)
            if count or (minute * 60 + 60 * (n % 5)) % gauge.interval_s == 0:
                found.append(Reading(gauge.id, "rain", at, count, minute))
        for n, station in enumerate(self._stages):
            if (minute * 60) % station.interval_s == 0:
                noise = float(self._noise[n, min(minute, self.minutes - 1)])
                level = self.stage_at(station.basin, minute, noise)
                found.append(Reading(station.id, "stage", at, round(level * 1000), minute))
        for n, node in enumerate(self._nodes):
            if ((minute + n) * 60) % node.interval_s == 0:
                found.append(
                    Reading(node.id, "battery", at, 960 - (n * 7 + minute // 30) % 80, minute)
                )
        if frames:
            found += self._frames(minute, at)
        return found

    def stage_at(self, basin: str, minute: int, noise: float = 0.0) -> float:
        """Water level of a basin (m): after the storm it falls."""
        last = min(minute, self.minutes - 1)
        level = float(self._level[basin][last]) + noise
        if minute >= self.minutes:
            level = _DRY_M + (level - _DRY_M) * float(np.exp(-(minute - last) / 40))
        return level

    def _frames(self, minute: int, at: int) -> list[Reading]:
        found = []
        for n, camera in enumerate(self._cameras):
            # a minute is the shortest there is here: a camera that is faster sends one a minute
            fast = self._pace.fast(camera.id, at) or self.looked_at(camera, minute)
            if not fast and (minute * 60 + 60 * n) % camera.interval_s:
                continue
            body = self._picture(n, camera, minute, (at / 3_600_000 + 8) % 24)
            now = thumb_of(body)
            before = self._thumbs.get(camera.id, now)
            self._pace.looked(camera.id, changed(before, now), at)
            self._thumbs[camera.id] = now
            found.append(Reading(camera.id, "frame", at, len(body), None, body))
        return found

    def looked_at(self, camera: Station, minute: int) -> bool:
        """A camera of whose area a rule holds something is looked through often (ingest/camera/pace.py), else
        the rule could not see that the water has fallen. The world knows no rule: it takes high water of the
        last hours at the camera's staff for one."""
        row = self._district.cameras.get(camera.id)
        if row is None or not row.staff:
            return False
        basin = camera.basin
        return any(
            self.stage_at(basin, m) >= _HIGH_M
            for m in range(max(0, minute - _HELD_MIN), minute + 1, 30)
        )

    def _picture(self, n: int, camera: Station, minute: int, hour: float) -> bytes:
        """Of camera `n` at `hour` of the local day: a staff where cameras.csv gives it one, else a gully."""
        last = min(minute, self.minutes - 1)
        seed, flow = 1000 * self.seed + n, float(self._flow[camera.basin][last])
        row = self._district.cameras.get(camera.id)
        if row is not None and row.staff:
            rain = (
                float(self.rain[self._of_basin[camera.basin], last].mean())
                if minute == last
                else 0.0
            )
            seen = staff_view.weather(rain * 60, flow, hour)
            level = self.stage_at(camera.basin, minute)
            board, size = staff_view.board_of(row.staff), (row.width, row.height)
            return staff_view.picture(seed, minute * 60.0, level, seen, board, size)
        first, end = self._surge.get(camera.basin, (-1, -1))
        return render(seed, minute, flow, first <= minute <= end, hour)

    def arrivals(self, minute: int, frames: bool = True) -> list[Reading]:
        """What arrives in a minute, faults and all. Call for each minute once, in order."""
        faults = self._faults
        out = suffer(faults, minute, self._readings(minute, frames), self._held)
        if self._totals:
            out = totalled(faults, minute, out, self._totals)
        for r in out if frames else ():
            self._pace.heard(_observation(r), self.at(minute))
        return out

    def observations(self, minute: int) -> list[Observation]:
        """For stepping in memory, without pictures."""
        return [_observation(r) for r in self.arrivals(minute, frames=False)]

    def spoken(self, minute: int) -> list[Publication]:
        """What observers report in a minute, for the wire."""
        since, until = self.at(minute - 1), self.at(minute)
        return [Publication(s.suffix, s.payload) for s in self._spoken if since < s.at <= until]

    def publications(self, minute: int, frames: bool = True) -> list[Publication]:
        """For the wire; without `frames` no camera sends anything."""
        found = self.spoken(minute)
        for r in self.arrivals(minute, frames):
            if r.quantity == "frame":
                found.append(Publication(f"station/{r.station}/frame/{r.observed_at}", r.ref))
                continue
            row = QUANTITIES[r.quantity]
            body = {
                "time": r.observed_at / 1000,
                "value": row.amount(r.value),
                "unit": row.unit,
                "seq": r.seq,
            }
            found.append(
                Publication(f"station/{r.station}/{r.quantity}", json.dumps(body).encode())
            )
        return found

    def offline_nodes(self, minute: int) -> set[str]:
        """Loudspeakers without power in this minute."""
        return {
            f.device
            for f in self.scenario.faults
            if f.kind == "node_offline" and f.start <= minute < f.end
        }

    def phones_off(self, minute: int) -> float:
        """The share of the phones that no base station reaches in this minute."""
        now = [p.share for p in self.scenario.phones_off if p.start <= minute < p.end]
        return max(now, default=0.0)


def _observation(r: Reading) -> Observation:
    return Observation(
        station=r.station,
        quantity=r.quantity,
        observed_at=r.observed_at,
        value=r.value,
        seq=r.seq,
        flag=Flag.GOOD,
    )
