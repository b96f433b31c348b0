"""What lies under the map: the relief that a district brings or makes, and what is refused of it."""

import csv
import io
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from config.geometry import METRES_A_DEGREE
from config.load import read
from config.read.basemap import PICTURE, WORLD, world_file
from fengsui.cli.root import cli
from fengsui.files import hillshade
from fengsui.files.hillshade import Extent
from stream.environment import Usage
from tests.support.decide_district import yanqing

HERE = yanqing().folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE, tmp_path / "yanqing"))


def faults(folder: Path) -> list[str]:
    return [str(p) for p in read(folder)[1]]


def test_yanqing_has_a_relief_about_all_of_it() -> None:
    backdrop = yanqing().backdrop
    assert backdrop.terrain is not None
    t = backdrop.terrain
    for x, y in backdrop.outline[0]:
        assert t.west < x < t.east
        assert t.south < y < t.north


def test_a_district_needs_neither_outline_nor_relief(folder: Path) -> None:
    for name in ("outline.geojson", PICTURE, WORLD[0]):
        (folder / name).unlink()
    district, problems = read(folder)
    assert problems == []
    assert district is not None
    assert district.backdrop.terrain is None


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        (PICTURE, b"GIF89a" + bytes(40), "no PNG"),
        (PICTURE, b"\x89PNG", "cannot be read"),
        (PICTURE, (HERE / PICTURE).read_bytes() + bytes(2_000_001), "too big"),
        (WORLD[0], b"1 2 3", "six numbers"),
        (WORLD[0], b"\xff\xfe", "six numbers"),
        (WORLD[0], b"30 0 0 -30 440000 4480000", "no extent in degrees"),
        (WORLD[0], b"0.001 0.1 0 -0.001 115 41", "no extent in degrees"),
        (WORLD[0], b"nan 0 0 -0.001 115 41", "no extent in degrees"),
        (WORLD[0], b"0.001 0 0 -0.001 -50 41", "lies outside"),
        ("outline.geojson", b"{}", "FeatureCollection"),
    ],
)
def test_a_backdrop_that_is_wrong_is_refused_by_its_file(
    folder: Path, file: str, content: bytes, words: str
) -> None:
    (folder / file).write_bytes(content)
    (fault,) = faults(folder)
    assert fault.startswith(file)
    assert words in fault


def test_a_relief_without_a_place_is_refused_and_any_of_both_names_gives_it(folder: Path) -> None:
    (folder / WORLD[0]).rename(folder / WORLD[1])
    assert faults(folder) == []
    (folder / WORLD[1]).unlink()
    (fault,) = faults(folder)
    assert "world file" in fault


@given(
    st.floats(-179, 170), st.floats(-80, 89), st.floats(1e-5, 0.01), st.floats(1e-5, 0.01),
)  # fmt: skip
def test_a_world_file_tells_the_centre_of_the_first_pixel(
    west: float, north: float, across: float, down: float
) -> None:
    a, b, c, d, lon, lat = map(float, world_file(west, north, across, down).split())
    assert (b, c) == (0, 0)
    assert lon - a / 2 == pytest.approx(west, abs=1e-8)
    assert lat - d / 2 == pytest.approx(north, abs=1e-8)


# ---- shade


LONS, LATS = hillshade.axes(Extent(116.0, 40.0, 116.1, 40.1), 60)


def test_a_pixel_is_as_high_as_it_is_wide_on_the_ground() -> None:
    down, across = LATS[1] - LATS[0], (LONS[1] - LONS[0]) * np.cos(np.radians(40.05))
    assert down == pytest.approx(across, rel=0.02)


def test_flat_ground_is_clear_and_slopes_to_the_north_west_are_bright() -> None:
    x, y = np.meshgrid(LONS, LATS)
    assert np.abs(hillshade.shade(np.full(x.shape, 500.0), LONS, LATS)).max() < 1e-12
    rises_south_east = hillshade.shade((x - y) * 10_000, LONS, LATS)  # it faces the sun
    assert rises_south_east.min() > 0.1
    assert hillshade.shade((y - x) * 10_000, LONS, LATS).max() < -0.1
    # 45 degrees towards the sun is as bright as can be (Horn 1981): a height of 1 m each metre
    along = (x * np.cos(np.radians(LATS.mean())) - y) * METRES_A_DEGREE / np.sqrt(2)
    assert hillshade.shade(along, LONS, LATS).mean() == pytest.approx(1.0, abs=1e-6)


def test_the_picture_is_north_up_and_clear_where_nothing_is_known() -> None:
    image = pytest.importorskip("PIL.Image")
    shades = np.zeros((4, 3))
    shades[3, 0], shades[0, 2], shades[1, 1] = 1.0, -1.0, np.nan  # north-west, south-east
    made = hillshade.picture(shades, image)
    width, height = struct.unpack_from(">II", made, 16)
    assert (width, height) == (3, 4)
    seen = np.array(image.open(io.BytesIO(made)).convert("RGBA"))
    assert seen[0, 0].tolist() == [255, 255, 255, 255]
    assert seen[3, 2].tolist() == [0, 0, 0, 255]
    assert seen[2, 1, 3] == 0


# ---- heights


def hgt(file: Path, heights: np.ndarray) -> Path:  # type: ignore[type-arg]
    file.write_bytes(heights[::-1].astype(">i2").tobytes())
    return file


