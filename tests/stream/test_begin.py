"""What run this is: a live run is live in whatever order its stages start, and after a restart; a log
that does not say so heals, one of another run is refused."""

import itertools
import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.language import zh
from config.records.district import District
from console.model.follow import Follower
from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.records import Alert, Delivery
from dispatch.send.stage import Send
from dispatch.signatures.proof import Trust
from fengsui.status.consistency import audit_once
from fengsui.status.lines import status_lines
from fengsui.status.look import look_of
from ingest.stage import Intake
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.mqtt.client import Message
from stream.records import DeadLetter, Run, Tick, encode
from stream.stages.run_identity import UnknownRun, WrongRun, begin
from stream.stages.runner import Runner
from stream.stages.stage import Stage
from tests.support.districts import yanqing

ROOT = Path(__file__).parents[2]
YANQING = yanqing()
STAGES = ("ingest", "detect", "decide", "address", "send")
LINE = ("observations", "cases", "alerts", "deliveries")
WAIT_S = 240.0


def now_ms() -> int:
    return int(time.time() * 1000)


def untrusting(district: District) -> Callable[[], Trust]:
    return lambda: Trust(district=district.id, eras=())


class Place:
    """A live run of its own on one log, opened by each stage as its process would."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.district: District = msgspec.structs.replace(YANQING, id=f"d{uuid.uuid4().hex[:8]}")
        self.opened: list[Log] = []

    def run(self) -> Run:
        """As one process states it: with its own clock."""
        return Run(
            name="live", kind="live", district=self.district.id, config="c", start_at=now_ms()
        )

    def log(self) -> Log:
        log = open_log(self.url, "live", self.district.id, self.district.partitions)
        self.opened.append(log)
        return log

    def stage(self, name: str, live: bool = True) -> Stage:
        return {
            "detect": lambda: Detect(self.district, lambda _: None),
            "decide": lambda: Decide(self.district, untrusting(self.district), live),
            "address": lambda: Address(self.district, live),
            "send": lambda: Send(self.district, True),
        }[name]()

    def rain(self, log: Log, minute: int, station: str) -> None:
        """17.6 mm in one minute, as ingest writes it."""
        intake = Intake(self.district, self.run(), FrameStore(self.folder))
        intake.clock_at = now_ms()
        reading = {"value": 17.6, "unit": "mm", "time": now_ms() // 1000 - 600 + 60 * minute}
        topic = f"fengsui/live/{self.district.id}/station/{station}/rain"
        log.append(intake.records([Message(topic, json.dumps(reading).encode(), 0, 0)]))

    def records(self, kind: type) -> list[Any]:
        log = self.log()
        return [r for _, r in Follower(log).take() if isinstance(r, kind)]


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.servers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    kafka = request.param == "kafka"
    url = f"kafka://{request.getfixturevalue('kafka_server')}" if kafka else f"sqlite:///{tmp_path}"
    made = Place(url, tmp_path)
    yield made
    for log in made.opened:
        log.close()


@contextmanager
def running(place: Place, *names: str, guess: bool = False) -> Iterator[dict[str, BaseException]]:
    """These stages, started one after the other: the next begins when the last owns its partitions.
    guess: as a stage that takes what it does not know for an exercise, and tells the log nothing."""
    stop, failed = threading.Event(), dict[str, BaseException]()
    threads: list[threading.Thread] = []
    try:
        for n, name in enumerate(names):
            ready, log = threading.Event(), place.log()
            runner = Runner(
                place.stage(name, not guess), log, member=f"m-{uuid.uuid4().hex[:4]}", live=True,
                now=now_ms, run=None if guess else place.run(),
            )  # fmt: skip
            threads.append(threading.Thread(target=_work, args=(name, runner, stop, ready, failed)))
            threads[-1].start()
            # one more member of a stage may have to wait for a partition
            assert name in names[:n] or ready.wait(WAIT_S), name
        yield failed
    finally:
        stop.set()
        for thread in threads:
            thread.join(WAIT_S)


def _work(
    name: str,
    runner: Runner,
    stop: threading.Event,
    ready: threading.Event,
    failed: dict[str, BaseException],
) -> None:
    try:
        runner.run(stop, ready)
    except BaseException as e:  # noqa: BLE001  # the test looks at it
        failed[name] = e
        ready.set()


def soon(there: Callable[[], Any]) -> Any:
    """What `there` gives once it gives something."""
    until = time.monotonic() + WAIT_S
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.1)
    assert found
    return found


def said_to(place: Place, area: str) -> list[Delivery]:
    return [d for d in place.records(Delivery) if d.area == area and d.hazard]


def is_live(place: Place) -> None:
    """Everything the line said is a live run's, and every topic tells so first."""
    assert {a.status for a in place.records(Alert)} == {"actual"}
    assert {d.status for d in place.records(Delivery)} == {"actual"}
    assert not any("演练" in a.reason for a in place.records(Alert)), "released as a rehearsal is"
    log = place.log()
    for topic in LINE:
        for partition in range(log.topics[topic].partitions):
            first = log.read(topic, partition, 0, 1)
            if topic != "observations" or first:
                assert json.loads(first[0].value)["kind"] == "live", topic
    assert not place.records(DeadLetter)


