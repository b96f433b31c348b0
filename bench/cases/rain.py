"""`fengsui bench`: the rain rule in memory over a workload of one-minute tips, beside a plain loop in the
same run and, where there is one, the published answer."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from bench.baseline.rain import LIMITS, WINDOWS, PlainRain
from config.language import Text
from detectors.rain.limit_table import RainRow
from detectors.rain.rain_threshold import RainThreshold

START = 1_784_600_040  # s; a whole minute
EQUAL, DIFFERENT = Text("相同", "equal"), Text("不同", "DIFFERENT")


class _Row(msgspec.Struct):
    station: str
    t: int
    v: float


def workload(path: Path | None) -> list[_Row]:
    """One-minute rain of many gauges in order of arrival, with late and repeated records: from a
    file of JSON lines {"station","t","v"}, or made (600 gauges, 8 hours, seeded)."""
    if path is not None:
        decoder = msgspec.json.Decoder(_Row)
        return [decoder.decode(line) for line in path.read_bytes().splitlines() if line]
    rng = np.random.default_rng(20260720)
    gauges, minutes = 600, 480
    rain = rng.poisson(0.02, (gauges, minutes))
    for _ in range(60):
        g, m = int(rng.integers(gauges)), int(rng.integers(minutes - 90))
        rain[g, m : m + 90] += rng.poisson(rng.uniform(1, 14), 90)
    rows = []
    for m in range(minutes):
        for g in rng.permutation(gauges).tolist():
            late = int(rng.integers(1, 10)) if rng.random() < 0.01 and m > 10 else 0
            at = m - late
            row = _Row(f"b-{g:04d}", START + 60 * at, float(rain[g, at] / 10))
            rows += [row, row] if rng.random() < 0.01 else [row]
    return rows


def bench_rule(path: Path | None) -> Iterator[Text]:
    """The rule alone, in memory, as `run` uses it, against a plain Python loop; and against the
    published answer where it lies beside the workload (NAME.ref.jsonl)."""
    rows = workload(path)
    names: dict[str, int] = {}
    number = np.array([names.setdefault(r.station, len(names)) for r in rows], np.int64)
    minute = np.array([r.t // 60 for r in rows], np.int64)
    count = np.array([int(r.v * 10 + 0.5) for r in rows], np.int64)
    table = {"normal": {w: (t, ()) for w, t in zip(WINDOWS, LIMITS, strict=True)}}
    rule = RainThreshold(
        [RainRow(n, "flash_flood", n, table) for n in names],
        hold_min=30,
        clear_factor=1.0,
        late_min=1440,
        late_ends=False,
    )
    state, step, ours = rule.new(), 16_384, []
    began = time.process_time()
    for at in range(0, number.size, step):
        part = slice(at, at + step)
        for c in rule.judge(state, number[part], minute[part], count[part]):
            ours.append((at + c.nth, c.minute * 60, c.level))
    took = time.process_time() - began
    plain, theirs = [PlainRain() for _ in names], []
    began = time.process_time()
    for n, r in enumerate(rows):
        change = plain[number[n]].step(r.t, r.v)
        if change is not None:
            theirs.append((n, change[0], change[2]))
    slow = time.process_time() - began
    same = EQUAL if ours == theirs else DIFFERENT
    yield Text(
        f"负载：{len(rows):,} obs，{len(names)} 站",
        f"workload: {len(rows):,} obs, {len(names)} gauges",
    )
    rate, loop = f"{len(rows) / took:,.0f} obs/s", f"{len(rows) / slow:,.0f} obs/s"
    yield Text(
        f"规则：{rate}，朴素循环 {loop}，比 {slow / took:.1f}；{len(ours)} 次变化，{same.zh}",
        f"rule: {rate}, plain loop {loop}, ratio {slow / took:.1f}; {len(ours)} changes, {same.en}",
    )
    answer = path.with_suffix(".ref.jsonl") if path else None
    if answer is not None and answer.exists():
        lines = [msgspec.json.decode(x) for x in answer.read_bytes().splitlines()]
        published = [(x["station"], x["src"], x["t"], x["to"]) for x in lines]
        told = [(rows[n].station, rows[n].t, at, level) for n, at, level in ours]
        right = EQUAL if published == told else DIFFERENT
        yield Text(
            f"公布的答案：{len(published):,} 次变化，{right.zh}",
            f"published answer: {len(published):,} changes, {right.en}",
        )
