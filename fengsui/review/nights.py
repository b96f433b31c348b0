"""What people's phones received in a night, by kind, and who had more warnings than the policy says. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from config.language import zh
from config.records.district import District
from config.records.level import LEVEL_ZH, Action, Level
from dispatch.address.night import has_rounds, most, most_in_rounds
from dispatch.address.recipients import DUTY_ROOM, MACHINES, asked
from dispatch.grade import Grade
from dispatch.notices import DUTY
from dispatch.people.contact_store import ASKED
from dispatch.records import Alert, Delivery, Receipt
from dispatch.send.outbox.ends import WITH
from dispatch.send.outbox.undelivered import NOT_WOKEN
from dispatch.words.local_time import local, quiet_until
from fengsui.review.assessment import MessageKind, NightMessages, NightRow

_DAY_MS = 86_400_000
_Put = dict[
    tuple[str, int, int], set[str]
]  # (alert, version, again) -> who was asked to decide then


class _Night(NamedTuple):
    """What a person's phone received in one, of which areas it told, and which of these had an order to move or
    a red."""

    sent: list[tuple[int, Delivery, MessageKind]]
    areas: set[str]
    urgent: set[tuple[str, str]]


def night_messages(district: District, records: Iterable[object]) -> NightMessages | None:
    """Of all nights in the records; None where the policy has no night, or nobody was told anything in one."""
    nights = _by_person(district, records)
    if not nights:
        return None
    every, near, deciders = [], [], []
    kinds, top = Counter[MessageKind](), Counter[MessageKind]()
    over, rounds = [], []
    for (end, who), night in sorted(nights.items()):
        sent, areas = night.sent, night.areas
        mine = Counter(kind for _, _, kind in sent)
        kinds += mine
        top |= mine
        every.append(len(sent))
        if mine["question"]:
            deciders.append(len(sent))
        elif len(areas) == 1:
            near.append(len(sent))
        warnings = [(at, d) for at, d, kind in sent if kind == "warning"]
        if not warnings:
            continue
        row, by_rounds = _row(district, who, end, warnings, night)
        if by_rounds:
            rounds.append(row)
        if row.messages > row.most:
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
        asked_people=len(deciders),
        asked_most=max(deciders, default=0),
        kinds=dict(kinds),
        kind_most=dict(top),
    )


def _row(
    district: District, who: str, end: int, sent: list[tuple[int, Delivery]], night: _Night
) -> tuple[NightRow, bool]:
    """A person's warnings beside how many there may be; is it somebody who is told by rounds?"""
    policy, times = district.policy, [at for at, _ in sent]
    top = Grade()
    for _, d in sent:
        top |= Grade(d.level, d.action)
    by_rounds = all(has_rounds(district, who, d.audience) for _, d in sent)
    in_rounds = most_in_rounds(policy, max(times) - min(times), len(night.urgent))
    row = NightRow(
        id=who,
        night=local(end - _DAY_MS, district.timezone, "%Y-%m-%d"),
        messages=len(sent),
        most=in_rounds if by_rounds else most(policy, top),
        level=LEVEL_ZH[Level(max(top.rank[0], Level.BLUE))],
        areas=len(night.areas),
        all=len(night.sent),
    )
    return row, by_rounds


def _by_person(
    district: District, records: Iterable[object]
) -> dict[tuple[int, str], _Night]:
    """By the end of the night and the person."""
    told: dict[str, Delivery] = {}
    first: dict[tuple[str, int], int] = {}
    put: _Put = {}
    for r in records:
        if isinstance(r, Delivery):
            told.setdefault(r.id, r)
        elif isinstance(r, Alert):
            put[r.id, r.version, r.again] = {t.recipient for t in asked(district, r)}
        elif isinstance(r, Receipt) and _went(r):
            way = (r.delivery, r.route)
            first[way] = min(r.receipt_at, first.get(way, r.receipt_at))
    found: dict[tuple[int, str], _Night] = defaultdict(lambda: _Night([], set(), set()))
    before = set[str]()
    for (key, _), at in sorted(first.items(), key=lambda x: (x[1], x[0])):
        d = told.get(key)
        if d is None or not _is_for_a_person(district, d):
            continue
        covered = [told[c] for c in d.covers if c in told]
        kind: MessageKind = "again" if key in before else _kind(put, d, covered)
        before.add(key)
        at = max(at, d.queued_at, d.not_before)
        if end := quiet_until(district.policy.night, at, district.timezone):
            night = found[end, d.recipient]
            night.sent.append((at, d, kind))
            those = [x for x in (d, *covered) if x.hazard and kind != "list"]
            night.areas.update(x.area for x in those)
            night.urgent.update((x.area, "move") for x in those if x.action == Action.MOVE)
            night.urgent.update((x.area, "red") for x in those if x.level == Level.RED)
    return found


def _kind(put: _Put, d: Delivery, covered: Iterable[Delivery]) -> MessageKind:
    if d.alert.startswith(NOT_WOKEN):
        return "list"
    if any(x.recipient in put.get((x.alert, x.version, x.again), ()) for x in (d, *covered)):
        return "question"
    return "warning" if d.hazard else "other"


def _went(r: Receipt) -> bool:
    """Did a carrier take this very message, and none that spoke for it? Whether the phone had it is another
    question."""
    if r.state in ("queued", "failed", "superseded", "expired"):
        return False
    return not zh(r.detail).startswith(WITH.zh)


def _is_for_a_person(district: District, d: Delivery) -> bool:
    if not d.routes or d.recipient.startswith((DUTY, ASKED)) or d.recipient == DUTY_ROOM:
        return False
    return d.recipient not in district.nodes and (d.routes[0].channel,) not in MACHINES
