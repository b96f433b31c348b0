"""The account of an incident: what was known, asked, decided, sent, answered and blind, a statement each with
the records that it rests on. Pure: the same records, the same account.

The words of acts and events are those of the shift log (console/model/shift_log.py); detections, and
messages and receipts counted by the minute, are added here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

from config.language import Text, joined
from config.records.district import District
from config.records.level import hazard_words
from console.model.shift_log import Entry, Shift
from console.model.view import View
from detectors.detection import Detection
from dispatch.grade import Grade
from dispatch.notices import INSTRUCTION, MERGED, RECHECK, REPORT, RESIDENT, about
from dispatch.records import Alert, Decision, Delivery, Receipt, state_words
from dispatch.words.channel_names import CHANNEL_WORDS
from dispatch.words.evidence import evidence
from fengsui.inquiry.known import Known

Kind = Literal["known", "asked", "decided", "sent", "answered", "blind"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_WORDS: dict[str, Text] = {
    "known": Text("所知", "known"),
    "asked": Text("提请", "asked"),
    "decided": Text("决定", "decided"),
    "sent": Text("发出", "sent"),
    "answered": Text("回音", "answered"),
    "blind": Text("看不见", "blind"),
}
MINUTE_MS = 60_000
# of the shift log's kinds; a warning's line is asked or decided by what stands in it
_OF_SHIFT: dict[str, Kind] = {
    "decision": "decided",
    "task": "decided",
    "report": "sent",
    "people": "answered",
    "missed": "blind",
    "alone": "blind",
    "silence": "blind",
    "service": "blind",
    "route": "blind",
}
_WAY_THERE = ("queued", "sent", "playing")  # an attempt on its way: what came of it is told


class Statement(msgspec.Struct, frozen=True):
    """One of them. at: ms; area: "" for what is no single village's; rests: numbers of the records that
    it rests on, in the order of the pack."""

    n: int
    at: int
    kind: Kind
    area: str
    words: Text
    rests: tuple[int, ...]


class _Draft(NamedTuple):
    at: int
    kind: Kind
    area: str
    words: Text
    rests: tuple[int, ...]


def account(district: District, records: Sequence[Known]) -> list[Statement]:
    """All statements in order of time, numbered from 1. records: of the pack, in its order; the first is
    its number 1."""
    drafts = [*_told(district, records), *_messages(records)]
    drafts.sort(key=lambda d: (d.at, KINDS.index(d.kind), d.area, d.rests))
    return [Statement(n, *draft) for n, draft in enumerate(drafts, 1)]


def _told(district: District, records: Sequence[Known]) -> Iterable[_Draft]:
    """What the shift log says of each record, and detections."""
    view, shift = View(), Shift()
    for n, seen in enumerate(records, 1):
        record = seen.record
        if record is None:
            continue
        if isinstance(record, Detection) and (found := _detected(district, record)) is not None:
            yield _Draft(seen.at, "known", record.area, found, (n,))
        view.take(record)
        before = shift.count
        shift.take(record, view)
        for entry in list(shift.entries)[before - shift.count :] if shift.count > before else ():
            yield _of_shift(entry, seen, n)


def _of_shift(entry: Entry, seen: Known, n: int) -> _Draft:
    record, at = seen.record, seen.at
    kind: Kind = _OF_SHIFT.get(entry.kind, "known")
    if isinstance(record, Alert):
        kind = "asked" if record.questions else "decided"
        hint = Text("", "")
        if called := sorted({who for q in record.questions for who in q.called}):
            names = " ".join(called)
            hint = Text(f"，在问 {names}", f", asked of {names}")
        return _Draft(at, kind, entry.area, Text(entry.zh, entry.en) + hint, (n,))
    who = f"{entry.who} " if entry.who else ""
    if isinstance(record, Decision) and record.by == "policy":
        who = ""
    return _Draft(at, kind, entry.area, who + Text(entry.zh, entry.en), (n,))


def _detected(district: District, d: Detection) -> Text | None:
    """面雨强历时…: 黄色; None for what the shift log tells, and for a station's flag that is no one's."""
    if d.rule == "silence":
        return None
    note = Text(*(str(x) for x in (d.note.zh, d.note.en))) if isinstance(d.note, Text) else None
    if d.rule in ("quality", "camera_sight"):
        said = note or Text(str(d.note), str(d.note))
        return Text("存疑：", "flagged: ") + said
    grade = Grade(d.level, d.action)
    top = grade.words(d.hazard) if grade else Text("不再达到", "no longer reached")
    rests = joined(
        [Text(evidence(district, e, "zh"), evidence(district, e, "en")) for e in d.evidence],
        Text("；", "; "),
    )
    hazard, doubt = hazard_words(d.hazard), Text("", "")
    if d.suspect:
        doubt = Text("，只依据存疑的值", ", on suspect values alone")
    return Text(
        f"监测 {hazard.zh} {top.zh}（{d.rule}）：{rests.zh}{doubt.zh}",
        f"evidence of {hazard.en}: {top.en} ({d.rule}): {rests.en}{doubt.en}",
    )


def _messages(records: Sequence[Known]) -> Iterable[_Draft]:
    """What was queued and what came of it, counted by the minute, the village and the warning's version."""
    deliveries: dict[str, Delivery] = {}
    queued: dict[tuple[int, str, str, Text], list[tuple[int, Delivery]]] = defaultdict(list)
    came: dict[tuple[int, str], list[tuple[int, str, Delivery]]] = defaultdict(list)
    for n, seen in enumerate(records, 1):
        record = seen.record
        minute = seen.at // MINUTE_MS * MINUTE_MS
        if isinstance(record, Delivery):
            deliveries[record.id] = record
            queued[minute, record.area, record.alert, _what(record)].append((n, record))
        elif isinstance(record, Receipt):
            of = deliveries.get(record.delivery)
            if of is not None and record.state not in _WAY_THERE:
                came[minute, of.area].append((n, record.state, of))
    for (minute, area, _, what), rows in queued.items():
        ways = Counter(d.routes[0].channel if d.routes else "-" for _, d in rows)
        told = joined(
            [
                CHANNEL_WORDS.get(way, Text(way, way)) + f" {many}"
                for way, many in sorted(ways.items())
            ],
            Text("、", ", "),
        )
        many = "1 recipient" if len(rows) == 1 else f"{len(rows)} recipients"
        words = what + Text(f"发给 {len(rows)} 个接收者：", f" to {many}: ")
        yield _Draft(minute, "sent", area, words + told, tuple(n for n, _ in rows))
    for (minute, area), states in came.items():
        counts = Counter(state for _, state, _ in states)
        told = joined(
            [state_words(state) + f" {many}" for state, many in sorted(counts.items())],
            Text("、", ", "),
        )
        yield _Draft(minute, "answered", area, told, tuple(n for n, _, _ in states))


