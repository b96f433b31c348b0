"""`fengsui bench detect --against REV`: the stage detect of this tree beside that of a revision, in the
same run: processes of both take turns over the same records, and the ratio is of each turn's pair.

What is timed is the CPU time of `step` alone, after the records are decoded. Each tree reads the
district that it ships, so a revision with other rules or stations does other work; how much each
said is printed beside."""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.load.revision import in_turns, of_tree, tree_of
from config.language import Text
from config.load import load
from config.records.district import District, Station
from fengsui.run.setup import default_config
from ingest.observation import Flag, Observation, Observations
from stream.environment import Usage
from stream.records import Run, Tick, encode

_EVERY_S = 300
_TICK_MS, _TICK_READINGS = (
    5_000,
    20_000,
)  # of an upload: a live line's tick, and what comes until then
_START = 1_753_520_400_000  # a July morning


class Mode(NamedTuple):
    """times: how often the district stands side by side. group: readings of a step; 0: a whole slot."""

    title: Text
    times: int
    slots: int
    group: int
    doubtful: bool = False  # every second gauge is flagged suspect
    late: bool = (
        False  # the last slot first, then each gauge's others, newest first, `group` a step
    )
    dry: bool = False  # no rain and no flood
    across: bool = False  # of what is late, a reading of each gauge a step


MODES = (
    Mode(Text("整批", "batches of a slot"), 8, 144, 0),
    Mode(Text("网关每批 20 条", "gateway batches of 20"), 1, 144, 20),
    Mode(Text("每步 10 条", "ten a step"), 1, 144, 10),
    Mode(Text("单条", "single readings"), 1, 36, 1),
    Mode(Text("单条，无雨", "single readings, dry"), 1, 72, 1, dry=True),
    Mode(Text("每步 10 条，无雨", "ten a step, dry"), 1, 144, 10, dry=True),
    Mode(Text("三千站整批，无雨", "batches of a slot of 3,000 stations, dry"), 40, 24, 0, dry=True),
    Mode(Text("半数存疑", "every second gauge in doubt"), 1, 144, 0, doubtful=True),
    Mode(Text("迟到，新者在先", "late, newest first"), 4, 288, 100, late=True),
    Mode(Text("迟到，各站齐补", "late, of all gauges at once"), 8, 288, 1, late=True, across=True),
)


class Turn(NamedTuple):
    """What one process said."""

    cpu_s: float
    readings: int
    said: int
    digest: str = ""  # of what it said


