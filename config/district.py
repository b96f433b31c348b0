"""What a district declares: stations, areas, nodes, contacts, thresholds, rules, policy.

These are the loaded and checked forms; `config.load` reads them from a district's folder. They are
plain records: everything that depends on them takes them as an argument.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from config.level import Action, Level
from config.sources import NONE, Sources


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table that a person edits."""


class Basin(Row, frozen=True, kw_only=True):
    """小流域: a hydrological attribute of stations and areas."""

    id: str
    name: str
    name_en: str
    river: str
    river_en: str


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
    polygon: tuple[tuple[float, float], ...] = ()  # (lon, lat), closed, WGS 84


class Station(Row, frozen=True, kw_only=True):
    """监测站: a place with one sensor. A mast with two sensors is two rows with one place."""

    id: str
    name: str
    name_en: str
    quantity: str  # of config.quantity
    basin: str
    lon: float
    lat: float
    elevation_m: float
    interval_s: int  # reporting plan: the longest time between two reports when all is well
    silent_after_s: int  # a station that has not reported for this long is silent
    sum_interval_s: int = 60  # rain: the interval an observation sums over


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


# where a channel finds a contact's address; a webhook's URL stands in channels.toml
ADDRESS_COLUMN = {
    "sms": "phone",
    "voice": "phone",
    "app": "app",
    "email": "email",
    "webhook": "id",
}


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


class RainRule(Row, frozen=True, kw_only=True):
    """Parameters of `rain_threshold`."""

    hold_min: int = 60
    clear_factor: float = 0.7  # clear when every sum is below this part of its threshold
    event_gap_min: int = 240  # so long without rain ends the event: older rain holds no level
    late_ends: bool = (
        True  # judge a late value at every window end it touches, not at the head only
    )
    antecedent_decay: float = 0.85  # per day
    antecedent_days: int = 15
    wet_above_mm: float = 50.0
    dry_below_mm: float = 15.0


class StageRule(Row, frozen=True, kw_only=True):
    """Parameters of `stage_trend`."""

    hold_min: int = 60
    clear_margin_m: float = 0.2
    window_min: int = 30
    min_points: int = 5


class CameraRule(Row, frozen=True, kw_only=True):
    """Parameters of `camera_motion`, and of how every camera is looked through (`camera_sight`)."""

    hold_min: int = 20
    moving_share: float = 0.25  # of the region of interest that moves
    frames: int = 2  # consecutive frames that must agree
    dark_below: float = 18.0  # mean grey level, 0–255
    blurred_below: float = 15.0  # variance of the Laplacian
    fogged_below: float = 40.0  # grey levels between the 5th and 95th percentile
    moved_share: float = 0.03  # of the picture's width
    frozen_frames: int = 5
    blind_frames: int = 2  # so many bad frames in a row before it is told blind
    see_frames: int = 3  # so many good ones before it is told to see again
    pair_s: float = 2.0  # frames further apart show no speed
    usual_h: int = 6  # what the colour of the water is compared with
    level: Level = Level.YELLOW
    action: Action = Action.PREPARE
    hazard: str = "debris_flow"


class SilenceRule(Row, frozen=True, kw_only=True):
    """Parameters of `silence`."""

    min_live_share: float = 0.5  # below it an area's evidence is thin
    grace_s: int = 0  # after the start, before a station never seen counts as silent


class QualityRule(Row, frozen=True, kw_only=True):
    """Parameters of the quality tests that need memory or neighbours (QARTOD)."""

    stage_rate_m_per_min: float = 1.0
    stage_spike_m: float = 1.5
    stage_flat_min: int = 720
    rain_extreme_mm_10min: float = 40.0  # above it a neighbour should agree
    rain_neighbour_share: float = 0.1  # of the extreme, at the best neighbour, over 30 min
    neighbour_km: float = 12.0


class RuleRow(Row, frozen=True, kw_only=True):
    """One `[[rule]]` of rules.toml: a kind of `detectors` with its parameters and thresholds.

    Thresholds are in the kind's own unit (docs/rules.md); None where the rule says nothing about
    that level. With stations left away, every station of an area that measures `quantity` counts.
    """

    id: str
    kind: str
    hazard: str
    source: str
    areas: tuple[str, ...] = ("*",)  # every area that has the hazard
    stations: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()  # of `stations`; away: by distance where the kind is joint
    quantity: str = "rain"
    blue: float | None = None
    yellow: float | None = None
    orange: float | None = None
    red: float | None = None
    prepare: float | None = None
    move: float | None = None
    hold_min: int = 60
    clear: float = 0.7  # a level is held until the value is this part of its threshold
    speaks: bool = True  # false: heard only by compound rules
    parameters: dict[str, Any] = {}


class Rules(Row, frozen=True, kw_only=True):
    """rules.toml."""

    rain: RainRule = RainRule()
    stage: StageRule = StageRule()
    camera: CameraRule = CameraRule()
    silence: SilenceRule = SilenceRule()
    quality: QualityRule = QualityRule()
    lateness_s: int = 1800
    # which rules a district runs, by name
    run: tuple[str, ...] = ("rain_threshold", "stage_trend", "camera_motion", "silence")
    rule: tuple[RuleRow, ...] = ()


class Office(Row, frozen=True, kw_only=True):
    """An office that decides: 区防汛指挥部, 市防汛指挥部, 村责任人 …"""

    name: str
    name_en: str


class Officer(Row, frozen=True, kw_only=True):
    """A person who may act upon warnings, by an opaque id, and for which areas.

    duty: in which order an office's officers are asked, all of one number together; 0: not on duty,
    not asked, but may act. contact: of contacts.csv, by which this person is called.
    """

    id: str
    office: str  # of policy.toml
    areas: tuple[str, ...]  # ids of areas, names of townships, or ("*",) for the whole district
    duty: int = 1
    contact: str = ""


