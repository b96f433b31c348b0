"""`fengsui reach` and `fengsui coverage`: whom a warning would reach, and whom none would."""

import sys
from collections import Counter
from collections.abc import Mapping

import click
import msgspec

from config.language import Said, Text, joined, text_of
from config.records.district import District
from config.records.level import FACTS, HAZARD_EN, Action, Level
from dispatch.address.coverage import coverage, uncovered
from dispatch.address.coverage import told as told_gap
from dispatch.address.platform_terminals import Told, counted, line_of, sounding
from dispatch.address.reach_estimate import Reach, reach
from dispatch.geography.downstream import TRAVELS, downstream
from dispatch.grade import Grade
from dispatch.people.contact_store import ContactStore
from dispatch.words.channel_names import CHANNEL_WORDS
from dispatch.words.wording import CATEGORY_ZH
from fengsui.cli.options import RUN, Shared
from fengsui.review.incident.names import ROLE_WORDS
from fengsui.run.recipients import place
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from fengsui.status.look import look_of
from stream.environment import Usage
from stream.wall_clock import now_ms

_KINDS = {
    **{kind: Text(words, kind.replace("_", " ")) for kind, words in CATEGORY_ZH.items()},
    **ROLE_WORDS,
    "duty-room": Text("值班台", "duty room"),
    "downstream": Text("下游责任人", "responsible downstream"),
    "loudspeaker": Text("大喇叭", "loudspeaker"),
    "cap-feed": Text("CAP 发布", "CAP feed"),
}
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
        raise Usage(text_of(e)) from e
    return msgspec.structs.replace(setup.district, contacts=people)


@click.command("reach")
@click.argument("areas")
@click.argument("hazard", type=click.Choice(sorted(HAZARD_EN)))
@click.argument("level", type=click.Choice(sorted(_GRADES)))
@RUN
@click.pass_obj
def reach_(obj: Shared, areas: str, hazard: str, level: str, run_name: str) -> None:
    """发布前估计：AREA[,AREA…] 里谁会收到、走哪些渠道、谁收不到；以及水往下游会到哪里、到达时间的范围
    （docs/plans.md）。

    Who would be reached in AREA[,AREA…], by which ways, and who would not; and what the water may come
    to downstream of them, with the range of its arrival (docs/en/plans.md).
    """
    setup = obj.existing_judged(run_name)
    district = _listed(setup)
    names = [a for a in areas.split(",") if a]
    for a in names:
        if a not in district.areas:
            raise Usage(
                Text(f"没有预警区 {a!r}，见 areas.csv", f"there is no area {a!r}, see areas.csv")
            )
    found = [reach(district, a, hazard, _GRADES[level], now_ms()) for a in dict.fromkeys(names)]
    for r in found:
        for text in (*lines(district, r), *below(district, r.area, hazard, _warned(setup))):
            echo(text)
    if len(found) > 1:
        people, none = sum(r.people for r in found), sum(r.none for r in found)
        echo(
            Text(
                f"合计：{people} 人，{none} 毫无覆盖",
                f"together: {people} people, {none} reached by nothing",
            )
        )


def lines(district: District, r: Reach) -> list[Said]:
    """The estimate of one area in words."""
    area = district.areas[r.area]
    out: list[Said] = [
        Text(f"{r.area} {area.name}: {r.people} 人", f"{r.area} {area.name_en}: {r.people} people")
    ]
    for (audience, category, channel), count in r.lists.items():
        whom = Text("公众", "public") if audience == "public" else Text("内部", "internal")
        who, way = _KINDS.get(category), CHANNEL_WORDS.get(channel, Text(channel, channel))
        if who is None or who != way:
            way = (who or Text(category, category)) + Text("，", ", ") + way
        out.append("  " + whom + " " + way + Text(f"：{count} 个", f": {count}"))
    for n in r.sound.nodes:
        node = district.nodes[n]
        out.append(
            Text(
                f"  喇叭 {n} {node.name}: {node.range_m} m",
                f"  loudspeaker {n} {node.name_en or n}: {node.range_m} m",
            )
        )
    out.append(
        Text(
            f"  名单上 {r.on_list}，喇叭可及 {round(r.people * r.sound.heard)}，不止一路 "
            f"{r.several}，毫无覆盖 {r.none}",
            f"  on lists {r.on_list}, in sound {round(r.people * r.sound.heard)}, by more "
            f"than one way {r.several}, by nothing {r.none}",
        )
    )
    if r.later:
        out.append(
            Text(
                f"  免扰时段过后才收到：{r.later} 接收者",
                f"  after their quiet hours: {r.later} recipients",
            )
        )
    return out


