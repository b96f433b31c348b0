"""What an older build wrote is read: records of every topic, and the memory of every stage.

`tests/golden/storm.json.xz` was taken from a whole storm (`fengsui run --scenario cloudburst`) by the
build before the source tree got its rooms. A running district restarts on a newer build with exactly
such bytes in its log. The file is never written anew: where a record or a memory gets a field, what is
older lacks it, and this test says whether its default is right."""

import json
import lzma
import shutil
from base64 import b64decode
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest

from config.language import en
from config.load import load
from config.records.district import District
from detectors.engine.snapshot_arrays import opened
from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.send.stage import Send
from dispatch.signatures.proof import Trust
from fengsui.files.schema import TOPICS
from stream.log.port import Entry
from stream.records import DeadLetter, encode
from stream.stages.stage_memory import Hand

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads(lzma.decompress((ROOT / "tests" / "golden" / "storm.json.xz").read_bytes()))
SINCE = ("V08", "V10")  # cameras that the example has got since the file was taken


@cache
def as_it_was() -> District:
    """The district of the file: the memory of detect has a place for each station."""
    with TemporaryDirectory() as made:
        folder = Path(made) / "yanqing"
        shutil.copytree(ROOT / "config" / "yanqing", folder)
        for name in ("stations.csv", "watch.csv", "cameras.csv"):
            rows = (folder / name).read_text("utf-8").splitlines(keepends=True)
            kept = [r for r in rows if not set(SINCE) & set(r.strip().split(","))]
            (folder / name).write_text("".join(kept), "utf-8")
        areas, rules = folder / "areas.csv", folder / "rules.toml"
        areas.write_text(areas.read_text("utf-8").replace(";river_flood", ""), "utf-8")
        blocks = rules.read_text("utf-8").split("[[rule]]")
        kept = [b for b in blocks if 'hazard = "river_flood"' not in b]
        rules.write_text("[[rule]]".join(kept), "utf-8")
        return load(folder)


def kept_in(new: Any, old: Any) -> bool:
    """Is all of the old in the new? A mapping may have more."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(
            k in new and kept_in(new[k], v) for k, v in old.items()
        )
    return bool(new == old)


@pytest.mark.parametrize("topic", sorted(GOLDEN["records"]))
def test_records_are_read_and_written_as_they_were(topic: str) -> None:
    seen = set()
    for body in GOLDEN["records"][topic]:
        record = msgspec.json.decode(body.encode(), type=TOPICS[topic])
        assert kept_in(json.loads(encode(record)), json.loads(body)), body
        seen.add(type(record).__name__)
    assert seen == set(GOLDEN["kinds"][topic])


@pytest.mark.parametrize("topic", sorted(GOLDEN["records"]))
def test_a_field_that_a_later_version_adds_changes_nothing_of_the_rest(topic: str) -> None:
    for body in GOLDEN["records"][topic]:
        later = json.dumps({**json.loads(body), "of_a_later_version": [{"x": 1}]}).encode()
        assert msgspec.json.decode(later, type=TOPICS[topic]) == msgspec.json.decode(
            body.encode(), type=TOPICS[topic]
        )


STAGES = {
    "detect": lambda: Detect(as_it_was(), lambda _: None),
    "decide": lambda: Decide(as_it_was(), lambda: Trust(district="yanqing", eras=()), False),
    "address": lambda: Address(as_it_was(), False),
    "send": lambda: Send(as_it_was(), False),
}


# arrays that a memory held and that nobody asks for any more
GONE = ("dry_since", "dry_seen")


def arrays_in(packed: bytes) -> dict[str, Any]:
    """What stands in an array is what counts, not how a format wrote it."""
    rows, arrays = opened(packed)
    return {"rows": rows} | {k: a.tobytes() for k, a in arrays.items() if k not in GONE}


def held_in(name: str, body: bytes) -> Any:
    """A memory, with its arrays as they lie and without what is gone."""
    memory = msgspec.msgpack.decode(body)
    if name == "detect":
        memory |= {part: arrays_in(memory[part]) for part in ("heard", "stage")}
        for of in [memory, memory["series"]]:
            for rule in ["rain"] if of is memory else list(of):
                packed, doubt = msgspec.msgpack.decode(of[rule])
                of[rule] = {"arrays": arrays_in(packed), "doubt": doubt}
    return memory


@pytest.mark.parametrize("name", sorted(STAGES))
def test_the_memory_of_a_stage_is_taken_over(name: str) -> None:
    stage: Any = STAGES[name]()
    partition, body = GOLDEN["snapshots"][name]
    form, old = msgspec.msgpack.decode(b64decode(body), type=tuple[int, bytes])
    assert form <= stage.format, (
        f"{name}: its memory has a new form, so runners rebuild it from the log: take it out of STAGES"
    )
    state = stage.load(partition, old)
    again = stage.dump(state)
    assert kept_in(held_in(name, again), held_in(name, old))
    assert stage.dump(stage.load(partition, again)) == again


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_kind_of_record_that_a_later_version_adds_is_kept_aside_whole_in_words(name: str) -> None:
    hand = Hand(STAGES[name]())
    later = b'{"type":"of_a_later_version","what":"' + "转移".encode() * 500 + b'"}'
    entry = Entry(0, 7, "k", later)
    taken = hand.take(0, hand.stage.new(0), [entry], lambda: hand.stage.new(0))
    assert (taken.outs, taken.items) == ([], [])
    (bad,) = taken.bad
    letter = msgspec.json.decode(hand.dead(bad, 5).value, type=DeadLetter)
    assert b64decode(letter.payload) == later
    assert letter.source == f"{hand.stage.reads}/0/7"
    assert f"{name} cannot read this record" in en(letter.detail)
    assert "a newer version wrote it" in en(letter.detail)
