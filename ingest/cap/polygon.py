"""A polygon of a CAP area whose corners are partly wrong: what of it is left, never less than what is
certain. Pure.

A corner that is no place is left out. What is left is the convex hull of the others, and for each gap a
disc round the middle of the gap's ends, whose radius is their distance for each corner that is missing:
it holds a missing corner wherever the polygon's angle there is at least 53° (half the distance times
the cotangent of half the angle is at most the distance).
"""

import itertools
import math
import re
from collections.abc import Callable
from typing import NamedTuple

from config.geometry import METRES_A_DEGREE
from config.language import Said, Text

_COMMA = re.compile(r"\s*[,，]\s*")
_BETWEEN = re.compile(r"\s*[;；|]\s*")
UNKNOWN_KM = (
    10.0  # about a township of the mountains: where a place is known and how far it reaches is not
)
POINT_KM = 1.0  # a point of two decimals is somewhere within this
_MOST_KM = 20_000.0  # half way round
_MOST_GAPS = 16  # with more, one disc round the whole
Point = tuple[float, float]  # lat, lon
_TURNED = Text("经纬度对调", "lon,lat")


class Circle(NamedTuple):
    lat: float
    lon: float
    km: float


class PolygonRest(NamedTuple):
    """points: what is left; around: discs where corners are missing; lost and notes in words."""

    points: tuple[Point, ...]
    around: tuple[Circle, ...] = ()
    lost: Said = ""
    notes: tuple[Said, ...] = ()


def read_ring(text: str) -> PolygonRest | None:
    """None where not one corner can be read."""
    notes = list[Text]()
    pairs = _pairs(text, notes)
    corners = _corners(pairs, notes)
    good = [c for c in corners if c is not None]
    distinct = list(dict.fromkeys(good))
    if not distinct:
        return None
    missing = len(corners) - len(good)
    if not missing:
        notes += _unusual(good)
    told = (*(n + f": {_shown(text)}" for n in notes),)
    if missing:
        words = Text(
            f"面：{missing} 个角点读不懂，按其余的外包 {_shown(text)}",
            f"polygon: {missing} corners cannot be read: hull of the rest {_shown(text)}",
        )
        return PolygonRest(hull(distinct), _gaps(corners), words, told)
    if len(distinct) == 2:
        words = Text(
            f"面：只有两个点，按其间的圆 {_shown(text)}",
            f"polygon: only two points: the circle between them {_shown(text)}",
        )
        return PolygonRest(tuple(good), (_disc(distinct[0], distinct[1], 0.5),), words, told)
    return PolygonRest(tuple(good), notes=told)


def read_circle(text: str) -> tuple[Circle | None, Said, Said]:
    """The circle; what of it is lost, and what is noted. A radius of NaN is none that can be read."""
    parts = _COMMA.sub(",", " ".join(text.split())).replace(",", " ").split()
    if parts and parts[-1].lower() == "km":
        parts.pop()
    point = _point(parts[0], parts[1]) if len(parts) >= 2 else None
    note: Said = ""
    if point is None and len(parts) >= 2 and (point := _point(parts[1], parts[0])) is not None:
        note = _TURNED + f": {_shown(text)}"
    if point is None:
        return None, Text("圆 ", "circle ") + _shown(text), ""
    km = _number(re.sub(r"km$", "", parts[2], flags=re.IGNORECASE)) if len(parts) == 3 else math.nan
    if not 0 <= km <= _MOST_KM:
        lost = Text("圆的半径 ", "radius of circle ") + _shown(text)
        return Circle(*point, math.nan), lost, note
    if km == 0:
        note = Text(
            f"圆的半径 0，按 {POINT_KM:g} km：{_shown(text)}",
            f"circle of radius 0, read as {POINT_KM:g} km: {_shown(text)}",
        )
    return Circle(*point, max(km, POINT_KM) if km == 0 else km), "", note


def _pairs(text: str, notes: list[Text]) -> list[str]:
    text = " ".join(text.split())  # a run of blanks would be gone through for each of its blanks
    if _BETWEEN.search(text) and ("," in text or "，" in text):
        notes.append(Text("面：点间用了 ; 或 |", "polygon: points are parted by ; or |"))
        text = _BETWEEN.sub(" ", text)
    words = _COMMA.sub(",", text).split()
    plain = len(words) >= 6 and len(words) % 2 == 0 and not any("," in w for w in words)
    if plain and all(math.isfinite(_number(w)) for w in words):
        notes.append(
            Text("面：没有逗号", "polygon: no commas")
        )  # as GeoRSS writes them, lat lon lat lon
        return [f"{a},{b}" for a, b in zip(words[::2], words[1::2], strict=True)]
    return words


