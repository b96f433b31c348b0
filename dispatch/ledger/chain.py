"""The ledger: every decision and every delivery state, chained by hashes, with signed heads. Pure.

Two chains, each a partition of the topic `ledger`: `alerts` (decisions, warnings, reports) and
`deliveries` (deliveries and what became of them). An entry keeps the SHA-256 of the record as it
stands in the log, and of its fields only those that are ids, levels, states and times: no words, no
name, no number of a person. A decision keeps its proof, by which its signature can be verified here
(dispatch/signatures/proof.py): the words that were signed stand in it as a digest.

    hash      = SHA-256(the entry as it is written, without `hash`)
    previous  = the hash of the entry before it, "" at first
    signature = Ed25519(b"fengsui ledger\\0" + SHA-256(the entry without `signature` and `hash`))

The signature stands in entries of kind `head`, which sign all that is before them. An entry has one
way to be written; any other bytes are not an entry.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.language import Text
from dispatch.nodes.signing import public_half, signer
from stream.records import Record, decode

CHAINS = ("alerts", "deliveries")  # in the order of the topic's partitions
_DOMAIN = b"fengsui ledger\0"
_IDS = {
    "run": "name kind district config start_at",
    "decision": "area hazard act by decided_at alert version level action order approver incident "
    "task supply count outcome proof unproven hash",
    "alert": "id version area hazard status msg_type level action public state incident sent_at by",
    "report": "incident number kind reported_at by",
    "delivery": "id alert version area hazard level action msg_type status recipient audience "
    "queued_at again asked_by reply",
    "receipt": "delivery route state receipt_at attempt permanent",
    "answer": "neighbour accepted answered_at",
    "person_says": "id person role area what people said_at way photo",
    "judged_answer": "id person area alert delivery way what strength verdict answered_at wrong",
    "service": "id thing by said_at until_at way",
    "record_end": "n hash noted_at",
    "custody": "act incident by said_at until_at named sha256",
}
_PASSED = ("tick", "mark", "route_health")  # neither a decision nor the state of a delivery
# the record's `type` as it is written -> the same in words, and the fields that are kept
_KINDS = {b'"%s"' % k.encode(): (k, frozenset(v.split())) for k, v in _IDS.items()} | {
    b'"%s"' % k.encode(): (k, frozenset[str]()) for k in _PASSED
}


class _Way(msgspec.Struct):
    channel: str


_raw = msgspec.json.Decoder(dict[str, msgspec.Raw])
_routes = msgspec.json.Decoder(list[_Way])
_encoder = msgspec.json.Encoder()


class Entered(Record, frozen=True, kw_only=True, tag="entered"):
    """One entry of a chain. of: the record's `type`; `head` for a signed one, `unreadable` for what
    no stage can read. what: the fields that are kept. digest: SHA-256 of the record, in hex."""

    chain: str
    n: int  # from 1
    of: str
    digest: str = ""
    what: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)
    previous: str = ""
    key: str = ""  # of a head: the public key, in hex
    signature: str = ""
    hash: str = ""


class Tail(NamedTuple):
    """Where a chain ends."""

    chain: str
    n: int = 0
    hash: str = ""


_decoder = msgspec.json.Decoder(Entered)


def entry_of(value: bytes) -> Entered:
    """Raises msgspec.MsgspecError."""
    return _decoder.decode(value)


def enters(value: bytes) -> bool:
    """Does a record of the log get an entry?"""
    found = decode(_fields, value)
    return found is None or found[0] not in _PASSED


def entered(tail: Tail, value: bytes) -> tuple[bytes, Tail] | None:
    """The entry after `tail` for a record of the log, as it is written, and the tail with it; None
    for what is not entered."""
    of, what = "unreadable", dict[str, msgspec.Raw]()
    found = decode(_fields, value)
    if found is not None:
        of, what = found
        if of in _PASSED:
            return None
    return _written(
        Entered(
            chain=tail.chain,
            n=tail.n + 1,
            of=of,
            digest=hashlib.sha256(value).hexdigest(),
            what=what,
            previous=tail.hash,
        )
    )


def _fields(value: bytes) -> tuple[str, dict[str, msgspec.Raw]]:
    """What of a record is kept, as it stands in it. Raises whatever its bytes make it raise."""
    value.decode()
    fields = _raw.decode(value)
    of, kept = _KINDS[bytes(fields["type"])]
    what = {k: v for k, v in fields.items() if k in kept}
    if of == "delivery":
        ways = [r.channel for r in _routes.decode(fields["routes"])]
        what["channels"] = msgspec.Raw(_encoder.encode(ways))
    return of, what


def _written(bare: Entered) -> tuple[bytes, Tail]:
    """An entry without its hash, as it is written with it: `hash` is the last field."""
    body = _encoder.encode(bare)
    found = hashlib.sha256(body).hexdigest()
    return body[:-1] + b',"hash":"' + found.encode() + b'"}', Tail(bare.chain, bare.n, found)


def head(tail: Tail, private: bytes, at: int) -> tuple[bytes, Tail]:
    """A signed entry after `tail`, as `entered`. private: 32 bytes. at: the wall clock, ms."""
    entry = Entered(
        chain=tail.chain,
        n=tail.n + 1,
        of="head",
        what={"signed_at": msgspec.Raw(b"%d" % at)},
        previous=tail.hash,
        key=public_half(private).hex(),
    )
    signature = signer(private).sign(_message(entry)).hex()
    return _written(msgspec.structs.replace(entry, signature=signature))


def _message(bare: Entered) -> bytes:
    return _DOMAIN + hashlib.sha256(_encoder.encode(bare)).digest()


def after(entry: Entered) -> Tail:
    """The tail that ends with it."""
    return Tail(entry.chain, entry.n, entry.hash)


class Fault(NamedTuple):
    """What is wrong, and where: the entry's place in its chain, counted from 1."""

    chain: str
    n: int
    words: Text

    @property
    def text(self) -> Text:
        """The place and what is wrong."""
        return Text(f"{self.chain} 第 {self.n} 条：", f"{self.chain} entry {self.n}: ") + self.words

    def __str__(self) -> str:
        return str(self.text)


