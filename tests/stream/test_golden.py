"""What an older build wrote is read: records of every topic, and the memory of every stage.

`tests/golden/storm.json.xz` was taken from a whole storm (`fengsui run --scenario cloudburst`) by the
build before the source tree got its rooms. A running district restarts on a newer build with exactly
such bytes in its log. The file is never written anew: where a record or a memory gets a field, what is
older lacks it, and this test says whether its default is right."""

import json
import lzma
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detectors.stage import Detect
from dispatch.address.stage import Address
from dispatch.decide.stage import Decide
from dispatch.send.stage import Send
from dispatch.signatures.proof import Trust
from fengsui.files.schema import TOPICS
from stream.records import encode
from tests.support.districts import yanqing

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads(lzma.decompress((ROOT / "tests" / "golden" / "storm.json.xz").read_bytes()))
DISTRICT = yanqing()


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


STAGES = {
    "detect": lambda: Detect(DISTRICT, lambda _: None),
    "decide": lambda: Decide(DISTRICT, lambda: Trust(district="yanqing", eras=()), False),
    "address": lambda: Address(DISTRICT, False),
    "send": lambda: Send(DISTRICT, False),
}


# arrays that a memory held and that nobody asks for any more
GONE = {"detect": {"heard": ("dry_since", "dry_seen")}}


def held_in(name: str, body: bytes) -> Any:
    """A memory, without what is gone."""
    memory = msgspec.msgpack.decode(body)
    for part, arrays in GONE.get(name, {}).items():
        memory[part] = msgspec.msgpack.decode(memory[part])
        for columns in (memory[part][k] for k in ("kinds", "shapes", "body")):
            for array in arrays:
                columns.pop(array, None)
    return memory


@pytest.mark.parametrize("name", sorted(STAGES))
def test_the_memory_of_a_stage_is_taken_over(name: str) -> None:
    stage: Any = STAGES[name]()
    partition, body = GOLDEN["snapshots"][name]
    form, old = msgspec.msgpack.decode(b64decode(body), type=tuple[int, bytes])
    assert form == stage.format, (
        f"{name}: its memory has a new form, so runners rebuild it from the log: take it out of STAGES"
    )
    state = stage.load(partition, old)
    again = stage.dump(state)
    assert kept_in(held_in(name, again), held_in(name, old))
    assert stage.dump(stage.load(partition, again)) == again
