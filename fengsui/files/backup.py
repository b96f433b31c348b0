"""A run in one file: `fengsui backup`, and the check of such a file. Back: `fengsui.files.restore`.

The file is a tar.gz: `manifest.json` first (format, where each group stands, SHA-256 of every other
member), then the district's folder, then each topic's records, a line of JSON each, from the end
of the line to its beginning.
"""

import hashlib
import importlib.metadata
import io
import os
import re
import tarfile
import tempfile
import time
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from config.language import Said, Text, en, text_of, zh
from dispatch.signatures.proof import Trust
from fengsui.files.redact import private
from fengsui.files.redact import redacted as redact
from fengsui.files.sealed_state import PASSPHRASE, held, opened, sealed
from fengsui.run.run_log import READS, open_run_log
from fengsui.run.setup import Setup, shown
from fengsui.run.signing import trusted
from stream.environment import Usage, secret
from stream.log.port import Corrupt, Entry, Log

FORMAT = 1
# from the end of the line to its beginning: topic -> groups whose commits write into it. `send`
# writes into what it reads and may be behind: what it writes again changes nothing.
ORDER = {
    "ledger": ("ledger-alerts", "ledger-deliveries"),
    "deliveries": ("address",),
    "alerts": ("decide",),
    "cases": ("detect",),
    "observations": (),
    "dead-letters": (),
}
_QUIET_S = 30.0  # so long a moment is looked for in which no group moves
_SUFFIXES = {".toml", ".csv", ".geojson", ".md", ".pem"}
_NAME = re.compile(
    r"(records/[a-z-]+/\d+\.jsonl|config(/[A-Za-z0-9_][A-Za-z0-9._-]*)+"
    r"|state/[a-z-]+\.(?:db|json)\.sealed)"
)
_ID = re.compile(r"[A-Za-z0-9-]{1,32}")


class Row(msgspec.Struct, omit_defaults=True):
    """A line of a topic. The value is text, or base64 where it is not UTF-8."""

    offset: int
    key: str
    value: str = ""
    base64: str = ""


class Group(msgspec.Struct):
    """Where a group stood, a partition each. exact: what it had written is in the backup and no
    more; otherwise it may be behind, and writes some records, with the same ids, once more."""

    topic: str
    group: str
    positions: list[int]
    exact: bool = True


class Member(msgspec.Struct):
    """A file of the backup."""

    sha256: str
    size: int


class Manifest(msgspec.Struct, kw_only=True):
    """What the backup is. redacted: members of which a password was left out."""

    format: int
    fengsui: str
    made_at: str
    district: str
    config: str
    run: str
    kind: str
    log: str
    ends: dict[str, list[int]]
    groups: list[Group]
    redacted: list[str]
    members: dict[str, Member]
    signers: Trust | None = None  # whose signatures count for the decisions in it


_row = msgspec.json.Decoder(Row)


def row_of(line: bytes) -> tuple[Row, bytes]:
    """A line and the value in it. Raises ValueError."""
    try:
        row = _row.decode(line)
    except msgspec.MsgspecError as e:
        raise ValueError(str(e)) from e
    return row, b64decode(row.base64, validate=True) if row.base64 else row.value.encode()


def groups_of(topic: str) -> list[str]:
    """The groups that read a topic."""
    return [*(s for s, t in READS.items() if t == topic and s != "archive"), "archive"]


def cut(log: Log, settle_s: float, quiet_s: float = _QUIET_S) -> tuple[dict[str, Any], list[Group]]:
    """Where to stop in each topic, and where each group stands by then; the line may run.

    A topic's end and the position of the group that writes into it belong together if one of them
    stood still while the other was looked at. settle_s: how long the two parts of one commit may
    become visible after one another (Kafka). If it is never so quiet, the positions from before
    the ends are taken: behind, never ahead."""
    archive = {t: log.positions(t, "archive") for t in ORDER}
    ends: dict[str, list[int]] = {}
    where: dict[str, Group] = {}
    for topic, writers in ORDER.items():
        names = [*writers, *(["send"] if topic == "deliveries" else [])]
        deadline = time.monotonic() + quiet_s
        exact, end = not writers, log.ends(topic)
        time.sleep(settle_s)
        at = _positions(log, names)
        while writers:
            time.sleep(settle_s)
            before, end = end, log.ends(topic)  # `at` was looked at between the two
            exact = end == before
            if exact or time.monotonic() > deadline:
                break
            time.sleep(settle_s)
            later = _positions(log, names)  # `end` was looked at between the two
            exact = all(later[w] == at[w] for w in writers)
            if exact:
                break
            at = later
        ends[topic] = end
        for name in names:
            where[name] = Group(READS[name], name, at[name], exact)
    found = [*where.values(), *(Group(t, "archive", p) for t, p in archive.items())]
    for g in found:
        g.positions = [min(p, e) for p, e in zip(g.positions, ends[g.topic], strict=True)]
    return ends, found


