"""Change of the water's colour: mud, and what is not mud."""

import pytest

from simulators.views.gully import Look
from tests.support.cameras import Eye, readings

COLOUR = frozenset({"colour_shift"})
EVERY = 600.0
SHOWN = 12.0  # as a district would set its first level


def hours(eye: Eye, look: Look | None = None, count: int = 8) -> float:
    """Quiet pictures ten minutes apart, the light of a morning; the moment after them."""
    for n in range(count):
        base = look or Look(light=0.7 + 0.05 * n, warm=0.6 - 0.07 * n)
        eye.look(EVERY * n, base)
    return EVERY * count


def shown(eye: Eye, at: float, look: Look) -> list[float]:
    return [c / 10 for _, c in readings([eye.look(at, look)], "colour_shift")]


def test_mud_shows_more_the_more_there_is() -> None:
    eye = Eye(needs=COLOUR)
    at = hours(eye)
    found = [shown(eye, at + 60 * n, Look(turbid=n / 5))[0] for n in range(6)]
    assert found == sorted(found)
    assert found[0] < 3 and found[-1] > 18


@pytest.mark.parametrize(
    "look",
    [
        Look(light=0.4, warm=0.9),
        Look(light=1.5),
        Look(shadow=180.0),
        Look(shadow=500.0),
        Look(rain=1.0),
        Look(fog=0.5),
        Look(stage=2.0),
        Look(shake=(6, 4)),
        Look(noise=6.0),
    ],
)
def test_light_and_weather_are_no_mud(look: Look) -> None:
    eye = Eye(needs=COLOUR)
    at = hours(eye)
    (found,) = shown(eye, at, look)
    assert found < SHOWN / 2


def test_mud_at_sunset_is_still_mud() -> None:
    eye = Eye(needs=COLOUR)
    at = hours(eye)
    (found,) = shown(eye, at, Look(turbid=0.9, light=0.5, warm=0.9))
    assert found > SHOWN


def test_it_is_silent_without_a_past_and_in_infrared() -> None:
    eye = Eye(needs=COLOUR)
    assert [shown(eye, EVERY * n, Look(turbid=n / 2)) for n in range(3)] == [[], [], []]
    eye = Eye(needs=COLOUR)
    at = hours(eye)
    assert shown(eye, at, Look(night=True)) == []


def test_what_lasts_becomes_usual() -> None:
    eye = Eye(needs=COLOUR)
    at = hours(eye, count=12)
    found = [shown(eye, at + EVERY * n, Look(turbid=0.8)) for n in range(40)]
    assert found[0][0] > SHOWN and found[-1][0] < 3


def test_a_late_frame_is_set_against_what_came_before_it() -> None:
    eye = Eye(needs=COLOUR)
    at = hours(eye)
    shown(eye, at + 1200, Look())
    assert shown(eye, at + 600, Look(turbid=1.0))[0] > SHOWN
