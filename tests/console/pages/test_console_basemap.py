"""The operator's own base map: what check says of it, and the map in a real browser.

The archives beside this file were made by programs of others: raster.pmtiles by the writer of the Python
package pmtiles 3.8, vector.pmtiles by GDAL 3.12 (its driver PMTiles, by pyogrio)."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config.read.tiles import NAME, read_tiles, told
from stream.log.port import Log
from tests.support.console_pages import Desk, Seat, cases, red, sync_api
from tests.support.decide_district import yanqing

MAPS = Path(__file__).parent / "maps"
PLACES = [(a.lon, a.lat) for a in yanqing().areas.values()]


def folder_with(tmp_path: Path, kind: str) -> Path:
    shutil.copy(MAPS / f"{kind}.pmtiles", tmp_path / NAME)
    return tmp_path


def test_check_tells_kind_zooms_bounds_and_whether_the_district_is_covered(tmp_path: Path) -> None:
    assert read_tiles(tmp_path) is None
    tiles = read_tiles(folder_with(tmp_path, "raster"))
    assert tiles is not None
    assert tiles.fault is None
    assert (tiles.kind, tiles.lowest, tiles.highest) == ("png", 8, 10)
    assert tiles.bounds == pytest.approx((115.70, 40.25, 116.60, 40.80))
    assert told(tiles, PLACES).en.endswith("covers the whole district")
    assert "2 个区只盖住 1 个" in told(tiles, [(115.9, 40.5), (117.9, 40.5)]).zh
    vector = read_tiles(folder_with(tmp_path, "vector"))
    assert vector is not None
    assert (vector.kind, vector.layers) == ("mvt", ("base",))
    assert "layers base" in told(vector, PLACES).en


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda b: b"", "is no PMTiles archive"),
        (lambda b: b"PK\3\4" + b[4:], "is no PMTiles archive"),
        (lambda b: b[:7] + b"\2" + b[8:], "is PMTiles version 2, not 3"),
        (lambda b: b[:100], "is PMTiles version 3, not 3"),
        (lambda b: b[:-100], "is cut off"),
        (lambda b: b[:97] + b"\3" + b[98:], "browsers do not read brotli compression"),
        (lambda b: b[:99] + b"\0" + b[100:], "no tiles that can be shown"),
        (lambda b: b[:130] + bytes(20) + b[150:], "is damaged"),
        (lambda b: b[:102] + b"\xff\xff\xff\x7f" + b[106:], "bounds are wrong"),
    ],
)
def test_a_broken_archive_is_told_and_stops_nothing(
    tmp_path: Path, spoil: Callable[[bytes], bytes], says: str
) -> None:
    whole = (MAPS / "raster.pmtiles").read_bytes()
    (tmp_path / NAME).write_bytes(spoil(whole))
    tiles = read_tiles(tmp_path)
    assert tiles is not None
    assert tiles.fault is not None
    assert says in told(tiles, PLACES).en
    assert told(tiles, PLACES).en.startswith("! ")


def with_map(desk: Desk, tmp_path: Path, kind: str) -> None:
    """The desk anew, of a district with this base map."""
    tiles = read_tiles(folder_with(tmp_path, kind))
    district = desk.setup.district
    backdrop = msgspec.structs.replace(district.backdrop, tiles=tiles)
    desk.stop()
    changed = msgspec.structs.replace(district, backdrop=backdrop)
    desk.setup = type(desk.setup)(**{**vars(desk.setup), "district": changed})
    desk.start()


# how many pixels of the map's tiles have been drawn
DRAWN = """() => [...document.querySelectorAll(".leaflet-basemap-pane canvas")].reduce((n, c) => n + c
  .getContext("2d").getImageData(0, 0, c.width, c.height).data.filter((v, k) => k % 4 === 3 && v).length, 0)"""


def drawn(page: "sync_api.Page") -> None:
    until = time.monotonic() + 90
    while page.evaluate(DRAWN) < 20_000:
        assert time.monotonic() < until, "the map is not drawn"
        page.wait_for_timeout(100)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["raster", "vector"])
def test_the_operators_map_is_drawn_from_this_server_by_day_and_by_night(
    seat: Seat, desk: Desk, log: Log, tmp_path: Path, kind: str
) -> None:
    with_map(desk, tmp_path, kind)
    cases(log, red("A01"))
    asked: list[tuple[str, str]] = []
    seat.page.on(
        "response",
        lambda r: (
            "map.pmtiles" in r.url and asked.append((r.status, r.request.headers.get("range")))
        ),
    )
    page = seat.enter("wang")
    drawn(page)
    assert asked
    assert {status for status, _ in asked} == {206}, "in parts, never as a whole"
    seat.shot(f"map-{kind}-night")
    sync_api.expect(page.locator("[data-area=A01]")).to_be_visible()
    page.locator("#more summary").click()
    page.locator("#theme").click()
    drawn(page)
    page.locator("#more summary").click()
    seat.shot(f"map-{kind}-day")
    assert seat.foreign == []


@pytest.mark.usefixtures("here")
def test_without_a_map_nothing_of_it_is_loaded(seat: Seat, desk: Desk) -> None:
    asked: list[str] = []
    seat.page.on("request", lambda r: asked.append(r.url))
    page = seat.enter("wang")
    page.get_by_role("button", name="图层").wait_for()
    assert not [u for u in asked if "pmtiles" in u or "protomaps" in u or "basemap" in u]
    answer = page.request.get(f"{desk.address}/api/map.pmtiles")
    assert answer.status == 404
