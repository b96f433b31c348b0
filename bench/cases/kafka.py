"""`fengsui bench --only kafka`: the stage detect on a real Kafka as a process of its own. First a
kill -9 in the middle must lose and double nothing; then the same is measured undisturbed."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from bench.baseline.rain import PlainRain
from bench.load.district import bench_district, names, packed
from bench.load.quantiles import times_told
from config.language import Text
from config.records.district import District
from detectors.detection import Detection
from dispatch.records import CaseRecord
from stream.environment import Usage
from stream.log.open import open_log
from stream.log.port import Log, Out

_CASES = msgspec.json.Decoder(CaseRecord)
_PACK = 4_000  # readings that come within the 10 ms for which ingest waits, at 400,000 a second
_SINGLE = Text("一条一记录", "one a record")
_PARTITIONS = 4
_SHARED = 2  # partitions of the throughput runs: what one process owns in the shipped district
_WARM_S = 3.0  # connections, first pages
_COLD_S = 60.0  # until a broker's transactions take as long as they will

Reading = tuple[str, int, int]  # gauge, ms, count


class Worker:
    """A detector process and what it says."""

    def __init__(self, url: str, run: str, **options: object) -> None:
        words = [sys.executable, "-m", "bench.load.worker", url, run, json.dumps(options)]
        self.said: list[dict[str, Any]] = []
        self.began = time.time()
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line) | {"heard": time.time()})

    def find(self, key: str) -> Any:
        return next((s[key] for s in self.said if key in s), None)

    def wait(self, key: str, timeout_s: float = 120) -> Any:
        until = time.monotonic() + timeout_s
        while self.find(key) is None:
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"the detector says no {key!r}: {self.said[-3:]}")
            time.sleep(0.01)
        return self.find(key)

    def owns(self) -> set[int]:
        return {s["owns"] for s in self.said if "owns" in s}

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        self._thread.join(timeout=10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *raised: object) -> None:
        """None stays behind, whatever was raised."""
        if self.process.poll() is None:
            self.kill()


def fresh(url: str, partitions: int = _PARTITIONS) -> tuple[str, Log]:
    run = f"exercise-bench{time.time_ns():x}"
    return run, open_log(url, run, "bench", partitions)


def fill(log: Log, records: list[tuple[str, bytes]]) -> float:
    """Append as ingest does; seconds it took."""
    began = time.perf_counter()
    for at in range(0, len(records), 2000):
        log.append([Out("observations", key, value) for key, value in records[at : at + 2000]])
    return time.perf_counter() - began


def read_on(log: Log, group: str, ends: list[int], share: float = 1.0) -> None:
    """Wait until a group has read this share of the observations."""
    while True:
        at = log.positions("observations", group)
        if all(p >= e * share - 1 for p, e in zip(at, ends, strict=True)):
            return
        time.sleep(0.02)


def said(log: Log, begin: int = 0) -> list[tuple[str, int, int]]:
    """(gauge, minute, level) of every change in `cases`, in their order for each gauge."""
    out, at = [], begin
    while entries := log.read("cases", 0, at):
        at = entries[-1].offset + 1
        for e in entries:
            record = _CASES.decode(e.value)
            if isinstance(record, Detection) and record.rule == "rain_threshold":
                out.append((record.area, record.detected_at // 60_000, int(record.level)))
    return sorted(out, key=lambda x: x[0])


def reference(readings: list[Reading]) -> list[tuple[str, int, int]]:
    """The same by a plain loop."""
    plain: dict[str, PlainRain] = {}
    out = []
    for name, ms, count in readings:
        change = plain.setdefault(name, PlainRain()).step(ms // 1000, count / 10)
        if change is not None:
            out.append((name, change[0] // 60, change[2]))
    return sorted(out, key=lambda x: x[0])


def bench_throughput(like: District, url: str, readings: list[Reading]) -> Iterator[Text]:
    gauges = sorted({r[0] for r in readings})
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        file = Path(folder) / "gauges"
        file.write_text("\n".join(gauges))
        for title, batch, part in (
            (_SINGLE, 1, readings[: min(len(readings), 300_000)]),
            (Text("按接入打包", "packed as ingest packs"), _PACK, readings),
        ):
            yield _throughput(like, url, title, batch, part, gauges, str(file))


def _throughput(
    like: District,
    url: str,
    title: Text,
    batch: int,
    readings: list[Reading],
    gauges: list[str],
    file: str,
) -> Text:
    district = bench_district(like, gauges, _SHARED)
    records = packed(district, readings, batch)
    run, log = fresh(url, _SHARED)
    took = fill(log, records)
    ends = log.ends("observations")
    options: dict[str, object] = {"gauges": {"file": file}, "partitions": _SHARED}
    with Worker(url, run, **options) as first:
        first.wait("first")
        read_on(log, "detect", ends, 0.3)
        first.kill()
    with Worker(url, run, **options) as second:
        read_on(log, "detect", ends)
        second.end()
    same = said(log) == reference(readings)
    with Worker(url, run, **options, group="calm") as calm:
        began = calm.wait("first")
        read_on(log, "calm", ends)
        rate = len(readings) / (time.time() - began)
        calm.end()
    used = (calm.said[-1]["cpu"] - calm.find("cpu")) / len(readings) * 1e6
    log.close()
    size = len(readings) / len(records)
    told = f"detect {rate:,.0f} obs/s, CPU {used:.1f} µs/obs"
    peak, append = f"{calm.said[-1]['peak_mb']} MB", f"{len(readings) / took:,.0f} obs/s"
    after = Text("无失无重", "nothing lost or doubled") if same else Text("不同", "DIFFERENT")
    return Text(
        f"Kafka，{title.zh}：{told}，内存 {peak}；写入 {append}；每记录 {size:.0f} obs；kill -9 之后"
        f"{after.zh}",
        f"Kafka, {title.en}: {told}, memory {peak}; append {append}; {size:.0f} obs a record; after "
        f"kill -9: {after.en}",
    )


def bench_hop(like: District, url: str, seconds: float) -> Iterator[Text]:
    """From the moment ingest appends a reading to the moment decide reads what it means. A broker
    that has just begun still compiles what it will run all year (p99 falls from 300 to 100 ms within
    a minute): one round is not counted."""
    _hop(like, url, 1_000, _SINGLE, True, max(seconds, _COLD_S))
    for rate in (1_000, 5_000):
        for title, one in ((_SINGLE, True), (Text("打包", "packed"), False)):
            yield _hop(like, url, rate, title, one, seconds)


def _hop(like: District, url: str, rate: int, title: Text, one: bool, seconds: float) -> Text:
    gauges = names(1000)
    district = bench_district(like, gauges, _PARTITIONS)
    run, log = fresh(url)
    with Worker(url, run, gauges=len(gauges), partitions=_PARTITIONS) as worker:
        worker.wait("ready")
        ear = Ear(url, run)
        try:
            fired, delay, number = _feed(district, log, gauges, rate, one, seconds)
            time.sleep(2)
        finally:
            ear.close()
        worker.end()
    log.close()
    taken = sorted((ear.heard[g] - at) * 1000 for g, at in fired.items() if g in ear.heard)
    lost = len(fired) - len(taken)
    at, times = f"{number / seconds:,.0f} obs/s", times_told(taken)
    packs = f"{statistics.median(delay) * 1000:.0f} ms"
    return Text(
        f"Kafka 一跳，{at}，{title.zh}：{times.zh}，{len(taken)} 次变化，{lost} 次未见；打包等待 {packs}",
        f"Kafka hop at {at}, {title.en}: {times.en}, {len(taken)} changes, {lost} missing; packing waits "
        f"{packs}",
    )


def _feed(
    district: District, log: Log, gauges: list[str], rate: int, one: bool, seconds: float
) -> tuple[dict[str, float], list[float], int]:
    """Readings at a rate, as ingest takes them: what came while the last batch was written. Now and
    then one that changes a level; when that one was at hand."""
    fired: dict[str, float] = {}
    delay: list[float] = []
    minute, number = 29_000_000, 0
    began = time.perf_counter()
    while (now := time.perf_counter() - began) < seconds:
        due = int(now * rate)
        readings = [
            (gauges[n % len(gauges)], (minute + n // len(gauges)) * 60_000, 0)
            for n in range(number, due)
        ]
        number = due
        share = max(0.0, now - _WARM_S) / (seconds - _WARM_S)
        shots = gauges[len(fired) : min(len(gauges), int(share * 200))]
        at = time.time()
        for gauge in shots[:3]:
            fired[gauge] = at
            readings.append((gauge, (minute + number // len(gauges) + 1) * 60_000, 90))
        records = packed(district, readings, 1 if one else max(len(readings), 1))
        log.append([Out("observations", key, value) for key, value in records])
        delay.append(time.time() - at)
        time.sleep(0.01)
    return fired, delay, number


class Ear:
    """Reads `cases` as the next stage does: when it heard of each area first."""

    def __init__(self, url: str, run: str) -> None:
        self.heard: dict[str, float] = {}
        self._log = open_log(url, run, "bench", _PARTITIONS)
        self._stop, self._there = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        if not self._there.wait(60):
            raise RuntimeError("the reader of `cases` does not come up")

    def _listen(self) -> None:
        consumer = self._log.join("cases", "ear", f"ear-{os.getpid()}")
        while not self._stop.is_set():
            entries, now = consumer.poll(0.1), time.time()
            if consumer.owned():
                self._there.set()
            for e in entries:
                record = _CASES.decode(e.value)
                if isinstance(record, Detection) and record.level:
                    self.heard.setdefault(record.area, now)
        consumer.close()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._log.close()


def bench_kill(like: District, url: str) -> Iterator[Text]:
    """Two detectors; one dies between send and commit; when the next stage reads the alert."""
    gauges = names(1000)
    district = bench_district(like, gauges, _PARTITIONS)
    run, log = fresh(url)
    with ExitStack() as all_:
        dying = all_.enter_context(
            Worker(url, run, gauges=len(gauges), partitions=_PARTITIONS, die=True)
        )
        dying.wait("ready")
        living = all_.enter_context(Worker(url, run, gauges=len(gauges), partitions=_PARTITIONS))
        living.wait("ready")
        time.sleep(3)  # the rebalance of its coming
        ear = Ear(url, run)
        all_.callback(ear.close)
        # one gauge of each partition, so that one of the dying one's is among them
        minute = 29_000_000 * 60_000
        readings = [(g, minute, 90) for g in gauges[:: len(gauges) // 16]]
        at = time.time()
        log.append([Out("observations", k, v) for k, v in packed(district, readings, 100)])
        while len(ear.heard) < len(readings) and time.time() - at < 60:
            time.sleep(0.02)
        died = dying.find("died")
        living.end()
        dying.kill()
    log.close()
    late = max(ear.heard.values(), default=at) - at
    heard = f"{len(ear.heard)}/{len(readings)}"
    alive = Text("；未触发", "; the kill did not happen")
    yield Text(
        f"Kafka，发出而未提交时断电：{late:.1f} s 后下一级读到 {heard} 次变化的最后一次",
        f"Kafka, killed between send and commit: {late:.1f} s until the next stage read the last of "
        f"{heard} changes",
    ) + ("" if died else alive)


def need_kafka(url: str) -> str:
    if not url.startswith("kafka"):
        raise Usage(
            "bench --only kafka: "
            + Text("写明服务器：", "name a server: ")
            + "FENGSUI_LOG=kafka://HOST:PORT"
        )
    return url
