"""Hours of storms on real servers, with nothing struck: does a process grow? Memory, open files and threads of
each, measured again and again."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from bench.kills.campaign import Storm
from bench.kills.line import RealLine
from bench.kills.plan import SERVERS, STAGES
from bench.kills.promises import judged
from bench.kills.slope import Slope, slope
from config.language import Said, Text

_EVERY_S = 10.0
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
_VERDICT = {
    "flat": Text("平", "flat"),
    "grows": Text("上升", "grows"),
    "shrinks": Text("下降", "shrinks"),
}


class Sample(NamedTuple):
    """Of one process. at_h: hours since the soak began."""

    at_h: float
    rss_mb: float
    files: int
    threads: int


class Soaked(NamedTuple):
    """Process -> its samples. minutes: of the storms; began_h: what came before warmed up."""

    samples: dict[str, list[Sample]]
    minutes: int
    began_h: float
    rested: bool
    broken: dict[str, list[str]]


def _held(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def sample(pid: int, at_h: float) -> Sample:
    """Of Linux. Raises OSError: it is not there."""
    place = Path(f"/proc/{pid}")
    pages = int((place / "statm").read_text().split()[1])
    return Sample(at_h, pages * _PAGE_MB, _held(place / "fd"), _held(place / "task"))


def soak(
    folder: Path,
    seconds: float,
    warm_s: float,
    speed: float,
    seed: int,
    tell: Callable[[Text | str], None],
    stop: threading.Event,
    note: Callable[[str, Sample], None] = lambda _name, _sample: None,
) -> Soaked:
    """For so long, with what the first `warm_s` seconds gave left out of the judgement. note: is given each
    sample as it is taken."""
    line = RealLine(folder)
    os.environ["FENGSUI_INFLUX_TOKEN"] = line.place.token
    samples: dict[str, list[Sample]] = defaultdict(list)
    try:
        storm = Storm(line, seed, speed, "yanqing-storm")
        began, told = time.monotonic(), 0.0
        while (passed := time.monotonic() - began) < seconds and not stop.wait(_EVERY_S):
            for name in (*STAGES, *SERVERS):
                found = sample(line.process(name).pid, passed / 3600)
                samples[name].append(found)
                note(name, found)
            if storm.playing.failed is not None:
                raise RuntimeError("the storm was not played on") from storm.playing.failed
            if passed - told > 600:
                told = passed
                tell(_now(passed, samples))
        minutes = storm.playing.minutes
        rested, account = storm.rest()
        verdict = judged(account)
        storm.close()
    finally:
        line.close()
    return Soaked(dict(samples), minutes, warm_s / 3600, rested, verdict.broken)


def _now(passed: float, samples: dict[str, list[Sample]]) -> str:
    each = ", ".join(f"{name} {rows[-1].rss_mb:.0f}" for name, rows in samples.items())
    return f"  {passed / 60:.0f} min, MB: {each}"


def slopes(found: Soaked, name: str) -> dict[str, Slope]:
    """What of a process -> its slope, after it had warmed up."""
    rows = [s for s in found.samples[name] if s.at_h >= found.began_h]
    hours = [s.at_h for s in rows]
    return {
        "rss": slope(hours, [s.rss_mb for s in rows]),
        "files": slope(hours, [float(s.files) for s in rows]),
        "threads": slope(hours, [float(s.threads) for s in rows]),
    }


def rows(found: Soaked) -> Iterator[Said]:
    """A line a process."""
    last = max(s.at_h for s in found.samples[STAGES[0]])
    yield Text(
        f"{last * 60:.0f} 分钟，风暴 {found.minutes / 60:.0f} 小时；前 {found.began_h * 60:.0f} 分钟不计",
        f"{last * 60:.0f} min, {found.minutes / 60:.0f} h of storms; the first "
        f"{found.began_h * 60:.0f} min do not count",
    )
    for name in (*STAGES, *SERVERS):
        kept = [s for s in found.samples[name] if s.at_h >= found.began_h]
        if len(kept) < 3:
            yield Text(f"{name}：测得太少", f"{name}: too few measurements")
            continue
        of = slopes(found, name)
        rss, first, end = of["rss"], kept[0], kept[-1]
        yield (
            Text(f"{name:10s} ", f"{name:10s} ")
            + f"{first.rss_mb:6.1f} → {end.rss_mb:6.1f} MB, "
            + f"{rss.per_h:+.2f} MB/h [{rss.low:+.2f}, {rss.high:+.2f}] "
            + _VERDICT[rss.verdict]
            + _count(Text("；文件", "; files"), first.files, end.files, of["files"])
            + _count(Text("；线程", "; threads"), first.threads, end.threads, of["threads"])
        )
    for name, lines in found.broken.items():
        yield f"✗ {name}"
        yield from (f"    {words}" for words in lines[:5])


def _count(what: Text, first: int, last: int, of: Slope) -> Text:
    return what + f" {first} → {last} " + _VERDICT[of.verdict]


def flat(found: Soaked) -> bool:
    """No stage grows in memory, files or threads."""
    return (
        found.rested
        and not found.broken
        and all(s.verdict != "grows" for name in STAGES for s in slopes(found, name).values())
    )
