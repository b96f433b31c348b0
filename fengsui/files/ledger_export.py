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

from config.language import Said, Text, en, text_of, zh
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
        raise Usage(
            Text(f"{folder}: 不是空的，不覆盖", f"{folder}: is not empty, nothing is overwritten")
        )
    folder.mkdir(parents=True, exist_ok=True)
    private = ledger_keys(setup.folder, setup.live).private
    tails, keys = [], dict[str, int]()
    for part, chain in enumerate(CHAINS):
        with (folder / f"{chain}.jsonl").open("wb") as f:
            found = check(chain, _copied(log, part, f.write), ())
            if found.fault is not None:
                raise Usage(
                    Text(
                        f"{setup.run.name}: 日志里的台账已坏，{zh(found.fault)}；详见 `fengsui audit "
                        f"--ledger`；{folder} 不完整",
                        f"{setup.run.name}: the ledger in the log is broken, {en(found.fault)}; "
                        f"`fengsui audit --ledger` tells more; {folder} is not whole",
                    )
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
        self.faults: list[Said] = []
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
            words = Text(
                f"{entry.chain} 第 {entry.n} 条：{d.by} {d.act}",
                f"{entry.chain} entry {entry.n}: {d.by} {d.act}",
            )
            self.faults.append(
                Text(
                    f"{zh(words)}：决定的签名不符",
                    f"{en(words)}: the signature of this decision is wrong",
                )
            )


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
    faults: list[Said]
    proofs: Proofs


def verify(folder: Path, key_files: list[Path]) -> LedgerFindings:
    """Is the folder whole? Raises Usage when it is no export of a ledger, or a key cannot be read."""
    if not (folder / "ledger.pub").exists() and not (folder / "seal.json").exists():
        raise Usage(
            Text(
                f"{folder}: 不是台账；造一份：fengsui export ledger --out DIR",
                f"{folder}: is no ledger; make one: fengsui export ledger --out DIR",
            )
        )
    given = [k for f in key_files for k in public_keys(f)]
    trusted = given or public_keys(folder / "ledger.pub")
    faults: list[Said] = []
    signed: dict[str, int] = {}
    run, sealed_at, ends = "", 0, dict[str, tuple[int, str]]()
    try:
        stamp = unsealed((folder / "seal.json").read_bytes(), trusted)
        run, sealed_at, ends = stamp.run, stamp.sealed_at, stamp.ends
        signed[stamp.key] = 1
    except OSError:
        faults.append(Text("seal.json: 缺失", "seal.json: is missing"))
    except ValueError as e:
        faults.append("seal.json: " + text_of(e))
    tails, proofs = [], Proofs()
    for chain in CHAINS:
        found, words = _file(folder / f"{chain}.jsonl", chain, trusted, proofs.see)
        faults += words
        tails.append(found.tail)
        signed |= found.keys
        end = ends.get(chain, (0, ""))
        if not words and ends and end != found.tail[1:]:
            faults.append(
                Text(
                    f"{chain} 第 {min(end[0], found.tail.n) + 1} 条：封签时有 {end[0]} 条，现有 "
                    f"{found.tail.n} 条：被截断或增添",
                    f"{chain} entry {min(end[0], found.tail.n) + 1}: the seal says {end[0]} "
                    f"entries, there are {found.tail.n}: cut off or added to",
                )
            )
        elif not words and found.signed < found.tail.n:
            faults.append(
                Text(
                    f"{chain} 第 {found.tail.n} 条：末尾未签",
                    f"{chain} entry {found.tail.n}: the end is not signed",
                )
            )
    faults += proofs.faults
    return LedgerFindings(run, sealed_at, tails, sorted(signed), bool(given), faults, proofs)


def _file(
    path: Path, chain: str, trusted: list[str], see: Callable[[Entered], None]
) -> tuple[Checked, list[Said]]:
    try:
        with path.open("rb") as f:
            found = check(chain, lines(f), trusted, see)
    except OSError:
        return Checked(Tail(chain), 0, 0, {}, None), [
            Text(f"{path.name}: 缺失", f"{path.name}: is missing")
        ]
    return found, [found.fault.text] if found.fault is not None else []


def public_keys(path: Path) -> list[str]:
    """Public keys of a file, hex, one a line. Raises Usage naming it."""
    try:
        found = path.read_text("ascii").split("\n")
        keys = [k for k in found if k]
        if not keys or any(bytes.fromhex(k).hex() != k or len(k) != 64 for k in keys):
            raise ValueError
    except (OSError, ValueError) as e:
        raise Usage(
            Text(
                f"{path}: 不是公钥文件（每行 64 位十六进制）",
                f"{path}: is no file of public keys (64 hex digits a line)",
            )
        ) from e
    return keys


def verify_log(log: Log) -> tuple[list[Tail], list[Said]]:
    """The ledger in the log itself: are its chains whole, and does the log still hold what was
    entered, and nothing that was not? What the ledger has not read yet is left out."""
    tails: list[Tail] = []
    faults: list[Said] = []
    for part, chain in enumerate(CHAINS):
        known: dict[str, int] = {}

        def see(entry: Entered, known: dict[str, int] = known) -> None:
            if entry.of != "head":
                known.setdefault(entry.digest, entry.n)

        found = check(chain, in_log(log, "ledger", part), (), see)
        tails.append(found.tail)
        if found.fault is not None:
            faults.append(found.fault.text)
            continue
        until = log.positions(chain, f"ledger-{chain}")[0]
        faults += _against(log, chain, until, known)
    return tails, faults


def _against(log: Log, topic: str, until: int, known: dict[str, int]) -> Iterator[Said]:
    missing, at, none = dict(known), 0, Tail(topic)
    while entries := log.read(topic, 0, at):
        for entry in (e for e in entries if e.offset < until):
            if entered(none, entry.value) is None:
                continue
            digest = hashlib.sha256(entry.value).hexdigest()
            if digest not in known:
                yield (
                    Text(
                        f"{topic}/0/{entry.offset}: 台账中没有此记录：它被改过或后来插入",
                        f"{topic}/0/{entry.offset}: the ledger has no such record: it was changed or "
                        "put in later",
                    )
                )
            missing.pop(digest, None)
        at = entries[-1].offset + 1
    if log.starts(topic)[0] == 0:  # otherwise its retention has taken them
        for n in missing.values():
            yield Text(
                f"{topic} 第 {n} 条：日志中已无此记录",
                f"{topic} entry {n}: the log no longer has this record",
            )
