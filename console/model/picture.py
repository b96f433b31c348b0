"""The picture that all pages draw from, part by part, and what stands in each row. Programs that follow
/api/snapshot and /api/stream are written against these. What a person reads (`Said`) is a pair [zh, en],
or a string that is the same in both. Times are ms since 1970 UTC."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict, cast

from config.language import Said, Text
from dispatch.people.evacuation_roll import RollRow


class LineRow(TypedDict):
    """The line itself. clock: of the run; dead: dead letters; unread: records and pages at which the
    program failed."""

    clock: NotRequired[int]
    readings: NotRequired[int]
    dead: NotRequired[int]
    unread: NotRequired[int]


class ServiceRow(TypedDict):
    """Out of judgement until then."""

    until: int
    by: str
    reason: Said


class FlagRow(TypedDict):
    """What detect holds against a station, and what to do, in both languages."""

    test: str
    since: int
    zh: str
    en: str


class StationRow(TypedDict):
    """value: rain of the last hour, or the newest; seen: when it was last heard. overdue: days since
    it should have been calibrated."""

    value: float | None
    seen: int | None
    late: bool
    overdue: NotRequired[int]
    flags: NotRequired[list[FlagRow]]
    service: NotRequired[ServiceRow]


class NodeRow(TypedDict):
    """A loudspeaker, with what it last said of itself (`OF_NODES`), in its units."""

    seen: int | None
    late: bool
    battery: NotRequired[float]
    mains: NotRequired[float]
    door: NotRequired[float]
    volume: NotRequired[float]
    self_test: NotRequired[float]
    voice: NotRequired[float]
    key_set: NotRequired[float]
    refused_commands: NotRequired[float]
    service: NotRequired[ServiceRow]


class ReachRow(TypedDict):
    """Of an area, recipients each once: `reached` when everything reached them. channels: deliveries by
    channel and state. must, answered, must_missed: of those who must answer, the last by opaque ids.
    rev: rises with each record of the area."""

    channels: dict[str, dict[str, int]]
    of: int
    reached: int
    missed: int
    must: int
    answered: int
    must_missed: list[str]
    rev: int


class HealthRow(TypedDict):
    """A station's or loudspeaker's last day: readings, the share that was due and came, doubtful ones,
    the newest test that found one, dead letters of all time."""

    count: int
    share: float
    suspect: int
    failed: int
    test: str
    dead: int


class AreaRow(TypedDict):
    """live: stations that speak, `of` those that judge the area; dark: none of them does."""

    level: int
    action: int
    waits: bool
    live: int
    of: int
    dark: bool
    thin: bool


class WayRow(TypedDict):
    """A way out. up: None before its first word; proven: by which program, "" for unproven."""

    kind: str
    up: bool | None
    detail: Said
    at: int | None
    proven: Said


class TerminalRow(TypedDict):
    """A terminal of a broadcast platform. state: of GD/J 2018, 1 on … 5 broadcasting; "": not told. at: when
    the platform last told of it."""

    name: str
    state: str
    at: int


class AskedRow(TypedDict):
    """What a warning waits for. until: ms; mute: who of those called no message can reach; two: it
    takes two persons; joint: offices release it jointly, of which `agreed` have agreed and `awaited`
    have not; next: what each officer can do for it now (`next_acts`); decide: who decides on
    it, may: the same in words; to: what a fall that waits for a second name leaves, level and action,
    0 where that scale stays."""

    what: str
    until: int | None
    called: list[str]
    mute: list[str]
    signed: list[str]
    two: bool
    joint: bool
    agreed: list[Said]
    awaited: list[Said]
    next: dict[str, str]
    decide: list[str]
    may: Said
    to: list[int]


class EvidenceRow(TypedDict):
    """rule: what the value is called where a rule made it of what was measured, "" where it is the quantity
    itself; ahead: how far it looks stands in that name."""

    station: str
    what: str
    rule: Said
    ahead: bool
    unit: str
    value: float
    limit: float | None
    window: int | None
    at: int | None
    note: Said
    chance: int | None
    reach: float | None
    of: str
    frames: list[str]


class OpenWarning(TypedDict):
    """A warning in force or waiting. released: by whom, "" for nothing in force; coverage: stations that
    speak, of how many; arrives: earliest and latest (ms) of a wave; acts: what may be done to it."""

    version: int
    area: str
    hazard: str
    hazard_zh: str
    hazard_en: str
    state: str
    level: int
    action: int
    asks_level: int
    asks_action: int
    questions: list[AskedRow]
    onset: int
    sent: int
    expires: int
    reason: Said
    released: Said
    suspect: bool
    thin: bool
    coverage: list[int] | None
    service: list[str]
    evidence: list[EvidenceRow]
    arrives: list[int] | None
    acts: list[str]


class Decided(TypedDict):
    """A line of the ledger of decisions."""

    at: int
    by: str
    act: str
    area: str
    hazard: str
    version: int
    outcome: str
    words: Said


class TaskRow(TypedDict):
    """A task of the plan. done: by whom, when, their note."""

    state: str
    area: str
    hazard: str
    hazard_words: Text
    alert: str
    version: int
    on: str
    step: Text
    title: Text
    owner: Text
    officers: list[str]
    needs: list[list[str]]
    opened: int
    due: int
    done: tuple[str, int, Said] | None


class StockRow(TypedDict):
    """A supply: what is free, reserved and out; held: incident -> reserved, out."""

    free: int
    reserved: int
    out: int
    held: dict[str, tuple[int, int]]


class DutyRow(TypedDict):
    """Who of an office is on duty, until when (epoch ms), and when nobody is within a day."""

    office: Text
    officers: list[str]
    until: int
    gap: tuple[int, int] | None


class StormRow(TypedDict):
    """How the rain moves. why: "" where that is known, else why it is not: dry, sparse (too few gauges, or
    too few that are wet), short (of too short a time), unclear, standing. at: of the newest rain in it (ms).
    bearing: towards where, degrees
    from north; errors are one standard error. path: its middle now and in an hour, (lon, lat). heavy: heavy
    rain falls now; reaches: of each village that it comes to within the hour, soonest first: area, earliest,
    time, latest (ms), mm/h."""

    why: str
    at: int
    kmh: NotRequired[int]
    error_kmh: NotRequired[int]
    bearing: NotRequired[int]
    bearing_error: NotRequired[int]
    sure: NotRequired[bool]
    path: NotRequired[list[list[float]]]
    heavy: NotRequired[bool]
    reaches: NotRequired[list[tuple[str, int, int, int, int]]]


class RainAhead(TypedDict):
    """mm that a nowcast expects in the minutes after its issue."""

    minutes: int
    mm: float
    issued: int


class LevelAhead(TypedDict):
    """chance: per cent that a level or discharge is reached within the minutes after `at`."""

    station: str
    unit: str
    reach: float | None
    chance: int
    minutes: int
    at: int


class AheadRow(TypedDict):
    """What forecasts that have not run out say of an area."""

    rain: list[RainAhead]
    levels: list[LevelAhead]


class LogRow(TypedDict):
    count: int


class DoorRow(TypedDict):
    """A password that is being guessed at: failures, and from how many places."""

    failed: int
    places: int


class Picture(TypedDict, total=False):
    """Part -> key -> what is shown of it. incidents: id -> its reports: number,
    kind, when, how many superiors have it, and how many it went to."""

    line: LineRow
    stations: dict[str, StationRow]
    nodes: dict[str, NodeRow]
    areas: dict[str, AreaRow]
    warnings: dict[str, OpenWarning]
    decisions: dict[str, Decided]
    reach: dict[str, ReachRow]
    sounded: dict[str, int]
    roll: dict[str, RollRow]
    log: LogRow
    incidents: dict[str, list[tuple[int, Text, int, int, int]]]
    health: dict[str, HealthRow]
    tasks: dict[str, TaskRow]
    duty: dict[str, DutyRow]
    stock: dict[str, StockRow]
    ways: dict[str, WayRow]
    terminals: dict[str, TerminalRow]
    dead: dict[str, int]
    door: dict[str, DoorRow]
    storm: dict[str, StormRow]
    ahead: dict[str, AheadRow]


Change = dict[str, dict[str, object]]


def changes(before: Picture, after: Picture) -> Change:
    """What to write over `before` to make it `after`; None takes a key away."""
    found: Change = {}
    old = cast("Mapping[str, Mapping[str, object]]", before)
    for part, now in cast("Mapping[str, Mapping[str, object]]", after).items():
        was = old.get(part, {})
        news = {k: v for k, v in now.items() if k not in was or was[k] != v}
        news.update({k: None for k in was if k not in now})
        if news:
            found[part] = news
    return found