class Escalation(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked next when nobody answers, and for how long."""

    office: str
    within_s: int


class Authority(Row, frozen=True, kw_only=True):
    """Who may release a level or an action, by when, and what happens if nobody answers.

    `by` and the offices of `chain` decide. `default` comes when the last of the chain has not
    answered either; `repeat` asks everybody again from the beginning.
    """

    by: tuple[str, ...]  # offices, any of which decides
    deadline_s: int = 0  # 0: released at once under the standing authorisation named in `source`
    chain: tuple[Escalation, ...] = ()
    default: Literal["release", "hold", "repeat"] = "release"
    two_persons: bool = False  # one approves, another releases
    # offices that may record an approval given by telephone, and release what was approved
    through: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()  # offices that may lower or cancel it; none named: `by`
    override: tuple[str, ...] = ()  # offices that may let it out in an emergency, on record
    source: str = ""


class Policy(Row, frozen=True, kw_only=True):
    """policy.toml: authority by hazard and level or action, hold times, validity, incidents."""

    # hazard ("*" for any other) -> "blue" … "red", "prepare", "move" -> authority
    authority: dict[str, dict[str, Authority]]
    office: dict[str, Office] = {}  # every office that is named anywhere
    # an exercise releases at once when true, so that a storm can be watched
    exercise_releases: bool = True
    step_down_hold_s: int = 1800
    valid_s: int = 21600
    incident_gap_s: int = 21600  # quiet for this long ends an incident
    report_every_s: int = 3600  # 续报


class Words(Row, frozen=True, kw_only=True):
    """How a carrier's delivery receipts come by HTTP: names of fields, and its words in ours
    (dispatch/channels/table.py)."""

    key: str = ""  # the field that holds our {key} again …
    id: str = ""  # … or the gateway's own id (`id_field` of its answer)
    status: str = ""
    words: dict[str, str] = {}
    reply: str = "OK"  # what the carrier wants to read


class Carrier(Row, frozen=True, kw_only=True):
    """One `[[carrier]]` of channels.toml: a far end of a channel. docs/channels.md says how to set
    each up. Several of one channel stand in for each other, in order."""

    name: str  # in status, metrics and receipts
    channel: Literal["sms", "app", "voice", "email", "webhook"]
    kind: Literal["apprise", "http", "smpp", "smtp", "webhook"]
    url: str
    user: str = ""  # smpp system_id, SMTP user, {user}
    secret: str = ""  # env:NAME or file:/PATH, never the secret itself
    sender: str = ""  # SMS source address, From of a mail, {from}
    contact: str = ""  # webhook: whose it is
    rate_per_s: float = 0.0  # messages (SMS segments) a second; 0: no limit
    burst: int = 1
    probe_url: str = ""
    # smpp
    system_type: str = ""
    window: int = 10
    long: Literal["udh", "payload"] = "udh"
    # http
    form: Literal["json", "form", "query", "base64-json"] = "json"
    fields: dict[str, str] = {}
    headers: dict[str, str] = {}
    params: dict[str, str] = {}  # of a registered template: {params}, as JSON
    sign_with: Literal["", "hmac-sha256", "hmac-sha1", "hmac-md5", "sha256", "md5"] = ""
    sign_text: str = ""
    sign_as: Literal["hex", "HEX", "base64"] = "hex"
    ok_field: str = ""
    ok_values: tuple[str, ...] = ()
    permanent_values: tuple[str, ...] = ()
    busy_values: tuple[str, ...] = ()
    id_field: str = ""
    receipt: Words = Words()


class Channels(Row, frozen=True, kw_only=True):
    """channels.toml: where each channel sends. Exercises never use these; they have their own."""

    sms_url: str = ""  # apprise URL template; {to}, {key} are filled in
    app_url: str = ""
    carrier: tuple[Carrier, ...] = ()
    cap_dir: str = "cap"
    cap_url: str = ""  # where the public finds that folder, for the feed's links
    cap_feed_port: int = 0
    receipt_listen: str = ""  # HOST:PORT where carriers post delivery receipts; "": nowhere
    receipt_secret: str = ""  # env:NAME or file:/PATH; carriers put it into ?token=
    retry_s: tuple[int, ...] = (5, 15, 30, 60, 120)
    voice_retry_s: tuple[int, ...] = (40, 40)  # 叫应: three calls in five minutes
    attempt_timeout_s: int = 10
    played_within_s: int = 180  # a node that has not played by then is a failed attempt
    answer_within_s: int = 300  # 叫应: a responsible person should have answered by then
    call_within_s: int = 60  # a call whose key was not pressed by then is a failed attempt
    probe_every_s: int = 120  # of every way out, in a live run
    not_woken_to: tuple[str, ...] = ()  # contacts who get the list of those who did not answer

    def carriers(self) -> tuple[Carrier, ...]:
        """With those that `sms_url` and `app_url` stand for, which come first."""
        short = {"sms_url": ("sms", self.sms_url), "app_url": ("app", self.app_url)}
        return (
            *(
                Carrier(name=name, channel=channel, kind="apprise", url=url)  # type: ignore[arg-type]
                for name, (channel, url) in short.items()
                if url
            ),
            *self.carrier,
        )


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
    cameras: dict[str, Camera] = {}  # what is known of a camera's view; others have none
    retention_days: dict[str, int] = {}  # of topics that are kept otherwise than usual
    officers: dict[str, Officer] = {}  # empty: nobody may act upon a warning
    sources: Sources = NONE  # other authorities and neighbours, by CAP
    rules_version: str = ""
