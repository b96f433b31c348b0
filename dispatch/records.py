"""The records of the topics `cases` (as decide reads it), `alerts` and `deliveries`."""

import hashlib
from typing import Literal, get_args

from config.language import Said, Text
from config.records.level import Action, Level
from detectors.detection import Acknowledgement, Coverage, Detection, Evidence, Mark
from dispatch.proving.judged import JudgedAnswer
from ingest.observation import PersonSays, Service
from ingest.people.subscriber import Subscriber
from stream.records import Record, Run, Tick, Whole

# acts that somebody, or the policy, asks of decide upon a warning; `task`: dispatch/decide/plan/tasks.py;
# `instruct`: an order in a person's own words to those whose the area's tasks are; `reserve`, `issue`,
# `recheck`: dispatch/decide/plan/recheck.py; `restore`: supplies (dispatch/decide/plan/stock.py)
Act = Literal[
    "propose", "approve", "release", "return", "hold", "reject", "raise", "lower", "cancel", "escalate",
    "override", "verify", "task", "instruct", "reserve", "issue", "restore",
    "recheck",
]  # fmt: skip
ACTS: tuple[str, ...] = get_args(Act)


# why a decision proves nobody's word (dispatch/signatures/proof.py)
Unproven = Literal[
    "unsigned", "unknown_key", "wrong_signature", "not_theirs", "revoked", "stale", "repeated"
]


class Proof(Record, frozen=True, kw_only=True):
    """Who made a decision: an Ed25519 signature over what was asked (dispatch/signatures/proof.py).

    `asked_*` and `words` repeat what was asked where decide's own record says what came of it, or
    the ledger leaves words out: so the signature can be verified from the ledger alone."""

    key: str  # the public key, hex
    signature: str  # hex
    words: str  # SHA-256 of the reason and the reference, hex
    asked_act: str
    asked_alert: str = ""
    asked_version: Whole = 0
    asked_incident: str = ""


class Decision(Record, frozen=True, kw_only=True, tag="decision"):
    """An act upon a warning, by a named person or by the policy, with its reason. A person's act
    stands in `cases`; decide writes every act with what came of it, the refused ones and the
    policy's too, to `alerts`, hash-chained.

    outcome: `already` means that somebody else had done it; nothing happened, as after `refused`.
    """

    area: str  # "" for verify, which is about the incident
    hazard: str
    # accept and decline: a word on a neighbour's message, `alert` its reference
    act: Literal[Act, "close", "accept", "decline"]
    by: str  # opaque id of a person, or "policy"
    decided_at: Whole
    reason: Said
    alert: str = ""
    version: Whole = 0
    level: Level = Level.NONE
    action: Action = Action.NONE
    order: str = ""  # one act upon several areas: its decisions share this
    approver: str = ""  # opaque id of who approved by telephone
    reference: str = ""  # ... and under which number
    incident: str = ""
    task: str = ""  # of the plan: PLAN-TASK@ALERT
    happened_at: Whole = 0  # of a fact that is told (FACTS): when it came about; 0: as it is told
    supply: str = ""  # of supplies.csv, which is reserved, issued or brought back
    count: Whole = 0  # so much of it
    outcome: Literal["done", "already", "refused"] = "done"
    answer: Said = ""  # what came of a person's act
    proof: Proof | None = None  # of a person's act
    unproven: Literal["", Unproven] = ""  # refused, for nobody's word is proved: why
    previous: str = ""  # hash of the decision before it in the chain
    hash: str = ""


class Question(Record, frozen=True, kw_only=True):
    """What somebody must decide on: a level, an action, or the end of a warning that a first person
    asked for. `called` are asked now; signed: who approved or proposed it already; phoned: who of
    them wrote down an approval that was given by telephone. to_level, to_action: what a fall that
    waits for a second name leaves in force, none where that scale is not lowered."""

    what: str  # blue … red, prepare, move, lower, cancel
    called: tuple[str, ...] = ()
    deadline_at: Whole | None = None
    signed: tuple[str, ...] = ()
    phoned: tuple[str, ...] = ()
    agreed: tuple[
        str, ...
    ] = ()  # offices of a joint release that have agreed, and those who have not
    awaited: tuple[str, ...] = ()
    to_level: Level = Level.NONE
    to_action: Action = Action.NONE


