"""The proof of who made a decision: its signature, whose keys count, and what is wrong with it. Pure.

Whoever can write to the topic `cases` can write a person's name there. So a person's act carries an
Ed25519 signature over everything that it says, over the run and the district that it is for, and over
`order`, which is random: an exercise's decision is never live, and none counts twice. Two kinds of
keys sign. A *desk* (the console; the command line of an exercise) signs for whoever it let in by name
and password; an *officer's* own key signs for that officer alone.

    signature = Ed25519(b"fengsui decision\\0" + SHA-256(the statement as canonical JSON))

canonical JSON: sorted keys, defaults omitted, of `Statement`. Whose keys count stands in a file of
the run (dispatch/signatures/signers.py), in eras. An era holds from an offset of `cases` on, so a
rebuild of decide's memory judges each record as it was judged when it came: what stands before the
first era was taken before there were proofs, and stays as it is.
"""

import hashlib

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.language import Text
from dispatch.nodes.signing import public_half, signer
from dispatch.records import Decision, Proof, Unproven
from dispatch.signatures.asked import asked
from stream.records import DeadLetter

STALE_MS = 7 * 86_400_000  # so old an act is carried out no more, and so long it is remembered
_DOMAIN = b"fengsui decision\0"
_encoder = msgspec.json.Encoder(order="sorted")


