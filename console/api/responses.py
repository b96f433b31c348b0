"""What the HTTP API answers, for its document: programs are written against these. The pages read the
same answers; tests hold each against its form here. What a person reads (`Said`) is a pair [zh, en], or a
string that is the same in both."""

from typing import Any, Literal, TypedDict

from config.language import Said
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
    title: str
    text: str
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


class Letter(TypedDict):
    at: int
    source: str
    reason: str
    detail: Said
