"""The port of the durable log: ordered, partitioned topics that every stage reads and writes.

Words. A **record** is a key and a value (bytes, JSON). Records of one key keep their order. An
**offset** counts within a partition and only rises (it may have gaps). A consumer's **position** is
the offset of the next record it will be given. A **group** is all members that share the work of
one stage on one topic; each partition has at most one owner in a group.

Promises of every adapter:

- `append` returns when the records are durable; all of them or none are in the log.
- `Consumer.commit` makes the outputs, the new position and (where given) the snapshot visible
  together, or not at all. After a crash anywhere the group continues from the last commit, and a
  member that has lost its partition cannot commit (`Fenced`).
- `poll` returns as soon as anything is there, and after `timeout_s` at the latest.
- `read` needs no group and sees only committed records, from any position that is still kept.
- Nothing is ever handed out before it is durable.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from zlib import crc32

from config.language import Text

# for how long a system's logs are kept at least: Cybersecurity Law of the PRC, article 21 (3), six months
SIX_MONTHS_DAYS = 184
ACCOUNTS = (
    "dead-letters",
    "alerts",
    "deliveries",
    "ledger",
)  # what was refused, decided, said, and by whom


class Topic(NamedTuple):
    """A topic, its partitions and how long its records are kept."""

    name: str
    partitions: int
    retention_h: int = 24 * 30


class Out(NamedTuple):
    """A record to write. `partition` None: the adapter derives it from the key (`partition_of`)."""

    topic: str
    key: str
    value: bytes
    partition: int | None = None


class Entry(NamedTuple):
    """A record as read."""

    partition: int
    offset: int
    key: str
    value: bytes


class Snapshot(NamedTuple):
    """A stage's memory after every record before `position`: in one body, or in pieces, oldest first."""

    position: int
    body: bytes
    pieces: tuple[bytes, ...] = ()


class Piece(NamedTuple):
    """A part of a memory that is too large to be written at once. point: with it the memory after every record
    before its step's position is whole. back: so many pieces before it are needed with it."""

    body: bytes
    point: bool
    back: int


class Step(NamedTuple):
    """What one commit makes visible of one partition: outputs, the new position, perhaps a
    snapshot, or a piece of one. A stage has its snapshots in pieces or not."""

    partition: int
    position: int
    outputs: Sequence[Out]
    snapshot: bytes | None = None
    piece: Piece | None = None


class Kept(NamedTuple):
    """What a log has of a record when it says that it has it, as it is set up now."""

    copies: int  # of each partition, on machines of their own; of the topic with the fewest
    answering: int  # so many have a record before it is acknowledged
    unsynced: tuple[str, ...] = ()  # topics whose records are acknowledged before a disk has them
    unknown: tuple[str, ...] = ()  # topics of which it could not be asked


class Owners(NamedTuple):
    """Who shares a group's work on one topic now."""

    held: tuple[str, ...]  # a partition each, the member that has it; "": nobody
    standby: tuple[str, ...] = ()  # members that have none
    # a partition each, ms: its last owner was heard of then; 0: not known
    gone_at: tuple[int, ...] = ()
    moving: bool = False  # partitions are being handed out just now: `held` says nothing


class Fenced(Exception):
    """This member no longer owns the partition: forget the state and join again."""


class Unavailable(OSError):
    """The log cannot be reached or written now (disk full, broker away): nothing was written, try
    again later. The message says what to do."""


class Corrupt(Exception):
    """The log or a snapshot fails its check; the message names it and says what to do."""


