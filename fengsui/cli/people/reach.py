"""`fengsui reach` and `fengsui coverage`: whom a warning would reach, and whom none would."""

import sys
from collections import Counter
from collections.abc import Mapping

import click
import msgspec

from config.records.district import District
from config.records.level import HAZARD_EN, Action, Level
from dispatch.address.coverage import coverage, uncovered
from dispatch.address.reach_estimate import Reach, reach
from dispatch.geography.downstream import TRAVELS, downstream
from dispatch.grade import Grade
from dispatch.people.contact_store import ContactStore
from fengsui.cli.options import RUN, Shared
from fengsui.run.recipients import place
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view
from fengsui.run.setup import Setup
from stream.environment import Usage
from stream.wall_clock import now_ms

_GRADES = {
    **{lv.name.lower(): Grade(lv) for lv in Level if lv},
    **{a.name.lower(): Grade(Level.NONE, a) for a in Action if a},
}


def _listed(setup: Setup) -> District:
    """With the people of the run's store; those of contacts.csv before its first start."""
    if not (place(setup) / "contacts.db").exists():
        return setup.district
    try:
        with ContactStore(place(setup)) as store:
            people = store.load()
    except ValueError as e:
        raise Usage(str(e)) from e
    return msgspec.structs.replace(setup.district, contacts=people)


@click.command("reach")
@click.argument("areas")
@click.argument("hazard", type=click.Choice(sorted(HAZARD_EN)))
@click.argument("level", type=click.Choice(sorted(_GRADES)))
@RUN
@click.pass_obj
def reach_(obj: Shared, areas: str, hazard: str, level: str, run_name: str) -> None:
    """发布前估计 who would be reached in AREA[,AREA…], by which ways, and who would not; and what the
    water may come to downstream of them, with the range of its arrival (docs/plans.md)."""
    setup = obj.setup(run_name)
    district = _listed(setup)
    names = [a for a in areas.split(",") if a]
    for a in names:
        if a not in district.areas:
            raise Usage(f"没有预警区 there is no area {a!r}: areas.csv")
    found = [reach(district, a, hazard, _GRADES[level], now_ms()) for a in dict.fromkeys(names)]
    for r in found:
        for text in (*lines(district, r), *below(district, r.area, hazard, _warned(setup))):
            click.echo(text)
    if len(found) > 1:
        people, none = sum(r.people for r in found), sum(r.none for r in found)
        click.echo(f"合计 together: {people} 人 people, {none} 毫无覆盖 reached by nothing")


def lines(district: District, r: Reach) -> list[str]:
    """The estimate of one area in words."""
    area = district.areas[r.area]
    out = [f"{r.area} {area.name} {area.name_en}: {r.people} 人 people"]
    for (audience, category, channel), count in r.lists.items():
        out.append(f"  {audience:8} {category:14} {channel:10} {count}")
    for n in r.sound.nodes:
        node = district.nodes[n]
        out.append(f"  喇叭 loudspeaker {n} {node.name}: {node.range_m} m")
    out.append(
        f"  名单 on lists {r.on_list}, 喇叭可及 in sound {round(r.people * r.sound.heard)}, "
        f"不止一路 by more than one way {r.several}, 毫无覆盖 by nothing {r.none}"
    )
    if r.later:
        out.append(f"  免扰时段过后才收到 after their quiet hours: {r.later} 接收者 recipients")
    return out


def _warned(setup: Setup) -> dict[str, Grade]:
    """What is in force now, by area; nothing where the run has no log yet."""
    if not setup.folder.exists():
        return {}
    log = open_run_log(setup)
    try:
        return {a: Grade(*g) for a, g in alerts_view(log).area_levels().items()}
    finally:
        log.close()


def below(district: District, area: str, hazard: str, warned: Mapping[str, Grade]) -> list[str]:
    """影响和波及范围: what lies in the way of the water, and whether it has a warning. A proposal."""
    hits = downstream(district, area, hazard)
    if not hits and hazard in TRAVELS and not district.basins[district.areas[area].basin].course:
        return [
            "  下游未估计：basins.csv 没有河道 downstream not estimated: basins.csv has no course"
        ]
    out = ["  影响和波及范围 downstream, if the water goes on:"] if hits else []
    for h in hits:
        when = f"{h.earliest_min}–{h.latest_min} min, {h.distance_m / 1000:.1f} km"
        if h.what != "area":
            r = district.plans.risks.get(h.id) or district.plans.shelters[h.id]
            what = "风险源 risk" if h.what == "risk" else "避难场所在水路上 a shelter in the way"
            out.append(f"    {when}  {what} {h.id} {r.name} {r.name_en}")
            continue
        a, grade = district.areas[h.id], warned.get(h.id, Grade())
        words = grade.words()
        has = f"已有预警 warned: {words.zh} {words.en}" if grade else "尚无预警 NO WARNING"
        groups = Counter(
            c.kind for c in district.contacts.values() if h.id in c.areas and c.role == "residents"
        )
        units = ", ".join(f"{k} {n}" for k, n in sorted(groups.items()))
        out.append(
            f"    {when}  {h.id} {a.name} {a.name_en} {a.population} 人 people ({units}): {has}"
        )
    return out


@click.command("coverage")
@RUN
@click.pass_obj
def coverage_(obj: Shared, run_name: str) -> None:
    """覆盖检查 who is on no list, out of sound, or hangs on one thing; exit code 1 if anybody is
    covered by nothing."""
    gaps = coverage(_listed(obj.setup(run_name)))
    for gap in gaps:
        click.echo(str(gap))
    bad = uncovered(gaps)
    click.echo(
        f"{len(gaps)} 处 gaps, {bad} 人毫无覆盖 people covered by nothing（估计 estimate）",
        err=True,
    )
    sys.exit(1 if bad else 0)
