"""What an after-action report says, as records: the page, the JSON beside it and the picture read the
same. Moments are ms since 1970 UTC, lengths in seconds (`_s`), shares 0–1. Fields that a report of an
earlier build lacks have a default. Pure.
"""

from typing import Literal

import msgspec

from config.language import Said, Text

Result = Literal["met", "not_met", "not_measured"]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The run or incident in numbers."""

    warnings: int
    areas: int
    people: int  # who live in these areas
    top: Text  # the highest grade in words
    by_level: dict[str, int]  # the highest level of each warning in Chinese -> warnings
    public: int
    open: int
    deliveries: int


class TargetRow(msgspec.Struct, frozen=True, kw_only=True):
    """A target of the plan and what came of it. within_s: None where each question has its own
    deadline."""

    hop: str
    zh: str
    en: str
    within_s: int | None
    share: float
    note: str
    due: int
    in_time: int
    result: Result


class HopRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step: what was due, what was done, and how long it took."""

    hop: str
    zh: str
    en: str
    due: int
    done: int
    p50: float | None
    p95: float | None
    longest: float | None


class LeadCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Disasters and those without a public warning in time. unanswered_warnings: warnings that
    nothing followed; None where the truth is not known."""

    events: int
    missed: int
    unanswered_warnings: int | None


class WarningRow(msgspec.Struct, frozen=True, kw_only=True):
    """The way of one warning, step by step; or a disaster that nothing warned of (`alert` empty)."""

    area: str
    place: str
    place_en: str
    hazard: str
    hazard_zh: str
    hazard_en: str
    alert: str = ""
    peak: Text = Text("无", "none")
    level: int = 0
    action: int = 0
    detected_at: int | None = None
    version_at: int | None = None
    prepare_at: int | None = None
    move_at: int | None = None
    public_at: int | None = None
    accepted_at: int | None = None
    delivered_at: int | None = None
    played_at: int | None = None
    answered_at: int | None = None
    happened_at: int | None = None
    lead_s: float | None = None
    ended_at: int | None = None


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who had to answer, by opaque id."""

    id: str
    asked: int
    answered: int
    areas: tuple[str, ...]
    fastest_s: float | None
    slowest_s: float | None


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who had to answer. always: answered each time; never: ids of who did not once."""

    asked: int
    always: int
    never: tuple[str, ...]
    rows: tuple[PersonRow, ...]


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Where the district asks for codes: who had to answer, whose code was right, who only said so; how many
    codes were wrong; who was called again (抽查), and who failed that. Moves, where those are proved: people
    of a place of which nobody said how many moved count as not reached. unreported: ids of areas that were
    ordered to move and of which nobody said how many did, those with most people first."""

    asked: int = 0
    proven: int = 0
    said: int = 0
    wrong_codes: int = 0
    rechecked: int = 0
    failed: tuple[str, ...] = ()
    moved_proven: int | None = None
    moved_unproven: int = 0
    not_reached: int = 0
    unreported: tuple[str, ...] = ()


class LoudspeakerRow(msgspec.Struct, frozen=True, kw_only=True):
    """How often a node was told to sound, how often it did, and the last thing known of a failure."""

    id: str
    name: str
    name_en: str = ""
    area: str
    told: int
    sounded: int
    first_at: int | None
    why: Said


class Loudspeakers(msgspec.Struct, frozen=True, kw_only=True):
    """All that were told to sound. silent: ids of those that did not once."""

    told: int
    sounded: int
    silent: tuple[str, ...]
    rows: tuple[LoudspeakerRow, ...]


class ActRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person's act."""

    at: int
    area: str
    hazard: str
    act: str
    by: str
    office: str
    office_en: str = ""
    outcome: str
    reason: Said
    approver: str
    reference: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """Persons' acts one by one, the rule's by kind, and questions: what was asked for -> how they
    ended (in_time, late, undecided, no_deadline) -> how many."""

    persons: tuple[ActRow, ...]
    by_rule: dict[str, int]
    overrides: int
    refused: int
    questions: dict[str, dict[str, int]]


# of what a phone receives at night. question: to decide; list: of who did not answer; again: the same
# message by another way; other: about no warning (a report, a closure, a subscriber's code)
MessageKind = Literal["warning", "question", "list", "again", "other"]


class NightRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person's warnings in a night beside the policy's number, by opaque id. level: the highest that they
    were told, in Chinese; most: the number of that level; all: messages of every kind."""

    id: str
    night: str  # the day on which it began, in the district
    messages: int
    most: int
    level: str
    areas: int
    all: int = 0


class NightMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Messages a person in a night of the policy (`night`): SMS, calls, mails and app messages of every kind
    that a carrier took; what went with another message counts as that one, and the same message by two ways
    as two. local: of those who are told of one village and were not asked to decide; asked: of those who
    were. kinds: how many of each; kind_most: one person's most of each."""

    people: int
    median: float
    most: int
    local_people: int
    local_median: float
    local_most: int
    over: tuple[NightRow, ...]
    # who is told by rounds (night_round_s), and how many the rounds allow between their first and last
    rounds: tuple[NightRow, ...] = ()
    asked_people: int = 0
    asked_most: int = 0
    kinds: dict[MessageKind, int] = {}
    kind_most: dict[MessageKind, int] = {}


class ReportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered report of an incident."""

    at: int
    number: int
    kind: str
    incident: str


class BlindSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A station or loudspeaker that was held silent. until_at: None where it still is."""

    id: str
    name: str
    name_en: str = ""
    from_at: int
    until_at: int | None
    areas: tuple[str, ...]


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """What the picture shows: one value a bin of `bin_s`, from the report's `begin_at`."""

    bin_s: int
    rain_mm: tuple[float, ...]  # the wettest gauge
    stage_m: tuple[float, ...]  # the highest above its first value
    raised: dict[str, tuple[int, ...]]  # level -> warnings that came to it
    move: tuple[int, ...]
    decided: tuple[int, ...]
    played: tuple[int, ...]
    answered: tuple[int, ...]
    happened: tuple[int, ...]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """Of one incident, or of a whole run.

    truth_is: where the truth comes from, in words; broken_off: why it ended early;
    measured_until_at: times are measured of what began before it; resolution_s: the step of the
    clock that the times are read from, 0 where they are exact."""

    run: str
    exercise: bool
    scenario: str
    seed: int | None
    speed: float | None
    config: str
    district: str
    incident: str
    begin_at: int
    end_at: int
    broken_off: Said
    measured_until_at: int | None
    resolution_s: int
    summary: Summary
    targets: tuple[TargetRow, ...]
    hops: tuple[HopRow, ...]
    truth_is: Said
    lead: LeadCounts
    areas: tuple[WarningRow, ...]
    people: People
    proved: Proved = Proved()
    loudspeakers: Loudspeakers
    decisions: Decided
    reports: tuple[ReportRow, ...]
    blind: tuple[BlindSpan, ...]
    dead_letters: dict[str, int]
    lanes: Lanes
    nights: NightMessages | None = None