class Consumer(Protocol):
    """One member of a group on one topic."""

    def poll(self, timeout_s: float, limit: int = 5000) -> list[Entry]:
        """Records after the position, in offset order within each partition; never of a partition
        that this member does not own. Returns [] after `timeout_s` if there is nothing."""
        ...

    def owned(self) -> dict[int, int]:
        """Partitions owned now -> committed position. Changes only inside `poll`."""
        ...

    def rewind(self) -> None:
        """Forget what was handed out and not committed: the next poll hands it out again."""
        ...

    def snapshot(self, partition: int) -> Snapshot | None:
        """The newest intact snapshot of this group and partition. One in pieces is none before its point is
        there."""
        ...

    def commit(
        self,
        partition: int,
        position: int,
        outputs: Sequence[Out],
        snapshot: bytes | None = None,
    ) -> None:
        """Outputs, position and snapshot in one step. Raises `Fenced`."""
        ...

    def commit_all(self, steps: Sequence[Step]) -> Callable[[], None]:
        """Begin to commit several partitions, each as `commit` does; the function returned waits
        for the end and raises as `commit` does. Until it is called, the member may poll and work
        on, but not commit. After an error each partition stands where its own commit came to."""
        ...

    def close(self) -> None:
        """Leave the group, so that another member takes over at once."""
        ...


class Log(Protocol):
    """The log of one run of one district."""

    topics: dict[str, Topic]

    def append(self, outputs: Sequence[Out]) -> None:
        """Write a batch; durable on return."""
        ...

    def join(self, topic: str, group: str, member: str) -> Consumer:
        """Become a member. A member without a partition stands by until one is free."""
        ...

    def read(self, topic: str, partition: int, offset: int, limit: int = 5000) -> list[Entry]:
        """Committed records from `offset` on (or from the oldest kept), in order."""
        ...

    def ends(self, topic: str) -> list[int]:
        """The offset after the last committed record, a partition each."""
        ...

    def starts(self, topic: str) -> list[int]:
        """The oldest offset kept, a partition each."""
        ...

    def positions(self, topic: str, group: str) -> list[int]:
        """The committed position of a group, a partition each (0 before the first commit)."""
        ...

    def owners(self, topic: str, group: str) -> Owners:
        """Who has which partition in a group, and who stands by. A member is called by the name that it
        joined with, then where it is, with a slash between."""
        ...

    def kept(self) -> Kept:
        """What its acknowledgement is worth when the power goes, asked now."""
        ...

    def trim(self, now_ms: int) -> None:
        """Drop what is older than each topic's retention, but never what a group has not read or
        what comes after the older of its last two snapshots. A no-op where the server does it."""
        ...

    def hold(self, held: bool) -> None:
        """Of a server that drops what is past its retention by itself: from now on nothing (`held`), or
        again as each topic says. A no-op where `trim` does it, which is then not called. Raises
        Unavailable: it may not be changed by this user."""
        ...

    def close(self) -> None: ...


def topics(partitions: int = 4, days: Mapping[str, int] | None = None) -> dict[str, Topic]:
    """Every topic of the line. `cases` and `alerts` have one partition: a district's decisions have
    one owner, so that incidents are numbered and nothing needs a lock; they carry few records.

    days: topic -> how long its records are kept, where the district says otherwise."""
    rows = (
        Topic("observations", partitions),
        Topic("dead-letters", 1, 24 * SIX_MONTHS_DAYS),
        Topic("cases", 1),
        Topic("alerts", 1, 24 * 365 * 10),
        Topic("deliveries", 1, 24 * 365 * 10),
        Topic("ledger", 2, 24 * 365 * 10),  # a chain a partition: of `alerts`, of `deliveries`
    )
    kept = days or {}
    return {
        row.name: row._replace(retention_h=24 * kept[row.name]) if row.name in kept else row
        for row in rows
    }


def dropped_early(days: Mapping[str, int]) -> list[str]:
    """Which of `ACCOUNTS` a district drops before six months are over, by its `retention_days`."""
    return [name for name in ACCOUNTS if days.get(name, SIX_MONTHS_DAYS) < SIX_MONTHS_DAYS]


def damaged(where: str) -> Text:
    """What an adapter says of a snapshot that is not whole."""
    return Text(
        f"快照 {where} 损坏，不用；改读更早的快照或日志开头，启动会慢一些。请检查磁盘",
        f"the snapshot {where} is damaged and left aside; an older one, or the log from "
        "its beginning, is read instead: the start takes longer. Check the disk",
    )


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, the same in every adapter and process."""
    return crc32(key.encode()) % partitions
