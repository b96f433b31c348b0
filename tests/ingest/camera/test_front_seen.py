"""A front that crosses the view in eighteen seconds: missed at the plan's five minutes, seen by a camera that
rain or a rule made faster. The pictures are drawn, their moments are those of the pace."""

from collections.abc import Callable
from functools import cache

import pytest
from msgspec.structs import replace

from config.records.district import CameraSource, District
from ingest.camera.jpeg import changed, thumb_of
from ingest.camera.pace import Pace
from ingest.observation import Flag, Observation
from simulators.views.gully import Look, picture
from tests.support.cameras import GSD, HIGH, WIDE, Eye, readings, usual
from tests.support.districts import yanqing

T = 1_753_524_000_000
FRONT_S = 600.0 + 37.0  # after T: between two pictures of the plan
BEFORE_S = 45.0  # so long before it something is heard
SPEED = 20.0  # px/s
MINUTE = 60_000


@cache
def district() -> District:
    return replace(yanqing(), camera_sources={"V01": CameraSource(station="V01", url="x")})


def look(at_s: float) -> Look:
    """A stream, then debris that comes down and stays."""
    row = SPEED * (at_s - FRONT_S)
    return Look(speed=40) if row < 0 else Look(speed=40, front=min(row, HIGH))


def seen(hear: Callable[[Pace, int], None]) -> list[float]:
    """The speeds of fronts in what the camera takes from T to some seconds after the front."""
    eye, pace = Eye(), Pace(district())
    at_s, thumb, found = usual(eye), None, []
    while at_s < FRONT_S + 40:
        now = T + round(at_s * 1000)
        hear(pace, now)
        body = picture(1, at_s, look(at_s), WIDE, 80)
        small = thumb_of(body)
        if thumb is not None:
            pace.looked("V01", changed(thumb, small), now)
        thumb = small
        found.append(eye.show(at_s, body))
        at_s += pace.interval_s("V01", now)
    return [counts / 1000 for _, counts in readings(found, "front_speed")]


def rain(pace: Pace, now: int) -> None:
    """0.2 mm a minute; the hour's 5 mm are there before the front comes."""
    for n in range(30 if now >= T + (FRONT_S - BEFORE_S) * 1000 else 20):
        at = now // MINUTE * MINUTE - n * MINUTE
        pace.heard(
            Observation(station="R01", quantity="rain", observed_at=at, value=2, flag=Flag.GOOD),
            now,
        )


def geophones(pace: Pace, now: int) -> None:
    area = next(w.area for w in district().watches if w.station == "V01")
    pace.ruled(area, "ground_shakes", now > T + (FRONT_S - BEFORE_S) * 1000, now)


def test_at_the_plan_it_passes_between_two_pictures() -> None:
    assert not seen(lambda _pace, _now: None)


@pytest.mark.parametrize("hear", [rain, geophones])
def test_a_camera_that_something_made_faster_sees_it(hear: Callable[[Pace, int], None]) -> None:
    speeds = seen(hear)
    assert speeds
    assert speeds[-1] == pytest.approx(SPEED * GSD, rel=0.2)
