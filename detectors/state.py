"""The memory of the stage detect, and the words it says when something in it changed."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from config.district import District
from config.level import Action, Level
from detectors.camera_motion import CameraState, Look
from detectors.detection import Coverage, Detection, Evidence, detection_id
from detectors.heard import Heard
from detectors.quality import Memory
from detectors.rain_state import RainState
from detectors.rain_threshold import Change, RainRow
from detectors.silence import SilenceState, coverage
from detectors.stage_trend import StageRow, StageState
from ingest.observation import Run
from ingest.stage import Write

_MINUTE = 60_000
_RULES = ("silence", "quality", "rain_threshold", "stage_trend", "camera_motion")


class RowSaid(msgspec.Struct):
    """What one row of a rule last said."""

    level: int
    action: int
    sure_level: int
    sure_action: int
    evidence: Evidence
    next_at: int | None


class Said(msgspec.Struct):
    """What a rule last said of an area and hazard."""

    level: int = 0
    action: int = 0
    suspect: bool = False
    since_at: int = 0


class _Packed(msgspec.Struct):
    run: Run | None
    rain: bytes
    stage: bytes
    heard: bytes
    heard_width: int
    heard_test: dict[str, str]
    memory: dict[str, Memory]
    cameras: dict[str, CameraState]
    silence: SilenceState
    complete: dict[str, int]
    rows: dict[str, dict[str, RowSaid]]
    said: dict[str, Said]


class DetectState:
    """Of one partition."""

    def __init__(self, partition: int, rain: RainState, stage: StageState, heard: Heard) -> None:
        self.partition = partition
        self.run: Run | None = None
        self.rain = rain
        self.stage = stage
        self.heard = heard
        self.memory: dict[int, Memory] = {}  # of rows that need more
        self.cameras: dict[str, CameraState] = {}
        self.silence = SilenceState()
        self.complete: dict[str, int] = {}
        self.rows: dict[str, dict[str, RowSaid]] = {}  # rule|area|hazard -> station -> said
        self.said: dict[str, Said] = {}  # rule|area|hazard

    def dump(self, rain: bytes, stage: bytes, names: Sequence[str]) -> bytes:
        """`names` of the rows of `heard`."""
        return msgspec.msgpack.encode(
            _Packed(
                self.run,
                rain,
                stage,
                self.heard.dump(names),
                self.heard.keys.shape[1],
                {names[row]: test for row, test in self.heard.test.items()},
                {names[row]: m for row, m in self.memory.items()},
                self.cameras,
                self.silence,
                self.complete,
                self.rows,
                self.said,
            )
        )

    @classmethod
    def load(
        cls,
        partition: int,
        body: bytes,
        rain: Callable[[bytes], RainState],
        stage: Callable[[bytes], StageState],
        names: Sequence[str],
    ) -> "DetectState":
        packed = msgspec.msgpack.decode(body, type=_Packed)
        row = {name: n for n, name in enumerate(names)}
        heard = Heard(len(names))
        heard.load(names, packed.heard, packed.heard_width)
        heard.test = {row[k]: v for k, v in packed.heard_test.items() if k in row}
        state = cls(partition, rain(packed.rain), stage(packed.stage), heard)
        state.run, state.silence, state.complete = packed.run, packed.silence, packed.complete
        state.memory = {row[k]: m for k, m in packed.memory.items() if k in row}
        state.cameras, state.rows, state.said = packed.cameras, packed.rows, packed.said
        return state


class Saying:
    """Collects detections with the number of the observation that caused each, and writes them in
    that order."""

    def __init__(self, district: District, state: DetectState) -> None:
        self._district = district
        self._state = state
        self._found: list[tuple[int, int, str, Detection]] = []

    def writes(self) -> list[Write]:
        self._found.sort(key=lambda f: f[:3])
        return [Write("cases", d.area, d) for _, _, _, d in self._found]

    def _say(self, nth: int, detection: Detection) -> None:
        place = f"{detection.area}|{detection.hazard}"
        self._found.append((nth, _RULES.index(detection.rule), place, detection))

    def change(self, nth: int, rule: str, row: RainRow | StageRow, change: Change) -> None:
        """A row of a threshold rule changed: does that change what the rule says of the area?"""
        key = f"{rule}|{row.area}|{row.hazard}"
        rows = self._state.rows.setdefault(key, {})
        at = change.minute * _MINUTE
        rain = isinstance(row, RainRow)
        unit = 10 if rain else 1000
        evidence = Evidence(
            station=row.station,
            quantity="rain" if rain else "stage",
            value=change.value / unit,
            threshold=change.limit / unit if change.limit else None,
            window_min=change.window_min or None,
            observed_at=at,
        )
        wait = change.wait_min
        next_at = at + round(wait * _MINUTE) if 0 <= wait < 1440 else None
        rows[row.station] = RowSaid(
            change.level, change.action, change.sure_level, change.sure_action, evidence, next_at
        )
        self._sum_up(nth, rule, key, row.area, row.hazard, at, rows)

    def _sum_up(
        self,
        nth: int,
        rule: str,
        key: str,
        area: str,
        hazard: str,
        at: int,
        rows: Mapping[str, RowSaid],
    ) -> None:
        level = max(r.level for r in rows.values())
        action = max(r.action for r in rows.values())
        sure_level = max(r.sure_level for r in rows.values())
        sure_action = max(r.sure_action for r in rows.values())
        suspect = (sure_level, sure_action) != (level, action)
        # a value that nothing confirms orders 准备转移 and no more
        action = max(min(action, Action.PREPARE), sure_action)
        said = self._state.said.setdefault(key, Said())
        if (level, action, suspect) == (said.level, said.action, said.suspect):
            return
        if level > said.level or (level, action) == (0, 0):
            said.since_at = at
        said.level, said.action, said.suspect = level, action, suspect
        top = sorted(rows.values(), key=lambda r: (-r.level, -r.action, r.evidence.station))
        told = [r for r in top if (r.level, r.action) != (0, 0)][:4] or top[:1]
        waits = [r.next_at for r in told if r.next_at is not None and r.next_at > at]
        self._say(
            nth,
            Detection(
                id=detection_id(area, hazard, rule, at, f"{level}{action}{suspect}"),
                area=area,
                hazard=hazard,
                rule=rule,
                level=Level(level),
                action=Action(action),
                detected_at=at,
                since_at=said.since_at,
                evidence=tuple(r.evidence for r in told),
                suspect=suspect,
                next_at=min(waits, default=None),
                config=self._district.version,
            ),
        )

    def coverage(self, nth: int, area: str, at: int) -> None:
        """Rule silence: who is heard of an area, when that changed."""
        cover, thin = coverage(self._district, self._state.silence, area)
        if self._state.silence.said.get(area, ()) == cover.silent:
            return
        self._state.silence.said[area] = cover.silent
        self._say(
            nth,
            self._statement(
                area, "evidence", "silence", at, ",".join(cover.silent), cover=cover, thin=thin
            ),
        )

    def quality(self, nth: int, area: str, what: str, at: int, test: str) -> None:
        """The flag of `what` (station and quantity) changed."""
        note = f"{what}: {test or 'good'}"
        self._say(
            nth,
            self._statement(area, "evidence", "quality", at, note, suspect=bool(test), note=note),
        )

    def camera(self, nth: int, area: str, station: str, at: int, look: Look) -> None:
        """Rule camera_motion: a front moves, has passed, or the camera cannot see."""
        rule = self._district.rules.camera
        if rule.hazard not in self._district.areas[area].hazards:
            return
        key = f"camera_motion|{area}|{rule.hazard}"
        said = self._state.said.setdefault(key, Said())
        group = self._district.group_of_area[area]
        cameras = (f"{group}|{s}" for s in self._district.stations_of_area[area])
        # one that sees nothing takes back nothing of what another sees
        on = any(c in self._state.cameras and self._state.cameras[c].on for c in cameras)
        level, action = (int(rule.level), int(rule.action)) if on else (0, 0)
        if level > said.level:
            said.since_at = at
        said.level, said.action = level, action
        evidence = Evidence(
            station=station,
            quantity="frame",
            value=round(look.share, 3),
            threshold=rule.moving_share,
            observed_at=at,
            note=look.sight,
        )
        self._say(
            nth,
            Detection(
                id=detection_id(
                    area, rule.hazard, "camera_motion", at, f"{station}{level}{look.sight}"
                ),
                area=area,
                hazard=rule.hazard,
                rule="camera_motion",
                level=Level(level),
                action=Action(action),
                detected_at=at,
                since_at=said.since_at,
                evidence=(evidence,),
                note=look.sight,
                config=self._district.version,
            ),
        )

    def _statement(
        self,
        area: str,
        hazard: str,
        rule: str,
        at: int,
        what: str,
        *,
        cover: Coverage | None = None,
        thin: bool = False,
        suspect: bool = False,
        note: str = "",
    ) -> Detection:
        return Detection(
            id=detection_id(area, hazard, rule, at, what),
            area=area,
            hazard=hazard,
            rule=rule,
            level=Level.NONE,
            action=Action.NONE,
            detected_at=at,
            since_at=at,
            coverage=cover,
            thin=thin,
            suspect=suspect,
            note=note,
            config=self._district.version,
        )
