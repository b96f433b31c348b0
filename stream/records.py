"""The records that every stage has, and how any record is written down and read. Pure."""

from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple, Self, TypeVar

import msgspec

from config.language import Said
from stream.limits import LAST_AT, deep


class Rejected(NamedTuple):
    """Bad input: a code of the closed list REASONS, and in words where it is and what to do."""

    reason: str
    detail: Said


PAYLOAD_KEPT = 4096  # bytes of what a dead letter is of
# whole numbers of a record: any moment that can be written as a date (ms), and counts. What lies
# beyond is no record: no stage, table or page has to reckon with a number of 400 digits.
Whole = Annotated[int, msgspec.Meta(ge=-62_135_596_000_000, le=LAST_AT)]


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whatever stands in a topic."""


class Run(Record, frozen=True, kw_only=True, tag="run"):
    """The first record of every topic: what this run is. A run named `live` is live, all others
    are exercises and can reach no real siren or phone."""

    name: str
    kind: Literal["live", "exercise"]
    district: str
    config: str  # version of the district's configuration
    start_at: Whole
    speed: float = 1.0
    seed: Whole | None = None
    scenario: str = ""


class Tick(Record, frozen=True, kw_only=True, tag="tick"):
    """Time as an event. One that is not later than the last is ignored by every stage."""

    clock_at: Whole


class DeadLetter(Record, frozen=True, kw_only=True, tag="dead_letter"):
    """Bad input, kept whole: nothing that arrived is thrown away unseen."""

    received_at: Whole
    source: str  # MQTT topic, or the log's topic, partition and offset
    reason: str  # one of a closed list of codes: unknown_station, bad_payload, …
    detail: Said  # where and what to do, in words
    payload: str  # the bytes, base64, cut at 4 kB

    @classmethod
    def of(
        cls, at: int, source: str, reason: str, detail: Said, payload: bytes | Record = b""
    ) -> Self:
        """at: when it arrived, ms. payload: what arrived, or the record that was not taken, of which
        the first `PAYLOAD_KEPT` bytes are kept."""
        body = encode(payload) if isinstance(payload, Record) else payload
        kept = b64encode(body[:PAYLOAD_KEPT]).decode()
        return cls(received_at=at, source=source, reason=reason, detail=detail, payload=kept)


T = TypeVar("T")
_encoder = msgspec.json.Encoder()


def encode(record: Record) -> bytes:
    """A record as JSON."""
    return _encoder.encode(record)


def decode(reader: Callable[[bytes], T], value: bytes) -> T | None:
    """What `reader` makes of the bytes of a record; None for what it cannot read, whatever it raises.

    A topic may hold anything: other programs and newer versions write there too. How deep a reader
    comes hangs on who calls it, so what is nested deeper than any record is judged before."""
    try:
        return None if deep(value) else reader(value)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # bytes of another's: UnicodeError, RecursionError, TypeError, …
        return None
