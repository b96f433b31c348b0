"""Is a pack whole? `fengsui audit FILE` needs the file and, kept elsewhere, the public key: no log, no
configuration, no network. A folder that was unpacked is verified by the manifest alone.

What is looked at, each by itself, so that what was done is named: the seal over every byte of the archive; the
manifest and whose key signed it; every file against the manifest; the chain of records; each record's
digest, or where fields were left out what its entry of the ledger says; the ledger; and whether every entry
of the ledger that is this incident's has its record here.
"""

import hashlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from config.language import Said, Text, en, text_of, zh
from dispatch.ledger.chain import CHAINS, Entered, entry_of
from fengsui.files.ledger_export import Proofs, public_keys
from fengsui.files.ledger_export import verify as verify_ledger
from fengsui.inquiry.account import Statement
from fengsui.inquiry.chain import Chained, Judged, judged, plain, read
from fengsui.inquiry.pack import parts
from fengsui.inquiry.pages import retold
from fengsui.inquiry.seal import MANIFEST, SEAL_BYTES, PackManifest, opened, unsealed
from fengsui.inquiry.wanted import tells_of
from stream.environment import Usage

_RECORDS = "records.jsonl"
_MOST = 16 << 20  # bytes of a manifest
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError),
    *(OSError, KeyError, IndexError, OverflowError),
)


class PackFindings(NamedTuple):
    """manifest: None where it cannot be read. given: the keys were named and not taken from the pack itself.
    records: how many; proven: whose bytes fit the digest that they had in the log; vouched: with fields left
    out, whose other fields fit the ledger; alone: numbers of those that the ledger enters and had not yet.
    retold: were statements and pages made again, of the records and tables that are here. proofs: signatures
    of people's decisions."""

    manifest: PackManifest | None
    given: bool
    sealed: bool
    records: int
    proven: int
    vouched: int
    alone: tuple[int, ...]
    retold: bool
    proofs: Proofs | None
    faults: list[Said]


class _Files:
    """The files of a pack, of an archive or of a folder."""

    def __init__(self, place: Path) -> None:
        self.place, self.faults = place, list[Said]()
        self._zip = None if place.is_dir() else zipfile.ZipFile(place)
        if self._zip is None:
            found = [p for p in sorted(place.rglob("*")) if p.is_file() or p.is_symlink()]
            self.names = [p.relative_to(place).as_posix() for p in found]
        else:
            self.names = [i.filename for i in self._zip.infolist()]

    def open(self, name: str) -> IO[bytes]:
        if self._zip is not None:
            return self._zip.open(name)
        path = self.place / name
        if path.is_symlink():
            raise ValueError("a link")
        return path.open("rb")

    def body(self, name: str, most: int) -> bytes:
        """No more than so many bytes, whatever it unpacks to. Raises one of _BROKEN."""
        with self.open(name) as f:
            return f.read(most + 1)[:most]

    def close(self) -> None:
        if self._zip is not None:
            self._zip.close()


def is_pack(place: Path) -> bool:
    """Does it look like one, whole or not? A folder with a manifest, or a file."""
    return place.is_file() or (place / MANIFEST).exists()


def verify(place: Path, key_files: list[Path]) -> PackFindings:
    """Raises Usage: it is no pack, or a key cannot be read."""
    given = [k for f in key_files for k in public_keys(f)]
    sealed = place.is_file()
    try:
        files = _Files(place)
    except _BROKEN as e:
        if not sealed or not _begins_as_one(place):
            raise Usage(_none(place)) from e
        words = Text(
            "档案读不出：末尾被截去，或目录被改",
            "the archive cannot be read: its end was cut off, or its directory was changed",
        )
        faults = [*_seal(place, given), words]
        return PackFindings(None, bool(given), sealed, 0, 0, 0, (), False, None, faults)
    try:
        if not {MANIFEST, _RECORDS} & set(files.names):
            raise Usage(_none(place))
        # whoever sealed it and whoever signed the manifest are one
        faults = list(_seal(place, given or _key_of(files))) if sealed else []
        return _Verifying(files, given, key_files, sealed, faults).all()
    finally:
        files.close()


def _key_of(files: _Files) -> list[str]:
    """The key that the manifest names; nothing where it cannot be read."""
    try:
        return [opened(files.body(MANIFEST, _MOST), ())[0].key]
    except _BROKEN:
        return []


def _none(place: Path) -> Text:
    return Text(
        f"{place}: 不是查证包；造一份：fengsui investigate INCIDENT --out FILE",
        f"{place}: is no pack; make one: fengsui investigate INCIDENT --out FILE",
    )


