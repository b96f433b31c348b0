"""How often each camera is looked through: at its plan's interval, and faster while something says so.
Pure: what is heard and the time come in, an interval comes out.

What says so: rain of the last hour at a gauge, the rise of a level in half an hour, a rule of detect on an
area that the camera watches, a picture that is not as the last one. Which gauges count for a camera: those
that an area watches together with it, and those of its own basin and of all that flow into it. A gauge that
shows rain or water that is not there costs pictures and nothing else; so no value is doubted here, and none
from a backlog speeds anything up: what is not of the last hour is passed over.

It slows down again `hold_min` after the last of these, of a rule after it has ended.
"""

from collections import deque
from collections.abc import Iterable

from config.language import Text
from config.records.district import CameraSource, District
from config.records.quantity import QUANTITIES
from ingest.observation import Flag, Observation

_HOUR_MS, _RISE_MS = 3_600_000, 1_800_000
_AHEAD_MS = 300_000  # a gauge's clock may be ahead by so much: ingest takes no more
_MOST = 2000  # readings of one gauge within its window


class Pace:
    """Every camera of a district. now: the line's clock, ms."""

    def __init__(self, district: District) -> None:
        cameras = [s for s in district.stations.values() if s.quantity == "frame"]
        given = district.camera_sources
        self._source = {
            c.id: given.get(c.id) or CameraSource(station=c.id, url="") for c in cameras
        }
        self._plan_s = {c.id: float(c.interval_s) for c in cameras}
        self._heard: dict[str, list[str]] = {}  # gauge -> the cameras for which it counts
        self._areas: dict[str, list[str]] = {}
        for camera in cameras:
            for gauge in _gauges(district, camera.id):
                self._heard.setdefault(gauge, []).append(camera.id)
        for watch in district.watches:
            if watch.station in self._source:
                self._areas.setdefault(watch.area, []).append(watch.station)
        self._rain: dict[str, dict[tuple[int, int | None], int]] = {}
        self._total: dict[str, int] = {}
        self._level: dict[str, deque[tuple[int, int]]] = {}
        self._rules: dict[str, set[tuple[str, str]]] = {c: set() for c in self._source}
        self._until: dict[str, int] = {}
        self._why: dict[str, Text] = {}

    def heard(self, reading: Observation, now: int) -> None:
        """A reading of the line. Of rain and levels alone; the others change nothing."""
        cameras = self._heard.get(reading.station)
        late = not now - _HOUR_MS < reading.observed_at <= now + _AHEAD_MS
        if not cameras or late or reading.flag >= Flag.FAIL:
            return
        row = QUANTITIES[reading.quantity]
        if reading.quantity in ("rain", "rain_counter"):
            mm = row.amount(self._fallen(reading, now))
            words = Text(
                f"{reading.station} 一小时 {mm:.1f} mm",
                f"{reading.station}: {mm:.1f} mm in an hour",
            )
            self._faster((c for c in cameras if mm >= self._source[c].rain_mm), now, words)
        elif reading.quantity == "stage":
            m = row.amount(self._risen(reading))
            words = Text(
                f"{reading.station} 半小时涨 {m:.2f} m",
                f"{reading.station}: {m:.2f} m up in half an hour",
            )
            self._faster((c for c in cameras if m >= self._source[c].rise_m), now, words)

    def _fallen(self, reading: Observation, now: int) -> int:
        """Counts of the last hour, the reading among them."""
        fell = reading.value
        if reading.quantity == "rain_counter":
            before = self._total.get(reading.station, reading.value)
            self._total[reading.station] = reading.value
            fell = max(0, reading.value - before)  # one that began again shows at its next
        held = self._rain.setdefault(reading.station, {})
        held[reading.observed_at, reading.seq] = fell
        old = [key for key in held if key[0] <= now - _HOUR_MS]
        for key in old if len(held) <= _MOST else list(held)[: len(held) - _MOST]:
            del held[key]
        return sum(held.values())

    def _risen(self, reading: Observation) -> int:
        held = self._level.setdefault(reading.station, deque(maxlen=_MOST))
        held.append((reading.observed_at, reading.value))
        while held[0][0] < reading.observed_at - _RISE_MS:
            held.popleft()
        return reading.value - min(value for _, value in held)

    def ruled(self, area: str, rule: str, speaks: bool, at: int) -> None:
        """A rule begins or ends to say something of an area, at this moment (ms)."""
        words = Text(f"规则 {rule}（{area}）", f"rule {rule} ({area})")
        for camera in self._areas.get(area, ()):
            said = self._rules[camera]
            if speaks or (area, rule) in said:
                self._faster((camera,), at, words)
            if speaks:
                said.add((area, rule))
            else:
                said.discard((area, rule))

    def looked(self, camera: str, changed: float, now: int) -> None:
        """How large a share of its picture is another than in the last one."""
        if changed >= self._source[camera].changed:
            share = round(100 * changed)
            self._faster(
                (camera,), now, Text(f"画面变了 {share}%", f"{share}% of the picture changed")
            )

    def _faster(self, cameras: Iterable[str], now: int, why: Text) -> None:
        for camera in cameras:
            until = now + self._source[camera].hold_min * 60_000
            self._until[camera] = max(until, self._until.get(camera, 0))
            self._why[camera] = why

    def fast(self, camera: str, now: int) -> bool:
        """Is something up?"""
        return bool(self._rules[camera]) or now < self._until.get(camera, 0)

    def interval_s(self, camera: str, now: int) -> float:
        """Seconds from one picture to the next."""
        plan_s = self._plan_s[camera]
        return min(plan_s, self._source[camera].fast_s) if self.fast(camera, now) else plan_s

    def why(self, camera: str, now: int) -> Text:
        """What made it fast last; without words where nothing does."""
        return self._why.get(camera, Text("", "")) if self.fast(camera, now) else Text("", "")


def _gauges(district: District, camera: str) -> set[str]:
    areas = {w.area for w in district.watches if w.station == camera}
    found = {w.station for w in district.watches if w.area in areas}
    basins = _above(district, district.stations[camera].basin)
    return found | {s.id for s in district.stations.values() if s.basin in basins}


def _above(district: District, basin: str) -> set[str]:
    """The basin and all that flow into it."""
    found = {basin} if basin in district.basins else set()
    while more := {b.id for b in district.basins.values() if b.downstream in found} - found:
        found |= more
    return found
