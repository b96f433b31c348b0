"""When a fact came about, as a person says it of a lake that burst: a time of day, or a whole moment. Pure."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.language import Text
from ingest.decode.phrases import number

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:：点]([0-5]\d)分?")
_FIGURES = r"\d{1,2}|[零一二两三四五六七八九十]{1,3}"
_SAID = re.compile(
    rf"(?P<part>凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|夜里)?(?P<h>{_FIGURES})(?::|点|时(?!候|间))(?P<m>半|{_FIGURES})?"
)
_AFTER_NOON = ("下午", "傍晚", "晚上")
_EVENING_BEFORE = timedelta(hours=12)  # of an hour that is still to come today


def fact_time(text: str, now: int, zone: str) -> int:
    """Epoch ms. `10:05` is of today, or of yesterday evening when said in the small hours; RFC 3339
    is what it says. "" is 0. Whether it can be (not to come, not too old) is decide's to say, for it
    has every way in. Raises ValueError: it is no time, or an hour of today that is still to come."""
    text = text.strip()
    if not text:
        return 0
    if (found := _CLOCK.fullmatch(text)) is None:
        return _moment(text)
    at = last(int(found[1]), int(found[2]), now, zone)
    if at is None:
        words = f"{datetime.fromtimestamp(now / 1000, ZoneInfo(zone)):%H:%M}"
        raise ValueError(
            Text(
                f"发生时刻 {text} 在将来（现在 {words}）",
                f"{text}, the time of the fact, is in the future (it is {words})",
            )
        )
    return at


def last(hour: int, minute: int, now: int, zone: str) -> int | None:
    """When it was this hour last, epoch ms: today, or yesterday evening in the small hours; None: it
    is still to come today."""
    here = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    there = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if there > here:
        there -= timedelta(days=1)
        if here - there > _EVENING_BEFORE:
            return None
    return int(there.timestamp() * 1000)


def in_words(text: str, now: int, zone: str) -> int:
    """The one time of day that stands in a person's words (`plain`), as `last` has it: 10:05, 10点5分,
    下午三点半, 凌晨两点; 0 where there is none, or more than one, or it is still to come."""
    found = list(_SAID.finditer(text))
    if len(found) != 1:
        return 0
    part, hours, minutes = found[0]["part"] or "", number(found[0]["h"]), found[0]["m"] or "0"
    minute = 30 if minutes == "半" else number(minutes.lstrip("零") or "0")
    if part in _AFTER_NOON and 1 <= hours < 12:
        hours += 12
    if hours > 23 or minute > 59:
        return 0
    return last(hours, minute, now, zone) or 0


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            Text(
                f"{text[:40]!r} 不是发生时刻，应如 10:05 或 2026-08-26T10:05:00+08:00",
                f"{text[:40]!r} is not a time of a fact; write 10:05 or 2026-08-26T10:05:00+08:00",
            )
        )
    return int(moment.timestamp() * 1000)
