"""The shift roster (值班表, roster.csv): who is on duty at a moment, and when nobody of an office is. Pure
but for `read_roster`."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.language import Text
from config.read.problem import Problem, unknown_name
from config.read.tables import read_table
from config.records.district import District
from config.records.plans import DutyShift

_FILE = "roster.csv"
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_FORMS = "*, mon;tue, 2026-07-01, 2026-07-01/2026-07-31"
_DAYS = Text(f"写作 {_FORMS}", f"written as {_FORMS}")
_BEGIN = Text("写作 08:00", "written as 08:00")
_END = Text("写作 20:00；不晚于 begin 即次日", "written as 20:00; not after begin: the next day")
LOOKED_AHEAD_MS = 7 * 86_400_000


class OnDuty(NamedTuple):
    """Somebody's turn: from `begin` to `end`, epoch ms."""

    officer: str
    begin: int
    end: int


class Unmanned(NamedTuple):
    """Nobody of an office that stands in the roster has the turn from `begin` to `end`, epoch ms."""

    office: str
    begin: int
    end: int


def read_roster(folder: Path, district: District, problems: list[Problem]) -> tuple[DutyShift, ...]:
    """The rows; () where there is no such file."""
    if not (folder / _FILE).exists():
        return ()
    rows = []
    for n, row in read_table(folder / _FILE, DutyShift, problems):
        for column, good, hint in (
            ("days", bool(row.days) and all(map(_is_day, row.days)), _DAYS),
            ("begin", bool(_TIME.fullmatch(row.begin)), _BEGIN),
            ("end", bool(_TIME.fullmatch(row.end)), _END),
        ):
            if not good:
                value = getattr(row, column)
                words = Text(f"{value!r} 不能用", f"{value!r} cannot be used")
                problems.append(Problem(_FILE, n, column, words, hint))
        if row.officer not in district.officers:
            problems.append(Problem(_FILE, n, "officer", unknown_name(row.officer), "officers.csv"))
        rows.append(row)
    return tuple(rows)


def _is_day(word: str) -> bool:
    if word == "*" or word in _WEEK:
        return True
    try:
        first, last = _span(word)
    except ValueError:
        return False
    return first <= last


def _span(word: str) -> tuple[date, date]:
    first, _, last = word.partition("/")
    return date.fromisoformat(first), date.fromisoformat(last or first)


def _holds(row: DutyShift, day: date) -> bool:
    for word in row.days:
        if word in ("*", _WEEK[day.weekday()]):
            return True
        if word not in _WEEK and word != "*":
            first, last = _span(word)
            if first <= day <= last:
                return True
    return False


def _turns(rows: Iterable[DutyShift], begin: int, end: int, zone: str) -> list[OnDuty]:
    """All that touch the time from `begin` to `end`, epoch ms, in order."""
    there = ZoneInfo(zone)
    day = datetime.fromtimestamp(begin / 1000, there).date() - timedelta(days=1)
    last = datetime.fromtimestamp(end / 1000, there).date()
    found = []
    rows = tuple(rows)
    while day <= last:
        for row in rows:
            if _holds(row, day):
                until = day + timedelta(days=0 if row.end > row.begin else 1)
                turn = OnDuty(row.officer, _ms(day, row.begin, there), _ms(until, row.end, there))
                if turn.end > begin and turn.begin < end:
                    found.append(turn)
        day += timedelta(days=1)
    return sorted(found, key=lambda t: (t.begin, t.officer))


def _ms(day: date, clock: str, there: ZoneInfo) -> int:
    at = datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=there)
    return int(at.astimezone(UTC).timestamp() * 1000)


def on_duty(district: District, at: int) -> list[OnDuty]:
    """Whose turn it is at a moment, epoch ms; the offices in the order of policy.toml."""
    found = _turns(district.plans.roster, at, at + 1, district.timezone)
    offices = list(district.policy.office)
    return sorted(found, key=lambda t: (offices.index(district.officers[t.officer].office), t))


def unmanned(district: District, begin: int, end: int) -> list[Unmanned]:
    """Of each office of which somebody stands in the roster: when nobody has the turn."""
    rows, out = district.plans.roster, []
    turns = _turns(rows, begin, end, district.timezone)
    for office in district.policy.office:
        if not any(district.officers[r.officer].office == office for r in rows):
            continue
        at = begin
        for turn in turns:
            if district.officers[turn.officer].office != office:
                continue
            if turn.begin > at:
                out.append(Unmanned(office, at, min(turn.begin, end)))
            at = max(at, turn.end)
        if at < end:
            out.append(Unmanned(office, at, end))
    return out


def roster_gaps(district: District, now: int) -> list[Text]:
    """In words, for the next seven days from `now` (epoch ms): no fault, for warnings are asked for by
    officers.csv and not by the roster."""
    there = ZoneInfo(district.timezone)
    found = []
    for gap in unmanned(district, now, now + LOOKED_AHEAD_MS):
        office = district.policy.office[gap.office]
        a, b = (datetime.fromtimestamp(x / 1000, there) for x in (gap.begin, gap.end))
        found.append(
            Text(
                f"{_FILE}: {office.name} {a:%m-%d %H:%M} 至 {b:%m-%d %H:%M} 无人值班",
                f"{_FILE}: {office.name_en}: nobody is on duty from {a:%m-%d %H:%M} to {b:%m-%d %H:%M}",
            )
        )
    return found