class Checked(NamedTuple):
    """What was found in one chain."""

    tail: Tail
    signed: int  # the last entry that a trusted key signed
    signed_at: int
    keys: dict[str, int]  # public key in hex -> heads
    fault: Fault | None


def check(
    chain: str,
    values: Iterable[bytes],
    trusted: Collection[str],
    see: Callable[[Entered], None] = lambda _: None,
) -> Checked:
    """Verify a chain from its first entry; it ends at the first fault, for behind it nothing is
    known. trusted: public keys in hex; empty: any, they are in `keys`."""
    tail, signed, signed_at = Tail(chain), 0, 0
    keys: dict[str, int] = {}
    fault: Fault | None = None
    for value in values:
        words, entry = _wrong(tail, value, trusted)
        if words is not None:
            fault = Fault(chain, tail.n + 1, words)
            break
        assert entry is not None
        see(entry)
        tail = after(entry)
        if entry.of == "head":
            keys[entry.key] = keys.get(entry.key, 0) + 1
            signed, signed_at = entry.n, msgspec.json.decode(entry.what["signed_at"], type=int)
    return Checked(tail, signed, signed_at, keys, fault)


def _wrong(
    tail: Tail, value: bytes, trusted: Collection[str]
) -> tuple[Text | None, Entered | None]:
    """Words if `value` is not the entry that follows `tail`."""
    try:
        entry = entry_of(value)
        same = _encoder.encode(entry) == value
        fits = _written(msgspec.structs.replace(entry, hash=""))[1].hash == entry.hash
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return Text("不是台账条目：内容被改", "is not an entry: bytes were changed"), None
    if not (same and fits):
        return Text("内容被改：哈希不符", "was changed: its hash does not fit its bytes"), entry
    if entry.chain != tail.chain or entry.n != tail.n + 1 or entry.previous != tail.hash:
        found = f"{entry.chain} {entry.n}"
        return (
            Text(
                f"此处应有上一条的后续，却是 {found}",
                f"entries were removed, put in or moved: found {found}",
            ),
            entry,
        )
    if (entry.of == "head") != bool(entry.signature):
        return Text("签名放错", "a signature where none belongs, or none where one does"), entry
    return (_wrong_head(entry, trusted) if entry.of == "head" else None), entry


def _wrong_head(entry: Entered, trusted: Collection[str]) -> Text | None:
    if trusted and entry.key not in trusted:
        who = Text("签名者不可信：", "is signed by a key that is not trusted: ")
        return who + entry.key
    bare = msgspec.structs.replace(entry, signature="", hash="")
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(entry.key))
        key.verify(bytes.fromhex(entry.signature), _message(bare))
        msgspec.json.decode(entry.what["signed_at"], type=int)
    except (ValueError, InvalidSignature, KeyError, msgspec.MsgspecError):
        return Text("签名不符", "the signature of this head is wrong")
    return None


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What an export says of itself: where each chain ended when it was made."""

    run: str
    sealed_at: int
    ends: dict[str, tuple[int, str]]  # chain -> n, hash
    key: str
    signature: str = ""


def seal(run: str, at: int, tails: Iterable[Tail], private: bytes) -> bytes:
    """The signed seal of an export, as it is written."""
    public = public_half(private).hex()
    ends = {t.chain: (t.n, t.hash) for t in tails}
    bare = Seal(run=run, sealed_at=at, ends=ends, key=public)
    return _encoder.encode(
        msgspec.structs.replace(bare, signature=signer(private).sign(_sealed(bare)).hex())
    )


def _sealed(bare: Seal) -> bytes:
    return _DOMAIN + b"seal\0" + hashlib.sha256(_encoder.encode(bare)).digest()


def unsealed(value: bytes, trusted: Collection[str]) -> Seal:
    """Raises ValueError with what is wrong."""
    try:
        found = msgspec.json.decode(value, type=Seal)
        bare = msgspec.structs.replace(found, signature="")
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(found.key))
        key.verify(bytes.fromhex(found.signature), _sealed(bare))
        if _encoder.encode(found) != value or found.signature != found.signature.lower():
            raise ValueError("written otherwise")
    except (ValueError, InvalidSignature) as e:
        raise ValueError(Text("封签不符", "the seal was changed, or is none")) from e
    if trusted and found.key not in trusted:
        who = Text("签名者不可信：", "the seal is by a key that is not trusted: ")
        raise ValueError(who + found.key)
    return found


def lines(body: Iterable[bytes]) -> Iterator[bytes]:
    """The entries of a file opened in binary; one that does not end its line is given with a mark
    that no entry has, so that it does not pass."""
    for line in body:
        yield line[:-1] if line.endswith(b"\n") else line + b"\0"
