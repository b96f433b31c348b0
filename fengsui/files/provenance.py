"""Where a wheel comes from: an in-toto statement of SLSA's provenance (v1) over its digest, in a DSSE envelope
signed with Ed25519, and the check of a file against it. Pure.

Source: in-toto attestation framework (Statement v1, DSSE v1.0), SLSA v1.0 provenance. Whoever has none of ours
checks it with another program: docs/operations.md.
"""

import hashlib
from base64 import b64decode, b64encode
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from config.language import Text

TYPE = "application/vnd.in-toto+json"
STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:fengsui:build:make-wheel:v1"

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)  # whatever somebody made it of


class Subject(msgspec.Struct):
    name: str
    digest: dict[str, str]


class ProvenanceStatement(msgspec.Struct):
    """As in-toto has it; of the predicate what is read here."""

    type_: str = msgspec.field(name="_type")
    subject: list[Subject]
    predicateType: str  # noqa: N815  # in-toto's
    predicate: dict[str, Any]


class Signature(msgspec.Struct):
    keyid: str
    sig: str


class Envelope(msgspec.Struct):
    """DSSE."""

    payloadType: str  # noqa: N815  # DSSE's
    payload: str
    signatures: list[Signature]


class Wrong(ValueError):
    """It does not fit; the message says what."""


def spoken_for(kind: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding, PAE."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key as SubjectPublicKeyInfo, DER."""
    body = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(body).hexdigest()


def sealed(statement: ProvenanceStatement, key: Ed25519PrivateKey) -> bytes:
    """The envelope, as JSON."""
    payload = msgspec.json.encode(statement)
    sig = b64encode(key.sign(spoken_for(TYPE, payload))).decode()
    found = Envelope(TYPE, b64encode(payload).decode(), [Signature(key_id(key.public_key()), sig)])
    return msgspec.json.encode(found) + b"\n"


def opened(body: bytes, pem: bytes) -> ProvenanceStatement:
    """The statement that the holder of this key has signed. Raises Wrong."""
    try:
        envelope = msgspec.json.decode(body, type=Envelope)
        payload = b64decode(envelope.payload, validate=True)
        key = load_pem_public_key(pem)
    except (*_UNREADABLE, UnsupportedAlgorithm) as e:
        raise Wrong(
            Text("看不懂来源说明或公钥", "the provenance or the public key cannot be read")
        ) from e
    if not isinstance(key, Ed25519PublicKey):
        raise Wrong(Text("公钥不是 Ed25519", "the public key is not Ed25519"))
    if not any(_signed(key, envelope, payload, s) for s in envelope.signatures):
        raise Wrong(Text("来源说明不是这把钥匙签的", "this key has not signed the provenance"))
    try:
        statement = msgspec.json.decode(payload, type=ProvenanceStatement)
    except _UNREADABLE as e:
        raise Wrong(Text("签的不是来源说明", "what was signed is no provenance")) from e
    if (statement.type_, statement.predicateType) != (STATEMENT, PREDICATE):
        raise Wrong(Text("签的不是来源说明", "what was signed is no provenance"))
    return statement


def _signed(key: Ed25519PublicKey, envelope: Envelope, payload: bytes, one: Signature) -> bool:
    if envelope.payloadType != TYPE:
        return False
    try:
        key.verify(b64decode(one.sig, validate=True), spoken_for(TYPE, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def commit_of(statement: ProvenanceStatement) -> str:
    """Of which it was built; "?" where the statement names none."""
    found: Any = statement.predicate
    for name in ("buildDefinition", "externalParameters", "commit"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else "?"


def check(statement: ProvenanceStatement, name: str, body: bytes) -> None:
    """Raises Wrong: the file is not the one that was built."""
    digest = hashlib.sha256(body).hexdigest()
    named = {s.name: s.digest.get("sha256", "") for s in statement.subject}
    if name not in named:
        there = ", ".join(sorted(named))
        raise Wrong(Text(f"来源说明里没有 {name}，有：{there}", f"it names no {name}, but {there}"))
    if named[name] != digest:
        raise Wrong(
            Text(
                f"{name} 被改过：SHA-256 是 {digest}，签的是 {named[name]}。不要安装",
                f"{name} was changed: its SHA-256 is {digest}, {named[name]} was signed. Do not install it",
            )
        )
