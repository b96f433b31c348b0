"""The orders of storms apart: each flood has one fate, against the time that its place needs."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.records.district import Area
from config.records.evacuation import move_needs_s
from fengsui.run.order_need import order_need
from skill.verify.orders import order_figures, worst_first
from skill.verify.storms import WINDOW_S, StormRow, Tier, WarnedVersion, score
from skill.verify.truth import Truth
from tests.support.districts import yanqing

AT = 1_753_531_200_000  # 2025-07-26T12:00Z, 20:00 in Yanqing
MIN = 60_000
NEED_S = 1200


def row(lead_min: int | None, area: str = "A01") -> StormRow:
    """A flood that the order came `lead_min` before (below 0: after), or never."""
    lead = lead_min * 60 if lead_min is not None and lead_min >= 0 else None
    warned_at = None if lead_min is None else AT - lead_min * MIN
    return StormRow(area, "flash_flood", AT, warned_at, lead, NEED_S)


def test_every_flood_has_one_fate_and_false_orders_are_counted() -> None:
    false = StormRow("A09", "flash_flood", None, AT, None, 0)
    found = order_figures("move", [row(45), row(20), row(19), row(0), row(-5), row(None), false])
    assert found[1:6] == (2, 2, 1, 1, 1)
    assert found.floods == 6
    assert found.pod == pytest.approx(2 / 6)
    assert found.far == pytest.approx(1 / 6)  # six orders were given
    assert [found.share(m) for m in (0, 20, 60)] == [4 / 6, 2 / 6, 0]


def test_without_floods_nothing_is_claimed() -> None:
    found = order_figures("move", [])
    assert all(math.isnan(x) for x in (found.pod, found.far, found.share(20)))


def test_the_worst_stand_first() -> None:
    rows = [row(19, "A01"), row(-5, "A02"), row(None, "A03"), row(45, "A04"), row(-30, "A05")]
    assert [r.area for r in worst_first(rows)] == ["A03", "A05", "A02", "A01"]


@pytest.mark.parametrize(
    ("tier", "fate"),
    [("warned", "in_time"), ("prepare", "in_time"), ("move", "after")],
)
def test_a_colour_and_an_order_to_prepare_are_no_order_to_move(tier: Tier, fate: str) -> None:
    versions = [
        WarnedVersion(AT - 90 * MIN, 3, 0),
        WarnedVersion(AT - 40 * MIN, 3, 1),
        WarnedVersion(AT + 5 * MIN, 4, 2),
    ]
    key = ("A01", "flash_flood")
    found = score([Truth(*key, AT)], {key: versions}, tier, lambda area, at: NEED_S)
    assert getattr(order_figures(tier, found.rows), fate) == 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(-300, 600), max_size=6), st.integers(0, 8 * 3600))
def test_a_longer_need_never_makes_a_hit(leads: list[int], need_s: int) -> None:
    key = ("A01", "flash_flood")
    versions = [WarnedVersion(AT - m * MIN, 4, 2, AT - m * MIN + MIN) for m in sorted(leads)[::-1]]

    def hits(need: int) -> int:
        return score([Truth(*key, AT)], {key: versions}, "move", lambda area, at: need).hits

    assert hits(need_s) >= hits(need_s + 60)
    if need_s > WINDOW_S:  # more than any warning can give: the longest lead that counts is enough
        assert hits(need_s) == hits(WINDOW_S)


def test_what_a_village_walked_itself_counts_and_a_way_takes_longer_at_night() -> None:
    area = next(iter(yanqing().areas.values()))
    assert move_needs_s(msgspec.structs.replace(area, move_min=12), night=True) == 720
    near, far = (msgspec.structs.replace(area, shelter_m=m) for m in (100, 2000))
    assert move_needs_s(near, night=False) < move_needs_s(far, night=False)
    assert move_needs_s(far, night=False) < move_needs_s(far, night=True)


def test_the_night_is_the_policys() -> None:
    district = yanqing()
    needed = order_need(district)
    evening, night = AT, AT + 4 * 60 * MIN  # 20:00 and midnight in Yanqing
    assert needed("A01", evening) == move_needs_s(district.areas["A01"], night=False)
    assert needed("A01", night) == move_needs_s(district.areas["A01"], night=True)
    assert needed("nowhere", night) == 600


def test_an_area_of_an_older_folder_has_no_times_of_its_own() -> None:
    assert {f.name for f in msgspec.structs.fields(Area) if not f.required} >= {
        "move_min",
        "shelter_m",
    }
