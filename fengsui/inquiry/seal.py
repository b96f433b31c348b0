"""The manifest of a pack and its seal: what is in it, who made it, why and with what, signed by the key of the
ledger. Pure.

    signature = Ed25519(b"fengsui investigation\\0" + SHA-256(the manifest without `signature`))
    seal      = Ed25519(b"fengsui investigation\\0seal\\0" + SHA-256(every byte of the archive before it))

The manifest holds the digest of every file, so a folder that was unpacked can be verified too; the seal
ends the archive, as the comment of the zip, so that no byte of the archive itself can change.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.language import Text

FORMAT = 1
MANIFEST = "manifest.json"
_DOMAIN = b"fengsui investigation\0"
_encoder = msgspec.json.Encoder()


class PackWish(NamedTuple):
    """Who has a pack made and why; named: what personal data shall be in it (`PERSONAL`)."""

    by: str
    reason: str
    named: tuple[str, ...] = ()


class File(msgspec.Struct, frozen=True):
    """A file of the pack."""

    sha256: str
    size: int


class PackManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack is. named: what personal data is in it by whose wish (`by`, `reason`); nothing where
    none was named. records, chain_end: how many lines the chain has and the hash of its last. configs,
    rules: versions in force, as the records say; config: that of the folder that is in the pack.
    unentered: records that the ledger had not entered yet. kept_since: topic -> the oldest offset that
    the log still kept, a partition each."""

    format: int
    fengsui: str
    made_at: int
    by: str
    reason: str
    run: str
    kind: str
    district: str
    incident: str
    alerts: tuple[str, ...]
    begin_at: int
    end_at: int
    named: tuple[str, ...]
    records: int
    chain_end: str
    statements: int
    config: str
    configs: tuple[str, ...]
    rules: tuple[str, ...]
    unentered: int
    kept_since: dict[str, list[int]]
    files: dict[str, File]
    key: str = ""
    signature: str = ""


class _Seal(msgspec.Struct, frozen=True):
    fengsui: str
    key: str
    signature: str


_SEAL = "investigation pack 1"


def signed(bare: PackManifest, private: bytes) -> bytes:
    """The manifest with key and signature, as it is written."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    mine = msgspec.structs.replace(
        bare, key=key.public_key().public_bytes_raw().hex(), signature=""
    )
    whole = msgspec.structs.replace(mine, signature=key.sign(_message(mine)).hex())
    return _encoder.encode(whole)


def _message(bare: PackManifest) -> bytes:
    return _DOMAIN + hashlib.sha256(_encoder.encode(bare)).digest()


def opened(body: bytes, trusted: Collection[str]) -> tuple[PackManifest, Text | None]:
    """The manifest, and what is wrong with its signature. trusted: public keys in hex; empty: any. Raises
    ValueError: it cannot be read."""
    try:
        found = msgspec.json.decode(body, type=PackManifest)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as e:
        raise ValueError(Text("读不懂：内容被改", "cannot be read: bytes were changed")) from e
    if found.format != FORMAT:
        raise ValueError(
            Text(
                f"格式 {found.format}：这一版只认 {FORMAT}，请用做它的那一版核对",
                f"has format {found.format}, this build knows {FORMAT}: verify it with the build that made it",
            )
        )
    if _encoder.encode(found) != body or not _fits(
        found.key, found.signature, _message(msgspec.structs.replace(found, signature=""))
    ):
        return found, Text("被改：签名不符", "was changed: its signature does not fit")
    return found, untrusted(found.key, trusted)


def untrusted(key: str, trusted: Collection[str]) -> Text | None:
    """Words where keys were named and this is none of them."""
    if not trusted or key in trusted:
        return None
    return Text(
        f"由另一把钥匙签名：{key}，不是所信的",
        f"is signed with another key: {key}, none of those that are trusted",
    )


def _fits(key: str, signature: str, message: bytes) -> bool:
    try:
        held = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        held.verify(bytes.fromhex(signature), message)
    except (ValueError, InvalidSignature):
        return False
    return signature == signature.lower() and key == key.lower()


def _hashed(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return _DOMAIN + b"seal\0" + digest.digest()


def seal(parts: Iterable[bytes], private: bytes) -> bytes:
    """What ends an archive. parts: all its bytes before; as long as `SEAL_BYTES` whatever they are."""
    key = Ed25519PrivateKey.from_private_bytes(private)
    public = key.public_key().public_bytes_raw().hex()
    return _encoder.encode(_Seal(_SEAL, public, key.sign(_hashed(parts)).hex()))


SEAL_BYTES = len(_encoder.encode(_Seal(_SEAL, "0" * 64, "0" * 128)))


def unsealed(end: bytes, parts: Iterable[bytes], trusted: Collection[str]) -> Text | None:
    """What is wrong with the seal `end` of an archive; None: nothing. parts: its bytes before."""
    try:
        found = msgspec.json.decode(end, type=_Seal)
    except (msgspec.MsgspecError, UnicodeError):
        return Text(
            "结尾不是封签：封签被去掉，或档案被截短、加长",
            "it does not end with a seal: the seal was taken off, or the archive was cut off or added to",
        )
    if _encoder.encode(found) != end or found.fengsui != _SEAL:
        return Text("封签被改", "the seal was changed")
    if not _fits(found.key, found.signature, _hashed(parts)):
        return Text(
            "封签与档案不符：有字节被改", "the seal does not fit the archive: bytes were changed"
        )
    return untrusted(found.key, trusted)


def groups(key: str) -> str:
    """A public key as it is read out over the telephone: groups of eight."""
    return " ".join(key[i : i + 8] for i in range(0, len(key), 8))
