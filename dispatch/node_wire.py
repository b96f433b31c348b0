"""What travels between send and a village loudspeaker (and back from a carrier): signed commands,
acknowledgements, carriers' receipts. Pure; the node simulators use this very file.

A command is JSON, `{"command": {…}, "signature": "…"}`. The signature (Ed25519, hex) covers the
bytes of `command` exactly as they stand, after a fixed prefix, so that nothing signed with the
same key for another purpose is ever a command. The command's fields are written in the order
declared here without spaces, so equal commands are equal bytes.
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.level import Action, Level

_PREFIX = b"fengsui command 1\n"
MAX_BYTES = 16_384  # a node refuses anything longer before it parses it

Kind = Literal["live", "exercise"]
Refusal = Literal[
    "bad_payload",
    "bad_signature",
    "wrong_node",
    "wrong_kind",
    "expired",
    "seen",
    "older_version",
]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Say this, so often, so loud. `id` is the idempotency key of the attempt."""

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


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope."""

    command: msgspec.Raw
    signature: str


class NodeAck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node's word on a command: on `P/node/{node}/ack`.

    state: `accepted` verified and queued; `playing` the loudspeaker sounds; `played` current or
    microphone showed that it did; `failed` it could not; `refused` with the reason in `detail`.
    A node that sees a command again (`seen`) repeats the last state it sent for it.
    """

    node: str
    id: str
    state: Literal["accepted", "playing", "played", "failed", "refused"]
    at: int  # the node's clock, epoch ms
    battery: float | None = None  # %
    detail: str = ""


class CarrierReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A carrier's later word on an SMS or app message: on `P/receipt/{channel}`.

    `key` is the idempotency key that came with the message; `status` the carrier's own word
    (`dispatch.channels.table` lists those that are known). It carries no telephone number.
    """

    key: str
    status: str
    at: int
    detail: str = ""


class Refused(NamedTuple):
    """Why a command is not obeyed, and the command where it could be read."""

    reason: Refusal
    command: Command | None = None


_encoder = msgspec.json.Encoder()
_signed = msgspec.json.Decoder(Signed)
_command = msgspec.json.Decoder(Command)


def sign(private_key: bytes, command: Command) -> bytes:
    """The payload of `P/node/{node}/command`. The key is 32 raw bytes."""
    body = _encoder.encode(command)
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(_PREFIX + body)
    return _encoder.encode(Signed(command=msgspec.Raw(body), signature=signature.hex()))


def verify(
    public_key: bytes,
    payload: bytes,
    *,
    node: str,
    kind: Kind,
    now_at: int,
    seen: Collection[str],
    highest_version: Mapping[str, int],
) -> Command | Refused:
    """The command, if this node should obey it now; else why not.

    public_key: 32 raw bytes. seen: ids of commands obeyed before. highest_version: alert id -> the
    highest version obeyed. The signature is checked before anything else is believed.
    """
    if len(payload) > MAX_BYTES:
        return Refused("bad_payload")
    try:
        signed = _signed.decode(payload)
        signature = bytes.fromhex(signed.signature)
    except (msgspec.MsgspecError, ValueError):
        return Refused("bad_payload")
    body = bytes(signed.command)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _PREFIX + body)
    except InvalidSignature:
        return Refused("bad_signature")
    try:
        command = _command.decode(body)
    except msgspec.MsgspecError:
        return Refused("bad_payload")
    return _judged(command, node, kind, now_at, seen, highest_version)


def _judged(
    command: Command,
    node: str,
    kind: Kind,
    now_at: int,
    seen: Collection[str],
    highest_version: Mapping[str, int],
) -> Command | Refused:
    if command.node != node:
        return Refused("wrong_node", command)
    if command.kind != kind:
        return Refused("wrong_kind", command)
    if command.id in seen:  # before expiry: its state is told again, nothing is played
        return Refused("seen", command)
    if now_at >= command.expires_at:
        return Refused("expired", command)
    if command.version < highest_version.get(command.alert, 0):
        return Refused("older_version", command)
    return command
