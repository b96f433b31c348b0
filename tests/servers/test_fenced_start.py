"""A process whose first words to the log are refused begins again by itself, and says them once."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ingest.observation import Observations
from ingest.stage import run_ingest
from stream.disk.blobs import FrameStore
from stream.log.kafka import KafkaLog
from stream.log.open import open_log
from stream.log.port import Entry, Out
from stream.records import Run, decode
from tests.support.districts import yanqing
from tests.support.servers import Mosquitto

PATIENCE_S = 240.0
_run = msgspec.json.Decoder(Run)
_readings = msgspec.json.Decoder(Observations)


def soon(there: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def stands(log: KafkaLog) -> list[list[Entry]]:
    return [log.read("observations", p, 0) for p in range(log.topics["observations"].partitions)]


def test_an_ingest_whose_first_writes_meet_a_fence_begins_again_and_says_its_run_once(
    kafka_server: str, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Somebody takes its transactional id between the first record and the commit, once in each partition.
    What came to nothing has moved the ends of the topic."""
    district = msgspec.structs.replace(yanqing(), id=f"d{uuid.uuid4().hex[:8]}")
    run = Run(
        name="exercise-fenced",
        kind="exercise",
        district=district.id,
        config="c",
        start_at=1_750_000_000_000,
    )
    log = open_log(f"kafka://{kafka_server}", run.name, district.id, district.partitions)
    assert isinstance(log, KafkaLog)
    parts = log.topics["observations"].partitions
    send, fenced = log.send, list[int | None]()

    def meets_a_zombie(producer: Any, outputs: Sequence[Out]) -> list[Any]:
        sent = send(producer, outputs)
        if outputs[0].partition not in fenced:
            log.producer(log._append_id).abandon()
            fenced.append(outputs[0].partition)
        return sent

    log.send = meets_a_zombie  # type: ignore[method-assign]
    stop, ready, failed = threading.Event(), threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            run_ingest(
                district, run, log, mosquitto.url, FrameStore(tmp_path), stop,
                now=lambda: 1_750_000_000_000, ready=ready,
            )  # fmt: skip
        except BaseException as e:
            failed.append(e)
            raise

    thread = threading.Thread(target=work, name="ingest")
    thread.start()
    try:
        assert soon(lambda: ready.is_set() or bool(failed))
        assert not failed
        assert sorted(p for p in fenced if p is not None) == list(range(parts))
        reading = json.dumps({"time": 1_750_000_000, "value": 3.2, "unit": "mm", "seq": 1})
        mosquitto.publish(f"fengsui/{run.name}/{district.id}/station/R01/rain", reading)
        assert soon(lambda: any(len(part) > 1 for part in stands(log)) or bool(failed))
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        found = stands(log)
        log.close()
    assert not failed
    for part in found:
        assert [decode(_run.decode, e.value) == run for e in part].count(True) == 1
        assert decode(_run.decode, part[0].value) == run
    said = {o.seq for p in found for e in p[1:] for o in _readings.decode(e.value).items}
    assert said == {1}
