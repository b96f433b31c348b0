"""The water line as a stage: rendered lines at a known stage, and edges that are not clear."""

import msgspec
import pytest

from simulators.views.gully import STAGE_PER_PX, Look, line_of
from tests.support.cameras import CAMERA, WIDE, Eye, readings

LINE = frozenset({"water_line"})


def truth(stage: float) -> float:
    """In metres of the staff, of the last wet column's edge."""
    (x0, _, low), (x1, _, high) = CAMERA.staff
    column = line_of(stage, WIDE) - 0.5
    return low + (column - x0) / (x1 - x0) * (high - low)


@pytest.mark.parametrize("stage", [0.3, 0.6, 1.0, 1.5, 2.0])
@pytest.mark.parametrize(
    "scene",
    [{}, {"night": True}, {"fog": 0.4}, {"rain": 1.0}, {"turbid": 1.0}, {"shadow": 250.0}],
    ids=["day", "night", "haze", "rain", "muddy", "shadow"],
)
def test_it_reads_what_was_rendered(stage: float, scene: dict[str, float]) -> None:
    found = readings([Eye(needs=LINE).look(10, Look(stage=stage, speed=30, **scene))], "water_line")
    faint = "night" in scene or "fog" in scene  # it may say nothing, and not what is wrong
    assert len(found) == 1 or (faint and not found)
    # a column of the picture is 0.02 m here
    for _, counts in found:
        near = (12 if faint else 3) * STAGE_PER_PX
        assert counts / 1000 == pytest.approx(truth(stage), abs=near)


def test_a_rise_is_followed() -> None:
    eye = Eye(needs=LINE)
    stages = [0.3 + 0.1 * n for n in range(12)]
    seen = [eye.look(60.0 * n, Look(stage=s, speed=30)) for n, s in enumerate(stages)]
    found = [c / 1000 for _, c in readings(seen, "water_line")]
    assert found == pytest.approx([truth(s) for s in stages], abs=3 * STAGE_PER_PX)


def test_it_is_silent_when_the_edge_is_not_clear() -> None:
    # no water on the staff, and all of it under water
    for stage in (-0.5, 3.0):
        assert Eye(needs=LINE).look(10, Look(stage=stage)).readings == []
    # everything looks alike: the staff lies on the bank, or in the water
    dry = msgspec.structs.replace(CAMERA, staff=((500, 60, 0.0), (630, 300, 2.0)))
    wet = msgspec.structs.replace(CAMERA, staff=((200, 60, 0.0), (360, 300, 2.0)))
    for camera in (dry, wet):
        assert Eye(camera, needs=LINE).look(10, Look()).readings == []
    # and blind
    assert Eye(needs=LINE).look(10, Look(fog=0.9)).readings == []


def test_shake_moves_the_staff_too() -> None:
    eye = Eye(needs=LINE)
    eye.look(0, Look(stage=1.0))
    seen = [eye.look(10.0 * n, Look(stage=1.0, shake=(4 * n, -3 * n))) for n in range(1, 4)]
    found = [c / 1000 for _, c in readings(seen, "water_line")]
    assert found == pytest.approx([truth(1.0)] * 3, abs=4 * STAGE_PER_PX)
