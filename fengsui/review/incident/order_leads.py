"""How early 准备转移 and 立即转移 came in each village before the water did, and why: the rule and the value
that asked for them, who let them out, and how long that took. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from config.language import Text, text_of
from config.records.district import District
from config.records.level import Action
from detectors.detection import Evidence
from dispatch.records import Alert
from dispatch.words.evidence import evidence


class FirstOrder(NamedTuple):
    """The first version of a village, whatever the hazard, with an order of this height or above that still
    held when the flood came.

    lead_s: how long before the flood, negative after it; None: nothing flooded. why: the value that went
    farthest beyond its limit among those that this version rests on, or the person's reason. by: "policy"
    or an officer. waited_s: from the version that first asked for it to this one."""

    at: int
    lead_s: int | None
    why: Text
    by: str
    waited_s: int


class Unanswered(NamedTuple):
    """An order that was proposed, and that nobody let out before the flood came.

    at: when it was first asked for, ms. lead_s: how long before the flood; None: nothing flooded."""

    at: int
    action: Action
    lead_s: int | None


class VillageOrders(NamedTuple):
    """flooded_at: of the hazard that came first, ms; None: none came. unanswered: orders that were proposed and
    not given, the lower one first; of one given nothing."""

    area: str
    flooded_at: int | None
    prepare: FirstOrder | None
    move: FirstOrder | None
    unanswered: tuple[Unanswered, ...] = ()


def village_orders(
    district: District, warnings: Iterable[Sequence[Alert]], flooded: Mapping[str, int]
) -> list[VillageOrders]:
    """Of every village that was flooded or had an order, in the order of the floods, then of the orders.
    warnings: the versions of each. flooded: area -> when water or debris was there first, ms."""
    by_area: dict[str, list[Sequence[Alert]]] = {area: [] for area in flooded}
    for versions in warnings:
        if versions[0].area in flooded or any(a.action for a in versions):
            by_area.setdefault(versions[0].area, []).append(versions)
    rows = []
    for area, mine in by_area.items():
        at = flooded.get(area)
        prepare, move = (
            _first(district, mine, action, at) for action in (Action.PREPARE, Action.MOVE)
        )
        given = [Action.PREPARE] * (prepare is not None) + [Action.MOVE] * (move is not None)
        left = [a for a in (Action.PREPARE, Action.MOVE) if a > max(given, default=Action.NONE)]
        asked = [x for a in left if (x := _unanswered(mine, a, at)) is not None]
        rows.append(VillageOrders(area, at, prepare, move, tuple(asked)))
    never = 2**62
    return sorted(
        rows,
        key=lambda r: (r.flooded_at or never, r.move.at if r.move else never, r.area),
    )


def _first(
    district: District, warnings: list[Sequence[Alert]], action: Action, flooded: int | None
) -> FirstOrder | None:
    """The earliest that was not lifted again before the flood came: one that was helped nobody."""
    found = [
        (out.sent_at, out.id, out, asked.sent_at)
        for versions in warnings
        for asked, out, until in _spells(versions, action)
        if flooded is None or until is None or until > flooded
    ]
    if not found:
        return None
    at, _, alert, asked_at = min(found, key=lambda x: x[:2])
    lead = None if flooded is None else (flooded - at) // 1000
    return FirstOrder(at, lead, _why(district, alert), alert.by, (at - asked_at) // 1000)


def _unanswered(
    warnings: Sequence[Sequence[Alert]], action: Action, flooded: int | None
) -> Unanswered | None:
    """The first time that this order, and none higher, was asked for; what came after the flood is none."""
    found = [
        a.sent_at
        for versions in warnings
        for a in versions
        if a.proposed_action == action > a.action and (flooded is None or a.sent_at <= flooded)
    ]
    if not found:
        return None
    return Unanswered(
        min(found), action, None if flooded is None else (flooded - min(found)) // 1000
    )


def _spells(versions: Sequence[Alert], action: Action) -> Iterator[tuple[Alert, Alert, int | None]]:
    """Each time that an order of this height began: the version that asked for it, the one that gave it, and
    when it was lifted, ms."""
    asked: Alert | None = None
    out: Alert | None = None
    for a in versions:
        if asked is None and max(a.action, a.proposed_action) >= action:
            asked = a
        if asked is not None and out is None and a.action >= action:
            out = a
        if asked is not None and out is not None and a.action < action:
            yield asked, out, a.sent_at
            asked = out = None
        elif max(a.action, a.proposed_action) < action:
            asked = None
    if asked is not None and out is not None:
        yield asked, out, None


def _why(district: District, alert: Alert) -> Text:
    """What carried it farthest: of values with a limit the one most above it, else what was said."""
    limited = [e for e in alert.evidence if e.threshold]
    if limited:
        worst = max(limited, key=lambda e: (e.value / (e.threshold or 1.0), e.station))
        return _told(district, worst)
    return _told(district, alert.evidence[0]) if alert.evidence else text_of(alert.reason)


def _told(district: District, e: Evidence) -> Text:
    """A mean over several stations by the first of them and their number."""
    first, *others = e.station.split("+")
    zh, en = (evidence(district, replace(e, station=first), lang) for lang in ("zh", "en"))
    known = district.stations.get(first)
    if others and known is not None:
        zh = zh.replace(known.name, f"{known.name}等{len(others) + 1}站", 1)
        en = en.replace(known.name_en, f"{known.name_en} and {len(others)} more", 1)
    return Text(zh, en)


class OrderCounts(NamedTuple):
    """Of the flooded villages: how many had the order at least `enough_s` before, less, or too late or
    never; the median lead of those that had it before, s; vain: villages with it that nothing reached."""

    flooded: int
    enough: int
    short: int
    late: int
    never: int
    median_s: int | None
    vain: int


def order_counts(rows: Iterable[VillageOrders], action: Action, enough_s: int) -> OrderCounts:
    """Over all villages. action: 准备转移 or 立即转移."""
    pairs = [(r, r.prepare if action == Action.PREPARE else r.move) for r in rows]
    hit = [(r, o) for r, o in pairs if r.flooded_at is not None]
    leads = sorted(o.lead_s for _, o in hit if o is not None and o.lead_s is not None)
    before = [s for s in leads if s > 0]
    return OrderCounts(
        flooded=len(hit),
        enough=sum(s >= enough_s for s in before),
        short=sum(s < enough_s for s in before),
        late=len(leads) - len(before),
        never=sum(o is None for _, o in hit),
        median_s=before[len(before) // 2] if before else None,
        vain=sum(o is not None for r, o in pairs if r.flooded_at is None),
    )
