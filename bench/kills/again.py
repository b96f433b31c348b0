"""Each stage once more over the log that it has read, in one go and undisturbed: what it writes then is what
must stand in the log."""

import threading
from collections import Counter

from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.send.answer_codes import codes_of
from dispatch.send.stage import Send
from fengsui.run.recipients import with_people
from fengsui.run.run_log import READS, frames_folder
from fengsui.run.setup import Setup
from fengsui.run.signing import judging
from stream.disk.blobs import FrameStore
from stream.log.port import Log
from stream.records import encode
from stream.stages.stage import Item, Stage

_WRITES = {"detect": "cases", "decide": "alerts", "address": "deliveries", "send": "deliveries"}


def again(setup: Setup, log: Log) -> dict[str, Counter[tuple[str, bytes]]]:
    """Topic -> how often the stages write what (key and value) there. What send hears from carriers is in its
    own topic, for it to read."""
    wrote: dict[str, Counter[tuple[str, bytes]]] = {topic: Counter() for topic in _WRITES.values()}
    for name, topic in _WRITES.items():
        stage, reads = _stage(name, setup, log), READS[name]
        for part, until in enumerate(log.positions(reads, name)):
            if items := _items(log, reads, part, until, stage):
                _, writes = stage.step(stage.new(part), items)
                wrote[topic].update((w.key, encode(w.record)) for w in writes if w.topic == topic)
    return wrote


def _items(log: Log, topic: str, part: int, until: int, stage: Stage) -> list[Item]:
    found, at = [], 0
    while entries := [e for e in log.read(topic, part, at) if e.offset < until]:
        at = entries[-1].offset + 1
        for e in entries:
            try:
                found.append(Item(part, e.offset, e.key, stage.decode(e.value)))
            except Exception:  # noqa: BLE001  # the runner put it aside too
                continue
    return found


def _stage(name: str, setup: Setup, log: Log) -> Stage:
    if name == "detect":
        return Detect(setup.district, FrameStore(frames_folder(setup)).get)
    if name == "decide":
        return Decide(setup.district, judging(setup, log, threading.Event()), setup.live)
    if name == "address":
        return Address(with_people(setup, name), setup.live)
    codes = codes_of(setup.district, setup.folder, setup.run.name, setup.live)
    return Send(with_people(setup, name), setup.live, codes)
