"""A log in the memory of one process: for simulations and trials, which must be quick and the same every
time. It forgets all when its process ends.

What would outlive a process stands in a `Disk`: a journal, of which each entry is one append or one
commit, and who owns what. A `MemoryLog` is what one process makes of it; several may stand on one
disk. An entry is in the journal or not, whatever ends the process; it is handed out once the disk
has it, and a loss of power (`Disk.cut`) leaves of the journal what was synced.
"""

import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from config.language import Text
from stream.log.port import (
    Consumer,
    Corrupt,
    Entry,
    Fenced,
    Kept,
    Out,
    Owners,
    Piece,
    Snapshot,
    Step,
    Topic,
    Unavailable,
    damaged,
    partition_of,
)
from stream.log.snapshots.pieces import Laid, needed, newest_intact
from stream.oplog import say

LEASE_S = 10.0  # so long a member that is not heard of keeps its partitions
_Place = tuple[str, int]  # topic, partition
_Of = tuple[str, str, int]  # group, topic, partition


class Moved(NamedTuple):
    """A group's new position, perhaps with a snapshot and its checksum. outputs: so many of the entry's
    records are of this step, in order."""

    of: _Of
    position: int
    outputs: int
    crc: int = 0
    body: bytes | None = None
    piece: Piece | None = None  # of a snapshot in pieces, in place of a body


class Written(NamedTuple):
    """One entry of the journal."""

    records: tuple[tuple[_Place, str, bytes], ...]
    moved: tuple[Moved, ...] = ()


