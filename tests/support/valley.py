"""What several tests use, by the one it was written for: a valley of gauges on one river."""

import msgspec

from config.records.district import District
from config.records.reaches import Reach
from config.records.rules import RuleRow
from detectors.detection import Detection
from detectors.stage import Detect
from ingest.observation import Observation, Observations, Service
from stream.log.port import partition_of
from stream.records import Record, Run, Tick
from stream.stages.stage import Item, Write
from tests.support.districts import yanqing

MINUTE = 60_000
T0 = 1_787_760_000_000  # 2026-08-26 20:00 in Beijing
GROUP = "g-A01"
# gauges down the river, every 5 min; a side valley; rain gauges on the slopes; villages
RIVER = ("S01", "S02", "S03", "S04")
SIDE, RAIN = "S05", ("R01", "R02")
VILLAGES = ("A01", "A02", "A03")
KM = 6.0  # from each to the next; 2 … 10 m/s: 10 … 50 min
SLOW, FAST = 2.0, 10.0
WAVE = RuleRow(
    id="wave", kind="cascade", hazard="flash_flood", quantity="stage", source="t",
    areas=VILLAGES, yellow=2, orange=3, red=4, prepare=2, move=4,
)  # fmt: skip


def reach(upstream: str, downstream: str, km: float = KM) -> Reach:
    return Reach(
        upstream=upstream, downstream=downstream, distance_m=km * 1000, slow_m_s=SLOW,
        fast_m_s=FAST, source="t",
    )  # fmt: skip


def network(km: float = KM) -> tuple[Reach, ...]:
    """S01 - A01 (half way) - S02 - S03 - A02 - S04 - A03; S05 joins at A02."""
    half = km / 2
    return (
        reach("S01", "A01", half), reach("A01", "S02", half), reach("S02", "S03", km),
        reach("S03", "A02", half), reach("A02", "S04", half), reach("S04", "A03", km),
        reach("S05", "A02", km),
    )  # fmt: skip


def valley(row: RuleRow = WAVE, km: float = KM, **shares: dict[str, str]) -> District:
    """Three villages of Yanqing under one river. carrier, power: station -> on what it hangs; gateway: the
    same."""
    d = yanqing()
    names = (*RIVER, SIDE, *RAIN)
    stations = {
        s: msgspec.structs.replace(
            d.stations[s],
            interval_s=300,
            silent_after_s=1800,
            carrier=shares.get("carrier", {}).get(s, ""),
            power=shares.get("power", {}).get(s, ""),
        )
        for s in names
    }
    gateways: dict[str, tuple[str, ...]] = {}
    for station, gateway in shares.get("gateway", {}).items():
        gateways[gateway] = (*gateways.get(gateway, ()), station)
    return msgspec.structs.replace(
        d,
        areas={a: d.areas[a] for a in VILLAGES},
        stations=stations,
        nodes={},
        gateways=gateways or None,
        reaches=network(km),
        groups={GROUP: VILLAGES},
        group_of_area=dict.fromkeys(VILLAGES, GROUP),
        groups_of_station=dict.fromkeys(names, (GROUP,)),
        stations_of_area=dict.fromkeys(VILLAGES, names),
        rain=(),
        stage=(),
        rules=msgspec.structs.replace(d.rules, rule=(row,)),
    )


def at(minute: float) -> int:
    return T0 + round(minute * MINUTE)


def level(station: str, minute: float, metres: float = 1.0) -> Observation:
    quantity, value = ("rain", 0) if station in RAIN else ("stage", round(metres * 1000))
    return Observation(station=station, quantity=quantity, observed_at=at(minute), value=value)


def service(station: str, minute: float, minutes: float) -> Service:
    return Service(
        id=f"{station}-{minute}", thing=station, by="T-07", said_at=at(minute),
        until_at=at(minute + minutes), reason="校准", way="command",
    )  # fmt: skip


class Valley:
    """detect over it. Every gauge reports every five minutes, each at a minute of its own, until it
    dies; `play` is the time from minute 0 on, with a tick a minute."""

    def __init__(self, district: District | None = None) -> None:
        self.district = district or valley()
        self.partition = partition_of(GROUP, self.district.partitions)
        self.stage = Detect(self.district, lambda _: None)
        self.state = self.stage.new(self.partition)
        self.said: list[Detection] = []
        self.feed(Run(name="live", kind="live", district="yanqing", config="c", start_at=at(-60)))

    def feed(self, *records: Record) -> list[Write]:
        items = [Item(self.partition, n, "", r) for n, r in enumerate(records)]
        self.state, writes = self.stage.step(self.state, items)
        found = [w.record for w in writes if isinstance(w.record, Detection)]
        self.said += [d for d in found if d.rule == "wave"]
        return writes

    def again(self) -> None:
        """A restart from a snapshot."""
        self.state = self.stage.load(self.partition, self.stage.dump(self.state))

    def hear(self, *items: Observation) -> None:
        self.feed(Observations.of(GROUP, max(o.observed_at for o in items), list(items)))

    def play(
        self, until: int, dead: dict[str, float], back: dict[str, float] | None = None
    ) -> None:
        """dead: station -> the minute in which it dies; back: from which it reports again."""
        for record in records(until, dead, back or {}):
            self.feed(record)

    def now(self, area: str) -> Detection | None:
        """What the rule says of an area; None where it says nothing."""
        mine = [d for d in self.said if d.area == area]
        return mine[-1] if mine and (mine[-1].level or mine[-1].action) else None


def records(
    until: int, dead: dict[str, float], back: dict[str, float], begin: int = 0
) -> list[Record]:
    """A tick a minute, and before it what came in that minute."""
    found: list[Record] = []
    for minute in range(begin, until + 1):
        items = [
            level(s, minute)
            for n, s in enumerate((*RIVER, SIDE, *RAIN))
            if minute % 5 == n % 5
            and (minute <= dead.get(s, until) or minute >= back.get(s, until + 1))
        ]
        if items:
            found.append(Observations.of(GROUP, at(minute), items))
        found.append(Tick(clock_at=at(minute)))
    return found
