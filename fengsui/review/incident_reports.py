"""An incident's numbered reports, as text and as a page to print (A4): what was reported, its
warnings with their areas, times and people, what was decided, what was blind, who was reached."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from config.language import Language, Said, Text, joined, text_of
from config.records.district import Area, District, Node, Station
from config.records.level import hazard_words, occurrence_en, occurrence_zh
from config.records.plans import PlanTask
from console.model.follow import Follower
from console.model.shift_log import ACT, OUTCOME, numbered
from console.model.view import View
from dispatch.decide.plan_tasks import tasks
from dispatch.grade import Grade, grade_of
from dispatch.records import Alert, Decision, Report, kind_words, state_words
from dispatch.words.channel_names import CHANNEL_WORDS
from dispatch.words.local_time import local
from fengsui.review.paper import render
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from stream.environment import Usage, language
from stream.log.port import Log

_FORM = "%Y-%m-%d %H:%M"
_ALERT_STATE = {
    "proposed": Text("待决定", "waits for a decision"),
    "returned": Text("退回补正", "returned"),
    "held": Text("暂缓", "held"),
    "rejected": Text("驳回", "rejected"),
    "released": Text("已发布", "released"),
    "cancelled": Text("已解除", "cancelled"),
    "expired": Text("到期失效", "expired"),
}


class _Warning(NamedTuple):
    """One warning as the page lists it; times are local, as text."""

    order: tuple[int, int, int, str, str, str]  # the highest first, then by place
    id: str
    place: Text
    people: int | str
    hazard: Text
    peak: Text
    waits: Text | None
    authority: Text
    state: Text
    versions: int
    onset: str
    sent: str
    last: str
    thin: bool
    suspect: bool
    reports: str  # the numbers of the reports that rest on it


class _Blind(NamedTuple):
    """An area whose stations do not all report."""

    place: Text
    live: int
    expected: int
    silent: Text
    thin: bool


class _TaskRow(NamedTuple):
    """A task of the plan: in how many areas it opened, and what came of it there."""

    plan: PlanTask
    step: Text
    counts: Counter[str]


class _ChannelRow(NamedTuple):
    """How many deliveries of a channel came how far."""

    channel: Said
    states: list[tuple[Said, int]]
    total: int


def report(setup: Setup, incident: str, out: Path | None, number: int = 0) -> int:
    """The reports of an incident (the newest where none is named), or one of them by its number, printed
    or as a page in `out`."""
    try:
        chosen, view, decisions = _chosen(setup, incident)
    except LookupError as e:
        echo(e, err=True)
        return 1
    if out is None:
        for made in _wanted(view, chosen, number):
            echo(numbered(made))
        return 0
    out.write_text(page(setup.district, chosen, view, decisions, language(), number), "utf-8")
    echo(Text(f"{out}: {chosen}，打印用，A4", f"{out}: {chosen}, to print: A4"))
    return 0


def printed(setup: Setup, incident: str, language: Language) -> str:
    """The same page as text, in one language; INCIDENT:3 is its third report alone. Raises ValueError:
    there is no such incident, or report."""
    incident, _, number = incident.partition(":")
    try:
        chosen = _chosen(setup, incident)
        return page(setup.district, *chosen, language, int(number) if number.isdecimal() else 0)
    except (LookupError, Usage) as e:
        raise ValueError(text_of(e)) from e


def _chosen(setup: Setup, incident: str) -> tuple[str, View, list[Decision]]:
    """The incident (the newest where none is named) and what stands in the log. Raises LookupError:
    none was reported; Usage: not this one."""
    log = open_run_log(setup)
    try:
        view, decisions = _read(log)
    finally:
        log.close()
    incidents = sorted({r.incident for r in view.reports}, key=lambda i: _first(view, i))
    if not incidents:
        raise LookupError(Text("还没有事件报告", "no incident has been reported"))
    chosen = incident or incidents[-1]
    if chosen not in incidents:
        raise Usage(
            Text(
                f"没有事件 {chosen!r}，有 {', '.join(incidents)}",
                f"there is no incident {chosen!r}; there are {', '.join(incidents)}",
            )
        )
    return chosen, view, decisions


def _wanted(view: View, incident: str, number: int) -> list[Report]:
    """All reports of an incident, or one. Raises Usage: it has no such number."""
    made = [r for r in view.reports if r.incident == incident]
    wanted = [r for r in made if number in (0, r.number)]
    if not wanted:
        raise Usage(
            Text(
                f"{incident} 没有第 {number} 报，有 1 … {len(made)}",
                f"{incident} has no report {number}; it has 1 … {len(made)}",
            )
        )
    return wanted


def _read(log: Log) -> tuple[View, list[Decision]]:
    view, decisions = View(), []
    for _, record in Follower(log, ("cases", "alerts", "deliveries")).take():
        view.take(record)
        # a person's act stands in `cases` without what came of it
        if isinstance(record, Decision) and record.hash:
            decisions.append(record)
    return view, decisions


def _first(view: View, incident: str) -> int:
    return min(r.reported_at for r in view.reports if r.incident == incident)


def page(
    district: District,
    incident: str,
    view: View,
    decisions: list[Decision],
    language: Language,
    number: int = 0,
) -> str:
    """The page as HTML in one language, complete in itself. number: that report alone, with what it
    rests on as it was then; 0: all of them, with what came since."""
    made = _wanted(view, incident, number)
    versions = _versions(view, incident, made[0] if number else None)
    until = made[-1].reported_at if number else view.clock_at
    zone = district.timezone

    def at(ms: int) -> str:
        return local(ms, zone, _FORM)

    rows = [_row(district, found, made, at) for found in versions.values()]
    rows.sort(key=lambda r: r.order)
    rows = _each_once(rows)
    areas = {found[0].area for found in versions.values()}
    hazards = {found[0].hazard for found in versions.values()}
    top, asked = Grade(), Grade()
    for found in versions.values():
        for a in found:
            top |= Grade(a.level, a.action)
            asked |= Grade(a.proposed_level, a.proposed_action)
    hazard = min(hazards) if len(hazards) == 1 else ""
    acts = [d for d in decisions if d.alert in versions or d.incident == incident]
    acts = [d for d in acts if d.decided_at <= until]
    shown = [d for d in acts if d.by != "policy" or d.act in ("escalate", "hold", "propose")]
    return render(
        "report.html.j2",
        language,
        district=district,
        incident=incident,
        what=Text(occurrence_zh(hazards), occurrence_en(hazards)),
        exercise=any(found[0].status != "actual" for found in versions.values()),
        kind=kind_words(made[-1].kind),
        number=made[-1].number,
        opened=at(min(found[0].onset_at for found in versions.values())),
        until=at(made[-1].reported_at),
        closed=any(r.kind == "终报" for r in made),
        top=top.words(hazard) if top else Text("没有发布预警", "no warning was issued"),
        only=asked.above(top).words(hazard) if asked.exceeds(top) else None,
        areas=len(areas),
        people=sum(district.areas[a].population for a in areas if a in district.areas),
        reports=[{"at": at(r.reported_at), "made": r, "kind": kind_words(r.kind)} for r in made],
        alerts=rows,
        decided=[{"at": at(d.decided_at), "made": d, "words": d.answer or d.reason} for d in shown],
        acts=ACT,
        outcome=OUTCOME,
        hazard=hazard_words,
        by_rule=len(acts) - len(shown),
        alone=bool(number),
        blind=_blind(district, view, areas),
        reached=_reached(view, set(versions)),
        tasks=_tasks(district, view, incident),
        printed=at(view.clock_at),
    )


def _versions(view: View, incident: str, one: Report | None) -> dict[str, list[Alert]]:
    """The incident's warnings, each with its versions; of one report those that it knew."""
    mine = {key: found for key, found in view.first.items() if found[-1].incident == incident}
    if one is None:
        return mine
    newest = {name: int(n) for name, _, n in (x.rpartition("/") for x in one.alerts)}
    known = {k: [a for a in found if a.version <= newest.get(k, 0)] for k, found in mine.items()}
    return {key: found for key, found in known.items() if found}