def weather(
    stations: Sequence[Station], slots: int, seed: int, *, dry: bool = False
) -> npt.NDArray[np.int64]:
    """(slots, stations) counts: rain that falls on gauges beside one another, most in its middle, and
    a flood wave at each level. One storm of two that come at once is so strong that it warns. dry: neither."""
    rng = np.random.default_rng(seed)
    place = np.array([(s.lon * 0.76, s.lat) for s in stations])
    rains = np.array([s.quantity == "rain" for s in stations])
    time = np.arange(slots)
    wave = (0 if dry else 1500) * np.exp(-(((time - slots * 0.6) / 12) ** 2))
    counts = np.rint(600 + wave[:, None] + rng.normal(0, 4, (slots, len(stations)))).astype(
        np.int64
    )
    counts[:, rains] = 0
    for n in range(0 if dry else 2 + slots // 100):
        middle = place[rng.integers(len(stations))]
        near = np.exp(-(((place - middle) ** 2).sum(axis=1) / 0.15**2))
        begin, length = int(rng.integers(slots // 2)), int(rng.integers(6, 40))
        rate = 40.0 if n == 0 else rng.uniform(2, 10)  # counts of a slot
        part = counts[begin : begin + length, rains]
        counts[begin : begin + length, rains] = part + rng.poisson(rate * near[rains], part.shape)
    return counts


def workload(district: District, mode: Mode) -> bytes:
    """A reading of every rain and stage station each five minutes, and a tick after each slot."""
    some = [s for s in district.stations.values() if s.quantity in ("rain", "stage")]
    names = [(s, n) for n in range(mode.times) for s in some]
    of_tile = [weather(some, mode.slots, seed=n, dry=mode.dry) for n in range(mode.times)]
    counts = np.concatenate(of_tile, axis=1)
    start = Run(
        name="exercise-bench", kind="exercise", district=district.id, config="", start_at=_START
    )
    lines = [[encode(start)]]
    for clock_at, step in _steps(mode, len(names)):
        of: dict[str, list[Observation]] = {}
        for slot, k in step:
            s, n = names[k]
            flag = Flag.SUSPECT if mode.doubtful and k % 2 else Flag.GOOD
            one = Observation(
                station=f"{s.id}-{n}",
                quantity=s.quantity,
                observed_at=_at(slot),
                value=int(counts[slot, k]),
                flag=flag,
                test="rate" if flag == Flag.SUSPECT else "",
            )
            of.setdefault(f"{district.groups_of_station[s.id][0]}-{n}", []).append(one)
        line = [encode(Observations.of(g, clock_at, x)) for g, x in of.items()]
        lines.append(line or [encode(Tick(clock_at=clock_at))])
    return b"\n".join(b"[" + b",".join(line) + b"]" for line in lines)


def _at(slot: int) -> int:
    """When the readings of a slot are of, ms."""
    return _START + (slot + 1) * _EVERY_S * 1000


def _steps(mode: Mode, many: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The line's clock (ms) and what comes then: (slot, which of `many` gauges); nothing: a tick."""
    for slot in range(mode.slots - 1 if mode.late else 0, mode.slots):
        width = many if mode.late else mode.group or many
        for first in range(0, many, width):
            yield _at(slot), [(slot, k) for k in range(first, min(first + width, many))]
        yield _at(slot), []
    if mode.late:
        yield from _ticking(_late(mode, many), _at(mode.slots - 1))


def _late(mode: Mode, many: int) -> Iterator[list[tuple[int, int]]]:
    """Steps of what is uploaded, the newest first."""
    before = range(mode.slots - 2, -1, -1)
    if mode.across:
        for slot in before:
            yield [(slot, k) for k in range(many)]
        return
    for first in range(0, len(before), mode.group):
        for k in range(many):
            yield [(slot, k) for slot in before[first : first + mode.group]]


def _ticking(
    steps: Iterator[list[tuple[int, int]]], clock_at: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The steps with the ticks of a live line among them, so that all that waited is judged at the end:
    what nobody judged would cost nothing."""
    since = 0
    for step in steps:
        yield clock_at, step
        since += len(step)
        if since >= _TICK_READINGS:
            clock_at, since = clock_at + _TICK_MS, 0
            yield clock_at, []
    yield clock_at + _TICK_MS, []


def turn(tree: Path, workload_file: Path, times: int) -> Turn:
    """One process over the workload. Raises RuntimeError with what it said last."""
    return Turn(*of_tree(tree, "detector.py", str(workload_file), str(times)))


def lines(revision: str, rounds: int, only: str = "") -> Iterator[Text]:
    """A line each mode: both in readings a second, and the median of the rounds' ratios. only: of those
    whose title has these words. Raises `Usage` where none has."""
    modes = [m for m in MODES if only in m.title.zh or only in m.title.en]
    if not modes:
        titles = Text("、".join(m.title.zh for m in MODES), "; ".join(m.title.en for m in MODES))
        raise Usage(f"--only {only!r}: " + Text("没有，有：", "is none of: ") + titles)
    district = load(default_config())
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as place:
        folder = Path(place)
        there = tree_of(revision, folder)
        for mode in modes:
            file = folder / "workload"
            file.write_bytes(workload(district, mode))

            pairs = in_turns(partial(turn, workload_file=file, times=mode.times), there, rounds)
            yield _told(mode, revision, pairs)


def _told(mode: Mode, revision: str, pairs: list[tuple[Turn, Turn]]) -> Text:
    here, there = (statistics.median(p[k].readings / p[k].cpu_s for p in pairs) for k in range(2))
    ratios = sorted(b.cpu_s / a.cpu_s for a, b in pairs)
    ours, theirs = pairs[0]
    ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
    same = ours.digest == theirs.digest
    return mode.title + Text(
        f"：{ours.readings:,} 条读数；本版 {here:,.0f}/s，{revision} {there:,.0f}/s，比 {ratio}；"
        f"说出 {ours.said:,} 与 {theirs.said:,}，{'逐字节相同' if same else '不尽相同'}",
        f": {ours.readings:,} readings; here {here:,.0f}/s, {revision} {there:,.0f}/s, ratio {ratio}; "
        f"said {ours.said:,} and {theirs.said:,}, {'the same byte for byte' if same else 'not the same'}",
    )
