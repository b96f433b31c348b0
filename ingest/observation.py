"""The records of the topics `observations` and `dead-letters`, and how any record is written down.

A record is declared once, travels as JSON with its `type`, and is read by any Kafka tool. A field
that ends in `_at` is a moment: milliseconds since 1970-01-01 UTC. Exports show such fields as
RFC 3339 text. The names `_at` of event time and of our own clock are never mixed: `observed_at` is
the sensor's, `received_at` is ours.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Literal

import msgspec

from config.language import Said
from config.records.level import Level
from stream.records import Record, Run, Tick, Whole

# what a device counts: as far as ingest takes it, else a record of ours could be read by nobody
Count = Annotated[int, msgspec.Meta(ge=-(2**53), lt=2**53)]


class Flag(IntEnum):
    """Quality flag, IOOS QARTOD manual, table of primary flags."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    FAIL = 4
    MISSING = 9


class Observation(Record, frozen=True, kw_only=True):
    """One reading: `value` counts the resolution of its quantity (config.records.quantity).

    The id is (station, quantity, observed_at, seq): the same id again is a duplicate, with another
    value a revision. Two tips in one second differ in `seq`.
    """

    station: str
    quantity: str
    observed_at: Whole
    value: Count
    seq: Count | None = None
    ref: str = ""  # frames: SHA-256 of the picture, in hex
    flag: Flag = Flag.NOT_EVALUATED  # by the tests that need no memory
    test: str = ""  # the test that set the flag
    mark: str = ""  # of the message, where the time is ours to give: see `ingest.repeats`


class Observations(Record, frozen=True, kw_only=True, tag="observations"):
    """What ingest committed at once for one watch group, in order of arrival: a column each field
    of `Observation`, so that neither its bytes nor its reading grow with names that repeat."""

    group: str
    received_at: Whole
    station: tuple[str, ...]
    quantity: tuple[str, ...]
    observed_at: tuple[Whole, ...]
    value: tuple[Count, ...]
    seq: tuple[Count, ...] = ()  # -1 where there is none; the whole column away: nowhere one
    ref: tuple[str, ...] = ()  # away: all empty
    flag: tuple[Whole, ...] = ()  # of Flag; away: all good
    test: tuple[str, ...] = ()  # away: all empty
    # the messages that gave their readings no time: a digest and the packet number, in hex
    marks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        size = len(self.station)
        if not (len(self.quantity) == len(self.observed_at) == len(self.value) == size):
            raise ValueError("columns of different length")
        for more in (self.seq, self.ref, self.flag, self.test):
            if more and len(more) != size:
                raise ValueError("columns of different length")

    @classmethod
    def of(cls, group: str, received_at: int, items: Sequence[Observation]) -> "Observations":
        """These observations as columns."""
        seq = tuple([-1 if o.seq is None else o.seq for o in items])
        ref = tuple([o.ref for o in items])
        flag = tuple([int(o.flag) for o in items])
        test = tuple([o.test for o in items])
        return cls(
            group=group,
            received_at=received_at,
            station=tuple([o.station for o in items]),
            quantity=tuple([o.quantity for o in items]),
            observed_at=tuple([o.observed_at for o in items]),
            value=tuple([o.value for o in items]),
            seq=seq if any(s >= 0 for s in seq) else (),
            ref=ref if any(ref) else (),
            flag=flag if any(f != Flag.GOOD for f in flag) else (),
            test=test if any(test) else (),
            marks=tuple(dict.fromkeys(o.mark for o in items if o.mark)),
        )

    @property
    def items(self) -> tuple[Observation, ...]:
        """As rows."""
        return tuple(self.item(n) for n in range(len(self.station)))

    def item(self, n: int) -> Observation:
        """One of them."""
        seq = self.seq[n] if self.seq else -1
        return Observation(
            station=self.station[n],
            quantity=self.quantity[n],
            observed_at=self.observed_at[n],
            value=self.value[n],
            seq=None if seq < 0 else seq,
            ref=self.ref[n] if self.ref else "",
            flag=Flag(self.flag[n]) if self.flag else Flag.GOOD,
            test=self.test[n] if self.test else "",
        )


class CapSays(Record, frozen=True, kw_only=True):
    """What a CAP message of another authority means for one of our areas."""

    area: str
    hazard: str
    level: Level


class CapRef(Record, frozen=True, kw_only=True):
    """A message that another one refers to."""

    sender: str
    identifier: str
    sent_at: Whole


