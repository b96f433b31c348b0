"""Whom a drill or an event reached and what was blind: people who had to answer, loudspeakers that had
to sound, stations that were silent. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from config.language import Said, text_of
from config.records.district import District, Node, Station
from config.records.level import Action
from detectors.detection import Detection
from dispatch.decide.reports.moved import unreported
from dispatch.people.evacuation_roll import Roll
from dispatch.proving.judged import JudgedAnswer
from dispatch.proving.rechecks import distrusted
from dispatch.proving.transfers import Sums
from dispatch.records import Receipt, state_words
from fengsui.review.assessment import (
    BlindSpan,
    LoudspeakerRow,
    Loudspeakers,
    People,
    PersonRow,
    Proved,
)  # fmt: skip
from fengsui.review.step_times import Records, excused, first


def people(found: Records) -> People:
    """Who had to answer, by opaque id: how often asked, how often answered, how fast."""
    took: dict[str, list[float | None]] = defaultdict(list)
    areas: dict[str, set[str]] = defaultdict(set)
    for key, d in found.deliveries.items():
        if not d.must_answer:
            continue
        at = first(found, key, ("answered",))
        if at is None and excused(found, key):
            continue
        begin = max(d.queued_at, d.not_before)
        took[d.recipient].append(None if at is None else max(0.0, (at - begin) / 1000))
        areas[d.recipient].add(d.area)
    rows = []
    for who, every in took.items():
        seconds = [s for s in every if s is not None]
        rows.append(
            PersonRow(
                id=who,
                asked=len(every),
                answered=len(seconds),
                areas=tuple(sorted(areas[who])),
                fastest_s=min(seconds, default=None),
                slowest_s=max(seconds, default=None),
            )
        )
    rows.sort(key=lambda p: (p.answered, p.id))
    return People(
        asked=len(rows),
        always=sum(p.answered == p.asked for p in rows),
        never=tuple(p.id for p in rows if not p.answered),
        rows=tuple(rows),
    )


def proved(district: District, records: Sequence[object], found: Records) -> Proved:
    """How strong the answers were, and what the re-checks gave; zeros where no code was asked for."""
    roll = Roll()
    for r in records:
        roll.take(r)
    asked = {d.recipient for d in found.deliveries.values() if d.code}
    answers = [r for r in records if isinstance(r, JudgedAnswer) and r.alert in found.alerts]
    right = {a.person for a in answers if a.verdict == "right"}
    areas = {v[0].area for v in found.alerts.values()}
    again = [r for area in areas for r in roll.called_again(area, found.alerts.keys())]
    out = distrusted(again)
    moves: dict[str, Sums] = {}
    for area in sorted(areas & district.areas.keys()):
        since = min(v[0].sent_at for v in found.alerts.values() if v[0].area == area)
        people_ = district.areas[area].population
        if told := roll.transfers.sums(district, area, since, people_, out):
            moves[area] = told
    ordered = {a.area for v in found.alerts.values() for a in v if a.action == Action.MOVE}
    silent = unreported(district, ordered, moves)
    is_proved = district.policy.proving.transfer
    sums = list(moves.values()) if is_proved else []
    unheard = sum(district.areas[a].population for a in silent) if is_proved else 0
    return Proved(
        asked=len(asked),
        proven=len(asked & right - out),
        said=len({a.person for a in answers} & asked - (right - out)),
        wrong_codes=sum(a.verdict == "wrong" for a in answers),
        rechecked=len(again),
        failed=tuple(sorted(r.person for r in again if r.state == "failed")),
        moved_proven=sum(s.proven for s in sums) if is_proved and (sums or silent) else None,
        moved_unproven=sum(s.unproven for s in sums),
        not_reached=sum(s.not_reached for s in sums) + unheard,
        unreported=tuple(silent),
    )


def loudspeakers(district: District, found: Records) -> Loudspeakers:
    """By node: how often told to sound, how often it did, and the last thing known of it."""
    sounded: dict[str, list[int | None]] = defaultdict(list)
    why: dict[str, Said] = {}
    for key, d in found.deliveries.items():
        if d.recipient not in district.nodes or d.msg_type == "cancel":
            continue
        at = first(found, key, ("playing", "played"))
        if at is None and excused(found, key):
            continue
        sounded[d.recipient].append(at)
        if at is None:
            last: list[Receipt] = found.receipts.get(key, [])
            state, detail = (last[-1].state, last[-1].detail) if last else ("queued", "")
            why[d.recipient] = state_words(state) + (" " + text_of(detail) if detail else "")
    rows = []
    for n, every in sounded.items():
        times = [at for at in every if at is not None]
        node = district.nodes[n]
        rows.append(
            LoudspeakerRow(
                id=n,
                name=node.name,
                name_en=node.name_en,
                area=node.area,
                told=len(every),
                sounded=len(times),
                first_at=min(times, default=None),
                why=why.get(n, ""),
            )
        )
    rows.sort(key=lambda r: (r.sounded, r.id))
    return Loudspeakers(
        told=len(rows),
        sounded=sum(bool(r.sounded) for r in rows),
        silent=tuple(r.id for r in rows if not r.sounded),
        rows=tuple(rows),
    )


def blind(
    district: District, records: Sequence[object], begin: int, end: int
) -> tuple[BlindSpan, ...]:
    """Stations and loudspeakers that the rule `silence` held silent meanwhile: from when to when."""
    named: Mapping[str, Station | Node] = {**district.stations, **district.nodes}
    spans: dict[str, list[int]] = {}
    areas: dict[str, set[str]] = defaultdict(set)
    last: dict[str, set[str]] = {}
    said = [r for r in records if isinstance(r, Detection) and r.rule == "silence" and r.coverage]
    for d in sorted(said, key=lambda d: d.detected_at):
        silent = set(d.coverage.silent) if d.coverage else set()
        for s in silent | last.get(d.area, set()):
            if s in silent:
                areas[s].add(d.area)
            span = spans.setdefault(s, [d.detected_at, d.detected_at])
            span[1] = max(span[1], d.detected_at)
        last[d.area] = silent
    still = set().union(*last.values()) if last else set()
    return tuple(
        BlindSpan(id=s, name=named[s].name if s in named else s,
                  name_en=named[s].name_en if s in named else s, from_at=a,
                  until_at=None if s in still else b, areas=tuple(sorted(areas[s])))
        for s, (a, b) in sorted(spans.items(), key=lambda x: (x[1][0], x[0]))
        if a <= end and (s in still or b >= begin)
    )  # fmt: skip
