"""An archive that has no partition of any topic says so: it keeps nothing."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from config.language import en, zh
from ingest.archive import run_archive
from stream.environment import spoken
from stream.history.open import open_history
from stream.log.open import open_log
from stream.metrics import NONE_HELD, PULSES

WAIT_S = 240.0


def soon(there: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_S
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.05)
    assert found


def waits_for() -> str:
    """Of the archive; "": it is ready."""
    return str(PULSES.state().get("archive", {}).get("waits_for", "not begun"))


def test_it_is_ready_while_it_has_a_partition_of_any_topic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}"
    log = open_log(url, "exercise", "toy", 1)
    history = open_history(f"{url}/history", "exercise", "toy")
    others = {topic: log.join(topic, "archive", "other") for topic in log.topics}
    stop = threading.Event()
    ended = {topic: threading.Event() for topic in others}

    def hold(topic: str) -> None:
        consumer = others[topic]
        while not ended[topic].wait(0.05):
            consumer.poll(0.0)
        consumer.close()

    holding = [threading.Thread(target=hold, args=(topic,)) for topic in others]
    for thread in holding:
        thread.start()
    soon(lambda: all(c.owned() for c in others.values()))
    archive = threading.Thread(target=run_archive, args=(log, history, "m", stop))
    archive.start()
    try:
        soon(lambda: waits_for() in (zh(NONE_HELD), en(NONE_HELD), spoken(NONE_HELD)))
        ended["cases"].set()
        soon(lambda: not waits_for())
    finally:
        for one in (stop, *ended.values()):
            one.set()
        for thread in (archive, *holding):
            thread.join(WAIT_S)
        history.close()
        log.close()
