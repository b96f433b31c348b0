"""How many messages a person had in a night, and who had more than the policy's number. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

from config.language import zh
from config.records.district import District
from config.records.level import LEVEL_ZH, Level
from dispatch.address.night import has_rounds, most, most_in_rounds
from dispatch.address.recipients import DUTY_ROOM, MACHINES
from dispatch.grade import Grade
from dispatch.notices import DUTY
from dispatch.records import Delivery, Receipt
from dispatch.send.outbox.ends import WITH
from dispatch.send.outbox.undelivered import NOT_WOKEN
from dispatch.words.local_time import local, quiet_until
from fengsui.review.assessment import NightMessages, NightRow

_DAY_MS = 86_400_000


def night_messages(district: District, records: Iterable[object]) -> NightMessages | None:
    """Of all nights in the records; None where the policy has no night, or nobody was told anything in one."""
    policy, zone = district.policy, district.timezone
    told: dict[str, Delivery] = {}
    first: dict[str, int] = {}
    for r in records:
        if isinstance(r, Delivery):
            told.setdefault(r.id, r)
        elif isinstance(r, Receipt) and _went(r):
            first[r.delivery] = min(r.receipt_at, first.get(r.delivery, r.receipt_at))
    mine: dict[tuple[int, str], list[tuple[int, Delivery]]] = defaultdict(list)
    for key, at in first.items():
        d = told.get(key)
        if d is None or not _is_message(district, d):
            continue
        at = max(at, d.queued_at, d.not_before)
        if end := quiet_until(policy.night, at, zone):
            mine[end, d.recipient].append((at, d))
    if not mine:
        return None
    every, near, over, rounds = [], [], [], []
    for (end, who), sent in sorted(mine.items()):
        those, times = [d for _, d in sent], [at for at, _ in sent]
        areas = {x.area for d in those for x in (d, *(told[c] for c in d.covers if c in told))}
        every.append(len(those))
        if len(areas) == 1:
            near.append(len(those))
        top = Grade()
        for d in those:
            top |= Grade(d.level, d.action)
        began = local(end - _DAY_MS, zone, "%Y-%m-%d")
        level = LEVEL_ZH[Level(max(top.rank[0], Level.BLUE))]
        by_rounds = all(has_rounds(district, who, d.audience) for d in those)
        n = most_in_rounds(policy, max(times) - min(times)) if by_rounds else most(policy, top)
        # a list of who did not answer asks for somebody to be sent: it is no round's, and waits for none
        lists = sum(d.alert.startswith(NOT_WOKEN) for d in those) if by_rounds else 0
        count = len(those) - lists
        row = NightRow(id=who, night=began, messages=count, most=n, level=level, areas=len(areas))
        if by_rounds:
            rounds.append(row)
        if count > n:
            over.append(row)
    over.sort(key=lambda r: (-r.messages, r.id))
    return NightMessages(
        people=len(every),
        median=float(median(every)),
        most=max(every),
        local_people=len(near),
        local_median=float(median(near)) if near else 0.0,
        local_most=max(near, default=0),
        over=tuple(over),
        rounds=tuple(rounds),
    )


def _went(r: Receipt) -> bool:
    """Did a carrier take this very message, and none that spoke for it? Whether the phone had it is another
    question."""
    if r.state in ("queued", "failed", "superseded", "expired"):
        return False
    return not zh(r.detail).startswith(WITH.zh)


def _is_message(district: District, d: Delivery) -> bool:
    """Is it a message to a person about a warning?"""
    if not (d.hazard and d.routes) or d.recipient.startswith(DUTY) or d.recipient == DUTY_ROOM:
        return False
    return d.recipient not in district.nodes and (d.routes[0].channel,) not in MACHINES
