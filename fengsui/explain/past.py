"""What a run still knows of its past: the log for as long as it keeps its records, and history for
all that came before. Either may be missing without the other falling silent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import numpy as np

from config.language import Said, Text, en, zh
from config.records.district import District
from console.model.follow import Follower
from detectors.detection import Detection, Mark
from detectors.setup.partition import Part
from dispatch.records import Alert, Decision, Outcome
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from ingest.observation import ObservationRecord, Observations
from skill.verify.hindcast import Readings
from stream.history.open import open_history
from stream.history.port import History, Point
from stream.log.port import Log, Unavailable, partition_of
from stream.records import Run, Tick, decode

Kept = Alert | Detection | Decision | Outcome
_KINDS = ("alert", "detection", "decision", "outcome")
_DAY_MS = 86_400_000
_READ = 2000

Key = tuple[str, str, int, int]  # station, quantity, observed_at, seq


class Recalled(NamedTuple):
    """records: each once, as said. runs: of the log, oldest first. clock_at: the newest moment that
    the run reached, 0 when it is not known; marks: of each watch group, the clocks it was decided at.
    whole: the log has lost none of them to its retention. notes: what could not be asked."""

    records: list[Kept]
    runs: list[Run]
    clock_at: int
    marks: dict[str, list[int]]
    whole: bool
    notes: list[Said]


class Late(NamedTuple):
    """A reading that came after the moment asked about. heard_at: the run's clock then."""

    station: str
    observed_at: int
    heard_at: int


class Heard(NamedTuple):
    """The readings of some stations up to a moment: those that had come by then, and all of them."""

    known: Readings
    whole: Readings
    late: list[Late]
    notes: list[Said]


@contextmanager
def kept(setup: Setup) -> Iterator[tuple[Log, History]]:
    """Log and history of a run."""
    log = open_run_log(setup)
    try:
        history = open_history(setup.history, setup.run.name, setup.district.id)
        try:
            yield log, history
        finally:
            history.close()
    finally:
        log.close()


def recall(log: Log, history: History, start_at: int, end_at: int) -> Recalled:
    """Alerts, detections, decisions and outcomes said in a span of time (ms, the end excluded)."""
    decoder = msgspec.json.Decoder(Kept)
    found: dict[Kept, None] = {}
    notes: list[Said] = []
    try:
        for kind in _KINDS:
            for fact in history.facts(kind, start_at, end_at):
                found[decoder.decode(fact.body)] = None
    except Unavailable as e:
        notes.append(
            Text(
                f"历史库连不上，只有日志所存：{zh(e)}",
                f"history cannot be asked, the log alone: {en(e)}",
            )
        )
    runs: dict[Run, None] = {}
    marks: dict[str, list[int]] = {}
    clock_at = 0
    for topic, record in Follower(log, ("cases", "alerts")).take():
        match record:
            case Alert() | Detection() | Decision() | Outcome():
                if start_at <= _said_at(record) < end_at:
                    found[record] = None
            case Run():
                runs[record] = None
            case Mark() | Tick():
                clock_at = max(clock_at, record.clock_at)
                if isinstance(record, Mark) and topic == "alerts":  # decided up to here
                    marks.setdefault(record.group, []).append(record.clock_at)
            case _:
                pass
    whole = not any(log.starts("alerts"))
    return Recalled(list(found), list(runs), clock_at, marks, whole, notes)


def _said_at(record: Kept) -> int:
    match record:
        case Alert():
            return record.sent_at
        case Detection():
            return record.detected_at
        case Decision():
            return record.decided_at
        case Outcome():
            return record.told_at


def heard(district: District, part: Part, log: Log, history: History, area: str, at: int) -> Heard:
    """What the rules of an area had to go on at `at` (ms), as far back as they remember."""
    group = district.group_of_area[area]
    begin = {s: at - ms for s, ms in _memory(district, part, area).items()}
    pairs = [(s, district.stations[s].quantity) for s in sorted(begin)]
    whole: dict[Key, int] = {}
    notes: list[Said] = []
    try:
        for pair in pairs:
            for p in history.series(*pair, begin[pair[0]], at + 1):
                whole[_key(p)] = p.value
    except Unavailable as e:
        notes.append(
            Text(
                f"历史库连不上，只有日志所存：{zh(e)}",
                f"history cannot be asked, the log alone: {en(e)}",
            )
        )
    known, arrived = dict(whole), set()
    late: list[Late] = []
    wanted = set(pairs)
    for clock_at, batch in _batches(log, group, district.partitions):
        for o in batch.items:
            if (o.station, o.quantity) not in wanted:
                continue
            if not begin[o.station] <= o.observed_at <= at:
                continue
            key = (o.station, o.quantity, o.observed_at, o.seq or 0)
            whole[key] = o.value
            if clock_at <= at:
                known[key] = o.value
                arrived.add(key)
            elif key not in arrived:
                arrived.add(key)
                known.pop(key, None)
                late.append(Late(o.station, o.observed_at, clock_at))
    return Heard(_readings(pairs, known), _readings(pairs, whole), late, notes)


def _key(p: Point) -> Key:
    return p.station, p.quantity, p.observed_at, p.seq


def _memory(district: District, part: Part, area: str) -> dict[str, int]:
    """Each station that a rule of the area looks at, and how far back any of them remembers it, ms."""
    days = district.rules.rain.antecedent_days + 2  # with a whole day before the first
    out = {}
    for name in district.stations_of_area[area]:
        quantity = district.stations[name].quantity
        if quantity != "frame":
            out[name] = (days if quantity in ("rain", "rain_counter") else 1) * _DAY_MS
    for fed in part.series:
        span = fed.rule.span * fed.rule.slot_ms + _DAY_MS
        for row in fed.rule.rows:
            if row.area == area:
                out |= {s: max(span, out.get(s, 0)) for s in row.stations}
    return out


def _batches(log: Log, group: str, partitions: int) -> Iterator[tuple[int, Observations]]:
    """The group's batches still in the log, each with the run's clock when it came."""
    decoder = msgspec.json.Decoder(ObservationRecord)
    partition, position, clock_at = partition_of(group, partitions), 0, 0
    while entries := log.read("observations", partition, position, _READ):
        for entry in entries:
            record = decode(decoder.decode, entry.value)  # None: a dead letter of the stage detect
            if isinstance(record, Tick):
                clock_at = max(clock_at, record.clock_at)
            elif isinstance(record, Observations) and record.group == group:
                yield clock_at, record
        position = entries[-1].offset + 1


def _readings(pairs: list[tuple[str, str]], values: dict[Key, int]) -> Readings:
    place = {pair: n for n, pair in enumerate(pairs)}
    rows = sorted(
        ((at, seq, place[station, quantity], value) for (station, quantity, at, seq), value in
         values.items()),
    )  # fmt: skip
    table = np.array(rows, np.int64).reshape(-1, 4)
    seq = np.where(table[:, 1] > 0, table[:, 1], -1)
    return Readings(pairs, table[:, 2], table[:, 0], table[:, 3], seq)


def series_of(readings: Readings) -> dict[str, list[tuple[int, int]]]:
    """station -> (ms, counts), in order of time; of a counter what each reading adds."""
    out: dict[str, list[tuple[int, int]]] = {station: [] for station, _ in readings.pairs}
    total: dict[str, int] = {}
    for n, at, count in zip(readings.which, readings.at[:], readings.counts, strict=True):
        station, quantity = readings.pairs[n]
        value = int(count)
        if quantity == "rain_counter":
            value, total[station] = max(0, value - total.get(station, value)), value
        out[station].append((int(at), value))
    return out
