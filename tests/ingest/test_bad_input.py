"""What becomes of bad input, as docs/bad-input.md states it: in the live stages, and in a record that
is hindcast over a district or tuned on."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from config.load import load
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from fengsui.cli.root import cli
from fengsui.play.in_memory import Inline
from fengsui.run.setup import default_config
from ingest.observation import Observation
from skill.verify.hindcast import Readings, replay
from stream.records import Run

MINUTE = 60_000
DAY = 1440
START = 1_753_488_000_000  # a day's beginning in July
Row = tuple[str, str, int, int]  # station, quantity, minute after START, count


@pytest.fixture(scope="module")
def district() -> District:
    return load(default_config())


def rain(station: str, counts: Iterable[int], minute: int = 0, every: int = 1) -> list[Row]:
    return [(station, "rain", minute + n * every, c) for n, c in enumerate(counts)]


def readings(rows: list[Row], start: int = START) -> Readings:
    rows = sorted(rows, key=lambda r: r[2])
    pairs = sorted({(s, q) for s, q, _, _ in rows})
    return Readings(
        pairs,
        np.array([pairs.index((s, q)) for s, q, _, _ in rows], np.int64),
        np.array([start + m * MINUTE for _, _, m, _ in rows], np.int64),
        np.array([c for *_, c in rows], np.int64),
    )


def live(district: District, rows: list[Row]) -> list[Detection]:
    """Through detect and decide, minute by minute, in the order of `rows`: (…, minute of arrival)
    is that of the newest before."""
    run = Run(
        name="exercise-t", kind="exercise", district=district.id, config=district.version,
        start_at=START - MINUTE,
    )  # fmt: skip
    inline, clock = Inline(district, run), 0
    for station, quantity, minute, count in rows:
        clock = max(clock, minute)
        o = Observation(
            station=station, quantity=quantity, observed_at=START + minute * MINUTE, value=count
        )
        inline.slot([o], START + clock * MINUTE)
    return inline.detections


def of(said: list[Detection], area: str, rule: str) -> list[Detection]:
    return [d for d in said if (d.area, d.rule) == (area, rule)]


def top(said: list[Detection], area: str, rule: str) -> tuple[Level, Action]:
    found = of(said, area, rule)
    return max((d.level for d in found), default=Level.NONE), max(
        (d.action for d in found), default=Action.NONE
    )


STORM = [0] * 5 + [30] * 12


def both(district: District, rows: list[Row]) -> list[list[Detection]]:
    return [live(district, rows), replay(district, readings(rows))]


def test_a_gap_is_no_all_clear(district: District) -> None:
    until = 600
    rows = rain("R01", STORM) + rain("R01", [0] * 90, until)
    for said in both(district, rows):
        found = of(said, "A01", "rain_threshold")
        assert max(d.level for d in found) == Level.RED
        falls = [d for d in found if d.level < Level.RED and d.detected_at > START + 17 * MINUTE]
        assert falls  # once it is heard again and stays dry
        assert min(d.detected_at for d in falls) >= START + until * MINUTE
    silent = [d for d in live(district, [*rows[:17], ("R02", "rain", 200, 0)]) if d.thin]
    assert any(d.area == "A01" for d in silent)


def test_a_constant_value_raises_nothing(district: District) -> None:
    rows: list[Row] = [("S01", "stage", 5 * n, 700) for n in range(170)]
    for said in both(district, rows):
        assert top(said, "A04", "stage_trend") == (Level.NONE, Action.NONE)
        assert any("flat_line" in d.note for d in of(said, "A04", "quality"))
    zero: list[Row] = [("S01", "stage", 5 * n, 0) for n in range(170)]
    assert not of(replay(district, readings(zero)), "A04", "quality")


def test_a_spike_of_stage_orders_no_more_than_to_prepare(district: District) -> None:
    values = [700] * 6 + [3500] + [700] * 20
    rows: list[Row] = [("S01", "stage", 5 * n, v) for n, v in enumerate(values)]
    for said in both(district, rows):
        found = of(said, "A04", "stage_trend")
        assert max(d.level for d in found) == Level.RED
        assert max(d.action for d in found) == Action.PREPARE
        assert all(d.suspect for d in found if d.level == Level.RED)
    held = [700] * 6 + [3500] * 20
    rows = [("S01", "stage", 5 * n, v + n % 2) for n, v in enumerate(held)]
    for said in both(district, rows):  # that it repeats itself confirms nothing
        assert top(said, "A04", "stage_trend")[1] == Action.PREPARE
    rows = [("S01", "stage", 5 * n, v + 15 * n) for n, v in enumerate(held)]
    for said in both(district, rows):  # it moves as water does
        assert top(said, "A04", "stage_trend")[1] == Action.MOVE


def test_a_counter_that_resets_adds_only_what_came_after(district: District) -> None:
    stations = dict(district.stations)
    stations["R01"] = msgspec.structs.replace(stations["R01"], quantity="rain_counter")
    counter = msgspec.structs.replace(district, stations=stations)
    totals = [50_000 + 2 * n for n in range(30)] + [2 * n for n in range(30)]
    rows: list[Row] = [("R01", "rain_counter", n, v) for n, v in enumerate(totals)]
    for said in both(counter, rows):
        assert top(said, "A01", "rain_threshold") == (Level.NONE, Action.NONE)
        assert any("counter_reset" in d.note for d in of(said, "A01", "quality"))
    jump = [50_000, 50_002, 900_000, 900_002]  # no rain can add so much
    rows = [("R01", "rain_counter", n, v) for n, v in enumerate(jump)]
    for said in both(counter, rows):
        assert top(said, "A01", "rain_threshold") == (Level.NONE, Action.NONE)


def test_one_mad_gauge_among_good_ones_orders_no_more_than_to_prepare(district: District) -> None:
    neighbour = "R02"
    mad = rain("R01", [0] * 40 + [150, 300, 300] + [0] * 5)
    good = rain(neighbour, [0] * 48)
    rows = sorted(mad + good, key=lambda r: r[2])
    for said in both(district, rows):
        found = of(said, "A01", "rain_threshold")
        assert max(d.action for d in found) == Action.PREPARE
        assert any("neighbour" in d.note for d in of(said, "A01", "quality"))
        assert top(said, "A02", "rain_threshold")[1] <= Action.PREPARE


def test_a_value_of_yesterday_judges_nothing(district: District) -> None:
    rows = [*rain("R01", [0] * 10, DAY), *rain("R01", [60] * 12, 20)]
    said = live(district, rows)
    assert top(said, "A01", "rain_threshold") == (Level.NONE, Action.NONE)


# --- a record


def csv_of(path: Path, rows: list[Row], start: int = START) -> Path:
    def line(r: Row) -> str:
        at = datetime.fromtimestamp((start + r[2] * MINUTE) / 1000, UTC)
        return f"{r[0]},{r[1]},{at:%Y-%m-%dT%H:%M:%SZ},{r[3] / 10}"

    path.write_text("\n".join(["station,quantity,time,value", *map(line, rows), ""]))
    return path


def events_of(path: Path, minutes: list[tuple[int, int]], start: int = START) -> Path:
    def iso(minute: int) -> str:
        return f"{datetime.fromtimestamp((start + minute * MINUTE) / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"

    lines = [f"A01,{iso(a)},{iso(b)}" for a, b in minutes]
    path.write_text("\n".join(["area,start,end", *lines, ""]))
    return path


def scored(observations: Path, events: Path) -> dict[str, object]:
    words = ["hindcast", "--observations", str(observations), "--events", str(events), "--json"]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.output)
    return told


def counts(told: dict[str, object]) -> list[object]:
    return [told[k] for k in ("hits", "misses", "false_alarms")]


TWO_STORMS = rain("R01", [0] * 200 + [25] * 20 + [0] * 700 + [25] * 20 + [0] * 1900)
FLOOD = [(245, 300)]


@pytest.fixture(scope="module")
def tidy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What is told of the two storms as they were."""
    folder = tmp_path_factory.mktemp("tidy")
    return scored(csv_of(folder / "a.csv", TWO_STORMS), events_of(folder / "e.csv", FLOOD))


