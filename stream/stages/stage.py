"""What a stage is: the face that the runner (`stream.stages.runner`) drives.

A stage is pure: its memory is an argument, time is an event (`Tick`, `Mark`), its parameters are
the object. How the records fall into batches must not show in what it writes: two steps over the
halves of a batch write the same records, in the same order, as one step over the whole.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from stream.log.port import Piece
from stream.records import Record, Run


class Item(NamedTuple):
    """A decoded record, with where it stood."""

    partition: int
    offset: int
    key: str
    record: Any


class Write(NamedTuple):
    """A record to write. `partition` None: derived from the key."""

    topic: str
    key: str
    record: Record
    partition: int | None = None


class Stage(Protocol):
    """One stage of the line.

    name: the consumer group. reads: the topic. format: the version of the snapshot's form. It rises with each
    change that a version before could not load: that one leaves a newer format aside and rebuilds from the
    log, so that going back ends no stage. An older format is loaded where `load` can, else rebuilt too.
    ticks: in a live run the runner puts a Tick into the stage's own partitions this often
    (seconds); 0 for never. An exercise's time comes down the line.
    """

    name: str
    reads: str
    format: int
    ticks: float

    def decode(self, value: bytes) -> Record:
        """Raises msgspec.MsgspecError for a record that is not of the topic."""
        ...

    def new(self, partition: int) -> Any:
        """The memory of a partition of which nothing has been read."""
        ...

    def begun(self, state: Any) -> Run | None:
        """What the memory knows of the run: the first `Run` that it was given."""
        ...

    def step(self, state: Any, items: Sequence[Item]) -> tuple[Any, list[Write]]:
        """Take records in order, return the new memory (it may be the same object, changed) and
        what to write."""
        ...

    def dump(self, state: Any) -> bytes: ...

    def load(self, partition: int, body: bytes) -> Any: ...


@runtime_checkable
class InPieces(Protocol):
    """Of a stage whose memory may be large: its snapshots come in pieces (`stream.log.port.Piece`), which are
    written one after another while it goes on. Which pieces a memory still needs is counted in the object that
    `new`, `load` or `load_pieces` gave, from its first piece on."""

    def piece(self, state: Any, *, whole: bool) -> Piece:
        """The next piece, with what changed since the one before, as far as it has room; whole: all of it."""
        ...

    def full(self, state: Any) -> bool:
        """Has so much changed that it fills a piece?"""
        ...

    def load_pieces(self, partition: int, pieces: Sequence[bytes]) -> Any:
        """The memory of these pieces, oldest first, all up to a point."""
        ...
