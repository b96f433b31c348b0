"""What edge nodes say of their own values: quality, stored values, repeats, what ends with a device."""

from typing import Any

from config.records.district import SparkplugRow
from ingest.identify import Register
from ingest.observation import Flag, Observation
from ingest.telemetry.sparkplug.edges import OfEdges
from stream.log.port import Out
from stream.records import Rejected
from tests.support.sparkplug import EDGE, GROUP, district, records_of
from tests.support.sparkplug_bytes import field, metric, payload

NOW = 1_780_000_000_000


def row(device: str, metric_: str, station: str, **more: Any) -> SparkplugRow:
    return SparkplugRow(
        group=GROUP, edge=EDGE, device=device, metric=metric_, station=station, **more
    )


ROWS = (
    row("RTU 1", "Level", "S01"),
    row("RTU 2", "Level", "S02"),
    row("RTU 2", "Batt", "S01", quantity="battery"),
    row("RTU 1", "Rain", "R01"),
)


class Node:
    def __init__(self) -> None:
        of = district(ROWS)
        self._of = OfEdges(of, Register(of), live=True)

    def take(self, kind: str, device: str, body: bytes, now: int = NOW) -> list[Any]:
        tail = f"/{device}" if device else ""
        return list(self._of.take(f"spBv1.0/{GROUP}/{kind}/{EDGE}{tail}", body, now))

    def readings(
        self, kind: str, device: str, body: bytes, now: int = NOW
    ) -> list[tuple[str, int, Flag, str]]:
        found = self.take(kind, device, body, now)
        return [(o.station, o.value, o.flag, o.test) for o in found if isinstance(o, Observation)]

    def born(self) -> "Node":
        self.take("NBIRTH", "", payload(metric("long", 0, name="bdSeq", datatype=8), at=NOW, seq=0))
        return self


def quality(code: int) -> bytes:
    return field(9, field(1, "Quality") + field(2, field(1, 3) + field(3, code)))


def level(value: float = 1.5, at: int = NOW, **more: Any) -> bytes:
    return metric("double", value, name="Level", datatype=10, timestamp=at, **more)


def test_bad_and_stale_values_are_no_readings_of_now() -> None:
    n = Node()
    assert n.readings("DDATA", "RTU 1", payload(level(9.9) + quality(0), seq=1)) == [
        ("S01", 9900, Flag.FAIL, "quality")
    ]
    assert n.readings("DDATA", "RTU 1", payload(level(9.9, NOW + 1) + quality(500), seq=2)) == []
    assert n.readings("DDATA", "RTU 1", payload(level(1.2, NOW + 2) + quality(192), seq=3)) == [
        ("S01", 1200, Flag.GOOD, "")
    ]
    assert n.readings("DDATA", "RTU 1", payload(level(1.2, NOW + 3) + quality(7), seq=4)) == [
        ("S01", 1200, Flag.SUSPECT, "quality")
    ]


def test_a_stored_value_without_its_time_is_a_dead_letter() -> None:
    found = Node().take(
        "DDATA",
        "RTU 1",
        payload(metric("double", 8.0, name="Rain", datatype=10, historical=1), at=NOW, seq=1),
    )
    assert [x.reason for x in found if isinstance(x, Rejected)] == ["no_birth", "bad_time"]


def test_the_same_bytes_of_two_devices_are_two_readings() -> None:
    n, p = Node(), payload(level())
    assert len(n.readings("DDATA", "RTU 1", p)) == 1
    assert len(n.readings("DDATA", "RTU 2", p)) == 1


def test_a_level_that_stays_is_no_repetition_without_numbers() -> None:
    n, p = Node(), payload(metric("double", 1.5, name="Level", datatype=10))
    assert [len(n.readings("DDATA", "RTU 1", p, NOW + k)) for k in (0, 600_000)] == [1, 1]


def test_the_death_of_the_device_of_its_battery_does_not_silence_a_level() -> None:
    n = Node().born()
    _, away, _ = records_of(
        [o for o in n.take("DDEATH", "RTU 2", payload(at=NOW, seq=1)) if isinstance(o, Out)]
    )
    assert {a.stations for a in away} == {("S02",)}


def test_aliases_of_a_dead_device_are_over() -> None:
    n = Node().born()

    def birth(a: int, b: int, seq: int) -> bytes:
        rain = metric("double", 0.0, name="Rain", alias=b, datatype=10, timestamp=NOW)
        return payload(level(alias=a), rain, at=NOW, seq=seq)

    n.take("DBIRTH", "RTU 1", birth(11, 12, 1))
    n.take("DDEATH", "RTU 1", payload(at=NOW, seq=2))
    assert (
        n.readings(
            "DDATA", "RTU 1", payload(metric("double", 3.0, alias=11, timestamp=NOW), at=NOW, seq=3)
        )
        == []
    )
    found = n.take("DBIRTH", "RTU 1", birth(12, 11, 4))
    assert "alias_twice" not in [x.reason for x in found if isinstance(x, Rejected)]
    assert n.readings(
        "DDATA", "RTU 1", payload(metric("double", 3.0, alias=12, timestamp=NOW), at=NOW, seq=5)
    ) == [("S01", 3000, Flag.GOOD, "")]
