"""What a run has heard of late, thing by thing: the newest value of each quantity, how late readings come,
which slots of the last day they fill, what was refused, what the quality tests said. A fold of the log's last
day. Pure: records in."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from config.language import zh
from config.records.district import District, address_of
from config.records.quantity import QUANTITIES
from detectors.detection import Detection, Mark
from fengsui.doctor.letters import Letters
from fengsui.doctor.numbers import Numbers
from ingest.observation import Flag, Observations, PersonSays
from stream.records import DeadLetter, Tick

DAY_MS = 86_400_000
_KEPT = 40  # readings of a station: what intervals, lags and units are judged by
_TESTS = 200  # words of the quality tests of one station
_LEAST_MS = 10_000  # a slot of the day is no shorter: geophones tell a value a second


class Last(NamedTuple):
    """A reading. value: in counts of its quantity's resolution. test: that set the flag."""

    observed_at: int
    received_at: int
    value: int
    seq: int
    flag: int
    test: str


@dataclass
class Thing:
    """Of one station, node or person. newest: of each quantity. recent: of its own quantity. slots: of the last
    day, one byte each that is 1 where a reading fell in. rain: counts of its last day, of what is no failed
    reading. tests: ingest's words on readings. said: (when, the test that detect named)."""

    newest: dict[str, Last] = field(default_factory=dict)
    recent: deque[Last] = field(default_factory=lambda: deque(maxlen=_KEPT))
    slots: bytearray = field(default_factory=bytearray)
    count: int = 0
    first: int = 0  # the first value of the day in counts …
    total: int = 0  # … and the sum of all
    tests: Counter[str] = field(default_factory=Counter)
    said: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_TESTS))
    numbers: Numbers | None = None  # None: no reading carries a number of the device's
    rules: dict[str, Detection] = field(
        default_factory=dict
    )  # rule -> its newest word that rests on it

    @property
    def last(self) -> Last | None:
        """The newest arrival of what it measures."""
        return self.recent[-1] if self.recent else None


@dataclass
class LastDay:
    """since: where the day begins, ms. ticked_at, marked: how far the line's own clock and the judgement of
    each watch group have come."""

    district: District
    since: int
    things: dict[str, Thing] = field(default_factory=dict)
    letters: Letters = field(init=False)
    ticked_at: int = 0
    marked: dict[str, int] = field(default_factory=dict)
    persons: dict[str, PersonSays] = field(default_factory=dict)

    def __post_init__(self) -> None:
        d = self.district
        addresses = {address_of(r.address) for r in d.telemetry}
        names = {*d.stations, *d.nodes, *d.contacts, *(d.gateways or ()), *addresses}
        self.letters = Letters(frozenset(names))

    def of(self, name: str) -> Thing:
        """What is known of it; an empty one where nothing is."""
        return self.things.get(name) or Thing()

    def take(self, topic: str, record: Any) -> None:
        """Fold one record in."""
        match record:
            case Observations():
                self._observations(record)
            case Tick():
                if topic == "observations":
                    self.ticked_at = max(self.ticked_at, record.clock_at)
            case Mark():
                self.marked[record.group] = max(self.marked.get(record.group, 0), record.clock_at)
            case Detection():
                self._detection(record)
            case PersonSays():
                before = self.persons.get(record.person)
                if before is None or record.said_at >= before.said_at:
                    self.persons[record.person] = record
            case DeadLetter():
                self.letters.take(record)
            case _:
                pass

    def _observations(self, batch: Observations) -> None:
        groups = self.district.groups_of_station
        for n, name in enumerate(batch.station):
            if batch.group not in groups.get(name, ())[:1]:  # it stands in each of its groups
                continue
            one = Last(
                batch.observed_at[n],
                batch.received_at,
                batch.value[n],
                batch.seq[n] if batch.seq else -1,
                batch.flag[n] if batch.flag else int(Flag.GOOD),
                batch.test[n] if batch.test else "",
            )
            self._reading(name, batch.quantity[n], one)

    def _reading(self, name: str, quantity: str, one: Last) -> None:
        thing = self.things.setdefault(name, Thing())
        newest = thing.newest.get(quantity)
        if newest is None or one.observed_at >= newest.observed_at:
            thing.newest[quantity] = one
        station = self.district.stations.get(name)
        plan = station or self.district.nodes.get(name)
        if plan is None or (station is not None and quantity != station.quantity):
            return
        thing.recent.append(one)
        thing.count += 1
        if one.test:
            thing.tests[one.test] += 1
        if not thing.slots:
            thing.slots = bytearray(-(-DAY_MS // slot_ms(plan.interval_s)))
        at = (one.observed_at - self.since) // slot_ms(plan.interval_s)
        if 0 <= at < len(thing.slots):
            thing.slots[at] = 1
            if one.flag != Flag.FAIL:
                thing.first = thing.first or one.value
                thing.total += one.value
        if one.seq >= 0:
            thing.numbers = thing.numbers or Numbers(plan.interval_s * 1000)
            thing.numbers.take(one.seq, one.observed_at)

    def _detection(self, d: Detection) -> None:
        if d.rule in ("quality", "camera_sight"):
            what, _, word = zh(d.note).partition(": ")
            thing = self.things.setdefault(what.partition(" ")[0], Thing())
            word = word.partition(" ")[0] if word.endswith((" over", " min")) else word
            now = d.detected_at, word
            if word not in ("good", "") and (not thing.said or thing.said[-1] != now):
                thing.said.append(now)  # each of its areas is told
            return
        for e in d.evidence:
            for name in e.station.split("+"):
                if name in self.things:
                    self.things[name].rules[d.rule] = d


def slot_ms(interval_s: int) -> int:
    """How long a slot of the day is of which one reading is due."""
    return max(_LEAST_MS, interval_s * 1000)


def rain_counts(district: District, heard: Mapping[str, Thing], name: str) -> int | None:
    """Rain of the last day in counts; None where nothing was heard or it is no rain gauge."""
    thing, station = heard.get(name), district.stations[name]
    if thing is None or thing.last is None or station.quantity not in ("rain", "rain_counter"):
        return None
    if QUANTITIES[station.quantity].kind == "counter":
        return max(0, thing.last.value - thing.first)
    return thing.total
