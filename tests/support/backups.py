"""What a storm that was played has left, and a line that records what it would send."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from config.records.district import District
from console.model.follow import Follower
from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.channels import SendResult
from dispatch.records import Delivery, Receipt, Route, attempt_key
from dispatch.send.outbox.state import Box
from dispatch.send.stage import Send
from dispatch.send.workers import Clock, Sender
from fengsui.files.backup import ORDER, groups_of
from fengsui.files.export import export
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from stream.disk.blobs import FrameStore
from stream.log.port import Log
from stream.stages.runner import Runner
from tests.support.decide_district import unproved
from tests.support.districts import as_it_stands
from tests.support.played import fengsui as fengsui

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "yanqing"
DISTRICT = as_it_stands()  # as the commands that play the storm read it
NOW = 1_753_524_000_000
STAGES = ("detect", "decide", "address", "send")
STANDS_S = 600  # so long nothing has moved before a line is taken for stuck


def at(state: Path, log: str = "") -> Callable[[District, str], Setup]:
    return lambda district, run: make_setup(district, run, state, log=log)


@contextmanager
def opened(setup: Setup) -> Iterator[Log]:
    log = open_run_log(setup)
    try:
        yield log
    finally:
        log.close()


def contents(log: Log) -> dict[tuple[str, int], list[tuple[str, bytes]]]:
    return {
        (t, p): [(e.key, e.value) for e in log.read(t, p, 0, 10**6)]
        for t in ORDER
        for p in range(log.topics[t].partitions)
    }


def unread(log: Log) -> dict[tuple[str, str, int], int]:
    """Records after each group's position, by count: offsets differ from log to log."""
    return {
        (t, g, p): len(log.read(t, p, position, 10**6))
        for t in ORDER
        for g in groups_of(t)
        for p, position in enumerate(log.positions(t, g))
    }


def places(log: Log) -> list[list[int]]:
    """How far each group of each topic is."""
    return [list(log.positions(t, g)) for t in ORDER for g in groups_of(t)]


def behind(log: Log) -> bool:
    """Whether a stage has something to read."""
    return any(
        log.read(t, p, position, 1)
        for t in ORDER
        for g in groups_of(t)
        if g in STAGES
        for p, position in enumerate(log.positions(t, g))
    )


class Recording:
    """A channel that keeps what it was told to send."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.passes, self.busy = 0, False  # of the stage send: how often it looked; at work then?

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        self.keys.append(key)
        return SendResult("played" if route.channel == "broadcast" else "delivered")


@contextmanager
def line(log: Log, channel: Recording, frames: Path) -> Iterator[None]:
    """All stages from detect to send, as threads, on a channel that records."""
    stop = threading.Event()
    channels = dict.fromkeys(("broadcast", "sms", "app", "cap", "console"), channel)
    sender = Sender(log, channels, Clock(False, lambda: 0), tuple(DISTRICT.groups))
    stages = (Detect(DISTRICT, FrameStore(frames).get), unproved(DISTRICT), Address(DISTRICT))
    runners = [Runner(s, log, member="t", live=False, now=lambda: NOW) for s in stages]

    def after(states: Mapping[int, Box]) -> None:
        sender.after(states.get(0))
        channel.busy, channel.passes = bool(sender._begun), channel.passes + (0 in states)

    runners.append(
        Runner(Send(DISTRICT, False), log, member="t", live=False, now=lambda: NOW, after=after)
    )
    failed: list[BaseException] = []

    def work(runner: Runner) -> None:
        try:
            runner.run(stop)
        except BaseException as e:  # noqa: BLE001  # asserted below
            failed.append(e)

    threads = [threading.Thread(target=work, args=(r,)) for r in runners]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(120)
        sender.close()
    assert not failed


def settle(log: Log, channel: Recording) -> None:
    """Until every stage has read all there is and nothing moves. It may take as long as something does."""
    deadline, since, at = time.monotonic() + STANDS_S, channel.passes, places(log)
    while True:
        if at != (at := places(log)):
            deadline = time.monotonic() + STANDS_S
        assert time.monotonic() < deadline, unread(log)
        passes, busy = channel.passes, channel.busy
        if busy or behind(log):
            since = channel.passes
        elif passes >= since + 2:  # one that began after all was read, and found nothing to do
            return
        time.sleep(0.05)


def receipts(log: Log) -> set[tuple[str, int, int]]:
    found = (r for _, r in Follower(log, ("deliveries",)).take())
    return {(r.delivery, r.route, r.attempt) for r in found if isinstance(r, Receipt)}


def receipted(log: Log) -> set[str]:
    """The keys of all attempts that have a receipt."""
    records = [r for _, r in Follower(log, ("deliveries",)).take()]
    of = {r.id: r for r in records if isinstance(r, Delivery)}
    return {
        attempt_key(d.alert, d.version, d.routes[r.route].channel, d.recipient)
        for r in records
        if isinstance(r, Receipt) and (d := of[r.delivery])
    }


def lines(log: Log, name: str) -> bytes:
    return b"".join(export(log, name))
