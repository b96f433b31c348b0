"""The shift roster: who is on duty at a moment, over midnight too, and which office has nobody."""

from pathlib import Path

import msgspec
import pytest

from config.checks.roster import on_duty, read_roster, roster_gaps, unmanned
from config.language import zh
from config.load import load
from config.read.problem import Problem
from config.records.district import District
from config.records.plans import DutyShift

FOLDER = Path(__file__).parents[2] / "config" / "yanqing"
HOUR = 3_600_000
EVENING = 1_753_524_000_000  # 2025-07-26 18:00 in Beijing, a Saturday


def of(*rows: DutyShift) -> District:
    d = load(FOLDER)
    return msgspec.structs.replace(d, plans=msgspec.structs.replace(d.plans, roster=rows))


def turn(days: str, begin: str, end: str, officer: str) -> DutyShift:
    return DutyShift(days=tuple(days.split(";")), begin=begin, end=end, officer=officer)


def who(district: District, at: int) -> list[str]:
    return [t.officer for t in on_duty(district, at)]


def test_the_district_has_somebody_of_every_office_at_every_hour() -> None:
    d = load(FOLDER)
    assert roster_gaps(d, EVENING) == []
    assert who(d, EVENING)[:1] == ["D-01"]
    assert who(d, EVENING + 2 * HOUR)[:1] == ["D-02"], "20:00 is the next one's"
    assert who(d, EVENING + 13 * HOUR)[:1] == ["D-02"], "a turn goes over midnight"


def test_days_of_the_week_and_dates() -> None:
    d = of(
        turn("sat", "08:00", "08:00", "D-01"),
        turn("2025-07-27/2025-07-28", "08:00", "20:00", "D-02"),
    )
    assert who(d, EVENING) == ["D-01"]
    assert who(d, EVENING + 13 * HOUR) == ["D-01"], "07:00 on Sunday is still Saturday's"
    assert who(d, EVENING + 15 * HOUR) == ["D-02"]
    assert who(d, EVENING + 5 * 24 * HOUR) == []


def test_a_gap_is_named_with_its_office_and_hours() -> None:
    d = of(turn("*", "08:00", "19:30", "D-01"), turn("*", "20:00", "08:00", "D-02"))
    gaps = unmanned(d, EVENING, EVENING + 24 * HOUR)
    assert [(g.office, g.end - g.begin) for g in gaps] == [("district", HOUR // 2)]
    words = [zh(w) for w in roster_gaps(d, EVENING)]
    assert words[0] == "roster.csv: 区防汛指挥部 07-26 19:30 至 07-26 20:00 无人值班"
    assert len(words) == 7, "one a day of the week ahead"


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("never,08:00,20:00,D-01", "days"),
        ("2025-07-28/2025-07-27,08:00,20:00,D-01", "days"),
        ("*,8:00,20:00,D-01", "begin"),
        ("*,08:00,24:00,D-01", "end"),
        ("*,08:00,20:00,X-99", "officer"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, column: str) -> None:
    (tmp_path / "roster.csv").write_text(f"days,begin,end,officer\n{row}\n")
    problems: list[Problem] = []
    read_roster(tmp_path, load(FOLDER), problems)
    assert [(p.file, p.row, p.column) for p in problems] == [("roster.csv", 2, column)]
