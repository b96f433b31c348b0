"""What the runner counts of a stage's work, for `stream.metrics`."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prometheus_client import Counter

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
        # looking a row up by its labels costs more than counting in it
        self._read = metrics.RECORDS_IN.labels(stage.name, stage.reads)
        self._hop = metrics.HOP.labels(stage.name)
        self._committed = metrics.COMMIT.labels(stage.name)
        self._owns = metrics.OWNED.labels(stage.name)
        self._written: dict[str, Counter] = {}  # by topic
        self._owned: set[int] | None = None
        if now is not None:
            metrics.LAG_SECONDS.labels(stage.name).set_function(self._behind)

    def _behind(self) -> float:
        """Of the partition that is furthest behind."""
        newest = list(self._newest.values())
        return (self._now() - min(newest)) / 1000 if newest and self._now else 0.0

    def owns(self, partitions: Iterable[int]) -> None:
        """These are ours now."""
        kept = set(partitions)
        if kept == self._owned:
            return
        self._owned = kept
        self._newest = {p: at for p, at in self._newest.items() if p in kept}
        self._owns.set(len(kept))

    def stepped(
        self, partition: int, state: Any, items: Sequence[Item], bad: Sequence[Bad]
    ) -> None:
        """These were stepped, for the first time or again after a failure."""
        name = self._stage.name
        self._read.inc(len(items) + len(bad))
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
                self._hop.observe(max(0, now - received_at) / 1000)
            newest = max(newest, received_at, getattr(item.record, "clock_at", 0))
        if newest:
            self._newest[partition] = newest

    def _wrote(self, topic: str) -> Counter:
        found = self._written.get(topic)
        if found is None:
            found = self._written[topic] = metrics.RECORDS_OUT.labels(self._stage.name, topic)
        return found

    def timed(self, settle: Callable[[], None], steps: Sequence[Step]) -> Callable[[], None]:
        """`settle`, with what it commits counted when it is over."""
        began = time.monotonic()

        def settled() -> None:
            settle()
            self._committed.observe(time.monotonic() - began)
            for step in steps:
                for out in step.outputs:
                    self._wrote(out.topic).inc()

        return settled