class Signer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key that signs decisions. officer: whose own it is; "": a desk's, which signs for any.
    One that was revoked stays here, with the place in `cases` from which on it counts no more: so what
    it had signed and was handled stays right, and what waits of it is refused, whatever any clock says."""

    key: str
    officer: str = ""
    name: str = ""  # of a desk
    until: int | None = None  # offset
    until_at: int | None = None  # when that was, for people

    def counts(self, offset: int) -> bool:
        return self.until is None or offset < self.until


class Era(msgspec.Struct, frozen=True, kw_only=True):
    """From offset `since` of `cases` on, what is said must be signed for `run` by one of `signers`."""

    since: int
    run: str
    signers: tuple[Signer, ...] = ()


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signatures count, era by era. Before the first one nothing was signed."""

    district: str
    eras: tuple[Era, ...]

    def at(self, offset: int) -> Era | None:
        return next((e for e in reversed(self.eras) if e.since <= offset), None)

    @property
    def now(self) -> Era:
        return self.eras[-1]


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is signed. A field that is added later has a default, so that old signatures stay right."""

    run: str
    district: str
    key: str
    order: str
    act: str
    by: str
    decided_at: int
    words: str
    area: str = ""
    hazard: str = ""
    alert: str = ""
    version: int = 0
    level: int = 0
    action: int = 0
    approver: str = ""
    incident: str = ""
    task: str = ""
    happened_at: int = 0
    supply: str = ""
    count: int = 0


def _statement(d: Decision, proof: Proof, run: str, district: str) -> bytes:
    """The bytes to sign. What was asked is taken from the proof, the rest from the decision."""
    said = Statement(
        run=run, district=district, key=proof.key, order=d.order, act=proof.asked_act, by=d.by,
        decided_at=d.decided_at, words=proof.words, area=d.area, hazard=d.hazard,
        alert=proof.asked_alert, version=proof.asked_version, level=int(d.level),
        action=int(d.action), approver=d.approver, incident=proof.asked_incident, task=d.task,
        happened_at=d.happened_at, supply=d.supply, count=d.count,
    )  # fmt: skip
    return _DOMAIN + hashlib.sha256(_encoder.encode(said)).digest()


def _words(d: Decision) -> str:
    return hashlib.sha256(msgspec.json.encode([str(d.reason), d.reference])).hexdigest()


def _proof(d: Decision, key: str, signature: str = "") -> Proof:
    return Proof(
        key=key, signature=signature, words=_words(d), asked_act=d.act, asked_alert=d.alert,
        asked_version=d.version, asked_incident=d.incident,
    )  # fmt: skip


def signed(decision: Decision, private: bytes, run: str, district: str) -> Decision:
    """The decision with its proof. private: 32 raw bytes."""
    bare = _proof(decision, public_half(private).hex())
    signature = signer(private).sign(_statement(decision, bare, run, district)).hex()
    return msgspec.structs.replace(decision, proof=_proof(decision, bare.key, signature))


def verified(decision: Decision, run: str, district: str) -> bool:
    """Does the signature fit what was asked? Of a decision in `alerts` or the ledger too. Whose key it
    is, is not asked."""
    proof = decision.proof
    if proof is None:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(proof.key))
        key.verify(bytes.fromhex(proof.signature), _statement(decision, proof, run, district))
    except (ValueError, InvalidSignature):
        return False
    return True


def identity(decision: Decision, district: str) -> str:
    """The same for two records that say the same act of the same person, however they are signed."""
    proof = _proof(decision, "")
    return hashlib.sha256(_statement(decision, proof, "", district)).hexdigest()[:32]


def unproven(trust: Trust, decision: Decision, offset: int, clock: int) -> Unproven | None:
    """What is wrong with the proof of a decision that stands at `offset` of `cases`; None: it is
    right, or none was asked for then. clock: of the line, epoch ms."""
    era, proof = trust.at(offset), decision.proof
    if era is None:
        return None
    if proof is None:
        return "unsigned"
    mine = [s for s in era.signers if s.key == proof.key]
    if not mine:
        return "unknown_key"
    same = _proof(decision, proof.key, proof.signature) == proof
    if not same or not verified(decision, era.run, trust.district):
        return "wrong_signature"
    theirs = [s for s in mine if s.officer in ("", decision.by)]
    if not theirs:
        return "not_theirs"
    if not any(s.counts(offset) for s in theirs):
        return "revoked"
    return "stale" if decision.decided_at < clock - STALE_MS else None


def judged(
    trust: Trust, taken: dict[str, int], said: Decision, offset: int, clock: int
) -> tuple[Decision, Unproven | None]:
    """The decision without what is decide's to say, and what is wrong with its proof, as `unproven`.
    taken: identities of the acts that were taken -> when they were made; a good one is added, what is
    too old to come again goes."""
    wrong, name = unproven(trust, said, offset, clock), identity(said, trust.district)
    if wrong is None and name in taken:
        wrong = "repeated"
    if wrong is None and trust.at(offset) is not None:
        for old in [k for k, at in taken.items() if at < clock - STALE_MS]:
            del taken[old]
        taken[name] = said.decided_at
    return msgspec.structs.replace(asked(said), unproven=wrong or ""), wrong


def dead_letter(said: Decision, wrong: Unproven, offset: int, at: int) -> DeadLetter:
    """What is kept of an act that nobody is proved to have made, or that came again."""
    words = WORDS[wrong]
    reason = "repeated_decision" if wrong == "repeated" else "unproven_decision"
    detail = f"{said.by} {said.act} {said.area}: " + words + Text("。", ".")
    return DeadLetter.of(at, f"cases/0/{offset}", reason, detail, said)


WORDS: dict[Unproven, Text] = {
    "unsigned": Text(
        "没有签名，不能证明是本人所为；请在值班台办理，或用本人的钥匙 --key",
        "it is not signed and proves nobody's word; use the console, or the officer's own --key",
    ),
    "unknown_key": Text(
        "签名的钥匙没有登记（fengsui signer list）",
        "the key that signed it is not registered (fengsui signer list)",
    ),
    "wrong_signature": Text(
        "签名与内容、运行或区县不符",
        "the signature does not fit what is said, or is for another run or district",
    ),
    "not_theirs": Text("签名的钥匙是别人的", "it is signed with somebody else's key"),
    "revoked": Text("签名的钥匙已撤销", "the key that signed it was revoked"),
    "stale": Text("七天以前的操作，不再执行", "it is older than seven days"),
    "repeated": Text("重复的记录，只算一次", "it was said before and counts once"),
}
