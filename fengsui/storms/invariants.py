"""What must hold of the line whatever befalls it. Each promise is a sentence and a check of a storm that is
over, over what stands in the log's journal, in the order in which it came there, and what the world has
in its hands. A check tells what it found; nothing found is a promise kept. Pure."""

from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from config.language import Text, en, zh
from console.model.view import View
from detectors.detection import Detection
from dispatch.channels.status_words import NODE, NODE_REFUSED, meaning_of
from dispatch.decide.authority import deciders
from dispatch.decide.policy import authority
from dispatch.grade import Grade, between
from dispatch.ledger.chain import CHAINS, Entered, check, enters
from dispatch.nodes.protocol import CarrierReceipt, NodeAck
from dispatch.records import Alert, Decision, Delivery, Receipt
from dispatch.send.receipts import kept
from fengsui.storms.account import REACHED, Account, Logged
from ingest.observation import Observations
from stream.records import DeadLetter, Run, Tick, encode
from stream.stages.stage import Item

_READS = {"detect": "observations", "decide": "cases", "address": "alerts", "send": "deliveries"}


Found = Iterator[str]
Check = Callable[[Account], Found]


class Promise(NamedTuple):
    """What is promised, and how it is looked after."""

    words: Text
    broken: Check


PROMISES: dict[str, Promise] = {}


def _promised(name: str, words: Text) -> Callable[[Check], Check]:
    def made(check: Check) -> Check:
        PROMISES[name] = Promise(words, check)
        return check

    return made


@_promised(
    "acknowledged",
    Text(
        "凡已应答的读数、回执和人的操作，都在日志里",
        "every reading, receipt and act of a person that was acknowledged stands in the log",
    ),
)
def acknowledged(a: Account) -> Found:
    letters = {(x.source, x.payload) for _, x in a.of("dead-letters", DeadLetter)}
    seqs = {(o.station, o.seq) for _, b in a.of("observations", Observations) for o in b.items}
    for topic, payload in a.readings:
        station = topic.split("/")[4]
        kept = (station, msgspec.json.decode(payload)["seq"]) in seqs
        if not kept and (topic, b64encode(payload).decode()) not in letters:
            yield f"{topic} {payload.decode()}"
    orders = {d.order for _, d in a.of("alerts", Decision)}
    orders |= {
        x.order
        for letter in (
            d for _, d in a.of("dead-letters", DeadLetter) if d.reason == "repeated_decision"
        )
        for x in a.acts
        if letter.detail and x.by in zh(letter.detail)
    }
    for act in a.acts:
        if act.order not in orders:
            yield f"{act.by} {act.act} {act.area} {act.order}"
    yield from _receipts(a, letters)


def _receipts(a: Account, letters: set[tuple[str, str]]) -> Found:
    places = a.places()
    told = {(r.delivery, r.state) for _, r in a.of("deliveries", Receipt)}
    for topic, payload in a.receipts:
        *_, what, channel = topic.split("/")
        if (topic, b64encode(kept(topic, payload)).decode()) in letters:
            continue  # itself, and not another on the same way
        if what == "receipt":
            said = msgspec.json.decode(payload, type=CarrierReceipt)
            meaning, key = meaning_of(channel, said.status), said.key
            state = meaning.state if meaning is not None else ""
            if (places.get(key, ("", 0))[0], state) not in told:
                yield f"{topic} {payload.decode()}"
        elif channel == "ack":
            ack = msgspec.json.decode(payload, type=NodeAck)
            meaning = NODE[ack.state]
            if ack.state == "refused":
                meaning = NODE_REFUSED.get(ack.detail, meaning)
            if (places.get(ack.id, ("", 0))[0], meaning.state) not in told:
                yield f"{topic} {payload.decode()}"


@_promised(
    "once",
    Text(
        "日志已记其完结的消息不再发出，一个幂等键只指一条消息",
        "no message goes out once the log has its end, and one key is one message",
    ),
)
def once(a: Account) -> Found:
    ended = a.ended()
    for h in a.handed:
        state = [over for entry, over in ended.get(h.delivery.id, ()) if entry < h.written]
        if any(state) and state[-1]:
            yield f"{h.by} {h.delivery.recipient} {h.delivery.alert}/{h.delivery.version}"
    keys: dict[str, set[tuple[str, str, int]]] = defaultdict(set)
    for h in a.handed:
        keys[h.key].add((h.delivery.id, h.channel, h.delivery.again))
    for key, several in keys.items():
        if len(several) > 1:
            yield f"one key for several messages: {key}"


