"""Starts stages, watches them and stops them: one stage as a process of its own, or the whole line
as threads of one. What a stage is made of is loaded by whoever runs it: a process of one stage holds
neither the others nor what they need."""

import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import partial
from importlib import import_module
from pathlib import Path

from config.language import Text, text_of
from dispatch.ledger.custody import locked, noted
from fengsui.run.run_log import READS, STAGES, frames_folder, open_run_log
from fengsui.run.service import calm_collector, hand_over_soon
from fengsui.run.setup import Setup, own
from stream.clock import LineClock, last_tick, trusted
from stream.disk.locks import in_force
from stream.log.port import Corrupt, Log, Unavailable
from stream.log.unread import unread, unread_by_partition
from stream.metrics import PULSES, lags
from stream.mqtt.access import INGEST, SEND
from stream.oplog import say
from stream.pace.retry import Retry
from stream.stages.answered import answered
from stream.stages.runner import Runner
from stream.stages.stage import Stage
from stream.wall_clock import now_ms

_TRIM_EVERY_S = 3600.0
_LAG_EVERY_S = 15.0
_SLOW_S = 30.0  # a stage that takes longer to come up is told


def member() -> str:
    """This process's name in a consumer group."""
    return f"{socket.gethostname()}-{os.getpid()}"


_MADE_OF = {
    "ingest": ("ingest.stage", "fengsui.run.recipients", "stream.disk.blobs"),
    "detect": ("detectors.stage", "stream.disk.blobs"),
    "decide": ("dispatch.decide.stage", "fengsui.run.signing"),
    "address": ("dispatch.address.stage", "fengsui.run.recipients"),
    "send": ("dispatch.send.stage", "fengsui.run.recipients"),
    "archive": ("dispatch.ledger.writer", "ingest.archive", "stream.history.open"),
}
_DOORS = {
    "ingest": ("ingest.cap.http_server", "ingest.cap.feed_poller", "ingest.people.web"),
    "address": ("dispatch.geography.border",),
    "send": (
        *("dispatch.cap.feed_server", "dispatch.channels.http.receipt_server"),
        *("dispatch.channels.platform.door", "dispatch.channels.sip.carrier"),
        "dispatch.channels.smpp.carrier",
    ),
}


def load_stage(name: str, *, doors: bool = False) -> None:
    """What a stage is made of, before anything of it starts: by one thread, for two that import the same
    at once may see it half made. doors: what a stage loads where a district asks for it, too."""
    for module in _MADE_OF[name] + (_DOORS.get(name, ()) if doors else ()):
        import_module(module)


@contextmanager
def log_of(setup: Setup, name: str, stop: threading.Event) -> Iterator[Log | None]:
    """The log of the run, for a stage or a door, whose files are its owner's alone: one that starts before
    its server waits for it. None at `stop`."""
    os.umask(0o077)
    own(setup.folder)
    PULSES.works_for(setup.run.name, setup.run.kind)
    retry, pulse, log = Retry(name, stop), PULSES.of(name), None
    while log is None and not stop.is_set():
        try:
            log = open_run_log(setup)
        except Unavailable as e:
            pulse.beat(text_of(e))
            retry.wait(text_of(e))
    with closing(log) if log is not None else nullcontext() as found:
        yield found


def _measuring(log: Log, name: str, topic: str, stop: threading.Event) -> None:
    """How far the stage is behind, for the operators, while it runs."""

    def work() -> None:
        while not stop.wait(_LAG_EVERY_S):
            with suppress(Unavailable, Corrupt):  # the stage itself says so
                lags(name, topic, unread_by_partition(log, topic, name))

    threading.Thread(target=work, name=f"{name}-lag", daemon=True).start()


