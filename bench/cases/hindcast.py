"""`fengsui bench detect`: the whole set of rules of a district at any size, and a long record of many
gauges hindcast, loading apart. CPU time of this process."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.baseline.rain import PlainRain
from bench.baseline.series import PlainStage
from bench.load.detector import tiled
from bench.load.district import bench_district, names
from config.language import Text
from config.load import load
from config.records.district import District
from detectors.quality.silence import SilenceState, late
from detectors.stage import Detect
from fengsui.run.setup import default_config
from skill.series.read import read_observations
from skill.verify.hindcast import Readings, replay

_START = 1_700_006_400_000
_GAUGES = 1000
_YEAR = 105_120_000  # readings: 1,000 gauges, every 5 minutes


def record(pairs: list[tuple[str, str]], steps: int, every_s: int, seed: int = 7) -> Readings:
    """Seeded storms and waves, one reading each of every pair and step, in order of time."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((steps, len(pairs)), np.int32)
    rain = np.array([q == "rain" for _, q in pairs])
    wave = np.exp(-(((np.arange(steps) % 900 - 300) / 40.0) ** 2))
    level = (600 + 1500 * wave[:, None] + rng.normal(0, 4, (steps, int((~rain).sum())))).round()
    counts[:, ~rain] = level
    for n in range(max(1, steps * every_s // (3 * 86_400))):
        begin, length = int(rng.integers(steps)), int(rng.integers(3600, 50_000) / every_s) + 1
        rate = rng.uniform(0.2, 1.5)  # 0.1 mm a minute
        if n == 0:  # however short the record, one that warns
            begin, rate = steps // 4, 6.0
        hit = np.nonzero(rain & (rng.random(len(pairs)) < 0.1))[0]
        part = counts[begin : begin + length]
        part[:, hit] += rng.poisson(rate * every_s / 60, (len(part), hit.size))
    which = np.tile(np.arange(len(pairs)), steps)
    at = np.repeat(_START + np.arange(steps) * every_s * 1000, len(pairs))
    return Readings(pairs, which, at, counts.reshape(-1).astype(np.int64))


def _timed(district: District, readings: Readings) -> tuple[float, int]:
    detect = Detect(district, lambda _: None)
    for partition in range(district.partitions):
        detect.part(partition)  # the tables of the config are not what is timed
    began = time.process_time()
    said = len(replay(district, readings, detect=detect))
    return time.process_time() - began, said


def bench_yanqing(sizes: tuple[int, ...], seconds: float) -> Iterator[Text]:
    """The shipped district with all that it runs, as often as makes up the stations: duplicates,
    quality tests, rules and what they say. Beside it a loop over as many rows of its two rules."""
    district = load(default_config())
    wanted = ("rain", "stage")
    some = [(s.id, s.quantity) for s in district.stations.values() if s.quantity in wanted]
    cells, loop = [], _plain_set(district, seconds)
    for size in sizes:
        times = max(1, round(size / len(some)))
        big = tiled(district, times)
        pairs = [(f"{s}-{n}", q) for n in range(times) for s, q in some]
        steps = max(12, min(720, round(400_000 * min(1.0, seconds) / len(pairs))))
        spent, _ = _timed(big, record(pairs, steps, 300))
        cells.append(f"{len(pairs) * steps / spent:>10,.0f}")
    first = float(cells[min(1, len(cells) - 1)].replace(",", ""))
    yield (
        f"{'Yanqing':19}  {'  '.join(cells)}  {loop:>9,.0f}  {first / loop:>7,.1f}  "
        + Text(
            "（延庆全套；循环只做两条规则，不查重、不做质量检验）",
            "(the whole district; the loop: two rules only, no duplicates, no quality tests)",
        )
    )


def _plain_set(district: District, seconds: float) -> float:
    """Readings a second of plain loops, one a row of rain_threshold and stage_trend."""
    rows: dict[str, list[Any]] = {}
    for area, hazard in dict.fromkeys((t.area, t.hazard) for t in district.rain):
        for s in district.stations_of_area[area]:
            if district.stations[s].quantity == "rain":
                gauge = PlainRain()
                rows.setdefault(s, []).append(lambda m, c, g=gauge: g.step(m * 60, c / 10))
        del hazard
    for t in district.stage:
        limits = [round(x * 1000) for x in (t.blue_m, t.yellow_m, t.orange_m, t.red_m) if x]
        river = PlainStage(limits, round(t.rise_m_per_h * 1000), t.ahead_min)
        rows.setdefault(t.station, []).append(river.step)
    pairs = [(s, district.stations[s].quantity) for s in rows]
    readings = record(pairs, 300, 300)
    names_ = [s for s, _ in pairs]
    columns = zip(
        readings.which.tolist(),
        (readings.at[:] // 60_000).tolist(),
        readings.counts.tolist(),
        strict=True,
    )
    began, n = time.process_time(), 0
    for n, (which, minute, count) in enumerate(columns, 1):
        for step in rows[names_[which]]:
            step(minute, count)
        if n % 1000 == 0 and time.process_time() - began > seconds:
            break
    return n / max(time.process_time() - began, 1e-9)


def bench_silence(seconds: float) -> Text:
    """It looks at every station once a tick, not at readings, and is itself a plain loop."""
    district = load(default_config())
    state, n = SilenceState(clock_at=10**12), 0
    state.seen = dict.fromkeys(district.stations, 10**12)
    began = time.process_time()
    while time.process_time() - began < seconds:
        n += sum(not late(district, state, s) for s in district.stations)
    rate = n / (time.process_time() - began)
    return Text(
        f"silence：每秒看 {rate:,.0f} 站次（每次报时一遍）",
        f"silence: {rate:,.0f} stations looked at a second (once a tick)",
    )


def bench_year(days: int) -> Iterator[Text]:
    """Five-minute rain of 1,000 gauges with thresholds over five windows by three wetness classes,
    the way `fengsui hindcast CONFIG` plays it; and how long the CSV takes to load."""
    district = bench_district(load(default_config()), names(_GAUGES), 1, classes=True)
    readings = record([(s, "rain") for s in names(_GAUGES)], days * 288, 300)
    spent, said = _timed(district, readings)
    size = readings.at.size
    rate = f"{spent:.1f} s, {size / spent:,.0f} obs/s"
    yield Text(
        f"回放：{_GAUGES:,} 站 × {days} 天，{size:,} 条读数：{rate}，{said:,} 条检测",
        f"hindcast: {_GAUGES:,} gauges × {days} days, {size:,} readings: {rate}, {said:,} detections",
    )
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        path = Path(folder) / "observations.csv"
        rows = min(size, 300_000)
        _write(path, readings, rows)
        began = time.process_time()
        read_observations(path)
        took = time.process_time() - began
    play, read = spent * _YEAR / size, took * _YEAR / rows
    yield Text(
        f"读入：CSV 每秒 {rows / took:,.0f} 行；一年（{_YEAR:,} 条，推算）连读入：{play + read:.0f} s，"
        f"其中回放 {play:.0f} s，读入 {read:.0f} s",
        f"loading: CSV {rows / took:,.0f} rows a second; a year ({_YEAR:,}, reckoned) with its loading: "
        f"{play + read:.0f} s, of which playing {play:.0f} s and reading {read:.0f} s",
    )


def _write(path: Path, readings: Readings, rows: int) -> None:
    when = readings.at[:rows].astype("datetime64[ms]").astype("datetime64[s]").astype(str).tolist()
    values = (readings.counts[:rows] / 10).tolist()
    which = readings.which[:rows].tolist()
    lines = (
        f"{readings.pairs[k][0]},rain,{t}Z,{v}" for k, t, v in zip(which, when, values, strict=True)
    )
    path.write_text("station,quantity,time,value\n" + "\n".join(lines) + "\n", "utf-8")