ORDERS = random.Random(5).sample(list(itertools.permutations(STAGES)), 4)


@pytest.mark.parametrize("order", [STAGES[::-1], STAGES, *ORDERS], ids="-".join)
def test_a_live_run_is_live_in_whatever_order_its_stages_start(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    started_in(Place(f"sqlite:///{tmp_path}", tmp_path), order)


def started_in(place: Place, order: tuple[str, ...]) -> None:
    at = order.index("ingest")
    with running(place, *order[:at]):
        for name in order[:at]:  # those that tick have: time stands before ingest's first word
            soon(lambda n=name: n == "address" or ticked(place, n))
        log = place.log()
        begin(log, place.run())
        with running(place, *order[at + 1 :]):
            for minute in range(2):
                for station in ("R33", "R34"):
                    place.rain(log, minute, station)
            soon(lambda: said_to(place, "A33"))
            is_live(place)
    try:
        with running(place, *[n for n in reversed(order) if n != "ingest"]):
            place.rain(place.log(), 2, "R15")
            place.rain(place.log(), 2, "R14")
            place.rain(place.log(), 3, "R15")
            soon(lambda: said_to(place, "A15"))
    finally:
        for log in place.opened:
            log.close()
        place.opened.clear()
    is_live(place)


def ticked(place: Place, name: str) -> bool:
    log = place.log()
    return any(
        e.key == "tick"
        for p in range(log.topics[place.stage(name).reads].partitions)
        for e in log.read(place.stage(name).reads, p, 0)
    )


def test_on_kafka_too_whoever_is_up_first(kafka_server: str, tmp_path: Path) -> None:
    order = ("send", "decide", "detect", "address", "ingest")
    started_in(Place(f"kafka://{kafka_server}", tmp_path), order)


def test_several_detectors_of_one_live_run_on_kafka(kafka_server: str, tmp_path: Path) -> None:
    """Each has some of the partitions, and says in those what the run is."""
    place = Place(f"kafka://{kafka_server}", tmp_path)
    with running(place, "detect", "decide", "address", "detect", "detect"):
        soon(lambda: ticked(place, "detect"))
        log = place.log()
        begin(log, place.run())
        for minute in range(2):
            for station in ("R33", "R34"):
                place.rain(log, minute, station)
        soon(lambda: said_to(place, "A33"))
    is_live(place)
    for log in place.opened:
        log.close()


@pytest.mark.parametrize("snapshots", [True, False], ids=["snapshot", "no-snapshot"])
def test_a_log_that_took_itself_for_an_exercise_heals_at_the_next_start(
    tmp_path: Path, snapshots: bool
) -> None:
    place = Place(f"sqlite:///{tmp_path}", tmp_path)
    with running(place, "detect", "decide", "address", "send", guess=True):
        soon(lambda: ticked(place, "detect"))
        log = place.log()
        begin(log, place.run())  # too late: time stands there already
        for minute in range(2):
            for station in ("R33", "R34"):
                place.rain(log, minute, station)
        soon(lambda: said_to(place, "A33"))
    wrong = place.records(Alert)
    assert {a.status for a in wrong} == {"exercise"}, "the fault is there"
    assert any(a.public for a in wrong)
    assert not place.records(Run)
    assert wrong_run(place)
    if not snapshots:
        with sqlite3.connect(tmp_path / f"{place.district.id}.live.log.db") as db:
            db.execute("DELETE FROM snapshots")
    with running(place, "send", "address", "decide", "detect"):
        soon(lambda: [d for d in said_to(place, "A33") if d.status == "actual"])
        soon(lambda: len(place.records(Run)) >= 7)
        soon(lambda: not wrong_run(place))
    right = [a for a in place.records(Alert) if a.area == "A33" and a.status == "actual"]
    assert right[0].msg_type == "alert" or not snapshots
    assert right[0].state == "proposed"
    assert all("演练" not in a.reason or a.msg_type == "cancel" for a in right)
    heard = [d for d in said_to(place, "A33") if d.status == "actual"]
    for who in {d.recipient for d in heard}:
        first = next(d for d in heard if d.recipient == who)
        assert first.msg_type == "alert", "nobody has heard of it before"
    view = look_of(place.log(), place.run()).view
    assert view.changes
    assert not any(c.msg_type == "cancel" for c in view.changes), "no all-clear is shown"
    left = [a for a in newest(place.records(Alert)) if a.msg_type != "cancel"]
    assert {a.status for a in left} == {"actual"}
    for log in place.opened:
        log.close()


def newest(alerts: list[Alert]) -> list[Alert]:
    return list({a.id: a for a in alerts}.values())


def wrong_run(place: Place) -> list[str]:
    """What `fengsui status` says of it."""
    lines = status_lines(place.log(), place.district, now_ms(), place.run())
    return [text for x in lines if (text := zh(x)).startswith("!") and "运行" in text]


def test_a_log_of_another_run_is_refused(place: Place) -> None:
    """Another kind, or another district: by its head, and by what a snapshot remembers."""
    log = place.log()
    for found in (
        msgspec.structs.replace(place.run(), name="exercise-a", kind="exercise"),
        msgspec.structs.replace(place.run(), district="elsewhere"),
    ):
        place = Place(place.url, place.folder)
        log = place.log()
        begin(log, found)
        with running(place, "detect") as failed:
            refused = soon(lambda f=failed: f.get("detect"))
        assert isinstance(refused, WrongRun)
        assert found.district in str(refused)
        assert found.kind in str(refused)
        assert not place.records(Tick), "nothing was done with it"
        log.close()


def test_a_word_of_another_run_in_the_midst_is_a_dead_letter(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    log = place.log()
    drill = msgspec.structs.replace(place.run(), name="exercise", kind="exercise")
    with running(place, "detect", "decide", "address"):
        soon(lambda: ticked(place, "decide"))
        log.append([Out("cases", "run", encode(drill))])
        log.append([Out("observations", "run", encode(drill), 1)])
        begin(log, place.run())
        for minute in range(2):
            for station in ("R33", "R34"):
                place.rain(log, minute, station)
        soon(lambda: said_to(place, "A33"))
        letters = soon(lambda: place.records(DeadLetter)[1:] and place.records(DeadLetter))
    assert {d.reason for d in letters} == {"wrong_run"}
    assert {d.source.split("/")[0] for d in letters} == {"cases", "observations"}
    assert {a.status for a in place.records(Alert)} == {"actual"}
    assert wrong_run(place)
    assert audit_once(place.log(), now_ms(), place.run()) == 1
    assert "wrong_run exercise (exercise" in capsys.readouterr().out


def test_who_is_not_told_what_the_run_is_does_not_guess(tmp_path: Path) -> None:
    """A replay in memory goes by the log's own word; without one it refuses."""
    place = Place(f"sqlite:///{tmp_path}", tmp_path)
    stage = Decide(place.district, untrusting(place.district))
    with pytest.raises(UnknownRun):
        stage._setting(stage.new(0))


def test_the_command_line_refuses_a_log_of_another_run(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}/live", "live", "yanqing", YANQING.partitions)
    begin(log, Run(name="exercise", kind="exercise", district="yanqing", config="", start_at=1))
    log.close()
    fengsui = partial(
        subprocess.run, capture_output=True, text=True, timeout=300, cwd=ROOT, check=False
    )
    base = [sys.executable, "-m", "fengsui", "--state", str(tmp_path)]
    for words in (["detect"], ["run", "--no-simulator", "--no-console", "--port", "0"]):
        done = fengsui([*base, *words])
        assert done.returncode == 2, done.stderr
        assert "observations/0" in done.stderr
        assert "exercise" in done.stderr
        assert "Traceback" not in done.stderr
    done = fengsui([*base, "status"])
    assert "! 日志里有另一运行" in done.stdout
    assert "（实战）" in done.stdout and "(live)" in done.stdout
