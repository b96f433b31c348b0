"""The page Resources and plans (资源和预案): the plan's tasks, and the base that they draw upon. Pure."""

import msgspec

from config.language import Text
from config.records.district import District
from config.records.level import hazard_words
from console.model.picture import Picture, StockRow, TaskRow
from console.model.trail import Trail
from console.model.view import View
from dispatch.decide.plan.stock import stocked
from dispatch.decide.plan.tasks import Task, draws_on, owner_words, owners, tasks
from dispatch.geography.downstream import downstream
from dispatch.grade import grade_of

_KEPT_MS = 24 * 3_600_000  # tasks of a warning that is over are shown so long


def parts(district: District, view: View, _trail: Trail, now: int) -> Picture:
    """Tasks by id, and supplies by id."""
    recent = {k: c for k, c in view.courses.items() if not c.over_at or c.over_at > now - _KEPT_MS}
    return {
        "tasks": {t.id: _task(district, t) for t in tasks(district, recent, now)},
        "stock": {key: _stock(district, view, key) for key in district.plans.supplies},
    }


def _stock(district: District, view: View, key: str) -> StockRow:
    count = stocked(district, view.stock, key)
    held = {i: (h.reserved, h.out) for i, h in view.stock.get(key, {}).items()}
    return {"free": count.free, "reserved": count.reserved, "out": count.out, "held": held}


def _task(district: District, t: Task) -> TaskRow:
    area, step = district.areas[t.course.area], grade_of(t.plan.on).words()
    whose = owner_words(district, t.plan, area)
    return {
        "state": t.state,
        "area": area.id,
        "hazard": t.course.hazard,
        "hazard_words": hazard_words(t.course.hazard),
        "alert": t.alert,
        "version": t.course.version,
        "on": t.plan.on,
        "step": step,
        "title": Text(t.plan.title, t.plan.title_en),
        "owner": whose,
        "officers": owners(district, t.plan, area),
        "needs": [[x.id, x.name, x.name_en] for x in draws_on(district, t.plan, area)],
        "opened": t.opened_at,
        "due": t.due_at,
        "done": (t.done.by, t.done.at, t.done.note) if t.done else None,
    }


def base(district: District) -> bytes:
    """Teams, supplies, shelters and risk sources, as JSON."""
    p = district.plans
    tables = {"teams": p.teams, "supplies": p.supplies, "shelters": p.shelters, "risks": p.risks}
    return msgspec.json.encode(tables)


def below(district: District, area: str) -> bytes:
    """What lies in the way of water from an area: [{what, id, distance_m, earliest_min, …}]."""
    known = area in district.areas
    hits = downstream(district, area, "flash_flood") if known else []
    return msgspec.json.encode([h._asdict() for h in hits])
