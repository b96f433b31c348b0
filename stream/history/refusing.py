"""The port of a history that may refuse a point for good, besides `stream.history.History`."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Refusing(Protocol):
    """A history whose server has rules of its own (retention, field types). Its `write` keeps all
    else of a batch, and returns; only what may be tried again raises Unavailable."""

    def refused(self) -> list[str]:
        """What was refused since the last call, in words, an item each."""
        ...
