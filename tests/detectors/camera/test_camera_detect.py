"""Cameras in the stage detect: declared rules, camera and rain, blindness, the clip, exactness."""

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from config.load import load, read
from config.records.district import Camera, District
from config.records.level import Action, Level
from config.records.rules import RuleRow
from detectors.camera import picture as camera_picture
from detectors.camera.state import CameraState
from detectors.detection import Detection
from detectors.setup.declared import problems
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from simulators.views.gully import Look, picture
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item
from tests.support.cameras import CAMERA

YANQING = Path(__file__).parents[3] / "config" / "yanqing"
START = 1_753_524_000_000
SECOND = 1000
AREA, GAUGE, EYE = "A01", "R01", "V01"
RUN = Run(name="exercise-t", kind="exercise", district="yanqing", config="c", start_at=START)


def row(name: str, kind: str, **more: object) -> RuleRow:
    usual = {"hazard": "debris_flow", "source": "test", "areas": (AREA,), "quantity": "frame"}
    return RuleRow(id=name, kind=kind, **(usual | more))  # type: ignore[arg-type]


FRONT = row("front", "camera_front", orange=0.5, move=1.0, hold_min=20, stations=(EYE,))
MUD = row("mud", "camera_colour", yellow=12.0, speaks=False)
LINE = row("line", "camera_waterline", yellow=1.0, red=2.0, clear=1.0)
FAST = row("fast", "camera_speed", yellow=2.0, parameters={"over_s": 60, "slot_s": 10})
BOTH = row(
    "camera_and_rain",
    "compound",
    quantity="rain",
    red=2.0,
    move=2.0,
    parameters={
        "of": [
            {"rule": "front", "level": "orange"},
            {"rule": "rain_threshold", "level": "blue"},
        ],
        "within_min": 30,
    },
)


def district(*rules: RuleRow, run: tuple[str, ...] = ("rain_threshold", "silence")) -> District:
    whole = load(YANQING)
    rows = rules or (FRONT, MUD, LINE, FAST, BOTH)
    return msgspec.structs.replace(
        whole,
        rules=msgspec.structs.replace(whole.rules, rule=rows, run=run),
        cameras={EYE: CAMERA},
    )


class Line:
    """The stage detect over the partition of one area, with a store of pictures."""

    def __init__(self, of: District) -> None:
        self.frames: dict[str, bytes] = {}
        self.stage = Detect(of, self.frames.get)
        self.group = of.group_of_area[AREA]
        self.partition = partition_of(self.group, of.partitions)
        self.state = self.stage.new(self.partition)
        self.step(RUN)

    def step(self, *records: Record) -> list[Detection]:
        items = [Item(self.partition, n, "", r) for n, r in enumerate(records)]
        self.state, writes = self.stage.step(self.state, items)
        found = [w.record for w in writes if isinstance(w.record, Detection)]
        return [d for d in found if d.area == AREA]

    def frame(self, at_s: float, look: Look | None) -> Observations:
        name = f"f{round(at_s * 1000)}"
        if look is not None:
            self.frames[name] = picture(1, at_s, look, 640)
        return self._one(EYE, "frame", at_s, 9000, name)

    def rain(self, at_s: float, counts: int) -> Observations:
        return self._one(GAUGE, "rain", at_s, counts, "")

    def _one(self, station: str, quantity: str, at_s: float, value: int, ref: str) -> Observations:
        at = START + round(at_s * SECOND)
        found = Observation(
            station=station, quantity=quantity, observed_at=at, value=value, ref=ref, flag=Flag.GOOD
        )
        return Observations.of(self.group, at, [found])


def storm(line: Line) -> list[Record]:
    """Five quiet minutes, mud, fast water that rises, a front; fog; clear again. Rain meanwhile."""
    found: list[Record] = [line.frame(60.0 * n, Look(speed=20)) for n in range(5)]
    found.append(line.rain(290, 150))  # what the season allows: more would be in doubt
    found += [line.frame(300 + 0.2 * n, Look(speed=70, stage=1.5, turbid=0.9)) for n in range(3)]
    found += [line.frame(310 + n, Look(speed=40, front=45.0 * n)) for n in range(8)]
    found.append(line.rain(320, 30))
    found += [line.frame(330 + 10 * n, Look(fog=0.85)) for n in range(3)]
    found.append(line.frame(325, Look(speed=40, front=400)))  # late
    found.append(found[2])  # a duplicate
    found += [line.frame(400 + 10 * n, Look(speed=20)) for n in range(4)]
    found.append(Tick(clock_at=START + 500 * SECOND))
    return found


