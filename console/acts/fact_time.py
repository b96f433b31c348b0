"""When a fact came about, as a person says it of a lake that burst: a time of day, or a whole moment. Pure."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.language import Text

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:：点]([0-5]\d)分?")
_EVENING_BEFORE = timedelta(hours=12)  # of an hour that is still to come today


def fact_time(text: str, now: int, zone: str) -> int:
    """Epoch ms. `10:05` is of today, or of yesterday evening when said in the small hours; RFC 3339
    is what it says. "" is 0. Whether it can be (not to come, not too old) is decide's to say, for it
    has every way in. Raises ValueError: it is no time, or an hour of today that is still to come."""
    text = text.strip()
    if not text:
        return 0
    here = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    if (found := _CLOCK.fullmatch(text)) is None:
        return _moment(text)
    there = here.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    if there > here:
        there -= timedelta(days=1)
        if here - there > _EVENING_BEFORE:
            words = f"{here:%H:%M}"
            raise ValueError(
                Text(
                    f"发生时刻 {text} 在将来（现在 {words}）",
                    f"{text}, the time of the fact, is in the future (it is {words})",
                )
            )
    return int(there.timestamp() * 1000)


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
