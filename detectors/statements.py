"""What the stage detect says when something in its memory changed."""

from collections.abc import Mapping

import msgspec

from config.language import Text
from config.records.district import District
from config.records.level import Action, Level
from config.records.quantity import QUANTITIES
from detectors.camera.motion import Look
from detectors.camera.state import CLIP_AFTER, CameraState
from detectors.detection import Coverage, Detection, Evidence, detection_id, foretold
from detectors.engine.compound import Compound, CompoundSaid, MemberWord
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import Change, SeriesChange, SeriesRow
from detectors.engine.window_rule import Tells
from detectors.memory.state import DetectState, RowSaid, Said
from detectors.quality.silence import coverage, unforeseen
from detectors.rain.limit_table import RainRow
from detectors.water.cascade import Cascade, CascadeSaid
from detectors.water.stage_trend import StageRow
from stream.stages.stage import Write

_MINUTE = 60_000
_SILENT, _JUMPED = Text("断报", "silent"), Text("突涨后断报", "silent after a jump")
_RULES = ("silence", "quality", "camera_sight", "rain_threshold", "stage_trend", "camera_motion")


class Saying:
    """Collects detections by the observation that caused each, and writes them in that order."""

    def __init__(self, district: District, state: DetectState) -> None:
        self._district = district
        self._state = state
        self._found: list[tuple[int, str, str, Detection]] = []
        self.heard: list[MemberWord] = []  # for the rules over other rules

    def writes(self) -> list[Write]:
        if self._found:
            rules = (*_RULES, *(r.id for r in self._district.rules.rule))
            self._found.sort(key=lambda f: (f[0], rules.index(f[1]), f[2]))
        return [Write("cases", d.area, d) for _, _, _, d in self._found]

    def _say(self, nth: int, detection: Detection) -> None:
        place = f"{detection.area}|{detection.hazard}"
        self._found.append((nth, detection.rule, place, foretold(detection)))

    def change(
        self, nth: int, rule: str, row: RainRow | StageRow, change: Change, note: Text | str = ""
    ) -> None:
        """A row of a threshold rule changed: does that change what the rule says of the area?"""
        name = "rain" if isinstance(row, RainRow) else "stage"
        unit, rules = QUANTITIES[name].per_unit, self._district.rules
        self._row(
            nth,
            rule,
            row,
            change,
            Evidence(
                station=row.station,
                quantity=name,
                value=change.value / unit,
                threshold=change.limit / unit if change.limit else None,
                window_min=change.window_min or None,
                observed_at=change.minute * _MINUTE,
                note=note,
            ),
            speaks=(rules.rain if name == "rain" else rules.stage).speaks,
        )

    def series(
        self,
        nth: int,
        rule: SeriesRule,
        change: SeriesChange,
        seen: tuple[CameraState, int, str] | None = None,
    ) -> None:
        """A row of a window rule changed. seen: the camera that saw it, when, and how surely."""
        row, tells = rule.rows[change.row], change.tells
        evidence = Evidence(
            station="+".join(row.stations[k] for k in tells.inputs) or row.station,
            quantity=row.quantity,
            value=change.value,
            threshold=change.limit,
            window_min=change.window_min or None,
            observed_at=change.minute * _MINUTE,
            kind=rule.kind.told_as(rule.parameters),
            note=seen[2] if seen else tells.note,
            chance=tells.chance,
            reach=tells.reach,
            frames=seen[0].clip(seen[1]) if seen else (),
        )
        if seen and rule.speaks:
            key = f"{rule.name}|{row.area}|{row.hazard}"
            _owe(seen[0], key, bool(change.level or change.action))
        self._row(nth, rule.name, row, change, evidence, speaks=rule.speaks)

    def _row(
        self,
        nth: int,
        rule: str,
        row: RainRow | StageRow | SeriesRow,
        change: Change | SeriesChange,
        evidence: Evidence,
        *,
        speaks: bool = True,
    ) -> None:
        key = f"{rule}|{row.area}|{row.hazard}"
        rows = self._state.rows.setdefault(key, {})
        at, wait = change.minute * _MINUTE, change.wait_min
        grades = (change.level, change.action, change.sure_level, change.sure_action)
        next_at = at + round(wait * _MINUTE) if 0 <= wait < 1440 else None
        tells = change.tells if isinstance(change, SeriesChange) else Tells()
        told = (next_at, tells.early_at or None, tells.late_at or None)
        rows[row.station] = RowSaid(*grades, evidence, *told)
        self.heard.append(
            MemberWord(nth, at, rule, row.area, row.hazard, row.station, *grades, (evidence,))
        )
        if speaks:
            self._sum_up(nth, rule, key, row.area, row.hazard, at, rows)

    def compound(self, compound: Compound, said: CompoundSaid) -> None:
        """A rule over other rules changed; it shows what its members rest on."""
        area, hazard = compound.rows[said.row]
        self.heard.append(
            MemberWord(
                said.nth,
                said.at,
                compound.name,
                area,
                hazard,
                "",
                *(said.level, said.action, said.sure_level, said.sure_action),
                evidence=said.evidence,
            )
        )
        key = f"{compound.name}|{area}|{hazard}"
        before = self._state.said.setdefault(key, Said())
        suspect = (said.sure_level, said.sure_action) != (said.level, said.action)
        action = max(min(said.action, Action.PREPARE), said.sure_action)
        if before.begins(said.level, action):
            before.since_at = said.at
        before.level, before.action, before.suspect = said.level, action, suspect
        cover, _ = coverage(self._district, self._state.silence, area, self._state.service.now)
        what = f"{said.level}{action}{suspect}{said.value:g}{before.again(said.at)}"
        self._say(
            said.nth,
            Detection(
                id=detection_id(area, hazard, compound.name, said.at, what),
                area=area,
                hazard=hazard,
                rule=compound.name,
                level=Level(said.level),
                action=Action(action),
                detected_at=said.at,
                since_at=before.since_at,
                evidence=said.evidence[:6],
                coverage=cover if cover.silent or cover.service else None,
                suspect=suspect,
                note=f"{said.value:g}: {' '.join(said.on) or '-'}",
                config=self._district.version,
                rules=self._district.rules_version,
            ),
        )

    def cascade(self, cascade: Cascade, said: CascadeSaid) -> None:
        """Silences down a river: who is silent since when, and when the wave may be here."""
        stations, hazard = self._district.stations, cascade.hazard
        evidence = tuple(
            Evidence(
                station=s,
                quantity=stations[s].quantity,
                value=float(said.value),
                observed_at=at,
                kind="cascade",
                note=_JUMPED if s in said.jumped else _SILENT,
            )
            for s, at in zip(said.stations, said.heard, strict=True)
        )
        what = str(said[3:])
        self._say(
            0,
            Detection(
                id=detection_id(said.area, hazard, cascade.name, said.at, what),
                area=said.area,
                hazard=hazard,
                rule=cascade.name,
                level=Level(said.level),
                action=Action(said.action),
                detected_at=said.at,
                since_at=said.since_at,
                evidence=evidence,
                inferred=True,
                earliest_at=said.earliest_at,
                latest_at=said.latest_at,
                config=self._district.version,
                rules=self._district.rules_version,
            ),
        )

    def _sum_up(
        self,
        nth: int,
        rule: str,
        key: str,
        area: str,
        hazard: str,
        at: int,
        rows: Mapping[str, RowSaid],
        again: str = "",
    ) -> None:
        level, action = max(r.level for r in rows.values()), max(r.action for r in rows.values())
        sure_level = max(r.sure_level for r in rows.values())
        sure_action = max(r.sure_action for r in rows.values())
        suspect = (sure_level, sure_action) != (level, action)
        # a value that nothing confirms orders 准备转移 and no more
        action = max(min(action, Action.PREPARE), sure_action)
        said = self._state.said.setdefault(key, Said())
        if (level, action, suspect) == (said.level, said.action, said.suspect) and not again:
            return
        if said.begins(level, action) and not (again and (level, action) == (0, 0)):
            said.since_at = at
        said.level, said.action, said.suspect = level, action, suspect
        what = f"{level}{action}{suspect}{again}{said.again(at)}"
        top = sorted(rows.values(), key=lambda r: (-r.level, -r.action, r.evidence.station))
        told = [r for r in top if (r.level, r.action) != (0, 0)][:4] or top[:1]
        waits = [r.next_at for r in told if r.next_at is not None and r.next_at > at]
        early = [r.earliest_at for r in told if r.earliest_at is not None]
        late = [r.latest_at for r in told if r.latest_at is not None]
        self._say(
            nth,
            Detection(
                id=detection_id(area, hazard, rule, at, what),
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
                earliest_at=min(early, default=None),
                latest_at=max(late, default=None),
                config=self._district.version,
                rules=self._district.rules_version,
            ),
        )

    def coverage(self, nth: int, area: str, at: int) -> None:
        """Rule silence: who is heard of an area, when that changed."""
        cover, thin = coverage(self._district, self._state.silence, area, self._state.service.now)
        told = (*cover.silent, *(f"service {s}" for s in cover.service))
        if self._state.silence.said.get(area, ()) == told:
            return
        self._state.silence.said[area] = told
        lost = unforeseen(self._district, area, cover.silent)
        unseen = " ".join(lost)
        blind = Text(f"来水预报失明：{unseen}", f"no forecast from upstream: {unseen}")
        self._say(
            nth,
            self._statement(
                area,
                "evidence",
                "silence",
                at,
                ",".join(told),
                cover=cover,
                thin=thin,
                note=blind if lost else "",
            ),
        )

    def quality(
        self, nth: int, area: str, what: str, at: int, test: str, good: str = "good"
    ) -> None:
        """The flag of `what` (station and quantity) changed. good: the word where it is none, for a
        test whose end says nothing of the others."""
        note = f"{what}: {test or good}"
        self._say(
            nth,
            self._statement(area, "evidence", "quality", at, note, suspect=bool(test), note=note),
        )

    def sight(self, nth: int, area: str, station: str, at: int, why: str) -> None:
        """Rule camera_sight: a camera went blind, or sees again."""
        note = f"{station}: {why or 'good'}"
        self._say(
            nth,
            self._statement(
                area, "evidence", "camera_sight", at, note, suspect=bool(why), note=note
            ),
        )

    def clips(self, nth: int, station: str, camera: CameraState, at: int) -> None:
        """A frame came after those that a warning rests on: once enough have, what was said is said
        again with the whole clip."""
        for key in list(camera.owed):
            camera.owed[key] -= 1
            held = self._state.rows.get(key, {}).get(station)
            if camera.owed[key]:
                continue
            del camera.owed[key]
            if held is None:  # no longer declared
                continue
            after = tuple(f.digest for f in camera.frames)[-CLIP_AFTER:]
            whole = tuple(dict.fromkeys((*held.evidence.frames, *after)))
            held.evidence = msgspec.structs.replace(held.evidence, frames=whole)
            rule, area, hazard = key.split("|")
            self._sum_up(nth, rule, key, area, hazard, at, self._state.rows[key], again="clip")

    def camera(
        self, nth: int, area: str, station: str, at: int, look: Look, camera: CameraState
    ) -> None:
        """Rule camera_motion: much moves, or no longer."""
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
        if (level, action) != (0, 0) and said.begins(level, action):
            said.since_at = at
        said.level, said.action = level, action
        evidence = Evidence(
            station=station,
            quantity="frame",
            value=round(look.share, 3),
            threshold=rule.moving_share,
            observed_at=at,
            frames=camera.clip(at),
        )
        _owe(camera, key, bool(level or action))
        grades = (level, action, level, action)
        self._state.rows.setdefault(key, {})[station] = RowSaid(*grades, evidence, None)
        self.heard.append(
            MemberWord(nth, at, "camera_motion", area, rule.hazard, station, *grades, (evidence,))
        )
        self._say(
            nth,
            Detection(
                id=detection_id(
                    area, rule.hazard, "camera_motion", at, f"{station}{level}{look.on}"
                ),
                area=area,
                hazard=rule.hazard,
                rule="camera_motion",
                level=Level(level),
                action=Action(action),
                detected_at=at,
                since_at=said.since_at,
                evidence=(evidence,),
                config=self._district.version,
                rules=self._district.rules_version,
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
        note: Text | str = "",
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
            rules=self._district.rules_version,
        )


def _owe(camera: CameraState, key: str, speaks: bool) -> None:
    """The clip of what is said now waits for the frames after it (this one is counted too)."""
    if speaks:
        camera.owed[key] = CLIP_AFTER + 1
    else:
        camera.owed.pop(key, None)
