"""What a district declares: stations, areas, nodes, contacts, thresholds, rules, policy.

These are the loaded and checked forms; `config.load` reads them from a district's folder. They are
plain records: everything that depends on them takes them as an argument.
"""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Literal

from config.records.authority import Officer, Policy
from config.records.basemap import NO_BACKDROP, Backdrop
from config.records.channels import Channels
from config.records.devices.lorawan import Codec, LorawanRow
from config.records.devices.pictures import PictureRule
from config.records.devices.things import ThingRow
from config.records.devices.weather import NO_WEATHER, Weather
from config.records.door import Door
from config.records.level import Level
from config.records.plans import NONE as NO_PLANS
from config.records.plans import Plans, PlanTask
from config.records.reaches import Reach
from config.records.row import Row
from config.records.rules import Rules
from config.records.sources import NONE, Sources


class Basin(Row, frozen=True, kw_only=True):
    """小流域: a hydrological attribute of stations and areas."""

    id: str
    name: str
    name_en: str
    river: str
    river_en: str
    downstream: str = ""  # the basin into which it flows; "": out of the district
    # its channel from the head to the outlet: lon, lat (x y;x y; …); (): not known
    course: tuple[tuple[float, ...], ...] = ()


class Area(Row, frozen=True, kw_only=True):
    """预警区: the unit of warning (village, hazard zone, camp, road section)."""

    id: str
    name: str
    name_en: str
    kind: Literal["village", "hazard_zone", "camp", "road"]
    township: str
    township_en: str
    division: str  # 12-digit division code of the village or township
    basin: str
    lon: float
    lat: float
    population: int
    hazards: tuple[str, ...]
    shelter: str
    shelter_en: str
    route: str
    route_en: str
    phone: str  # whom residents call
    # how long the place needs to be empty, and how far its people walk: config/records/evacuation.py
    move_min: int | None = None
    shelter_m: int | None = None
    depth_m: float | None = None  # of water above the ground floor, as the hazard map has it
    polygon: tuple[tuple[float, float], ...] = ()  # (lon, lat), closed, WGS 84

    def within(self, places: Collection[str]) -> bool:
        """Is it one of these: by its id, its township's name, or `*`?"""
        return "*" in places or self.id in places or self.township in places

    def opens(self, task: PlanTask, hazard: str) -> bool:
        """Would a warning of it and this hazard open a task of the plan?"""
        return self.within(task.areas) and (not task.hazards or hazard in task.hazards)


class Station(Row, frozen=True, kw_only=True):
    """监测站: a place with one sensor. A mast with two sensors is two rows with one place.

    calibrated: the day (ISO) of its last check against a standard on the spot, "" where none is
    known; it counts for calibrate_days."""

    id: str
    name: str
    name_en: str
    quantity: str  # of config.records.quantity
    basin: str
    lon: float
    lat: float
    elevation_m: float
    interval_s: int  # reporting plan: the longest time between two reports when all is well
    silent_after_s: int  # a station that has not reported for this long is silent
    sum_interval_s: int = 60  # rain: the interval an observation sums over
    low: float | None = (
        None  # what it can show, in the unit of its quantity; none: see docs/rules.md
    )
    high: float | None = None
    per_min: float | None = None  # stage: what the water can rise in a minute
    codes: tuple[float, ...] = ()  # what it shows when it is broken
    wrap_mm: float = 0.0  # rain_counter: the total at which it begins again; 0: not known
    calibrated: str = ""
    calibrate_days: int = 365
    carrier: str = ""  # over what its readings come: a network, the satellite; "": not known
    power: str = ""  # the line that feeds it; "": not known, or its own

    def overdue(self, today: date) -> int:
        """Days since its calibration ran out; 0: it counts, or none is known; below 0: it is dated
        after today, which proves nothing."""
        if not self.calibrated:
            return 0
        age = (today - date.fromisoformat(self.calibrated)).days
        return age if age < 0 else max(0, age - self.calibrate_days)


class Camera(Row, frozen=True, kw_only=True):
    """What a camera looks at: one row of cameras.csv, every point in pixels of its whole picture.

    roi: the channel, a polygon (x y; …). points: at least four points of the water's surface with
    their place on the ground (x y east_m north_m; …), or instead gsd_m: metres a pixel where the
    camera looks straight down. axis: the middle of the channel, downstream (x y; …). staff: two
    points of a line up the bank or a staff gauge, with the stage that water has there
    (x y stage_m; x y stage_m). checked: the day on which somebody looked whether all this is still
    right; a new date is a new view, and what the camera remembers of the old one is dropped.
    """

    id: str  # a station that measures `frame`
    width: int
    height: int
    roi: tuple[tuple[float, ...], ...] = ()
    points: tuple[tuple[float, ...], ...] = ()
    gsd_m: float = 0.0
    axis: tuple[tuple[float, ...], ...] = ()
    staff: tuple[tuple[float, ...], ...] = ()
    checked: str = ""

    def has(self, what: str) -> bool:
        """Is `ground`, `axis` or `staff` given?"""
        return bool(self.points or self.gsd_m) if what == "ground" else bool(getattr(self, what))


