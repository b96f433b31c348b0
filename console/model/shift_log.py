"""The shift log (值班日志): every event and act in order of time. Pure: records and the door's own
record in."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from config.language import Text
from config.records.district import District
from config.records.level import (
    ACTION_EN,
    ACTION_ZH,
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Level,
)
from config.records.quantity import QUANTITIES
from console.model.view import View
from detectors.detection import Detection
from dispatch.address.report_notices import REPLIES
from dispatch.notices import about
from dispatch.records import ACTS, Alert, Decision, Delivery, Report, RouteHealth
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
    "close": Text("归档", "close"),
    "accept": Text("接受邻县预警", "accept"),
    "decline": Text("不接受邻县预警", "decline"),
}
_OUTCOME = {
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
_DOOR = {
    "note": Text("备注", "note"),
    "hand over": Text("交班", "hand over"),
    "take over": Text("接班", "take over"),
    "enter": Text("登录", "enter"),
    "leave": Text("退出", "leave"),
    "people's words": Text("查看来信原话", "looked at people's own words"),
    "call list": Text("查看电话名单", "call list"),
    "resend": Text("人工重发", "resend"),
    "service": Text("安排维护", "service"),
    "person": Text("查看一个联系人", "one person looked at"),
    "erase": Text("按要求删除联系人", "person erased on request"),
    "not erased": Text("删除未成", "not erased"),
    "refused at the door": Text("登录被拒", "refused at the door"),
    "guessed at": Text("⚠ 有人在试此人的口令", "somebody guesses at this user's password"),
    "user added": Text("新用户", "user added"),
    "user changed, new password": Text("用户改角色和口令", "user changed, new password"),
    "user removed": Text("删除用户", "user removed"),
    "user unlocked": Text("解除登录限次", "user unlocked"),
    "role given": Text("改角色", "role given"),
    "new password given": Text("给新口令", "new password given"),
    "own password changed": Text("换了自己的口令", "own password changed"),
    "password": Text("口令正确，还差第二步", "password right, another step to come"),
    "second factor": Text("第二因素通过", "second factor shown"),
    "second factor made": Text("设了第二因素", "second factor made"),
    "second factor put off": Text("推迟设第二因素", "second factor put off"),
    "second factor taken away": Text("清除第二因素", "second factor taken away"),
    "link made": Text("发出一次有效的链接", "link made that works once"),
    "token add": Text("新令牌", "token added"),
    "token remove": Text("撤销令牌", "token revoked"),
    "signer add": Text("登记签名人", "signer registered"),
    "signer revoke": Text("撤销签名人", "signer revoked"),
    "signer desk": Text("值班台换签名钥匙", "the desk's key made anew"),
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
            case Alert():
                self._alert(record, view.first[record.id])
            case Decision() if record.hash:  # a person's act stands in `cases` without its outcome
                self._decision(record)
            case Report():
                words = f"第{record.number}报 {record.kind} {record.text}"
                self._add(Entry(record.reported_at, "report", record.by, "", 0, words, words))
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
                self._add(Entry(at, what, "", record.area, int(record.level), text, text))

    def _add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.count += 1

    def _alert(self, a: Alert, versions: Sequence[Alert]) -> None:
        def stands(x: Alert) -> tuple[Any, ...]:
            return x.level, x.action, x.state, x.msg_type, [q.what for q in x.questions]

        if len(versions) > 1 and stands(versions[-2]) == stands(a):
            return
        zh = [HAZARD_ZH.get(a.hazard, a.hazard), f"第{a.version}版", STATE[a.state].zh]
        en = [HAZARD_EN.get(a.hazard, a.hazard), f"version {a.version}", STATE[a.state].en]
        if a.level:
            zh.append(LEVEL_ZH[a.level])
            en.append(LEVEL_EN[a.level])
        if a.action:
            zh.append(ACTION_ZH[a.action])
            en.append(ACTION_EN[a.action])
        if a.questions:
            zh.append("请求 " + "、".join(asked(q.what).zh for q in a.questions))
            en.append("asks " + ", ".join(asked(q.what).en for q in a.questions))
        worst = int(max(a.level, a.proposed_level))
        self._add(Entry(a.sent_at, "warning", "", a.area, worst, " ".join(zh), " ".join(en)))

    def _decision(self, d: Decision) -> None:
        act, came = ACT.get(d.act, Text(d.act, d.act)), _OUTCOME[d.outcome]
        hazard = Text(HAZARD_ZH.get(d.hazard, ""), HAZARD_EN.get(d.hazard, ""))
        words = "；".join(dict.fromkeys(w for w in (d.reason, d.answer) if w))
        zh = f"{act.zh}{hazard.zh}{came.zh}：{words}"
        en = f"{act.en} {hazard.en}{came.en}: {words}"
        self._add(Entry(d.decided_at, "decision", d.by, d.area, int(d.level), zh, en))

    def _said(self, says: PersonSays) -> None:
        self.heard[says.id] = None
        if len(self.heard) > KEPT:
            del self.heard[next(iter(self.heard))]
        reply = REPLIES.get(says.what, _STRANGER if says.role == STRANGER else _UNCLEAR)
        zh, en = reply.zh, reply.en
        if seen := QUANTITIES.get(says.what):
            zh, en = seen.zh, says.what.replace("_", " ")
        if says.people is not None:
            zh, en = f"{zh} {says.people} 人", f"{en} {says.people} people"
        level = Level.RED if says.what == "help" else Level.NONE
        self._add(Entry(says.received_at, "people", says.person, says.area, int(level), zh, en))

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
        zh = f"{s.thing} 维护 {minutes} 分钟，其间不研判：{s.reason}"
        en = f"{s.thing} in service for {minutes} min, judged by nobody: {s.reason}"
        self._add(Entry(s.said_at, "service", s.by, "", 0, zh, en))

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
        zh = f"发送通道 {name} {'恢复' if h.up else '中断'} {h.detail}".strip()
        en = f"way out {name} {'is back' if h.up else 'IS DOWN'} {h.detail}".strip()
        self._add(Entry(h.checked_at, "route", "", "", 0 if h.up else 4, zh, en))


def asked(what: str) -> Text:
    """The words of what a question asks for."""
    zh = {**{lv.name.lower(): w for lv, w in LEVEL_ZH.items()}, "prepare": "准备转移"}
    en = {**{lv.name.lower(): w for lv, w in LEVEL_EN.items()}, "prepare": "prepare to move"}
    zh.update(move="立即转移", lower="降级", cancel="解除")
    en.update(move="move now", lower="lower", cancel="cancel")
    return Text(zh.get(what, what), en.get(what, what))


def at_the_desk(noted: Iterable[tuple[int, str, str, str]]) -> list[Entry]:
    """The door's record as lines: (at, who, what, detail). Acts upon warnings are left out, for the
    ledger has them with what came of them."""
    found = []
    for at, who, what, detail in noted:
        if what in ACTS:
            continue
        word = _DOOR.get(what, Text(what, what))
        kind = {"note": "note", "hand over": "handover", "take over": "handover"}.get(what, "desk")
        more = f"：{detail}" if detail else ""
        found.append(Entry(at, kind, who, "", 0, word.zh + more, word.en + more))
    return found


def ordered(
    district: District, entries: Iterable[Entry], text: str, kind: str
) -> list[dict[str, Any]]:
    """Newest first, those of a kind ("": all) in whose words, place or person `text` stands."""
    found = []
    wanted = text.strip().casefold()
    numbered = sorted(enumerate(entries), key=lambda x: (x[1].at, x[0]), reverse=True)
    for _, e in numbered:
        area = district.areas.get(e.area)
        place = Text(area.name, area.name_en) if area else Text("", "")
        if kind and e.kind != kind:
            continue
        if wanted and wanted not in " ".join((*e[2:4], e.zh, e.en, place.zh, place.en)).casefold():
            continue
        found.append({**e._asdict(), "place": place.zh, "place_en": place.en})
    return found
