"""One record that cannot be read, or at which a stage fails, is left out: the rest is as if it had
never been there, in whatever batches it came and whoever rebuilds the memory."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from config.language import en
from console.model.follow import DECODERS, Follower
from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.ledger.chain import CHAINS, Tail, check, entered
from dispatch.send.stage import Send
from dispatch.signatures.proof import Trust
from fengsui.files.export import EXPORTS, export
from ingest.archive import points_and_facts
from ingest.stage import Intake
from stream import metrics
from stream.disk.blobs import FrameStore
from stream.log.open import open_log
from stream.log.port import Entry, Out, Unavailable
from stream.mqtt.client import Message
from stream.records import Run, Tick, encode
from stream.stages.runner import Runner
from stream.stages.stage import Item, Write
from stream.stages.stage_memory import Hand, rebuild
from tests.support.districts import yanqing
from tests.support.examples import examples

YANQING = yanqing()
T0 = 1_785_000_000_000
RUN = Run(name="live", kind="live", district="yanqing", config="c", start_at=T0)
WAIT_S = 120.0
DEEP = b"[" * 1500 + b"]" * 1500
BIG = b"9" * 400

# bytes that are no record of any topic
POISON = {
    "no-utf8": b"\xff\xfe not json",
    "empty": b"",
    "no-object": b"7",
    "text": b'"run"',
    "type-is-a-number": b'{"type":1}',
    "type-is-a-list": b'{"type":["run"]}',
    "type-is-an-object": b'{"type":{"type":"tick"}}',
    "unknown-type": b'{"type":"weather"}',
    "no-utf8-inside": b'{"type":"tick","clock_at":1,"x":"\xff"}',
    "no-utf8-in-a-key": b'{"\xff":1,"type":"tick","clock_at":1}',
    "deep": DEEP,
    "deep-unknown-field": b'{"type":"tick","clock_at":1,"x":' + DEEP + b"}",
    "deep-open": b'{"x":' * 5000,
    "surrogate-type": b'{"type":"\\ud800"}',
    "cut": b'{"type":"tick","clock_at":',
    "twice": b'{"type":"tick","clock_at":1}{"type":"tick","clock_at":2}',
    "nul": b"\x00" * 50,
}


class Picky:
    """A running sum whose memory and writes depend on all before; it fails at some values, after it
    has changed its memory already."""

    name, reads, format, ticks = "picky", "observations", 1, 0.0

    def decode(self, value: bytes) -> Any:
        return msgspec.json.decode(value, type=int)

    def new(self, partition: int) -> Any:
        return {"sum": 0, "seen": []}

    def begun(self, state: Any) -> Run | None:
        return None

    def step(self, state: Any, items: Sequence[Item]) -> tuple[Any, list[Write]]:
        writes = []
        for item in items:
            state["sum"] += item.record
            state["seen"].append(item.record)
            if item.record % 5 == 3:
                raise [ValueError, RecursionError, ZeroDivisionError, KeyError][item.record % 4](
                    "王小明 13800000000"
                )
            # a lone surrogate cannot be written down
            key = "\ud800" if item.record % 7 == 2 else "k"
            tick = msgspec.structs.replace(Tick(clock_at=state["sum"]))
            writes.append(Write("cases", "k", tick if key == "k" else _Said(text=key)))
        return state, writes

    def dump(self, state: Any) -> bytes:
        return msgspec.msgpack.encode(state)

    def load(self, partition: int, body: bytes) -> Any:
        return msgspec.msgpack.decode(body)


class _Said(msgspec.Struct, frozen=True, tag="said"):
    text: str


def bad(value: int) -> bool:
    return value % 5 == 3 or value % 7 == 2


def plain(values: Sequence[int]) -> tuple[Any, list[bytes]]:
    """What comes of the good ones alone."""
    stage = Picky()
    state, writes = stage.step(
        stage.new(0), [Item(0, n, "", v) for n, v in enumerate(values) if not bad(v)]
    )
    return state, [encode(w.record) for w in writes]


@examples(300)
@given(
    st.lists(st.integers(0, 40), max_size=40),
    st.lists(st.integers(1, 9), max_size=12),
    st.integers(0, 3),
)
def test_the_rest_is_as_if_it_had_never_been_there(
    values: list[int], sizes: list[int], poison: int
) -> None:
    """Whatever the batches, whichever records fail and whether a copy is at hand."""
    entries = [Entry(0, n, "", b"%d" % v) for n, v in enumerate(values)]
    for _ in range(poison):
        entries.insert(len(entries) // 2, Entry(0, 0, "", b"\xff"))
    entries = [e._replace(offset=n) for n, e in enumerate(entries)]
    hand, state, outs, left = Hand(Picky()), Picky().new(0), [], []
    done: list[Entry] = []
    at = 0
    for size in [*sizes, len(entries)]:
        batch = entries[at : at + size]

        def before(known: Sequence[Entry] = tuple(done)) -> Any:
            return plain([int(e.value) for e in known if e.value != b"\xff"])[0]

        taken = hand.take(0, state, batch, before)
        state, at = taken.state, at + size
        outs += taken.outs
        left += taken.bad
        done += batch
    want, wrote = plain(values)
    assert state == want
    assert [o.value for o in outs] == wrote
    assert [b.entry.value for b in left if b.reason == "failed_record"] == [
        b"%d" % v for v in values if bad(v)
    ]
    assert sum(b.reason == "undecodable_record" for b in left) == poison
    for b in left:
        letter = json.loads(hand.dead(b, 5).value)
        assert letter["source"] == f"observations/0/{b.entry.offset}"
        assert "王小明" not in str(letter["detail"])
        if b.reason == "failed_record":
            for half in letter["detail"]:
                assert "test_isolated.py" in half or "records.py" in half


@examples(12, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 7))
def test_every_rebuild_leaves_out_the_same(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], size: int
) -> None:
    """A runner that died anywhere, its snapshots or the log alone: the memory is the same."""
    folder = tmp_path_factory.mktemp("rebuild")
    log = open_log(f"sqlite:///{folder}", "exercise", "toy", 1)
    rows = [b"%d" % v for v in values]
    rows.insert(len(rows) // 2, b"\xff")
    for n in range(0, len(rows), size):
        log.append([Out("observations", "k", r) for r in rows[n : n + size]])
    read_all(log, Picky())
    assert [e.value for e in log.read("cases", 0, 0)] == plain(values)[1]
    letters = [json.loads(e.value) for e in log.read("dead-letters", 0, 0)]
    assert sorted(x["reason"] for x in letters) == sorted(
        ["undecodable_record"] + ["failed_record"] * sum(map(bad, values))
    )
    consumer = log.join("observations", "other", "m")  # no snapshots: from the log alone
    ours = log.join("observations", "picky", "m")
    deadline = time.monotonic() + WAIT_S
    while not (consumer.owned() and ours.owned()) and time.monotonic() < deadline:
        consumer.poll(0.05, 1)
        ours.poll(0.05, 1)
    for until in {len(rows), len(rows) // 2, 1}:
        known = [int(r) for r in rows[:until] if r != b"\xff"]
        assert rebuild(Hand(Picky()), log, consumer, 0, until) == plain(known)[0]
        assert rebuild(Hand(Picky()), log, ours, 0, until) == plain(known)[0]
    log.close()


class Remembering(Picky):
    """A version whose memory has also `more` parts, and cannot read a `sum` that is no number."""

    def __init__(self, *more: str) -> None:
        self.more = dict.fromkeys(more, 0)

    def new(self, partition: int) -> Any:
        return super().new(partition) | self.more

    def dump(self, state: Any) -> bytes:
        return msgspec.msgpack.encode(state)

    def load(self, partition: int, body: bytes) -> Any:
        found = msgspec.msgpack.decode(body)
        mine = self.new(partition)
        return {**mine, **{k: v for k, v in found.items() if k in mine}, "sum": int(found["sum"])}


class Later(Remembering):
    """Of the next format, as one that changed its form says."""

    format = 2


class Spelled(Remembering):
    """The same format, and a form that no other version can read."""

    def dump(self, state: Any) -> bytes:
        return msgspec.msgpack.encode({**state, "sum": f"{state['sum']} in all"})

    def load(self, partition: int, body: bytes) -> Any:
        found = msgspec.msgpack.decode(body)
        return {**found, "sum": int(found["sum"].split()[0])}


@pytest.mark.parametrize(
    ("wrote", "reads", "said"),
    [
        (Remembering(), Remembering(), ""),
        (Remembering("roads"), Remembering(), "newer version wrote the snapshot"),
        (Remembering(), Remembering("roads"), "older version wrote the snapshot"),
        (Spelled(), Remembering(), "cannot read"),
        (Later(), Remembering(), "snapshot of format 2, mine is 1: left aside"),
        (Remembering(), Later(), ""),
        (Spelled(), Later(), "cannot read"),
    ],
    ids=["same", "newer", "older", "unreadable", "of-later", "later", "later-unreadable"],
)
def test_a_snapshot_of_another_version_is_used_or_left_aside_in_words(
    tmp_path: Path, wrote: Any, reads: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "toy", 1)
    log.append([Out("observations", "k", b"%d" % v) for v in (4, 5, 6)])
    read_all(log, wrote)
    ours = log.join("observations", "picky", "m")
    deadline = time.monotonic() + WAIT_S
    while not ours.owned() and time.monotonic() < deadline:
        ours.poll(0.05, 1)
    assert ours.snapshot(0) is not None
    told: list[str] = []
    monkeypatch.setattr("stream.stages.stage_memory.say", lambda _, words: told.append(en(words)))
    assert rebuild(Hand(reads), log, ours, 0, 3)["sum"] == 15
    assert bool(told) == bool(said)
    assert said in "".join(told)
    assert ("roads" in "".join(told)) == ("roads" in {**wrote.more, **reads.more})
    log.close()


def read_all(log: Any, stage: Any, run: Run | None = None, **more: Any) -> None:
    """A runner until it has read its topic."""
    stop, failed = threading.Event(), list[BaseException]()
    runner = Runner(stage, log, member="m", live=False, now=lambda: T0, run=run, **more)

    def work() -> None:
        try:
            runner.run(stop)
        except BaseException as e:  # noqa: BLE001
            failed.append(e)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline and not failed:
        if log.positions(stage.reads, stage.name) >= log.ends(stage.reads):
            break
        time.sleep(0.01)
    stop.set()
    thread.join(WAIT_S)
    if failed:
        raise failed[0]


def test_what_is_no_fault_of_the_record_is_no_dead_letter() -> None:
    """The log, the disk, the machine's memory: the record is stepped again when they are well."""
    for error in (Unavailable("the log is away"), OSError(28, "full"), MemoryError()):

        class Starved(Picky):
            def step(
                self, state: Any, items: Sequence[Item], error: BaseException = error
            ) -> tuple[Any, list[Write]]:
                raise error

        with pytest.raises(type(error)):
            Hand(Starved()).take(0, Picky().new(0), [Entry(0, 0, "", b"1")], lambda: None)


