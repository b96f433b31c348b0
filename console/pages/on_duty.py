"""Who is on duty (值班表), for the first screen, the wall and Resources and plans. Pure."""

from config.checks.roster import on_duty, unmanned
from config.language import Text
from config.records.district import District
from console.model.picture import DutyRow, Picture
from console.model.trail import Trail
from console.model.view import View

_AHEAD_MS = 24 * 3_600_000


def parts(district: District, _view: View, _trail: Trail, now: int) -> Picture:
    """By office, in the order of policy.toml; an office nobody of which stands in the roster is left out."""
    if not district.plans.roster or not now:
        return {"duty": {}}
    turns = on_duty(district, now)
    gaps = unmanned(district, now, now + _AHEAD_MS)
    rows: dict[str, DutyRow] = {}
    for key, office in district.policy.office.items():
        mine = [t for t in turns if district.officers[t.officer].office == key]
        gap = next((g for g in gaps if g.office == key), None)
        if mine or gap is not None:
            rows[key] = {
                "office": Text(office.name, office.name_en),
                "officers": [t.officer for t in mine],
                "until": max((t.end for t in mine), default=0),
                "gap": (gap.begin, gap.end) if gap is not None else None,
            }
    return {"duty": rows}
