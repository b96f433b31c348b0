"""Carriers' words and what they mean here: one table a channel. A word that is not in its table is
refused (dead letter), never guessed."""

import re
from typing import NamedTuple

from config.language import Said, Text
from dispatch.records import STATE_ZH, State


class Meaning(NamedTuple):
    """A state, and for `failed` whether the same attempt again would fail again. zh: what the duty room
    reads before the carrier's word, where the state's own name says too little."""

    state: State
    permanent: bool = False
    zh: str = ""

    @property
    def words(self) -> str:
        """In Chinese."""
        return self.zh or STATE_ZH[self.state]


# a node's acknowledgement (dispatch.nodes.protocol.NodeAck.state)
NODE: dict[str, Meaning] = {
    "accepted": Meaning("accepted"),
    "playing": Meaning("playing"),
    "played": Meaning("played"),
    "failed": Meaning("failed", zh="未播成"),
    "refused": Meaning("failed", True, "终端拒播"),
}
# what a node's refusal means when its `detail` is one of these (dispatch.nodes.protocol.Refusal):
# garbled on the way is worth another try, and what it has seen it has
NODE_REFUSED: dict[str, Meaning] = {
    "bad_payload": Meaning("failed", zh="终端拒播：指令残缺"),
    "bad_signature": Meaning("failed", zh="终端拒播：签名无效"),
    "no_time": Meaning(
        "failed", zh="终端拒播：尚未校时"
    ),  # it has just started: a beacon will come
    "seen": Meaning("accepted", zh="终端已有此令"),
    "wrong_node": Meaning("failed", True, "终端拒播：不是给它的"),
    "wrong_kind": Meaning("failed", True, "终端拒播：演练与实战不符"),
    "expired": Meaning("failed", True, "终端拒播：已过期"),
    "older_version": Meaning("failed", True, "终端拒播：已有新版"),
    "older": Meaning("failed", True, "终端拒播：已有更新的"),
    "said_more": Meaning("failed", True, "终端拒播：已自主播过更高指令"),
}

# receipts for SMS and app messages: plain words, and the message states of SMPP 3.4, 5.2.28. A
# carrier that gives up has tried for long, and would drop the same key: the next route is tried
CARRIER: dict[str, Meaning] = {
    "accepted": Meaning("accepted"),
    "queued": Meaning("accepted"),
    "sent": Meaning("accepted"),
    "delivered": Meaning("delivered"),
    "read": Meaning("delivered"),
    "answered": Meaning("answered"),
    "failed": Meaning("failed", permanent=True),
    "undelivered": Meaning("failed", True, "未送到"),
    "undeliverable": Meaning("failed", True, "送不到"),
    "rejected": Meaning("failed", True, "被拒"),
    "expired": Meaning("failed", True, "逾时未送到"),
    "ACCEPTD": Meaning("accepted"),
    "ENROUTE": Meaning("accepted"),
    "DELIVRD": Meaning("delivered"),
    "UNDELIV": Meaning("failed", True, "送不到"),
    "REJECTD": Meaning("failed", True, "被拒"),
    "DELETED": Meaning("failed", True, "被删"),
    "EXPIRED": Meaning("failed", True, "逾时未送到"),
    "UNKNOWN": Meaning("failed", True, "下落不明"),
}

# what SMSCs and gateways write for these, in capitals and without what is no letter
_SPELLED: dict[str, tuple[str, ...]] = {
    "DELIVRD": (
        "DELIVERED", "DELIVERD", "DELIVRED", "DELIVERYSUCCESS", "DLVRD", "SUCCESS", "SUCCEEDED",
        "DELIVEREDTOTERMINAL", "DELIVEREDTOHANDSET",
    ),
    "read": ("READ", "SEEN", "DISPLAYED"),
    "ACCEPTD": ("ACCEPTED", "ACKED"),
    "ENROUTE": (
        "INTRANSIT", "PENDING", "QUEUED", "BUFFERED", "BUFFERD", "SCHEDULED", "SCHEDLD", "SUBMITTED",
        "SENT", "SENDING", "TRYING", "RETRY", "RETRYING", "DELIVEREDTONETWORK", "MESSAGEWAITING",
    ),
    "UNDELIV": (
        "UNDELIVERED", "UNDELIVERABLE", "UNDELIVRD", "UNDELIVERD", "UNDELIVRABLE", "UNDELIVD", "UNDLVRD",
        "NOTDELIVERED", "NONDELIVERED", "NOTDELIVRD", "DELIVERYFAILED", "DELIVERYFAILURE", "FAILED",
        "FAIL", "FAILD", "FAILURE", "ERROR", "SKIPPED", "UNROUTABLE", "NOROUTE", "INVALID", "ABSENT",
        "DELIVERYIMPOSSIBLE",
    ),
    "REJECTD": (
        "REJECTED", "REJECT", "REJECTE", "BLOCKED", "BARRED", "DENIED", "BLACKLISTED", "BLACKLIST",
        "BLACK", "SPAM",
    ),
    "EXPIRED": ("EXPIRD", "EXPIRE", "TIMEOUT", "TIMEDOUT"),
    "DELETED": ("DELETD", "CANCELLED", "CANCELED", "CANCELD"),
    "UNKNOWN": ("UNKNOWN", "UNKNOW", "UNKNOWND"),
}  # fmt: skip
_MEANT = {spelled: word for word, all_of in _SPELLED.items() for spelled in all_of}
# CMPP's receipts carry a node's error code in the place of a word: MK:0012, DB:0141
_NODE_ERROR = re.compile(r"[A-Z]{2}:\d{3,5}")