_NOTICES = {
    "missed": Text("有人没收到的提醒", "a notice that somebody was not reached"),
    "task": Text("任务提醒", "a notice of a task"),
    "people": Text("群众报告", "a person's report"),
    "alone": Text("终端自行播出的提醒", "a notice that a node acted alone"),
    "route": Text("发送通道的提醒", "a notice of a way out"),
    "unproven": Text("来源不明的决定的提醒", "a notice of a decision that proves nobody's word"),
}
_OTHERS = {
    MERGED: Text("几份预警合成的一条", "one message of several warnings"),
    RECHECK: Text("抽查", "a call again"),
    INSTRUCTION: Text("书面指令", "an order in writing"),
    RESIDENT: Text("给订阅者的答复", "an answer to who subscribes"),
}


def _what(d: Delivery) -> Text:
    """What a delivery is, in words: a version of a warning, or something else."""
    if (notice := about(d)) in _NOTICES:
        return _NOTICES[notice]
    if d.alert.startswith(REPORT):
        number = d.alert.rpartition(":")[2]
        return Text(f"第{number}报", f"report {number}")
    for start, words in _OTHERS.items():
        if d.alert.startswith(start):
            return words
    hazard = hazard_words(d.hazard)
    return Text(
        f"{hazard.zh}预警第{d.version}版", f"version {d.version} of the warning of {hazard.en}"
    )


def by_minute(statements: Iterable[Statement]) -> dict[int, dict[Kind, list[Statement]]]:
    """Minute (ms) -> kind -> statements, in order."""
    found: dict[int, dict[Kind, list[Statement]]] = {}
    for s in statements:
        found.setdefault(s.at // MINUTE_MS * MINUTE_MS, {}).setdefault(s.kind, []).append(s)
    return found


def by_village(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    """Area -> its statements, in order; "" for those that are no single village's."""
    found: dict[str, list[Statement]] = {}
    for s in statements:
        found.setdefault(s.area, []).append(s)
    return dict(sorted(found.items()))


def ranges(numbers: Iterable[int]) -> str:
    """12–15, 17: as a person looks them up."""
    out: list[list[int]] = []
    for n in sorted(numbers):
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in out)
