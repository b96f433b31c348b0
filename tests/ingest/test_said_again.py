"""A reading without a time is one reading, whoever repeats it: against a broker that loses
acknowledgements, breaks connections, and an ingest that ends between the log's commit and its word."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.model.follow import DECODERS
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from ingest.repeats import Again, of_log
from ingest.stage import Intake, run_ingest
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Log, Out, partition_of
from stream.mqtt.client import Message, Mqtt
from stream.records import Run
from stream.stages.stage import Item
from tests.support.districts import yanqing
from tests.support.examples import examples
from tests.support.servers import Mosquitto

DISTRICT = yanqing()
NOW = 1_753_524_000_000
P = f"fengsui/live/{DISTRICT.id}/"
RUN = Run(name="live", kind="live", district=DISTRICT.id, config="c", start_at=NOW)
KINDS = {
    "plain": ("station/R01/rain", b'{"value": 3.1, "unit": "mm"}'),
    "list": ("station/R01/rain", b'[{"value": 3.1}, {"value": 3.1}, {"value": 0.2}]'),
    "seq": ("station/R01/rain", b'{"value": 3.1, "seq": 7}'),
    "senml": ("gateway/G1/senml", b'[{"n": "R01:rain", "u": "mm", "v": 3.1}]'),
    "relative": ("gateway/G1/senml", b'[{"n": "R01:rain", "u": "mm", "v": 3.1, "t": -60}]'),
    "gateway": ("gateway/G1/json", b'[{"station": "R01", "quantity": "rain", "value": 3.1}]'),
}


def intake(again: Again | None = None) -> Intake:
    found = Intake(DISTRICT, RUN, FrameStore(Path("unused")), None, again)
    found.clock_at = NOW
    return found


def readings(outs: list[Out]) -> list[Observation]:
    records = [DECODERS[o.topic].decode(o.value) for o in outs if o.topic == "observations"]
    return [o for r in records if isinstance(r, Observations) for o in r.items]


def counted(outs: list[Out]) -> int:
    """What detect's memory makes of it, in 0.1 mm."""
    group = DISTRICT.groups_of_station["R01"][0]
    partition = partition_of(group, DISTRICT.partitions)
    detect = Detect(DISTRICT, lambda _: None)
    state = detect.new(partition)
    items = [
        Item(partition, n, o.key, detect.decode(o.value))
        for n, o in enumerate(outs)
        if o.topic == "observations" and o.key == group
    ]
    detect.step(state, items)
    part = detect.part(partition)
    row = next(n for n, r in enumerate(part.rain.rows) if r.station == "R01")
    return int(part.rain.seen(state.rain, row).max())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", ["same number", "other number", "after a restart"])
def test_said_twice_counts_once(kind: str, again: str) -> None:
    topic, body = KINDS[kind]
    first = intake()
    outs = first.records([Message(P + topic, body, 5, 1)])
    once = len(readings(outs))
    marks = [m for o in outs for m in DECODERS[o.topic].decode(o.value).marks]  # type: ignore[attr-defined]
    second = intake(Again(marks)) if again == "after a restart" else first
    mid = 9 if again == "other number" else 5
    repeated = second.records([Message(P + topic, body, mid, 2, dup=True)])
    assert once >= 1
    assert not readings(repeated)
    assert counted(outs + repeated) == sum(o.value for o in readings(outs))


@pytest.mark.parametrize("kind", KINDS)
def test_twelve_that_waited_are_twelve(kind: str) -> None:
    """In one batch, by one connection, each with a packet number of its own."""
    topic, body = KINDS[kind]
    outs = intake().records([Message(P + topic, body, n + 1, 1) for n in range(12)])
    found = readings(outs)
    assert len({(o.observed_at, o.seq) for o in found}) == len(found)
    assert len(found) == 12 * len(readings(intake().records([Message(P + topic, body, 1, 1)])))
    assert counted(outs) == sum(o.value for o in found)


def test_a_reading_with_a_time_keeps_its_rule() -> None:
    body = json.dumps({"value": 3.1, "time": NOW / 1000}).encode()
    message = Message(P + "station/R01/rain", body, 1, 1)
    outs = intake().records([message, message._replace(mid=2), message._replace(dup=True)])
    assert len(readings(outs)) == 3, "the log keeps what came"
    assert counted(outs) == 31
    assert not any(o.mark for o in readings(outs))


class Broker:
    """A session at a broker: what is not acknowledged comes again, marked."""

    def __init__(self) -> None:
        self.flying: dict[int, tuple[bytes, bool]] = {}  # number -> body, seen by us
        self.number = self.session = 0

    def publish(self, body: bytes) -> None:
        self.number = self.number % 40 + 1
        while self.number in self.flying:
            self.number = self.number % 40 + 1
        self.flying[self.number] = (body, False)

    def deliver(self, dup: bool, upto: int) -> list[Message]:
        found = []
        for mid, (body, seen) in list(self.flying.items())[:upto]:
            if not (seen and not dup):
                found.append(Message(P + "station/R01/rain", body, mid, self.session, dup=dup))
                self.flying[mid] = (body, True)
        return found


