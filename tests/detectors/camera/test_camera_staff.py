"""A staff gauge as a camera reads it: drawn views whose stage is known, Yanqing's two, and real rivers."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageOps

from bench.cases.sight.staff import CAMERA, STAFF, VIEWS, row
from config.records.district import Camera
from config.records.rules import CameraRule
from detectors.camera.picture import Picture, decode
from detectors.camera.scene import scene_of
from detectors.camera.state import CameraState
from detectors.camera.watch import watch
from detectors.camera.waterline import water_line
from simulators.scenario import scenario
from simulators.views.staff_view import Weather, board_of, picture
from simulators.world import World
from tests.support.districts import yanqing

CLEAR = Weather()


def read(camera: Camera, body: bytes) -> float | None:
    seen = decode(body)
    assert not isinstance(seen, str)
    staff = scene_of(camera, seen).staff
    assert staff is not None
    line = water_line(staff, seen)
    return None if line is None else line.stage


@pytest.mark.parametrize("stage", [0.3, 0.9, 1.5, 2.0, 2.4, 2.6])
def test_a_staff_that_clear_water_mirrors_is_read(stage: float) -> None:
    """Before the upper change counted, 2.6 m was read as 2.3: the mirror's end was the larger change."""
    found = [read(CAMERA, picture(n, 60.0 * n, stage, CLEAR, board_of(STAFF))) for n in range(5)]
    assert [f for f in found if f is not None] == pytest.approx(
        [stage] * sum(f is not None for f in found), abs=0.2
    )
    assert float(np.median([f for f in found if f is not None])) == pytest.approx(stage, abs=0.11)


@pytest.mark.parametrize("name", ["mud", "dusk", "night", "rain", "fog"])
def test_the_error_stays_within_a_few_centimetres_in_plain_weather(name: str) -> None:
    found = row(name, 24)
    assert found.told >= 0.9
    assert found.rmse <= 0.05
    assert found.high == found.lowest == 0


def test_drops_on_the_lens_spoil_a_picture_and_not_three() -> None:
    found = row("wet lens", 60)
    assert found.rmse > 0.08, "the figure of the page is of honest drops"
    assert found.lowest == 0


def seen_of(*bodies: bytes) -> list[tuple[str, list[float]]]:
    """Of pictures a minute apart: why each shows nothing, or the stages that it shows."""
    state, store, found = CameraState(), dict[str, Picture | str](), []
    for n, body in enumerate(bodies):
        store[str(n)] = decode(body)
        at = 60_000 * (n + 1)
        one = watch(CameraRule(), CAMERA, {"water_line"}, state, at, str(n), store.__getitem__)
        found.append((one.sight, [r.counts / 1000 for r in one.readings]))
    return found


def lie(body: bytes, how: str) -> bytes:
    """What a camera shows that no longer looks at its staff as it was set up."""
    seen = Image.open(BytesIO(body))
    match how:
        case "upside down":
            seen = ImageOps.flip(seen)
        case "mirrored":
            seen = ImageOps.mirror(seen)
        case "knocked":
            seen = ImageChops.offset(seen, 0, 60)
    out = BytesIO()
    seen.save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.mark.parametrize("how", ["upside down", "mirrored", "knocked"])
def test_a_camera_that_shows_another_view_gives_no_stage_by_day_or_in_its_first_night(
    how: str,
) -> None:
    """Water at 1.0 m was read as 2.3 m in the first night after a knock, and as 2.2 m upside down."""
    board, night = board_of(STAFF), Weather(night=True, noise=5.0)
    well = [picture(5, 60.0 * n, 1.0, CLEAR, board) for n in range(4)]
    day = [lie(picture(5, 60.0 * n, 1.0, CLEAR, board), how) for n in range(4, 12)]
    dark = [lie(picture(5, 60.0 * n, 1.0, night, board), how) for n in range(12, 17)]
    found = seen_of(*well, *day, *dark)
    assert [why for why, _ in found[:4]] == [""] * 4
    told = [stage for _, stages in found[4:] for stage in stages]
    assert len(told) <= 1, "fewer than the three that a rule takes"
    again = seen_of(*well, *day[:2], *well)
    assert [why for why, _ in again[-4:]] == [""] * 4, "put back, it sees"


def test_the_same_arguments_give_the_same_bytes() -> None:
    for _, weather in VIEWS.values():
        args = (3, 60.0, 1.2, weather, board_of(STAFF))
        assert picture(*args) == picture(*args)


def test_yanqing_s_staffs_show_the_water_of_their_basin_and_no_surge() -> None:
    """The picture of a minute follows from the water alone: what floods later is not in it."""
    district = yanqing()
    world = World(district, scenario("yanqing-storm"))
    staffs = {i: c for i, c in district.cameras.items() if c.staff}
    assert set(staffs) == {"V08", "V10"}
    for name, camera in staffs.items():
        station = district.stations[name]
        n = [s.id for s in district.stations.values() if s.quantity == "frame"].index(name)
        found = []
        for minute in range(60, 400, 40):
            truth = float(world._level[station.basin][minute])
            seen = read(camera, world._picture(n, station, minute, 12.0))
            if seen is not None and 0.15 < truth < 2.85:
                found.append(seen - truth)
        assert len(found) >= 4  # the top of the staff is under water for a while
        assert abs(float(np.median(found))) < 0.12, "branches hang on it, waves run along it"
        world._surge = dict.fromkeys(district.basins, (0, 10_000))
        again = world._picture(n, station, 200, 12.0)
        world._surge = {}
        assert world._picture(n, station, 200, 12.0) == again


# line up the bank of a real river (pixels), where the water ends along it as a person sees it (0 … 10)
REAL = {
    "gravel": ("pisco", ((420, 500), (120, 420)), 5.6),
    "reeds": ("pisco", ((1250, 640), (1300, 400)), 5.7),
    "grass": ("clip", ((1120, 300), (1000, 120)), 5.9),
    "tufts": ("clip", ((640, 480), (420, 300)), 4.0),
}


@pytest.mark.parametrize("name", REAL)
def test_the_water_s_edge_on_real_banks(data: Path, name: str) -> None:
    """Without a staff, on banks with plants and shadows: within a tenth of the line, and steady."""
    import cv2

    which, (low, high), truth = REAL[name]
    folder = data / "river-video"
    paths = sorted((folder / "pisco").glob("*.jpg"))
    clip = folder / "pyorc_dk_control.mp4"
    if not paths or not clip.exists():
        pytest.skip("the river pictures are not here")
    bodies = [p.read_bytes() for p in paths]
    if which == "clip":
        reader, bodies = cv2.VideoCapture(str(clip)), []
        while (got := reader.read())[0]:
            bodies.append(cv2.imencode(".jpg", got[1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    camera = Camera(id="x", width=1920, height=1080, staff=((*low, 0.0), (*high, 10.0)))
    found = [s for b in bodies[:4] if (s := read(camera, b)) is not None]
    assert len(found) >= 3
    assert float(np.median(found)) == pytest.approx(truth, abs=1.0)
