"""officers.csv and the offices of policy.toml: whoever must decide can, or nothing starts."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config.checks.officers import unreachable
from config.load import ConfigError, load
from tests.support.decide_district import yanqing

ROOT = Path(__file__).parents[2]
Rows = list[dict[str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config" / "yanqing", tmp_path / "yanqing"))


def people(folder: Path, change: Callable[[Rows], Rows]) -> None:
    path = folder / "officers.csv"
    with path.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    with path.open("w", encoding="utf-8", newline="") as f:
        out = csv.DictWriter(f, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(change(rows))


def policy(folder: Path, old: str, new: str) -> None:
    path = folder / "policy.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def faults(folder: Path) -> list[tuple[str, int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return [p[:4] for p in caught.value.problems]


def test_yanqing_has_its_people() -> None:
    d = yanqing()
    assert {o.office for o in d.officers.values()} == set(d.policy.office)
    assert sum(o.office == "village" for o in d.officers.values()) == len(d.areas)


WRONG = [
    ("office", "king"),
    ("office", ""),
    ("areas", "A99"),
    ("areas", ""),
    ("duty", "-1"),
    ("duty", "soon"),
    ("contact", "C-9999"),
    ("id", "a/b"),
    ("id", "policy"),
    ("id", "K-02"),
]


@pytest.mark.parametrize(("column", "value"), WRONG)
def test_a_wrong_cell_is_named(folder: Path, column: str, value: str) -> None:
    people(folder, lambda rows: [{**rows[0], column: value}, *rows[1:]])
    found = [(f, c) for f, r, c, _ in faults(folder) if r in (2, 3)]
    assert ("officers.csv", column) in found


def without(office: str) -> Callable[[Rows], Rows]:
    return lambda rows: [r for r in rows if r["office"] != office]


def off_duty(office: str) -> Callable[[Rows], Rows]:
    return lambda rows: [{**r, "duty": "0"} if r["office"] == office else r for r in rows]


HELD = [
    (without("city"), "authority.*.orange.by"),
    (off_duty("city"), "authority.*.red.by"),
    (without("city-leader"), "authority.*.orange.chain"),
    (off_duty("city-leader"), "authority.*.red.chain"),
    (
        lambda rows: [r for r in rows if r["office"] not in ("resources", "weather")],
        "authority.debris_flow.blue.by",
    ),
    (without("weather"), "authority.debris_flow.yellow.by"),
    (off_duty("resources"), "authority.debris_flow.yellow.by"),
    (
        lambda rows: [r for r in rows if r["id"] not in ("K-02", "D-01", "D-02", "D-09")],
        "authority.*.red.two_persons",
    ),
    (
        # nobody is left for one township: its first area is named
        lambda rows: [{**r, "areas": "四海镇"} if r["office"] == "district" else r for r in rows],
        "authority.*.blue.by",
    ),
]


@pytest.mark.parametrize(("change", "place"), HELD, ids=[p for _, p in HELD])
def test_an_authority_that_nobody_holds_is_refused(
    folder: Path, change: Callable[[Rows], Rows], place: str
) -> None:
    people(folder, change)
    found = faults(folder)
    assert place in [c for f, _, c, _ in found if f == "policy.toml"], found
    assert len({(c, words) for _, _, c, words in found}) == len(found)


POLICY = [
    ("joint = true", 'joint = "yes"', "authority"),
    ("second_s = 600", "second_s = -1", "authority.debris_flow.blue.second_s"),
    ("joint = true", "joint = false", "authority.debris_flow.blue.second_s"),
    ('by = ["resources", "weather"]', 'by = ["weather"]', "authority.debris_flow.blue.by"),
    (
        "joint = true\ndeadline_s = 600",
        "joint = true\ndeadline_s = 0",
        "authority.debris_flow.blue.deadline_s",
    ),
    ('alone = "release"', 'alone = "hold"', "authority"),
    ('through = ["district"]', 'through = ["districts"]', "authority.*.orange.through"),
    ('override = ["district"]', 'override = ["mayor"]', "authority.*.red.override"),
    ('by = ["city"]', 'by = ["town"]', "authority.*.orange.by"),
    ('by = ["city"]', "by = []", "authority.*.orange.by"),
    ('office = "city-leader"', 'office = "boss"', "authority.*.orange.chain"),
    ("within_s = 600", "within_s = 0", "authority.*.orange"),
    ("within_s = 600", "within = 600", "authority"),
    ("deadline_s = 600", "deadline_s = -1", "authority.*.orange"),
    ('default = "repeat"', 'default = "escalate"', "authority"),
    ('name_en = "city flood headquarters"', 'name_en = ""', "office.city"),
    ('name = "村责任人"', 'name = "村、组责任人"', "office.village"),
    ('ends = ["district", "township", "city"]', 'ends = ["nobody"]', "authority.*.move.ends"),
]


@pytest.mark.parametrize(("old", "new", "place"), POLICY, ids=[f"{n}" for _, n, _ in POLICY])
def test_a_wrong_policy_is_named(folder: Path, old: str, new: str, place: str) -> None:
    policy(folder, old, new)
    found = [c for f, _, c, _ in faults(folder) if f == "policy.toml"]
    assert any(c.startswith(place) for c in found), found


def test_a_question_that_would_be_asked_again_for_ever_at_once_is_refused(folder: Path) -> None:
    policy(folder, '[authority."*".blue]', '[authority."*".blue]\ndefault = "repeat"')
    assert "authority.*.blue.default" in [c for _, _, c, _ in faults(folder)]


def test_a_district_that_only_looks_back_needs_no_officers(folder: Path) -> None:
    (folder / "officers.csv").unlink()
    with pytest.raises(ConfigError, match="plans.toml:task"):  # a plan needs somebody to do it
        load(folder)
    for name in (
        "plans.toml",
        "teams.csv",
        "supplies.csv",
        "shelters.csv",
        "risks.csv",
        "roster.csv",
    ):
        (folder / name).unlink()
    assert load(folder).officers == {}


def test_who_stands_for_two_offices_of_a_joint_release_is_named() -> None:
    d = yanqing()
    assert not [t for t in unreachable(d.policy, d.officers.values()) if "两家" in t.zh]
    twice = {
        k: msgspec.structs.replace(o, contact="C-0190") if o.office in ("weather", "resources") else o
        for k, o in d.officers.items()
    }
    (found,) = (t for t in unreachable(d.policy, twice.values()) if "两家" in t.zh)
    assert "G-01" in found.zh
    assert "M-01" in found.en
