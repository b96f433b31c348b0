"""A user a program on a real Kafka with an authorizer: every stage works with its own rights, none can
do another's work, and what rights cannot divide is divided by signatures."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaConsumer
from kafka import errors as ke

from config.records.level import Action
from console.model.follow import Follower
from dispatch.nodes.keys import sender_keys
from dispatch.records import Alert, Decision, Receipt
from fengsui.files.kafka_config import WRITES, groups, rights, user, write_kafka
from fengsui.run.processes import run_stage
from fengsui.run.run_log import READS, STAGES, open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.run.signing import desk
from ingest.observation import Observations
from ingest.weather.run import run_weather
from simulators.carriers.phones import Carrier
from simulators.nodes import Nodes
from simulators.run import Player, play
from simulators.scenario import scenario
from simulators.world import World
from stream.log.kafka import KafkaLog
from stream.log.kafka_producer import Producer
from stream.log.kafka_rights import lay_down
from stream.log.kept import holds, told
from stream.log.port import Log, Out, Unavailable, topics
from stream.records import DeadLetter, Record, encode
from tests.support.decide_district import act, yanqing
from tests.support.servers import Kafka, Mosquitto
from tests.support.weather import HEAD, district

TOPICS = tuple(topics())
RUN, MATRIX = "exercise-rights", "exercise-matrix"


class Place:
    """A broker with rights laid down for two runs, one with a record in every topic; and each program's
    setup with its own user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Kafka(folder, rights=True).start()
        self.admin = self.setup(f"kafka://{self.broker.address()}")
        self.passwords = folder / "passwords"
        self.laid = write_kafka(self.admin, self.passwords)
        matrix = self.setup(self.admin.log, run=MATRIX)
        write_kafka(matrix, self.passwords)
        log = open_run_log(matrix)
        log.append([Out(t, "k", b"{}", 0) for t in TOPICS])
        log.close()

    def setup(self, log: str, mqtt: str = "", run: str = RUN) -> Setup:
        start_at = scenario("cloudburst").start_at
        history = f"sqlite:///{self.folder / 'state' / run}"
        return make_setup(
            yanqing(), run, self.folder / "state", log=log, history=history, broker=mqtt,
            start_at=start_at, scenario="cloudburst",
        )  # fmt: skip

    def of(self, program: str, mqtt: str = "", run: str = RUN) -> Setup:
        word = self.passwords / f"kafka_{program}"
        host = self.broker.address("USERS")
        return self.setup(f"kafka://{user(program)}@{host}?password_file={word}", mqtt, run)

    def log(self, program: str, run: str = RUN) -> KafkaLog:
        found = open_run_log(self.of(program, run=run))
        assert isinstance(found, KafkaLog)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("rights"))
    yield made
    made.broker.stop()


def writes(log: Log, topic: str) -> bool:
    """May it?"""
    try:
        log.append([Out(topic, "k", b'{"type":"tick","clock_at":1}', 0)])
    except Unavailable as e:
        assert "Authorization" in str(e), e
        return False
    return True


def reads(log: Log, topic: str) -> bool:
    try:
        log.read(topic, 0, 0, 1)
    except Unavailable as e:
        assert "Authorization" in str(e), e
        return False
    return True


def may_read(program: str) -> set[str]:
    if program in ("archive", "console", "audit", "operator"):
        return set(TOPICS)
    rows = {"camera": {"cases"}, "weather": {"dead-letters"}, "residents": {"alerts"}}
    more = rows.get(program, set())
    return {READS.get(program, "observations")} | more


def test_whoever_asks_for_the_status_sees_what_outlives_a_power_cut(place: Place) -> None:
    """One copy: our topics and Kafka's own sync each append; who may not ask is told so."""
    log = place.log("operator")
    kept = log.kept()
    assert holds(kept), kept
    assert (kept.copies, kept.unsynced, kept.unknown) == (1, (), ())
    log.close()
    log = place.log("detect")
    assert not holds(log.kept())
    assert "问不出" in str(told(log.kept()))
    log.close()