class Line:
    """Stages as threads. If one of them ends with an error the whole line stops and `failed` says
    which: a line with a hole in it must not look alive."""

    def __init__(
        self,
        setup: Setup,
        *,
        carrier_url: str = "",
        on_console: Callable[[str], None] | None = None,
    ) -> None:
        self._setup = setup
        self._carrier_url = carrier_url
        self._on_console = on_console
        self.stop_event = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ready: dict[str, threading.Event] = {}
        self.failed: dict[str, BaseException] = {}

    def start(
        self,
        stages: tuple[str, ...] = STAGES,
        timeout_s: float = 600.0,
        stop: threading.Event | None = None,
    ) -> bool:
        """Start in the order of the line and wait until each has its partitions. False: `stop` was set
        meanwhile, and everything is stopped again.

        Raises RuntimeError with the stage's name if one does not come up."""
        for name in stages:
            load_stage(name, doors=True)
        calm_collector()
        hand_over_soon()
        for name in reversed(stages):  # readers first: nothing waits for a stage that is not there
            ready = self._ready[name] = threading.Event()
            thread = threading.Thread(target=self._work, args=(name, ready), name=name)
            self._threads.append(thread)
            thread.start()
        began, told = time.monotonic(), 0.0
        for name, ready in self._ready.items():
            while not ready.wait(0.1):
                if stop is not None and stop.is_set() and not self.failed:
                    self.stop()
                    return False
                waited = time.monotonic() - began
                if self.failed or waited > timeout_s:
                    self.stop()
                    raise self._why(name, waited)
                if waited - told > _SLOW_S:
                    told = waited
                    late = Text(f"{waited:.0f} 秒还未就绪", f"not ready yet after {waited:.0f} s")
                    say(name, late)
        return True

    def _why(self, name: str, waited: float) -> BaseException:
        """Why the line does not come up; in words where a stage refuses to work."""
        for why in self.failed.values():
            if isinstance(why, Corrupt):
                return why
        late = Text(f"{waited:.0f} 秒未就绪", f"not ready after {waited:.0f} s")
        return RuntimeError(f"{name}: {self.failed.get(name) or late}")

    def _work(self, name: str, ready: threading.Event) -> None:
        try:
            run_stage(
                name,
                self._setup,
                self.stop_event,
                ready,
                carrier_url=self._carrier_url,
                on_console=self._on_console,
            )
        except BaseException as e:  # noqa: BLE001  # it is reported, and the line stops
            self.failed[name] = e
            if isinstance(e, Corrupt):
                say(name, text_of(e))
            elif not isinstance(e, KeyboardInterrupt):
                traceback.print_exc(file=sys.stderr)
            self.stop_event.set()

    @property
    def code(self) -> int:
        """The exit code: 2 where a person must mend the log, 1 where a stage failed, else 0."""
        damaged = any(isinstance(e, Corrupt) for e in self.failed.values())
        return 2 if damaged else int(bool(self.failed))

    def stop(self) -> None:
        """Stop every stage and wait for it."""
        self.stop_event.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def settled(self, log: Log) -> bool:
        """Every stage has read all there is."""
        return all(
            not unread(log, topic, stage)
            for stage, topic in READS.items()
            if ("archive" if stage.startswith("ledger-") else stage) in self._ready and stage != "archive"
        )


def run_stage(
    name: str,
    setup: Setup,
    stop: threading.Event,
    ready: threading.Event,
    *,
    carrier_url: str = "",
    on_console: Callable[[str], None] | None = None,
) -> None:
    """Run one stage until `stop`."""
    with log_of(setup, name, stop) as log:
        if log is None:
            return
        now, floor = now_ms, 0
        if topic := READS.get(name):
            _measuring(log, name, topic, stop)
        if setup.live:
            floor = answered(name, stop, lambda: last_tick(log, topic or "observations")) or 0
            now = LineClock(now_ms, floor=floor, name=name).read
        if name == "ingest":
            _ingest(setup, log, stop, now, ready)
        elif name == "send":
            _send(setup, log, stop, now, ready, carrier_url, on_console)
        elif name == "archive":
            from dispatch.ledger.writer import Ledger, ledger_keys

            keys = ledger_keys(setup.folder, setup.live)
            ledger = Ledger(log, member(), keys.private, now_ms, stop)
            ready.set()  # no warning waits for history
            try:
                clock = trusted(now, floor)
                trim = _trimming(log, setup.folder, clock, stop)
                with trim as trimming, _pictures(setup, log, clock, stop):
                    _archive(setup, log, stop)
                trimming.check()
            finally:
                ledger.close()
        else:
            runner = Runner(
                _stage(name, setup, log, stop),
                log,
                member=member(),
                live=setup.live,
                now=now,
                run=setup.run,
            )
            runner.run(stop, ready)