class CameraSource(Row, frozen=True, kw_only=True):
    """Where a camera's pictures are fetched, and what makes them faster than the plan (`interval_s` of
    stations.csv): one row of camera_sources.csv.

    url: rtsp, rtsps, http, https, or onvif, onvifs (it tells where its snapshot is), without user and
    password; a camera that wants them in the address has {user} and {password} there. secret: where the
    password stands, env:NAME or file:/PATH. ca: a PEM file with the camera's own certificate or that of
    whoever signed it; "": whom the system trusts.
    """

    station: str  # a station that measures `frame`
    url: str
    user: str = ""
    secret: str = ""
    ca: str = ""
    fast_s: float = 2.0  # seconds from picture to picture while anything below says so …
    hold_min: int = 30  # … and for so long after it last did
    rain_mm: float = 5.0  # in an hour, at any gauge that counts for this camera
    rise_m: float = 0.15  # in half an hour, at any level gauge that does
    changed: float = 0.15  # share of the picture that is another than in the last one
    burst: int = 1  # pictures each time …
    burst_ms: int = 300  # … and so far apart
    width: int = 1280  # a wider picture of a stream is made smaller
    quality: int = 80  # of the JPEG that is made of a stream's picture


class Node(Row, frozen=True, kw_only=True):
    """预警广播终端: a village loudspeaker; both a feed and a channel."""

    id: str
    name: str
    name_en: str
    area: str
    lon: float
    lat: float
    range_m: int
    interval_s: int
    silent_after_s: int
    sign_key: str = ""  # the node's own public keys, 64 hex digits: Ed25519, proves its reports
    box_key: str = ""  # X25519: with it commands to this node are encrypted
    tower: str = ""  # the cell tower or line it hangs on; "": not known


class GatewayRow(Row, frozen=True, kw_only=True):
    """A station whose readings a gateway brings: one row of gateways.csv."""

    gateway: str
    station: str


class Watch(Row, frozen=True, kw_only=True):
    """One station that an area's rules look at."""

    area: str
    station: str


class Contact(Row, frozen=True, kw_only=True):
    """A recipient: a responsible person, a residents' group, an observer or an organisation.

    The telephone number and the app address are personal data: they stay in the contact store and
    never enter a record, a log line or an export. `id` is opaque.
    """

    id: str
    name: str
    # an officer is told only when asked to decide (officers.csv)
    role: Literal["responsible", "residents", "observer", "organisation", "officer"]
    areas: tuple[str, ...]  # ids; ("*",) for the whole district
    lang: Literal["zh", "en"]
    channels: tuple[str, ...]  # in order of preference: of ADDRESS_COLUMN
    min_level: Level
    phone: str = ""
    app: str = ""
    email: str = ""
    # of residents: who stands behind the address, for words and lists; "": as the role says
    category: Literal[
        "", "resident", "school", "care_home", "camp", "mine", "construction", "tourist"
    ] = ""
    hazards: tuple[str, ...] = ()  # a resident's choice; (): all. Red and orders reach everybody
    quiet: str = ""  # a resident's hours without colours below red: 22:00-06:30, local time
    people: int = 1  # who hear through this address: a household, a school
    plan: str = ""  # transfer plan (转移预案) of a school or care home: its number or title
    until: str = ""  # a visitor's last day, ISO, local; "": for good

    @property
    def kind(self) -> str:
        """The category by which words and lists are chosen."""
        return self.category or ("resident" if self.role == "residents" else self.role)


PERSONAL = ("name", "phone", "app", "email")  # a contact's columns that nobody else may see


class RainThreshold(Row, frozen=True, kw_only=True):
    """One row of an area's rain table: sums over `window_min` that mean a level or an action.

    Values in mm; None where this window says nothing about that level. `wetness` is the antecedent
    class: dry, normal or wet ground.
    """

    area: str
    hazard: str
    wetness: Literal["dry", "normal", "wet"]
    window_min: int
    blue_mm: float | None
    yellow_mm: float | None
    orange_mm: float | None
    red_mm: float | None
    prepare_mm: float | None
    move_mm: float | None
    source: str


class StageThreshold(Row, frozen=True, kw_only=True):
    """One row of a stage table: levels in m above the station's datum."""

    area: str
    hazard: str
    station: str
    blue_m: float | None
    yellow_m: float | None
    orange_m: float | None
    red_m: float | None
    prepare_m: float | None
    move_m: float | None
    rise_m_per_h: float  # a faster robust rise raises the level before the threshold is reached
    ahead_min: int  # ... when the next threshold is expected within this time
    source: str


