"""What the runner counts of a stage's work, for `stream.metrics`."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stream import metrics
from stream.log.port import Step
from stream.stages.stage import Item, Stage
from stream.stages.stage_memory import Bad


class Meter:
    """Of one member of one stage. `now` None: an exercise, whose times are the scenario's."""

    def __init__(
        self,
        stage: Stage,
        now: Callable[[], int] | None,
        count: Callable[[Any, Sequence[Item]], None] | None,
    ) -> None:
        self._stage = stage
        self._now = now
        self._count = count
        self._newest: dict[int, int] = {}  # partition -> moment of the newest record stepped
        if now is not None:
            metrics.LAG_SECONDS.labels(stage.name).set_function(self._behind)

    def _behind(self) -> float:
        """Of the partition that is furthest behind."""
        newest = list(self._newest.values())
        return (self._now() - min(newest)) / 1000 if newest and self._now else 0.0

    def owns(self, partitions: Iterable[int]) -> None:
        """These are ours now."""
        kept = set(partitions)
        self._newest = {p: at for p, at in self._newest.items() if p in kept}
        metrics.OWNED.labels(self._stage.name).set(len(kept))

    def stepped(
        self, partition: int, state: Any, items: Sequence[Item], bad: Sequence[Bad]
    ) -> None:
        """These were stepped, for the first time or again after a failure."""
        name = self._stage.name
        metrics.RECORDS_IN.labels(name, self._stage.reads).inc(len(items) + len(bad))
        for one in bad:
            metrics.DEAD_LETTERS.labels(name, one.reason).inc()
        if self._count is not None:
            self._count(state, items)
        if self._now is None:
            return
        now, newest = self._now(), self._newest.get(partition, 0)
        for item in items:
            received_at = getattr(item.record, "received_at", 0)
            if received_at:
                metrics.HOP.labels(name).observe(max(0, now - received_at) / 1000)
            newest = max(newest, received_at, getattr(item.record, "clock_at", 0))
        if newest:
            self._newest[partition] = newest

    def timed(self, settle: Callable[[], None], steps: Sequence[Step]) -> Callable[[], None]:
        """`settle`, with what it commits counted when it is over."""
        began = time.monotonic()

        def settled() -> None:
            settle()
            metrics.COMMIT.labels(self._stage.name).observe(time.monotonic() - began)
            for step in steps:
                metrics.count_out(self._stage.name, (out.topic for out in step.outputs))

        return settled