def _terminals(setup: Setup) -> Told:
    """What broadcast platforms told of their terminals; nothing where the run has no log yet."""
    if not setup.folder.exists() or not any(
        c.kind == "ebd" for c in setup.district.channels.carrier
    ):
        return {}
    log = open_run_log(setup)
    try:
        return look_of(log, setup.run, setup.folder).view.terminals
    finally:
        log.close()


def _warned(setup: Setup) -> dict[str, Grade]:
    """What is in force now, by area; nothing where the run has no log yet."""
    if not setup.folder.exists():
        return {}
    log = open_run_log(setup)
    try:
        return {a: Grade(*g) for a, g in alerts_view(log).area_levels().items()}
    finally:
        log.close()


def below(district: District, area: str, hazard: str, warned: Mapping[str, Grade]) -> list[Said]:
    """影响和波及范围: what lies in the way of the water, and whether it has a warning. A proposal."""
    hits = downstream(district, area, hazard)
    if not hits and hazard in TRAVELS and not district.basins[district.areas[area].basin].course:
        return [
            Text(
                "  下游未估计：basins.csv 没有河道",
                "  downstream not estimated: basins.csv has no course",
            )
        ]
    out: list[Said] = (
        [Text("  影响和波及范围：", "  downstream, if the water goes on:")] if hits else []
    )
    for h in hits:
        when = f"{h.earliest_min}–{h.latest_min} min, {h.distance_m / 1000:.1f} km"
        if h.what != "area":
            r = district.plans.risks.get(h.id) or district.plans.shelters[h.id]
            what = (
                Text("风险源", "risk")
                if h.what == "risk"
                else Text("避难场所在水路上", "a shelter in the way")
            )
            out.append(f"    {when}  " + what + f" {h.id} " + Text(r.name, r.name_en))
            continue
        a, grade = district.areas[h.id], warned.get(h.id, Grade())
        words = grade.words()
        has = Text("尚无预警", "no warning in force")
        if grade:
            has = Text(f"已有预警：{words.zh}", f"warned: {words.en}")
        groups = Counter(
            c.kind for c in district.contacts.values() if h.id in c.areas and c.role == "residents"
        )
        units = joined(
            (_KINDS.get(k, Text(k, k)) + f" {n}" for k, n in sorted(groups.items())),
            Text("、", ", "),
        )
        out.append(
            Text(
                f"    {when}  {h.id} {a.name} {a.population} 人（名单：{units.zh}）：{has.zh}",
                f"    {when}  {h.id} {a.name_en} {a.population} people (on lists: {units.en}): {has.en}",
            )
        )
    if hits and hazard in FACTS:
        out.append(
            Text(
                "  此事一经录入（橙色以上，或立即转移），下游每处各有一份待批的预警，不自动发出；到达时间从 "
                "--happened 算起",
                "  once the fact is told (from orange on, or an order to move) each place below gets a "
                "proposed warning of its own; none goes out by itself; the times count from --happened",
            )
        )
    return out


@click.command("coverage")
@RUN
@click.pass_obj
def coverage_(obj: Shared, run_name: str) -> None:
    """覆盖检查：谁不在名单上、听不到、只靠一样东西；有人毫无覆盖时退出码为 1。

    Who is on no list, out of sound, or hangs on one thing; exit code 1 if anybody is covered by
    nothing.
    """
    setup = obj.existing_judged(run_name)
    district, told = _listed(setup), _terminals(setup)
    gaps = coverage(district, terminals=sounding(district, told))
    for gap in gaps:
        echo(told_gap(district, gap))
    for platform in counted(district, told):
        echo(line_of(platform))
    bad = uncovered(gaps)
    echo(
        Text(
            f"{len(gaps)} 处，{bad} 人毫无覆盖（估计）",
            f"{len(gaps)} gaps, {bad} people covered by nothing (estimate)",
        ),
        err=True,
    )
    sys.exit(1 if bad else 0)
