"""Whom a warning would reach, and who would be left out."""

import math
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from config.records.district import Area, Contact, District, Node
from config.records.level import Action, Level
from dispatch.address.coverage import coverage, uncovered
from dispatch.address.reach_estimate import reach
from dispatch.geography.sound_range import sound
from dispatch.grade import Grade
from fengsui.cli.root import cli
from tests.support.choices import resident
from tests.support.decide_district import T0, small

M = 1 / 111_195.0  # degrees of latitude


def square(d: District, side_m: float, population: int = 100) -> Area:
    """An area of that side around a point on the equator."""
    h = side_m / 2 * M
    ring = ((-h, -h), (h, -h), (h, h), (-h, h), (-h, -h))
    return msgspec.structs.replace(
        d.areas["A01"], lon=0.0, lat=0.0, polygon=ring, population=population
    )


def node(name: str, east_m: float, range_m: int, tower: str = "") -> Node:
    return Node(
        id=name, name=name, name_en=name, area="A01", lon=east_m * M, lat=0.0, range_m=range_m,
        interval_s=600, silent_after_s=3600, tower=tower,
    )  # fmt: skip


def one(area: Area, nodes: list[Node], *people: Contact) -> District:
    return msgspec.structs.replace(
        small(),
        areas={"A01": area},
        nodes={n.id: n for n in nodes},
        contacts={c.id: c for c in people},
    )


BOSS = resident("B-1", role="responsible")
DEPUTY = resident("B-2", role="responsible")


def test_sound_is_the_share_of_the_surface() -> None:
    area = square(small(), 1000)
    found = sound(area, [node("N1", 0, 250), node("N2", 0, 250), node("N3", 5000, 500)])
    assert found.heard == pytest.approx(math.pi * 250**2 / 1000**2, rel=0.01)
    assert found.twice == pytest.approx(found.heard, rel=1e-6)
    assert found.nodes == ("N1", "N2")
    assert sound(area, []).heard == 0
    assert sound(area, [node("N1", 0, 2000)]).heard == pytest.approx(1)
    away = square(small(), 1000)
    half = sound(away, [node("N1", 10_500, 10_500)])  # its edge runs through the middle
    assert half.heard == pytest.approx(0.5, abs=0.01)


def test_the_estimate_counts_each_way() -> None:
    area = square(small(), 1000)
    quarter = math.pi * 250**2 / 1000**2
    people = (
        resident("R-1", people=30),
        resident("R-2", people=20, channels=("app", "sms"), category="school", quiet="00:00-23:59"),
        BOSS,
    )
    d = one(area, [node("N1", 0, 250)], *people)
    r = reach(d, "A01", "flash_flood", Grade(Level.YELLOW), T0)
    assert (r.people, r.on_list, r.later) == (100, 50, 1)
    assert r.lists["public", "resident", "sms"] == 1
    assert r.lists["public", "school", "app"] == 1
    assert r.lists["internal", "responsible", "sms"] == 1
    assert r.lists["public", "loudspeaker", "broadcast"] == 1
    assert r.none == round(100 * (1 - quarter) * 0.5)
    assert r.several == round(100 * quarter * 0.5)
    assert reach(d, "A01", "flash_flood", Grade(Level.RED), T0).later == 0
    blue = reach(d, "A01", "flash_flood", Grade(Level.BLUE), T0)  # wakes no loudspeaker
    assert blue.sound.heard == 0
    assert blue.none == 50
    move = reach(d, "A01", "flash_flood", Grade(Level.NONE, Action.MOVE), T0)
    assert move.none == r.none


def checks(d: District) -> dict[str, int]:
    return {g.check: g.people for g in coverage(d)}


def test_every_gap_is_found_and_nothing_else() -> None:
    area = square(small(), 1000)
    loud = [node("N1", 0, 2000, "T1"), node("N2", 10, 2000, "T2")]
    full = resident("R-1", people=100, channels=("sms", "app"))
    good = one(area, loud, full, BOSS, DEPUTY)
    assert coverage(good) == []

    def people(*more: Contact) -> dict[str, int]:
        return checks(one(area, loud, *more))

    assert people(full, BOSS) == {"no_deputy": 0}
    assert people(full) == {"no_responsible": 0}
    whole = msgspec.structs.replace(DEPUTY, areas=("*",))  # of the district, not of the village
    assert people(full, BOSS, whole) == {"no_deputy": 0}
    phone = msgspec.structs.replace(full, channels=("sms", "voice"))
    assert people(phone, BOSS, DEPUTY) == {"one_channel": 1}
    few = msgspec.structs.replace(full, people=40)
    assert people(few, BOSS, DEPUTY) == {"no_list": 60}
    home = msgspec.structs.replace(full, category="care_home")
    assert people(home, BOSS, DEPUTY) == {"no_plan": 100}
    assert people(msgspec.structs.replace(home, plan="预案 7"), BOSS, DEPUTY) == {}

    def nodes(*more: Node) -> dict[str, int]:
        return checks(one(area, list(more), full, BOSS, DEPUTY))

    assert nodes(loud[0]) == {"one_node": 0}
    same = msgspec.structs.replace(loud[1], tower="T1")
    assert nodes(loud[0], same) == {"one_tower": 0}
    unknown = [msgspec.structs.replace(n, tower="") for n in loud]
    assert nodes(*unknown) == {}
    assert nodes() == {"out_of_sound": 100}
    nobody = coverage(one(area, [], BOSS, DEPUTY))
    assert uncovered(nobody) == 100
    assert uncovered(coverage(good)) == 0


def test_without_a_list_only_loudspeakers_are_judged() -> None:
    found = coverage(one(square(small(), 1000), []), lists=False)
    assert [g.check for g in found] == ["out_of_sound"]


def test_the_commands(tmp_path: Path) -> None:
    def call(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["--state", str(tmp_path), *args])
        return result.exit_code, result.output

    code, said = call("reach", "A01,A02", "flash_flood", "move")
    assert code == 0
    assert "N001" in said
    assert "A02" in said
    assert "199-" not in said
    assert "待批" not in said, "below a flood nobody proposes a warning of its own"
    assert call("reach", "A99", "flash_flood", "red")[0] != 0
    code, fact = call("reach", "A01", "dam_break", "red")
    assert code == 0
    assert "下游每处各有一份待批的预警" in fact
    assert "  公众 居民，短信：" in fact
    code, said = call("coverage")
    assert code == 0
    assert "199-" not in said
    # the store of the run counts, once there is one
    assert call("contacts", "list")[0] == 0
    code, said = call("coverage")
    assert code == 1
    assert "uncovered A04" in said
