"""Makes the sealed account of an incident, one zip that anybody can open and `fengsui audit FILE` verifies:

manifest.json              what it is, who made it and why, what is in it; signed
commission[.en].html       the page for a commission; lawyer[.en].html: each statement with its records
account.json               the statements
records.jsonl              the records themselves, a chain (fengsui/inquiry/chain.py)
ledger/                    the signed ledger, as `fengsui export ledger` writes it
config/, signers.json      the district's tables, without people; whose signatures count
software/                  version, digest of the source, bill of materials
names.json, pictures/      where they were named
"""

import hashlib
import importlib.metadata
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.language import Text
from config.records.devices.pictures import PEOPLE
from console.model.follow import DECODERS, Follower
from detectors.detection import Detection
from dispatch.ledger.chain import CHAINS, entry_of
from dispatch.ledger.writer import ledger_keys
from dispatch.people.contact_store import ContactStore
from dispatch.records import Alert, RouteHealth
from fengsui.files.backup import config_files
from fengsui.files.ledger_export import export_ledger
from fengsui.inquiry.account import Statement
from fengsui.inquiry.chain import Chained, written
from fengsui.inquiry.known import TOPICS, Known, known, record_of
from fengsui.inquiry.left_out import typed, without
from fengsui.inquiry.pages import told
from fengsui.inquiry.seal import (
    FORMAT,
    MANIFEST,
    SEAL_BYTES,
    File,
    PackManifest,
    PackWish,
    seal,
    signed,
)
from fengsui.inquiry.software import about, bill
from fengsui.inquiry.span import Incident, spans
from fengsui.inquiry.wanted import Wanted, place_of
from fengsui.pictures.persons import hidden, rule_of
from fengsui.run.recipients import place
from fengsui.run.run_log import frames_folder
from fengsui.run.setup import Setup
from fengsui.run.signing import trusted
from ingest.observation import PersonSays
from ingest.people.photos.sealed_photos import Pictures
from stream.disk.blobs import FrameStore
from stream.environment import Usage
from stream.log.port import Log
from stream.records import Run, decode

_PLAIN = ("contacts.csv",)  # people in plain never go into a pack
_CHUNK = 1 << 20


class Made(NamedTuple):
    """The manifest, SHA-256 of the file in hex, and the key that signed, in hex."""

    manifest: PackManifest
    sha256: str
    key: str


def make(
    setup: Setup, config: Path, log: Log, incident: str, file: Path, wish: PackWish, now: int
) -> Made:
    """Write FILE; it is there whole or not at all, for its owner's eyes. Raises Usage: it is there, there
    is no such incident, or the ledger in the log is not whole."""
    if file.exists():
        raise Usage(
            Text(f"{file}: 已存在，不覆盖", f"{file}: is there already, it is not overwritten")
        )
    with tempfile.TemporaryDirectory(prefix=".investigate-", dir=file.parent) as scratch:
        # first: what the ledger has then is in the log, and so in the pack
        export_ledger(setup, log, Path(scratch) / "ledger", now)
        ledger = {f"ledger/{p.name}": p.read_bytes() for p in (Path(scratch) / "ledger").iterdir()}
        alerts = [r for _, r in Follower(log, ("alerts",)).take() if isinstance(r, Alert)]
        mine = _chosen(incident, alerts)
        taken = _taken(setup, log, mine, alerts)
        lines, shown = _lines(taken, ledger, wish)
        key = ledger_keys(setup.folder, setup.live).public.hex()
        statements, pages = told(setup.district, mine, shown, lines.refs, wish, key, now)
        files = {
            **pages,
            "records.jsonl": b"".join(line + b"\n" for line in lines.rows),
            **ledger,
            **_about(setup, config),
            **_named(setup, shown, wish),
        }
        manifest = _manifest(setup, log, mine, lines, statements, files, wish, now)
        private = ledger_keys(setup.folder, setup.live).private
        body = signed(manifest, private)
        whole = Path(scratch) / "whole"
        _zip(whole, {MANIFEST: body, **files}, now)
        digest = _sealed(whole, private)
        whole.replace(file)
    made = msgspec.json.decode(body, type=PackManifest)
    return Made(made, digest, made.key)


