"""Who wrote what a subscriber chose: a signature of whoever holds the contact store. Pure.

Whoever can write to the topic `cases` can write a subscriber's id there, and with it whom a warning reaches.
So a `Subscriber` carries an Ed25519 signature over all that it says and over the district. The key lies in the
contact store of the run, wrapped as the row keys are: the desk for residents, the duty room and
`fengsui contacts erase` hold it, and no other run's store has the same.

    signature = Ed25519(b"fengsui subscriber\\0" + SHA-256(canonical JSON of [district, the record]))

canonical JSON: sorted keys, defaults omitted, without the signature. A record without a signature, as all were
before there were any, changes nothing: what it said was put into the store before it, and address reads the
store when it begins.

What was signed once must not count twice: a record older than the newest of the same id is refused, and one
older than `STALE_MS` too, so that no more than that need be remembered.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.language import Text
from ingest.people.subscriber import Subscriber
from stream.records import DeadLetter

STALE_MS = 7 * 86_400_000
REASON = "unproven_subscriber"
Wrong = Literal["unsigned", "wrong_signature", "stale", "older"]
_DOMAIN = b"fengsui subscriber\0"
_encoder = msgspec.json.Encoder(order="sorted")


def _statement(choice: Subscriber, district: str) -> bytes:
    """The bytes to sign."""
    body = _encoder.encode((district, msgspec.structs.replace(choice, signature="")))
    return _DOMAIN + hashlib.sha256(body).digest()


def public_of(private: bytes) -> str:
    """The public key, hex. private: 32 raw bytes."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex()


def signed(choice: Subscriber, private: bytes, district: str) -> Subscriber:
    """The record with its signature. private: 32 raw bytes."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    return msgspec.structs.replace(choice, signature=key.sign(_statement(choice, district)).hex())


def verified(choice: Subscriber, public: str, district: str) -> bool:
    """Does the signature of this key (hex; "": of nobody's) fit what is said?"""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(choice.signature), _statement(choice, district))
    except (ValueError, InvalidSignature):
        return False
    return True


def wrong(
    choice: Subscriber, public: str, district: str, newest: Mapping[str, int], clock: int
) -> Wrong | None:
    """What is wrong with this record; None: it counts. newest: id -> when its newest was said; clock: of the
    line; both epoch ms."""
    if not choice.signature:
        return "unsigned"
    if not verified(choice, public, district):
        return "wrong_signature"
    if choice.said_at < clock - STALE_MS:
        return "stale"
    return "older" if choice.said_at < newest.get(choice.id, 0) else None


def remembered(newest: Mapping[str, int], clock: int) -> dict[str, int]:
    """The same without what is too old to come again."""
    return {name: at for name, at in newest.items() if at >= clock - STALE_MS}


def dead_letter(choice: Subscriber, why: Wrong, source: str, at: int) -> DeadLetter:
    """What is kept of a record that changes nothing. source: topic, partition and offset. at: epoch ms."""
    return DeadLetter.of(at, source, REASON, f"{choice.id}: " + WORDS[why], choice)


_AGAIN = Text(
    "没有照办；联系人库里的选择不变，address 重启时读的是它",
    "nothing was done; the choices in the contact store stand, and address reads them at its start",
)
_WHO = Text(
    "查谁能写 cases；刚升级过，就把 residents、send、值班台也换成新版。",
    "look who may write cases; after an upgrade bring residents, send and the console to the same version. ",
)
WORDS: dict[Wrong, Text] = {
    "unsigned": Text("订阅记录没有签名。", "a subscriber's record without signature: ")
    + _WHO
    + _AGAIN,
    "wrong_signature": Text(
        "订阅记录的签名与内容、联系人库或区县不符。",
        "the signature does not fit what the record says, or is of another store or district: ",
    )
    + _WHO
    + _AGAIN,
    "stale": Text("七天以前的订阅记录：", "a subscriber's record older than seven days: ") + _AGAIN,
    "older": Text(
        "此人后来另有选择，这一条是旧的：",
        "this person chose anew since, the record is an old one: ",
    )
    + _AGAIN,
}
