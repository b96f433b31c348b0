"""The page Shift log (值班日志): what whoever takes over must know, and the reports to print. Pure."""

from collections import Counter

from config.language import Text
from config.records.district import District
from config.records.level import LEVEL_EN, LEVEL_ZH, Action, hazard_words
from console.model.picture import Picture
from console.model.shift_log import STATE
from console.model.shift_log import asked as words_of
from console.model.trail import Trail
from console.model.view import REACHED, View
from console.pages.delivery import missed_people
from dispatch.address.to_superiors import name_of
from dispatch.records import kind_words


def parts(_district: District, view: View, trail: Trail, _now: int) -> Picture:
    """`log`: how many events there were; `incidents`: id -> its reports: number, kind, when, how many
    superiors have it, and how many it went to."""
    incidents: dict[str, list[tuple[int, Text, int, int, int]]] = {}
    for r in view.reports:
        ids = view.handed.get(name_of(r), {}).values()
        there = sum(view.sent[i].state in REACHED for i in ids)
        row = (r.number, kind_words(r.kind), r.reported_at, there, len(ids))
        incidents.setdefault(r.incident, []).append(row)
    return {"log": {"count": trail.shift.count}, "incidents": incidents}


def matters(district: District, view: View, trail: Trail, now: int) -> list[Text]:
    """What is open, the most pressing first: what whoever takes over must know."""
    out = []
    if crying := sorted(a for a, r in trail.rolled.rows.items() if r.help):
        people = sum(len(trail.rolled.rows[a].help) for a in crying)
        zh = "、".join(district.areas[a].name for a in crying)
        en = ", ".join(district.areas[a].name_en for a in crying)
        out.append(Text(f"求助 {people} 人：{zh}", f"{people} ask for help: {en}"))
    alerts = view.open_alerts()
    for a in sorted(alerts, key=lambda a: (a.deadline_at or now * 2, a.area)):
        area = district.areas.get(a.area)
        place = Text(area.name, area.name_en) if area else Text(a.area, a.area)
        what = hazard_words(a.hazard)
        for q in a.questions:
            asked = words_of(q.what)
            out.append(
                Text(
                    f"待决定：{place.zh} {what.zh} {asked.zh}",
                    f"to be decided: {place.en} {what.en} {asked.en}",
                )
            )
        if a.state in ("held", "returned"):
            state = STATE[a.state]
            out.append(
                Text(f"{state.zh}：{place.zh} {what.zh}", f"{state.en}: {place.en} {what.en}")
            )
    levels = Counter(a.level for a in alerts if a.level)
    for level in sorted(levels, reverse=True):
        n = levels[level]
        out.append(Text(f"生效 {LEVEL_ZH[level]} {n} 个", f"in force: {n} {LEVEL_EN[level]}"))
    moving = sum(a.action == Action.MOVE for a in alerts)
    if moving:
        out.append(Text(f"立即转移 {moving} 个区", f"move now: {moving} areas"))
    must, others = missed_people(district, trail)
    if must or others:
        out.append(
            Text(
                f"未送达 {must + others}，其中必须叫应 {must}",
                f"not reached {must + others}, {must} of them must answer",
            )
        )
    down = sorted(name for name, up in trail.shift.up.items() if not up)
    if down:
        out.append(Text(f"通道中断：{'、'.join(down)}", f"ways out down: {', '.join(down)}"))
    silent = sorted(view.silent(), key=lambda s: (s in district.nodes, s))
    if silent:
        named = " ".join(silent[:30])
        out.append(Text(f"静默 {len(silent)} 处：{named}", f"silent {len(silent)}: {named}"))
    return out
