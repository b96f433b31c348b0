"""Sending again by hand: a delivery of its own with a key of its own, so that no carrier or node
drops it as a repetition, and with the name of who asked. A version that expired or has a newer one is
not sent again: nobody gets a stale word. Pure."""

import hashlib
from collections.abc import Sequence

import msgspec

from config.language import Text
from console.model.view import View
from dispatch.notices import DUTY
from dispatch.records import Delivery


def again(d: Delivery, channel: str, by: str, at: int, count: int) -> Delivery:
    """The delivery that repeats `d` for the `count`-th time. channel: "" for all of its routes.

    Raises ValueError saying why it cannot be.
    """
    routes = tuple(r for r in d.routes if channel in ("", r.channel))
    if not routes:
        have = ", ".join(r.channel for r in d.routes) or "-"
        raise ValueError(
            Text(
                f"{d.id}: 没有渠道 {channel!r}，有 {have}",
                f"{d.id}: no way {channel!r}; it has {have}",
            )
        )
    if at >= d.expires_at:
        raise ValueError(
            Text(
                f"{d.id}: 已过期，请更新预警", f"{d.id}: it has expired; update the warning instead"
            )
        )
    span = max(60_000, d.deadline_at - d.queued_at)
    name = f"again|{d.id}|{count}|{channel}"
    return msgspec.structs.replace(
        d,
        id=hashlib.sha256(name.encode()).hexdigest()[:24],
        routes=routes,
        plain=tuple(r for r in d.plain if channel in ("", r.channel)),
        beside=(),  # it waits for nothing, and nothing goes with it
        again=count,
        asked_by=by,
        not_before=0,  # a person wants it said now
        queued_at=at,
        deadline_at=min(at + span, d.expires_at),
    )


def one(view: View, delivery: str) -> Delivery:
    """The delivery of that id. Raises ValueError: there is none, or the recipient was told more."""
    sent = view.sent.get(delivery)
    if sent is None:
        raise ValueError(Text(f"没有这条发送 {delivery!r}", f"there is no delivery {delivery!r}"))
    d = sent.delivery
    newest = max(
        s.delivery.version
        for s in view.sent.values()
        if (s.delivery.alert, s.delivery.recipient) == (d.alert, d.recipient)
    )
    if d.version < newest:
        raise ValueError(
            Text(
                f"{delivery}: 已有新版本，请重发那一条",
                f"{delivery}: a newer version exists; send that one again",
            )
        )
    return d


def of_area(view: View, area: str, channel: str, at: int) -> list[Delivery]:
    """The newest version of every warning for an area, to everybody who was told of it. Raises
    ValueError: nothing could be sent again."""
    newest: dict[tuple[str, str], Delivery] = {}
    for sent in view.sent.values():
        d = sent.delivery
        if d.area != area or d.recipient.startswith(DUTY):
            continue
        place = (d.alert, d.recipient)
        if place not in newest or (newest[place].version, -newest[place].again) < (
            d.version,
            -d.again,
        ):
            newest[place] = d
    chosen = [
        d
        for d in newest.values()
        if at < d.expires_at and any(channel in ("", r.channel) for r in d.routes)
    ]
    if not chosen:
        raise ValueError(Text(f"{area}: 没有可重发的", f"{area}: nothing that could be sent again"))
    return chosen


def repeat(
    view: View, chosen: Sequence[Delivery], channel: str, by: str, at: int
) -> list[Delivery]:
    """What to append to `deliveries`. Raises ValueError."""
    counts: dict[tuple[str, int, str], int] = {}
    for s in view.sent.values():
        place = (s.delivery.alert, s.delivery.version, s.delivery.recipient)
        counts[place] = max(counts.get(place, 0), s.delivery.again)
    return [
        again(d, channel, by, at, 1 + counts.get((d.alert, d.version, d.recipient), 0))
        for d in chosen
    ]
