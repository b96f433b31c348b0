"""A person's act, from the command line or a page: into `cases`, one record a warning, all or none;
and what the stage decide answered. Who may do it is decide's to say, not this file's."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from config.language import Text
from config.records.level import Action, Level
from console.model.follow import Follower
from dispatch.records import Decision
from stream.log.port import Log, Out
from stream.records import encode

QUEUED = Text("已记录，决策环节尚未处理", "queued, decide has not answered")
_POLL_S = 0.1


class Place(NamedTuple):
    """A warning as the person saw it: what has been updated since is not cancelled unseen, and what is
    asked since is not released unseen (level, action: what was asked; nothing: what the act says)."""

    area: str
    hazard: str
    alert: str = ""
    version: int = 0
    level: Level = Level.NONE
    action: Action = Action.NONE
    task: str = ""  # of the plan; "": what the act says


class Saying(NamedTuple):
    """What a person wants done."""

    act: str
    by: str
    reason: str
    level: Level = Level.NONE
    action: Action = Action.NONE
    approver: str = ""
    reference: str = ""
    task: str = ""
    happened_at: int = 0
    supply: str = ""
    amount: int = 0  # of the supply
    incident: str = ""


def decisions(said: Saying, places: Sequence[Place], now: int, key: str) -> list[Decision]:
    """One for each place, all with one `order`. An act that opens or tops a warning names none."""
    names = said.act not in ("raise", "override")
    return [
        Decision(
            area=p.area,
            hazard=p.hazard,
            act=said.act,  # type: ignore[arg-type]  # callers allow only these
            by=said.by,
            decided_at=now,
            reason=said.reason,
            alert=p.alert if names else "",
            version=p.version,
            level=said.level or p.level,
            action=said.action or p.action,
            order=key,
            approver=said.approver,
            reference=said.reference,
            task=p.task or said.task,
            happened_at=said.happened_at,
            supply=said.supply,
            count=said.amount,
            incident=said.incident,
        )
        for p in dict.fromkeys(places)
    ]


def submit(
    log: Log,
    wanted: Sequence[Decision],
    wait_s: float,
    sign: Callable[[Decision], Decision],
) -> dict[tuple[str, str, str], Decision]:
    """Sign and append them, and return the ledger's answers that came in time, by area, hazard and task.
    Raises ValueError: they could not be signed, and nothing was written."""
    end, key = log.ends("alerts")[0], wanted[0].order
    log.append([Out("cases", d.area, encode(sign(d))) for d in wanted])
    found: dict[tuple[str, str, str], Decision] = {}
    until = time.monotonic() + wait_s
    follower = Follower(log, ("alerts",), since=end)
    while True:
        for _, answer in follower.take():
            if isinstance(answer, Decision) and answer.order == key:
                found[answer.area, answer.hazard, answer.task] = answer
        if len(found) >= len(wanted) or time.monotonic() >= until:
            return found
        time.sleep(_POLL_S)