@cache
def played() -> tuple[Detection, ...]:
    line = Line(district())
    return tuple(line.step(*storm(line)))


def said(rule: str) -> list[Detection]:
    return [d for d in played() if d.rule == rule]


def test_each_rule_says_its_level_with_the_value_and_the_clip() -> None:
    (first, *_) = said("front")
    assert (first.level, first.action) == (Level.ORANGE, Action.MOVE)
    (e,) = first.evidence
    assert (e.station, e.quantity, e.kind) == (EYE, "front_speed", "camera_front")
    assert e.value == pytest.approx(45 * 0.05, rel=0.2)
    # the third picture that shows a fifth of the way; those before it, and it
    assert e.frames == ("f310000", "f311000", "f312000", "f313000")
    (line,) = [d for d in said("line") if d.level][:1]
    assert line.level == Level.RED and line.evidence[0].note.startswith("± 0.0")
    (fast,) = [d for d in said("fast") if d.level][:1]
    assert fast.evidence[0].value == pytest.approx(70 * 0.05, rel=0.05)
    assert said("mud") == []  # heard by compound rules alone


def test_the_clip_is_completed_by_the_frames_after_it() -> None:
    first, second, *_ = said("front")
    assert (second.level, second.action, second.since_at) == (
        first.level,
        first.action,
        first.since_at,
    )
    assert second.id != first.id
    before, whole = first.evidence[0].frames, second.evidence[0].frames
    assert whole[:4] == before and len(whole) == 6
    stamps = [int(f[1:]) for f in whole]
    assert stamps == sorted(stamps)


def test_camera_and_rain_together() -> None:
    (d,) = said("camera_and_rain")
    assert (d.level, d.action) == (Level.RED, Action.MOVE)
    assert d.note == f"2: front@{EYE} rain_threshold@{GAUGE}"
    assert {e.quantity for e in d.evidence} == {"front_speed", "rain"}
    assert any(e.frames for e in d.evidence)


@pytest.mark.parametrize("which", ["camera", "rain"])
def test_one_of_the_two_alone_is_not_both(which: str) -> None:
    line = Line(district())
    keep = EYE if which == "camera" else GAUGE
    records = [r for r in storm(line) if not isinstance(r, Observations) or r.station == (keep,)]
    found = line.step(*records)
    assert not [d for d in found if d.rule == "camera_and_rain"]
    assert [d for d in found if d.rule == ("front" if which == "camera" else "rain_threshold")]


def test_blindness_is_told_and_the_camera_counts_as_silent() -> None:
    notes = [(d.note, d.hazard, d.level) for d in said("camera_sight")]
    assert notes == [
        (f"{EYE}: fogged", "evidence", 0),
        (f"{EYE}: good", "evidence", 0),
    ]
    covers = [d.coverage for d in said("silence") if d.coverage is not None]
    assert [EYE in c.silent for c in covers][:2] == [True, False]
    assert covers[0].live == covers[0].expected - 1


def test_an_area_with_nothing_but_a_blind_camera_is_thin() -> None:
    whole = district()
    alone = msgspec.structs.replace(
        whole,
        rules=msgspec.structs.replace(whole.rules, rule=(LINE,)),
        stations_of_area={**whole.stations_of_area, AREA: (EYE,)},
    )
    line = Line(alone)
    found = line.step(*(line.frame(10.0 * n, Look(fog=0.85)) for n in range(3)))
    assert [d.thin for d in found if d.rule == "silence"] == [True]
    assert {d.rule for d in found} == {"silence", "camera_sight"}
    back = line.step(*(line.frame(50 + 10.0 * n, Look(speed=20)) for n in range(3)))
    assert [d.thin for d in back if d.rule == "silence"] == [False]


def test_a_blind_camera_never_says_on() -> None:
    for blind in (Look(fog=0.85), Look(light=0.1), Look(blur=3.0), None):
        line = Line(district(run=("rain_threshold", "camera_motion", "silence")))
        line.step(*(line.frame(60.0 * n, Look(speed=20)) for n in range(5)))
        spoilt = [blind and replace(blind, front=45.0 * n) for n in range(8)]
        found = line.step(*(line.frame(310.0 + n, look) for n, look in enumerate(spoilt)))
        assert {d.level for d in found} <= {Level.NONE}


