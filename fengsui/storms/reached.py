"""What a campaign must have seen at least once: a promise that was never put to the test is not kept, it was
not asked. Pure: told from the account of a storm, and from what the machine saw by the way."""

from collections import Counter
from collections.abc import Iterator

from config.language import Text, en
from config.records.level import Action
from dispatch.channels.failover import NO_CARRIER
from dispatch.records import Alert, Decision, Receipt
from fengsui.storms.account import Account
from stream.records import DeadLetter

STATES: dict[str, Text] = {
    "restarted": Text("环节死后重启", "a stage died and was started again"),
    "powered": Text("断电后恢复", "the power came back"),
    "unsynced": Text("断电丢了未落盘的", "a power cut took what was not synced"),
    "full": Text("写入时磁盘满", "the disk was full at a write"),
    "refused": Text("日志拒写，什么也没写", "the log refused, and had written nothing"),
    "took effect": Text("写成了却报失败", "a write took effect and was told as failed"),
    "unacknowledged": Text("应答之前死亡，消息又来", "a stage died before it acknowledged"),
    "fenced": Text("失去分区的成员醒来，被拒", "an owner that had lost its partition woke, and was fenced"),
    "woke": Text("停住的进程醒来", "a process that stood still woke"),
    "taken over": Text("别的成员接管分区", "another member took a partition over"),
    "repeated": Text("同一键再次尝试", "an attempt was made again by the same key"),
    "failover": Text("备用运营商接手", "the second carrier stood in"),
    "no carrier": Text("一个渠道全断，走下一渠道", "no carrier of a channel worked, the next way was taken"),
    "lied": Text("运营商收了不送", "a carrier accepted and did not deliver"),
    "unsure": Text("运营商收了却报超时", "a carrier took a message and said that it did not"),
    "late": Text("回执迟到", "a receipt came late"),
    "another's": Text("回执是别的消息的", "a receipt was of another message"),
    "waited": Text("断线期间有消息在等", "messages had waited when the broker could be reached again"),
    "disordered": Text("消息乱序送达", "messages came in another order"),
    "uploaded": Text("补传的读数到了", "readings came that a station had kept while it was cut off"),
    "out of reach": Text("有给喇叭的话，它听不到", "a loudspeaker was spoken to and heard nothing"),
    "forgot": Text("消息服务器忘掉消息", "the broker forgot messages"),
    "twice": Text("消息重复送达", "messages came twice"),
    "clock held": Text("时钟跳变未被采信", "a step of the clock was not believed"),
    "torn": Text("残缺快照弃用", "a torn snapshot was left aside"),
    "changed": Text("预警生效时改配置", "the configuration changed under an open warning"),
    "upgraded": Text("新版接过旧版的快照", "a later version took over what this one remembered"),
    "gone back": Text("退回后弃用新版的快照", "back again, a later version's snapshot was left aside"),
    "asked": Text("有人被请示", "somebody was asked to decide"),
    "deadline": Text("到期无人决定，按规定发布", "a deadline passed and the policy released"),
    "escalated": Text("到期上报下一级", "a deadline passed and the next was asked"),
    "two persons": Text("两人发布立即转移", "two persons released an order to move"),
    "already": Text("两人同时办，后者被告知已办", "of two who acted at once the second was told"),
    "turned down": Text("有人驳回或暂缓", "somebody turned it down or held it"),
    "raised": Text("有人主动提级", "somebody raised it"),
    "moved": Text("立即转移生效", "an order to move was in force"),
    "renewed": Text("预警延续再发", "a renewal was sent"),
    "all-clear": Text("解除已发出", "an all-clear was given"),
    "superseded": Text("未发的被新版取代", "an unsent message was replaced by a newer version"),
    "expired": Text("消息过期未达", "a message ran out before anybody was reached"),
    "played": Text("喇叭播完", "a loudspeaker played to the end"),
    "sounded when the power went": Text("喇叭播报中断电", "a loudspeaker was sounding when its power went"),
    "answered": Text("叫应", "somebody answered"),
    "not answered": Text("未叫应，报值班室", "somebody did not answer, and the duty room was told"),
    "dead letter": Text("坏输入成为死信", "a dead letter was written"),
    "drill kept out": Text("演练记录被拒于实况之外", "a drill's record was kept out"),
    "thin": Text("断报致依据不足", "silence left an area's evidence thin"),
}  # fmt: skip


def reached(a: Account, seen: Counter[str]) -> Counter[str]:
    """How often each state was reached in one storm. seen: what the machine saw by the way."""
    found = Counter(seen)
    for name in (*_of_alerts(a), *_of_decisions(a), *_of_deliveries(a), *_of_letters(a)):
        found[name] += 1
    return found


def _of_alerts(a: Account) -> Iterator[str]:
    for row, x in a.of("alerts", Alert):
        if row.by != "decide":
            continue
        if x.questions:
            yield "asked"
        if x.again:
            yield "escalated"
        if x.renewed:
            yield "renewed"
        if x.action == Action.MOVE:
            yield "moved"
        if x.thin:
            yield "thin"


def _of_decisions(a: Account) -> Iterator[str]:
    approved: dict[str, set[str]] = {}
    for row, d in a.of("alerts", Decision):
        if row.by != "decide":
            continue
        person = d.by != "policy"
        if not person and d.act == "release" and "到期" in str(d.reason):
            yield "deadline"
        if not person and d.act == "escalate":
            yield "escalated"
        if d.outcome == "already":
            yield "already"
        if person and d.outcome == "done":
            if d.act in ("reject", "hold"):
                yield "turned down"
            if d.act in ("raise", "override"):
                yield "raised"
            if d.action == Action.MOVE and d.act in ("approve", "release", "raise"):
                names = approved.setdefault(d.alert, set())
                names.add(d.by)
                if len(names) == 2:
                    yield "two persons"


def _of_deliveries(a: Account) -> Iterator[str]:
    for _, r in a.of("deliveries", Receipt):
        if r.state in ("superseded", "expired", "played", "answered"):
            yield r.state
        if en(r.detail) == en(NO_CARRIER):
            yield "no carrier"
    keys = set[str]()
    for h in a.handed:
        if h.key in keys:
            yield "repeated"
        keys.add(h.key)
        if h.delivery.msg_type == "cancel" and h.delivery.audience == "public":
            yield "all-clear"
        if h.by == "sms-2":
            yield "failover"
        if h.channel == "console" and "not answered" in en(h.delivery.routes[0].text):
            yield "not answered"


def _of_letters(a: Account) -> Iterator[str]:
    for _, x in a.of("dead-letters", DeadLetter):
        yield "dead letter"
        if x.reason in ("wrong_run", "unproven_decision", "wrong_kind"):
            yield "drill kept out"