def _corners(pairs: list[str], notes: list[Text]) -> list[Point | None]:
    """Each corner, None where it is no place. A first number beyond 90 is no latitude: such a corner is
    swapped if all are, or if it then lies where the others do."""
    there = [_point(*p.split(",")) if p.count(",") == 1 else None for p in pairs]
    turned = [
        _point(*p.split(",")[::-1]) if t is None and p.count(",") == 1 else None
        for p, t in zip(pairs, there, strict=True)
    ]
    right = [t for t in there if t is not None]
    if not right and sum(t is not None for t in turned) >= 3:
        notes.append(Text("面：", "polygon: ") + _TURNED)
        return list(turned)
    if right and any(turned):
        near = _near(right)
        found = [
            t or (s if s is not None and near(s) else None)
            for t, s in zip(there, turned, strict=True)
        ]
        if sum(f is not None for f in found) > len(right):
            notes.append(Text("面：有的点经纬度对调", "polygon: some corners are lon,lat"))
        return found
    return list(there)


def _near(points: list[Point]) -> Callable[[Point], bool]:
    """Whether a point lies within twice the box of the others."""
    (s, n), (w, e) = ((min(x), max(x)) for x in zip(*points, strict=True))
    dy, dx = max(n - s, 0.01) / 2, max(e - w, 0.01) / 2
    return lambda p: s - dy <= p[0] <= n + dy and w - dx <= p[1] <= e + dx


def _unusual(good: list[Point]) -> list[Text]:
    found = []
    if len(good) < 4:
        found.append(Text("面：不到 4 个点", "polygon: fewer than 4 points"))
    elif good[0] != good[-1]:
        found.append(Text("面：未闭合", "polygon: not closed"))
    if any(a == b for a, b in itertools.pairwise(good)):
        found.append(Text("面：有重复的点", "polygon: repeated points"))
    return found


def _gaps(corners: list[Point | None]) -> tuple[Circle, ...]:
    """A disc for each run of missing corners, the ring being closed."""
    start = next(n for n, c in enumerate(corners) if c is not None)
    turned = [*corners[start:], *corners[: start + 1]]
    found, before, run = list[Circle](), turned[0], 0
    for c in turned[1:]:
        if c is None:
            run += 1
            continue
        if run and before is not None:
            found.append(_disc(before, c, float(run)))
        before, run = c, 0
    if len(found) <= _MOST_GAPS:
        return tuple(found)
    good = [c for c in corners if c is not None]
    south, north = min(good), max(good)
    west, east = min(x for _, x in good), max(x for _, x in good)
    return (_disc((south[0], west), (north[0], east), 1.0),)


def _disc(a: Point, b: Point, times: float) -> Circle:
    """Round the middle of two points; of one point, as far as nobody knows."""
    y, x = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    km = math.hypot(a[0] - b[0], (a[1] - b[1]) * math.cos(math.radians(y))) * METRES_A_DEGREE / 1000
    return Circle(y, x, min(km * times, _MOST_KM) if a != b else UNKNOWN_KM)


def hull(points: list[Point]) -> tuple[Point, ...]:
    """The convex hull, closed; nothing of fewer than three points (Andrew 1979)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ()
    half: list[list[Point]] = []
    for row in (ordered, ordered[::-1]):
        side: list[Point] = []
        for p in row:
            while len(side) >= 2 and _turn(side[-2], side[-1], p) <= 0:
                side.pop()
            side.append(p)
        half.append(side[:-1])
    ring = [*half[0], *half[1]]
    return (*ring, ring[0])


def _turn(o: Point, a: Point, b: Point) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def _point(lat: str, lon: str) -> Point | None:
    y, x = _number(lat), _number(lon)
    return (y, x) if -90 <= y <= 90 and -180 <= x <= 180 else None


def _number(text: str) -> float:
    """NaN, which is within no limits, where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _shown(text: str) -> str:
    return repr(text.strip()[:60])
