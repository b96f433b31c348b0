"""What the outbox says of deliveries that did not arrive: the notice to the duty room, the list of
those who did not answer to their superiors, and the word on a way out that died. Pure."""

import hashlib
from collections.abc import Sequence

from config.language import Said, Text, choose, each, en, joined, text_of, zh
from config.records.level import (
    ACTION_EN,
    ACTION_ZH,
    HAZARD_EN,
    HAZARD_ZH,
    LEVEL_EN,
    LEVEL_ZH,
    Level,
)
from dispatch.notices import NOTICE_VALID_MS, REPORT, ROUTE, drill_mark, duty_notice
from dispatch.records import Delivery, RouteHealth
from dispatch.send.outbox.state import Rules
from dispatch.words.sms_length import person_route

NOT_WOKEN = "not-woken-"  # of what stands for the alert in such a list
_NAMED = 12  # of those who did not answer: more would not fit into an SMS


def notice(d: Delivery, area: Text, at: int, detail: Said) -> Delivery:
    """Tell the duty room that `d` did not reach its recipient; area: its name."""
    order, order_en = ACTION_ZH[d.action], ACTION_EN[d.action]
    if not d.action:
        order, order_en = LEVEL_ZH[d.level], LEVEL_EN[d.level]
    name = f"{d.alert}/{d.version}"
    if d.alert.startswith(REPORT):
        return _unreported(d, at, detail)
    text = drill_mark(d.status == "actual") + Text(
        f"未送达，请人工叫应：{area.zh} {d.area} {HAZARD_ZH.get(d.hazard, d.hazard)} {order} "
        f"{name} 接收者 {d.recipient}：{zh(detail)}",
        f"NOT REACHED, call by hand: {area.en} {d.area} {HAZARD_EN.get(d.hazard, d.hazard)} "
        f"{order_en} {name} recipient {d.recipient}: {en(detail)}",
    )
    return duty_notice(
        f"not reached|{d.id}",
        d.recipient,
        Text("未送达", "not reached"),
        text,
        at,
        alert=d.alert,
        status=d.status,
        level=d.level,
        version=d.version,
        area=d.area,
        hazard=d.hazard,
        action=d.action,
        msg_type=d.msg_type,
    )


def _unreported(d: Delivery, at: int, detail: Said) -> Delivery:
    """Tell the duty room that a superior did not get a report."""
    heading = d.routes[0].title if d.routes else d.alert
    what = Text("报告没有送达，请电话报告：", "REPORT NOT RECEIVED, telephone: ")
    to = Text(f"{zh(heading)}，接收者 {d.recipient}：", f"{en(heading)}, recipient {d.recipient}: ")
    return duty_notice(
        f"not reached|{d.id}",
        d.recipient,
        Text("报告没有送达", "report not received"),
        drill_mark(d.status == "actual") + what + to + detail,
        at,
        alert=d.alert,
        status=d.status,
        level=Level.YELLOW,
    )


def list_of_missed(
    rules: Rules, missed: Sequence[Delivery], who: str, channels: tuple[str, ...], at: int
) -> list[Delivery]:
    """未叫应名单: the list of those who did not answer, for one superior. One delivery for each kind of
    run's status among them; nothing for nobody."""
    out = []
    for status in dict.fromkeys(d.status for d in missed):
        those = [d for d in missed if d.status == status]
        worst = max(those, key=lambda d: (d.action, d.level))
        names = [rules.place(d.area) + f" {d.recipient}" for d in those]
        named, many = joined(names[:_NAMED], Text("；", "; ")), len(names)
        more = Text(f" 等共 {many} 人", f" of {many} people") if many > _NAMED else ""
        drill, lang = drill_mark(status == "actual"), rules.not_woken_lang.get(who, "zh")
        what = Text("未叫应，请派人：", "NOT WOKEN, send somebody: ")
        text = choose(drill + what + named + more, lang)
        title = choose(drill + Text("未叫应名单", "not woken"), lang)
        routes = tuple(person_route(c, rules.signature, text, title) for c in channels)
        out.append(
            Delivery(
                id=hashlib.sha256(
                    "|".join(["not woken", who, *(d.id for d in those)]).encode()
                ).hexdigest()[:16],
                alert=f"{NOT_WOKEN}{at}",
                version=1,
                area=worst.area,
                hazard=worst.hazard,
                level=worst.level,
                action=worst.action,
                msg_type="alert",
                status=status,
                recipient=who,
                audience="internal",
                routes=routes,
                queued_at=at,
                deadline_at=at + 3 * 60_000,
                expires_at=at + NOTICE_VALID_MS,
                lang=lang,
            )
        )
    return out


def route_notice(h: RouteHealth, live: bool) -> Delivery:
    """Tell the duty room that a way out died or came back."""
    way = f"{h.channel}/{h.carrier}"
    words = Text("恢复", "is back") if h.up else Text("中断，请立即处理", "IS DOWN, act now")
    text = drill_mark(live) + Text(f"发送通道 {way} ", f"Way out {way} ") + words + " " + h.detail
    name = f"{ROUTE}{h.channel}/{h.carrier}"
    return duty_notice(
        f"{name}|{h.checked_at}|{h.up}",
        name,
        Text("发送通道", "way out"),
        text if h.detail else text_of(each(text, str.strip)),
        h.checked_at,
        alert=name,
        status="actual" if live else "exercise",
        level=Level.NONE if h.up else Level.RED,
        version=h.checked_at // 1000,  # the newest word replaces an unsent older one
        msg_type="update" if h.up else "alert",
    )
