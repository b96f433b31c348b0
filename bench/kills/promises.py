"""What must hold of a storm on real servers once it has come to rest, whatever struck it: each promise is a
check over the log, what the world sent and what it was handed. Nothing found is a promise kept."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from bench.kills.again import again
from bench.kills.sending import Past, Posted, aloud_again, wrongly_sent
from bench.kills.world import Sent
from config.language import Text, en, text_of
from console.model.consistency import Audit
from console.model.follow import DECODERS
from dispatch.records import Alert, Decision, Receipt, RouteHealth
from fengsui.files.ledger_export import verify_log
from fengsui.run.setup import Setup
from ingest.observation import Observations
from simulators.nodes import Nodes
from stream.history.open import open_history
from stream.log.port import Log, Unavailable
from stream.records import DeadLetter, Run, decode

_TRIES = 8
_STORE_S = 1.6  # mosquitto writes its store down once a second
_EACH = {  # a storm in which one of these never was has proved nothing of it
    "readings", "decisions", "records again", "versions", "deliveries", "posts", "entered", "points",
}  # fmt: skip


class Record(NamedTuple):
    """As it stands in the log."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    record: Any


class Account(NamedTuple):
    """A storm that has come to rest. broker_died: when mosquitto was killed, monotonic; past: of send."""

    setup: Setup
    log: Log
    records: Sequence[Record]
    sent: Sequence[Sent]
    posted: Sequence[Posted]
    acked: Sequence[Decision]
    nodes: Nodes
    broker_died: Sequence[float]
    past: Past

    def of(self, topic: str, kind: type) -> Iterator[tuple[Record, Any]]:
        """Records of a topic."""
        return (
            (r, r.record) for r in self.records if r.topic == topic and isinstance(r.record, kind)
        )


class Verdict(NamedTuple):
    """Promise -> what speaks against it; and what was counted on the way."""

    broken: dict[str, list[str]]
    counted: Counter[str]


def read_all(log: Log) -> list[Record]:
    """Every record of the log."""
    found = []
    for topic, decoder in DECODERS.items():
        for part in range(log.topics[topic].partitions):
            at = 0
            while entries := log.read(topic, part, at):
                at = entries[-1].offset + 1
                for e in entries:
                    record = decode(decoder.decode, e.value)
                    found.append(Record(topic, part, e.offset, e.key, e.value, record))
    return found


def judged(a: Account) -> Verdict:
    """Every promise."""
    counted: Counter[str] = Counter()
    broken = {name: _patiently(check, a, counted) for name, (_, check) in PROMISES.items()}
    broken["judged"] = [f"no {name}" for name in sorted(_EACH) if not counted[name]]
    return Verdict({name: found for name, found in broken.items() if found}, counted)


def _nothing(_: Account, __: Counter[str]) -> Iterator[str]:
    """Asked of what the others have counted."""
    return iter(())


def _patiently(check: "Check", a: Account, counted: Counter[str]) -> list[str]:
    """A busy machine's server does not always answer in time; then it is asked anew."""
    for _ in range(_TRIES):
        mine: Counter[str] = Counter()
        try:
            found = list(check(a, mine))
        except Unavailable as e:
            why = en(text_of(e))
            continue
        counted.update(mine)
        return found
    return [f"cannot be asked: {why}"]


def _id_of(sent: Sent) -> tuple[str, str, int, int] | None:
    match sent.suffix.split("/"):
        case ["station", station, "frame", stamp]:
            return station, "frame", int(stamp), 0
        case ["station", station, quantity]:
            body = json.loads(sent.payload)
            return station, quantity, round(body["time"] * 1000), body["seq"] or 0
    return None


def readings(a: Account, counted: Counter[str]) -> Iterator[str]:
    """In the log, in each of their watch groups; or kept as dead letters. What is said again stands there
    again and counts once, by its station, time and number."""
    stands: Counter[tuple[str, str, str, int, int]] = Counter()
    for _, batch in a.of("observations", Observations):
        for o in batch.items:
            stands[batch.group, o.station, o.quantity, o.observed_at, o.seq or 0] += 1
    letters = {x.payload for _, x in a.of("dead-letters", DeadLetter)}
    groups = a.setup.district.groups_of_station
    for sent in a.sent:
        ident = _id_of(sent)
        if ident is None:
            continue
        counted["readings"] += 1
        times = [stands[group, *ident] for group in groups.get(ident[0], ())]
        counted["repeated readings"] += sum(n - 1 for n in times if n > 1)
        if not times or min(times) > 0 or b64encode(sent.payload).decode() in letters:
            continue
        if any(sent.since <= k and sent.until >= k - _STORE_S for k in a.broker_died):
            counted["in mosquitto's window"] += 1
            continue
        counted["lost readings"] += 1
        yield f"{sent.suffix} {sent.payload[:80].decode(errors='replace')}"


