"""A node's local mandate: made from the district's thresholds, judged by the node over its own
gauge. Pure.

Of the rain table the rows of wet ground count: a node does not know what fell before, and it speaks
only when nobody else can.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from config.records.district import Area, District, Node
from config.records.level import Action
from config.records.quantity import QUANTITIES
from dispatch.nodes.protocol import Clause, Kind, Mandate
from dispatch.words.spoken import spoken

_STAGE_FRESH_MS = 30 * 60_000  # a stage reading older than this says nothing
_DRILL = {"live": "", "exercise": "（演练）"}
_DAY_MS = 86_400_000
_WINDOWS = (10, 30, 60, 180, 360)  # min; over a longer one the centre has been heard
VALID_DAYS = 7  # of one mandate; renewed daily as long as the grant lasts


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named person's word that the nodes may act alone: what `fengsui mandate grant` writes."""

    by: str
    reason: str
    granted_at: int
    until_at: int
    after_s: int = 600
    plays: int = 3
    gap_s: int = 1800


class Met(NamedTuple):
    """A clause that holds, and its value."""

    clause: Clause
    value: int


Reading = tuple[int, str, int]  # observed_at, quantity, count


def mandate(district: District, node: Node, grant: Grant, kind: Kind, at: int) -> Mandate | None:
    """The mandate of a node, issued at `at`; None if no threshold orders anything in its area."""
    area = district.areas[node.area]
    clauses = list(_clauses(district, area))
    if not clauses:
        return None
    hazard = next((t.hazard for t in district.rain if t.area == area.id), area.hazards[0])
    return Mandate(
        node=node.id,
        kind=kind,
        area=area.id,
        hazard=hazard,
        issued_at=at,
        valid_from_at=at,
        valid_until_at=min(at + VALID_DAYS * _DAY_MS, grant.until_at),
        after_s=grant.after_s,
        plays=grant.plays,
        gap_s=grant.gap_s,
        repeat=3,
        volume=100,
        clauses=tuple(clauses),
        prepare_text=_words(area, Action.PREPARE, kind),
        move_text=_words(area, Action.MOVE, kind),
    )


def withdrawn(node: str, kind: Kind, at: int) -> Mandate:
    """Ends whatever mandate the node has."""
    return Mandate(
        node=node, kind=kind, area="", hazard="", issued_at=at, valid_from_at=at,
        valid_until_at=at, after_s=0, plays=0, gap_s=0, repeat=1, volume=0, clauses=(),
        prepare_text="", move_text="",
    )  # fmt: skip


def _clauses(district: District, area: Area) -> Iterable[Clause]:
    rain = QUANTITIES["rain"]
    for action, column in ((Action.PREPARE, "prepare_mm"), (Action.MOVE, "move_mm")):
        for window in _WINDOWS:
            found = [
                limit
                for t in district.rain
                if t.area == area.id and t.wetness == "wet" and t.window_min == window
                and (limit := getattr(t, column)) is not None
            ]  # fmt: skip
            if found:
                yield Clause(
                    quantity="rain", window_min=window, count=rain.count(min(found)), action=action
                )
        stages = [
            limit
            for s in district.stage
            if s.area == area.id
            and (limit := s.prepare_m if action == Action.PREPARE else s.move_m) is not None
        ]
        if len(stages) == 1:  # two sections have two zeros: which is the node's own gauge's?
            count = QUANTITIES["stage"].count(stages[0])
            yield Clause(quantity="stage", window_min=0, count=count, action=action)


def _words(area: Area, action: Action, kind: Kind) -> str:
    """What the village hears: place, why, what to do. About twenty seconds."""
    place, shelter = spoken(f"{area.township}{area.name}"), spoken(area.shelter)
    drill = _DRILL[kind]
    why = "与区里联系中断"
    if action == Action.MOVE:
        way = f"{spoken(area.route)}，到{shelter}。" if area.route else f"到{shelter}。"
        return f"{drill}{place}，雨情水情危险，{why}，立即转移！{way}互相招呼，马上走。"
    what = "带好证件药品，叫上老人孩子，听下一次广播。"
    return f"{drill}{place}，雨情水情上涨，{why}，准备转移！{what}"


def met(mandate: Mandate, gauge: Iterable[Reading], at: int, muted_at: int) -> Met | None:
    """The clause that holds at `at` with the highest order. Readings not later than `muted_at` do
    not count: the centre has cancelled what they meant."""
    rows = [r for r in gauge if muted_at < r[0] <= at]
    best: Met | None = None
    for clause in mandate.clauses:
        if clause.window_min:
            since = at - clause.window_min * 60_000
            value = sum(n for when, what, n in rows if what == clause.quantity and when > since)
        else:
            last = [
                (when, n)
                for when, what, n in rows
                if what == clause.quantity and when > at - _STAGE_FRESH_MS
            ]
            value = max(last)[1] if last else clause.count - 1
        if value >= clause.count and (best is None or clause.action > best.clause.action):
            best = Met(clause, value)
    return best
