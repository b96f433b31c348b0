"""Chinese text as a loudspeaker says it: numbers in words, no brackets.

A time is said 十八点三十分 or 凌晨两点, what is measured or counted as a number (一百二十毫米, 零下五摄氏度),
a number in a name digit by digit beyond 99 (110 is 幺幺零), so that what is heard is what was written.
"""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatch.words.local_time import MORNING

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


def cardinal(n: int) -> str:
    """A whole number in words: 一百二十, 一千零五, 两千零五十, 三万."""
    if n < 100:
        return number(n)
    if n >= 10**8:
        return "".join(_CODE[int(d)] for d in str(n))
    if n >= 10_000:
        head, rest = divmod(n, 10_000)
        zero = "零" if 0 < rest < 1000 else ""
        return f"{_two(head)}万{zero}{_rest(rest)}" if rest else f"{_two(head)}万"
    for unit, word in ((1000, "千"), (100, "百")):
        if n >= unit:
            head, rest = divmod(n, unit)
            zero = "零" if 0 < rest < unit // 10 else ""
            first = "两" if head == 2 and unit == 1000 else _DIGITS[head]
            return f"{first}{word}{zero}{_rest(rest)}"
    raise AssertionError(n)


def _rest(n: int) -> str:
    """After a higher unit ten is said 一十."""
    if n == 0:
        return ""
    return "一" + number(n) if 10 <= n <= 19 else cardinal(n)


def _two(n: int) -> str:
    return "两" if n == 2 else cardinal(n)


def telephone(digits: str) -> str:
    """One by one, 1 as 幺, a pause where the number has a hyphen: 零幺零，六九幺零……"""
    return "，".join(
        "".join(_CODE[int(d)] for d in part if d in "0123456789") for part in digits.split("-")
    )


# what is measured or counted, as it is said; the longest first
_UNITS = {
    "mm/h": "毫米每小时",
    "m³/s": "立方米每秒",
    "m/s": "米每秒",
    "km": "公里",
    "mm": "毫米",
    "cm": "厘米",
    "m": "米",
    "℃": "摄氏度",
    "°C": "摄氏度",
}
_COUNTED = "毫米|厘米|公里|千米|立方米|米|小时|分钟|秒|人|户|个|处|条|辆|次|元|吨|度|天|年"
_NUMBER = re.compile(
    r"(?P<year>(?:19|20)\d{2})(?=年)"
    r"|(?P<h>\d{1,2})[:：](?P<min>\d{2})(?!\d)"
    r"|(?P<tel>0\d{2,3}-\d{7,8}|\d{3,4}-\d{4}-\d{4})"
    r"|(?P<percent>\d+(?:\.\d+)?)\s*[%％]"
    rf"|(?P<n>\d+(?:\.\d+)?)\s*(?P<unit>(?:{'|'.join(_UNITS)})(?![A-Za-z])|(?={_COUNTED}))"
    r"|(?P<decimal>\d+\.\d+)"
    r"|(?P<code>\d+)"
)


_DEGREES = "℃|°C|摄氏度|度"
_MEASURED = "|".join([*_UNITS, _COUNTED])
_SIGN = r"(?<![A-Za-z0-9.)）~～–—-])[-−－﹣]\s*"
_VALUE = r"\d+(?:\.\d+)?\s*"
_BELOW = re.compile(
    rf"{_SIGN}(?={_VALUE}(?:{_DEGREES}|到(?:零下|[-−－﹣])?{_VALUE}(?:{_DEGREES})))"
)
_MINUS = re.compile(rf"{_SIGN}(?={_VALUE}(?:{_MEASURED}))")
_TO = re.compile(
    rf"(?<=[\d℃C%％度])\s*(?:[~～–—]\s*(?=[-−－﹣]?\s*\d)|-(?={_VALUE}(?:{_DEGREES}|{_MEASURED})))"
)


@lru_cache(maxsize=4096)  # the same names and sentences stand in every message about a place
def spoken(text: str) -> str:
    """A name or sentence for the loudspeaker: brackets become commas, figures become words.

    18:30 十八点三十分; 2025年 二零二五年; −5℃ 零下五摄氏度; 20～30毫米 二十到三十毫米; 52.3mm
    五十二点三毫米; 80% 百分之八十; 120人 一百二十人; a telephone or road number digit by digit, 110 幺幺零.
    """
    text = re.sub(r"[（(]", "，", text)
    text = re.sub(r"[）)]", "", text)
    text = _TO.sub("到", text)
    text = _BELOW.sub("零下", text)
    text = _MINUS.sub("负", text)
    return _NUMBER.sub(_said, text)


def _said(match: re.Match[str]) -> str:
    found = match.groupdict()
    if found["year"] is not None:
        return "".join(_DIGITS[int(d)] for d in found["year"])
    if found["h"] is not None:
        return clock(int(found["h"]), int(found["min"]))
    if found["tel"] is not None:
        return telephone(found["tel"])
    if found["percent"] is not None:
        return f"百分之{_decimal(found['percent'])}"
    if found["n"] is not None:
        unit = _UNITS.get(found["unit"], "")
        return ("两" if found["n"] == "2" else _decimal(found["n"])) + unit
    if found["decimal"] is not None:
        return _decimal(found["decimal"])
    code = found["code"]
    return number(int(code)) if len(code) <= 2 else telephone(code)


def _decimal(text: str) -> str:
    whole, _, part = text.partition(".")
    after = "点" + "".join(_DIGITS[int(d)] for d in part) if part else ""
    return cardinal(int(whole)) + after


def clock(hour: int, minute: int) -> str:
    """十八点三十分, 零点零五分, 凌晨两点整: by day nobody must take it for the afternoon's."""
    said = f"{number(minute)}分" if minute else "整"
    early = "凌晨" if 0 < hour < MORNING else ""
    return f"{early}{_two(hour)}点{'零' if 0 < minute < 10 else ''}{said}"


# espeak-ng's Mandarin, measured on whole warnings at the node's 220 words a minute (4.06 at 210, 3.85 at
# 200); its breath at a mark is in it. A news reader says about 270 characters a minute, 4.5 a second
CHARS_PER_S = 4.3


def seconds(text: str) -> float:
    """About how long a text takes to be read aloud once by a node."""
    return sum("一" <= c <= "鿿" for c in text) / CHARS_PER_S


def moment(at: int, now: int, zone: str) -> str:
    """When `at` is, said at `now` (epoch ms): 今天十八点三十分, 明天零点整."""
    there = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    here = datetime.fromtimestamp(now / 1000, ZoneInfo(zone))
    days = (there.date() - here.date()).days
    day = {0: "今天", 1: "明天"}.get(days) or f"{number(there.month)}月{number(there.day)}日"
    return f"{day}{clock(there.hour, there.minute)}"