@pytest.mark.parametrize("program", list(WRITES))
def test_each_program_writes_its_own_topics_and_reads_what_it_reads(
    place: Place, program: str
) -> None:
    log = place.log(program, MATRIX)
    try:
        assert {t for t in TOPICS if writes(log, t)} == set(WRITES[program])
        assert {t for t in TOPICS if reads(log, t)} == may_read(program)
    finally:
        log.close()


def test_nobody_takes_another_ones_work_or_fences_it(place: Place) -> None:
    """detect's own password, and the names of decide's group and transactions."""
    log = place.log("detect")
    try:
        group = f"{log.prefix}.decide.cases"
        with pytest.raises(ke.TransactionalIdAuthorizationFailedError):
            Producer.begin(log.servers, f"{group}.0")
        with pytest.raises(ke.TransactionalIdAuthorizationFailedError):
            Producer.begin(log.servers, f"{log.prefix}.append.{user('decide')}.1")
        thief = KafkaConsumer(**log.servers, group_id=group, enable_auto_commit=False)
        thief.subscribe([log.topic("observations")])  # which it may read
        with pytest.raises(ke.GroupAuthorizationFailedError):
            for _ in range(100):
                thief.poll(timeout_ms=500)
        thief.close(autocommit=False)
    finally:
        log.close()


def test_files_of_a_weather_office_come_in_with_their_own_rights(
    place: Place, tmp_path: Path
) -> None:
    """As `fengsui weather` does, and again after a crash between the log and its own memory."""
    of, folder, stop = place.of("weather"), tmp_path / "drop", threading.Event()
    folder.mkdir()
    when = time.strftime("%Y-%m-%d,%H:00", time.gmtime())  # a few hours old in Beijing
    log = place.log("weather")
    try:
        for again in range(2):
            (folder / "pre_1.csv").write_text(HEAD + f"54406,{when},1.2,52100\n", "utf-8")
            memory = tmp_path / f"{again}.db"
            bad = run_weather(
                district(), of.run, log, folder, memory, stop, every_s=0.05, once=True
            )  # fmt: skip
            assert bad == 0
            assert [p.name for p in folder.iterdir()] == ["done"]
        assert not writes(log, "alerts")
    finally:
        log.close()
    desk_log = place.log("operator")
    try:
        heard = [r for r in records(desk_log, "observations") if isinstance(r, Observations)]
        assert "R01" in {s for batch in heard for s in batch.station}
    finally:
        desk_log.close()


def test_who_may_not_change_what_a_topic_keeps_is_told_so(place: Place) -> None:
    """A lock of an investigation that the broker does not know of would be none."""
    log = place.log("operator")
    try:
        with pytest.raises(Unavailable):
            log.hold(True)
    finally:
        log.close()
    log = open_run_log(place.admin)
    log.hold(True)
    log.hold(False)
    log.close()


def test_a_wrong_password_or_no_name_is_nobody(place: Place) -> None:
    host, none = place.broker.address("USERS"), place.folder / "wrong"
    none.write_text("not the password\n")
    for log in (f"kafka://{user('decide')}@{host}?password_file={none}", f"kafka://{host}"):
        with pytest.raises(Unavailable):
            open_run_log(place.setup(log))


def test_laid_down_twice_is_the_same_and_what_is_too_much_goes(place: Place) -> None:
    assert place.laid[0] > 40
    assert write_kafka(place.admin, place.passwords) == (0, 0)
    prefix = f"fengsui.{place.admin.district.id}.{RUN}"
    fewer = {user("audit"): [r for r in rights("audit", prefix) if r.does != "read"]}
    assert lay_down(place.admin.log, fewer, {}, f"{prefix}.") == (0, 1)
    assert write_kafka(place.admin, place.passwords) == (1, 0)


def records(log: Log, topic: str) -> list[Record]:
    return [r for _, r in Follower(log, (topic,)).take()]


