"""What a small stage needs for an instant when it begins again beside a large one: what it once had, its
process keeps."""

import random
import subprocess
import sys
import uuid

import pytest

from stream.log import kafka_producer
from stream.log.open import open_log
from stream.log.port import Out

MB = 1 << 20
CHILD = """
import sys, tracemalloc
from stream.log.open import open_log
log = open_log(sys.argv[1], sys.argv[2], "toy", 2)
consumer = log.join("cases", "small", "m")
while 0 not in consumer.owned():
    consumer.poll(0.5)
tracemalloc.start()
found = consumer.snapshot(0)
print(len(found.body), tracemalloc.get_traced_memory()[1])
consumer.close()
log.close()
"""


def test_a_snapshot_is_read_without_those_of_other_stages(
    kafka_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind the one of 1 kB stands one of 12 MB, as send has after a day of storms."""
    for bound, value in (("_TRANSACTION_MS", 180_000), ("WAIT_S", 180.0)):  # on a busy machine too
        monkeypatch.setattr(kafka_producer, bound, value)
    url, run = f"kafka://{kafka_server}", f"exercise-{uuid.uuid4().hex[:8]}"
    log = open_log(url, run, "toy", 2)
    log.append([Out("cases", "k", b"something")])
    for group, size in (("small", 1024), ("large", 12 * MB)):
        consumer = log.join("cases", group, "m")
        while not (found := consumer.poll(0.5)):
            pass
        body = random.Random(1).randbytes(size)
        consumer.commit(0, found[-1].offset + 1, [], body)
        consumer.close()
    log.close()
    words = [sys.executable, "-c", CHILD, url, run]
    body_size, peak = map(int, subprocess.run(words, capture_output=True, check=True).stdout.split())
    assert body_size == 1024
    assert peak < 22 * MB, peak / MB
