"""A record replayed: the same detections as the line's own steps make of it, and a whole district
scored over a record from the command line."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from config.load import load
from config.records.district import District
from config.records.level import Action, Level
from config.records.quantity import QUANTITIES
from config.records.rules import RuleRow
from detectors.detection import Detection
from fengsui.cli.root import cli
from fengsui.play.in_memory import Inline
from fengsui.run.setup import default_config
from ingest.observation import Observation
from simulators.scenario import Scenario, scenario, storm_set
from simulators.world import World
from skill.report.district import alarms
from skill.verify.hindcast import Readings, replay, spans, unused
from stream.records import Run

MINUTE = 60_000


@pytest.fixture(scope="module")
def district() -> District:
    return load(default_config())


def with_rules(district: District) -> District:
    """The district with one rule of each sort: of a station, of several, and over others."""
    found = district.areas.values()
    areas = tuple(a.id for a in found if {"debris_flow", "flash_flood"} <= {*a.hazards})
    rows = (
        RuleRow(
            id="curve", kind="intensity_duration", hazard="debris_flow", source="test",
            parameters={"to_min": 360}, yellow=0.6, orange=0.9, red=1.2, prepare=0.9,
        ),
        RuleRow(
            id="mean", kind="areal_rain", hazard="flash_flood", source="test", areas=areas,
            blue=10.0, yellow=20.0, orange=30.0, prepare=25.0,
        ),
        RuleRow(
            id="both", kind="compound", hazard="debris_flow", source="test", areas=areas, red=2.0, move=2.0,
            parameters={"of": [{"rule": "curve", "level": "yellow"},
                               {"rule": "mean", "hazard": "flash_flood"}], "within_min": 60},
        ),
    )  # fmt: skip
    return msgspec.structs.replace(
        district, rules=msgspec.structs.replace(district.rules, rule=rows)
    )


def played(district: District, s: Scenario) -> tuple[Inline, list[Observation]]:
    """A storm through the stages in memory, and all that was measured."""
    world = World(district, s._replace(faults=()))
    run = Run(
        name="exercise-test", kind="exercise", district=district.id, config=district.version,
        start_at=s.start_at, seed=world.seed, scenario=s.name,
    )  # fmt: skip
    inline, heard = Inline(district, run), []
    for minute, batch in measured(world):
        heard += batch
        inline.slot(batch, world.at(minute))
    return inline, heard


def measured(world: World) -> Iterator[tuple[int, list[Observation]]]:
    """Minute by minute, rain and stages."""
    for minute in range(world.minutes + 60):
        batch = [o for o in world.observations(minute) if o.quantity in ("rain", "stage")]
        yield minute, batch


def record(heard: list[Observation]) -> Readings:
    pairs = sorted({(o.station, o.quantity) for o in heard})
    heard = sorted(heard, key=lambda o: o.observed_at)
    return Readings(
        pairs,
        np.array([pairs.index((o.station, o.quantity)) for o in heard], np.int64),
        np.array([o.observed_at for o in heard], np.int64),
        np.array([o.value for o in heard], np.int64),
    )


def key(d: Detection) -> tuple[object, ...]:
    return d.area, d.hazard, d.rule, d.detected_at, d.level, d.action, d.since_at, d.evidence


@pytest.mark.parametrize("s", [scenario("cloudburst"), storm_set(4)[3]], ids=lambda s: s.name)
def test_a_record_says_what_the_line_said_at_the_time(district: District, s: Scenario) -> None:
    whole = with_rules(district)
    inline, heard = played(whole, s)
    rules = {"rain_threshold", "stage_trend", "curve", "mean", "both"}
    live = [d for d in inline.detections if d.rule in rules]
    assert {d.rule for d in live} >= {"rain_threshold", "curve", "mean", "both"}
    assert max(d.action for d in live) == Action.MOVE
    past = [d for d in replay(whole, record(heard)) if d.rule in rules]
    assert sorted(map(key, past), key=repr) == sorted(map(key, live), key=repr)


def test_what_the_config_lacks_is_told(district: District) -> None:
    readings = Readings(
        [("R01", "rain"), ("R99", "rain")],
        np.array([0, 1, 1]), np.array([0, MINUTE, 2 * MINUTE]), np.array([1, 2, 3]),
    )  # fmt: skip
    assert [(u.station, u.readings) for u in unused(district, readings)] == [("R99", 2)]
    assert spans(readings) == (0, 2 * MINUTE)


def said(area: str, rule: str, minute: int, level: int, action: int = 0) -> Detection:
    return Detection(
        id="", area=area, hazard="flash_flood", rule=rule, level=Level(level),
        action=Action(action), detected_at=minute * MINUTE, since_at=minute * MINUTE,
    )  # fmt: skip


def test_an_alarm_lasts_from_the_first_rule_up_to_the_last_one_down() -> None:
    lines = [
        said("A", "r1", 10, 2), said("A", "r2", 20, 3), said("A", "r1", 30, 0),
        said("A", "r2", 50, 1), said("B", "r1", 40, 4), said("A", "r1", 60, 1, 2),
    ]  # fmt: skip
    found = alarms(reversed(lines), Level.YELLOW, Action.NONE, 99 * MINUTE)
    assert [(a.area, a.start_at // MINUTE, a.end_at // MINUTE) for a in found] == [
        ("A", 10, 50),
        ("B", 40, 99),
    ]
    move = alarms(lines, Level.NONE, Action.MOVE, 99 * MINUTE)
    assert [(a.area, a.start_at // MINUTE) for a in move] == [("A", 60)]


def written(folder: Path, heard: list[Observation], flooded: list[tuple[str, int]]) -> list[str]:
    def iso(at: int) -> str:
        return datetime.fromtimestamp(at / 1000, UTC).isoformat()

    with (folder / "obs.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("station", "quantity", "time", "value"))
        for o in heard:
            value = QUANTITIES[o.quantity].amount(o.value)
            rows.writerow((o.station, o.quantity, iso(o.observed_at), value))
    lines = [f"{a},{iso(at)},{iso(at + 3_600_000)}" for a, at in flooded]
    (folder / "events.csv").write_text("\n".join(["area,start,end", *lines, ""]))
    return ["--observations", str(folder / "obs.csv"), "--events", str(folder / "events.csv")]


def command(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["hindcast", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def storm(name: str, folder: Path) -> tuple[list[str], list[tuple[str, int]]]:
    """What was measured of it, as a record to be scored, and which areas were flooded when."""
    world = World(load(default_config()), scenario(name)._replace(faults=()))
    heard = [o for _, batch in measured(world) for o in batch]
    flooded = [(t.area, t.flooded_at) for t in world.truth if t.flooded_at is not None]
    assert len(flooded) > 5
    return written(folder, heard, flooded), flooded


def test_a_district_is_scored_over_a_record(tmp_path: Path) -> None:
    files, flooded = storm("yanqing-storm", tmp_path)
    code, text = command(*files, "--min-lead", "10min", "--step", "prepare", "--json")
    assert code == 0, text
    told = json.loads(text)
    assert told["hits"] + told["misses"] == len({a for a, _ in flooded})
    assert told["pod"] > 0.5
    assert told["lead_minutes"]["median"] >= 10
    assert told["csi_interval"][0] <= told["csi"] <= told["csi_interval"][1]
    order = [told["by_step"][n]["hits"] for n in ("blue", "yellow", "orange", "red")]
    assert order == sorted(order, reverse=True)


def test_a_longer_lead_is_never_easier(tmp_path: Path) -> None:
    files, _ = storm("cloudburst", tmp_path)
    leads = [json.loads(command(*files, "--min-lead", x, "--json")[1]) for x in ("10min", "60min")]
    assert 0 < leads[0]["hits"] >= leads[1]["hits"]
    code, text = command(*files)
    assert code == 0
    assert "· misses" in text
    assert "not supported by this record" in text


def test_what_cannot_be_scored_is_refused(district: District, tmp_path: Path) -> None:
    o = Observation(station="R99", quantity="rain", observed_at=0, value=3)
    good = Observation(station="R01", quantity="rain", observed_at=0, value=3)
    assert "R99" in command(*written(tmp_path, [o], [("A01", 0)]))[1]
    code, text = command(*written(tmp_path, [good], [("nowhere", 0)]))
    assert (code, "nowhere" in text) == (1, True)
