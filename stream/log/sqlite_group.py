"""One member of a group on the embedded log: what `stream.log.sqlite` hands out by `join`. Partitions
are owned by lease, and the lease is checked in the transaction that commits."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Protocol

from config.language import Text
from stream.log.port import Entry, Fenced, Out, Owners, Snapshot, Step, Topic, Unavailable
from stream.log.snapshots.sqlite_rows import keep, newest

LEASE_S = 10.0


class SqliteLogOfMember(Protocol):
    """What a member asks of the log that it belongs to (`stream.log.sqlite`)."""

    path: Path

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]: ...

    def transaction(
        self, topics: Iterable[str] = ()
    ) -> AbstractContextManager[sqlite3.Connection]: ...

    def insert(self, db: sqlite3.Connection, outputs: Sequence[Out]) -> None: ...

    def read(self, topic: str, partition: int, offset: int, limit: int = 5000) -> list[Entry]: ...

    def writes(self, topic: str) -> int: ...

    def wait(self, topic: str, timeout_s: float, seen: int) -> None: ...


def _over() -> None:
    """A commit that was over when it was begun."""


class SqliteConsumer:
    """See `stream.log.Consumer`."""

    def __init__(self, log: SqliteLogOfMember, topic: Topic, group: str, member: str) -> None:
        self._log = log
        self._topic = topic
        self._group = group
        # two members of one name must still be two
        self._member = f"{member}/{os.getpid()}/{id(self):x}"
        self._committed: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._leased_at = self._idle_at = -LEASE_S
        self._idle = False  # others can read that we stand by

    def poll(self, timeout_s: float, limit: int = 5000) -> list[Entry]:
        deadline = time.monotonic() + timeout_s
        while True:
            lost = self._lease()
            # what is written while we read is not waited for
            seen = self._log.writes(self._topic.name)
            entries: list[Entry] = []
            for part in self._next:
                if len(entries) < limit:
                    entries += self._log.read(
                        self._topic.name, part, self._next[part], limit - len(entries)
                    )
            if entries:
                for entry in entries:
                    self._next[entry.partition] = entry.offset + 1
                # the partition that came first waits its turn
                if len(self._next) > 1:
                    first = next(iter(self._next))
                    self._next[first] = self._next.pop(first)
                return entries
            left = deadline - time.monotonic()
            if lost or left <= 0:
                return []
            self._log.wait(self._topic.name, left, seen)

    def owned(self) -> dict[int, int]:
        return dict(self._committed)

    def _lease(self) -> bool:
        """Renew what we own, take what is free. True where something was lost: what is free again by then is
        not taken before the next poll, so that whoever remembers something of it hears that another had it."""
        now = time.monotonic()
        full = len(self._committed) == self._topic.partitions
        if now - self._leased_at < (LEASE_S / 4 if full else LEASE_S / 20):
            return False
        self._leased_at, lost = now, False
        with self._log.transaction() as db:
            held = {
                row[0]: (row[1], row[2], row[3])
                for row in db.execute(
                    "SELECT part, member, pid, until FROM leases WHERE grp=? AND topic=?",
                    (self._group, self._topic.name),
                )
            }
            for part in range(self._topic.partitions):
                owner, pid, until = held.get(part, ("", 0, 0.0))
                mine = owner == self._member
                taken = not mine and owner and until > time.time() and _alive(pid)
                if taken or (not mine and part in self._committed):
                    lost |= part in self._committed
                    self._drop(part)
                    continue
                if mine and part not in self._committed:
                    mine = False
                db.execute(
                    "INSERT OR REPLACE INTO leases VALUES (?,?,?,?,?,?)",
                    (
                        self._group,
                        self._topic.name,
                        part,
                        self._member,
                        os.getpid(),
                        time.time() + LEASE_S,
                    ),
                )
                if not mine:
                    row = db.execute(
                        "SELECT pos FROM positions WHERE grp=? AND topic=? AND part=?",
                        (self._group, self._topic.name, part),
                    ).fetchone()
                    self._committed[part] = self._next[part] = row[0] if row else 0
            self._say_idle(db, now)
        return lost

    def _say_idle(self, db: sqlite3.Connection, now: float) -> None:
        """Who stands by is written down for whoever looks, as seldom as it may be: each time is an fsync."""
        if not self._committed and now - self._idle_at >= LEASE_S / 2:
            row = (self._group, self._topic.name, self._member, os.getpid(), time.time() + LEASE_S)
            db.execute("INSERT OR REPLACE INTO idle VALUES (?,?,?,?,?)", row)
            db.execute("DELETE FROM idle WHERE until<?", (time.time() - LEASE_S,))
            self._idle, self._idle_at = True, now
        elif self._committed and self._idle:
            self._not_idle(db)

    def _not_idle(self, db: sqlite3.Connection) -> None:
        where = (self._group, self._topic.name, self._member)
        db.execute("DELETE FROM idle WHERE grp=? AND topic=? AND member=?", where)
        self._idle, self._idle_at = False, -LEASE_S

    def _drop(self, part: int) -> None:
        self._committed.pop(part, None)
        self._next.pop(part, None)

    def rewind(self) -> None:
        self._next.update(self._committed)

    def snapshot(self, partition: int) -> Snapshot | None:
        return newest(self._log.ask, (self._group, self._topic.name, partition), self._log.path)

    def commit(
        self,
        partition: int,
        position: int,
        outputs: Sequence[Out],
        snapshot: bytes | None = None,
    ) -> None:
        self.commit_all([Step(partition, position, outputs, snapshot)])

    def commit_all(self, steps: Sequence[Step]) -> Callable[[], None]:
        """All in one transaction, thus with one fsync; over when this returns."""
        done = False
        try:
            with self._log.transaction({out.topic for s in steps for out in s.outputs}) as db:
                for step in steps:
                    self._write(db, step)
            done = True
        finally:
            for step in steps:
                if step.partition in self._committed:
                    if done:
                        self._committed[step.partition] = step.position
                    else:  # read the batch again
                        self._next[step.partition] = self._committed[step.partition]
        return _over

    def _write(self, db: sqlite3.Connection, step: Step) -> None:
        where = (self._group, self._topic.name, step.partition)
        row = db.execute(
            "SELECT member FROM leases WHERE grp=? AND topic=? AND part=?", where
        ).fetchone()
        if row is None or row[0] != self._member or step.partition not in self._committed:
            self._drop(step.partition)
            raise Fenced(
                Text(
                    f"{self._member} 已失去 {self._topic.name}/{step.partition}",
                    f"{self._member} lost {self._topic.name}/{step.partition}",
                )
            )
        self._log.insert(db, step.outputs)
        db.execute("INSERT OR REPLACE INTO positions VALUES (?,?,?,?)", (*where, step.position))
        keep(db, where, step)

    def close(self) -> None:
        """A log that cannot be written keeps the lease: it ends by itself in `LEASE_S`."""
        with suppress(Unavailable), self._log.transaction() as db:
            db.execute(
                "DELETE FROM leases WHERE grp=? AND topic=? AND member=?",
                (self._group, self._topic.name, self._member),
            )
            self._not_idle(db)
        self._committed.clear()
        self._next.clear()


def owners_of(ask: Callable[..., list[tuple[Any, ...]]], topic: Topic, group: str) -> Owners:
    """Who has which partition of a topic in a group. ask: see `SqliteLogOfMember`."""
    held, gone_at = [""] * topic.partitions, [0] * topic.partitions
    where, now = (group, topic.name), time.time()
    question = "SELECT part, member, pid, until FROM leases WHERE grp=? AND topic=?"
    for part, member, pid, until in ask(question, *where):
        if until > now and _alive(pid):
            held[part] = member
        else:
            gone_at[part] = int((until - LEASE_S) * 1000)
    idle = ask("SELECT member, pid, until FROM idle WHERE grp=? AND topic=?", *where)
    standby = (member for member, pid, until in idle if until > now and _alive(pid))
    return Owners(tuple(held), tuple(sorted(standby)), tuple(gone_at))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