# --- the line's own stages ---


def stages() -> Iterator[Any]:
    yield Detect(YANQING, lambda _: None)
    yield Decide(YANQING, lambda: Trust(district="yanqing", eras=()), True)
    yield Address(YANQING, True)
    yield Send(YANQING, True)


def weather(tmp_path: Path) -> list[Out]:
    """Rain that gives an order, as ingest writes it, with its ticks."""
    intake = Intake(YANQING, RUN, FrameStore(tmp_path))
    outs: list[Out] = [
        Out("observations", "run", encode(RUN), p) for p in range(YANQING.partitions)
    ]
    for minute in range(4):
        at = T0 + minute * 60_000
        intake.clock_at = at
        messages = [
            Message(
                f"fengsui/live/yanqing/station/{s}/rain",
                json.dumps({"value": 17.6, "unit": "mm", "time": at // 1000 - 60}).encode(), 0, 0,
            )
            for s in ("R33", "R34", "R15", "R14")
        ]  # fmt: skip
        outs += intake.records(messages)
        outs += [
            Out("observations", "tick", encode(Tick(clock_at=at)), p)
            for p in range(YANQING.partitions)
        ]
    return outs


def spoilt(value: bytes) -> Iterator[bytes]:
    """Records that can be read and hold what no stage can reckon with."""
    found = json.loads(value)
    for name, held in found.items():
        if type(held) is int:
            for huge in (b"9" * 19, BIG, b"-" + BIG):
                yield value.replace(
                    b'"%s":%d' % (name.encode(), held), b'"%s":%s' % (name.encode(), huge), 1
                )
        if isinstance(held, list) and held and type(held[0]) is int:
            rest = json.dumps(held[1:])[1:]
            for huge in ("9" * 19, "9" * 400):
                text = f'"{name}":[{huge}{"," if held[1:] else ""}{rest}'
                was = f'"{name}":{json.dumps(held, separators=(",", ":"))}'
                yield value.replace(was.encode(), text.encode(), 1)
        if isinstance(held, str):
            yield value.replace(json.dumps(held).encode(), b'"\\ud800"', 1)


def play(folder: Path, rows: list[Out], poisoned: bool) -> dict[str, list[bytes]]:
    """The whole line over these records, with poison between them on every topic."""
    log = open_log(f"sqlite:///{folder}", "live", "yanqing", YANQING.partitions)
    log.append(rows)
    for stage in stages():
        if poisoned:
            foul(log, stage.reads)
        read_all(log, stage, RUN)
    found = {
        topic: [e.value for p in range(log.topics[topic].partitions) for e in log.read(topic, p, 0)]
        for topic in log.topics
    }
    log.close()
    return found


def foul(log: Any, topic: str) -> None:
    """Put poison behind what stands in a topic: foreign bytes, and its own records spoilt."""
    seen: dict[str, bytes] = {}
    for p in range(log.topics[topic].partitions):
        for e in log.read(topic, p, 0):
            seen.setdefault(json.loads(e.value)["type"], e.value)
    rows = [*POISON.values(), *(bad for v in seen.values() for bad in spoilt(v))]
    log.append([Out(topic, "k", r, p) for r in rows for p in range(log.topics[topic].partitions)])


def test_poison_on_every_topic_costs_the_line_nothing(tmp_path: Path) -> None:
    """Every warning and delivery comes, each poisoned record is a dead letter or harmless, and the
    readers beside the line go on."""
    rows = weather(tmp_path / "frames")
    calm = play(tmp_path / "calm", rows, poisoned=False)
    spoiled = play(tmp_path / "spoilt", rows, poisoned=True)
    for topic in ("cases", "alerts", "deliveries"):
        assert [v for v in calm[topic] if v in set(spoiled[topic])] == calm[topic], topic
    assert any(b'"actual"' in v for v in spoiled["deliveries"])
    reasons = {json.loads(v)["reason"] for v in spoiled["dead-letters"]}
    assert "undecodable_record" in reasons
    log = open_log(f"sqlite:///{tmp_path}/spoilt", "live", "yanqing", YANQING.partitions)
    assert len(list(Follower(log).take())) > len(calm["deliveries"])
    for name in EXPORTS:
        list(export(log, name, times=False))
    for topic in ("observations", "cases", "alerts", "deliveries"):
        entries = [e for p in range(log.topics[topic].partitions) for e in log.read(topic, p, 0)]
        points_and_facts(topic, entries)
    log.close()


@pytest.mark.parametrize("value", POISON.values(), ids=POISON)
def test_no_reader_falls_over_foreign_bytes(value: bytes) -> None:
    """Stages, console, history, ledger: what is no record is passed over or entered as unreadable."""
    for stage in stages():
        found = Hand(stage).read(value)  # a field that nobody knows may hold anything
        assert found is None or found == Tick(clock_at=1), stage.name
    for topic in DECODERS:
        points_and_facts(topic, [Entry(0, 0, "", value)])
    for chain in CHAINS:
        made = entered(Tail(chain), value)
        assert made is not None
        assert check(chain, [made[0]], ()).fault is None


def test_the_operators_count_them(tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path}", "exercise", "toy", 1)
    log.append([Out("observations", "k", v) for v in (b"1", b"3", b"\xff", b"8", b"4")])

    def count(reason: str) -> float:
        return metrics.DEAD_LETTERS.labels("picky", reason)._value.get()

    before = count("failed_record"), count("undecodable_record")
    read_all(log, Picky())
    assert count("failed_record") - before[0] == 2
    assert count("undecodable_record") - before[1] == 1
    log.close()