@_promised(
    "fresh",
    Text(
        "过期的、已有新版的，不发也不播",
        "nothing goes out or sounds that is over or that a newer version replaces",
    ),
)
def fresh(a: Account) -> Found:
    versions: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, d in a.of("deliveries", Delivery):
        versions[f"{d.alert}|{d.recipient}"].append((row.entry, d.version))
    for h in a.handed:
        d = h.delivery
        where = f"{h.by} {d.recipient} {d.alert}/{d.version}"
        if h.clock_at >= d.expires_at:
            yield f"{where}: over since {(h.clock_at - d.expires_at) // 1000} s"
        known = [v for entry, v in versions[f"{d.alert}|{d.recipient}"] if entry < h.written]
        if max(known, default=0) > d.version and not d.asked_by:
            yield f"{where}: version {max(known)} stands in the log"
    last: dict[tuple[str, str], int] = {}
    for node, job, at in a.sounded:
        if job.version < last.get((node, job.alert), 0):
            yield f"{node} sounds {job.alert}/{job.version} after {last[node, job.alert]}"
        last[node, job.alert] = max(job.version, last.get((node, job.alert), 0))
        if at >= job.expires_at:
            yield f"{node} sounds {job.alert}/{job.version}, which is over"


@_promised(
    "grounds",
    Text(
        "没有依据和授权，就没有等级和指令",
        "no level and no order without evidence, and without somebody entitled or a deadline that passed",
    ),
)
def grounds(a: Account) -> Found:
    said: dict[tuple[str, str], Grade] = defaultdict(Grade)
    asked: dict[tuple[str, str], int] = {}  # warning, what -> the last deadline for it
    force: dict[str, Grade] = defaultdict(Grade)
    acts: dict[str, list[Decision]] = defaultdict(list)
    for _, d in a.of("alerts", Decision):
        if d.outcome == "done" and d.by != "policy":
            acts[d.alert].append(d)
    for row in a.rows:
        x = row.record
        if isinstance(x, Detection):
            said[x.area, x.hazard] |= Grade(x.level, x.action)
        if not (isinstance(x, Alert) and row.by == "decide"):
            continue
        done = [d for d in acts[x.id] if d.version <= x.version]
        now, where = Grade(x.level, x.action), f"{x.id}/{x.version}"
        raised, evidence = any(d.act in ("raise", "override") for d in done), said[x.area, x.hazard]
        if now.exceeds(evidence) and not raised:
            yield f"{where}: {_named(now)} without evidence, which says {_named(evidence)}"
        for what in between(force[x.id], now):
            if not _entitled(a, x, what, asked.get((x.id, what), 2**62), done):
                yield f"{where}: nobody entitled let out {what}"
        force[x.id] = now
        asked |= {(x.id, q.what): q.deadline_at for q in x.questions if q.deadline_at is not None}


def _named(g: Grade) -> str:
    return en(g.words()) or "nothing"


def _entitled(a: Account, x: Alert, what: str, deadline: int, done: Sequence[Decision]) -> bool:
    for district in a.districts:
        who = authority(district.policy, x.hazard, what)
        if who.deadline_s == 0:
            return True
        if who.default == "release" and x.sent_at >= deadline:
            return True
        theirs = {
            d.by for d in done if district.officers[d.by].office in (*deciders(who), *who.override)
        }
        if len(theirs) >= (2 if who.two_persons else 1):
            return True
    return False


@_promised(
    "answered",
    Text(
        "每个问题到期之前有人决定，到期即上报、按规定处置或终止",
        "every question is decided, or at its deadline put to the next, settled by the policy or ended",
    ),
)
def answered(a: Account) -> Found:
    clock = read = 0
    ticks = [
        r.record.clock_at if isinstance(r.record, Tick) else 0 for r in a.rows_in.get("cases", ())
    ]
    open_: dict[str, Alert] = {}
    rows: dict[int, list[Logged]] = defaultdict(list)
    for row in a.rows:
        rows[row.entry].append(row)
    for nth, entry in enumerate(a.journal):
        moved = [m for m in entry.moved if m.of[0] == "decide"]
        if not moved:
            continue
        clock = max([clock, *ticks[read : moved[0].position]])
        read = moved[0].position
        for row in rows[nth]:
            if isinstance(row.record, Alert):
                open_[row.record.id] = row.record
        for alert in open_.values():
            for q in alert.questions:
                over = alert.state not in ("cancelled", "expired")
                if over and q.deadline_at is not None and q.deadline_at <= clock:
                    yield f"{alert.id}/{alert.version} {q.what}: due {q.deadline_at}, it is {clock}"
                    return


@_promised(
    "drilled",
    Text(
        "演练的记录、钥匙和字句不进实况",
        "no record, key or word of a drill gets into the live line",
    ),
)
def drilled(a: Account) -> Found:
    for h in a.handed:
        if h.delivery.status != "actual" or "演练" in h.text:
            yield f"{h.by} {h.delivery.recipient}: {h.text[:40]}"
    for node, job, _ in a.sounded:
        if job.alert.startswith("drill"):
            yield f"{node} sounds {job.alert}"
    for row in a.rows:
        x = row.record
        strange = isinstance(x, Run) and x.kind != "live"
        strange |= isinstance(x, Alert | Delivery) and x.status != "actual"
        if row.by and row.topic != "dead-letters" and strange:
            yield f"{row.by} wrote {row.topic}: {row.value[:80].decode(errors='replace')}"


