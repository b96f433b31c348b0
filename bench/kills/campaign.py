"""Storms on real servers, one after another, each struck again and again: how long the line took to come back
each time, and what is left when it has come to rest."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from bench.kills.line import RealLine, Stage, StageLine
from bench.kills.plan import SERVERS, STAGES, Fault
from bench.kills.promises import Account, Verdict, judged, read_all
from bench.kills.sending import Past
from bench.kills.world import CountingCarrier, Desk, Playing, come_to_rest, rests
from bench.servers.process import ServerProcess
from config.language import Text
from fengsui.run.setup import Setup
from simulators.scenario import scenario

_PATIENCE_S = (
    1200.0  # a stage that has not come back by then never will: told, and no time of this machine's
)
_REST_S = 1200.0
_CALM_SLOTS = 5
_LOOK_S = 0.05
_ATTEMPTS = (
    3.0  # time-outs of an attempt: our gateway too runs on a busy machine, and notes a message late
)


class Struck(NamedTuple):
    """One fault and what came of it. back_s: from the kill, or from the end of another fault, to the first
    record that the stage commits, of a server's: that every stage has committed; None: it did not come
    back. fell: who ended by itself meanwhile. last: the
    slowest, or those that did not come back."""

    fault: Fault
    back_s: float | None
    fell: tuple[str, ...] = ()
    last: str = ""


@dataclass
class Campaigned:
    """One storm of a campaign."""

    seed: int
    struck: list[Struck] = field(default_factory=list)
    verdict: Verdict | None = None
    minutes: int = 0
    rested: bool = False


class Storm:
    """One storm on a line, ready to be struck when this is made."""

    def __init__(
        self, line: StageLine, seed: int, speed: float, name: str, *, waits: bool = False
    ) -> None:
        """waits: the storm goes on only as fast as the line follows."""
        self.line = line
        chosen = scenario(name)
        run = f"exercise-kills{time.time_ns():x}"
        self.setup: Setup = line.setup(run, chosen.start_at)
        self.setup.folder.mkdir(parents=True, mode=0o700)
        self.carrier = CountingCarrier()
        self.log = line.log(run, chosen.start_at)
        start = datetime.fromtimestamp(chosen.start_at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.broker_died: list[float] = []
        self.started: list[float] = []  # of send
        self.stood: list[tuple[float, float]] = []
        self._known: dict[str, int] = {}
        try:
            line.begin(run, start, self.carrier.url)
            log = self.log
            follows = (lambda: rests(log)) if waits else (lambda: True)
            self.playing = Playing(self.setup, chosen, seed, self.carrier, speed, follows)
            sensors = self.playing.sensors
            self._desk_log = line.log(run, chosen.start_at)
            self.desk = Desk(self.setup, self._desk_log, lambda: sensors.now_at, seed)
        except BaseException:
            self.close()
            raise
        line.wait(lambda: min(line.commits().values()) > 0)

    def strike(self, fault: Fault, stop: threading.Event) -> Struck:
        """One fault, from its first moment until the line is whole again."""
        line = self.line
        self._watch(fault.after_s, stop)
        fell: list[str] = []
        before, began = self._begin(fault)
        struck_at = time.monotonic()
        stop.wait(fault.lasts_s)
        if fault.kind != "kill":
            before, began = self._mend(fault, fell)
        if fault.kind == "stop" and fault.whom == "send":
            self.stood.append((struck_at, time.monotonic()))
        waits = set(STAGES) if fault.kind != "kill" or fault.whom in SERVERS else {fault.whom}
        if fault.kind == "kill" and fault.whom in STAGES:
            before[fault.whom] = 0  # another process
        until, last = began + _PATIENCE_S, ""
        while waits and time.monotonic() < until and not stop.is_set():
            self._raise_the_fallen(fell, before)
            back = {w for w in waits if line.stages[w].commits() > before[w]}
            last = min(back, default=last)
            waits -= back
            time.sleep(_LOOK_S)
        back_s = None if waits else time.monotonic() - began
        return Struck(fault, back_s, tuple(fell), ", ".join(sorted(waits)) or last)

    def _begin(self, fault: Fault) -> tuple[dict[str, int], float]:
        """What had been committed when it struck, and when that was."""
        line, whom = self.line, fault.whom
        at = time.monotonic()
        if fault.kind == "kill":
            process = line.process(whom)
            assert isinstance(process, Stage | ServerProcess)
            process.kill()
            if whom == "mosquitto":
                self.broker_died.append(time.monotonic())
            before = self._commits()  # of the dead server's, nothing comes any more
            if whom == "send":
                self.started.append(time.monotonic())
            process.start()
            return before, at
        if fault.kind == "stop":
            os.kill(line.process(whom).pid, signal.SIGSTOP)
        elif fault.kind == "full":
            assert line.volumes is not None
            line.volumes.fill(whom)
        else:
            line.proxies[whom, fault.beyond].set(fault.kind)
        return {}, at

    def _commits(self) -> dict[str, int]:
        """As each stage says, or said last."""
        for name, count in self.line.commits().items():
            if count >= 0:
                self._known[name] = count
        return dict(self._known)

    def _mend(self, fault: Fault, fell: list[str]) -> tuple[dict[str, int], float]:
        """The fault ends. What had been committed then, and when it was."""
        line, whom = self.line, fault.whom
        if fault.kind == "stop":
            os.kill(line.process(whom).pid, signal.SIGCONT)
        elif fault.kind == "full":
            assert line.volumes is not None
            line.volumes.empty(whom)
        else:
            line.proxies[whom, fault.beyond].set("pass")
        at = time.monotonic()
        if whom in SERVERS and line.servers[whom].ended():
            fell.append(whom)  # as Kafka does on a full disk: somebody makes room and starts it
            line.servers[whom].start()
            if whom == "mosquitto":
                self.broker_died.append(at)
        return self._commits(), at

    def _raise_the_fallen(self, fell: list[str], before: dict[str, int]) -> None:
        """A stage that ended by itself is started again, as systemd does, and told."""
        for name, stage in self.line.stages.items():
            if stage.ended():
                fell.append(name)
                if name == "send":
                    self.started.append(time.monotonic())
                stage.start()
                before[name] = 0

    def _watch(self, seconds: float, stop: threading.Event) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stop.is_set():
            if self.playing.failed is not None:
                raise RuntimeError("the storm was not played on") from self.playing.failed
            time.sleep(0.1)

    def rest(self) -> tuple[bool, Account]:
        """No more rain and nobody decides: the line comes to rest and ends. Did it, and what is left."""
        self.playing.quiet()
        self.desk.quiet()
        rested = come_to_rest(self.log, _REST_S)
        sensors = self.playing.sensors
        until = sensors.now_at + _CALM_SLOTS * 60_000
        self.line.wait(lambda: sensors.now_at >= until or self.playing.failed is not None)
        rested &= sensors.acknowledged(_REST_S)
        self.playing.close()
        rested &= come_to_rest(self.log, _REST_S, exactly=True)
        until_s = time.monotonic() + _REST_S
        while not (whole := self.line.stages["archive"].ready()) and time.monotonic() < until_s:
            time.sleep(0.5)  # what history may have lost is written once more
        rested &= whole
        self.desk.close()
        self.line.end()
        timeout_s = self.setup.district.channels.attempt_timeout_s
        return rested, Account(
            self.setup,
            self.log,
            read_all(self.log),
            sensors.sent,
            self.carrier.posted,
            self.desk.acked,
            sensors.nodes,  # type: ignore[arg-type]  # it has some
            self.broker_died,
            Past(self.desk.come, self.started, self.stood, _ATTEMPTS * timeout_s),
        )

    def close(self) -> None:
        """Let go of the log and of the gateway; the line ends if it has not."""
        self.line.end()
        self.log.close()
        if hasattr(self, "_desk_log"):
            self._desk_log.close()
        self.carrier.close()


def campaign(
    folder: Path,
    plans: Sequence[tuple[int, Sequence[Fault]]],
    speed: float,
    tell: Callable[[Text | str], None],
    stop: threading.Event,
    *,
    scenario_name: str = "yanqing-storm",
    line: RealLine | None = None,
) -> list[Campaigned]:
    """plans: seed of a storm, and what strikes in it. tell: a word on each fault as it is over."""
    here = line or RealLine(folder)
    os.environ["FENGSUI_INFLUX_TOKEN"] = here.place.token
    found: list[Campaigned] = []
    try:
        for seed, faults in plans:
            storm, told = Storm(here, seed, speed, scenario_name), Campaigned(seed)
            found.append(told)
            for fault in faults:
                if stop.is_set():
                    break
                struck = storm.strike(fault, stop)
                told.struck.append(struck)
                tell(_line_of(struck))
            told.minutes = storm.playing.minutes
            told.rested, account = storm.rest()
            told.verdict = judged(account)
            storm.close()
            for name, broken in told.verdict.broken.items():
                tell(f"✗ {seed} {name} {len(broken)}: " + "; ".join(broken[:4]))
            if stop.is_set():
                break
    finally:
        if line is None:
            here.close()
    return found


def _line_of(s: Struck) -> str:
    back = "-" if s.back_s is None else f"{s.back_s:6.1f} s"
    fell = f"  ({', '.join(s.fell)})" if s.fell else ""
    return (
        f"  {s.fault.kind:5s} {s.fault.target:20s} {s.fault.lasts_s:5.1f} s {back} {s.last}{fell}"
    )
