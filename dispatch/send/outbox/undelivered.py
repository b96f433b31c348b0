"""What the outbox says of deliveries that did not arrive: the notice to the duty room, the list of
those who did not answer to their superiors, and the word on a way out that died. Pure."""

import hashlib
from collections.abc import Sequence

from config.records.level import ACTION_ZH, HAZARD_ZH, LEVEL_ZH, Level
from dispatch.notices import NOTICE_VALID_MS, ROUTE, duty_notice
from dispatch.records import Delivery, Route, RouteHealth
from dispatch.send.outbox.state import Rules
from dispatch.words.sms_length import segments

_NAMED = 12  # of those who did not answer: more would not fit into an SMS


def notice(d: Delivery, area: str, at: int, detail: str) -> Delivery:
    """Tell the duty room that `d` did not reach its recipient; area: its name."""
    order = ACTION_ZH[d.action] if d.action else LEVEL_ZH[d.level]
    drill = "" if d.status == "actual" else "（演练）"
    text = (
        f"{drill}未送达，请人工叫应 NOT REACHED, call by hand: {area} {d.area} "
        f"{HAZARD_ZH.get(d.hazard, d.hazard)} {order} {d.alert}/{d.version} "
        f"接收者 recipient {d.recipient}：{detail}"
    )
    return duty_notice(
        f"not reached|{d.id}",
        d.recipient,
        "未送达 not reached",
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


def list_of_missed(
    rules: Rules, missed: Sequence[Delivery], who: str, channels: tuple[str, ...], at: int
) -> list[Delivery]:
    """未叫应名单: the list of those who did not answer, for one superior. One delivery for each kind of
    run's status among them; nothing for nobody."""
    out = []
    for status in dict.fromkeys(d.status for d in missed):
        those = [d for d in missed if d.status == status]
        worst = max(those, key=lambda d: (d.action, d.level))
        names = [f"{rules.areas.get(d.area, d.area)} {d.recipient}" for d in those]
        more = f" 等共 {len(names)} 人" if len(names) > _NAMED else ""
        drill = "" if status == "actual" else "（演练）"
        text = f"{drill}未叫应，请派人 NOT WOKEN, send somebody: {'；'.join(names[:_NAMED])}{more}"
        signed = f"【{rules.signature}】{text}" if rules.signature else text
        routes = tuple(
            Route(
                channel=c,
                title=f"{drill}未叫应名单 not woken",
                text=signed if c == "sms" else text,
                segments=segments(signed) if c == "sms" else 0,
            )
            for c in channels
        )
        out.append(
            Delivery(
                id=hashlib.sha256(
                    "|".join(["not woken", who, *(d.id for d in those)]).encode()
                ).hexdigest()[:16],
                alert=f"not-woken-{at}",
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
            )
        )
    return out


def route_notice(h: RouteHealth, live: bool) -> Delivery:
    """Tell the duty room that a way out died or came back."""
    words = "恢复 is back" if h.up else "中断，请立即处理 IS DOWN, act now"
    drill = "" if live else "（演练）"
    text = f"{drill}发送通道 {h.channel}/{h.carrier} {words} {h.detail}".strip()
    name = f"{ROUTE}{h.channel}/{h.carrier}"
    return duty_notice(
        f"{name}|{h.checked_at}|{h.up}",
        name,
        "发送通道 way out",
        text,
        h.checked_at,
        alert=name,
        status="actual" if live else "exercise",
        level=Level.NONE if h.up else Level.RED,
        version=h.checked_at // 1000,  # the newest word replaces an unsent older one
        msg_type="update" if h.up else "alert",
    )
