"""The benchmark's detector: the stage detect over a made district, as a process of its own. It says
on its standard output, a JSON line each, what it owns, when it began and what it cost."""

import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.load.district import bench_district, names
from config.load import load
from detectors.memory.state import DetectState
from detectors.stage import Detect
from fengsui.run.service import calm_collector, hand_over_soon
from fengsui.run.setup import default_config
from stream.log.open import open_log
from stream.log.port import Out
from stream.pace.stop_signals import stopping_on_signals
from stream.stages.runner import Runner
from stream.stages.stage import Item, Write


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Told(Detect):
    """Says when it took its first record."""

    began = False

    def new(self, partition: int) -> DetectState:
        say(owns=partition)
        return super().new(partition)

    def step(self, state: DetectState, items: Sequence[Item]) -> tuple[DetectState, list[Write]]:
        if not self.began:
            self.began = True
            say(first=time.time(), cpu=time.process_time())
        return super().step(state, items)


def die_between_send_and_commit() -> None:
    """At the first transaction that carries a detection: sent, and not committed."""
    from stream.log.kafka import KafkaLog

    send = KafkaLog.send

    def sent(self: KafkaLog, producer: Any, outputs: Sequence[Out]) -> list[Any]:
        found = send(self, producer, outputs)
        if any(b"rain_threshold" in out.value for out in outputs):
            producer.flush()
            say(died=time.time())
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    KafkaLog.send = sent  # type: ignore[method-assign]


def main(url: str, run: str, options: str) -> None:
    """options: JSON {"gauges": names or a number, "partitions", "group", "die", "classes"}."""
    wanted = json.loads(options)
    gauges = wanted["gauges"]
    district = bench_district(
        load(default_config()),
        names(gauges) if isinstance(gauges, int) else Path(gauges["file"]).read_text().split(),
        wanted["partitions"],
        classes=wanted.get("classes", False),
    )
    if wanted.get("die"):
        die_between_send_and_commit()
    stage = Told(district, lambda _: None)
    stage.name = wanted.get("group", "detect")
    stop = threading.Event()
    with stopping_on_signals(stop):
        log = open_log(url, run, district.id, wanted["partitions"])
        ready = threading.Event()
        runner = Runner(stage, log, member=f"bench-{os.getpid()}", live=False, now=lambda: 0)
        calm_collector()
        hand_over_soon()
        began = time.perf_counter()

        def tell() -> None:
            ready.wait()
            say(ready=time.perf_counter() - began)

        threading.Thread(target=tell, daemon=True).start()
        runner.run(stop, ready)
    log.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    say(cpu=time.process_time(), peak_mb=round(peak / 1024))


if __name__ == "__main__":
    main(*sys.argv[1:])