class TelemetryRow(Row, frozen=True, kw_only=True):
    """One element of one telemetry address as the readings of one station of stations.csv.

    A value counts as `value * scale + offset`, in the unit of the quantity. password, mode, end, ask_min, clock
    are of the address: its rows say the same.
    """

    station: str  # of stations.csv
    address: str  # ten hex digits; of a hydrological station its eight digits
    element: str  # SL 651: the id in hex, 26, 39, F4, FF12; SZY 206: the kind, 1, 2, 3
    protocol: Literal["sl651", "szy206"] = "sl651"
    quantity: Literal["", "battery"] = ""  # "": what the station measures
    scale: float = 1.0
    offset: float = 0.0
    # of twelve values of an hour F0 is the time of the first (the standard), or of the last
    slots: Literal["first", "last"] = "first"
    password: str = ""  # four hex digits; "": any
    mode: Literal["M1", "M2", "M3", "M4"] = "M2"  # M1: it waits for no answer
    end: Literal["EOT", "ESC"] = "EOT"  # of the answer: it may sleep, or is to stay on line
    ask_min: int = 0  # M4: asked for its values every so many minutes
    clock: Literal["", "set"] = ""  # set: told the time (4A) where its own is over 5 minutes off

    @property
    def key(self) -> tuple[str, str]:
        """Protocol and the address as frames have it."""
        return self.protocol, address_of(self.address)

    @property
    def code(self) -> int:
        """The element as a number."""
        return int(self.element, 16 if self.protocol == "sl651" else 10)


class SparkplugRow(Row, frozen=True, kw_only=True):
    """One metric of a Sparkplug edge node, or of a device behind it, as the readings of one station.

    A value counts as `value * scale + offset`, in the unit of the quantity. user: of the edge node at the
    broker; "": its name. The rows of an edge node say the same of it.
    """

    group: str
    edge: str
    metric: str
    station: str  # of stations.csv
    device: str = ""  # "": the node's own metric
    quantity: Literal["", "battery"] = ""  # "": what the station measures
    scale: float = 1.0
    offset: float = 0.0
    user: str = ""

    @property
    def who(self) -> str:
        """The user of the edge node."""
        return self.user or self.edge


def address_of(text: str) -> str:
    """The ten hex digits that a frame has; of anything else the text."""
    text = text.strip().upper()
    return "00" + text if len(text) == 8 and text.isdigit() else text


class District(Row, frozen=True, kw_only=True):
    """A whole district, checked. `version` is a hash of every file it was read from; `rules_version`
    of its thresholds and rules alone (`config.proof`)."""

    id: str  # folder name and MQTT level: yanqing
    name: str
    name_en: str
    division: str  # 6-digit
    timezone: str
    issuer: str  # 发布单位, as it signs warnings
    issuer_en: str
    signature: str  # SMS 【签名】 without the brackets
    sender: str  # CAP sender
    hotline: str
    version: str
    folder: Path
    basins: dict[str, Basin]
    areas: dict[str, Area]
    stations: dict[str, Station]
    nodes: dict[str, Node]
    watches: tuple[Watch, ...]
    contacts: dict[str, Contact]
    rain: tuple[RainThreshold, ...]
    stage: tuple[StageThreshold, ...]
    rules: Rules
    policy: Policy
    channels: Channels
    groups: dict[str, tuple[str, ...]]  # watch group id -> area ids, in order
    group_of_area: dict[str, str]
    groups_of_station: dict[str, tuple[str, ...]]  # stations and nodes -> watch groups
    stations_of_area: dict[str, tuple[str, ...]]
    broker: str = ""  # adapter URLs; empty: the embedded one
    log: str = ""
    history: str = ""
    partitions: int = 4  # of the topic observations
    reaches: tuple[Reach, ...] = ()  # the river from gauge to gauge to village
    cameras: dict[str, Camera] = {}  # what is known of a camera's view; others have none
    camera_sources: dict[str, CameraSource] = {}  # whose pictures are fetched, and how fast
    pictures: tuple[PictureRule, ...] = ()  # how long they are kept; of what is in none, for ever
    # gateway -> the stations for which it speaks; None: no table, so no gateway speaks at all
    gateways: dict[str, tuple[str, ...]] | None = None
    telemetry: tuple[TelemetryRow, ...] = ()  # whose message over SL 651, SZY 206 is whose reading
    lorawan: tuple[LorawanRow, ...] = ()  # which field of which LoRaWAN device is whose reading
    codecs: dict[str, Codec] = {}  # of their payloads, by name
    things: tuple[ThingRow, ...] = ()  # which SensorThings Datastream is whose reading
    sparkplug: tuple[SparkplugRow, ...] = ()  # whose metric is whose reading
    weather: Weather = NO_WEATHER  # how files of a weather office are read, and for whom
    sparkplug_host: str = ""  # as which primary host a live run says that it is there; "": as none
    retention_days: dict[str, int] = {}  # of topics that are kept otherwise than usual
    officers: dict[str, Officer] = {}  # empty: nobody may act upon a warning
    sources: Sources = NONE  # other authorities and neighbours, by CAP
    plans: Plans = NO_PLANS  # who does what at which step, and with what
    backdrop: Backdrop = NO_BACKDROP  # drawn under the map
    rules_version: str = ""
    issuer_short_en: str = ""  # issuer_en for an SMS; "": issuer_en
    # a run's folder with the contact store: `contacts` then hold no numbers
    vault: Path | None = None
    subscriber_key: str = ""  # hex, public, of that store; "": no record of a subscriber counts
    console: Door = Door()  # of a live run's duty room
