"""The annex of an incident's report: every warning, what was blind, the plan's tasks, deliveries and
decisions, with names that a person knows. Pure."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from config.language import Said, Text, joined
from config.records.district import District
from config.records.level import hazard_words
from config.records.plans import PlanTask
from console.model.shift_log import ACT, OUTCOME
from console.model.view import View
from dispatch.decide.plan.tasks import tasks
from dispatch.grade import Grade, grade_of
from dispatch.records import Alert, Decision, Report, kind_words, state_words
from dispatch.words.channel_names import CHANNEL_WORDS
from fengsui.review.incident.facts import ReportBasis
from fengsui.review.incident.names import Names

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


class _Act(NamedTuple):
    """A decision as the page lists it."""

    at: str
    place: Text
    hazard: Text
    act: Text
    outcome: Text | None
    by: Text
    words: Text


def annex(
    district: District, incident: str, found: ReportBasis, names: Names, at: Callable[[int], str]
) -> dict[str, Any]:
    """What the template `annex.html.j2` shows; at: a moment as local text."""
    versions = found.versions
    rows = sorted(
        (_row(district, mine, found.made, names, at) for mine in versions.values()),
        key=lambda r: r.order,
    )
    acts = [d for d in found.decisions if d.alert in versions or d.incident == incident]
    shown = [d for d in acts if d.by != "policy" or d.act in ("escalate", "hold", "propose")]
    return {
        "reports": [
            {
                "at": at(r.reported_at),
                "number": r.number,
                "kind": kind_words(r.kind),
                "text": names.told(r.text),
            }
            for r in found.made
        ],
        "alerts": _each_once(rows),
        "blind": _blind(district, found.view, {mine[0].area for mine in versions.values()}, names),
        "tasks": _tasks(district, found.view, incident),
        "reached": _reached(found.view, versions.keys()),
        "acts": [_act(d, names, at) for d in shown],
        "by_rule": len(acts) - len(shown),
        "printed": at(found.view.clock_at),
    }


def _act(d: Decision, names: Names, at: Callable[[int], str]) -> _Act:
    words = names.told(d.answer or d.reason)
    if d.approver:
        phoned = Text("电话批准：", "by telephone: ") + names.officer(d.approver)
        words += Text(" ", " ") + phoned + f" {d.reference}"
    return _Act(
        at=at(d.decided_at),
        place=names.area(d.area),
        hazard=hazard_words(d.hazard),
        act=ACT[d.act],
        outcome=None if d.outcome == "done" else OUTCOME[d.outcome],
        by=Text("按规定", "by rule") if d.by == "policy" else names.officer(d.by),
        words=words,
    )


def _each_once(rows: list[_Warning]) -> list[_Warning]:
    """A place's people stand in the first of its rows, so that a column can be summed."""
    seen: set[Text] = set()
    out = []
    for row in rows:
        out.append(row._replace(people="〃") if row.place in seen else row)
        seen.add(row.place)
    return out


def _row(
    district: District,
    found: list[Alert],
    made: list[Report],
    names: Names,
    at: Callable[[int], str],
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
        place=names.area(last.area),
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


def _blind(district: District, view: View, areas: set[str], names: Names) -> list[_Blind]:
    """Areas of the incident whose stations do not all report, with those that are silent."""
    out: list[_Blind] = []
    for key in sorted(areas & view.coverage.keys()):
        cover, area = view.coverage[key].coverage, district.areas.get(key)
        if cover is None or area is None or not (cover.silent or cover.service):
            continue
        out.append(
            _Blind(
                place=names.area(key),
                live=cover.live,
                expected=cover.expected,
                silent=joined(
                    [
                        *(names.of(s) or s for s in cover.silent),
                        *(
                            (names.of(s) or Text(s, s)) + Text("（维护中）", " (in service)")
                            for s in cover.service
                        ),
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


def _reached(view: View, alerts: Collection[str]) -> list[_ChannelRow]:
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