# SMPP 3.4, 5.2.28, message_state; 9 is of SMPP 5.0
SMPP_MESSAGE_STATE = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}
# SMPP 3.4, 5.1.3, command_status: nothing was taken, come slower (RMSGQFUL, RTHROTTLED)
SMPP_BUSY = frozenset({0x14, 0x58})
# this message would be refused again (RINVMSGLEN, RINVDSTADR, RINVNUMDESTS, RINVDSTTON, RINVDSTNPI,
# RINVDCS is 5.0's)
SMPP_PERMANENT = frozenset({0x01, 0x0B, 0x33, 0x50, 0x51, 0x104})
# no message would be taken here (RINVBNDSTS, RALYBND, RSYSERR, RINVSRCADR, RBINDFAIL, RINVPASWD,
# RINVSYSID, RINVSYSTYP)
SMPP_ROUTE = frozenset({0x04, 0x05, 0x08, 0x0A, 0x0D, 0x0E, 0x0F, 0x53})

# HTTP answers after which the same request would be refused again; other 4xx and 5xx pass by
HTTP_PERMANENT = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
# nothing was taken, come slower
HTTP_BUSY = frozenset({429})
# no message would be taken here: the password, the address of the service
HTTP_ROUTE = frozenset({401, 403, 404, 405, 410})

# a call-out (叫应). `answered` by a person is only a key pressed after the whole text was said;
# picking up is `playing`, and what ends without the key is a failed try. The word "answered" is not
# here: most services mean by it that somebody, or a machine, picked up
CALL: dict[str, Meaning] = {
    "accepted": Meaning("accepted"),
    "queued": Meaning("accepted"),
    "dialing": Meaning("accepted", zh="正在拨号"),
    "ringing": Meaning("accepted", zh="正在振铃"),
    "picked_up": Meaning("playing", zh="已接听"),
    "confirmed": Meaning("answered", zh="已按键确认"),
    # by the code that the text held, which the far end compared itself
    "confirmed_by_code": Meaning("answered", zh="已按确认码确认"),
    "confirmed_early": Meaning("failed", zh="未听完就按键"),  # the key came before the text's end
    "no_key": Meaning("failed", zh="未按键确认"),
    "wrong_code": Meaning("failed", zh="确认码不对"),
    "garbled": Meaning("failed", zh="按了键，但声音没有传全"),  # too many packets were lost
    "hung_up": Meaning("failed", zh="中途挂断"),
    "no_answer": Meaning("failed", zh="无人接听"),
    "busy": Meaning("failed", zh="占线"),
    "unreachable": Meaning("failed", zh="无法接通"),
    "failed": Meaning("failed", zh="呼叫失败"),
    "rejected": Meaning("failed", zh="拒接"),
    "voicemail": Meaning("failed", zh="转入语音信箱"),
    "invalid_number": Meaning("failed", True, "号码无效"),
    "expired": Meaning("failed", True, "逾时未接通"),
}

BY_CODE = frozenset({"confirmed_by_code"})

# how a SIP trunk ends a call that nobody picked up (RFC 3261, 21; 607, 608: RFC 8197, 8688); what is in
# neither table has failed and may be tried again
SIP_WORD: dict[int, str] = {
    **dict.fromkeys((486, 600), "busy"),
    **dict.fromkeys((408, 487), "no_answer"),
    **dict.fromkeys((480, 410), "unreachable"),
    **dict.fromkeys((603, 607, 608, 433), "rejected"),
    **dict.fromkeys((404, 484, 485, 604), "invalid_number"),
}
# the trunk would carry no call: what it asks of us (password, caller's number, codec), its own fault
SIP_ROUTE = frozenset({401, 402, 403, 405, 406, 407, 415, 420, 421, 488, 606})

# the county's broadcast platform: what its answers and state reports say, in our words. It takes a message
# (taken, unhandled, waiting), has it on the air, and is done, which says that equipment played and not
# that anybody listened; `done_silent` and `on_air_silent` are a platform that says so while none of the
# equipment that it tells of played
PLATFORM: dict[str, Meaning] = {
    "taken": Meaning("accepted", zh="平台已收"),
    "unhandled": Meaning("accepted", zh="平台已收，未处理"),
    "waiting": Meaning("accepted", zh="平台等待播发"),
    "on_air": Meaning("playing", zh="平台播发中"),
    "done": Meaning("played", zh="平台播发完毕"),
    "done_silent": Meaning("accepted", zh="平台称播毕，却无设备播出"),
    "on_air_silent": Meaning("accepted", zh="平台称播发中，却无设备在播"),
    "failed": Meaning("failed", zh="平台播发失败"),
    "cancelled": Meaning("failed", True, "平台取消了播发"),
    # as it was told to: who should have heard it has not been reached by that
    "withdrawn": Meaning("superseded", zh="平台已撤播"),
    # the simulated carrier of an exercise
    "playing": Meaning("playing"),
    "played": Meaning("played"),
}

