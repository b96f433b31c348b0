"""The places of a CAP area as they are really written: what can be read of them, and in words what
cannot. One shape that nobody can read costs nobody the shape or the code beside it. Pure.
"""

import math
import re
import unicodedata
from typing import NamedTuple

_COMMA = re.compile(r"\s*[,，]\s*")
_CIRCLE = re.compile(r"([^\s,]+),([^\s,]+)[\s,]+([0-9.eE+-]+)\s*(?:km)?", re.IGNORECASE)
_SPACE = re.compile(r"[\s\u3000]+")
_LISTED = re.compile(r"[,;、|/\s\u3000]+")
# 省市县 6, 乡镇 9 (GB/T 10114), 村 12 (统计用区划代码), and 14 where something is counted within a village;
# before them what names the scheme or the country, without a figure
_CODE = re.compile(r"\D{0,40}(\d{14}|\d{12}|\d{9}|\d{6})\D{0,4}")
_MOST_KM = 20_000.0  # half way round


class Circle(NamedTuple):
    lat: float
    lon: float
    km: float


class CapArea(NamedTuple):
    """polygons: rings of (lat, lon), as CAP has them. unread: what of it could not be read."""

    polygons: tuple[tuple[tuple[float, float], ...], ...]
    circles: tuple[Circle, ...]
    codes: tuple[str, ...]  # division codes of 6, 9, 12 or 14 digits
    unread: tuple[str, ...] = ()


def read_place(polygons: list[str], circles: list[str], geocodes: list[str]) -> CapArea:
    """From the texts of an area's elements."""
    rings, discs, codes, unread = [], [], list[str](), []
    for text in polygons:
        ring = _ring(text)
        if ring is None:
            unread.append(f"面 polygon {text.strip()[:60]!r}")
        elif ring:
            rings.append(ring)
    for text in circles:
        disc = _circle(text)
        if disc is None:
            unread.append(f"圆 circle {text.strip()[:60]!r}")
        else:
            discs.append(disc)
    for text in geocodes:
        codes += division_codes(text)
    return CapArea(tuple(rings), tuple(discs), tuple(dict.fromkeys(codes)), tuple(unread))


def division_codes(text: str) -> list[str]:
    """The division codes in a geocode's value; nothing where it is a code of another kind."""
    text = unicodedata.normalize("NFKC", text)[:400].strip()
    parts = [p for p in _LISTED.split(text) if p]
    found = [m[1] for p in parts if (m := _CODE.fullmatch(p))]
    if len(parts) > 1 and len(found) == len(parts):
        return found
    whole = _CODE.fullmatch(_SPACE.sub("", text).replace("-", ""))  # 110119 106, 110119-106
    return [whole[1]] if whole else found


def _ring(text: str) -> tuple[tuple[float, float], ...] | None:
    """None if a point of it cannot be read: a ring with a corner missing is another ring."""
    points = []
    for pair in _COMMA.sub(",", text).split():
        point = _point(*pair.split(",")) if pair.count(",") == 1 else None
        if point is None:
            return None
        points.append(point)
    return tuple(points)


def _point(lat: str, lon: str) -> tuple[float, float] | None:
    y, x = _number(lat), _number(lon)
    return (y, x) if -90 <= y <= 90 and -180 <= x <= 180 else None


def _circle(text: str) -> Circle | None:
    found = _CIRCLE.fullmatch(_COMMA.sub(",", text).strip())
    if found is None:
        return None
    point, km = _point(found[1], found[2]), _number(found[3])
    return Circle(*point, km) if point is not None and 0 <= km <= _MOST_KM else None


def _number(text: str) -> float:
    """NaN, which is within no limits, where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
