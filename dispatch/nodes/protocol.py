"""What travels between send and a village loudspeaker (and back from a carrier): signed messages,
acknowledgements, carriers' receipts. Pure; the loudspeakers use this very file. docs/nodes.md says
the same to a maker of terminals.

A signed message is JSON, `{"what": WHAT, "body": {…}, "signature": HEX}`. The signature (Ed25519)
covers the bytes of `body` exactly as they stand, after a prefix that names WHAT and the kind of
run: nothing signed for one purpose is ever taken for another, and what an exercise signed is never
live, whoever holds which key. Fields are written in the order declared here without spaces, so
equal messages are equal bytes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.records.level import Action, Level
from dispatch.nodes.signing import signer
from stream.limits import LAST_AT, Unreadable, read_json

_MOST = 2**53
MAX_BYTES = 16_384  # a node refuses anything longer before it parses it

Kind = Literal["live", "exercise"]
Refusal = Literal[
    "bad_payload",
    "bad_signature",
    "wrong_node",
    "wrong_kind",
    "no_time",
    "expired",
    "seen",
    "older_version",
    "older",
    "said_more",
]


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Say this, so often, so loud. `id` is the idempotency key of the attempt. `also`: other warnings
    that the text tells too; what still waits or sounds of them is not said any more."""

    id: str
    node: str
    alert: str
    version: int
    area: str
    level: Level
    action: Action
    msg_type: Literal["alert", "update", "cancel"]
    kind: Kind
    text: str
    repeat: int
    volume: int  # per cent
    issued_at: int
    expires_at: int
    also: tuple[str, ...] = ()


class Beacon(msgspec.Struct, frozen=True, kw_only=True):
    """What time it is. `nonce` repeats the node's hello: such a beacon cannot be an old one."""

    kind: Kind
    beacon_at: int
    nonce: str = ""


class TrustedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's key: 32 bytes in hex, and until when it counts (None: until a newer set)."""

    public: str
    until_at: int | None = None


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """Whose commands count, signed by the root key. A key that is not in the newest set is revoked.
    `root`: the public root key from this set on, where it changes."""

    kind: Kind
    version: int
    issued_at: int
    keys: tuple[TrustedKey, ...]
    root: str = ""


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold of a mandate: `quantity` summed over `window_min` (0: its newest value) is at
    least `count` (of the quantity's resolution: 0.1 mm of rain, 1 mm of stage)."""

    quantity: str
    window_min: int
    count: int
    action: Action


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """May sound by itself: when nothing was heard from the centre for `after_s`, its own gauge meets
    a clause, and not more than `plays` times, `gap_s` apart unless the order is a higher one. A
    mandate with a later `issued_at` takes the place of the one before; without clauses it ends it.
    """

    node: str
    kind: Kind
    area: str
    hazard: str
    issued_at: int
    valid_from_at: int
    valid_until_at: int
    after_s: int
    plays: int
    gap_s: int
    repeat: int
    volume: int
    clauses: tuple[Clause, ...]
    prepare_text: str
    move_text: str


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """Test yourself now: a short quiet tone."""

    id: str
    node: str
    kind: Kind
    issued_at: int
    expires_at: int


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """The centre has these reports (`act/state`): they need not come again."""

    node: str
    kind: Kind
    acts: tuple[str, ...]


class NodeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a node did alone, signed with its own key: on `P/node/{node}/report`, again until it is
    noted. `count` of `quantity` over `window_min` met the mandate issued at `mandate_at`."""

    node: str
    kind: Kind
    act: str
    state: Literal["playing", "played", "failed"]
    mandate_at: int
    area: str
    hazard: str
    action: Action
    text: str
    quantity: str
    window_min: int
    count: int
    lost_at: int  # when the centre was last heard
    began_at: int
    detail: str = ""
    detail_en: str = ""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope."""

    what: str
    body: msgspec.Raw
    signature: str


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """A node that has (again) a connection: on `P/node/{node}/hello`. The answer brings the time,
    and the key set and the mandate if its own are older."""

    node: str
    keys: int  # version of its key set
    mandate_at: int = 0  # issued_at of its mandate, 0: none
    nonce: str = ""


class NodeAck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node's word on a command: on `P/node/{node}/ack`.

    state: `accepted` verified and queued; `playing` the loudspeaker sounds; `played` current or
    microphone showed that it did; `failed` it could not; `refused` with the reason in `detail`, a
    `Refusal`, which the county words. Else `detail` is for people, in Chinese, and `detail_en` the same
    in English; a box that has only the first is shown so in both languages.
    A node that sees a command again (`seen`) repeats the last state it sent for it.
    """

    node: str
    id: str
    state: Literal["accepted", "playing", "played", "failed", "refused"]
    at: int  # the node's clock, epoch ms
    battery: float | None = None  # %
    detail: str = ""
    detail_en: str = ""


class CarrierReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A carrier's later word on an SMS or app message: on `P/receipt/{channel}`.

    `key` is the idempotency key that came with the message; `status` the carrier's own word
    (`dispatch.channels.status_words` lists those that are known). It carries no telephone number.
    """

    key: str
    status: str
    at: int
    detail: str = ""
    code: str = ""  # of an answer: the figures that the person gave


Message = Command | Beacon | KeySet | Mandate | SelfTest | Noted | NodeReport
_WHAT: dict[type[Any], str] = {
    Command: "command",
    Beacon: "beacon",
    KeySet: "keys",
    Mandate: "mandate",
    SelfTest: "self_test",
    Noted: "noted",
    NodeReport: "report",
}
M = TypeVar("M", bound=Message)


class Refused(NamedTuple):
    """Why a message is not obeyed, and the message where it could be read."""

    reason: Refusal
    message: Message | None = None


_encoder = msgspec.json.Encoder()
_signed = msgspec.json.Decoder(Envelope)


def sign(private_key: bytes, message: Message) -> bytes:
    """The message in its envelope. The key is 32 raw bytes."""
    body, what = _encoder.encode(message), _WHAT[type(message)]
    signature = signer(private_key).sign(_prefix(what, message.kind) + body)
    return _encoder.encode(Envelope(what=what, body=msgspec.Raw(body), signature=signature.hex()))


def what_of(payload: bytes) -> str:
    """What an envelope says that it holds, "" if it is none. Nothing is verified."""
    try:
        return read_json(payload, _signed, MAX_BYTES).what
    except Unreadable:
        return ""


def opened(payload: bytes, form: type[M], kind: Kind, keys: Sequence[bytes]) -> M | Refused:
    """The message if one of `keys` (32 raw bytes each) signed it for runs of this kind; else why
    not. The signature is checked before anything else is believed."""
    try:
        signed = read_json(payload, _signed, MAX_BYTES)
        signature = bytes.fromhex(signed.signature)
    except (Unreadable, ValueError):
        return Refused("bad_payload")
    if signed.what != _WHAT[form]:
        return Refused("bad_payload")
    body = bytes(signed.body)
    other: Kind = "exercise" if kind == "live" else "live"
    for told in (kind, other):
        if any(_verified(key, signature, _prefix(signed.what, told) + body) for key in keys):
            try:
                message = msgspec.json.decode(body, type=form)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return Refused("bad_payload")
            if not _sane(message):
                return Refused("bad_payload")
            if told == message.kind == kind:
                return message
            return Refused("wrong_kind", message)
    return Refused("bad_signature")


def _sane(message: Message) -> bool:
    """Numbers that a node can keep, moments that a calendar has. What a node reports of itself counts
    whatever its clock says."""
    if isinstance(message, NodeReport):
        return True
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if type(value) is int and not -_MOST <= value <= _MOST:
            return False
        if name.endswith("_at") and value is not None and not 0 <= value <= LAST_AT:
            return False
    return True


def _prefix(what: str, kind: Kind) -> bytes:
    return f"fengsui {what} 1 {kind}\n".encode()


def _verified(public: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def judged(
    command: Command,
    node: str,
    now_at: int,
    seen: Collection[str],
    highest_version: Mapping[str, int],
) -> Refusal | None:
    """Why this node should not obey a verified command now, None if it should.

    seen: ids of commands obeyed before. highest_version: alert id -> the highest version obeyed.
    """
    if command.node != node:
        return "wrong_node"
    if command.id in seen:  # before expiry: its state is told again, nothing is played
        return "seen"
    if now_at >= command.expires_at:
        return "expired"
    if command.version < highest_version.get(command.alert, 0):
        return "older_version"
    return None