def _chosen(incident: str, alerts: Sequence[Alert]) -> Incident:
    there = spans(alerts)
    if incident not in there:
        names = ", ".join(there) or "-"
        raise Usage(
            Text(
                f"没有事件 {incident!r}，有 {names}",
                f"there is no incident {incident!r}; there are {names}",
            )
        )
    return there[incident]


def people_of(setup: Setup, log: Log, incident: str) -> list[str]:
    """Opaque ids of everybody who stands in the records of an incident. Raises Usage: there is none such."""
    alerts = [r for _, r in Follower(log, ("alerts",)).take() if isinstance(r, Alert)]
    return sorted(set(people(_taken(setup, log, _chosen(incident, alerts), alerts))) - {"policy"})


def _taken(setup: Setup, log: Log, mine: Incident, alerts: Sequence[Alert]) -> list[Known]:
    wanted = Wanted(mine, place_of(setup.district, mine, alerts))
    wanted.rests_on(alerts)
    return [seen for seen in known(log, TOPICS) if wanted.wants(seen)]


class Lines(NamedTuple):
    """rows: the chain as it is written; refs: the same without the records, for the pages; end: its last
    hash; unentered: of what the ledger enters, how many it had not."""

    rows: list[bytes]
    refs: list[Chained]
    end: str
    unentered: int


def _lines(
    taken: Sequence[Known], ledger: dict[str, bytes], wish: PackWish
) -> tuple[Lines, list[Known]]:
    """The chain, and the records as they stand in it: what the pages say rests on these alone."""
    entries = {
        (chain, e.digest): (chain, e.n)
        for chain in CHAINS
        for e in map(entry_of, ledger[f"ledger/{chain}.jsonl"].splitlines())
        if e.of != "head"
    }
    words = typed(seen.record for seen in taken)
    rows, refs, shown, end, unentered = [], [], [], "", 0
    for n, seen in enumerate(taken, 1):
        value, gone = without(seen.value, words, wish.named)
        digest = hashlib.sha256(seen.value).hexdigest()
        where = entries.get((seen.topic, digest))
        unentered += (
            seen.topic in CHAINS and where is None and not isinstance(seen.record, RouteHealth)
        )
        line = Chained(
            n=n, topic=seen.topic, partition=seen.partition, offset=seen.offset, key=seen.key,
            at=seen.at, digest=digest, value=msgspec.Raw(value), left_out=gone, ledger=where,
        )  # fmt: skip
        row, end = written(line, end)
        rows.append(row)
        refs.append(line)
        record = record_of(seen.topic, value) if gone else seen.record
        shown.append(seen._replace(value=value, record=record))
    return Lines(rows, refs, end, unentered), shown


def _about(setup: Setup, config: Path) -> dict[str, bytes]:
    """The tables, whose signatures count, and the program."""
    tables, _ = config_files(config)
    found = {name: body for name, body in tables.items() if Path(name).name not in _PLAIN}
    signers = trusted(setup)
    if signers is not None:
        found["signers.json"] = msgspec.json.format(msgspec.json.encode(signers), indent=1)
    found["software/version.json"] = msgspec.json.format(msgspec.json.encode(about()), indent=1)
    found["software/sbom.cdx.json"] = bill()
    return found


