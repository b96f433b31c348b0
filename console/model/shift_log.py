"""The shift log (值班日志): every event and act in order of time. Pure: records and the door's own
record in."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
from dispatch.grade import Reason
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
    "propose": Reason("提请", "propose"),
    "approve": Reason("批准", "approve"),
    "release": Reason("发布", "release"),
    "return": Reason("退回补正", "return"),
    "hold": Reason("暂缓", "hold"),
    "reject": Reason("驳回", "reject"),
    "raise": Reason("升级", "raise"),
    "lower": Reason("降级", "lower"),
    "cancel": Reason("解除", "cancel"),
    "escalate": Reason("上报下一级", "escalate"),
    "override": Reason("紧急先行发布", "override"),
    "verify": Reason("核报", "verify"),
    "task": Reason("任务销号", "task"),
    "close": Reason("归档", "close"),
    "accept": Reason("接受邻县预警", "accept"),
    "decline": Reason("不接受邻县预警", "decline"),
}
_OUTCOME = {
    "done": Reason("", ""),
    "already": Reason("（别人已办）", " (done before)"),
    "refused": Reason("（不予执行）", " (refused)"),
}
STATE = {
    "proposed": Reason("待决定", "to be decided"),
    "returned": Reason("退回补正", "returned"),
    "held": Reason("暂缓", "held"),
    "rejected": Reason("已驳回", "rejected"),
    "released": Reason("已发布", "in force"),
    "cancelled": Reason("已解除", "cancelled"),
    "expired": Reason("已到期", "expired"),
}
_DOOR = {
    "note": Reason("备注", "note"),
    "hand over": Reason("交班", "hand over"),
    "take over": Reason("接班", "take over"),
    "enter": Reason("登录", "enter"),
    "leave": Reason("退出", "leave"),
    "people's words": Reason("查看来信原话", "looked at people's own words"),
    "call list": Reason("查看电话名单", "call list"),
    "resend": Reason("人工重发", "resend"),
    "service": Reason("安排维护", "service"),
    "person": Reason("查看一个联系人", "one person looked at"),
    "erase": Reason("按要求删除联系人", "person erased on request"),
    "not erased": Reason("删除未成", "not erased"),
    "refused at the door": Reason("登录被拒", "refused at the door"),
    "guessed at": Reason("⚠ 有人在试此人的口令", "somebody guesses at this user's password"),
    "user added": Reason("新用户", "user added"),
    "user changed, new password": Reason("用户改角色和口令", "user changed, new password"),
    "user removed": Reason("删除用户", "user removed"),
    "user unlocked": Reason("解除登录限次", "user unlocked"),
    "role given": Reason("改角色", "role given"),
    "new password given": Reason("给新口令", "new password given"),
    "own password changed": Reason("换了自己的口令", "own password changed"),
    "password": Reason("口令正确，还差第二步", "password right, another step to come"),
    "second factor": Reason("第二因素通过", "second factor shown"),
    "second factor made": Reason("设了第二因素", "second factor made"),
    "second factor put off": Reason("推迟设第二因素", "second factor put off"),
    "second factor taken away": Reason("清除第二因素", "second factor taken away"),
    "link made": Reason("发出一次有效的链接", "link made that works once"),
    "token add": Reason("新令牌", "token added"),
    "token remove": Reason("撤销令牌", "token revoked"),
    "signer add": Reason("登记签名人", "signer registered"),
    "signer revoke": Reason("撤销签名人", "signer revoked"),
    "signer desk": Reason("值班台换签名钥匙", "the desk's key made anew"),
}


_STRANGER = Reason("陌生号码来信，未核实", "a stranger's message, unverified")
_UNCLEAR = Reason("来信看不懂", "a message that cannot be read")


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
        act, came = ACT.get(d.act, Reason(d.act, d.act)), _OUTCOME[d.outcome]
        hazard = Reason(HAZARD_ZH.get(d.hazard, ""), HAZARD_EN.get(d.hazard, ""))
        words = "；".join(dict.fromkeys(w for w in (d.reason, d.answer) if w))
        zh = f"{act.zh}{hazard.zh}{came.zh}：{words}"
        en = f"{act.en} {hazard.en}{came.en}: {words}"
        self._add(Entry(d.decided_at, "decision", d.by, d.area, int(d.level), zh, en))

    def _said(self, says: PersonSays) -> None:
        self.heard[says.id] = None
        if len(self.heard) > KEPT:
            del self.heard[next(iter(self.heard))]
        zh, en = REPLIES.get(says.what, _STRANGER if says.role == STRANGER else _UNCLEAR)
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


def asked(what: str) -> Reason:
    """The words of what a question asks for."""
    zh = {**{lv.name.lower(): w for lv, w in LEVEL_ZH.items()}, "prepare": "准备转移"}
    en = {**{lv.name.lower(): w for lv, w in LEVEL_EN.items()}, "prepare": "prepare to move"}
    zh.update(move="立即转移", lower="降级", cancel="解除")
    en.update(move="move now", lower="lower", cancel="cancel")
    return Reason(zh.get(what, what), en.get(what, what))


def at_the_desk(noted: Iterable[tuple[int, str, str, str]]) -> list[Entry]:
    """The door's record as lines: (at, who, what, detail). Acts upon warnings are left out, for the
    ledger has them with what came of them."""
    found = []
    for at, who, what, detail in noted:
        if what in ACTS:
            continue
        word = _DOOR.get(what, Reason(what, what))
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
        place = Reason(area.name, area.name_en) if area else Reason("", "")
        if kind and e.kind != kind:
            continue
        if wanted and wanted not in " ".join((*e[2:4], e.zh, e.en, *place)).casefold():
            continue
        found.append({**e._asdict(), "place": place.zh, "place_en": place.en})
    return found
