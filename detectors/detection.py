"""The records that detectors write to the topic `cases`: detections and progress marks."""

import hashlib

import msgspec

from config.language import Said
from config.records.level import Action, Level
from ingest.observation import CapRef
from stream.records import Record, Whole


class Evidence(Record, frozen=True, kw_only=True):
    """One value that a rule rests on, in the unit of its quantity; or, with a `kind` of
    `config.records.rule_kinds`, in the kind's own unit, and `station` may be several, joined by "+"."""

    station: str
    quantity: str
    value: float
    threshold: float | None = None
    window_min: Whole | None = None
    observed_at: Whole | None = None
    note: Said = ""
    kind: str = ""
    chance: float | None = None  # of a forecast, 0 … 1: that `reach` is reached within `window_min`
    reach: float | None = None  # in the unit of the quantity
    frames: tuple[str, ...] = ()  # the clip: SHA-256 of a camera's pictures, in order of their time


class Coverage(Record, frozen=True, kw_only=True):
    """Which of an area's expected stations could speak."""

    live: Whole
    expected: Whole
    silent: tuple[str, ...] = ()
    service: tuple[str, ...] = ()  # taken out of judgement by a person, for now

    @property
    def thin(self) -> bool:
        """Too little evidence to call the area quiet is decided by the rule `silence`."""
        return bool(self.silent)


class Detection(Record, frozen=True, kw_only=True, tag="detection"):
    """A rule's statement about an area and hazard at an event time. Written when it changes."""

    id: str
    area: str
    hazard: str
    rule: str
    level: Level
    action: Action
    detected_at: Whole  # event time of the judgement
    since_at: Whole  # event time at which this level or a higher one began
    evidence: tuple[Evidence, ...] = ()
    coverage: Coverage | None = None
    suspect: bool = False  # rests on suspect values alone: a notice and 准备转移, no more
    thin: bool = False  # the area's evidence is too thin to call it quiet
    outside: bool = False  # another authority's word: it proposes, and never goes out by itself
    inferred: bool = (
        False  # concluded from what is missing: it proposes, and never goes out by itself
    )
    earliest_at: Whole | None = None  # of a wave on its way here: when it may arrive …
    latest_at: Whole | None = None  # … and by when
    happened_at: Whole | None = None  # of a fact that a person tells of here: when it came about
    next_at: Whole | None = None  # when the next threshold is expected
    chance: float | None = (
        None  # the highest of the evidence, 0 … 1; None where nothing is a forecast
    )
    lead_min: Whole | None = None  # … and within how many minutes
    note: Said = ""
    config: str = ""
    rules: str = ""  # version of the thresholds and rules alone: config.proof


def foretold(detection: Detection) -> Detection:
    """With the highest chance of its evidence, where that is a forecast of what has not been measured."""
    told = [e for e in detection.evidence if e.chance is not None]
    if not told:
        return detection
    best = max(told, key=lambda e: (e.chance or 0.0, -(e.window_min or 0)))
    return msgspec.structs.replace(detection, chance=best.chance, lead_min=best.window_min)


class Mark(Record, frozen=True, kw_only=True, tag="mark"):
    """A watch group's progress: judged up to `complete_at`, at the clock `clock_at`.

    complete_at is the event time up to which every station of the group that still reports has
    been heard; a level may fall only for times before it.
    """

    group: str
    clock_at: Whole
    complete_at: Whole


class Acknowledgement(Record, frozen=True, kw_only=True, tag="answer"):
    """A neighbour's word on a message of ours: CAP's Ack (it accepts) or Error (it declines). It goes
    down the line beside the warnings, to the delivery that it answers."""

    neighbour: str
    references: tuple[CapRef, ...]
    accepted: bool
    answered_at: Whole
    note: str = ""
    identifier: str = ""
    keys: tuple[str, ...] = ()  # of the deliveries, from address on


def detection_id(area: str, hazard: str, rule: str, detected_at: int, what: str) -> str:
    """An id from content, so that a repeated step writes the same record."""
    text = f"{area}|{hazard}|{rule}|{detected_at}|{what}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
