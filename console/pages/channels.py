"""Of the page System: the ways out, and what was not understood. Pure."""

from config.records.district import District
from console.model.picture import Picture, WayRow
from console.model.trail import Trail
from console.model.view import View
from console.model.ways_out import Way, ways


def parts(district: District, view: View, _trail: Trail, _now: int) -> Picture:
    """The ways by channel/name, the terminals of broadcast platforms by platform/code, and what was not
    understood by its reason."""
    return {
        "ways": {f"{w.channel}/{w.name}": _row(w) for w in ways(district, view, view.live)},
        "terminals": {
            f"{platform}/{t.code}": {"name": t.name, "state": t.state, "at": t.told_at}
            for platform, there in view.terminals.items()
            for t in there.values()
        },
        "dead": dict(view.dead),
    }


def _row(w: Way) -> WayRow:
    return {
        "kind": w.kind,
        "up": w.health.up if w.health else None,
        "detail": w.health.detail if w.health else "",
        "at": w.health.checked_at if w.health else None,
        "proven": w.by,
    }
