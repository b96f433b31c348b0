"""The stage detect of one area's partition, record by record."""

from config.records.district import District
from detectors.stage import Detect
from ingest.observation import Observation, Observations
from stream.records import Record, Tick
from stream.stages.stage import Item
from tests.support.decide_district import MIN, T0, run, yanqing


class Room:
    """detect of the partition of one area, record by record."""

    def __init__(self, area: str = "A28", district: District | None = None) -> None:
        self.district = district or yanqing()
        self.stage = Detect(self.district, lambda _: None)
        self.group = self.district.group_of_area[area]
        parts = range(self.district.partitions)
        self.partition = next(p for p in parts if self.group in self.stage.part(p).groups)
        self.state = self.stage.new(self.partition)
        self.feed(run("live"))

    def feed(self, *records: Record) -> list[Record]:
        items = [Item(self.partition, 0, "", r) for r in records]
        self.state, writes = self.stage.step(self.state, items)
        return [w.record for w in writes]

    def again(self) -> None:
        """A restart from a snapshot."""
        self.state = self.stage.load(self.partition, self.stage.dump(self.state))

    def readings(self, station: str, values: dict[float, float], test: str = "") -> Observations:
        quantity = self.district.stations[station].quantity
        items = [
            Observation(
                station=station,
                quantity=quantity,
                observed_at=T0 + round(m * MIN),
                value=round(v * (1000 if quantity == "stage" else 10)),
                test=test,
            )
            for m, v in values.items()
        ]
        return Observations.of(self.group, items[-1].observed_at, items)

    def tick(self, minute: float) -> list[Record]:
        return self.feed(Tick(clock_at=T0 + round(minute * MIN)))