def _each_once(rows: list[_Warning]) -> list[_Warning]:
    """A place's people stand in the first of its rows, so that a column can be summed."""
    seen: set[Text] = set()
    out = []
    for row in rows:
        out.append(row._replace(people="〃") if row.place in seen else row)
        seen.add(row.place)
    return out


def _row(
    district: District, found: list[Alert], made: list[Report], at: Callable[[int], str]
) -> _Warning:
    """One warning: place, people, the highest, its times, and the reports that rest on it."""
    last, area = found[-1], district.areas.get(found[-1].area)
    peak = Grade()
    for a in found:
        peak |= Grade(a.level, a.action)
    asked = Grade(last.proposed_level, last.proposed_action)
    worst, ordered, colour = peak.rank
    rests = [r.number for r in made if any(x.rpartition("/")[0] == last.id for x in r.alerts)]
    return _Warning(
        order=(-worst, -ordered, -colour, last.area, last.hazard, last.id),
        id=last.id,
        place=_place(area) if area else Text(last.area, last.area),
        people=area.population if area else "",
        hazard=hazard_words(last.hazard),
        peak=peak.words(last.hazard),
        waits=asked.words(last.hazard) if last.questions else None,
        authority=_offices(district, last.authority),
        state=_ALERT_STATE[last.state],
        versions=last.version,
        onset=at(found[0].onset_at),
        sent=at(found[0].sent_at),
        last=at(last.sent_at),
        thin=any(a.thin for a in found),
        suspect=any(a.suspect for a in found),
        reports=f"{rests[0]}–{rests[-1]}" if rests[1:] else "".join(map(str, rests)),
    )