class CapIn(Record, frozen=True, kw_only=True, tag="cap_in"):
    """A CAP message of another authority, checked. It stands in every partition once, for what it
    takes back may concern areas of any. The bytes lie in the run's folder `cap-in` by their hash.
    """

    source: str  # of sources.toml
    sender: str
    identifier: str
    sent_at: Whole
    received_at: Whole
    expires_at: Whole
    msg_type: Literal["alert", "update", "cancel", "ack", "error"]
    ref: str  # SHA-256 of the bytes, in hex
    signed: bool
    references: tuple[CapRef, ...] = ()
    says: tuple[CapSays, ...] = ()
    headline: str = ""
    note: str = ""
    # in words, each with its element: what was left out, and what is not as CAP 1.2 has it
    deviations: tuple[Said, ...] = ()


class PhotoFacts(Record, frozen=True, kw_only=True):
    """What a person's photograph says of itself, before it was made anew without it."""

    taken_at: Whole = 0  # 0: it does not say
    lon: float | None = None
    lat: float | None = None
    place_by: Literal["", "exif", "browser"] = ""
    # perceptual hash (dHash), 64 bits in hex; "": the picture shows nothing, one brightness all over
    look: str = ""


class PersonSays(Record, frozen=True, kw_only=True, tag="person_says"):
    """A person's word on an area: what was seen (quantities of `config.records.quantity.OF_PEOPLE`), or an
    answer to a warning. It goes the whole line, from `observations` to `deliveries`, once each.

    No words of the person's stand in it: they could hold names and numbers. A message that nobody could
    read is `words`, which the duty room finds under its id in `ingest.people.kept_words`, and `unclear`, so
    that whoever sent it gets an answer.
    """

    id: str  # from the person, the way and the message's own id: the same again is a repetition
    person: str  # opaque id of a contact, or what stands for a stranger's number
    role: str  # of the contact, when it was said; stranger
    area: str  # "": a stranger's who names none
    what: Literal[
        "report_flood",
        "report_debris_flow",
        "report_landslide",
        "damage",
        "received",
        "moved",
        "help",
        "safe",
        "staying",
        "closed",
        "opened",
        "out",  # into the storm, and back: dispatch/people/outings.py
        "back",
        "witnessed",  # somebody else moved these people, and it is so
        "unclear",
        "words",
    ]
    said_at: Whole
    received_at: Whole
    way: Literal["form", "sms", "app"]
    people: Whole | None = (
        None  # moved: how many; None: all, or nobody said; staying: guests tonight
    )
    photo: str = ""  # SHA-256 of the picture in the run's frame store, in hex
    # report_flood of a lake or dam that gave way: its hazard, and when that was, as the person says it
    fact: Literal["", "dam_break", "reservoir_release"] = ""
    happened_at: Whole = 0  # 0: as it was said
    how: Literal["", "shelter", "relatives", "upstairs"] = ""  # moved: which way
    shown: PhotoFacts | None = None  # of `photo`, where a move is to be proved
    code: str = ""  # figures that may be the code of an answer (叫应), as they were said
    until_at: Whole = 0  # closed: a gully or site counts as closed until then, if nobody says more


SERVICE_LONGEST_MS = 72 * 3_600_000  # a longer one is said again


class Service(Record, frozen=True, kw_only=True, tag="service"):
    """A person takes a station or node out of judgement until `until_at`, or puts it back (`until_at`
    not after `said_at`). It stands in every partition of `observations` once, and goes down the line
    to the ledger. The newest of a thing counts."""

    id: str  # the same again is a repetition
    thing: str  # of stations.csv or nodes.csv
    by: str  # opaque id of an officer or contact
    said_at: Whole
    until_at: Whole
    reason: str
    way: Literal["command", "console", "sms", "app", "form"]


class Away(Record, frozen=True, kw_only=True, tag="away"):
    """These stations cannot be heard any more, says what brings their readings (Sparkplug's death
    certificate): each is silent at once, until it says something newer. It stands in every partition of
    `observations` once."""

    stations: tuple[str, ...]
    by: str  # who says so, in words: group/edge node/device
    away_at: Whole
    received_at: Whole


ObservationRecord = Run | Tick | Observations | CapIn | PersonSays | Service | Away
# the test of a reading that its device says it had stored (Sparkplug's is_historical): history, and no order
HISTORICAL = "historical"
