"""The ways out: channels.toml as it is loaded."""

from typing import Literal

from config.records.devices.broadcast import Platform
from config.records.devices.trunk import Trunk
from config.records.level import Action, Level
from config.records.row import Row

# where a channel finds a contact's address; URLs of webhooks and platforms stand in channels.toml
ADDRESS_COLUMN = {
    "sms": "phone",
    "voice": "phone",
    "app": "app",
    "email": "email",
    "webhook": "id",
    "broadcast_platform": "id",
}


class Words(Row, frozen=True, kw_only=True):
    """How a carrier's delivery receipts come by HTTP: names of fields, and its words in ours
    (dispatch/channels/status_words.py)."""

    key: str = ""  # the field that holds our {key} again …
    id: str = ""  # … or the gateway's own id (`id_field` of its answer)
    status: str = ""
    sender: str = ""  # a row with this field is a message from a telephone: its number …
    text: str = ""  # … and its words
    words: dict[str, str] = {}
    reply: str = "OK"  # what the carrier wants to read
    secret: str = ""  # env:NAME or file:/PATH: the token of this carrier alone

    @property
    def posted(self) -> bool:
        """Whether anything comes by HTTP."""
        return bool(self.status or self.sender)


class Carrier(Row, frozen=True, kw_only=True):
    """One `[[carrier]]` of channels.toml: a far end of a channel. docs/channels.md says how to set
    each up. Several of one channel stand in for each other, in order."""

    name: str  # in status, metrics and receipts
    channel: Literal["sms", "app", "voice", "email", "webhook", "broadcast_platform"]
    kind: Literal["apprise", "http", "smpp", "smtp", "webhook", "ebd", "sip", "smsd"]
    url: str
    user: str = ""  # smpp system_id, SMTP user, {user}
    secret: str = ""  # env:NAME or file:/PATH, never the secret itself
    sender: str = ""  # SMS source address, From of a mail, {from}
    contact: str = ""  # webhook, ebd: whose it is
    rate_per_s: float = 0.0  # messages (SMS segments) a second; 0: no limit
    burst: int = 1
    probe_url: str = ""
    # apprise: of a bot whose limits we do not know, or that has others
    part_bytes: int = 0  # of a text in UTF-8; longer ones go as several. 0: what its service says
    per_minute: int = 0  # messages to one bot. 0: what its service says
    # smpp
    system_type: str = ""
    window: int = 10  # and sip: calls at once
    long: Literal["udh", "payload"] = "udh"
    # http
    form: Literal["json", "form", "query", "base64-json"] = "json"
    fields: dict[str, str] = {}
    headers: dict[str, str] = {}
    params: dict[str, str] = {}  # of a registered template: {params}, as JSON
    sign_with: Literal["", "hmac-sha256", "hmac-sha1", "hmac-md5", "sha256", "md5"] = ""
    sign_text: str = ""
    sign_as: Literal["hex", "HEX", "base64"] = "hex"
    ok_field: str = ""  # a path in the JSON or XML of the answer, which is one of …
    ok_values: tuple[str, ...] = ()
    ok_text: str = ""  # or a regular expression that the answer begins with
    permanent_values: tuple[str, ...] = ()  # of ok_field, or what the text begins with
    busy_values: tuple[str, ...] = ()
    id_field: str = ""
    id_text: str = ""  # a regular expression; its group is the id
    receipt: Words = Words()
    platform: Platform = Platform()  # ebd
    trunk: Trunk = Trunk()  # sip
    last: bool = False  # only while none of the others works: a modem


# <severity> of a release platform 12379
COLOURS = {
    Level.RED: "Red",
    Level.ORANGE: "Orange",
    Level.YELLOW: "Yellow",
    Level.BLUE: "Blue",
}


class Release(Row, frozen=True, kw_only=True):
    """`[release]`, the way to a release platform 12379: what the platform assigns, or its interface sheet
    says (docs/cap.md). sender_code: 14 digits that it assigns; "": not connected."""

    sender_code: str = ""
    sender: str = ""  # <sender>; "": the issuing office
    sender_name: str = ""  # <senderName>, an office or a person; "": the office
    # 29 characters as real files have it, or 31 with _N at the end
    identifier: Literal["29", "31"] = "29"
    event_types: dict[str, str] = {}  # hazard -> code, instead of or beside ours
    orders: dict[str, str] = {}  # move, prepare -> Red … : of an order without a colour
    methods: tuple[str, ...] = ()  # <methodName>: SMS, WEB, LED, SPEAKER …
    web: str = ""
    polygon: Literal["latlon", "lonlat", "none"] = "latlon"
    # where files go and answers come from: folders of this machine, or ftp(s)://USER@HOST/FOLDER
    url: str = ""  # file:///FOLDER, ftp:// …
    answers: str = ""  # a folder there; "": none are read
    secret: str = ""  # env:NAME or file:/PATH, of ftp

    @property
    def connected(self) -> bool:
        return bool(self.sender_code)

    def colour_of(self, level: Level, action: Action) -> str:
        """What stands in <severity>; "" where nobody has said which."""
        if level:
            return COLOURS[level]
        return self.orders.get(action.name.lower(), "") if action else ""


class Wis2(Row, frozen=True, kw_only=True):
    """`[wis2]`: our CAP messages as notifications for WMO's information system (docs/cap.md). centre_id:
    as WMO registers it; "": none are made."""

    centre_id: str = ""
    metadata_id: str = ""  # of the dataset's discovery record: urn:wmo:md:CENTRE:…
    policy: Literal["core", "recommended"] = "core"
    topic: str = "weather/advisories-warnings"


class Channels(Row, frozen=True, kw_only=True):
    """channels.toml: where each channel sends. Exercises never use these; they have their own."""

    sms_url: str = ""  # apprise URL template; {to}, {key} are filled in
    app_url: str = ""
    carrier: tuple[Carrier, ...] = ()
    release: Release = Release()  # 12379
    wis2: Wis2 = Wis2()
    cap_dir: str = "cap"
    cap_url: str = ""  # where the public finds that folder, for the feed's links
    cap_feed_port: int = 0
    receipt_listen: str = ""  # HOST:PORT where carriers post delivery receipts; "": nowhere
    receipt_secret: str = ""  # env:NAME or file:/PATH: the token where one carrier alone posts
    people_listen: str = "127.0.0.1:0"  # HOST:PORT of the page people report on; "": none
    people_url: str = ""  # where people find it, for links: https://report.example
    people_link_days: int = 90  # how long a personal link lasts
    residents_listen: str = (
        "127.0.0.1:0"  # HOST:PORT of the page where residents subscribe; "": none
    )
    residents_url: str = ""  # where they find it, for the code at the village door
    residents_number: str = ""  # to which they send short messages, as it stands on the sheets
    residents_proxies: tuple[str, ...] = ()  # whose X-Forwarded-For counts there
    residents_sms_day: int = 2000  # messages that residents may cause in a day, codes and answers
    retry_s: tuple[int, ...] = (5, 15, 30, 60, 120)
    voice_retry_s: tuple[int, ...] = (40, 40)  # 叫应: three calls in five minutes
    attempt_timeout_s: int = 10
    played_within_s: int = 180  # a node that has not played by then is a failed attempt
    answer_within_s: int = 300  # 叫应: a responsible person should have answered by then
    call_within_s: int = 60  # a call whose key was not pressed by then is a failed attempt
    probe_every_s: int = 120  # of every way out, in a live run
    not_woken_to: tuple[str, ...] = ()  # contacts who get the list of those who did not answer
    reports_to: tuple[str, ...] = ()  # contacts who get an incident's reports: the superiors

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
