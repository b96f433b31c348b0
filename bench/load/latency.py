"""From a reading to the loudspeaker of its village: 1,000 readings a second, now and then one that raises
a warning, timed from its publication to the command that the node is sent."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from bench.load.quantiles import times_told
from config.language import Text
from config.records.district import District
from fengsui.run.setup import Setup
from stream.mqtt.client import Mqtt

WARNINGS = 100  # a p99 needs so many
_A_STORM = 20  # warnings at the least, of one that goes well
_PATIENCE_S = 60.0  # for what has been fired and not been heard yet


class UnderLoad(Protocol):
    """A line that runs, and what the load and the watcher need of it; gauges: those that report."""

    broker_url: str
    prefix: str
    gauges: list[str]
    setup: Setup

    def close(self) -> None: ...


class Latencies(NamedTuple):
    """taken: ms of each warning that reached a loudspeaker; due: how many should have; sent: readings."""

    taken: tuple[float, ...]
    due: int
    sent: int


def publish(line: UnderLoad, kind: str, each: int, seconds: float) -> str:
    """The publisher, in a process of its own; what it prints at its end."""
    words = [
        sys.executable,
        "-m",
        "bench.load.publisher",
        line.broker_url,
        line.prefix,
        kind,
        str(each),
        str(seconds),
        ",".join(line.gauges),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout


def storm(line: UnderLoad, district: District, seconds: float) -> Latencies:
    """One storm on a line that has had none."""
    stop = threading.Event()
    heard: dict[str, float] = {}
    watcher = threading.Thread(target=_hear, args=(line, heard, stop))
    watcher.start()
    try:
        report = json.loads(publish(line, "storm", 1, seconds))
        fired: dict[str, float] = report["fired"]
        # an area hears several gauges: the first that was fired is what it answers to
        due: dict[str, float] = {}
        speaks = {n.area for n in district.nodes.values()}
        for w in district.watches:
            if w.station in fired and w.area in speaks:
                due[w.area] = min(fired[w.station], due.get(w.area, fired[w.station]))
        until = time.monotonic() + _PATIENCE_S
        while not due.keys() <= heard.keys() and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        stop.set()
        watcher.join()
    # one that spoke before its gauge was fired spoke for something else
    taken = ((heard[a] - at) * 1000 for a, at in due.items() if heard.get(a, 0.0) >= at)
    return Latencies(tuple(sorted(taken)), len(due), report["sent"])


def storms(
    start: Callable[[], UnderLoad], district: District, seconds: float, warnings: int = WARNINGS
) -> Iterator[Latencies]:
    """A storm on a fresh line each, until there are so many warnings."""
    count = 0
    for _ in range(1 + warnings // _A_STORM):
        line = start()
        try:
            found = storm(line, district, seconds)
        finally:
            line.close()
        yield found
        count += len(found.taken)
        if count >= warnings or not found.taken:
            return


def told(found: Sequence[Latencies], seconds: float) -> Text:
    """What the storms say together."""
    taken = sorted(ms for s in found for ms in s.taken)
    due, rate = sum(s.due for s in found), sum(s.sent for s in found) / (seconds * len(found))
    if not taken:
        return Text(
            f"时延：应有 {due} 次预警，没有一次到大喇叭",
            f"latency: of {due} warnings none reached a loudspeaker",
        )
    times, of = times_told(taken), f"{len(taken)}/{due}"
    return Text(
        f"时延，{rate:,.0f} obs/s：{times.zh}，{of} 次预警到大喇叭",
        f"latency at {rate:,.0f} obs/s: {times.en}, {of} warnings at a loudspeaker",
    )


def _hear(line: UnderLoad, heard: dict[str, float], stop: threading.Event) -> None:
    """When a loudspeaker of each area is first commanded."""
    ear = Mqtt(line.broker_url, "fengsui-bench-ear")
    ear.subscribe([f"{line.prefix}/node/+/command"])
    nodes = line.setup.district.nodes
    while not stop.is_set():
        batch = ear.get_batch(0.1)
        now = time.perf_counter()
        for m in batch:
            heard.setdefault(nodes[m.topic.split("/")[4]].area, now)
        ear.ack(batch)
    ear.close()
