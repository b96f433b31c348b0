"""The world round the line while it is struck: sensors and loudspeakers that play a storm and note what they
sent and heard, a gateway that counts, and an officer who reads the log and decides."""

import itertools
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench.kills.sending import Come, Posted
from config.records.level import Level
from console.acts.submit import Place, Saying, decisions
from console.model.follow import Follower
from dispatch.grade import grade_of
from dispatch.nodes.keys import sender_keys
from dispatch.records import Alert, Decision
from fengsui.run.run_log import READS
from fengsui.run.setup import Setup
from fengsui.run.signing import sign_as
from simulators.carriers.phones import Carrier
from simulators.nodes import Nodes
from simulators.run import Player
from simulators.scenario import Scenario
from simulators.world import Publication, World
from stream.log.port import Log, Out, Unavailable
from stream.log.unread import unread
from stream.records import encode

_OFFICER, _LEADER = "D-01", "K-01"
_GRADES = ("blue", "yellow", "orange", "red", "prepare", "move")
_DRY_MIN, _PICTURES_EACH_MIN = 180, 5
_SLOW_S = 0.5
_A_SLOT = 200  # records of a minute, and what they cause
_CALM = 3  # looks in a row that find nobody behind, until a line counts as come to rest


class Sent(NamedTuple):
    """A reading that the broker was given; since, until: monotonic, when it was published and when the
    broker had acknowledged it at the latest."""

    suffix: str
    payload: bytes
    since: float
    until: float