class Alert(Record, frozen=True, kw_only=True, tag="alert"):
    """One version of the warning for one area and one hazard. Versions count from 1.

    `proposed_*` is what the evidence calls for; `level` and `action` are what is in force for the
    audiences of this version. `public` is true once somebody entitled released it; an internal
    notice (内部预警) never waits.
    """

    id: str
    version: Whole
    area: str
    hazard: str
    status: Literal["actual", "exercise", "test"]
    msg_type: Literal["alert", "update", "cancel"]
    level: Level
    action: Action
    proposed_level: Level
    proposed_action: Action
    public: bool
    state: Literal[
        "proposed", "returned", "held", "rejected", "released", "cancelled", "expired"
    ]  # dispatch/decide/lifecycle.py
    incident: str
    sent_at: Whole
    onset_at: Whole
    expires_at: Whole
    reason: Said
    by: str = "policy"
    authority: str = ""
    deadline_at: Whole | None = None  # by when somebody must decide
    questions: tuple[Question, ...] = ()
    notified: tuple[str, ...] = ()  # officers passed over in an emergency, who are told at once
    suspect: bool = False
    thin: bool = False
    evidence: tuple[Evidence, ...] = ()
    coverage: Coverage | None = None
    next_at: Whole | None = None
    earliest_at: Whole | None = None  # of a wave on its way here: when it may arrive, and by when
    latest_at: Whole | None = None
    # a person told the fact (a lake burst here): when it came about
    happened_at: Whole | None = None
    detections: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()  # offices that let the colour out jointly; (): the district's own
    renewed: bool = False  # what is in force goes on, and is said again before it runs out
    again: Whole = 0  # so often was this same version put to somebody anew: only who is asked, and
    # until when, is another; sent_at and reason are those of the asking


class ReportPart(Record, frozen=True, kw_only=True):
    """One part of a report: 地点, 影响人口 … gap: no record knows it, `words` say what to fill in by hand."""

    name: Said
    words: Said
    gap: bool = False


class Report(Record, frozen=True, kw_only=True, tag="report"):
    """A numbered report of an incident to superiors: 初报, 续报, 核报, 终报."""

    incident: str
    number: Whole
    kind: Literal["初报", "续报", "核报", "终报"]
    reported_at: Whole
    alerts: tuple[str, ...]  # id and version of what it rests on: "ID/3"
    text: Said  # in one paragraph
    by: str = ""  # 核报: opaque id of who found it to be so
    parts: tuple[ReportPart, ...] = ()  # the whole, part by part; (): of an older build
    next_at: Whole | None = None  # by when the next report is due


class Outcome(Record, frozen=True, kw_only=True, tag="outcome"):
    """What really happened, or did not, in an area from `start_at` to `end_at`: a person's report,
    against which warnings and silence are scored afterwards. It stands in `cases` and changes no
    warning."""

    area: str
    hazard: str
    happened: bool
    start_at: Whole
    end_at: Whole
    told_at: Whole
    by: str  # opaque id of a person
    note: str = ""


class Route(Record, frozen=True, kw_only=True):
    """One way to one recipient, with the frozen words for it."""

    channel: str  # broadcast, broadcast_platform, sms, voice, app, email, webhook, cap, cap_push, console
    text: Said
    title: Said = ""
    segments: Whole = 0  # SMS


class Delivery(Record, frozen=True, kw_only=True, tag="delivery"):
    """A warning version for one recipient: the words are frozen before anything is sent.

    The idempotency key of an attempt is (alert, version, channel, recipient): see `attempt_key`.
    """

    id: str
    alert: str
    version: Whole
    area: str
    hazard: str
    level: Level
    action: Action
    msg_type: Literal["alert", "update", "cancel"]
    status: Literal["actual", "exercise", "test"]
    recipient: str  # opaque id: contact, node, or organisation
    audience: Literal["internal", "public"]
    routes: tuple[Route, ...]  # in order; the next is tried when one fails for good
    queued_at: Whole
    deadline_at: Whole
    expires_at: Whole
    lang: str = "zh"
    must_answer: bool = False  # 叫应: counts as reached only when a person answered
    # our word on a neighbour's message, whose CAP reference stands in `references`
    reply: Literal["", "ack", "error"] = ""
    references: str = ""
    # the number of the repetition, by a person or of a question put anew: 1 the first
    again: Whole = 0
    asked_by: str = ""  # opaque id of that person
    # of a contact: resident, school, care_home … (config.records.district.Contact)
    category: str = ""
    not_before: Whole = 0  # a subscriber's quiet hours end then; 0: at once
    # ids of the deliveries that it speaks for (dispatch/send/outbox/grouping.py)
    covers: tuple[str, ...] = ()
    # to a resident or a loudspeaker: the other warnings of the place that its words tell too, as
    # "ID/VERSION", and the highest of what they tell (dispatch/send/outbox/beside.py)
    beside: tuple[str, ...] = ()
    most_level: Level = Level.NONE
    most_action: Action = Action.NONE
    observed: bool = False  # the hazard itself was measured or seen: CAP's certainty
    chance: float | None = None  # 0 … 1, where it rests on a forecast alone: CAP's certainty too
    onset_at: Whole = 0  # when the event began or comes here, as far as that is known: CAP's onset
    # how long people may still wait, where that is known (dispatch.words.evidence.left_min): CAP's urgency
    left_min: Whole | None = None
    # what the words of `routes` take for granted that this recipient was told last
    was_level: Level = Level.NONE
    was_action: Action = Action.NONE
    # the same ways with words that compare with nothing: said when that is not sure
    # (dispatch/send/outbox/state.py)
    plain: tuple[Route, ...] = ()
    closed: bool = False  # the place was 封沟 as the words were made
    # an answer counts with the code alone (dispatch/proving/codes.py): the blank that stands for its figures
    code: str = ""
    issuers: tuple[str, ...] = ()  # Alert.issuers


