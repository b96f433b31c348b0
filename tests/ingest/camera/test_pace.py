"""When cameras are looked through faster, and when slower again: time and what is heard come in as data."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.records.district import CameraSource, District
from ingest.camera.pace import Pace
from ingest.observation import Flag, Observation
from tests.support.districts import yanqing
from tests.support.examples import examples

T = 1_753_524_000_000
MINUTE, HOUR = 60_000, 3_600_000
CAMERA = "V01"  # of basin B01, plan 300 s


@cache
def district(camera: str = CAMERA) -> District:
    row = CameraSource(station=camera, url="rtsp://10.0.0.7/s", fast_s=2, hold_min=30)
    return replace(yanqing(), camera_sources={camera: row})


def reading(
    station: str, value: int, at: int = T, quantity: str = "rain", seq: int = 0
) -> Observation:
    return Observation(
        station=station, quantity=quantity, observed_at=at, value=value, seq=seq, flag=Flag.GOOD
    )


def test_by_itself_a_camera_keeps_its_plan() -> None:
    pace = Pace(district())
    assert pace.interval_s(CAMERA, T) == 300
    assert not pace.why(CAMERA, T).zh


def test_rain_of_an_hour_makes_it_faster_and_it_slows_down_again() -> None:
    pace = Pace(district())
    for n in range(49):  # 0.1 mm a minute
        pace.heard(reading("R01", 1, T + n * MINUTE), T + n * MINUTE)
    last = T + 48 * MINUTE
    assert pace.interval_s(CAMERA, last) == 300
    pace.heard(reading("R01", 1, last + MINUTE), last + MINUTE)
    assert pace.interval_s(CAMERA, last + MINUTE) == 2
    assert "R01" in pace.why(CAMERA, last + MINUTE).zh
    assert pace.interval_s("V03", last + MINUTE) == 300  # another basin
    assert pace.interval_s(CAMERA, last + 30 * MINUTE) == 2
    assert pace.interval_s(CAMERA, last + 31 * MINUTE) == 300


def test_a_reading_twice_counts_once_and_an_old_one_not_at_all() -> None:
    pace = Pace(district())
    for _ in range(3):
        pace.heard(reading("R01", 30), T)
    pace.heard(reading("R01", 100, T - HOUR), T)
    assert pace.interval_s(CAMERA, T) == 300
    pace.heard(reading("R01", 20, seq=1), T)
    assert pace.interval_s(CAMERA, T) == 2


def test_what_is_no_value_is_passed_over() -> None:
    pace = Pace(district())
    pace.heard(replace(reading("R01", 900), flag=Flag.FAIL), T)
    pace.heard(reading("R01", 900, T + HOUR), T)
    assert pace.interval_s(CAMERA, T) == 300


def test_a_running_total_counts_by_what_it_rises() -> None:
    pace = Pace(district())
    for n, total in enumerate((65_500, 65_520, 3, 20, 52)):
        pace.heard(reading("R01", total, T + n * MINUTE, "rain_counter"), T + n * MINUTE)
    assert pace.interval_s(CAMERA, T + 4 * MINUTE) == 2  # 2.0 + 1.7 + 3.2 mm


@pytest.mark.parametrize(("rise", "every"), [(140, 300), (160, 2)])
def test_a_level_that_rises_within_half_an_hour(rise: int, every: float) -> None:
    pace = Pace(district())
    pace.heard(reading("S01", 350, T - 40 * MINUTE, "stage"), T)
    for n, level in enumerate((500, 500 - 5, 500 + rise - 5)):
        pace.heard(reading("S01", level, T + n * MINUTE, "stage"), T + n * MINUTE)
    assert pace.interval_s(CAMERA, T + 2 * MINUTE) == every


def test_a_gauge_in_a_basin_above_counts_as_well() -> None:
    found = yanqing()
    below = next(b for b in found.basins.values() if b.downstream in found.basins)
    gauge = next(
        s.id for s in found.stations.values() if s.basin == below.id and s.quantity == "rain"
    )
    camera = replace(found.stations[CAMERA], basin=below.downstream)
    pace = Pace(replace(district(), stations={**found.stations, CAMERA: camera}, watches=()))
    pace.heard(reading(gauge, 60), T)
    assert pace.interval_s(CAMERA, T) == 2


def test_a_rule_that_speaks_of_an_area_the_camera_watches() -> None:
    found = district()
    area = next(w.area for w in found.watches if w.station == CAMERA)
    other = next(w.area for w in found.watches if w.station == "V03")
    pace = Pace(found)
    pace.ruled(other, "rain_threshold", True, T)
    assert pace.interval_s(CAMERA, T) == 300
    pace.ruled(area, "rain_threshold", True, T)
    pace.ruled(area, "ground", True, T)
    assert pace.interval_s(CAMERA, T + 5 * HOUR) == 2  # as long as it speaks
    pace.ruled(area, "rain_threshold", False, T + 5 * HOUR)
    assert pace.interval_s(CAMERA, T + 5 * HOUR) == 2
    pace.ruled(area, "ground", False, T + 5 * HOUR)
    assert pace.interval_s(CAMERA, T + 5 * HOUR + 29 * MINUTE) == 2
    assert pace.interval_s(CAMERA, T + 5 * HOUR + 30 * MINUTE) == 300


def test_a_rule_that_was_over_long_ago_makes_nothing_faster() -> None:
    """As a process reads it that starts now."""
    found = district()
    area = next(w.area for w in found.watches if w.station == CAMERA)
    pace = Pace(found)
    pace.ruled(area, "ground", True, T - 3 * HOUR)
    pace.ruled(area, "ground", False, T - 2 * HOUR)
    assert pace.interval_s(CAMERA, T) == 300


def test_a_picture_that_changes() -> None:
    pace = Pace(district())
    pace.looked(CAMERA, 0.14, T)
    assert pace.interval_s(CAMERA, T) == 300
    pace.looked(CAMERA, 0.16, T)
    assert pace.interval_s(CAMERA, T) == 2


def test_a_camera_without_a_row_has_the_same_measure() -> None:
    pace = Pace(yanqing())
    pace.heard(reading("R01", 60), T)
    assert pace.interval_s(CAMERA, T) == CameraSource(station=CAMERA, url="").fast_s
    assert pace.interval_s("V12", T) == 300


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("R01", "R02", "S01", "R49", "X")),
        st.integers(0, 80),
        st.integers(-90, 10),  # minutes from now
        st.integers(0, 40),  # minutes until the next
    ),
    max_size=40,
)


@examples(150)
@given(STEPS)
def test_whatever_is_heard_the_interval_is_one_of_two_and_ends(
    steps: list[tuple[str, int, int, int]],
) -> None:
    pace, now = Pace(district()), T
    for station, value, ago, passed in steps:
        quantity = "stage" if station == "S01" else "rain"
        pace.heard(reading(station, value, now + ago * MINUTE, quantity), now)
        assert pace.interval_s(CAMERA, now) in (2, 300)
        now += passed * MINUTE
    assert pace.interval_s(CAMERA, now + 31 * MINUTE) == 300
