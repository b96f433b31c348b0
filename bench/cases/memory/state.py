"""`fengsui bench`: what a detector's memory costs by the number of stations, and how long a detector
takes to be back with the memory of thirty days."""

import json
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator

import numpy as np

from bench.cases.kafka import Worker, fresh
from bench.load.district import bench_district, names
from config.language import Text
from config.load import load
from config.records.district import District
from detectors.memory.state import DetectState
from detectors.stage import Detect
from fengsui.run.setup import default_config
from ingest.observation import Observations
from stream.log.port import Out, partition_of
from stream.records import Run, encode
from stream.stages.stage import Item
from stream.stages.stage_memory import snapshot_body

_START = 1_784_600_040_000
_PARTITIONS = 4


def _rained(
    stage: Detect, district: District, partition: int, steps: int, every_min: int
) -> tuple[DetectState, int, float]:
    """The memory after so many reports of every gauge of a partition: state, observations, s of CPU."""
    rng = np.random.default_rng(partition)
    groups = [
        (g, a)
        for g, a in district.groups.items()
        if partition_of(g, district.partitions) == partition
    ]
    state, count, spent = stage.new(partition), 0, 0.0
    for n in range(steps):
        at = _START + n * every_min * 60_000
        items = [
            Item(
                partition,
                0,
                group,
                Observations(
                    group=group,
                    received_at=0,
                    station=gauges,
                    quantity=("rain",) * len(gauges),
                    observed_at=(at,) * len(gauges),
                    value=tuple(rng.poisson(0.4, len(gauges)).tolist()),
                ),
            )
            for group, gauges in groups
        ]
        began = time.process_time()
        state, _ = stage.step(state, items)
        spent += time.process_time() - began
        count += sum(len(g) for _, g in groups)
    return state, count, spent


def cost(stations: int, rules: int = 0, partitions: int = _PARTITIONS) -> dict[str, float]:
    """In this process, so that its memory is what the stations need. rules: of each gauge, beside its
    thresholds. most: CPU of the busiest partition, s."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    like, gauges = load(default_config()), names(stations)
    district = bench_district(like, gauges, partitions, classes=True, rules=rules)
    stage = Detect(district, lambda _: None)
    count = spent = size = most = 0.0
    states = []
    for partition in range(partitions):
        state, n, s = _rained(stage, district, partition, 60, 1)
        count, spent, most = count + n, spent + s, max(most, s)
        states.append(state)
    began = time.perf_counter()
    bodies = [zlib.compress(stage.dump(s), 1) for s in states]
    dumped = time.perf_counter() - began
    size = sum(map(len, bodies))
    began = time.perf_counter()
    for partition, body in enumerate(bodies):
        stage.load(partition, zlib.decompress(body))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "us": spent / count * 1e6,
        "kb": (peak - before) / stations,
        "dump": dumped,
        "mb": size / 1e6,
        "load": time.perf_counter() - began,
        "most": most,
    }


def bench_cost() -> Iterator[Text]:
    """The cost curve, a fresh process each."""
    words = "import json, sys; from bench.cases.memory.state import cost; "
    words += "print(json.dumps(cost(int(sys.argv[1]))))"
    for stations in (100, 1_000, 10_000, 100_000):
        done = subprocess.run(
            [sys.executable, "-c", words, str(stations)],
            capture_output=True,
            text=True,
            check=True,
        )
        c = json.loads(done.stdout)
        us, kb, mb = f"{c['us']:.2f} µs/obs", f"{c['kb']:.0f} kB", f"{c['mb']:.1f} MB"
        dump, load = f"{c['dump']:.2f} s", f"{c['load']:.2f} s"
        yield Text(
            f"成本，{stations:,} 站：detect {us}（整分钟同到），内存每站 {kb}，快照 {mb} 写 {dump}、读 {load}",
            f"cost, {stations:,} stations: detect {us} (a minute's reports at once), memory {kb} a "
            f"station, snapshot {mb} written in {dump}, loaded in {load}",
        )


def bench_recovery(like: District, url: str) -> Iterator[Text]:
    """Thirty days of hourly rain of 10,000 gauges, then a detector that comes back."""
    gauges = names(10_000)
    district = bench_district(like, gauges, _PARTITIONS, classes=True)
    stage = Detect(district, lambda _: None)
    run, log = fresh(url)
    start = Run(name=run, kind="exercise", district="bench", config="", start_at=_START)
    log.append([Out("observations", "run", encode(start), p) for p in range(_PARTITIONS)])
    consumer = log.join("observations", "detect", "filler")
    while len(consumer.owned()) < _PARTITIONS:
        consumer.poll(0.5)
    size = 0
    for partition in range(_PARTITIONS):
        state, _, _ = _rained(stage, district, partition, 30 * 24, 60)
        body = snapshot_body(stage, state)
        size += len(body)
        consumer.commit(partition, 1, [], body)
    consumer.close()
    with Worker(url, run, gauges=len(gauges), partitions=_PARTITIONS, classes=True) as worker:
        ready = worker.wait("ready")
        whole = time.time() - worker.began
        worker.end()
    log.close()
    yield Text(
        f"Kafka 恢复，10,000 站 30 天：自入组到检测 {ready:.1f} s，自进程启动 {whole:.1f} s；内存态 "
        f"{size / 1e6:.0f} MB",
        f"Kafka recovery, 10,000 stations, 30 days: {ready:.1f} s from joining to judging, {whole:.1f} s "
        f"from the process's start; memory of {size / 1e6:.0f} MB",
    )