State = Literal[
    "queued",
    "sent",
    "accepted",
    "delivered",
    "playing",
    "played",
    "answered",
    "failed",
    "expired",
    "superseded",
]
STATE_ZH: dict[str, str] = {
    "queued": "待发",
    "sent": "已发",
    "accepted": "已接收",
    "delivered": "已送达",
    "playing": "正在播",
    "played": "已播出",
    "answered": "已叫应",
    "failed": "失败",
    "expired": "过期",
    "superseded": "已被新版取代",
}


def state_words(state: str) -> Text:
    """已送达, delivered."""
    return Text(STATE_ZH[state], state)


_KIND_EN = {"初报": "initial", "续报": "interim", "核报": "verified", "终报": "final"}


def kind_words(kind: str) -> Text:
    """Of a report: 初报, initial."""
    return Text(kind, _KIND_EN[kind])


class Receipt(Record, frozen=True, kw_only=True, tag="receipt"):
    """What became of an attempt. One table per channel maps the carrier's words to `state`."""

    delivery: str
    route: Whole  # index into routes
    state: State
    receipt_at: Whole
    attempt: Whole = 1
    permanent: bool = False
    detail: Said = ""
    refs: tuple[str, ...] = ()  # "CARRIER|ID": the carrier's own ids of the message, one a part
    unsent: bool = False  # no attempt was made, so nothing can have gone out
    # of a message that asks for a code: what whoever answered gave
    answered_by: Literal["", "code", "wrong", "bare"] = ""


class RouteHealth(Record, frozen=True, kw_only=True, tag="route_health"):
    """Whether a carrier of a channel works, as a probe or the traffic showed."""

    channel: str
    carrier: str
    up: bool
    checked_at: Whole
    by: Literal["probe", "traffic"]
    detail: Said = ""


class Terminal(Record, frozen=True, kw_only=True):
    """Equipment of a broadcast platform as one word tells of it: its list has name and place, its states
    the state; what is empty was not told. kind: DT terminal, BS, AS, ST, PS. state: 1 on, 2 off, 3 fault,
    4 recovered, 5 broadcasting (GD/J 2018)."""

    code: str
    kind: str
    told_at: Whole
    name: str = ""
    lon: float | None = None
    lat: float | None = None
    state: str = ""
    gone: bool = False


class Terminals(Record, frozen=True, kw_only=True, tag="terminals"):
    """What a broadcast platform told anew of its terminals; platform: the row of channels.toml."""

    platform: str
    heard_at: Whole
    items: tuple[Terminal, ...]


class RecordEnd(Record, frozen=True, kw_only=True, tag="record_end"):
    """Where the record of the duty room's door and desk ended (console/auth/record.py). The console writes it
    into `cases` now and then, decide passes it on, and the ledger has it: entries taken from the
    record's end are missed."""

    n: int
    hash: str
    noted_at: int


class Custody(Record, frozen=True, kw_only=True, tag="custody"):
    """What was done with the records of an incident for those who look into it: a sealed pack was made of
    them, they were locked against deletion, or the lock was let go. It stands in `cases`, decide passes it
    on, and the ledger has it: who, why, until when, and what personal data left the house."""

    act: Literal["pack", "lock", "release"]
    incident: str
    by: str
    said_at: Whole  # the wall clock
    reason: str = ""
    until_at: Whole = 0  # of a lock
    named: tuple[str, ...] = ()  # of a pack: the personal data in it
    sha256: str = ""  # of a pack, of the whole file, hex


# what decide passes on as it is, for the ledger and for whoever looks
Passed = Acknowledgement | PersonSays | Service | RecordEnd | Custody | Subscriber
CaseRecord = Run | Tick | Mark | Detection | Decision | Outcome | Passed
AlertRecord = Run | Tick | Mark | Alert | Decision | Report | Passed
DeliveryRecord = (
    Run
    | Tick
    | Mark
    | Delivery
    | Receipt
    | Acknowledgement
    | RouteHealth
    | PersonSays
    | Terminals
    | JudgedAnswer
)


def attempt_key(alert: str, version: int, channel: str, recipient: str, again: int = 0) -> str:
    """The idempotency key that a carrier or node sees."""
    text = f"{alert}|{version}|{channel}|{recipient}" + (f"|{again}" if again else "")
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def delivery_id(alert: str, version: int, recipient: str, again: int = 0) -> str:
    """From content, so that a repeated step writes the same record. again: of a version that was put
    to somebody anew."""
    text = f"{alert}|{version}|{recipient}" + (f"|{again}" if again else "")
    return hashlib.sha256(text.encode()).hexdigest()[:24]
