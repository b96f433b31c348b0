"""Moments as they are written in the district, where a person reads them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MORNING = 5  # o'clock: what is earlier is said 凌晨, for nobody must take it for the afternoon's
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(at: int, zone: str, form: str = "%m-%d %H:%M") -> str:
    """A moment (epoch ms) as it is written in the district."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime(form)


def day(at: int, zone: str) -> date:
    """The day in the district at a moment (epoch ms)."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).date()


def when(at: int, zone: str, lang: str) -> str:
    """26日18:30, 18:30 26 Jul."""
    there = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    if lang == "zh":
        return f"{there.day}日{there:%H:%M}"
    return f"{there:%H:%M} {there.day} {_MONTHS[there.month - 1]}"


def figures(hour: int, minute: int) -> str:
    """18点30分, 凌晨2点05分, 18点: a time of day as it is said, in figures."""
    early = "凌晨" if 0 < hour < MORNING else ""
    return f"{early}{hour}点" + (f"{minute:02d}分" if minute else "")


def hour(at: int, now: int, zone: str, said: Callable[[int, int], str] = figures) -> str:
    """When `at` is, said at `now` (epoch ms): 18点30分, 明天凌晨2点05分. said: of an hour and a minute."""
    there, here = (datetime.fromtimestamp(x / 1000, ZoneInfo(zone)) for x in (at, now))
    days = (there.date() - here.date()).days
    day = {0: "", 1: "明天"}.get(days, f"{there.day}日")
    return day + said(there.hour, there.minute)


def quiet_until(hours: str, at: int, zone: str) -> int:
    """When the quiet hours ("22:00-06:30" of each day, local time) in which `at` lies end; 0 outside
    of them. Epoch ms. The same hour twice is the whole day: quiet without end is none."""
    begin, _, end = hours.partition("-")
    if not end or begin == end:
        return 0
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    hour = f"{local:%H:%M}"
    overnight = begin > end
    inside = (hour >= begin or hour < end) if overnight else begin <= hour < end
    if not inside:
        return 0
    day = local.date() + timedelta(days=1 if overnight and hour >= begin else 0)
    over = datetime.fromisoformat(f"{day} {end}").replace(tzinfo=ZoneInfo(zone))
    return int(over.astimezone(UTC).timestamp() * 1000)