def _named(setup: Setup, shown: Sequence[Known], wish: PackWish) -> dict[str, bytes]:
    found = {}
    if "names" in wish.named:
        ids = set(people(shown))
        with ContactStore(place(setup)) as store:
            held = {i: store.whole(i) for i in sorted(ids & set(store.ids()))}
        names = {i: {"name": c.name, "role": c.role} for i, c in held.items() if c is not None}
        found["names.json"] = msgspec.json.format(msgspec.json.encode(names), indent=1)
    if "pictures" in wish.named:
        frames = Pictures(FrameStore(frames_folder(setup)), place(setup))
        for digest, camera in sorted(dict(_pictures(shown)).items()):
            if (body := frames.get(digest)) is not None:
                seen, _ = hidden(rule_of(setup.district, camera), body)
                if seen is not None:  # of one in which somebody is hidden the hash is not the name's
                    found[f"pictures/{digest}{'.hidden' * (seen != body)}.jpg"] = seen
    return found


def people(shown: Sequence[Known]) -> Iterator[str]:
    """Every opaque id that stands for somebody."""
    for seen in shown:
        for field in ("by", "recipient", "person", "approver", "asked_by"):
            if isinstance(who := getattr(seen.record, field, None), str) and who:
                yield who
        if isinstance(seen.record, Alert):
            yield from (who for q in seen.record.questions for who in q.called)


def _pictures(shown: Sequence[Known]) -> Iterator[tuple[str, str]]:
    """(hash, camera or `people`)"""
    for seen in shown:
        if isinstance(seen.record, Alert | Detection):
            yield from ((f, e.station) for e in seen.record.evidence for f in e.frames)
        if isinstance(seen.record, PersonSays) and seen.record.photo:
            yield seen.record.photo, PEOPLE


def _manifest(
    setup: Setup,
    log: Log,
    mine: Incident,
    lines: Lines,
    statements: list[Statement],
    files: dict[str, bytes],
    wish: PackWish,
    now: int,
) -> PackManifest:
    decoded = [
        record
        for line in lines.refs
        if (record := decode(DECODERS[line.topic].decode, bytes(line.value))) is not None
    ]
    configs = {r.config for r in decoded if isinstance(r, Run | Detection) and r.config}
    return PackManifest(
        format=FORMAT,
        fengsui=importlib.metadata.version("fengsui"),
        made_at=now,
        by=wish.by,
        reason=wish.reason,
        run=setup.run.name,
        kind=setup.run.kind,
        district=setup.district.id,
        incident=mine.id,
        alerts=tuple(sorted(mine.alerts)),
        begin_at=mine.begin_at,
        end_at=mine.end_at,
        named=tuple(wish.named),
        records=len(lines.rows),
        chain_end=lines.end,
        statements=len(statements),
        config=setup.district.version,
        configs=tuple(sorted(configs)),
        rules=tuple(sorted({r.rules for r in decoded if isinstance(r, Detection) and r.rules})),
        unentered=lines.unentered,
        kept_since={t: log.starts(t) for t in TOPICS},
        files={n: File(hashlib.sha256(b).hexdigest(), len(b)) for n, b in sorted(files.items())},
    )


def _zip(whole: Path, files: dict[str, bytes], now: int) -> None:
    """Room for the seal is its comment, so that nothing of the archive stands behind it."""
    date = datetime.fromtimestamp(now / 1000, UTC).timetuple()[:6]
    opener = os.open(whole, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with os.fdopen(opener, "w+b") as out, zipfile.ZipFile(out, "w") as pack:
        for name, body in files.items():
            info = zipfile.ZipInfo(name, date)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            pack.writestr(info, body)
        pack.comment = b" " * SEAL_BYTES


def parts(file: Path, size: int) -> Iterator[bytes]:
    """The first `size` bytes of a file."""
    with file.open("rb") as f:
        while size > 0 and (part := f.read(min(_CHUNK, size))):
            size -= len(part)
            yield part


def _sealed(whole: Path, private: bytes) -> str:
    """Put the seal in its place; SHA-256 of the file."""
    before = whole.stat().st_size - SEAL_BYTES
    end = seal(parts(whole, before), private)
    with whole.open("r+b") as f:
        f.seek(before)
        f.write(end)
        f.flush()
        os.fsync(f.fileno())
    digest = hashlib.sha256()
    for part in parts(whole, before + SEAL_BYTES):
        digest.update(part)
    return digest.hexdigest()
