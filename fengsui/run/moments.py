"""Moments and lengths of time as a person writes them."""

import re
from datetime import datetime

from config.language import Text
from stream.environment import Usage

_UNITS_S = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def parse_moment(text: str) -> int:
    """RFC 3339 -> milliseconds since 1970; raises Usage."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Usage(
            Text(
                f"{text!r} 不是时间，应如 2025-07-26T12:00:00+08:00",
                f"{text!r} is not a time; write 2025-07-26T12:00:00+08:00",
            )
        ) from None
    if moment.tzinfo is None:
        raise Usage(
            Text(
                f"{text!r} 没有时区，应如 {moment.isoformat()}+08:00，世界时写 …Z",
                f"{text!r} has no time zone; write {moment.isoformat()}+08:00, or …Z for UTC",
            )
        )
    return int(moment.timestamp() * 1000)


def seconds(text: str) -> int:
    """`15min`, `1h`, `90s`, `0` -> seconds; raises Usage."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h|d)?", text.strip())
    if not found or (found[2] is None and float(found[1])):
        raise Usage(
            Text(
                f"{text!r} 不是时长，应如 15min、90s、1h",
                f"{text!r} is not a length of time; write 15min, 90s, 1h",
            )
        )
    return round(float(found[1]) * _UNITS_S[found[2] or "s"])
