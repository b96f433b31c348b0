"""`fengsui bench detect`: observations a second on one core of each rule and of the whole Yanqing set,
by the number of stations, beside a plain Python loop of the same rule in the same run; and a year of
record hindcast. CPU time of this process is measured, so that what else runs shows less.

Every rule is checked where it is measured: the loop and the arrays say the same, or the row says so.
"""

import os
import time
from collections.abc import Iterator
from math import isnan, nan
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from bench.baseline.rain import HOLD_MIN, LIMITS, WINDOWS, PlainRain
from bench.baseline.series import PlainSeries, PlainStage
from bench.baseline.window_rules import PLAIN
from bench.cases.hindcast import bench_silence, bench_yanqing, bench_year
from bench.cases.rain import DIFFERENT, EQUAL, bench_rule
from config.language import Said, Text
from detectors.engine.compound import Compound, CompoundParameters, CompoundRow, Member, MemberWord
from detectors.engine.slot_ring import arrays_of
from detectors.engine.window_engine import SeriesRule
from detectors.engine.window_rows import SeriesRow
from detectors.engine.window_rule import Ints, Kind
from detectors.rain.limit_table import RainRow
from detectors.rain.postfire_m1 import PostfireM1
from detectors.rain.rain_threshold import RainThreshold
from detectors.rain.storm.storm_score import StormScore
from detectors.setup.registry import KINDS
from detectors.statistics.moveout import Moveout
from detectors.water.level_forecast import LevelForecast
from detectors.water.runoff.flow_score import FlowScore
from detectors.water.runoff.gr4h import Gr4h
from detectors.water.runoff.unit_hydrograph import UnitHydrograph
from detectors.water.stage_trend import StageRow, StageTrend
from detectors.water.travel_time import TravelTime

SIZES = (100, 1_000, 10_000, 100_000)
_QUICK = (100, 1_000)
_BATCH = 20_000
_START = 1_700_006_400_000  # a day's beginning
_PLAIN_ROWS = 4
_LARGEST = 100  # distinct series; stations share them

# thresholds that storms and waves of the made record reach; parameters where a kind has no defaults
_LEVELS: dict[str, tuple[float, ...]] = {
    "intensity_duration": (0.4, 0.6, 0.9, 1.2),
    "peak_intensity": (15, 24, 35, 50),
    "antecedent_rain": (60, 90, 120, 150),
    "cumulative_rain": (50, 80, 120, 160),
    "recent_prior_rain": (88.9, 120, 150, 200),
    "areal_intensity": (0.4, 0.6, 0.9, 1.2),
    "slope_chance": (0.2, 0.4, 0.6, 0.8),
    "areal_rain": (8, 15, 25, 40),
    "soil_and_rain": (20, 40, 60, 80),
    "unit_hydrograph": (0.2, 0.5, 2, 5),
    "postfire_m1": (0.2, 0.4, 0.6, 0.8),
    "storm_score": (0.2, 0.4, 0.6, 0.8),
    "flow_score": (0.5, 0.8, 1, 1.5),
    "gr4h": (0.3, 0.5, 1, 3),
    "quantity_below": (0.49, 0.487, 0.48, 0.4),
    "quantity_rise": (0.5, 0.8, 1.2, 2),
    "quantity_fall": (-0.5, -0.8, -1.2, -2),
    "rise_rate": (0.5, 0.8, 1.2, 2),
    "mann_kendall": (3, 4, 5, 6),
    "ewma": (5, 10, 20, 40),
    "cusum": (20, 40, 80, 100),
    "sta_lta": (1.2, 1.5, 2, 3),
    "moveout": (1, 2, 3, 3),
    "level_forecast": (10, 30, 60, 90),
}
_STAGE_LEVELS = (1.2, 1.6, 2.0, 2.5)
_PARAMETERS: dict[str, Any] = {
    "unit_hydrograph": UnitHydrograph(area_km2=20.0, cn=85.0),
    "flow_score": FlowScore(area_km2=20.0, x1=100.0, x2=0.0, x3=50.0, x4=3.3, flood_m=5.0, days=2),
    "gr4h": Gr4h(area_km2=20.0, x1=100.0, x2=0.0, x3=50.0, x4=3.3),
    "storm_score": StormScore(intercept=-6.0, weights={"intensity_15min": 1.0, "storm_total": 1.0}),
    "postfire_m1": PostfireM1(burned_steep=0.5, dnbr=0.4, soil_kf=0.2),
    "travel_time": TravelTime(lag_min=(30, 20), gain=(0.5, 0.5)),
    "moveout": Moveout(distance_m=(0, 220, 440), lta_s=120, within_s=240),
    "level_forecast": LevelForecast(reach=1.6, lag_min=(30, 20), gain=(0.5, 0.5), memory_h=6),
}


