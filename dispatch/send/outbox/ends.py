"""How a delivery goes a step on, ends, and is brought back from its end. Pure."""

from config.language import Said, Text, zh
from dispatch.channels import message_id
from dispatch.records import Receipt, State
from dispatch.send.outbox import grouping
from dispatch.send.outbox.state import RANK, Box, Entry

QUIET = Text("免扰时段未完已过期", "over before quiet hours ended")
UNSENT = Text("未发出已过期", "expired before it was sent")
NO_WAY = Text("没有可用渠道", "no route to this recipient")
REPLACED = Text("已被新版取代", "a newer version replaces it")
WITH = Text("随合并通知 ", "with ")
TRYING_ON = Text("到期未播出，仍在重试，停在", "silent, trying on, last state ")


def by_another(r: Receipt) -> bool:
    """It ended as the message ended that spoke for it: no attempt of its own was made for this word."""
    return zh(r.detail).startswith(WITH.zh)


def on_the_air(e: Entry) -> bool:
    """A broadcast platform has it on the air."""
    d = e.delivery
    return e.state == "playing" and d.routes[e.route].channel == "broadcast_platform"


def calls_for_nobody(e: Entry) -> bool:
    """Its time is over, and nobody need be called by hand: quiet hours were the subscriber's choice, and a
    platform had it on the air to the end, though it never said how it went."""
    d = e.delivery
    return d.not_before >= d.expires_at or on_the_air(e)


def all_parts(box: Box, e: Entry, r: Receipt) -> bool:
    """Keep the carrier's ids; a receipt for one part of several counts when it is the last one."""
    if r.state != "delivered":
        for ref in r.refs:
            box.refs[ref] = (r.delivery, r.route)
            message_id.note(box.spelled, ref)
        if len(r.refs) > 1:
            e.parts = list(r.refs)
        return True
    e.parts = [p for p in e.parts if p not in r.refs]
    return not e.parts


def progress(e: Entry, r: Receipt) -> None:
    """A step forward that is not the end. After a failure it brings the attempt back to life: the
    node is there after all, and gets its time again."""
    new = r.attempt > e.attempt
    e.attempt = max(e.attempt, r.attempt)
    if e.state in ("queued", "failed") and (new or RANK[r.state] > e.rank):
        e.state, e.begun_at, e.rank = r.state, r.receipt_at, max(e.rank, RANK[r.state])
    elif e.state not in ("queued", "failed") and RANK[r.state] > RANK[e.state]:
        e.state, e.rank = r.state, max(e.rank, RANK[r.state])


def end(box: Box, e: Entry, state: State, at: int, detail: Said) -> Receipt:
    e.state = state
    close(box, e)
    return Receipt(
        delivery=e.delivery.id,
        route=e.route,
        state=state,
        receipt_at=at,
        attempt=max(1, e.attempt),
        permanent=True,
        detail=detail,
        unsent=state == "failed" and (e.idle or e.heard == (0, 0)),
    )


def close(box: Box, e: Entry) -> None:
    e.done = True
    box.open.pop(e.delivery.id, None)
    box.touched.pop(e.delivery.id, None)


def back(box: Box, e: Entry, r: Receipt) -> list[Receipt]:
    """It did not arrive after all, nor did what it spoke for."""
    out: list[Receipt] = []
    for c in grouping.covered(box, e):
        if c.done and c.state in RANK:
            c.done, c.held, c.state = False, True, "queued"
            c.attempt = c.counted = max(1, c.attempt)
            box.open[c.delivery.id] = True
            out.append(
                Receipt(
                    delivery=c.delivery.id,
                    route=c.route,
                    state="failed",
                    receipt_at=r.receipt_at,
                    attempt=c.attempt,
                    detail=Text(f"随合并通知 {e.delivery.id} 未到达", f"lost with {e.delivery.id}"),
                )
            )
    return out
