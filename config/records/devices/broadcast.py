"""What the county's broadcast platform 应急广播平台 agreed with us: the values of its interface sheet. The
public texts leave them open, so none is guessed here; `fengsui check` asks for each."""

from typing import Literal

from config.records.row import Row

# EventType by hazard, as two public lists agree on; where a hazard has none there, the head of its group
EVENTS = {
    "flash_flood": "11A51",
    "debris_flow": "11D02",
    "river_flood": "11A01",
    "urban_flood": "11A02",
    "dam_break": "11A00",
    "reservoir_release": "11A00",
}
EVENT_OTHER = "10000"
# BrdStateCode of 2018, in the words of dispatch/channels/status_words.py
STATES = {
    "0": "unhandled",
    "1": "waiting",
    "2": "on_air",
    "3": "done",
    "4": "failed",
    "5": "cancelled",
}
DRILLS = ("3", "4", "5")


class Platform(Row, frozen=True, kw_only=True):
    """`platform = { … }` of a `[[carrier]]` of kind ebd. Its `url` is where packets are posted, its `secret`
    the place of our private key (64 hex digits), where the signer is software."""

    ours: str = ""  # our resource code, 18 or 23 digits: SRC
    theirs: str = ""  # the platform's: DEST, and the only one whose packets are taken
    # the signature: SM2 by software, or the county's cipher device: exec:COMMAND … or tcp://HOST:PORT
    signer: str = "software"
    public: str = ""  # our public key, 128 hex digits
    serial: str = ""  # CertSN, up to 12 digits
    issuer: str = ""  # IssuerID, up to 12 digits
    their_public: str = ""  # the platform's public key
    answers: Literal["signed", "bare"] = "signed"  # bare: its immediate answers have no EBDS
    heartbeats: Literal["signed", "bare"] = "signed"  # the same of its heart-beats
    # the form
    version: Literal["1.0", "1"] = "1.0"
    names: Literal["EBR", "EBE"] = "EBR"  # EBE: drafts of 2016 (EBEID)
    layout: Literal["long", "short"] = "long"  # of the signature file
    field: str = "file"  # of multipart/form-data; upfile is seen too
    # the message
    sender_name: str = ""  # "": the issuing office
    sender_code: str = ""
    drill_type: Literal["", "3", "4", "5"] = ""  # MsgType of a drill: platforms differ
    order_severity: dict[
        str, Literal["0", "1", "2", "3", "4"]
    ] = {}  # prepare, move: without a colour
    events: dict[str, str] = {}  # hazard -> EventType, where it is another than ours
    language: str = "zho"
    air_min: int = 0  # on air for so long; 0: until the warning ends
    update: Literal["cancel_and_new", "overwrite"] = "cancel_and_new"
    sound: str = (
        ""  # a command: text on its standard input, MP3 on its standard output; "": text alone
    )
    sound_for: Literal["all", "orders"] = "all"
    # what comes later
    states: dict[str, str] = {}  # BrdStateCode -> our word, where it is another than in 2018
    listen: str = ""  # HOST:PORT where the platform posts
    path: str = "/ebd"
    heartbeat_s: int = 30
    silent_s: int = 300  # without a heart-beat for so long it is off line; 0: it sends none
    clock_s: int = 600  # its clock may differ by so much; older packets are old ones played again
    list_every_h: int = 24  # how often its list of terminals is asked for; 0: it comes unasked
    range_m: int = 0  # how far one of its terminals is heard; 0: not known, and so not counted
