"""`fengsui bench tune`: how long it takes to tune on a year of many gauges, and how sure what comes of it is
with few events and with many. CPU time of this process; the record is written and read as a user's is."""

import tempfile
import time
from pathlib import Path

import click
import numpy as np

from config.language import Said, Text
from detectors.engine.window_rule import Floats
from fengsui.run.terminal import echo
from skill.series.clock import iso
from skill.series.read import read_observations
from skill.series.tune import tune
from skill.verify.names import said
from stream.environment import spoken

_START = 1_672_531_200_000  # 2023
_HOUR = 3_600_000
_LEAD_S = 3600


def levels(
    rng: np.random.Generator, days: int, floods: int
) -> tuple[Floats, list[tuple[int, int]]]:
    """Hourly level of a gauge, m, with a few waves a month, and when it stood above 2 m: hours from, to.
    Waves rise in some hours; `floods` of them go above."""
    n = days * 24
    level = 0.5 + rng.normal(0, 0.01, n)
    many = max(floods + 1, days // 8)
    for k, at in enumerate(np.sort(rng.choice(np.arange(24, n - 96, 48), many, replace=False))):
        peak = rng.uniform(2.1, 3.0) if k % max(1, many // floods) == 0 else rng.uniform(0.3, 1.4)
        t = np.arange(96) / rng.uniform(3, 9)
        level[at : at + 96] += peak * t * np.exp(1 - t)
    high = np.nonzero(level >= 2.0)[0]
    if not high.size:
        return level, []
    new = np.diff(high) > 12
    pairs = zip(high[np.append(True, new)], high[np.append(new, True)], strict=True)
    return level, [(int(a), int(b)) for a, b in pairs]


def written(folder: Path, gauges: int, days: int, floods: int) -> tuple[Path, Path, int]:
    """A record and its events as CSV; how many events."""
    rng = np.random.default_rng(3)
    times = [iso(_START + (h + 1) * _HOUR) for h in range(days * 24)]
    observations, events, many = folder / "observations.csv", folder / "events.csv", 0
    with (
        observations.open("w", encoding="utf-8") as rows,
        events.open("w", encoding="utf-8") as happened,
    ):
        rows.write("station,quantity,time,value\n")
        happened.write("area,start,end,kind\n")
        for g in range(gauges):
            level, pairs = levels(rng, days, floods)
            rows.writelines(
                f"s{g:04d},stage,{t},{v:.3f}\n" for t, v in zip(times, level.tolist(), strict=True)
            )
            happened.writelines(f"s{g:04d},{times[a]},{times[b]},flood\n" for a, b in pairs)
            many += len(pairs)
    return observations, events, many


def measured(gauges: int, days: int, floods: int) -> Text:
    """One line: what it took, and what came of it."""
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        observations, events, many = written(Path(folder), gauges, days, floods)
        began, clock = time.process_time(), time.monotonic()
        size = int(read_observations(observations)[0].at.size)
        loading = time.process_time() - began
        began = time.process_time()
        told = tune(observations, events, _LEAD_S, Path(folder) / "rules.toml", told=_progress)
        spent, passed = time.process_time() - began, time.monotonic() - clock
    held = told["cross_validated"][0]
    low, high = held["csi_interval"]
    name = said(told["family"])
    csi = f"CSI {held['csi'] or 0:.2f} ({low or 0:.2f} … {high or 0:.2f})"
    cost = f"{spent:.1f} s CPU"
    return Text(
        f"{gauges:,} 站 × {days} 天，{size:,} 条，{many} 次事件：{cost}（其中读入 {loading:.1f} s；历时 "
        f"{passed:.0f} s）；{name.zh}，未见数据 {csi}",
        f"{gauges:,} gauges × {days} days, {size:,} readings, {many} events: {cost} ({loading:.1f} s of it "
        f"reading; {passed:.0f} s passed); {name.en}, on data left out {csi}",
    )


def _progress(what: Said) -> None:
    echo(Text("率定：", "tune: ") + what + " …", err=True)


@click.command("tune")
@click.option(
    "--gauges",
    default=1000,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help=spoken(Text("站数", "how many gauges")),
)
@click.option(
    "--days",
    default=365,
    show_default=True,
    type=click.IntRange(120, 3660),
    help=spoken(Text("逐时资料的天数", "days of hourly record")),
)
def bench_tune(gauges: int, days: int) -> None:
    """率定测速：一站 5 次与 50 次事件，再到多站一年的逐时水位；打印区间。

    A gauge with 5 events and with 50, then a year of hourly stage of many; intervals are printed.
    """
    for one_days, floods in ((365, 5), (1825, 50)):
        echo(measured(1, one_days, floods))
    echo(measured(gauges, days, 3))
