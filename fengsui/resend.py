"""Sending again by hand: a delivery of its own with a key of its own, so that no carrier or node
drops it as a repetition, and with the name of who asked. A version that expired or has a newer one is
not sent again: nobody gets a stale word."""

import hashlib
from collections.abc import Iterable

import click
import msgspec

from console.view import View
from dispatch.alert import Delivery
from dispatch.not_reached import DUTY
from fengsui.line import open_run_log
from fengsui.setup import Setup, Usage, now_ms
from fengsui.status import view_of
from ingest.log import Out
from ingest.observation import encode


def again(d: Delivery, channel: str, by: str, at: int, count: int) -> Delivery:
    """The delivery that repeats `d` for the `count`-th time. channel: "" for all of its routes.

    Raises ValueError saying why it cannot be.
    """
    routes = tuple(r for r in d.routes if channel in ("", r.channel))
    if not routes:
        have = ", ".join(r.channel for r in d.routes) or "-"
        raise ValueError(f"{d.id}: 没有渠道 no way {channel!r}; 有 it has {have}")
    if at >= d.expires_at:
        raise ValueError(f"{d.id}: 已过期，请更新预警 it has expired; update the warning instead")
    span = max(60_000, d.deadline_at - d.queued_at)
    name = f"again|{d.id}|{count}|{channel}"
    return msgspec.structs.replace(
        d,
        id=hashlib.sha256(name.encode()).hexdigest()[:24],
        routes=routes,
        again=count,
        asked_by=by,
        not_before=0,  # a person wants it said now
        queued_at=at,
        deadline_at=min(at + span, d.expires_at),
    )


def resend_one(setup: Setup, delivery: str, channel: str, by: str) -> int:
    """One delivery by its id."""
    log = open_run_log(setup)
    view = view_of(log)
    log.close()
    sent = view.sent.get(delivery)
    if sent is None:
        raise Usage(f"没有这条发送 there is no delivery {delivery!r} in {setup.run.name}")
    d = sent.delivery
    if any(d.version < v for v in _versions(view, d.alert, d.recipient)):
        raise Usage(f"{delivery}: 已有新版本 a newer version exists; send that one again")
    return _write(setup, view, [d], channel, by)


def resend_area(setup: Setup, area: str, channel: str, by: str) -> int:
    """The newest version of every warning for an area, to everybody who was told of it."""
    if area not in setup.district.areas:
        raise Usage(f"没有这个预警区 there is no area {area!r} in {setup.district.id}")
    log = open_run_log(setup)
    view = view_of(log)
    log.close()
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
    at = _now(setup, view)
    chosen = [
        d
        for d in newest.values()
        if at < d.expires_at and any(channel in ("", r.channel) for r in d.routes)
    ]
    if not chosen:
        raise Usage(f"{area}: 没有可重发的 nothing that could be sent again")
    return _write(setup, view, chosen, channel, by)


def _versions(view: View, alert: str, recipient: str) -> list[int]:
    return [
        s.delivery.version
        for s in view.sent.values()
        if (s.delivery.alert, s.delivery.recipient) == (alert, recipient)
    ]


def _now(setup: Setup, view: View) -> int:
    return now_ms() if setup.live else view.clock_at


def _write(setup: Setup, view: View, chosen: Iterable[Delivery], channel: str, by: str) -> int:
    at = _now(setup, view)
    counts: dict[tuple[str, int, str], int] = {}
    for s in view.sent.values():
        place = (s.delivery.alert, s.delivery.version, s.delivery.recipient)
        counts[place] = max(counts.get(place, 0), s.delivery.again)
    try:
        new = [
            again(d, channel, by, at, 1 + counts.get((d.alert, d.version, d.recipient), 0))
            for d in chosen
        ]
    except ValueError as e:
        raise Usage(str(e)) from e
    log = open_run_log(setup)
    log.append([Out("deliveries", d.area, encode(d)) for d in new])
    log.close()
    for d in new:
        click.echo(f"  {d.recipient} {'/'.join(r.channel for r in d.routes)}: {d.id}")
    click.echo(f"已排队重发 queued again: {len(new)}, by {by}")
    return 0
