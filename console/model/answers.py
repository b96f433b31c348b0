"""What the HTTP API answers, for its document: programs are written against these. The pages read the
same answers; tests hold each against its form here. What a person reads (`Said`) is a pair [zh, en], or a
string that is the same in both."""

from typing import Literal, NotRequired, TypedDict

from config.language import Said, Text
from config.records.basemap import Ring
from config.records.level import Action, Level
from config.records.plans import What
from console.model.picture import Picture
from dispatch.address.coverage import Check


class RunName(TypedDict):
    name: str
    kind: Literal["live", "exercise"]


class Snapshot(TypedDict):
    """rev: the number of its last change; age_ms: since the log was last looked at; now: the server's
    clock, UTC."""

    rev: int
    run: RunName
    age_ms: int
    now: int
    parts: Picture


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


class Sourced(TypedDict):
    """A sentence, and the row of a table or the paragraph that it comes from."""

    words: Text
    source: Text


class Texts(TypedDict):
    """Numbers of people are estimates. reach: recipients by their first way. plan: what the plan says of it.
    draft: of an order in writing; to: the officers whom one would reach."""

    people: int
    on_list: int
    in_sound: int
    none: int
    later: int
    reach: dict[str, int]
    texts: list[Words]
    before: Before
    plan: list[Sourced]
    draft: list[Sourced]
    to: list[str]


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


class River(TypedDict):
    name: str
    en: str
    course: tuple[tuple[float, ...], ...]


class GroundArea(TypedDict):
    """at: (lon, lat); stations: those that judge it."""

    name: str
    en: str
    town: str
    town_en: str
    basin: str
    at: list[float]
    ring: list[list[float]]
    people: int
    shelter: str
    stations: list[str]


class GroundStation(TypedDict):
    """calibrated: a date, "" not known; counts: for so many days."""

    name: str
    en: str
    what: str
    unit: str
    at: list[float]
    calibrated: str
    counts: int


class GroundNode(TypedDict):
    name: str
    en: str
    at: list[float]
    area: str


class Hull(TypedDict):
    """Around the areas of a basin or township: schematic."""

    name: str
    en: str
    ring: list[list[float]]


class BaseMap(TypedDict):
    """The operator's PMTiles archive, as `config.records.basemap.Tiles` has it."""

    kind: str
    lowest: int
    highest: int
    bounds: tuple[float, float, float, float]
    layers: tuple[str, ...]
    attribution: str


class Ground(TypedDict):
    """What does not change while the server runs, by id. hazards: id -> its words, Chinese and English.
    terrain: south-west and north-east corner of the relief, (lat, lon). check_back_min: by when whoever is out
    is heard of, 0: nobody is expected."""

    name: str
    name_en: str
    hazards: dict[str, list[str]]
    outline: tuple[Ring, ...]
    terrain: list[list[float]] | None
    check_back_min: int
    map: BaseMap | None
    rivers: list[River]
    areas: dict[str, GroundArea]
    stations: dict[str, GroundStation]
    nodes: dict[str, GroundNode]
    basins: dict[str, Hull]
    towns: dict[str, Hull]


class Frame(TypedDict):
    """The map at one time. areas: level and order; stations: as `Trail.value` has them."""

    at: int
    areas: dict[str, list[int]]
    stations: dict[str, float]


class Series(TypedDict):
    """at: starts of the bins, seconds since 1970 UTC."""

    at: list[float]
    value: list[float]


class KindCount(TypedDict):
    """A category of recipients: people behind them, who has each way, and has it first."""

    recipients: int
    people: int
    ways: dict[str, int]
    first: dict[str, int]


class AreaCount(TypedDict):
    """An area's list, as `fengsui reach AREA flash_flood red`."""

    people: int
    on_list: int
    in_sound: int
    several: int
    none: int
    recipients: int
    kinds: dict[str, int]
    ways: dict[str, int]
    loudspeakers: int


class Choices(TypedDict):
    """What residents chose. hazards: (Chinese, English, how many)."""

    residents: int
    quiet: dict[str, int]
    lang: dict[str, int]
    level: dict[int, int]
    every_hazard: int
    hazards: list[tuple[str, str, int]]


class GapRow(TypedDict):
    """A row of `fengsui coverage`: see `dispatch.address.coverage.Gap`."""

    check: Check
    area: str
    people: int
    detail: str


class WishRow(TypedDict):
    """area: "" where nobody knows which it was."""

    area: str
    lang: str
    came: int
    left: int


class WishDay(TypedDict):
    """What residents wished on a day (2025-07-26): by village and language how many came and left, and how many
    messages the limits refused, by what they are a limit of."""

    day: str
    rows: list[WishRow]
    refused: dict[str, int]


class Subscribers(TypedDict):
    """Of everybody on the list; people: behind residents' addresses; in_units: behind schools', camps' and
    visitors', none of `population`. checks: check -> its words. stored: the list is a contact store."""

    recipients: int
    people: int
    in_units: int
    population: int
    uncovered: int
    checks: dict[Check, Text]
    gaps: list[GapRow]
    kinds: dict[str, KindCount]
    areas: dict[str, AreaCount]
    choices: Choices
    stored: NotRequired[bool]
    wishes: NotRequired[list[WishDay]]


class LogLine(TypedDict):
    """A line of the shift log."""

    at: int
    kind: str
    who: str
    area: str
    level: int
    zh: str
    en: str
    place: str
    place_en: str


HandedOver = TypedDict(
    "HandedOver", {"n": int, "at": int, "from": str, "to": str, "text": Said}
)  # `from` is a word of Python


class ShiftPage(TypedDict):
    """The newest lines of those that were asked for (count: how many there are), what is open, a
    hand-over that nobody has taken, who may take one, and what can be printed."""

    entries: list[LogLine]
    count: int
    matters: list[Text]
    handover: HandedOver | None
    people: list[str]
    prints: list[str]


class Put(TypedDict):
    """n: the number of what was written in the record."""

    n: int


class Came(TypedDict):
    """What came of a person's act: `Decision.outcome`, or `queued`."""

    outcome: str
    words: Said


class Erased(TypedDict):
    """plain: contacts.csv of the district's folder still holds this person."""

    erased: str
    plain: bool


class Queued(TypedDict):
    queued: int