@pytest.mark.parametrize("cuts", [[], [3, 9, 12], [1, 7, 8, 10, 11, 14, 18, 20, 22]])
def test_batches_and_restarts_do_not_show(cuts: list[int]) -> None:
    line = Line(district())
    records = storm(line)
    found: list[Detection] = []
    edges = [0, *cuts, len(records)] if cuts else list(range(len(records) + 1))
    for low, high in pairwise(edges):
        found += line.step(*records[low:high])
        line.state = line.stage.load(line.partition, line.stage.dump(line.state))
        line.stage._pictures.clear()  # as after a restart
    assert found == list(played())


def test_the_memory_of_a_camera_is_small() -> None:
    line = Line(district())
    line.step(*storm(line))
    (camera,) = line.state.cameras.values()
    assert len(msgspec.msgpack.encode(camera)) < 12_000


def test_an_older_snapshot_keeps_what_was_said() -> None:
    old = {
        "frame": b"\0" * 38_400,
        "frame_at": START,
        "digest": "d",
        "same": 1,
        "moving": 3,
        "on": True,
        "quiet_since": START + 5,
        "sight": "",
    }
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=CameraState)
    assert (state.on, state.quiet_since, state.same, state.frames) == (True, START + 5, 1, [])


# --- config


def _problems(*rules: RuleRow, cameras: dict[str, Camera] | None = None) -> str:
    whole = district(*rules)
    if cameras is not None:
        whole = msgspec.structs.replace(whole, cameras=cameras)
    return "\n".join(map(str, problems(whole)))


def test_a_camera_rule_that_is_set_up_is_well() -> None:
    assert _problems(FRONT, MUD, LINE, FAST, BOTH) == ""
    assert _problems(row("any", "quantity_above", quantity="moving_share", yellow=30.0)) == ""


def test_what_a_camera_is_not_told_is_named() -> None:
    bare = Camera(id=EYE, width=640, height=360)
    text = _problems(FRONT, cameras={EYE: bare})
    assert "cameras.csv: axis, points / gsd_m" in text and EYE in text
    assert "cameras.csv" in _problems(LINE, cameras={})
    assert "不是摄像机" in _problems(row("x", "camera_colour", yellow=9.0, stations=(GAUGE,)))
    assert "frame" in _problems(row("x", "camera_colour", yellow=9.0, quantity="rain"))


def test_without_opencv_a_camera_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_picture, "cv2", None)
    assert "pip install 'fengsui[camera]'" in _problems(MUD)
    whole = load(YANQING)
    assert "fengsui[camera]" in "\n".join(map(str, problems(whole)))  # camera_motion runs
    rules = msgspec.structs.replace(whole.rules, run=("rain_threshold",), rule=())
    assert problems(msgspec.structs.replace(whole, rules=rules)) == []


WRONG = {
    "an unknown station": ("V99,640,360,,,,,,", "id"),
    "a gauge": ("R01,640,360,,,,,,", "id"),
    "no size": ("V01,64,360,,,,,,", "width"),
    "two corners": ("V01,640,360,1 1;9 9,,,,,", "roi"),
    "a line for a region": ("V01,640,360,0 0;100 100;200 200,,,,,", "roi"),
    "a point outside": ("V01,640,360,0 0;700 0;0 300,,,,,", "roi"),
    "three ground points": ("V01,640,360,,0 0 0 0;9 0 1 0;0 9 0 1,,,,", "points"),
    "a ground that is a line": ("V01,640,360,,0 0 0 0;90 0 1 1;0 90 2 2;90 90 3 3,,,,", "points"),
    "both scales": ("V01,640,360,,0 0 0 0;90 0 1 0;0 90 0 1;90 90 1 1,0.1,,,", "gsd_m"),
    "a staff of one stage": ("V01,640,360,,,,,9 9 1;200 9 1,", "staff"),
    "a staff of one point": ("V01,640,360,,,,,9 9 1,", "staff"),
    "a short axis": ("V01,640,360,,,,9 9;10 10,,", "axis"),
    "words": ("V01,640,360,a b;c d;e f,,,,,", "roi"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_row_of_cameras_csv_is_named(case: str, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "yanqing"
    shutil.copytree(YANQING, folder)
    line, column = WRONG[case]
    header = "id,width,height,roi,points,gsd_m,axis,staff,checked\n"
    (folder / "cameras.csv").write_text(header + line + "\n")
    found = [p for p in read(folder)[1] if p.file == "cameras.csv"]
    assert found and {(p.row, p.column) for p in found} == {(2, column)}
    assert all(p.hint for p in found)
