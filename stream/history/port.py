"""The port of history: what archive keeps for charts, hindcast and the after-action report.

Promises of every adapter: `write` is idempotent (the same point again changes nothing, a revision
replaces its value) and durable on return; `series` returns points in order of time.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Point(NamedTuple):
    """One value of one station; `value` counts the resolution of its quantity."""

    station: str
    quantity: str
    observed_at: int
    seq: int  # 0 where the device sends none
    value: int
    flag: int


class Fact(NamedTuple):
    """One record of a later topic (detection, alert, decision, report, delivery, receipt)."""

    topic: str
    partition: int
    offset: int
    kind: str
    area: str
    fact_at: int
    body: str  # JSON


class History(Protocol):
    """The history of one run of one district."""

    def write(self, points: Sequence[Point], facts: Sequence[Fact]) -> None: ...

    def series(self, station: str, quantity: str, start_at: int, end_at: int) -> list[Point]:
        """Points with start_at <= observed_at < end_at, by (observed_at, seq)."""
        ...

    def facts(self, kind: str, start_at: int, end_at: int) -> list[Fact]:
        """Facts of one kind with start_at <= fact_at < end_at, by (fact_at, topic, partition,
        offset)."""
        ...

    def close(self) -> None: ...
