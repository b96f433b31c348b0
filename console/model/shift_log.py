"""The shift log (值班日志): every event and act in order of time. Pure: records in."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from config.language import Said, Text, en, joined, zh
from config.records.district import District
from config.records.level import (
    ACTION_EN,
    ACTION_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Level,
    hazard_words,
)
from config.records.quantity import QUANTITIES
from console.model.answers import LogLine
from console.model.view import View
from detectors.detection import Detection
from dispatch.address.report_notices import FIELD, PLACES, REPLIES
from dispatch.notices import about
from dispatch.records import Alert, Decision, Delivery, Report, RouteHealth, kind_words
from ingest.observation import PersonSays, Service
from ingest.people.strangers import STRANGER
from stream.records import Record

KEPT = 20_000
KINDS = (
    "warning", "decision", "report", "missed", "task", "people", "alone", "silence", "service", "route",
    "note", "handover", "desk",
)  # fmt: skip
ACT = {
    "propose": Text("提请", "propose"),
    "approve": Text("批准", "approve"),
    "release": Text("发布", "release"),
    "return": Text("退回补正", "return"),
    "hold": Text("暂缓", "hold"),
    "reject": Text("驳回", "reject"),
    "raise": Text("升级", "raise"),
    "lower": Text("降级", "lower"),
    "cancel": Text("解除", "cancel"),
    "escalate": Text("上报下一级", "escalate"),
    "override": Text("紧急先行发布", "override"),
    "verify": Text("核报", "verify"),
    "task": Text("任务销号", "task"),
    "recheck": Text("抽查", "re-check"),
    "instruct": Text("签发指令", "order in writing"),
    "reserve": Text("预留物资", "supplies reserved"),
    "issue": Text("领出物资", "supplies issued"),
    "restore": Text("归还物资", "supplies brought back"),
    "close": Text("归档", "close"),
    "accept": Text("接受邻县预警", "accept"),
    "decline": Text("不接受邻县预警", "decline"),
}
OUTCOME = {
    "done": Text("", ""),
    "already": Text("（别人已办）", " (done before)"),
    "refused": Text("（不予执行）", " (refused)"),
}
STATE = {
    "proposed": Text("待决定", "to be decided"),
    "returned": Text("退回补正", "returned"),
    "held": Text("暂缓", "held"),
    "rejected": Text("已驳回", "rejected"),
    "released": Text("已发布", "in force"),
    "cancelled": Text("已解除", "cancelled"),
    "expired": Text("已到期", "expired"),
}
_STRANGER = Text("陌生号码来信，未核实", "a stranger's message, unverified")
_UNCLEAR = Text("来信看不懂", "a message that cannot be read")


class Entry(NamedTuple):
    """One line of the log."""

    at: int
    kind: str  # of KINDS
    who: str
    area: str
    level: int
    zh: str
    en: str


@dataclass
class Shift:
    """The newest events of the log; `count` only rises. silent: thing -> areas that miss it."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))
    count: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    of_area: dict[str, frozenset[str]] = field(default_factory=dict)
    up: dict[str, bool] = field(default_factory=dict)
    served: dict[str, Service] = field(default_factory=dict)  # the last word on each
    away: dict[str, frozenset[str]] = field(default_factory=dict)  # of each area, in service
    heard: dict[str, None] = field(default_factory=dict)  # a person's word comes on several topics

    def take(self, record: Record, view: View) -> None:
        """Fold one record in, after the view has."""
        match record:
            case Alert() if not record.again:
                self._alert(record, view.first[record.id])
            case Decision() if record.hash:  # a person's act stands in `cases` without its outcome
                self._decision(record)
            case Report():
                words = numbered(record)
                self._add(Entry(record.reported_at, "report", record.by, "", 0, words.zh, words.en))
            case Detection() if record.rule == "silence" and record.coverage is not None:
                self._silence(record, frozenset(record.coverage.silent))
                self._back(record, frozenset(record.coverage.service))
            case Service():
                self._service(record)
            case RouteHealth():
                self._route(record)
            case PersonSays() if record.id not in self.heard:
                self._said(record)
            case Delivery() if (what := about(record)) in ("missed", "task", "alone"):
                text = record.routes[0].text if record.routes else record.recipient
                at = record.queued_at
                self._add(Entry(at, what, "", record.area, int(record.level), *said(text)))

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.count += 1

    def _alert(self, a: Alert, versions: Sequence[Alert]) -> None:
        def stands(x: Alert) -> tuple[Any, ...]:
            return x.level, x.action, x.state, x.msg_type, [q.what for q in x.questions]

        if len(versions) > 1 and stands(versions[-2]) == stands(a):
            return
        parts = [
            hazard_words(a.hazard),
            Text(f"第{a.version}版", f"version {a.version}"),
            STATE[a.state],
        ]
        if a.level:
            parts.append(Text(LEVEL_ZH[a.level], LEVEL_EN[a.level]))
        if a.action:
            parts.append(Text(ACTION_ZH[a.action], ACTION_EN[a.action]))
        if a.questions:
            wanted = joined((asked(q.what) for q in a.questions), Text("、", ", "))
            parts.append(Text("请求 ", "asks ") + wanted)
        worst = int(max(a.level, a.proposed_level))
        self._add(Entry(a.sent_at, "warning", "", a.area, worst, *said(joined(parts, " "))))

    def _decision(self, d: Decision) -> None:
        act, came = ACT.get(d.act, Text(d.act, d.act)), OUTCOME[d.outcome]
        hazard = hazard_words(d.hazard)
        words = joined(dict.fromkeys(w for w in (d.reason, d.answer) if w), Text("；", "; "))
        line = Text(f"{act.zh}{hazard.zh}{came.zh}：", f"{act.en} {hazard.en}{came.en}: ") + words
        self._add(Entry(d.decided_at, "decision", d.by, d.area, int(d.level), *said(line)))

    def _said(self, says: PersonSays) -> None:
        self.heard[says.id] = None
        if len(self.heard) > KEPT:
            del self.heard[next(iter(self.heard))]
        reply = {**REPLIES, **PLACES, **FIELD}.get(
            says.what, _STRANGER if says.role == STRANGER else _UNCLEAR
        )
        if seen := QUANTITIES.get(says.what):
            reply = Text(seen.zh, says.what.replace("_", " "))
        if says.people is not None:
            reply += Text(f" {says.people} 人", f" {says.people} people")
        level = Level.RED if says.what == "help" else Level.NONE
        at, who = says.received_at, says.person
        self._add(Entry(at, "people", who, says.area, int(level), *said(reply)))

    def _silence(self, d: Detection, now: frozenset[str]) -> None:
        before = self.of_area.get(d.area, frozenset())
        self.of_area[d.area] = now
        for thing in sorted(now - before):
            self.silent[thing] += 1
            if self.silent[thing] == 1:
                words = f"{thing} 静默"
                self._add(Entry(d.detected_at, "silence", "", "", 0, words, f"{thing} fell silent"))
        for thing in sorted(before - now):
            self.silent[thing] -= 1
            if self.silent[thing] == 0:
                words = f"{thing} 恢复来数"
                self._add(Entry(d.detected_at, "silence", "", "", 0, words, f"{thing} is back"))

    def _service(self, s: Service) -> None:
        if self.served.get(s.thing) == s:
            return  # it stands in several topics
        was = self.served.get(s.thing)
        if was is not None and was.said_at >= s.said_at:
            return
        self.served[s.thing] = s
        if s.until_at <= s.said_at:
            return  # its end is told when it is judged again
        minutes = (s.until_at - s.said_at) // 60_000
        line = Text(
            f"{s.thing} 维护 {minutes} 分钟，其间不研判：{zh(s.reason)}",
            f"{s.thing} in service for {minutes} min, judged by nobody: {en(s.reason)}",
        )
        self._add(Entry(s.said_at, "service", s.by, "", 0, *said(line)))

    def _back(self, d: Detection, now: frozenset[str]) -> None:
        before = self.away.get(d.area, frozenset())
        self.away[d.area] = now
        elsewhere = frozenset[str]().union(*(s for a, s in self.away.items() if a != d.area))
        for thing in sorted(before - now - elsewhere):
            words = f"{thing} 维护结束，恢复研判"
            en = f"{thing} is out of service, judged again"
            self._add(Entry(d.detected_at, "service", "", "", 0, words, en))

    def _route(self, h: RouteHealth) -> None:
        name = f"{h.channel}/{h.carrier}"
        if self.up.get(name, True) == h.up:
            return
        self.up[name] = h.up
        line = Text(
            f"发送通道 {name} {'恢复' if h.up else '中断'} {zh(h.detail)}".strip(),
            f"way out {name} {'is back' if h.up else 'IS DOWN'} {en(h.detail)}".strip(),
        )
        self._add(Entry(h.checked_at, "route", "", "", 0 if h.up else 4, *said(line)))


