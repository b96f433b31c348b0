"""Moments as they are written in the district, where a person reads them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def local(at: int, zone: str, form: str) -> str:
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