def asc(file: Path, heights: np.ndarray, west: float, south: float, cell: float) -> Path:  # type: ignore[type-arg]
    rows, columns = heights.shape
    head = f"ncols {columns}\nnrows {rows}\nxllcorner {west}\nyllcorner {south}\n"
    text = "\n".join(" ".join(str(v) for v in row) for row in heights[::-1])
    file.write_text(f"{head}cellsize {cell}\nNODATA_value -9999\n{text}\n")
    return file


def test_tiles_of_both_forms_give_the_plane_that_they_were_made_of(tmp_path: Path) -> None:
    steps = np.linspace(0, 1, 101)
    x, y = np.meshgrid(116 + steps, 40 + steps)
    srtm = hgt(tmp_path / "N40E116.hgt", np.round((x - 116) * 1000 + (y - 40) * 2000))
    cells = 0.005 + 0.01 * np.arange(100)
    u, v = np.meshgrid(115 + cells, 40 + cells)
    ascii_ = asc(tmp_path / "west.asc", (u - 116) * 1000 + (v - 40) * 2000, 115, 40, 0.01)
    lons, lats = np.array([115.5, 115.8, 116.2, 116.9]), np.array([40.3, 40.7])
    tiles = [hillshade.read_tile(srtm), hillshade.read_tile(ascii_)]
    wanted = (lons - 116) * 1000 + (lats[:, None] - 40) * 2000
    assert hillshade.of_tiles(tiles, lons, lats) == pytest.approx(wanted, abs=1.0)
    assert np.isnan(hillshade.of_tiles(tiles[:1], lons, lats)[:, :2]).all()


def test_what_a_survey_does_not_know_stays_unknown(tmp_path: Path) -> None:
    heights = np.full((11, 11), 300)
    heights[5, 5] = -32768
    tile = hillshade.read_tile(hgt(tmp_path / "N40E116.hgt", heights))
    assert np.isnan(hillshade.of_tiles([tile], np.array([116.5]), np.array([40.5]))).all()


def test_a_thin_plate_goes_through_its_spots() -> None:
    spots = np.array([[116.0, 40.0, 500], [116.1, 40.0, 700], [116.0, 40.1, 900], [116.1, 40.1, 1]])
    found = hillshade.of_spots(np.vstack([spots, spots]), spots[[0, 1], 0], spots[[0, 2], 1])
    assert found == pytest.approx(np.array([[500, 700], [900, 1]]), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("dem.hgt", b"\0" * 8, "no name of SRTM"),
        ("N40E116.hgt", b"\0" * 6, "not a square"),
        ("x.asc", b"ncols 2\nnrows 2\n1 2\n3 4\n", "cannot be read"),
        ("x.asc", b"ncols 2\nnrows 3\nxllcorner 1\nyllcorner 1\ncellsize 1\n1 2\n3 4\n", "3 x 2"),
        ("x.asc", "ncols 二".encode(), "cannot be read"),
        ("x.csv", b"lon,lat\n116,40\n", "x.csv:2"),
        ("x.csv", b"lon,lat,height_m\n116,40,high\n", "x.csv:2"),
        ("x.csv", b"lon,lat,height_m\n116,40,1\n116,41,1\n", "three"),
        ("x.csv", b"lon,lat,height_m\n1,1,1\n2,2,1\n3,3,1\n", "one line"),
        ("x.csv", b"\xff\xfe\0", "cannot be read"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_heights_that_cannot_be_used_are_refused_in_words(
    folder: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    before = (folder / PICTURE).read_bytes()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = CliRunner().invoke(cli, ["--config", str(folder), "terrain", str(tmp_path / name)])
    assert isinstance(done.exception, Usage)
    assert words in str(done.exception)
    assert (folder / PICTURE).read_bytes() == before


def test_a_survey_elsewhere_is_refused_and_one_of_here_is_drawn(
    folder: Path, tmp_path: Path
) -> None:
    x, _ = np.meshgrid(np.linspace(0, 1, 51), np.linspace(0, 1, 51))
    far = hgt(tmp_path / "S10W060.hgt", x * 1000)
    run = CliRunner()
    done = run.invoke(cli, ["--config", str(folder), "terrain", str(far)])
    assert isinstance(done.exception, Usage)
    assert "do not cover" in str(done.exception)
    here = [hgt(tmp_path / f"{n}.hgt", x * 1000) for n in ("N40E115", "N40E116")]
    done = run.invoke(cli, ["--config", str(folder), "terrain", *map(str, here)])
    assert done.exit_code == 0, done.output
    assert "100%" in done.output
    district, problems = read(folder)
    assert problems == []
    assert district is not None
    assert district.backdrop.terrain is not None
    assert district.backdrop.terrain.png != yanqing().backdrop.terrain.png  # type: ignore[union-attr]


def test_the_relief_of_yanqing_is_what_its_readme_says(folder: Path) -> None:
    spots = HERE.parent / "maps" / "heights-yanqing.csv"
    files = [str(spots), str(folder / "stations.csv")]
    words = ["--config", str(folder), "terrain", *files, "--exaggerate", "2"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert (folder / WORLD[0]).read_text() == (HERE / WORLD[0]).read_text()
    assert len(list(csv.DictReader(spots.open(encoding="utf-8")))) > 40