def acts(a: Account, counted: Counter[str]) -> Iterator[str]:
    """What the log acknowledged was answered, once, and taken for the act of whoever made it."""
    answers: Counter[tuple[str, str, str]] = Counter()
    told: dict[tuple[str, str, str], str] = {}  # -> why it was taken for nobody's
    for _, d in a.of("alerts", Decision):
        told[d.order, d.area, d.hazard] = d.unproven
        if d.order and d.outcome == "done":
            answers[d.order, d.area, d.hazard] += 1
    for d in a.acked:
        counted["decisions"] += 1
        ident = d.order, d.area, d.hazard
        if told.get(ident, "no answer"):
            counted["lost decisions"] += 1
            yield f"{told.get(ident, 'no answer')}: {d.by} {d.act} {d.area} {d.hazard} {d.order}"
        if answers[ident] > 1:
            counted["doubled decisions"] += 1
            yield f"done {answers[ident]} times: {d.by} {d.act} {d.area} {d.hazard}"


def stages(a: Account, counted: Counter[str]) -> Iterator[str]:
    """Each stage has written what it writes when it reads the same log undisturbed: no record less and none
    twice."""
    for topic, wrote in again(a.setup, a.log).items():
        mine = Counter((r.key, r.value) for r in a.records if r.topic == topic and _of_a_stage(r))
        lost, more = (
            wrote - Counter((r.key, r.value) for r in a.records if r.topic == topic),
            mine - wrote,
        )
        counted["records again"] += wrote.total()
        counted["lost records"] += lost.total()
        counted["doubled records"] += more.total()
        for words, which in (("lost", lost), ("more", more)):
            for key, value in list(which)[:3]:
                yield f"{topic} {words} {which.total()}: {key} {value[:160].decode(errors='replace')}"


def _of_a_stage(r: Record) -> bool:
    """A stage wrote it as its output, and nobody appended it: neither an officer nor what hears carriers."""
    return not (
        (r.topic == "cases" and isinstance(r.record, Decision))
        or (r.topic == "deliveries" and isinstance(r.record, Receipt | RouteHealth))
        or isinstance(r.record, Run)
    )


def deliveries(a: Account, counted: Counter[str]) -> Iterator[str]:
    """Nothing goes out of which send knew that it had gone out, was over or had been replaced; no loudspeaker
    goes back."""
    of = [(r.offset, r.record) for r in a.records if r.topic == "deliveries"]
    yield from wrongly_sent(of, a.posted, a.past, counted)
    yield from aloud_again({n.id: n.heard for n in a.nodes.nodes.values()}, counted)


def explained(a: Account, counted: Counter[str]) -> Iterator[str]:
    """The auditor asks of every detection, warning and delivery what became of it."""
    audit = Audit(ours=a.setup.run)
    for r in a.records:
        if r.record is not None and r.topic != "dead-letters":
            audit.take(r.record)
    counted["warnings"] += len(audit.view.alerts)
    counted["deliveries"] += len(audit.view.sent)
    counted["versions"] += len({(x.id, x.version) for _, x in a.of("alerts", Alert)})
    for finding in audit.findings(audit.view.clock_at):
        yield en(finding.text)


def ledger(a: Account, counted: Counter[str]) -> Iterator[str]:
    """It verifies, and has each record once."""
    tails, faults = verify_log(a.log)
    counted["entered"] += sum(t.n for t in tails)
    yield from (en(text_of(f)) for f in faults)


def history(a: Account, counted: Counter[str]) -> Iterator[str]:
    """InfluxDB has every point of the log, and no other."""
    want: dict[tuple[str, str], set[tuple[int, int, int]]] = {}
    for _, batch in a.of("observations", Observations):
        for o in batch.items:
            want.setdefault((o.station, o.quantity), set()).add(
                (o.observed_at, o.seq or 0, o.value)
            )
    found = open_history(a.setup.history, a.setup.run.name, a.setup.district.id)
    try:
        for (station, quantity), points in sorted(want.items()):
            have = {
                (p.observed_at, p.seq, p.value)
                for p in found.series(station, quantity, 0, 4_000_000_000_000)
            }
            counted["points"] += len(points)
            if have != points:
                counted["lost points"] += len(points - have)
                yield f"{station} {quantity}: {len(points - have)} missing, {len(have - points)} more"
    finally:
        found.close()


Check = Callable[[Account, Counter[str]], Iterator[str]]
PROMISES: dict[str, tuple[Text, Check]] = {
    "readings": (
        Text("应答过的读数都在日志里", "every acknowledged reading stands in the log"),
        readings,
    ),
    "acts": (
        Text(
            "应答过的决定都有回音，各办一次",
            "every acknowledged decision is answered, and done once",
        ),
        acts,
    ),
    "stages": (
        Text(
            "各环节所写与不受干扰时逐字节相同：不少不重",
            "each stage wrote what it writes undisturbed, byte for byte: none less, none twice",
        ),
        stages,
    ),
    "deliveries": (
        Text("没有重发的，没有过时的", "nothing went out twice, and nothing stale"),
        deliveries,
    ),
    "explained": (
        Text("每条预警、每条消息都有交代", "every warning and message is accounted for"),
        explained,
    ),
    "ledger": (Text("台账验证通过", "the ledger verifies"), ledger),
    "history": (Text("历史库完整", "history is complete"), history),
    "judged": (Text("每一项都有可查的", "there was something of each kind to judge"), _nothing),
}
