"""A later version of a stage, as an upgrade in a storm brings it and a way back takes it away. It judges as
this one does; what it remembers stands in snapshots of a form that this version cannot read. It reads both."""

from collections.abc import Callable, Sequence
from typing import Any

from stream.records import Record, Run
from stream.stages.stage import Item, Stage, Write

_FORM = b"\xc1a later form\n"  # no MessagePack begins so: whoever takes it for this version's fails at it


class NextVersion:
    """See `stream.stages.stage.Stage`. loaded: called for each snapshot that it takes over, with whether
    this version wrote it."""

    def __init__(self, stage: Stage, loaded: Callable[[bool], None] = lambda _: None) -> None:
        self._stage, self._loaded = stage, loaded
        self.name, self.reads, self.ticks = stage.name, stage.reads, stage.ticks
        self.format = stage.format + 1

    def decode(self, value: bytes) -> Record:
        return self._stage.decode(value)

    def new(self, partition: int) -> Any:
        return self._stage.new(partition)

    def begun(self, state: Any) -> Run | None:
        return self._stage.begun(state)

    def step(self, state: Any, items: Sequence[Item]) -> tuple[Any, list[Write]]:
        return self._stage.step(state, items)

    def dump(self, state: Any) -> bytes:
        return _FORM + self._stage.dump(state)

    def load(self, partition: int, body: bytes) -> Any:
        self._loaded(not body.startswith(_FORM))
        return self._stage.load(partition, body.removeprefix(_FORM))

    def load_pieces(self, partition: int, pieces: Sequence[bytes]) -> Any:
        """Of this version's: the later one writes its memory at once."""
        self._loaded(True)
        return self._stage.load_pieces(partition, pieces)  # type: ignore[attr-defined]
