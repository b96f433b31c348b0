"""A backup into a new run, on any log: `fengsui restore`.

Topics go back from the end of the line to its beginning, and each group's position is set as soon
as its topic stands: a restore that is cut off leaves nothing that would be sent a second time.
Offsets are another log's in the new one: a position is carried over as the number of records before
it. While it works every group is joined, so that no stage starts on what is half there. What a stage
remembered it rebuilds itself, from the records before its position.
"""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config.language import Said, Text, en, text_of, zh
from config.load import ConfigError, load
from config.records.district import District
from fengsui.files.backup import ORDER, Manifest, groups_of, members, row_of, unsealed, verify
from fengsui.files.photographs import brought_back, photographs
from fengsui.files.sealed_state import PASSPHRASE, put_back
from fengsui.run.processes import member
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, shown
from fengsui.run.signing import adopt, places
from stream.environment import Usage
from stream.log.port import Consumer, Fenced, Log, Out, Unavailable

_HOLD_S = 2.0  # so often a member shows that it is alive (a lease lasts 10 s)
_JOIN_S = 40.0  # longer than the session of a stage that was killed
_VISIBLE_S = 15.0  # Kafka shows a transaction a little after it is committed
_BATCH, _BATCH_BYTES = 2000, 4_000_000


def restore(
    file: Path,
    into: str,
    make: Callable[[District, str], Setup],
    say: Callable[[Said], None] | None = None,
    *,
    new_history: bool = False,
) -> Setup:
    """Put FILE into a run that has no records (`into`, else the run it came from).

    make: (district, run) -> setup. new_history: archive begins anew, for a history that was lost
    too. Raises `Corrupt` and `Usage` before anything is written, `Unavailable` where the log fails.
    """
    with tempfile.TemporaryDirectory(prefix="fengsui-restore-") as scratch:
        tables = Path(scratch) / "tables"
        manifest = verify(file, tables)
        # a district is called what its folder is called
        folder = tables.rename(Path(scratch) / manifest.district)
        try:
            district = load(folder)
        except ConfigError as e:
            raise Usage(f"{file}: " + text_of(e)) from e
        if district.version != manifest.config and not manifest.redacted:
            raise Usage(
                Text(
                    f"{file}: 表的版本是 {district.version}，运行的是 {manifest.config}：备份时改过"
                    "，请另做一份",
                    f"{file}: the tables are version {district.version}, the run's were "
                    f"{manifest.config}: they changed while the backup was made; take another",
                )
            )
        setup, state = make(district, into or manifest.run), unsealed(file)
        if setup.run.kind != manifest.kind:
            raise Usage(
                Text(
                    f"{file}: {manifest.kind} 的备份不能放进 {setup.run.kind} 的 {setup.run.name}："
                    "实战与演练不能互换，预警会被当成另一种",
                    f"{file}: a backup of kind {manifest.kind} does not go into {setup.run.name}, "
                    f"of kind {setup.run.kind}: its warnings would be taken for another",
                )
            )
        log = open_run_log(setup)
        try:
            _refuse(log, setup, manifest)
            with _held(log) as held:
                for (topic, _), consumer in held.of.items():
                    if any(consumer.owned().values()):  # its records may be past their retention
                        raise _not_new(setup, topic)
                try:
                    where = _put_all(file, log, manifest, held, say, new_history)
                    if manifest.signers is not None:
                        adopt(setup, manifest.signers, where, log.ends("cases")[0])
                except (Fenced, OSError) as e:
                    raise Unavailable(
                        Text(
                            f"{setup.run.name}: 只恢复了一部分，不要启动；恢复到别的运行，或把它移开："
                            f"{zh(e)}",
                            f"{setup.run.name}: is half restored, do not start it; restore into another "
                            f"run, or move this one away: {en(e)}",
                        )
                    ) from e
            _keep_config(folder, setup.folder / "config" / district.id)
            written = put_back(setup, state)
            if say is not None:
                _tell_state(manifest, written, state, say)
                for text in brought_back(photographs(setup, log)):
                    say("  " + text)
        finally:
            log.close()
    return setup


def _tell_state(
    manifest: Manifest, written: list[str], state: dict[str, bytes], say: Callable[[Said], None]
) -> None:
    for name in written:
        say(Text(f"  {name}: 已放回", f"  {name}: put back"))
    for name in state.keys() - set(written):
        say(Text(f"  {name}: 已有，未动", f"  {name}: stands there already, left alone"))
    left = [n for n in manifest.members if n.startswith("state/")] if not state else []
    if left:
        say(
            Text(
                f"  {', '.join(left)}: 需要 {PASSPHRASE}_FILE 里的口令，账户没有放回",
                f"  {', '.join(left)}: needs {PASSPHRASE}_FILE, accounts were not put back",
            )
        )


def _refuse(log: Log, setup: Setup, manifest: Manifest) -> None:
    """Raises Usage unless the run is new and of the same shape."""
    for name, topic in log.topics.items():
        if name not in manifest.ends:  # made before there was this topic: it begins anew
            continue
        if len(manifest.ends[name]) != topic.partitions:
            raise Usage(
                Text(
                    f"{name}: 备份有 {len(manifest.ends[name])} 个分区，配置为 {topic.partitions} 个",
                    f"{name}: the backup has {len(manifest.ends[name])} partitions, the config says "
                    f"{topic.partitions}",
                )
            )
        if any(log.read(name, p, 0, 1) for p in range(topic.partitions)):
            raise _not_new(setup, name)


