"""The next hour of the duty room: the rain's motion by property, and what the page says of it."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from config.records.quantity import QUANTITIES
from console.model.storm_motion import Motion, arrivals, motion
from console.model.trail import Trail
from console.model.view import View
from console.pages.storm import NextHour
from detectors.detection import Evidence
from ingest.observation import Observation, Observations
from stream.log.port import Log, Out
from stream.records import Tick, encode
from tests.support.console_pages import Seat, cases, red, sync_api
from tests.support.decide_district import MIN, T0, seen, yanqing
from tests.support.examples import examples

SPAN_KM = 60.0


def fallen(
    places: np.ndarray,
    velocity: tuple[float, float],
    *,
    radius: float,
    seed: int,
    columns: int = 18,
) -> np.ndarray:
    """Rain (gauges, columns) of tipping buckets of 0.2 mm under one cell of 60 mm/h that is over the middle a
    quarter of an hour before the end, with minutes that are not alike."""
    rng = np.random.default_rng(seed)
    rain = np.zeros((len(places), columns))
    for minute in range(columns * 5):
        hours = (minute - columns * 5 + 15) / 60
        middle = SPAN_KM / 2 + np.array(velocity) * hours
        rate = 60 * np.exp(-((places - middle) ** 2).sum(axis=1) / (2 * radius**2))
        rain[:, minute // 5] += rate / 60 * rng.gamma(6, 1 / 6, len(places))
    return np.floor(rain / 0.2 + rng.random(rain.shape)) * 0.2


def gauges(seed: int, many: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, SPAN_KM, (many, 2))


@examples(40)
@given(st.integers(0, 9999), st.floats(12, 60), st.floats(0, 2 * np.pi), st.floats(6, 9))
def test_a_moving_cell_gives_its_speed_and_direction_within_the_stated_error(
    seed: int, speed: float, towards: float, radius: float
) -> None:
    velocity = (speed * np.sin(towards), speed * np.cos(towards))
    places = gauges(seed)
    found = motion(places, fallen(places, velocity, radius=radius, seed=seed))
    if not isinstance(found, Motion):
        assert found in ("unclear", "sparse"), "moving rain is never called dry or standing"
        return
    off = np.hypot(found.east_kmh - velocity[0], found.north_kmh - velocity[1])
    assert off <= 3 * found.error_kmh
    assert found.error_kmh <= found.kmh / 2


def test_most_moving_cells_are_seen() -> None:
    seen_moving = 0
    for seed in range(20):
        places = gauges(seed)
        rain = fallen(places, (30 * np.sin(seed), 30 * np.cos(seed)), radius=8, seed=seed)
        seen_moving += isinstance(motion(places, rain), Motion)
    assert seen_moving >= 18


@examples(20)
@given(st.integers(0, 9999), st.floats(5, 9))
def test_rain_that_stands_has_no_direction(seed: int, radius: float) -> None:
    places = gauges(seed)
    found = motion(places, fallen(places, (0.0, 0.0), radius=radius, seed=seed))
    assert found in ("standing", "unclear", "sparse")


@examples(20)
@given(st.integers(0, 9999), st.sampled_from([0, 1, 4, 7]))
def test_too_few_gauges_or_no_rain_is_not_known(seed: int, many: int) -> None:
    places = gauges(seed, many)
    assert motion(places, fallen(places, (30.0, 0.0), radius=8, seed=seed)) == "sparse"
    places = gauges(seed)
    assert motion(places, np.zeros((60, 18))) == "dry"
    assert motion(places, np.full((60, 18), np.nan)) == "sparse"
    young = fallen(places, (30.0, 0.0), radius=8, seed=seed)
    young[:, :-8] = np.nan
    assert motion(places, young) == "short"
    noise = np.random.default_rng(seed).gamma(0.5, 2, (60, 18))
    assert isinstance(motion(places, noise), str)


@examples(20)
@given(st.integers(0, 9999))
def test_silent_gauges_are_left_out_and_not_taken_for_dry(seed: int) -> None:
    places = gauges(seed)
    rain = fallen(places, (30.0, 0.0), radius=8, seed=seed)
    rng = np.random.default_rng(seed)
    rain[rng.random(60) < 0.3] = np.nan
    rain[rng.random(rain.shape) < 0.1] = np.nan
    found = motion(places, rain)
    if isinstance(found, Motion):
        assert np.hypot(found.east_kmh - 30, found.north_kmh) <= 3 * found.error_kmh


def test_heavy_rain_arrives_when_it_has_come_the_way() -> None:
    across = np.arange(0, SPAN_KM, 4)
    places = np.array([(x, y) for x in across for y in across])
    rates = np.where(places[:, 0] <= 12, 40.0, 0.0)  # a front that stands at 12 km
    targets = np.array([(8.0, 20.0), (32.0, 20.0), (56.0, 20.0), (500.0, 500.0)])
    there, soon, never, beyond = arrivals(places, rates, Motion(30, 0, 6, 0.9), targets)
    assert there is never is beyond is None  # the first lies in it already
    assert soon is not None
    assert soon.earliest_min < soon.minutes < soon.latest_min
    assert abs(soon.minutes - (32 - 14) / 30 * 60) <= 5
    assert soon.mm_h == pytest.approx(40, abs=6)


def storm_over_yanqing(velocity: tuple[float, float]) -> tuple[list[Observation], int]:
    """Rain of every gauge each five minutes of an hour and a half, and when that ends (ms)."""
    stations = [s for s in yanqing().stations.values() if s.quantity == "rain"]
    places = np.array([(s.lon * 84.6, s.lat * 111.2) for s in stations])
    rain = fallen(
        places - places.mean(axis=0) + SPAN_KM / 2, velocity, radius=7, seed=1, columns=24
    )
    count = 1 / QUANTITIES["rain"].amount(1)
    return [
        Observation(station=s.id, quantity="rain", observed_at=T0 + 5 * (k + 1) * MIN,
                    value=round(rain[n, k] * count))
        for k in range(24) for n, s in enumerate(stations)
    ], T0 + 120 * MIN  # fmt: skip


def test_the_page_is_told_the_motion_the_villages_in_its_way_and_what_is_forecast() -> None:
    items, end = storm_over_yanqing((24.0, 10.0))
    view, trail, page = View(), Trail(), NextHour()
    chance = Evidence(
        station="S01", quantity="stage", value=2.0, window_min=60, chance=0.42, reach=3.2,
        kind="level_forecast",
    )  # fmt: skip
    told = msgspec.structs.replace(
        seen(100, Level.YELLOW, area="A01"),
        evidence=(chance,),
        rule="ahead",
        detected_at=end - 9 * MIN,
    )
    for record in (Observations.of("g", end, items), Tick(clock_at=end), told):
        view.take(record)
        trail.take(record, view)
    found = page.parts(yanqing(), view, trail, end)
    storm = found["storm"]["now"]
    assert storm["why"] == ""
    assert abs(storm["kmh"] - 26) <= 2 * storm["error_kmh"]
    assert storm["reaches"], "some village lies in its way"
    assert [r[2] for r in storm["reaches"]] == sorted(r[2] for r in storm["reaches"])
    assert all(end <= r[1] <= r[2] <= r[3] for r in storm["reaches"])
    assert [x["chance"] for x in found["ahead"]["A01"]["levels"]] == [42]
    assert "A02" not in found["ahead"]
    later = page.parts(yanqing(), view, trail, end + 55 * MIN)
    assert later["ahead"] == {}, "a forecast whose time is over is none"
    assert later["storm"]["now"]["why"] == "sparse", "rain of an hour ago moves nowhere"


@pytest.mark.usefixtures("here")
def test_the_first_screen_shows_where_the_rain_goes_and_when_it_comes(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    page = seat.enter("wang")
    expect(page.locator(".next-hour")).to_contain_text("移动不明")
    items, end = storm_over_yanqing((24.0, 10.0))
    log.append(
        [
            Out("observations", "x", encode(Observations.of("g", end, items))),
            Out("observations", "x", encode(Tick(clock_at=end))),
        ]
    )
    orange = [seen(40, Level.ORANGE, Action.MOVE, area=a) for a in ("A06", "A07", "A08", "A09")]
    told = [*map(red, ("A01", "A02", "A03")), *orange, seen(40, Level.YELLOW, area="A30")]
    cases(
        log,
        Tick(clock_at=end),
        *(msgspec.structs.replace(d, detected_at=end, since_at=end) for d in told),
    )
    expect(page.locator("[data-area=A01]")).to_be_visible()
    expect(page.locator(".next-hour")).to_contain_text("雨区向东北移动")
    expect(page.locator(".next-hour")).to_contain_text("没有临近预报")
    expect(page.locator(".storm-speed")).to_be_visible()
    # the red that waits stands before the orange with an order in force, and names where and how many
    areas = yanqing().areas
    reds = [areas[a] for a in ("A01", "A02", "A03")]
    expect(page.locator(".wait-where")).to_contain_text("、".join(a.name for a in reds))
    expect(page.locator(".wait-where")).to_contain_text(f"{sum(a.population for a in reds)} 人")
    expect(page.locator("[data-valley]").first.locator("[data-area=A01]")).to_be_visible()
    seat.shot("situation-storm")
    page.locator("#find").fill("A01")
    page.locator("#find").press("Enter")
    expect(page.locator("[data-ahead=A01]")).to_contain_text("下一小时")
    page.locator("#more summary").click()
    page.locator("#lang").click()
    expect(page.locator(".next-hour")).to_contain_text("the rain moves")
    seat.shot("situation-storm-english")
