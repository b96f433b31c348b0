"""`fengsui bench growth`: what one more costs where there are many already: stations of a district, rules of a
gauge, detectors that share a district, names in a record. Counted is CPU time, of a fresh process each, so that
what else runs shows less; a curve is linear or better where its last cost is not above its first."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from bench.cases.memory.state import cost
from config.language import Text, text_of
from fengsui.run.terminal import echo
from skill.series.figure import FigureFault, pyplot
from skill.series.record.lines import Lines
from stream.environment import Usage, spoken

_STATIONS, _RULES, _DETECTORS = (100, 1_000, 10_000, 100_000), (1, 5, 20, 50), (1, 2, 4, 8)
_NAMES = (1_000, 10_000, 100_000)
_ROUNDS = 3
_LARGE = 10_000  # what fewer need is less than what a process holds already
_GAUGES, _SHARED = 100, 20_000  # of the curve of rules; of that of detectors


class Curve(NamedTuple):
    """cost: of one more at each of `counts`, in `unit`."""

    what: Text
    unit: Text
    counts: tuple[int, ...]
    cost: tuple[float, ...]

    @property
    def grows(self) -> float:
        """The cost where there are most of it, to that where there are fewest."""
        return self.cost[-1] / self.cost[0]


def names_us(count: int) -> float:
    """CPU of a new name in a record of so many, us."""
    row = "G{:06d},rain,2016-01-01T00:00:00Z,0.5\n"
    block = "".join(map(row.format, range(count))).encode()
    began = time.process_time()
    found = Lines(lambda _, __: True).read(block)
    spent = time.process_time() - began
    assert found is not None
    assert not found.odd.size
    return spent / count * 1e6


def measured(kind: str, stations: int, more: int, partitions: int) -> dict[str, float]:
    """One point, in this process."""
    if kind == "names":
        return {"us": names_us(stations)}
    return cost(stations, more, partitions)


def _apart(kind: str, stations: int, more: int = 0, partitions: int = 4) -> dict[str, float]:
    """The same in a process of its own: the cheapest of some, for whatever else runs only adds to it."""
    rounds = _ROUNDS if stations <= _SHARED else 1
    found = (_once(kind, stations, more, partitions) for _ in range(rounds))
    return min(found, key=lambda f: f["us"])


def _once(kind: str, stations: int, more: int, partitions: int) -> dict[str, float]:
    program = "import json, sys; from bench.cases.memory.growth import measured; "
    program += "print(json.dumps(measured(sys.argv[1], *map(int, sys.argv[2:]))))"
    words = [kind, *map(str, (stations, more, partitions))]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def curves(most: int) -> Iterator[Curve]:
    """Each as it is measured. most: stations and names."""
    stations = tuple(n for n in _STATIONS if n <= most)
    found = [_apart("detect", n) for n in stations]
    a_reading = Text("µs CPU，每条读数", "µs of CPU a reading")
    yield Curve(Text("站", "stations"), a_reading, stations, tuple(f["us"] for f in found))
    if large := {n: f["kb"] for n, f in zip(stations, found, strict=True) if n >= _LARGE}:
        a_station = Text("kB 内存，每站", "kB of memory a station")
        yield Curve(Text("站", "stations"), a_station, tuple(large), tuple(large.values()))
    a_rule = Text("µs CPU，每条读数每条规则", "µs of CPU a reading and rule")
    each = tuple(_apart("detect", _GAUGES, n)["us"] / (n + 1) for n in _RULES)
    yield Curve(Text("每站规则", "rules a gauge"), a_rule, _RULES, each)
    shared = [_apart("detect", min(_SHARED, most), 0, n) for n in _DETECTORS]
    yield Curve(
        Text("检测进程", "detectors"), a_reading, _DETECTORS, tuple(f["us"] for f in shared)
    )
    yield Curve(
        Text("检测进程", "detectors"),
        Text("最忙一个的 CPU 乘以个数，s", "s of CPU of the busiest, times their number"),
        _DETECTORS,
        tuple(f["most"] * n for n, f in zip(_DETECTORS, shared, strict=True)),
    )
    few = tuple(n for n in _NAMES if n <= most)
    times = tuple(_apart("names", n)["us"] for n in few)
    yield Curve(
        Text("资料里的站名", "names in a record"),
        Text("µs CPU，每个新名", "µs of CPU a new name"),
        few,
        times,
    )


def told(curve: Curve) -> Text:
    """A row."""
    points = "  ".join(f"{n:,}: {c:.3g}" for n, c in zip(curve.counts, curve.cost, strict=True))
    last = f"{curve.grows:.2f}"
    linear = Text("线性或更好", "linear or better") if curve.grows <= 1.1 else Text("增长", "grows")
    says = Text(f"；末比首 {last}，", f"; last to first {last}, ") + linear
    return curve.what + " (" + curve.unit + f"): {points}" + says


def draw(found: Sequence[Curve], file: Path) -> None:
    """All of them, each to its first point, both axes logarithmic. Raises Usage."""
    try:
        plt = pyplot()
    except FigureFault as e:
        raise Usage(text_of(e)) from e
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for curve in found:
        label = f"{curve.what.en}: {curve.unit.en}"
        first, start = curve.cost[0], curve.counts[0]
        counts = [n / start for n in curve.counts]
        axes.plot(counts, [c / first for c in curve.cost], marker="o", label=label)
    axes.axhline(1.0, color="grey", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="so many times the first", ylabel="cost of one, to the first")
    axes.legend(fontsize=8)
    figure.savefig(file)


@click.command("growth")
@click.option(
    "--most",
    default=100_000,
    show_default=True,
    type=click.IntRange(1_000, 1_000_000),
    help=spoken(Text("最多几站", "stations at the most")),
)
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    help=spoken(Text("画到这个文件", "a picture into this file")),
)
def bench_growth(most: int, figure: Path | None) -> None:
    """增长：站数、每站规则数、检测进程数、资料里的站名数增多时，每一个要多少 CPU 和内存；可画成图。

    What one costs when there are more stations, rules a gauge, detectors, names in a record: CPU and
    memory, and a picture.
    """
    found = []
    for curve in curves(most):
        found.append(curve)
        echo(text_of(told(curve)))
    if figure is not None:
        draw(found, figure)
        echo(Text(f"图在 {figure}", f"the picture is {figure}"))