def _positions(log: Log, groups: Iterable[str]) -> dict[str, list[int]]:
    return {g: log.positions(READS[g], g) for g in groups}


def records(log: Log, topic: str, partition: int, end: int) -> Iterator[Entry]:
    """Everything before `end` that is kept."""
    at = 0
    while at < end:
        entries = log.read(topic, partition, at)
        yield from (e for e in entries if e.offset < end)
        if not entries:
            return
        at = entries[-1].offset + 1


def _line(entry: Entry) -> bytes:
    try:
        row = Row(entry.offset, entry.key, entry.value.decode())
    except UnicodeDecodeError:
        row = Row(entry.offset, entry.key, base64=b64encode(entry.value).decode())
    return msgspec.json.encode(row) + b"\n"


def take(setup: Setup, config: Path, file: Path, now_ms: int) -> Manifest:
    """Write FILE; it is there whole or not at all, for its owner's eyes only. Raises `Usage`."""
    if file.exists():
        raise Usage(
            Text(f"{file}: 已存在，不覆盖", f"{file}: is there already, it is not overwritten")
        )
    log = open_run_log(setup)
    try:
        settle_s = 0.0 if setup.log.startswith("sqlite:") else 0.3
        ends, groups = cut(log, settle_s)
        if not any(any(e) for e in ends.values()):
            name = setup.run.name
            raise Usage(
                Text(f"{name}: 没有记录，无可备份", f"{name}: no records: nothing to back up")
            )
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as scratch:
            files, redacted = config_files(config)
            files |= _sealed(setup)
            parts = {n: _stored(Path(scratch) / f"c{i}", [files[n]]) for i, n in enumerate(files)}
            for topic in ORDER:
                for part, end in enumerate(ends[topic]):
                    lines = (_line(e) for e in records(log, topic, part, end))
                    place = Path(scratch) / f"{topic}.{part}"
                    parts[f"records/{topic}/{part}.jsonl"] = _stored(place, lines)
            manifest = Manifest(
                format=FORMAT,
                fengsui=importlib.metadata.version("fengsui"),
                made_at=datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(),
                district=setup.district.id,
                config=setup.district.version,
                run=setup.run.name,
                kind=setup.run.kind,
                log=redact(shown(setup.log).encode()).decode(),
                ends=ends,
                groups=groups,
                redacted=redacted,
                members={n: m for n, (_, m) in parts.items()},
                signers=trusted(setup),
            )
            whole = Path(scratch) / "whole"
            _pack(whole, manifest, {n: p for n, (p, _) in parts.items()}, now_ms // 1000)
            verify(whole)
            whole.replace(file)
    finally:
        log.close()
    return manifest


def _sealed(setup: Setup) -> dict[str, bytes]:
    """Accounts, links and the contact store, where a passphrase is given."""
    passphrase = secret(PASSPHRASE)
    return {
        f"state/{name}.sealed": sealed(name, body, passphrase)
        for name, body in (held(setup) if passphrase else {}).items()
    }


def unsealed(file: Path) -> dict[str, bytes]:
    """What a backup holds of accounts, links and the contact store; nothing without the passphrase.
    Raises `Usage` for a wrong one."""
    passphrase, found, doing = secret(PASSPHRASE), dict[str, bytes](), [""]
    with _damage(file, doing):
        for info, body in members(file, doing) if passphrase else ():
            if info.name.startswith("state/"):
                name = info.name.removeprefix("state/").removesuffix(".sealed")
                found[name] = opened(name, body.read(), passphrase)
    return found


def _stored(place: Path, parts: Iterable[bytes]) -> tuple[Path, Member]:
    digest, size = hashlib.sha256(), 0
    with place.open("wb") as f:
        for part in parts:
            f.write(part)
            digest.update(part)
            size += len(part)
    return place, Member(digest.hexdigest(), size)


def config_files(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The district's tables by name of member, and those of which a password was left out."""
    found, redacted = {}, []
    for path in sorted(folder.rglob("*")):
        name = f"config/{path.relative_to(folder).as_posix()}"
        if path.suffix in _SUFFIXES and path.is_file() and _NAME.fullmatch(name):
            body = path.read_bytes()
            if private(body):
                redacted.append(name)
                continue
            found[name] = redact(body) if path.suffix == ".toml" else body
            if found[name] != body:
                redacted.append(name)
    return found, redacted


def _pack(whole: Path, manifest: Manifest, files: dict[str, Path], at: int) -> None:
    opener = os.open(whole, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    with os.fdopen(opener, "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
            body = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
            _add(tar, "manifest.json", io.BytesIO(body), len(body), at)
            for name, path in files.items():
                with path.open("rb") as f:
                    _add(tar, name, f, path.stat().st_size, at)
        out.flush()
        os.fsync(out.fileno())


def _add(tar: tarfile.TarFile, name: str, body: IO[bytes], size: int, at: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, at, 0o600
    tar.addfile(info, body)


@contextmanager
def _damage(file: Path, doing: list[str]) -> Iterator[None]:
    """Faults of the file itself, in our words; doing: the member being read."""
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, OSError, UnicodeError) as e:
        if isinstance(e, OSError) and e.errno is not None:
            raise Usage(
                Text(f"{file}: 读不到：{e.strerror}", f"{file}: cannot be read: {e.strerror}")
            ) from e
        raise _bad(file, doing[0], text_of(e)) from e


def _bad(file: Path, name: str, why: Said) -> Corrupt:
    return Corrupt(
        Text(
            f"{file}: 成员 {name!r}: {zh(why)}；什么也没写",
            f"{file}: member {name!r}: {en(why)}; nothing was written",
        )
    )


def members(file: Path, doing: list[str]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    with tarfile.open(file, "r:gz") as tar:
        for info in tar:
            doing[0] = info.name
            body = tar.extractfile(info) if info.isreg() else None
            if body is None:
                raise _bad(file, info.name, Text("不是普通文件", "is not a plain file"))
            yield info, body


def verify(file: Path, config: Path | None = None) -> Manifest:
    """Read FILE to its end and check every member; write the district's folder to `config`, which
    must be a scratch folder. Raises `Corrupt`, which names the member."""
    doing = ["manifest.json"]
    with _damage(file, doing):
        manifest: Manifest | None = None
        left: dict[str, Member] = {}
        for info, body in members(file, doing):
            if manifest is None:
                manifest = _manifest(file, info, body)
                left = dict(manifest.members)
                continue
            known = left.pop(info.name, None)
            if known is None or not _NAME.fullmatch(info.name):
                why = Text("不该在这里，或出现两次", "does not belong here, or stands here twice")
                raise _bad(file, info.name, why)
            _check(file, info, body, known, config)
        if manifest is None or left:
            raise _bad(file, next(iter(left), "manifest.json"), Text("缺失", "is missing"))
    return manifest


def _manifest(file: Path, info: tarfile.TarInfo, body: IO[bytes]) -> Manifest:
    if info.name != "manifest.json":
        why = Text("第一个应是 manifest.json", "the first must be manifest.json")
        raise _bad(file, info.name, why)
    try:
        found = msgspec.json.decode(body.read(), type=Manifest)
    except msgspec.MsgspecError as e:
        raise _bad(file, info.name, str(e)) from e
    if found.format != FORMAT:
        raise Usage(
            Text(
                f"{file}: 格式 {found.format}，Fengsui {found.fengsui}；本版本读 {FORMAT}：请用"
                "写它的版本恢复",
                f"{file}: format {found.format}, Fengsui {found.fengsui}; this version reads "
                f"{FORMAT}: restore with the version that wrote it",
            )
        )
    if not _ID.fullmatch(found.district):
        why = Text(f"区县 {found.district!r}", f"district {found.district!r}")
        raise _bad(file, info.name, why)
    wanted = {f"records/{t}/{p}.jsonl" for t, e in found.ends.items() for p in range(len(e))}
    for name in {*ORDER} - found.ends.keys() or wanted - found.members.keys():
        raise _bad(file, name, Text("清单里没有", "is not in the manifest"))
    return found


def _check(
    file: Path, info: tarfile.TarInfo, body: IO[bytes], known: Member, config: Path | None
) -> None:
    """One member against the manifest; a topic's lines are lines, in rising order."""
    digest, last, out = hashlib.sha256(), -1, None
    if config is not None and info.name.startswith("config/"):
        place = config / info.name.removeprefix("config/")
        place.parent.mkdir(parents=True, exist_ok=True)
        out = place.open("wb")
    try:
        for text in body:
            digest.update(text)
            if out is not None:
                out.write(text)
            if info.name.startswith("records/"):
                try:
                    row, _ = row_of(text)
                except ValueError as e:
                    why = Text(f"坏行：{zh(e)}", f"a line is damaged: {en(e)}")
                    raise _bad(file, info.name, why) from e
                if row.offset <= last:
                    why = Text(f"{row.offset} 次序不对", f"{row.offset} is out of order")
                    raise _bad(file, info.name, why)
                last = row.offset
    finally:
        if out is not None:
            out.close()
    if digest.hexdigest() != known.sha256 or info.size != known.size:
        raise _bad(file, info.name, Text("校验和不符", "its SHA-256 is not that of the manifest"))