@_promised(
    "ledger",
    Text(
        "台账验证通过，每条记录入账一次",
        "the ledger verifies, and has each record once",
    ),
)
def entered_once(a: Account) -> Found:
    for part, chain in enumerate(CHAINS):
        values = [r.value for r in a.rows_in.get("ledger", ()) if r.partition == part]
        entries: list[Entered] = []
        found = check(chain, values, (), entries.append)
        if found.fault is not None:
            yield str(found.fault)
            continue
        digests = Counter(e.digest for e in entries if e.of != "head")
        want = Counter(
            sha256(r.value).hexdigest() for r in a.rows_in.get(chain, ()) if enters(r.value)
        )
        if digests != want:
            lacks, more = sum((want - digests).values()), sum((digests - want).values())
            yield f"{chain}: {lacks} not entered, {more} twice"


@_promised(
    "replayed",
    Text(
        "从头重放，各环节写出同样的字节",
        "replayed from the beginning, each stage writes the same bytes",
    ),
)
def replayed(a: Account) -> Found:
    if len(a.districts) > 1 or not a.replay:
        return  # a rebuild judges by what is in force then
    for name, stage in a.stages.items():
        topic = _READS[name]
        rows = a.rows_in.get(topic, ())
        for part in {r.partition for r in rows}:
            mine = [r for r in rows if r.partition == part]
            read = max(
                (m.position for e in a.journal for m in e.moved if m.of == (name, topic, part)),
                default=0,
            )
            items = []
            for offset, row in enumerate(mine[:read]):
                if row.record is not None and not (
                    isinstance(row.record, Run) and row.record.kind != "live"
                ):
                    items.append(Item(part, offset, row.key, row.record))
            _, writes = stage.step(stage.new(part), items)
            again = [(w.topic, w.key, encode(w.record)) for w in writes]
            wrote = [
                (r.topic, r.key, r.value)
                for r in a.rows
                if r.by == name and r.of == part and not _of_runner(r.record)
            ]
            if again != wrote:
                nth = next(
                    (n for n, (x, y) in enumerate(zip(again, wrote, strict=False)) if x != y),
                    min(len(again), len(wrote)),
                )
                yield (
                    f"{name}/{part}: {len(wrote)} written, {len(again)} again; from {nth}: "
                    f"{_short(wrote, nth)} | {_short(again, nth)}"
                )


def _short(those: Sequence[tuple[str, str, bytes]], nth: int) -> str:
    return those[nth][2][:160].decode() if nth < len(those) else "-"


def _of_runner(record: Any) -> bool:
    """A dead letter of the runner, which has the moment of the step."""
    return isinstance(record, DeadLetter) and record.reason in (
        "undecodable_record",
        "wrong_run",
        "failed_record",
    )


@_promised(
    "shown",
    Text(
        "页面所示即所发：字句与日志一致，没交出去的不显示送达",
        "what is shown is what was sent: the words are the log's, and nothing is shown as reached "
        "that nobody was given",
    ),
)
def shown(a: Account) -> Found:
    ids: dict[str, tuple[int, Delivery]] = {}
    view = View()
    for row, d in a.of("deliveries", Delivery):
        ids.setdefault(d.id, (row.entry, d))
    for row in a.rows:
        if row.topic in ("alerts", "deliveries") and row.record is not None:
            view.take(row.record)
    gone, into = set[str](), set[str]()
    for h in a.handed:
        d = h.delivery
        gone.add(d.id)
        into |= {*d.covers, *d.beside}
        entry, told = ids.get(d.id, (2**62, d))
        if entry >= h.written:
            yield f"{h.by} has {d.id}, which the log did not have"
            continue
        if h.text not in {
            t for r in (*told.routes, *told.plain) for t in (zh(r.text), en(r.text), str(r.text))
        }:
            yield f"{h.by} {d.recipient} was told other words than the log has: {h.text[:60]}"
    for sent in view.sent.values():
        d = sent.delivery
        covered = d.id in into or f"{d.alert}/{d.version}" in into
        if sent.state in REACHED and d.id not in gone and not covered:
            yield f"{d.recipient} {d.alert}/{d.version} is shown as {sent.state}, and nobody was given it"


@_promised(
    "alive",
    Text(
        "没有环节自行终止；平静之后全部读完",
        "no stage ends by itself, and in calm each reads all there is",
    ),
)
def alive(a: Account) -> Found:
    yield from a.died
    for name in a.behind:
        yield f"{name} has not read all there is, {_CALM}"


_CALM = "though nothing was wrong any more"


def broken(a: Account) -> dict[str, list[str]]:
    """The promises that were not kept, and where that is seen."""
    found = {name: list(p.broken(a)) for name, p in PROMISES.items()}
    return {name: where for name, where in found.items() if where}