class CountingCarrier(Carrier):
    """The gateway of the simulated phones, which notes every post."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        super().__init__()

    def take(self, channel: str, fields: dict[str, Any]) -> bool:
        taken = super().take(channel, fields)
        if taken:
            key, to = str(fields.get("key", "")), str(fields.get("to", ""))
            self.posted.append(Posted(key, to, channel, time.monotonic()))
        return taken


class Sensors(Player):
    """The player of a storm, which notes what it published."""

    def __init__(self, setup: Setup, stop: threading.Event, carrier: Carrier, speed: float) -> None:
        keys = sender_keys(setup.folder)
        super().__init__(
            setup.district,
            setup.broker,
            setup.run.name,
            stop,
            nodes=Nodes(list(setup.district.nodes), keys.public, "exercise"),
            carrier=carrier,
            speed=speed,
            lockstep=False,
        )
        self.sent: list[Sent] = []
        self._unsure: list[tuple[str, bytes, float]] = []
        self.now_at = setup.run.start_at

    def publish(self, suffix: str, payload: bytes) -> None:
        self._unsure.append((suffix, payload, time.monotonic()))
        super().publish(suffix, payload)

    def slot(self, clock_at: int, length_s: float) -> None:
        self.now_at = clock_at
        super().slot(clock_at, length_s)
        self.acknowledged(0.0)

    def acknowledged(self, timeout_s: float) -> bool:
        """Does the broker have all that was published?"""
        if not self.mqtt.flush(timeout_s):
            return False
        now = time.monotonic()
        self.sent += [Sent(*one, now) for one in self._unsure]
        self._unsure = []
        return True


class Playing:
    """Storms that are played one after another, in a thread, with dry hours between; after `quiet` the clock
    alone goes on, with those who answer. follows: does the line keep up, so that the next minute may begin?"""

    def __init__(
        self,
        setup: Setup,
        scenario: Scenario,
        seed: int,
        carrier: Carrier,
        speed: float,
        follows: Callable[[], bool] = lambda: True,
    ) -> None:
        self._stop, self._quiet = threading.Event(), threading.Event()
        self._follows = follows
        self._setup, self._scenario = setup, scenario._replace(faults=())
        self._seed = seed
        self.sensors = Sensors(setup, self._stop, carrier, speed)
        self.failed: BaseException | None = None
        self.minutes = 0  # of all storms together
        self._thread = threading.Thread(target=self._play, name="sensors", daemon=True)
        self._thread.start()

    def _worlds(self) -> Iterator[World]:
        for nth in itertools.count():
            start_at = self._scenario.start_at + self.minutes * 60_000
            chosen = self._scenario._replace(start_at=start_at)
            yield World(self._setup.district, chosen, self._seed + 1000 * nth)

    def _play(self) -> None:
        sensors = self.sensors
        try:
            sensors.begin(self._scenario.start_at)
            for world in self._worlds():
                for minute in range(world.minutes + _DRY_MIN):
                    while not self._follows() and not self._stop.wait(_SLOW_S):
                        pass
                    if self._stop.is_set():
                        return
                    if not self._quiet.is_set():
                        for suffix, payload in _said(world, minute):
                            sensors.publish(suffix, payload)
                    sensors.slot(world.at(minute), 60.0)
                    self.minutes += 1
        except BaseException as e:  # noqa: BLE001  # told by whoever waits
            self.failed = e

    def quiet(self) -> None:
        """No more readings: only the clock, and those who answer."""
        self._quiet.set()

    def close(self) -> None:
        """The end of it. Raises RuntimeError if it failed on the way."""
        self._stop.set()
        self._thread.join(60)
        self.sensors.close()
        if self.failed is not None:
            raise RuntimeError("the storm was not played to its end") from self.failed


def _said(world: World, minute: int) -> Iterator[Publication]:
    """What sensors and observers say in a minute; cameras in each fifth, for to draw and to judge pictures
    takes more of the machine than all the rest."""
    yield from world.publications(minute, frames=minute % _PICTURES_EACH_MIN == 0)


class Desk:
    """The duty room: reads the log on a connection of its own, notes how far send has come, and answers most
    questions; sometimes somebody raises a warning that nobody asked about."""

    def __init__(self, setup: Setup, log: Log, now: Callable[[], int], seed: int) -> None:
        self._setup, self._log, self._now = setup, log, now
        self._rng = random.Random(seed)
        self.come: list[Come] = []  # how far send had come, look by look
        self.acked: list[Decision] = []
        self._asked: set[tuple[str, int, str]] = set()
        self._stop = threading.Event()
        self._quiet = threading.Event()
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        follower = Follower(self._log, ("alerts",))
        unsaid: list[Decision] = []
        while not self._stop.wait(0.4):
            try:
                self._look_at_send()
                for _, record in follower.take():
                    if isinstance(record, Alert) and not self._quiet.is_set():
                        unsaid += self._answers(record)
                if unsaid:
                    self._log.append([Out("cases", d.area, encode(d)) for d in unsaid])
                    self.acked += unsaid
                    unsaid = []
            except Unavailable:
                continue  # they press again

    def _look_at_send(self) -> None:
        """What is noted is so at the latest when it is noted, whatever lies between."""
        position, end = (
            self._log.positions("deliveries", "send")[0],
            self._log.ends("deliveries")[0],
        )
        self.come.append(Come(time.monotonic(), position, end))

    def _answers(self, alert: Alert) -> list[Decision]:
        found: list[Decision] = []
        for question in alert.questions:
            known = alert.id, alert.version, question.what
            if known in self._asked or question.what not in _GRADES:
                continue
            self._asked.add(known)
            if self._rng.random() < 0.8 and question.called:
                grade = grade_of(question.what)
                place = Place(
                    alert.area, alert.hazard, alert.id, alert.version, grade.level, grade.action
                )
                act = self._rng.choice(("release", "release", "release", "release", "reject"))
                found += self._signed(
                    Saying(act, question.called[0], "试验", grade.level, grade.action), place
                )
        if self._rng.random() < 0.05:
            place = Place(alert.area, alert.hazard)
            found += self._signed(Saying("raise", _OFFICER, "试验", Level.YELLOW), place)
        return found

    def _signed(self, said: Saying, place: Place) -> list[Decision]:
        made = decisions(said, [place], self._now(), secrets.token_hex(8))
        return [sign_as(self._setup, self._log, d.by, None)(d) for d in made]

    def quiet(self) -> None:
        """Nobody decides any more."""
        self._quiet.set()

    def close(self) -> None:
        """Leave the room."""
        self._stop.set()
        self._thread.join(60)


def come_to_rest(log: Log, within_s: float, *, exactly: bool = False) -> bool:
    """Every stage has read all there is, for a while. exactly: nobody writes any more, and nothing at all lies
    before anybody; else the clock itself is always a slot ahead of whoever reads it."""
    until, calm = time.monotonic() + within_s, 0
    while time.monotonic() < until and calm < _CALM:
        calm = calm + 1 if rests(log, 0 if exactly else _A_SLOT) else 0
        time.sleep(0.5)
    return calm >= _CALM


def rests(log: Log, most: int = _A_SLOT) -> bool:
    """Has every stage no more before it than so many records? False where the log cannot say."""
    try:
        return all(unread(log, topic, stage) <= most for stage, topic in READS.items())
    except Unavailable:
        return False
