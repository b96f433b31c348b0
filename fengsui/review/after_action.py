"""After a drill or a real event (演练总结评估, 复盘): what happened when, how long each step took, who
answered and who did not, what sounded, what was decided and by whom, what was blind, and all of it
against the plan. Pure: records in, one `Assessment` out, for the page and for JSON.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from config.language import Said, Text, en, zh
from config.records.district import District
from config.records.level import HAZARD_EN, HAZARD_ZH, LEVEL_ZH, Action, Level
from dispatch.grade import Grade
from dispatch.records import Alert, Decision, Outcome, Report
from fengsui.review.assessment import (
    ActRow,
    Assessment,
    Decided,
    HopRow,
    LeadCounts,
    ReportRow,
    Result,
    Summary,
    TargetRow,
    WarningRow,
)  # fmt: skip
from fengsui.review.lanes import lanes, since
from fengsui.review.nights import night_messages
from fengsui.review.reach import blind, loudspeakers, people, proved
from fengsui.review.step_times import Hops, Records, first, gather, leads, measure, spread
from fengsui.review.targets import HOPS, Plan, TargetResult, hold
from fengsui.run.order_need import order_need
from ingest.observation import Observations
from skill.verify.storms import StormScore, one_water
from skill.verify.truth import Truth
from stream.records import DeadLetter, Run

HOP_ZH = {
    "heard": ("测站 → 值班台", "sensor to duty room"),
    "asked": ("监测依据 → 提请", "evidence to question"),
    "first_resident": ("发布 → 第一个居民", "release to first resident"),
    "resident": (
        "发布 → 每个居民（最长即最后一个）",
        "release to each resident (the longest: the last)",
    ),
    "silent": ("喇叭没响 → 告知值班台", "silent loudspeaker to the duty room being told"),
    "version": ("监测依据 → 预警", "evidence to warning"),
    "notice": ("监测依据 → 内部预警", "evidence to internal notice"),
    "decision": ("提请 → 决定", "question to decision"),
    "loudspeaker": ("下达 → 大喇叭播出", "order to loudspeaker"),
    "delivered": ("下达 → 手机收到", "order to phone"),
    "answer": ("下达 → 叫应", "order to answer"),
    "lead": ("预警 → 成灾（提前量）", "warning to disaster: lead"),
    "lead_prepare": ("准备转移 → 成灾（提前量）", "order to prepare to disaster: lead"),
    "lead_move": ("立即转移 → 成灾（提前量）", "order to move to disaster: lead"),
}

_RESULT: dict[bool | None, Result] = {True: "met", False: "not_met", None: "not_measured"}


def reported_truth(records: Iterable[object]) -> list[Truth]:
    """What people reported to have happened (`fengsui outcome`); the last word on a time counts."""
    newest: dict[tuple[str, str, int], Outcome] = {}
    for r in records:
        if isinstance(r, Outcome):
            key = (r.area, r.hazard, r.start_at)
            if key not in newest or newest[key].told_at <= r.told_at:
                newest[key] = r
    earliest: dict[tuple[str, str], int] = {}
    for o in newest.values():
        if o.happened:
            at = earliest.get((o.area, o.hazard), o.start_at)
            earliest[o.area, o.hazard] = min(at, o.start_at)
    return [Truth(area, hazard, at) for (area, hazard), at in sorted(earliest.items())]


def incidents(records: Iterable[object]) -> list[str]:
    """In order of their first warning."""
    seen: dict[str, int] = {}
    for r in records:
        if isinstance(r, Alert) and r.incident:
            seen[r.incident] = min(r.sent_at, seen.get(r.incident, r.sent_at))
    return sorted(seen, key=lambda name: (seen[name], name))


def assess(
    district: District,
    records: Sequence[object],
    plan: Plan,
    truth: Sequence[Truth],
    *,
    incident: str = "",
    truth_is: Said = "",
    broken_off: Said = "",
    until: int | None = None,
) -> Assessment:
    """Of one incident, or of the whole run. Times are ms since 1970 UTC, lengths in seconds.

    truth_is: where the truth comes from, in words; broken_off: why it ended early; until: times are
    measured of what began before it."""
    found = gather(records, incident)
    if incident:  # what happened where this incident warned of nothing belongs to no incident
        places = {(v[0].area, v[0].hazard) for v in found.alerts.values()}
        truth = [t for t in truth if (t.area, t.hazard) in places]
    begin, end = _span(records, found, incident)
    if broken_off:  # what was still to come is nobody's miss
        truth = [t for t in truth if t.flooded_at <= end]
    hops = measure(found, truth, until, order_need(district))
    run = next((r for r in records if isinstance(r, Run)), None)
    counts = StormScore(leads(found, truth))
    return Assessment(
        run=run.name if run else "",
        exercise=run is None or run.kind != "live",
        scenario=run.scenario if run else "",
        seed=run.seed if run else None,
        speed=run.speed if run else None,
        config=run.config if run else "",
        district=district.id,
        incident=incident,
        begin_at=begin,
        end_at=end,
        broken_off=broken_off,
        measured_until_at=until,
        resolution_s=60 if run is not None and run.kind != "live" else 0,
        summary=_summary(district, found),
        targets=tuple(_target(h) for h in hold(plan, hops)),
        hops=tuple(_hop(hops, name) for name in HOPS),
        truth_is=truth_is,
        lead=LeadCounts(
            events=counts.hits + counts.misses,
            missed=counts.misses,
            unanswered_warnings=counts.false_alarms if truth else None,
        ),
        areas=_areas(district, found, truth),
        people=people(found),
        proved=proved(district, records, found),
        loudspeakers=loudspeakers(district, found),
        decisions=_decided(district, records, found, hops, incident),
        reports=_reports(records, incident),
        blind=blind(district, records, begin, end),
        dead_letters=dict(Counter(r.reason for r in records if isinstance(r, DeadLetter))),
        lanes=lanes(records, found, truth, begin, end),
        nights=night_messages(district, records),
    )


def _span(records: Sequence[object], found: Records, incident: str) -> tuple[int, int]:
    """From the first evidence (or the run's start) to the last receipt or version."""
    at = [a.sent_at for v in found.alerts.values() for a in v]
    at += [r.receipt_at for rs in found.receipts.values() for r in rs]
    if not incident:
        at += [r.start_at for r in records if isinstance(r, Run) and r.kind != "live"]
        at += [r.received_at for r in records if isinstance(r, Observations)]
    else:
        at += [v[0].onset_at for v in found.alerts.values()]
    return (min(at), max(at)) if at else (0, 0)


def _summary(district: District, found: Records) -> Summary:
    peaks: Counter[str] = Counter()
    top = Grade()
    for versions in found.alerts.values():
        peak = _peak(versions)
        top |= peak
        peaks[LEVEL_ZH[peak.level]] += 1
    areas = {v[0].area for v in found.alerts.values()}
    return Summary(
        warnings=len(found.alerts),
        areas=len(areas),
        people=sum(district.areas[a].population for a in areas if a in district.areas),
        top=top.words(),
        by_level={LEVEL_ZH[x]: peaks[LEVEL_ZH[x]] for x in reversed(Level) if peaks[LEVEL_ZH[x]]},
        public=sum(any(a.public for a in v) for v in found.alerts.values()),
        open=sum(v[-1].msg_type != "cancel" and v[-1].state != "expired"
                 for v in found.alerts.values()),
        deliveries=len(found.deliveries),
    )  # fmt: skip


def _peak(versions: Sequence[Alert]) -> Grade:
    peak = Grade()
    for a in versions:
        peak |= Grade(a.level, a.action)
    return peak


def _target(h: TargetResult) -> TargetRow:
    zh, en = HOP_ZH[h.target.hop]
    return TargetRow(
        hop=h.target.hop, zh=zh, en=en, within_s=h.target.within_s, share=h.target.share,
        note=h.target.note, due=h.due, in_time=h.in_time, result=_RESULT[h.met],
    )  # fmt: skip


def _hop(hops: Hops, name: str) -> HopRow:
    zh, en = HOP_ZH[name]
    return HopRow(hop=name, zh=zh, en=en, **spread(hops.of(name))._asdict())


def _areas(district: District, found: Records, truth: Sequence[Truth]) -> tuple[WarningRow, ...]:
    """A row each warning: its way, step by step; and a row each disaster that nothing warned of."""
    told: dict[str, list[str]] = defaultdict(list)
    for key, d in found.deliveries.items():
        told[d.alert].append(key)
    hit = {(t.area, t.hazard): t.flooded_at for t in truth}
    useful = {(r.area, r.hazard): r for r in leads(found, truth)}
    rows = []
    for name, versions in found.alerts.items():
        a, peak = versions[0], _peak(versions)
        seen = [found.detections[d].detected_at for d in a.detections if d in found.detections]
        mine = useful.get(one_water((a.area, a.hazard), useful))
        rows.append(replace(
            _unwarned(district, a.area, a.hazard, hit.get((a.area, a.hazard))),
            alert=name, peak=peak.words(),
            level=int(peak.level), action=int(peak.action),
            detected_at=min(seen) if seen else None, version_at=a.sent_at,
            prepare_at=since(versions, Action.PREPARE), move_at=since(versions, Action.MOVE),
            public_at=next((v.sent_at for v in versions if v.public), None),
            accepted_at=_earliest(found, told[name], ("accepted", "delivered", "answered")),
            delivered_at=_earliest(found, told[name], ("delivered", "answered")),
            played_at=_earliest(found, told[name], ("playing", "played")),
            answered_at=_earliest(found, told[name], ("answered",)),
            lead_s=mine.lead_s if mine else None,
            ended_at=versions[-1].sent_at if versions[-1].msg_type == "cancel" else None,
        ))  # fmt: skip
    warned = {(r.area, r.hazard) for r in rows}
    for (area, hazard), at in hit.items():
        if (area, hazard) not in warned:
            rows.append(_unwarned(district, area, hazard, at))
    return tuple(sorted(rows, key=lambda r: (-r.action, -r.level, r.area, r.hazard)))


def _unwarned(district: District, key: str, hazard: str, at: int | None) -> WarningRow:
    """A place and what happened there, before any warning is set against it."""
    area = district.areas.get(key)
    return WarningRow(
        area=key,
        place=f"{area.township}{area.name}" if area else key,
        place_en=area.name_en if area else key,
        hazard=hazard,
        hazard_zh=HAZARD_ZH.get(hazard, hazard),
        hazard_en=HAZARD_EN.get(hazard, hazard),
        happened_at=at,
    )


def _earliest(found: Records, keys: Sequence[str], states: Sequence[str]) -> int | None:
    at = [x for key in keys if (x := first(found, key, states)) is not None]
    return min(at, default=None)


def _decided(
    district: District, records: Sequence[object], found: Records, hops: Hops, incident: str
) -> Decided:
    """Persons' acts one by one, the rule's by kind, and questions by what they asked for."""
    acts = [
        d for d in records
        if isinstance(d, Decision) and d.hash
        and (not incident or d.alert in found.alerts or d.incident == incident)
    ]  # fmt: skip
    persons = [d for d in acts if d.by != "policy"]
    asked: dict[str, Counter[str]] = defaultdict(Counter)
    for s in hops.of("decision"):
        state = "undecided" if s.seconds is None else "late"
        if s.deadline_s is None:
            state = "undecided" if s.seconds is None else "no_deadline"
        elif s.seconds is not None and s.seconds <= s.deadline_s:
            state = "in_time"
        asked[s.what.rsplit(" ", 1)[-1]][state] += 1
    return Decided(
        persons=tuple(
            ActRow(at=d.decided_at, area=d.area, hazard=d.hazard, act=d.act, by=d.by,
                   office=zh(office), office_en=en(office), outcome=d.outcome, reason=d.answer or d.reason,
                   approver=d.approver, reference=d.reference)
            for d in sorted(persons, key=lambda d: (d.decided_at, d.area))
            for office in (_office(district, d.by),)
        ),
        by_rule=dict(Counter(d.act for d in acts if d.by == "policy")),
        overrides=sum(d.act == "override" and d.outcome == "done" for d in acts),
        refused=sum(d.outcome == "refused" for d in persons),
        questions={what: dict(counts) for what, counts in sorted(asked.items())},
    )  # fmt: skip


def _office(district: District, who: str) -> Said:
    officer = district.officers.get(who)
    office = district.policy.office.get(officer.office) if officer else None
    return Text(office.name, office.name_en) if office else ""


def _reports(records: Sequence[object], incident: str) -> tuple[ReportRow, ...]:
    return tuple(
        ReportRow(at=r.reported_at, number=r.number, kind=r.kind, incident=r.incident)
        for r in records
        if isinstance(r, Report) and incident in ("", r.incident)
    )