def test_the_whole_line_works_each_stage_as_its_own_user(
    place: Place, mosquitto: Mosquitto
) -> None:
    """A storm, from the gauge to the loudspeaker; then somebody with the detectors' user forges a
    decision, which Kafka lets through, for detections stand in the same topic."""
    stop, carrier = threading.Event(), Carrier()
    ready = {name: threading.Event() for name in STAGES}
    mine = place.of("operator", mosquitto.url)
    failed: list[str] = []

    def work(name: str) -> None:
        try:
            setup = dataclasses.replace(place.of(name, mosquitto.url), run=mine.run)
            run_stage(name, setup, stop, ready[name], carrier_url=carrier.url)
        except BaseException as e:  # asserted below
            failed.append(f"{name}: {e!r}")
            raise

    with ThreadPoolExecutor(len(STAGES)) as pool:
        jobs = [pool.submit(work, name) for name in STAGES]
        try:
            for name in STAGES:
                assert ready[name].wait(180), (name, failed)
            log = open_run_log(mine)
            nodes = Nodes(list(mine.district.nodes), sender_keys(mine.folder).public, "exercise")
            player = Player(
                mine.district, mosquitto.url, RUN, stop, nodes=nodes, carrier=carrier, speed=0.0,
                lockstep=True,
            )  # fmt: skip

            def arrived() -> bool:
                done = [r for r in records(log, "deliveries") if isinstance(r, Receipt)]
                return any(r.state == "played" for r in done)

            over = threading.Event()

            def look(_: int) -> None:
                if failed or arrived():
                    over.set()

            play(player, World(mine.district, scenario("cloudburst"), None), over, on_slot=look)
            player.close()
            assert not failed
            assert arrived()
            forge(place, log)
            log.close()
        finally:
            stop.set()
            for job in jobs:
                job.exception(180)
            carrier.close()
    assert not failed


def forge(place: Place, log: Log) -> None:
    now = max(r.sent_at for r in records(log, "alerts") if isinstance(r, Alert))
    forged = msgspec.structs.replace(
        act("raise", action=Action.MOVE, by="K-01", area="A09", order="00000000000000aa"),
        decided_at=now,
    )
    thief = place.log("detect")
    thief.append([Out("cases", "A09", encode(forged))])
    thief.close()
    setup = place.of("console")
    desk_log = open_run_log(setup)
    signed = desk(setup, lambda: 0).sign(
        msgspec.structs.replace(forged, by="D-01", order="00000000000000bb")
    )
    desk_log.append([Out("cases", "A09", encode(signed))])
    desk_log.close()
    for _ in range(2400):
        found = [r for r in records(log, "alerts") if isinstance(r, Decision) and r.order]
        if len(found) == 2:
            break
        threading.Event().wait(0.05)
    assert [(d.by, d.outcome, d.unproven) for d in found] == [
        ("K-01", "refused", "unsigned"),
        ("D-01", "done", ""),
    ]
    letters = [r.reason for r in records(log, "dead-letters") if isinstance(r, DeadLetter)]
    assert "unproven_decision" in letters


def test_the_table_names_every_program_and_stage() -> None:
    beside = ("camera", "telemetry", "weather", "residents", "console", "audit", "operator")
    assert {*STAGES, *beside} == set(WRITES)
    assert {t for w in WRITES.values() for t in w} == set(TOPICS)
    joined = {(g, t or READS["archive"]) for p in WRITES for g, t in groups(p)}
    assert {(s, t) for s, t in READS.items()} <= joined


def test_the_page_says_what_the_table_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "kafka.md").read_text("utf-8")
    for program, wanted in WRITES.items():
        row = next(x for x in page.splitlines() if x.startswith(f"| `{user(program)}`"))
        _, _, written, read, _ = row.split("|")
        assert {t for t in TOPICS if t in written} == set(wanted), program
        every = "全部" in read
        assert (set(TOPICS) if every else {t for t in TOPICS if t in read}) == may_read(program)
