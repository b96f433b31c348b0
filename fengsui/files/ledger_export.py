"""The ledger out of the house: `fengsui export ledger --out DIR`, and `fengsui audit DIR`, which needs
the folder and the public key, and no network, no log and no district.

    DIR/alerts.jsonl, DIR/deliveries.jsonl    an entry a line, as it stands in the log
    DIR/seal.json                             where each chain ends, signed at the export
    DIR/ledger.pub                            the public keys that signed, in hex, one a line
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from dispatch.ledger.chain import (
    CHAINS,
    Checked,
    Entered,
    Tail,
    check,
    entered,
    head,
    lines,
    seal,
    unsealed,
)
from dispatch.ledger.writer import ledger_keys
from dispatch.records import Decision
from dispatch.signatures.proof import verified
from fengsui.run.setup import Setup
from stream.environment import Usage
from stream.log.port import Log


def in_log(log: Log, topic: str, partition: int = 0) -> Iterator[bytes]:
    """The values of a partition, from the oldest that is kept."""
    at = 0
    while entries := log.read(topic, partition, at):
        for entry in entries:
            yield entry.value
        at = entries[-1].offset + 1


def export_ledger(setup: Setup, log: Log, folder: Path, now: int) -> list[Tail]:
    """Write the folder; a head of its own is put behind each chain's last entry, so that all of it
    is signed. Raises Usage if something is there, or if a chain in the log is not whole."""
    if folder.exists() and any(folder.iterdir()):
        raise Usage(f"{folder}: 不是空的 is not empty; 不覆盖 nothing is overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    private = ledger_keys(setup.folder, setup.live).private
    tails, keys = [], dict[str, int]()
    for part, chain in enumerate(CHAINS):
        with (folder / f"{chain}.jsonl").open("wb") as f:
            found = check(chain, _copied(log, part, f.write), ())
            if found.fault is not None:
                raise Usage(
                    f"{setup.run.name}: 台账已坏 the ledger in the log is broken, {found.fault}; "
                    f"`fengsui audit --ledger` tells more; {folder} 不可用 is not whole"
                )
            tail = found.tail
            if tail.n and found.signed < tail.n:
                last, tail = head(tail, private, now)
                f.write(last + b"\n")
            keys |= found.keys
        tails.append(tail)
    stamp = seal(setup.run.name, now, tails, private)
    keys[msgspec.json.decode(stamp)["key"]] = 1
    (folder / "ledger.pub").write_text("".join(f"{k}\n" for k in sorted(keys)))
    (folder / "seal.json").write_bytes(stamp)
    return tails


def _copied(log: Log, part: int, write: Callable[[bytes], object]) -> Iterator[bytes]:
    for value in in_log(log, "ledger", part):
        write(value + b"\n")
        yield value


class Proofs:
    """The signatures under people's decisions, as a chain is read: how many fit, who signed, which do
    not fit, and how many have none (from before there were proofs)."""

    def __init__(self) -> None:
        self.right, self.none = 0, 0
        self.keys: Counter[str] = Counter()
        self.faults: list[str] = []
        self._runs: dict[str, str] = {}  # run -> district; a run that was restored has two

    def see(self, entry: Entered) -> None:
        if entry.of == "run":
            name, district = (msgspec.json.decode(entry.what[k], type=str) for k in _NAMES)
            self._runs[name] = district
        if entry.of != "decision":
            return
        d = msgspec.convert({"reason": "", **_plain(entry.what)}, Decision)
        if d.by == "policy" or d.unproven:
            return
        if d.proof is None:
            self.none += 1
        elif any(verified(d, run, district) for run, district in self._runs.items()):
            self.right += 1
            self.keys[d.proof.key] += 1
        else:
            words = f"{entry.chain} 第 entry {entry.n}: {d.by} {d.act}"
            self.faults.append(f"{words}: 决定的签名不符 the signature of this decision is wrong")


_NAMES = ("name", "district")


def _plain(what: dict[str, msgspec.Raw]) -> dict[str, object]:
    return {k: msgspec.json.decode(v) for k, v in what.items()}


class LedgerFindings(NamedTuple):
    """What `verify` found. keys: public keys in hex that signed. given: the keys were named, and
    not taken from the folder itself."""

    run: str
    sealed_at: int
    tails: list[Tail]
    keys: list[str]
    given: bool
    faults: list[str]
    proofs: Proofs


def verify(folder: Path, key_files: list[Path]) -> LedgerFindings:
    """Is the folder whole? Raises Usage when it is no export of a ledger, or a key cannot be read."""
    if not (folder / "ledger.pub").exists() and not (folder / "seal.json").exists():
        raise Usage(f"{folder}: 不是台账 is no ledger; make one: fengsui export ledger --out DIR")
    given = [k for f in key_files for k in _keys(f)]
    trusted = given or _keys(folder / "ledger.pub")
    faults: list[str] = []
    signed: dict[str, int] = {}
    run, sealed_at, ends = "", 0, dict[str, tuple[int, str]]()
    try:
        stamp = unsealed((folder / "seal.json").read_bytes(), trusted)
        run, sealed_at, ends = stamp.run, stamp.sealed_at, stamp.ends
        signed[stamp.key] = 1
    except OSError:
        faults.append("seal.json: 缺失 is missing")
    except ValueError as e:
        faults.append(f"seal.json: {e}")
    tails, proofs = [], Proofs()
    for chain in CHAINS:
        found, words = _file(folder / f"{chain}.jsonl", chain, trusted, proofs.see)
        faults += words
        tails.append(found.tail)
        signed |= found.keys
        end = ends.get(chain, (0, ""))
        if not words and ends and end != found.tail[1:]:
            faults.append(
                f"{chain} 第 entry {min(end[0], found.tail.n) + 1}: 封签时有 the seal says "
                f"{end[0]} 条 entries, 现有 there are {found.tail.n}: 被截断或增添 cut off or added to"
            )
        elif not words and found.signed < found.tail.n:
            faults.append(f"{chain} 第 entry {found.tail.n}: 末尾未签 the end is not signed")
    faults += proofs.faults
    return LedgerFindings(run, sealed_at, tails, sorted(signed), bool(given), faults, proofs)


def _file(
    path: Path, chain: str, trusted: list[str], see: Callable[[Entered], None]
) -> tuple[Checked, list[str]]:
    try:
        with path.open("rb") as f:
            found = check(chain, lines(f), trusted, see)
    except OSError:
        return Checked(Tail(chain), 0, 0, {}, None), [f"{path.name}: 缺失 is missing"]
    return found, [str(found.fault)] if found.fault is not None else []


def _keys(path: Path) -> list[str]:
    """Public keys of a file, hex, one a line. Raises Usage naming it."""
    try:
        found = path.read_text("ascii").split("\n")
        keys = [k for k in found if k]
        if not keys or any(bytes.fromhex(k).hex() != k or len(k) != 64 for k in keys):
            raise ValueError
    except (OSError, ValueError) as e:
        raise Usage(f"{path}: 不是公钥 is no file of public keys (64 hex digits a line)") from e
    return keys


def verify_log(log: Log) -> tuple[list[Tail], list[str]]:
    """The ledger in the log itself: are its chains whole, and does the log still hold what was
    entered, and nothing that was not? What the ledger has not read yet is left out."""
    tails, faults = [], []
    for part, chain in enumerate(CHAINS):
        known: dict[str, int] = {}

        def see(entry: Entered, known: dict[str, int] = known) -> None:
            if entry.of != "head":
                known.setdefault(entry.digest, entry.n)

        found = check(chain, in_log(log, "ledger", part), (), see)
        tails.append(found.tail)
        if found.fault is not None:
            faults.append(str(found.fault))
            continue
        until = log.positions(chain, f"ledger-{chain}")[0]
        faults += _against(log, chain, until, known)
    return tails, faults


def _against(log: Log, topic: str, until: int, known: dict[str, int]) -> Iterator[str]:
    missing, at, none = dict(known), 0, Tail(topic)
    while entries := log.read(topic, 0, at):
        for entry in (e for e in entries if e.offset < until):
            if entered(none, entry.value) is None:
                continue
            digest = hashlib.sha256(entry.value).hexdigest()
            if digest not in known:
                yield (
                    f"{topic}/0/{entry.offset}: 台账中没有此记录 the ledger has no such record: it was "
                    "changed or put in later"
                )
            missing.pop(digest, None)
        at = entries[-1].offset + 1
    if log.starts(topic)[0] == 0:  # otherwise its retention has taken them
        for n in missing.values():
            yield f"{topic} 第 entry {n}: 日志中已无此记录 the log no longer has this record"