class Made(NamedTuple):
    """A made record of `series` stations by slots: counts (slots, series)."""

    counts: Ints
    slot_ms: int


def made(*, rain: bool, slot_s: int, seed: int = 20260720) -> Made:
    """Seeded: storms of hours over a third of the gauges, or waves on a steady stage."""
    rng = np.random.default_rng(seed)
    slots, many = 900, _LARGEST
    if not rain:
        value = 500 + rng.normal(0, 4, (slots, many))
        for k in np.nonzero(rng.random(many) < 0.2)[0]:
            width, top = rng.uniform(20, 80), rng.uniform(300, 2500)
            value[:, k] += top * np.exp(-(((np.arange(slots) - rng.integers(slots)) / width) ** 2))
        return Made(np.rint(value).astype(np.int64), slot_s * 1000)
    counts = np.zeros((slots, many), np.int64)
    for n in range(slots * slot_s // (3 * 86_400) + 3):
        begin = int(rng.integers(slots - 30)) if n else 2  # one at once
        length = max(1, int(rng.integers(60, 600) * 60 / slot_s))
        hit = rng.random(many) < 0.3
        shape = counts[begin : begin + length, hit].shape
        counts[begin : begin + length, hit] += rng.poisson(rng.uniform(0.2, 2) * slot_s / 60, shape)
    return Made(counts, slot_s * 1000)


class Batch(NamedTuple):
    """Of every station one reading a slot: row, input, ms, count."""

    row: Ints
    input: Ints
    at: Ints
    counts: Ints


def batches(record: Made, rows: int, inputs: int, size: int = _BATCH) -> Iterator[Batch]:
    """The record for so many rows, in order of time, cut into batches of about that size."""
    width = rows * inputs
    row, which = np.divmod(np.arange(width), inputs)
    series = np.arange(width) % record.counts.shape[1]
    step = max(1, size // width)
    for first in range(0, len(record.counts), step):
        part = record.counts[first : first + step]
        at = _START + (np.arange(first, first + len(part)) * record.slot_ms)
        yield Batch(
            np.tile(row, len(part)),
            np.tile(which, len(part)),
            np.repeat(at, width),
            part[:, series].reshape(-1),
        )


class Line(NamedTuple):
    """One rule: observations a second by stations (None: memory too small), of the loop, and
    whether both said the same over `checked` observations with `changes` changes."""

    rule: str
    rates: list[float | None]
    plain: float  # NaN: no loop
    checked: int
    changes: int
    same: bool
    per_station: float  # bytes of memory


def told(line: Line, sizes: tuple[int, ...]) -> Text:
    rates = "  ".join(f"{'–' if r is None else format(r, ',.0f'):>10}" for r in line.rates)
    at = line.rates[min(1, len(sizes) - 1)]
    ratio = "–" if at is None or isnan(line.plain) else f"{at / line.plain:,.1f}"
    same = EQUAL if line.same else DIFFERENT
    if isnan(line.plain):
        same = Text("无循环对照", "no loop beside it")
    return (
        f"{line.rule:19}  {rates}  {line.plain:>9,.0f}  {ratio:>7}  {line.per_station:>7,.0f}  "
        f"{line.changes}/{line.checked:,} " + same
    )


class _Rule(NamedTuple):
    """How a rule is run: a new one of `rows`, how it takes a batch, and the loop for one row."""

    rule: Any
    state: Any
    judge: Any  # (state, Batch) -> changes
    size: float  # bytes


def _series(kind: Kind, rows: int) -> _Rule:
    inputs = {"travel_time": 2}.get(kind.name, 3 if kind.joint else 1)
    quantity = "rain" if kind.inputs == ("rain",) else "stage"
    named = [
        SeriesRow(f"a{n}", "flood", tuple(f"{n}-{k}" for k in range(inputs)), _weights(inputs), quantity)
        for n in range(rows // inputs or 1)
    ]  # fmt: skip
    p = _PARAMETERS.get(kind.name) or kind.parameters()
    rule = SeriesRule(kind.name, kind, p, named, _LEVELS.get(kind.name, _STAGE_LEVELS))
    state = rule.new()
    size = sum(a.nbytes for a in arrays_of(state).values())
    return _Rule(rule, state, lambda s, b: rule.judge(s, b.row, b.input, b.at, b.counts), size)


def _weights(inputs: int) -> tuple[float, ...]:
    return (0.5, 0.3, 0.2)[:inputs] if inputs > 1 else (1.0,)


def _rain(rows: int) -> _Rule:
    table = {"normal": {w: (x, ()) for w, x in zip(WINDOWS, LIMITS, strict=True)}}
    rule = RainThreshold(
        [RainRow(f"a{n}", "flash_flood", f"g{n}", table) for n in range(rows)],
        hold_min=HOLD_MIN,
        clear_factor=1.0,
        late_min=1440,
        late_ends=False,
    )
    state = rule.new()
    size = state.window.nbytes + rows * 8 * 50
    return _Rule(rule, state, lambda s, b: rule.judge(s, b.row, b.at // 60_000, b.counts), size)


def _stage(rows: int) -> _Rule:
    limits = tuple(round(x * 1000) for x in _STAGE_LEVELS)
    rule = StageTrend(
        [StageRow(f"a{n}", "flash_flood", f"s{n}", limits, (), 1200, 30) for n in range(rows)]
    )
    state = rule.new()
    size = state.ring.nbytes + rows * 8 * 9
    return _Rule(rule, state, lambda s, b: rule.judge(s, b.row, b.at // 60_000, b.counts), size)


def _measured(
    name: str, make: Any, record: Made, inputs: int, sizes: tuple[int, ...], s: float
) -> Line:
    """One line of the table."""
    plain, checked, changes, same = _beside(name, make, record, inputs, s / 2)
    rates: list[float | None] = []
    per_station = make(_LARGEST).size / _LARGEST
    for stations in sizes:
        if per_station * stations > _memory() / 2:
            rates.append(None)
            continue
        rates.append(_rate(make(stations), record, stations // inputs or 1, inputs, s))
    return Line(name, rates, plain, checked, changes, same, per_station)


def _memory() -> float:
    """Bytes that are free."""
    return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _rate(rule: _Rule, record: Made, rows: int, inputs: int, seconds: float) -> float:
    """Observations a second, once every station has been heard: what the system does to give memory
    for the first time is not the rule's work."""
    done = spent = 0.0
    size = 600 if getattr(rule.rule, "name", "") in ("gr4h", "flow_score") else _BATCH
    for n, b in enumerate(batches(record, rows, inputs, size)):  # of the slow one, seconds each
        began = time.process_time()
        rule.judge(rule.state, b)
        if n == 0 and size == _BATCH:
            continue
        spent += time.process_time() - began
        done += b.row.size
        if spent > seconds:
            break
    return done / max(spent, 1e-9)


def _beside(
    name: str, make: Any, record: Made, inputs: int, seconds: float
) -> tuple[float, int, int, bool]:
    """The loop for a few rows, as far as it comes in the time, and the arrays over the same."""
    if name in KINDS and name not in PLAIN:
        return nan, 0, 0, False
    rows = _LARGEST // inputs if name == "rain_threshold" else _PLAIN_ROWS
    ours = make(rows * inputs)
    levels = _LEVELS.get(name, _STAGE_LEVELS)
    busiest = np.argsort(-record.counts.max(axis=0), kind="stable")[: rows * inputs]
    whole = Made(record.counts[:, busiest], record.slot_ms)
    b = Batch(*(np.concatenate(x) for x in zip(*batches(whole, rows, inputs), strict=True)))
    loops = [_plain(name, ours.rule, n, levels) for n in range(rows)]
    theirs, spent, n = [], 0.0, 0
    step = rows * inputs * 50
    while n < b.row.size and spent < seconds:
        part = [x[n : n + step].tolist() for x in b]
        began = time.process_time()
        for nth, (row, k, at, count) in enumerate(zip(*part, strict=True), n):
            found = loops[row](k, at, count)
            if found is not None:
                theirs.append((nth, row, *found))
        spent += time.process_time() - began
        n += len(part[0])
    found = ours.judge(ours.state, Batch(*(x[:n] for x in b)))
    mine = [(c.nth, c.row, c.minute, c.level) for c in found]
    return n / max(spent, 1e-9), n, len(theirs), mine == theirs


def _plain(name: str, rule: Any, row: int, levels: tuple[float, ...]) -> Any:
    """(input, ms, count) -> (minute, level) of a change, or None."""
    if name == "rain_threshold":
        gauge = PlainRain()

        def rain(_: int, at: int, count: int) -> tuple[int, int] | None:
            found = gauge.step(at // 1000, count / 10)
            return None if found is None else (found[0] // 60, found[2])

        return rain
    if name == "stage_trend":
        river = PlainStage([round(x * 1000) for x in levels], 1200, 30)
        return lambda _, at, count: river.step(at // 60_000, count)
    loop, unit = PlainSeries(rule, row, levels), 10 if rule.rows[row].quantity == "rain" else 1000
    return lambda k, at, count: loop.step(k, at, count / unit)


def bench_rules(sizes: tuple[int, ...], seconds: float) -> Iterator[Line]:
    """Every rule over arrays, one after the other."""
    yield _measured("rain_threshold", _rain, made(rain=True, slot_s=60), 1, sizes, seconds)
    yield _measured("stage_trend", _stage, made(rain=False, slot_s=300), 1, sizes, seconds)
    for name, kind in sorted(KINDS.items()):
        if name in without_parameters():
            continue
        slot_s = kind.slot_s(_PARAMETERS.get(name) or kind.parameters())
        record = made(rain=kind.inputs == ("rain",), slot_s=slot_s)
        inputs = {"travel_time": 2}.get(name, 3 if kind.joint else 1)

        def make(rows: int, kind: Kind = kind) -> _Rule:
            return _series(kind, rows)

        yield _measured(name, make, record, inputs, sizes, seconds)


def without_parameters() -> list[str]:
    """Kinds that have no defaults and none here: a new one, until it is given some."""

    def needs(kind: Kind) -> bool:
        config = msgspec.structs.fields(kind.parameters)
        return any(f.required for f in config)

    return [n for n, kind in sorted(KINDS.items()) if needs(kind) and n not in _PARAMETERS]


def bench_compound(seconds: float) -> Text:
    """It takes what other rules say, not readings, and is itself a plain loop."""
    of = (Member(rule="a"), Member(rule="b"), Member(rule="c"))
    areas = [CompoundRow(f"a{n}", "flood") for n in range(1000)]
    rule = Compound("two", CompoundParameters(of=of), areas, (2.0, 3.0))
    state, n, began = rule.new(), 0, time.process_time()
    rng = np.random.default_rng(1)
    said = rng.integers(0, 3, 2000).tolist()
    while time.process_time() - began < seconds:
        for k, level in enumerate(said):
            area, member = f"a{(n + k) % 1000}", "abc"[(n + k) // 1000 % 3]
            heard = MemberWord(k, n + k, member, area, "flood", "s", level, 0, level, 0, ())
            rule.hear(state, heard)
        n += len(said)
    rate = n / (time.process_time() - began)
    return Text(
        f"compound：每秒 {rate:,.0f} 条判语（不是读数）",
        f"compound: {rate:,.0f} statements a second (not readings)",
    )


def bench_detect(*, quick: bool, workload: Path | None = None) -> Iterator[Said]:
    """The whole table, as text; of a workload that is given also the published answer."""

    sizes, seconds = (_QUICK, 0.1) if quick else (SIZES, 0.8)
    head = "  ".join(f"{f'{n:,}':>10}" for n in sizes)
    yield Text(
        "每秒读数，一个核（进程 CPU 时间）；行为规则，列为站数，末三列为朴素循环、比值、每站字节",
        "observations a second on one core (CPU time of the process); rows are rules, columns numbers of "
        "stations, the last three the plain loop, the ratio, bytes a station",
    )
    yield f"{'':19}  {head}  {'loop':>9}  {'ratio':>7}  {'B/stn':>7}"
    for line in bench_rules(sizes, seconds):
        yield told(line, sizes)
    for name in without_parameters():
        none = Text("未测：没有缺省参数", "not measured: it has no default parameters")
        yield f"{name:19}  " + none
    yield from bench_rule(workload)
    yield from bench_yanqing(sizes, seconds)
    yield bench_compound(seconds)
    yield bench_silence(seconds)
    yield from bench_year(days=2 if quick else 30)