# which channels sound in a village
ALOUD = frozenset({"broadcast", "broadcast_platform"})

# the release platform 12379: its acknowledgement of a file
RELEASE: dict[str, Meaning] = {
    "taken": Meaning("delivered", zh="平台已收"),
    "refused": Meaning("failed", True, "平台未收"),
}

# which states mean that the recipient was reached, by channel. An SMS, app message or mail counts
# when the carrier has it: many carriers never tell more. A loudspeaker counts only when it sounded,
# a call only when a person pressed the key.
FINAL: dict[str, frozenset[State]] = {
    "broadcast": frozenset({"played"}),
    # delivered: it withdrew a message as it was told to
    "broadcast_platform": frozenset({"played", "delivered"}),
    "sms": frozenset({"accepted", "delivered", "answered"}),
    "app": frozenset({"accepted", "delivered", "answered"}),
    "email": frozenset({"accepted", "delivered", "answered"}),
    "webhook": frozenset({"accepted", "delivered", "answered"}),
    "voice": frozenset({"answered"}),
    "cap": frozenset({"accepted", "delivered"}),
    "cap_push": frozenset({"accepted", "delivered", "answered"}),
    "release": frozenset({"accepted", "delivered"}),
    "console": frozenset({"delivered"}),
}

# whose later word takes back that it was reached, and from which states
TAKEN_BACK: dict[str, tuple[State, ...]] = {
    "sms": ("accepted",),
    "app": ("accepted",),
    "email": ("accepted",),
    "cap_push": ("accepted", "answered"),
    "broadcast_platform": ("played",),
    "release": ("accepted",),
}

# which words a channel's carriers may use in receipts
WORDS: dict[str, dict[str, Meaning]] = {
    "voice": CALL,
    "broadcast_platform": PLATFORM,
    "release": RELEASE,
}


def meaning_of(channel: str, status: str) -> Meaning | None:
    """None for a word that nobody knows here. A call's words have no other spellings: what a service
    means by them is in its row."""
    words = WORDS.get(channel, CARRIER)
    if status in words or words is not CARRIER:
        return words.get(status)
    if _NODE_ERROR.fullmatch(status.upper()):
        return CARRIER["UNDELIV"]
    letters = "".join(c for c in status.upper() if c.isalpha())
    return CARRIER.get(_MEANT.get(letters, letters))


class ProvenBy(NamedTuple):
    """by: the program that we did not write and that has received from this kind of carrier in our
    tests; empty: unproven."""

    channel: str
    kind: str
    by: Said


# one row for each way out: shown by `fengsui status`, the README and docs/channels.md. What stands
# under `by` is proved by tests/contracts/test_channel_contract.py and tests/dispatch/channels/test_smpp.py
PROOFS: tuple[ProvenBy, ...] = (
    ProvenBy("sms", "smpp", "SMPPServerSimulator (jSMPP 3.0.1), npm smpp 0.5.1"),
    ProvenBy("sms", "http", "Kannel 1.4.5 smsbox"),
    ProvenBy("sms", "apprise", ""),
    ProvenBy(
        "sms",
        "smsd",
        Text(
            "smstools 3.1.21（只到模拟的调制解调器）",
            "smstools 3.1.21 (as far as a simulated modem)",
        ),
    ),
    ProvenBy(
        "app",
        "apprise",
        Text(
            "Gotify 2.6（apprise 各服务中只此一家）", "Gotify 2.6 (of apprise's services this one)"
        ),
    ),
    ProvenBy("email", "smtp", "aiosmtpd 1.4"),
    ProvenBy("webhook", "webhook", "adnanh/webhook 2.8"),
    ProvenBy("voice", "http", ""),
    ProvenBy("voice", "sip", "baresip 1.0.0, SIPp 3.6.1, kamailio 5.6.3"),
    ProvenBy(
        "broadcast",
        "mqtt",
        Text(
            "mosquitto 2.0（只到 MQTT：没有别家的大喇叭）",
            "mosquitto 2.0 (MQTT only: no loudspeaker of another maker)",
        ),
    ),
    ProvenBy("broadcast_platform", "ebd", ""),
    ProvenBy("cap", "file", ""),
    ProvenBy("console", "file", ""),
)


def proof(channel: str, kind: str) -> Said:
    """The program that has received, or "" for unproven."""
    return next((p.by for p in PROOFS if (p.channel, p.kind) == (channel, kind)), "")