_ASKED = {
    **{lv.name.lower(): Text(LEVEL_ZH[lv], LEVEL_EN[lv]) for lv in Level},
    "prepare": Text("准备转移", "prepare to move"),
    "move": Text("立即转移", "move now"),
    "lower": Text("降级", "lower"),
    "cancel": Text("解除", "cancel"),
}


def asked(what: str) -> Text:
    """The words of what a question asks for."""
    return _ASKED.get(what) or Text(what, what)


def said(words: Said) -> tuple[str, str]:
    """The two halves, as an `Entry` has them."""
    return zh(words), en(words)


def numbered(r: Report) -> Text:
    """第2报 续报 …, report 2 (interim) …: a report with what it says."""
    kind = kind_words(r.kind)
    return Text(
        f"第{r.number}报 {kind.zh} {zh(r.text)}", f"report {r.number} ({kind.en}) {en(r.text)}"
    )


def ordered(district: District, entries: Iterable[Entry], text: str, kind: str) -> list[LogLine]:
    """Newest first, those of a kind ("": all) in whose words, place or person `text` stands."""
    found: list[LogLine] = []
    wanted = text.strip().casefold()
    numbered = sorted(enumerate(entries), key=lambda x: (x[1].at, x[0]), reverse=True)
    for _, e in numbered:
        area = district.areas.get(e.area)
        place = Text(area.name, area.name_en) if area else Text("", "")
        if kind and e.kind != kind:
            continue
        if wanted and wanted not in " ".join((*e[2:4], e.zh, e.en, place.zh, place.en)).casefold():
            continue
        found.append(
            {
                "at": e.at,
                "kind": e.kind,
                "who": e.who,
                "area": e.area,
                "level": e.level,
                "zh": e.zh,
                "en": e.en,
                "place": place.zh,
                "place_en": place.en,
            }
        )
    return found
