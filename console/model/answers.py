"""What the HTTP API answers, for its document: programs are written against these. The pages read the
same answers; tests hold each against its form here. What a person reads (`Said`) is a pair [zh, en], or a
string that is the same in both."""

from typing import Any, Literal, TypedDict

from config.language import Said, Text
from config.records.level import Action, Level
from dispatch.geography.downstream import What


class Me(TypedDict):
    """acts: what may stand in `act` of /api/acts. ends_at: of the session, however it is used (ms)."""

    name: str
    role: Literal["viewer", "duty", "approver", "administrator", "security", "auditor"]
    officer: str
    csrf: str
    ends_at: int
    acts: list[str]
    factor: Literal["", "app", "card"]
    codes: int
    may: list[str]


class RunName(TypedDict):
    name: str
    kind: Literal["live", "exercise"]


class Snapshot(TypedDict):
    """rev: the number of its last change; age_ms: since the log was last looked at; now: the server's
    clock, UTC. parts: areas, stations, nodes, warnings … -> id -> what is shown of it."""

    rev: int
    run: RunName
    age_ms: int
    now: int
    parts: dict[str, dict[str, Any]]


class Acted(TypedDict):
    """What came of one place. outcome: done, refused … ; queued: recorded, decide has not come to it."""

    area: str
    hazard: str
    outcome: str
    words: Said


class Words(TypedDict):
    """count: recipients whose first way it is. segments: of an SMS."""

    audience: str
    lang: Literal["zh", "en"]
    channels: list[str]
    count: int
    title: Said
    text: Said
    segments: int


class Earlier(TypedDict):
    """An earlier warning there: its peak, and whether what it warned of came."""

    at: int
    level: Level
    action: Action
    came: Literal["happened", "quiet", "unknown"]
    notes: list[Said]


class Before(TypedDict):
    happened: int
    quiet: int
    unknown: int
    missed: int
    rows: list[Earlier]


class Texts(TypedDict):
    """Numbers of people are estimates. reach: recipients by their first way."""

    people: int
    on_list: int
    in_sound: int
    none: int
    later: int
    reach: dict[str, int]
    texts: list[Words]
    before: Before


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


class Unreached(TypedDict):
    """who: an opaque id. at, open: ms since 1970 UTC, of its newest state and of its end."""

    id: str
    hazard: str
    hazard_en: str
    who: str
    node: str
    role: str
    category: str
    must: bool
    channel: str
    ways: list[str]
    state: str
    at: int
    again: int
    why: Said
    open: int


class Missed(TypedDict):
    missed: list[Unreached]
    under_way: int


class Below(TypedDict):
    """Something in the way of the water, and when that may be there."""

    what: What
    id: str
    distance_m: int
    earliest_min: int
    latest_min: int


class Chart(TypedDict):
    """at: starts of the columns, seconds since 1970 UTC; value: their sum or highest; low: their lowest,
    of what is no sum. A column in which nothing came is not there."""

    unit: str
    sum: bool
    step_min: int
    count: int
    at: list[int]
    value: list[float]
    low: list[float]


class HeardSource(TypedDict):
    id: str
    name: str
    en: str
    count: int
    deviating: int
    at: int


class HeardMessage(TypedDict):
    source: str
    identifier: str
    at: int
    type: str
    signed: bool
    headline: str
    level: int
    areas: list[str]
    deviations: list[Said]


class CapSourceRow(TypedDict):
    sources: list[HeardSource]
    messages: list[HeardMessage]


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


class AskedRow(TypedDict):
    """What a warning waits for. until: ms; two: it takes two persons."""

    what: str
    until: int | None
    called: list[str]
    signed: list[str]
    two: bool


class EvidenceRow(TypedDict):
    station: str
    what: str
    unit: str
    value: float
    limit: float | None
    window: int | None
    at: int | None
    note: Said
    frames: list[str]


class OpenWarning(TypedDict):
    """A warning in force or waiting. coverage: stations that speak, of how many; arrives: earliest and
    latest (ms) of a wave; acts: what may be done to it."""

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


class Letter(TypedDict):
    at: int
    source: str
    reason: str
    detail: Said