def _ingest(
    setup: Setup, log: Log, stop: threading.Event, now: Callable[[], int], ready: threading.Event
) -> None:
    from fengsui.run.recipients import with_reporters
    from ingest.stage import run_ingest
    from stream.disk.blobs import FrameStore

    district, links = with_reporters(setup)
    run_ingest(
        district,
        setup.run,
        log,
        setup.broker_url(INGEST),
        FrameStore(frames_folder(setup)),
        stop,
        now=now,
        ready=ready,
        folder=setup.folder,
        links=links,
    )


def _send(
    setup: Setup,
    log: Log,
    stop: threading.Event,
    now: Callable[[], int],
    ready: threading.Event,
    carrier_url: str,
    on_console: Callable[[str], None] | None,
) -> None:
    from dispatch.send.stage import run_send
    from fengsui.run.recipients import with_people

    run_send(
        with_people(setup, "send"),
        setup.run,
        log,
        setup.broker_url(SEND),
        setup.folder,
        stop,
        carrier_url=carrier_url,
        now=now,
        ready=ready,
        on_console=on_console,
    )


def _stage(name: str, setup: Setup, log: Log, stop: threading.Event) -> Stage:
    district = setup.district
    if name == "detect":
        from detectors.stage import Detect
        from stream.disk.blobs import FrameStore

        return Detect(district, FrameStore(frames_folder(setup)).get)
    if name == "decide":
        from dispatch.decide.stage import Decide
        from fengsui.run.signing import judging

        return Decide(district, judging(setup, log, stop), setup.live)
    if name == "address":
        from dispatch.address.stage import Address
        from fengsui.run.recipients import with_people

        return Address(with_people(setup, name), setup.live)
    raise ValueError(f"no stage {name!r}")


def _archive(setup: Setup, log: Log, stop: threading.Event) -> None:
    """Into history, which may be away or damaged when this begins."""
    from ingest.archive import run_archive
    from stream.history.open import open_history

    retry, pulse = Retry("archive", stop), PULSES.of("archive")
    while not stop.is_set():
        try:
            history = open_history(setup.history, setup.run.name, setup.district.id)
        except Unavailable as e:
            pulse.beat(text_of(e))
            retry.wait(text_of(e))
            continue
        try:
            run_archive(log, history, member(), stop)
        finally:
            history.close()


def _held(folder: Path, log: Log) -> bool:
    """Does a lock of an investigation hold what there is? One that cannot be read does."""
    now = now_ms()
    try:
        return bool(in_force(folder, now) or locked(noted(log), now))
    except ValueError as e:
        say("archive", text_of(e))
        return True


def _pictures(
    setup: Setup, log: Log, now: Callable[[], int], stop: threading.Event
) -> AbstractContextManager[object]:
    """Those whose time is over are deleted, of a live run."""
    from fengsui.pictures.sweep import sweeping
    from fengsui.run.recipients import place

    if not setup.live:
        return nullcontext()
    held = partial(_held, setup.folder, log)
    return sweeping(setup.district, log, setup.folder, place(setup), frames_folder(setup), now, held, stop)


class _trimming:  # noqa: N801  # reads as a verb where it is used
    """Drops what is past its retention, once an hour, while archive runs. now: the line's clock."""

    def __init__(self, log: Log, folder: Path, now: Callable[[], int], stop: threading.Event) -> None:
        self._log, self._folder, self._now, self._stop = log, folder, now, stop
        self._failed: BaseException | None = None
        self._held = True  # until it is asked
        self._thread = threading.Thread(target=self._work, name="trim", daemon=True)

    def _work(self) -> None:
        try:
            while not self._stop.wait(_TRIM_EVERY_S):
                try:
                    self.turn()
                except Unavailable as e:  # in an hour again
                    say("archive", text_of(e) + Text("；旧记录暂未清理", "; old records stay"))
        except BaseException as e:  # noqa: BLE001  # raised by `check`: the stage ends with it
            self._failed = e
            self._stop.set()

    def turn(self) -> None:
        """Once, unless it is locked. A lock that ran out is let go here: the log's server is told."""
        held = _held(self._folder, self._log)
        if not held and self._held and any(x.act == "lock" for x in noted(self._log)):
            self._log.hold(False)
        if not held:
            self._log.trim(self._now())
        self._held = held

    def check(self) -> None:
        """Raises what ended the thread."""
        if self._failed is not None:
            raise self._failed

    def __enter__(self) -> "_trimming":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)