def _offices(district: District, named: str) -> Text:
    """Offices, as an alert names them in Chinese, in both languages."""
    other = named.replace("、", " or ").replace("有权人员", "somebody entitled")
    for office in district.policy.office.values():
        other = other.replace(office.name, office.name_en)
    return Text(named, other)


def _place(area: Area) -> Text:
    return Text(f"{area.township}{area.name}", f"{area.name_en}, {area.township_en}")


def _blind(district: District, view: View, areas: set[str]) -> list[_Blind]:
    """Areas of the incident whose stations do not all report, with those that are silent."""
    out: list[_Blind] = []
    named: dict[str, Station | Node] = {**district.stations, **district.nodes}
    for key in sorted(areas & view.coverage.keys()):
        cover, area = view.coverage[key].coverage, district.areas.get(key)
        if cover is None or area is None or not (cover.silent or cover.service):
            continue
        out.append(
            _Blind(
                place=_place(area),
                live=cover.live,
                expected=cover.expected,
                silent=joined(
                    [
                        *(
                            Text(f"{s} {named[s].name}", f"{s} {named[s].name_en}")
                            if s in named
                            else s
                            for s in cover.silent
                        ),
                        *(Text(f"{s}（维护中）", f"{s} (in service)") for s in cover.service),
                    ],
                    Text("、", ", "),
                ),
                thin=view.coverage[key].thin,
            )
        )
    return out


def _tasks(district: District, view: View, incident: str) -> list[_TaskRow]:
    """A task of the plan a row: in how many areas it opened, and what came of it there."""
    courses = {k: c for k, c in view.courses.items() if c.incident == incident}
    table: dict[str, Counter[str]] = {}
    for t in tasks(district, courses, view.clock_at):
        counts = table.setdefault(t.plan.id, Counter())
        counts.update(["opened", t.state])
        counts["in_time"] += t.done is not None and t.done.at <= t.due_at
    return [
        _TaskRow(plan, grade_of(plan.on).words(), table[plan.id])
        for plan in district.plans.tasks.values()
        if plan.id in table
    ]


def _reached(view: View, alerts: set[str]) -> list[_ChannelRow]:
    """A channel a row: how many deliveries came how far."""
    table: dict[str, Counter[str]] = {}
    for sent in view.sent.values():
        if sent.delivery.alert in alerts:
            table.setdefault(sent.channel, Counter())[sent.state] += 1
    return [
        _ChannelRow(
            CHANNEL_WORDS.get(channel, channel),
            [(state_words(s), n) for s, n in sorted(counts.items())],
            counts.total(),
        )
        for channel, counts in sorted(table.items())
    ]
