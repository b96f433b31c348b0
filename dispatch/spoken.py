"""Chinese text as a loudspeaker says it: numbers in words, no brackets.

A time is said 十八点三十分, a number in a name digit by digit beyond 99 (110 is 幺幺零), so that
what is heard is what was written.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_DIGITS = "零一二三四五六七八九"
_CODE = "零幺二三四五六七八九"  # one by one, 1 is said 幺


def number(n: int) -> str:
    """0 … 99 in words: 十八, 三十, 零."""
    if not 0 <= n <= 99:
        raise ValueError(f"{n} is not a number of at most two digits")
    tens, ones = divmod(n, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def spoken(text: str) -> str:
    """A name or sentence for the loudspeaker: brackets become commas, figures become words."""

    def words(match: re.Match[str]) -> str:
        digits = match[0]
        if len(digits) <= 2:
            return number(int(digits))
        return "".join(_CODE[int(d)] for d in digits)

    text = re.sub(r"[（(]", "，", text)
    text = re.sub(r"[）)]", "", text)
    return re.sub(r"[0-9]+", words, text)


def moment(at: int, now: int, zone: str) -> str:
    """When `at` is, said at `now` (epoch ms): 今天十八点三十分, 明天零点整."""
    there = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    here = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    days = (there.date() - here.date()).days
    day = {0: "今天", 1: "明天"}.get(days) or f"{number(there.month)}月{number(there.day)}日"
    minute = f"{number(there.minute)}分" if there.minute else "整"
    if 0 < there.minute < 10:
        minute = f"零{minute}"
    return f"{day}{number(there.hour)}点{minute}"