@examples(120)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("tips"), st.integers(1, 12)),
            st.tuples(st.just("lost acks"), st.integers(0, 12)),
            st.tuples(st.just("restart"), st.integers(0, 12)),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_each_tip_once_however_often_it_is_said(story: list[tuple[str, int]]) -> None:
    """Equal tips; connections break and ingest ends after the commit, before its acknowledgement."""
    broker, ingest, outs, tips = Broker(), intake(), [], 0
    broker.session = 1

    def take(messages: list[Message]) -> None:
        outs.extend(ingest.records(messages))

    for what, many in story:
        if what == "tips":
            for _ in range(many):
                broker.publish(b'{"value": 0.2}')
            tips += many
            take(broker.deliver(dup=False, upto=99))
            broker.flying.clear()  # every acknowledgement came through
            continue
        for _ in range(many):
            broker.publish(b'{"value": 0.2}')
        tips += many
        take(broker.deliver(dup=False, upto=99))  # and none of these
        if what == "restart":
            marks = [
                m for o in outs if o.topic == "observations"
                for m in DECODERS[o.topic].decode(o.value).marks  # type: ignore[attr-defined]
            ]  # fmt: skip
            ingest, broker.session = intake(Again(dict.fromkeys(marks))), 0
            ingest.clock_at = NOW + 60_000
        broker.session += 1
        take(broker.deliver(dup=True, upto=99))
        broker.flying.clear()
    assert len(readings(outs)) == tips


def test_what_waited_for_hours_is_doubtful_and_with_a_time_is_not() -> None:
    topic, body = KINDS["plain"]
    timed = json.dumps({"value": 1.2, "time": NOW / 1000}).encode()
    outs = intake().records(
        [Message(P + topic, b, n, 1, waited=True) for n, b in enumerate((body, timed))]
    )
    assert [(o.flag, o.test) for o in readings(outs)] == [(Flag.SUSPECT, "waited"), (Flag.GOOD, "")]
    of_two = intake(Again(shared=True))  # another ingest may have taken it
    outs = of_two.records([Message(P + topic, body, 1, 1, dup=True)])
    assert [o.flag for o in readings(outs)] == [Flag.SUSPECT]


# --- on brokers


class Ending:
    """A log whose process ends between a commit and the acknowledgement."""

    def __init__(self, log: Log, after: int) -> None:
        self._log, self._left = log, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, outs: list[Out]) -> None:
        self._log.append(outs)
        self._left -= any(o.topic == "observations" and o.key != "run" for o in outs)
        if self._left <= 0:
            raise SystemExit


@pytest.fixture(params=["", "?v=5"])
def url(request: pytest.FixtureRequest, mosquitto: Mosquitto) -> str:
    return mosquitto.url + str(request.param)


def test_what_lay_at_the_broker_in_our_absence_is_told_from_news(url: str) -> None:
    topic = P + "station/R01/rain"
    gauge = Mqtt(url, "gauge-waited")
    gauge.wait_connected(90)

    def back(away_s: float) -> Mqtt:
        """With three that waited."""
        first = Mqtt(url, "ingest-waited")
        first.subscribe([topic], 90)
        first.close()
        for _ in range(3):
            gauge.publish(topic, b"waits")
        assert gauge.flush(90)
        found = Mqtt(url, "ingest-waited", away_s)
        found.subscribe([topic], 90)
        return found

    def heard(mqtt: Mqtt, most: int) -> list[Message]:
        got: list[Message] = []
        until = time.monotonic() + 90
        while len(got) < most and time.monotonic() < until:
            batch = mqtt.get_batch(0.2)
            mqtt.ack(batch)
            got += batch
        return got

    soon = back(1.0)
    assert [m.waited for m in heard(soon, 3)] == [False] * 3
    soon.close()
    late = back(3600.0)
    waited = [m.waited for m in heard(late, 3)]  # one whose receipt was lost is said again
    assert len(waited) >= 3 and all(waited)
    until = time.monotonic() + 90
    while True:  # the backlog ends with a pause
        gauge.publish(topic, b"news")
        found = heard(late, 1)
        if not found[0].waited:
            break
        assert time.monotonic() < until
        time.sleep(1.5)
    late.close()
    gauge.close()


def test_an_ingest_that_ends_before_its_word_takes_nothing_twice(url: str, tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "live", DISTRICT.id, DISTRICT.partitions)
    stop = threading.Event()

    def start(over: Any) -> threading.Thread:
        ready = threading.Event()

        def work() -> None:
            try:
                run_ingest(
                    DISTRICT, RUN, over, url, FrameStore(tmp_path / "f"), stop,
                    now=lambda: int(time.time() * 1000), ready=ready, limit=4,
                )  # fmt: skip
            except SystemExit:
                ended.set()

        ended = threading.Event()
        thread = threading.Thread(target=work)
        thread.start()
        assert ready.wait(90)
        return thread

    def kept() -> list[Observation]:
        found: list[Observation] = []
        for p in range(DISTRICT.partitions):
            for e in log.read("observations", p, 0, 10_000):
                record = DECODERS["observations"].decode(e.value)
                found += record.items if isinstance(record, Observations) else ()
        return found

    first = start(Ending(log, 1))
    gauge = Mqtt(url, "gauge-said-again")
    gauge.wait_connected(90)
    for _ in range(12):
        gauge.publish(P + "station/R01/rain", b'{"value": 3.1, "unit": "mm"}')
    assert gauge.flush(90)
    first.join(90)
    assert 1 <= len(kept()) <= 4
    second = start(log)
    gauge.publish(P + "station/R01/rain", b'{"value": 7.7, "unit": "mm"}')
    assert gauge.flush(90)
    until = time.monotonic() + 90
    while not any(o.value == 77 for o in kept()) and time.monotonic() < until:
        time.sleep(0.1)
    stop.set()
    second.join(90)
    gauge.close()
    assert sorted(o.value for o in kept()) == [31] * 12 + [77]
    assert of_log(log)[1] > 0
    log.close()
