"""detect and decide stepped in memory: the very stages of the line, without broker and log.

For `check` (a district's scenarios), `simulate --score` and the benchmark.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from config.records.district import District
from detectors.detection import Detection
from detectors.stage import Detect
from dispatch.decide.stage import Decide
from dispatch.records import Alert
from dispatch.signatures.proof import Trust
from ingest.observation import Observation, Observations
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item


class Inline:
    """The first half of the line for one run; `slot` is one step of its clock."""

    def __init__(
        self,
        district: District,
        run: Run,
        frame: Callable[[str], bytes | None] = lambda _: None,
    ) -> None:
        self._district = district
        self._detect = Detect(district, frame)
        self._decide = Decide(district, lambda: Trust(district=district.id, eras=()))
        self._states: dict[int, Any] = {p: self._detect.new(p) for p in range(district.partitions)}
        self._cases = self._decide.new(0)
        self._offset = 0
        self.detections: list[Detection] = []
        self.alerts: list[Alert] = []
        self._all([run])

    def _items(self, partition: int, records: Iterable[tuple[str, Record]]) -> list[Item]:
        items = []
        for key, record in records:
            items.append(Item(partition, self._offset, key, record))
            self._offset += 1
        return items

    def _all(self, records: Sequence[Record]) -> None:
        for partition in self._states:
            self._step(partition, [("", r) for r in records])

    def _step(self, partition: int, records: list[tuple[str, Record]]) -> None:
        self._states[partition], writes = self._detect.step(
            self._states[partition], self._items(partition, records)
        )
        self.detections += [w.record for w in writes if isinstance(w.record, Detection)]
        cases = [(w.key, w.record) for w in writes if w.topic == "cases"]
        self._cases, out = self._decide.step(self._cases, self._items(0, cases))
        self.alerts += [w.record for w in out if isinstance(w.record, Alert)]

    def slot(self, observations: Sequence[Observation], clock_at: int) -> None:
        """Readings in order of arrival, then the clock."""
        groups: dict[str, list[Observation]] = defaultdict(list)
        for o in observations:
            for group in self._district.groups_of_station.get(o.station, ()):
                groups[group].append(o)
        for group, items in groups.items():
            batch = Observations.of(group, clock_at, items)
            partition = partition_of(group, self._district.partitions)
            self._step(partition, [(group, batch)])
        self._all([Tick(clock_at=clock_at)])
