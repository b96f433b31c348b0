"""What several tests use, by the one it was written for: detect_faults."""

from config.records.district import District
from detectors.detection import Detection
from detectors.stage import Detect
from ingest.observation import Flag, Observation, Observations
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item

MINUTE = 60_000
START = 1_753_524_000_000


def reading(station: str, quantity: str, at: int, value: int, ref: str = "") -> Observation:
    return Observation(
        station=station, quantity=quantity, observed_at=at, value=value, ref=ref, flag=Flag.GOOD
    )


class Line:
    """The stage detect over the partition of one area."""

    def __init__(self, district: District, area: str, frames: dict[str, bytes]) -> None:
        self.group = district.group_of_area[area]
        self._partition = partition_of(self.group, district.partitions)
        self._stage = Detect(district, frames.get)
        self._state = self._stage.new(self._partition)
        self._area = area
        self.step(Run(name="t", kind="exercise", district="yanqing", config="c", start_at=START))

    def step(self, *records: Record) -> list[Detection]:
        """What is said of the area."""
        items = [Item(self._partition, n, "", r) for n, r in enumerate(records)]
        self._state, writes = self._stage.step(self._state, items)
        found = [w.record for w in writes if isinstance(w.record, Detection)]
        return [d for d in found if d.area == self._area]

    def restart(self) -> None:
        """From a snapshot."""
        self._state = self._stage.load(self._partition, self._stage.dump(self._state))

    def hear(self, *items: Observation, clock_at: int | None = None) -> list[Detection]:
        """clock_at: of the clock that follows in the same batch."""
        tick = () if clock_at is None else (Tick(clock_at=clock_at),)
        return self.step(Observations.of(self.group, 0, items), *tick)