class Disk:
    """What is left when processes end.

    at(what): called at each boundary ("append", "commit": nothing is written; "written": not yet synced;
    "synced": it is durable, and nobody is told yet), and may raise what a machine may do there. now: seconds,
    for leases. lazy: it says that it has what it never synced, as a disk that lies. late: a
    commit takes effect when it is waited for, not when it is begun. torn: only half of a snapshot comes to
    the disk.
    """

    def __init__(
        self,
        at: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.at, self.now = at, now
        self.lazy = self.late = self.torn = False
        self.mutex = threading.RLock()
        self.changed = threading.Condition(self.mutex)  # the journal has more
        self.partitions: dict[str, int] = {}
        self.journal: list[Written] = []
        self.synced = 0
        self.cuts = 0  # so often the power went
        self.joined = 0  # members so far
        # -> member, until; who stands by has a place below 0
        self.owners: dict[_Of, tuple[str, float]] = {}

    def put(self, entry: Written) -> None:
        """Under `mutex`."""
        self.journal.append(entry)
        self.at("written")
        if not self.lazy:
            self.synced = len(self.journal)
        self.at("synced")
        self.changed.notify_all()

    def cut(self) -> None:
        """The power goes: whoever was there is gone, and what was not synced."""
        with self.mutex:
            del self.journal[self.synced :]
            self.owners.clear()
            self.cuts += 1

    def died(self, member: str) -> None:
        """The machine knows that this member's process is gone: by the name that it joined with, or by
        that which it was given."""
        with self.mutex:
            gone = f"{member}/"
            self.owners = {
                of: o for of, o in self.owners.items() if not f"{o[0]}/".startswith(gone)
            }

    def expire(self) -> None:
        """Nobody was heard of for longer than a lease."""
        with self.mutex:
            self.owners = {of: (who, 0.0) for of, (who, _) in self.owners.items()}


class MemoryLog:
    """See `stream.log.port.Log`. waits: does a poll wait for what is not there yet? In simulated time it
    does not."""

    def __init__(self, disk: Disk, topics: dict[str, Topic], *, waits: bool = True) -> None:
        self.disk, self.topics, self.waits = disk, topics, waits
        self._again()
        with disk.mutex:
            for topic in topics.values():
                have = disk.partitions.setdefault(topic.name, topic.partitions)
                if have != topic.partitions:
                    raise Corrupt(
                        Text(
                            f"分区数不符：主题 {topic.name} 有 {have} 个，区县要 {topic.partitions} 个",
                            f"topic {topic.name} has {have} partitions, the district asks for "
                            f"{topic.partitions}",
                        )
                    )

    def _again(self) -> None:
        self._cuts, self._applied = self.disk.cuts, 0
        self._records: dict[_Place, list[Entry]] = {}
        self._ends = {name: [0] * t.partitions for name, t in self.topics.items()}
        self._positions: dict[_Of, int] = {}
        self._snapshots: dict[_Of, list[tuple[int, int, bytes]]] = {}
        self._pieces: dict[_Of, list[tuple[Laid, int]]] = {}  # with the checksum of each

    def look(self) -> None:
        """Take what came into the journal since. What a process that died had written and not synced is
        made sure of by whoever looks next, as a log that is opened again recovers it. Under `Disk.mutex`."""
        disk = self.disk
        there = len(disk.journal)
        if not disk.lazy:
            disk.synced = there
        if self._cuts != disk.cuts:
            self._again()
        if self._applied < there:
            self._apply(disk.journal[self._applied :])

    def _apply(self, entries: Sequence[Written]) -> None:
        for entry in entries:
            for place, key, value in entry.records:
                there = self._records.setdefault(place, [])
                there.append(Entry(place[1], len(there), key, value))
                if place[0] in self.topics:
                    self._ends[place[0]][place[1]] += 1
            for moved in entry.moved:
                self._positions[moved.of] = moved.position
                if moved.body is not None:
                    kept = self._snapshots.setdefault(moved.of, [])
                    kept[:] = [s for s in kept if s[0] != moved.position][-1:]
                    kept.append((moved.position, moved.crc, moved.body))
                if moved.piece is not None:
                    self._lay(moved.of, moved.position, moved.piece, moved.crc)
        self._applied += len(entries)

    def _lay(self, of: _Of, position: int, piece: Piece, crc: int) -> None:
        laid = self._pieces.setdefault(of, [])
        nth = laid[-1][0].nth + 1 if laid else 0
        laid.append((Laid.of(nth, position, piece), crc))
        if piece.point:
            first = needed([one for one, _ in laid]).first
            laid[:] = [(one, c) for one, c in laid if one.nth >= first]

    def placed(self, outputs: Sequence[Out]) -> tuple[tuple[_Place, str, bytes], ...]:
        """Raises KeyError for a place that there is not."""
        found = []
        for out in outputs:
            there = self.topics[out.topic].partitions
            part = partition_of(out.key, there) if out.partition is None else out.partition
            if not 0 <= part < there:
                raise KeyError(f"no partition {part} in topic {out.topic}")
            found.append(((out.topic, part), out.key, out.value))
        return tuple(found)

    def append(self, outputs: Sequence[Out]) -> None:
        if outputs:
            with self.disk.mutex:
                self.disk.at("append")
                self.disk.put(Written(self.placed(outputs)))

    def join(self, topic: str, group: str, member: str) -> Consumer:
        return MemoryConsumer(self, self.topics[topic], group, member)

    def read(self, topic: str, partition: int, offset: int, limit: int = 5000) -> list[Entry]:
        with self.disk.mutex:
            self.look()
            there = self._records.get((topic, partition), [])
            return there[max(0, offset) : max(0, offset) + limit]

    def after(self, topic: str, places: Mapping[int, int], limit: int) -> list[Entry]:
        """As `read`, of several partitions from these offsets on, so many together. Under `Disk.mutex`."""
        self.look()
        found: list[Entry] = []
        for partition, offset in places.items():
            there = self._records.get((topic, partition), ())
            if offset < len(there):
                found += there[offset : offset + limit - len(found)]
        return found

    def ends(self, topic: str) -> list[int]:
        with self.disk.mutex:
            self.look()
            return self._ends[topic].copy()

    def starts(self, topic: str) -> list[int]:
        return [0] * self.topics[topic].partitions

    def positions(self, topic: str, group: str) -> list[int]:
        parts = range(self.topics[topic].partitions)
        with self.disk.mutex:
            self.look()
            return [self._positions.get((group, topic, p), 0) for p in parts]

    def owners(self, topic: str, group: str) -> Owners:
        with self.disk.mutex:
            now, rows = self.disk.now(), self.disk.owners.items()
            ours = {of[2]: o[0] for of, o in rows if of[:2] == (group, topic) and o[1] > now}
            held = tuple(ours.get(p, "") for p in range(self.topics[topic].partitions))
            return Owners(held, tuple(sorted(ours[p] for p in ours if p < 0)))

    def snapshots(self, of: _Of) -> list[tuple[int, int, bytes]]:
        """Position, checksum and body of the last two, the newer one first."""
        with self.disk.mutex:
            self.look()
            return self._snapshots.get(of, [])[::-1]

    def pieces(self, of: _Of) -> list[tuple[Laid, int]]:
        """What is kept of the snapshot in pieces, oldest first, with checksums."""
        with self.disk.mutex:
            self.look()
            return list(self._pieces.get(of, []))

    def kept(self) -> Kept:
        return Kept(1, 1, tuple(self.topics))

    def hold(self, held: bool) -> None:
        """Nothing is dropped here but by `trim`."""

    def trim(self, now_ms: int) -> None:
        """It keeps all: it lives no longer than its process."""

    def close(self) -> None:
        """There is nothing to let go of."""


class MemoryConsumer:
    """See `stream.log.port.Consumer`."""

    def __init__(self, log: MemoryLog, topic: Topic, group: str, member: str) -> None:
        self._log, self._topic, self._group = log, topic, group
        log.disk.joined += 1
        self.member = f"{member}/{log.disk.joined}"  # two members of one name must still be two
        self._standby = self._of(-log.disk.joined)
        self._ofs = [self._of(part) for part in range(topic.partitions)]
        self._committed: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._begun: Sequence[Step] = ()  # a commit that nobody has waited for yet

    def _of(self, part: int) -> _Of:
        return (self._group, self._topic.name, part)

    def poll(self, timeout_s: float, limit: int = 5000) -> list[Entry]:
        disk, waits = self._log.disk, self._log.waits
        until = time.monotonic() + timeout_s if waits else 0.0
        with disk.mutex:
            while True:
                lost = self._lease()
                entries = self._log.after(self._topic.name, self._next, limit)
                for entry in entries:
                    self._next[entry.partition] = entry.offset + 1
                if len(self._next) > 1 and entries:  # the one that came first waits its turn
                    first = next(iter(self._next))
                    self._next[first] = self._next.pop(first)
                left_s = until - time.monotonic() if waits else 0.0
                if entries or lost or left_s <= 0:
                    return entries
                disk.changed.wait(min(left_s, LEASE_S / 20))

    def _lease(self) -> bool:
        """As `stream.log.sqlite_group` does: what was lost is not taken again before the next poll."""
        disk, lost, now = self._log.disk, False, self._log.disk.now()
        for part, of in enumerate(self._ofs):
            owner, until = disk.owners.get(of, ("", 0.0))
            held = part in self._committed
            if owner != self.member and (held or (owner and until > now)):
                lost |= held
                self._drop(part)
                continue
            disk.owners[of] = (self.member, now + LEASE_S)
            if owner != self.member or not held:
                self._place(part)
        disk.owners.pop(self._standby, None)
        if not self._committed:
            disk.owners[self._standby] = (self.member, now + LEASE_S)
        return lost

    def _place(self, part: int) -> None:
        """Where the group stands."""
        at = self._log.positions(self._topic.name, self._group)[part]
        self._committed[part] = self._next[part] = at

    def _drop(self, part: int) -> None:
        self._committed.pop(part, None)
        self._next.pop(part, None)

    def owned(self) -> dict[int, int]:
        return dict(self._committed)

    def rewind(self) -> None:
        with suppress(Fenced, Unavailable):  # where it came to is noted
            self._settle()
        self._next.update(self._committed)

    def snapshot(self, partition: int) -> Snapshot | None:
        of, where = self._of(partition), f"{self._topic.name}/{partition}"
        return newest_intact(
            self._log.snapshots(of),
            self._log.pieces(of),
            lambda which: say(self._group, damaged(f"{where}/{which}")),
        )

    def commit(
        self, partition: int, position: int, outputs: Sequence[Out], snapshot: bytes | None = None
    ) -> None:
        self.commit_all([Step(partition, position, outputs, snapshot)])()

    def commit_all(self, steps: Sequence[Step]) -> Callable[[], None]:
        """All in one entry of the journal."""
        if self._log.disk.late:
            self._begun = steps
            return self._settle
        self._commit(steps)
        return lambda: None

    def _settle(self) -> None:
        steps, self._begun = self._begun, ()
        if steps:
            self._commit(steps)

    def _commit(self, steps: Sequence[Step]) -> None:
        disk = self._log.disk
        with disk.mutex:
            try:
                disk.at("commit")
                for step in steps:
                    self._check(step.partition)
                records = tuple(r for s in steps for r in self._log.placed(s.outputs))
                disk.put(Written(records, tuple(map(self._moved, steps))))
                for step in steps:
                    self._committed[step.partition] = step.position
            except Exception:
                self._stand(steps)
                raise

    def _stand(self, steps: Sequence[Step]) -> None:
        """After an error: each partition stands where its commit came to, and is read on from there."""
        for step in steps:
            if step.partition in self._committed:
                self._place(step.partition)

    def _check(self, part: int) -> None:
        """Raises Fenced."""
        owner, _ = self._log.disk.owners.get(self._of(part), ("", 0.0))
        if owner != self.member or part not in self._committed:
            self._drop(part)
            what = f"{self._topic.name}/{part}"
            raise Fenced(Text(f"{self.member} 已失去 {what}", f"{self.member} lost {what}"))

    def _moved(self, step: Step) -> Moved:
        body, piece = step.snapshot, step.piece
        crc = zlib.crc32(body if body is not None else piece.body if piece is not None else b"")
        if self._log.disk.torn:
            body = None if body is None else body[: len(body) // 2]
            piece = piece and piece._replace(body=piece.body[: len(piece.body) // 2])
        return Moved(self._of(step.partition), step.position, len(step.outputs), crc, body, piece)

    def close(self) -> None:
        self.rewind()
        self._log.disk.died(self.member)
        self._committed.clear()
        self._next.clear()
