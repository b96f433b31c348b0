"""The course of an incident in a small picture: rain and stage by gauges, and orders to move."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from config.language import Language, Text, joined
from config.records.district import District, Station
from config.records.level import Action
from config.records.quantity import QUANTITIES
from dispatch.records import Alert
from fengsui.review.figure import Lane, drawn
from fengsui.review.lanes import since
from ingest.observation import Flag
from stream.history.port import History, Point

_BIN_MS = 600_000
_BINS = 120  # bars in the picture at most
_BEFORE_MS = 3_600_000
_QUANTITIES = ("rain", "stage")


class Gauged(NamedTuple):
    """What the gauges of some areas measured, in bins from `begin_at`; said: the greatest, in words."""

    begin_at: int
    bin_ms: int
    rain_mm: tuple[float, ...]  # the wettest gauge of each bin
    stage_m: tuple[float, ...]  # the highest above its first value
    said: Text


def gauged(
    district: District,
    history: History,
    areas: Collection[str],
    begin: int,
    end: int,
    clock: Callable[[int], str],
) -> Gauged | None:
    """From an hour before `begin` to `end`, ms; None: no gauge of these areas told anything."""
    start = (begin - _BEFORE_MS) // _BIN_MS * _BIN_MS
    steps = -(-(end - start) // _BIN_MS)
    bin_ms = _BIN_MS * max(1, -(-steps // _BINS))
    count = max(1, -(-(end - start) // bin_ms))
    ids = dict.fromkeys(s for a in sorted(areas) for s in district.stations_of_area.get(a, ()))
    rain = [0.0] * count
    stage = [0.0] * count
    wettest: tuple[float, Station | None] = (0.0, None)
    highest: tuple[float, int, Station | None] = (0.0, 0, None)
    heard = False
    for station in (district.stations[s] for s in ids):
        for quantity in _QUANTITIES:
            points = _good(history.series(station.id, quantity, start, end + 1))
            heard = heard or bool(points)
            if quantity == "rain" and points:
                total = _fill(rain, points, start, bin_ms)
                wettest = max(wettest, (total, station), key=lambda x: x[0])
            elif points:
                rise, at = _rise(stage, points, start, bin_ms)
                highest = max(highest, (rise, at, station), key=lambda x: x[0])
    if not heard:
        return None
    said = joined(_words(wettest, highest, max(rain), bin_ms, clock), Text("；", "; "))
    return Gauged(start, bin_ms, tuple(rain), tuple(stage), said)


def _good(points: Iterable[Point]) -> list[Point]:
    return [p for p in points if p.flag != Flag.FAIL]


def _fill(rain: list[float], points: Sequence[Point], start: int, bin_ms: int) -> float:
    """Takes one gauge's rain into the bins where it is the most; returns its sum, mm."""
    mine: dict[int, float] = defaultdict(float)
    amount = QUANTITIES["rain"].amount
    for p in points:  # a reading sums over the interval that ends at its time
        mine[min(len(rain) - 1, max(0, (p.observed_at - 1 - start) // bin_ms))] += amount(p.value)
    for n, mm in mine.items():
        rain[n] = max(rain[n], mm)
    return sum(mine.values())


def _rise(
    stage: list[float], points: Sequence[Point], start: int, bin_ms: int
) -> tuple[float, int]:
    """The same of a level above its first value; returns its highest rise, m, and when that was."""
    amount = QUANTITIES["stage"].amount
    first, most = amount(points[0].value), (0.0, points[0].observed_at)
    for p in points:
        n, rise = min(len(stage) - 1, (p.observed_at - start) // bin_ms), amount(p.value) - first
        stage[n] = max(stage[n], rise)
        if rise > most[0]:
            most = (rise, p.observed_at)
    return most


def _words(
    wettest: tuple[float, Station | None],
    highest: tuple[float, int, Station | None],
    most: float,
    bin_ms: int,
    clock: Callable[[int], str],
) -> list[Text]:
    found = []
    total, gauge = wettest
    if gauge is not None and total:
        minutes = bin_ms // 60_000
        found.append(
            Text(
                f"累计最大{gauge.name}{total:.0f}mm，最大{minutes}分钟{most:.1f}mm",
                f"most rain {total:.0f} mm, {gauge.name_en}; at most {most:.1f} mm in {minutes} min",
            )
        )
    rise, at, river = highest
    if river is not None and rise:
        found.append(
            Text(
                f"水位最大涨幅{river.name}{rise:.2f}m（{clock(at)}）",
                f"stage rose at most {rise:.2f} m, {river.name_en} ({clock(at)})",
            )
        )
    return found or [Text("没有降雨，水位没有上涨", "no rain, no rise")]


def picture(
    found: Gauged,
    alerts: Iterable[Sequence[Alert]],
    clock: Callable[[int], str],
    language: Language,
) -> str:
    """As SVG. alerts: the versions of each warning."""
    moves = [0.0] * len(found.rain_mm)
    for versions in alerts:
        at = since(versions, Action.MOVE)
        if at is not None and at >= found.begin_at:
            moves[min(len(moves) - 1, (at - found.begin_at) // found.bin_ms)] += 1
    minutes = found.bin_ms // 60_000
    rain = Text(f"雨量 {minutes} 分钟", f"rain in {minutes} min")
    lanes = [
        Lane(rain, "mm", (("#2f6fa8", found.rain_mm),), least=5.0),
        Lane(Text("水位上涨", "stage above start"), "m", (("#2c6e63", found.stage_m),), least=0.3),
        Lane(Text("立即转移（新下达）", "new orders to move"), "", (("#7a0019", moves),)),
    ]
    return drawn(lanes, found.begin_at, found.bin_ms, clock, language)