def _not_new(setup: Setup, topic: str) -> Usage:
    return Usage(
        Text(
            f"运行 {setup.run.name} 已有记录（{topic}，{shown(setup.log)}）：恢复只进空的运"
            "行；用 --into NAME，或把旧的移开",
            f"the run {setup.run.name} has records already ({topic}, {shown(setup.log)}): "
            "restore only goes into a new run: --into NAME, or move the old one away",
        )
    )


class HeldGroups:
    """Membership of every group, so that no stage works on what is half there."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.of: dict[tuple[str, str], Consumer] = {}
        self._at = 0.0

    def join(self) -> None:
        for topic in ORDER:
            for group in groups_of(topic):
                self.of[topic, group] = self._log.join(topic, group, f"restore-{member()}")
        deadline = time.monotonic() + _JOIN_S
        while True:
            self.stay(0.0)
            wanting = [
                f"{group}/{topic}"
                for (topic, group), c in self.of.items()
                if len(c.owned()) < self._log.topics[topic].partitions
            ]
            if not wanting:
                return
            if time.monotonic() > deadline:
                raise Usage(
                    Text(
                        f"{', '.join(wanting)}: 有进程在用这个运行，先停掉所有环节；什么也没写",
                        f"{', '.join(wanting)}: a process works on this run; stop every stage first; "
                        "nothing was written",
                    )
                )

    def stay(self, every_s: float = _HOLD_S) -> None:
        """Keep the partitions."""
        if time.monotonic() - self._at >= every_s:
            for consumer in self.of.values():
                consumer.poll(0.02, 1)
            self._at = time.monotonic()

    def close(self) -> None:
        for consumer in self.of.values():
            consumer.close()


@contextmanager
def _held(log: Log) -> Iterator[HeldGroups]:
    held = HeldGroups(log)
    try:
        held.join()
        yield held
    finally:
        held.close()


class _Seen:
    """How many records, and what they were."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()

    def add(self, key: str, value: bytes) -> None:
        name = key.encode()
        self._digest.update(b"%d %d " % (len(name), len(value)) + name + value)
        self.count += 1

    def mark(self) -> tuple[int, bytes]:
        return self.count, self._digest.digest()


def _put_all(
    file: Path,
    log: Log,
    manifest: Manifest,
    held: HeldGroups,
    say: Callable[[Said], None] | None,
    new_history: bool,
) -> list[int]:
    """The places that the list of signers names, in this log."""
    named = places(manifest.signers) if manifest.signers is not None else []
    marks = {f"signers {n}": place for n, place in enumerate(named)}
    begins = dict.fromkeys(marks, 0)
    doing = [""]
    for info, body in members(file, doing):
        if not info.name.startswith("records/"):
            continue
        _, topic, name = info.name.split("/")
        part = int(name.removesuffix(".jsonl"))
        stood = {g.group: g.positions[part] for g in manifest.groups if g.topic == topic}
        if new_history:
            stood["archive"] = 0
        if topic == "cases":
            stood |= marks
        seen, before = _put(log, topic, part, body, held, stood)
        for group, position in _mapped(log, topic, part, seen, before, held).items():
            if group in marks:
                begins[group] = position
            else:
                held.of[topic, group].commit(part, position, [])
        if say is not None:
            say(
                Text(
                    f"  {topic}/{part}: {seen.count} 条记录",
                    f"  {topic}/{part}: {seen.count} records",
                )
            )
    return list(begins.values())


def _put(
    log: Log, topic: str, part: int, body: IO[bytes], held: HeldGroups, stood: dict[str, int]
) -> tuple[_Seen, dict[str, int]]:
    """Append a member; what it was, and how many of its records each group had read."""
    seen, before = _Seen(), dict.fromkeys(stood, 0)
    batch: list[Out] = []
    size = 0
    for text in body:
        row, value = row_of(text)
        for group, position in stood.items():
            before[group] += row.offset < position
        seen.add(row.key, value)
        batch.append(Out(topic, row.key, value, part))
        size += len(value)
        if len(batch) >= _BATCH or size >= _BATCH_BYTES:
            log.append(batch)
            batch, size = [], 0
            held.stay()
    log.append(batch)
    return seen, before


def _mapped(
    log: Log, topic: str, part: int, seen: _Seen, before: dict[str, int], held: HeldGroups
) -> dict[str, int]:
    """Read back what was written, and where each group stands in it."""
    back, found = _Seen(), {}
    at, deadline = 0, time.monotonic() + _VISIBLE_S
    while True:
        entries = log.read(topic, part, at)
        held.stay()
        if not entries:
            if back.count >= seen.count or time.monotonic() > deadline:
                break
            time.sleep(0.05)
            continue
        for entry in entries:
            back.add(entry.key, entry.value)
            for group, count in before.items():
                if count == back.count:
                    found[group] = entry.offset + 1
        at = entries[-1].offset + 1
    if back.mark() != seen.mark():
        raise Unavailable(
            Text(
                f"{topic}/{part}: 写入的与读回的不同：另有程序在写这个运行；停掉它，恢复到新的运行",
                f"{topic}/{part}: what was read back is not what was written: another program "
                "writes into this run; stop it and restore into a new run",
            )
        )
    return found


def _keep_config(scratch: Path, place: Path) -> None:
    """Beside the run's data, unless something stands there."""
    if not place.exists():
        for path in sorted(p for p in scratch.rglob("*") if p.is_file()):
            target = place / path.relative_to(scratch)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
