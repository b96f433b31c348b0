"""What lies in the way of the water: geometry, travel times, and what is told of it."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Action, Level
from config.records.plans import Flow
from config.records.reaches import Reach
from dispatch.geography.downstream import Hit, areas_below, downstream
from dispatch.grade import Grade
from dispatch.words.compose import Kind, Message, write
from dispatch.words.sample import sample
from tests.support.decide_district import yanqing
from tests.support.downstream import STRAIGHT, basin, degrees, valley
from tests.support.examples import examples


def test_a_straight_channel() -> None:
    d = valley({"P1": (5000, 100), "P2": (8300, 0), "P0": (2000, 0), "P9": (9000, 900)}, STRAIGHT)
    (hit,) = downstream(d, "P1", "flash_flood")  # P0 lies above, P9 aside
    assert (hit.what, hit.id) == ("area", "P2")
    # from abreast of P1 to 300 m before the village's edge
    assert hit.distance_m == pytest.approx(8300 - 100 - 300 - 5000, abs=5)
    assert (hit.earliest_min, hit.latest_min) == (8, 25)  # 2,900 m at 5.5 and at 2 m/s
    assert downstream(d, "P2", "flash_flood") == [] == downstream(d, "P1", "forest_fire")


def test_the_way_goes_on_in_the_basin_below() -> None:
    basins = {
        "P": basin("P", (0, 0), (5000, 0), below="Q"),
        "Q": basin("Q", (5200, -8000), (5200, 8000)),  # joined in its middle, flows north
    }
    d = valley({"P1": (1000, 0), "Q1": (5200, 4000), "Q2": (5200, -4000)}, basins)
    (hit,) = areas_below(d, "P1", "river_flood")
    assert hit.id == "Q1"
    assert hit.distance_m == pytest.approx(4000 + 200 + 4000 - 100 - 300, abs=5)
    apart = {**basins, "P": basin("P", (0, 0), (5000, 0))}
    assert areas_below(msgspec.structs.replace(d, basins=apart), "P1", "river_flood") == []


def test_without_a_channel_nothing_is_said() -> None:
    d = valley({"P1": (0, 0), "P2": (1000, 0)}, {"P": basin("P")})
    assert downstream(d, "P1", "flash_flood") == []


@pytest.mark.parametrize("hazard", ["dam_break", "reservoir_release", "flash_flood"])
def test_on_the_river_of_reaches_the_times_are_those_measured(hazard: str) -> None:
    """From one village to the next by its gauge, whatever the drawing says; what is only drawn stays."""

    def reach(upstream: str, downstream: str, distance_m: float) -> Reach:
        return Reach(
            upstream=upstream, downstream=downstream, distance_m=distance_m, slow_m_s=2, fast_m_s=10,
            source="t",
        )  # fmt: skip

    d = valley({"P1": (5000, 100), "P2": (8300, 0), "P3": (9900, 0)}, STRAIGHT)
    d = msgspec.structs.replace(
        d, reaches=(reach("P1", "S01", 3000), reach("S01", "P2", 1200), reach("P2", "P4", 600_000))
    )
    measured, drawn = areas_below(d, "P1", hazard)
    assert measured == Hit("area", "P2", 4200, 7, 35)
    assert drawn.id == "P3"
    bare = msgspec.structs.replace(d, basins={"P": basin("P")})
    assert areas_below(bare, "P1", hazard) == [measured]
    assert areas_below(d, "P1", "forest_fire") == []


@examples(80)
@given(
    st.lists(st.integers(0, 19_000), min_size=2, max_size=8, unique=True),
    st.integers(-800, 800),
    st.floats(0.2, 5),
    st.floats(1, 4),
    st.integers(5, 600),
)
def test_downstream_of_a_straight_channel(
    along: list[int], aside: int, slow: float, times: float, within_min: int
) -> None:
    """Only what lies below; those below a place are below all that is above it; further is never
    earlier; nothing is told beyond the horizon."""
    flow = Flow(slow_m_s=slow, fast_m_s=slow * times, within_min=within_min)
    places = {f"P{n}": (float(x), float(aside)) for n, x in enumerate(along)}
    d = valley(places, STRAIGHT, flow)
    order = sorted(places, key=lambda k: places[k])
    reached: dict[str, list[Hit]] = {k: areas_below(d, k, "flash_flood") for k in order}
    for k in order:
        hits = reached[k]
        names = [h.id for h in hits]
        expected = [j for j in order if places[j] > places[k]] if abs(aside) < 390 else []
        assert names == [j for j in order if j in names], "in the order of the water"
        assert set(names) <= {j for j in order if places[j] > places[k]}
        if within_min * 60 * flow.fast_m_s > 20_000 and (abs(aside) < 390 or abs(aside) > 410):
            assert names == expected
        for h in hits:
            assert h.earliest_min <= within_min
            assert 0 <= h.earliest_min <= h.latest_min
            assert h.latest_min >= h.distance_m / slow / 60 - 1
        assert [h.distance_m for h in hits] == sorted(h.distance_m for h in hits)
    for above, below in pairwise(order):
        assert {h.id for h in reached[below]} <= {h.id for h in reached[above]} or within_min < 600


def test_yanqing_tells_areas_risks_and_shelters_in_the_way() -> None:
    d = yanqing()
    found = downstream(d, "A10", "flash_flood")
    assert [h.id for h in found if h.what == "area"] == ["A11", "A12", "A13", "A14", "A17", "A18"]
    near = downstream(d, "A01", "flash_flood")
    risks = {d.plans.risks[h.id].area for h in near if h.what == "risk"}
    assert risks
    assert risks <= {"A02", "A03", "A04", "A05"}


def test_a_shelter_in_the_way_of_the_water_is_told() -> None:
    d = valley({"P1": (1000, 0)}, STRAIGHT)
    place = next(iter(yanqing().plans.shelters.values()))
    shelters = {}
    for key, at in (("wet", (3000, 100)), ("dry", (3000, 400)), ("above", (500, 0))):
        lon, lat = degrees(*at)
        shelters[key] = msgspec.structs.replace(place, id=key, lon=lon, lat=lat)
    d = msgspec.structs.replace(d, plans=msgspec.structs.replace(d.plans, shelters=shelters))
    assert [(h.what, h.id) for h in downstream(d, "P1", "flash_flood")] == [("shelter", "wet")]
    assert areas_below(d, "P1", "flash_flood") == []


def test_the_notice_names_the_nearest_and_the_public_text_does_not() -> None:
    d = yanqing()

    def words(kind: Kind, grade: Grade, lang: str = "zh", msg_type: str = "alert") -> str:
        alert = msgspec.structs.replace(
            sample("A01", "flash_flood", grade, 0),
            msg_type=msg_type,  # type: ignore[arg-type]
        )
        return write(d, Message(alert, kind, lang), "app").text  # type: ignore[arg-type]

    move = Grade(Level.YELLOW, Action.MOVE)
    assert "沙门村7–22分钟后" in words("notice", move)
    assert "Shamen in 7-22 min" in words("notice", move, "en")
    assert "沙门" not in words("public", move)
    assert "沙门" not in words("notice", Grade(Level.YELLOW))  # nobody must answer that
    assert "沙门" in words("notice", Grade(Level.ORANGE))
    assert "沙门" not in words("notice", move, msg_type="cancel")