def test_an_unsorted_and_duplicated_record_scores_as_the_tidy_one(
    tidy: dict[str, object], tmp_path: Path
) -> None:
    events = events_of(tmp_path / "e.csv", FLOOD)
    assert counts(tidy)[:2] == [1, 0]
    mixed = [*TWO_STORMS, *TWO_STORMS[::7]]
    Random(3).shuffle(mixed)
    told = scored(csv_of(tmp_path / "b.csv", mixed), events)
    assert counts(told) == counts(tidy)
    assert told["lead_minutes"] == tidy["lead_minutes"]
    text = " ".join(told["notes"])  # type: ignore[arg-type]
    assert "put in order" in text
    assert "equal rows" in text


def test_a_clock_a_day_off_for_an_hour_makes_no_alarm(
    tidy: dict[str, object], tmp_path: Path
) -> None:
    events = events_of(tmp_path / "e.csv", FLOOD)
    off = [(s, q, m + DAY if 205 <= m < 215 else m, c) for s, q, m, c in TWO_STORMS]
    told = scored(csv_of(tmp_path / "b.csv", off), events)
    assert told["false_alarms"] <= tidy["false_alarms"]  # type: ignore[operator]
    assert any("clock" in n for n in told["notes"])  # type: ignore[attr-defined]


def test_events_that_overlap_are_one_and_those_outside_are_not_missed(
    tidy: dict[str, object], tmp_path: Path
) -> None:
    record = csv_of(tmp_path / "a.csv", TWO_STORMS)
    odd = scored(
        record, events_of(tmp_path / "f.csv", [*FLOOD, (250, 320), (400 * DAY, 400 * DAY)])
    )
    assert counts(odd) == counts(tidy)
    text = " ".join(odd["notes"])  # type: ignore[arg-type]
    assert "overlapping" in text
    assert "unseen" in text


def test_a_storm_of_a_century_ago_is_judged_as_one_of_today(
    district: District, tmp_path: Path
) -> None:
    ago = START - 84 * 365 * DAY * MINUTE - 21 * DAY * MINUTE  # three times 28 years
    said = replay(district, readings(TWO_STORMS))
    then = replay(district, readings(TWO_STORMS, ago))
    assert len(said) > 5

    def key(d: Detection, start: int) -> tuple[object, ...]:
        return d.area, d.rule, d.level, d.action, d.detected_at - start, d.since_at - start

    assert [key(d, ago) for d in then] == [key(d, START) for d in said]
    early = scored(
        csv_of(tmp_path / "a.csv", TWO_STORMS, ago), events_of(tmp_path / "e.csv", FLOOD, ago)
    )
    assert counts(early)[:2] == [1, 0]


def test_a_record_over_a_hundred_years_is_judged_at_both_ends(district: District) -> None:
    days = 36_525
    ago = START - days * DAY * MINUTE
    dry: list[Row] = [("R01", "rain", n * DAY, 0) for n in range(1, days, 20)]
    later = [(s, q, m + days * DAY, c) for s, q, m, c in TWO_STORMS]
    said = replay(district, readings([*TWO_STORMS, *dry, *later], ago))
    reds = [d.detected_at for d in said if d.area == "A01" and d.level == Level.RED]
    assert min(reds) < ago + DAY * MINUTE
    assert max(reds) > START