def _begins_as_one(place: Path) -> bool:
    with place.open("rb") as f:
        return f.read(4) == b"PK\x03\x04"


def _seal(place: Path, trusted: list[str]) -> Iterator[Said]:
    before = max(0, place.stat().st_size - SEAL_BYTES)
    with place.open("rb") as f:
        f.seek(before)
        end = f.read()
    wrong = unsealed(end, parts(place, before), trusted)
    if wrong is not None:
        yield wrong


class _Verifying:
    """One pack."""

    def __init__(
        self,
        files: _Files,
        given: list[str],
        key_files: list[Path],
        sealed: bool,
        faults: list[Said],
    ) -> None:
        self._files, self._given, self._key_files = files, given, key_files
        self._sealed, self._faults = sealed, faults
        self._lines: list[Chained] = []
        self._entries: dict[tuple[str, int], Entered] = {}
        self._proofs: Proofs | None = None
        self._sizes: dict[str, int] = {}
        self._retold = False
        self._judged = Judged((), 0, 0, ())
        self._chain_whole = self._ledger_whole = False

    def all(self) -> PackFindings:
        manifest = self._manifest()
        if manifest is not None:
            self._members(manifest)
            self._chain(manifest)
            self._ledger()
            self._records(manifest)
            if self._chain_whole and self._ledger_whole:
                self._complete(manifest)
            else:  # what cannot be read is not what was left out
                self._faults.append(_UNCHECKED)
            self._statements(manifest)
            self._again(manifest)
        j = self._judged
        return PackFindings(
            manifest, bool(self._given), self._sealed, len(self._lines), j.proven, j.vouched,
            j.alone, self._retold, self._proofs, list(dict.fromkeys(self._faults)),
        )  # fmt: skip

    def _say(self, name: str, words: Said) -> None:
        name = name if name.isprintable() else ascii(name)
        self._faults.append(Text(f"{name}：{zh(words)}", f"{name}: {en(words)}"))

    def _manifest(self) -> PackManifest | None:
        try:
            found, wrong = opened(self._files.body(MANIFEST, _MOST), self._given)
        except KeyError:
            self._say(MANIFEST, Text("缺失", "is missing"))
            return None
        except _BROKEN as e:
            said = e.args[0] if e.args and isinstance(e.args[0], Text) else None
            self._say(MANIFEST, said or Text("内容被改", "was changed"))
            return None
        if wrong is not None:
            self._say(MANIFEST, wrong)
        self._sizes = {name: known.size for name, known in found.files.items()}
        return found

    def _body(self, name: str) -> bytes:
        """As much as the manifest says it has. Raises one of _BROKEN."""
        return self._files.body(name, self._sizes.get(name, 0))

    def _members(self, manifest: PackManifest) -> None:
        """Every file against the manifest."""
        names = self._files.names
        for name in sorted({n for n in names if names.count(n) > 1}):
            self._say(name, Text("出现两次", "stands here twice"))
        for name in sorted(set(names) - manifest.files.keys() - {MANIFEST}):
            self._say(name, Text("清单里没有：后来加入的", "is not in the manifest: it was added"))
        for name, known in manifest.files.items():
            if name not in names:
                self._say(name, Text("缺失", "is missing"))
                continue
            try:
                digest, size = hashlib.sha256(), 0
                with self._files.open(name) as f:
                    while part := f.read(1 << 20):
                        digest.update(part)
                        size += len(part)
                        if size > known.size:
                            break
            except _BROKEN:
                self._say(name, Text("内容被改，读不出", "was changed and cannot be read"))
                continue
            if (digest.hexdigest(), size) != (known.sha256, known.size):
                self._say(
                    name, Text("内容被改：与清单不符", "was changed: it does not fit the manifest")
                )

    def _rows(self, name: str) -> list[bytes] | None:
        """Lines of a file, one that does not end is marked; None where it cannot be read."""
        try:
            body = self._body(name)
        except _BROKEN:
            return None
        rows = body.split(b"\n")
        return rows[:-1] + ([rows[-1] + b"\0"] if rows[-1] else [])

    def _chain(self, manifest: PackManifest) -> None:
        rows = self._rows(_RECORDS)
        if rows is None:
            return  # told above
        found = read(rows, self._lines.append)
        self._chain_whole = found.damage is None
        if found.damage is not None:
            n = found.damage.n
            place = Text(f"records.jsonl 第 {n} 条", f"records.jsonl record {n}")
            self._faults.append(place + Text("：", ": ") + found.damage.words)
        elif (found.lines, found.end) != (manifest.records, manifest.chain_end):
            self._say(
                _RECORDS,
                Text(
                    f"清单说有 {manifest.records} 条，现有 {found.lines} 条：末尾被截去或添加",
                    f"the manifest says {manifest.records} records, there are {found.lines}: the tail was "
                    "cut off or added to",
                ),
            )

    def _ledger(self) -> None:
        """The ledger by its own rules, and its entries."""
        with tempfile.TemporaryDirectory(prefix="fengsui-audit-") as scratch:
            folder = Path(scratch) / "ledger"
            folder.mkdir()
            for name in (*(f"{c}.jsonl" for c in CHAINS), "seal.json", "ledger.pub"):
                try:
                    (folder / name).write_bytes(self._body(f"ledger/{name}"))
                except _BROKEN:
                    continue
            try:
                found = verify_ledger(folder, self._key_files)
            except Usage as e:
                self._say("ledger", text_of(e))
                return
            self._proofs = found.proofs
            self._ledger_whole = not found.faults
            for words in found.faults:
                self._say("ledger", words)
        for chain in CHAINS:
            for row in self._rows(f"ledger/{chain}.jsonl") or ():
                try:
                    entry = entry_of(row)
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    break
                self._entries[entry.chain, entry.n] = entry

    def _records(self, manifest: PackManifest) -> None:
        """Each record against its own digest, its place and what its entry of the ledger says."""
        self._judged = judged(self._lines, self._entries, self._ledger_whole)
        self._faults += self._judged.faults
        alone = len(self._judged.alone)
        if self._chain_whole and self._ledger_whole and alone != manifest.unentered:
            self._say(
                _RECORDS,
                Text(
                    f"清单说有 {manifest.unentered} 条台账还没有，实有 {alone} 条",
                    f"the manifest says that the ledger had not entered {manifest.unentered} of them yet, "
                    f"there are {alone}",
                ),
            )

    def _complete(self, manifest: PackManifest) -> None:
        """Every entry of the ledger that is this incident's has its record."""
        here = {(line.topic, line.digest) for line in self._lines}
        alerts, deliveries = set(manifest.alerts), set[str]()
        for chain in CHAINS:  # in this order: what was sent of which warning is known first
            for entry in (e for (c, _), e in sorted(self._entries.items()) if c == chain):
                said = {k: plain(v) for k, v in entry.what.items()}
                match entry.of:
                    case "alert":
                        mine = said.get("id") in alerts or said.get("incident") == manifest.incident
                    case "decision":
                        mine = said.get("alert") in alerts
                        mine = mine or said.get("incident") == manifest.incident
                    case "report":
                        mine = said.get("incident") == manifest.incident
                    case "delivery":
                        of = str(said.get("alert"))
                        mine = of in alerts or tells_of(manifest.incident, of)
                        deliveries |= {str(said.get("id"))} if mine else set()
                    case "receipt":
                        mine = said.get("delivery") in deliveries
                    case _:
                        mine = False
                if mine and (chain, entry.digest) not in here:
                    self._faults.append(
                        Text(
                            f"台账 {chain} 第 {entry.n} 条（{entry.of}）属于本事件，它的记录不在包里：被略去",
                            f"entry {entry.n} of the ledger's {chain} ({entry.of}) is of this incident and its "
                            "record is not in the pack: it was left out",
                        )
                    )

    def _statements(self, manifest: PackManifest) -> None:
        """Each statement rests on records that are here."""
        name = "account.json"
        try:
            found = msgspec.json.decode(self._body(name), type=list[Statement])
        except (*_BROKEN, msgspec.MsgspecError):
            return  # told above
        if len(found) != manifest.statements:
            self._say(
                name,
                Text(
                    f"清单说有 {manifest.statements} 条陈述，现有 {len(found)} 条",
                    f"the manifest says {manifest.statements} statements, there are {len(found)}",
                ),
            )
        for s in found:
            if not s.rests or not all(0 < n <= manifest.records for n in s.rests):
                self._say(
                    name,
                    Text(f"第 {s.n} 条陈述没有依据", f"statement {s.n} rests on nothing here"),
                )

    def _again(self, manifest: PackManifest) -> None:
        """Does it tell what its records and tables say? Of a pack that is whole so far."""
        made = None if self._faults else retold(manifest, self._lines, self._body, _BROKEN)
        self._retold = made is not None
        for name, body in (made or {}).items():
            if self._body(name) != body:
                self._say(name, _NOT_THEIRS)


_NOT_THEIRS = Text(
    "不是包里的记录和表所说的：做包的人另写的",
    "does not say what the records and tables here say: whoever made the pack wrote it",
)
_UNCHECKED = Text(
    "记录或台账不全：台账里属于本事件的是否都在包里，没有核对",
    "records or ledger are not whole: whether all that the ledger has of this incident is here was not checked",
)
