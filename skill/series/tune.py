"""`fengsui tune` and `fengsui hindcast` on a record with events: rules from a record, and how well
rules would have warned.

tune chooses among families of rules (`skill.series.families`), measures the choice on data it did
not see (`skill.series.nested`), and writes both into one file, with what each family does by itself.
hindcast runs such a file over another record. Alarms and events are matched by `skill.verify.match`,
always with a minimum lead: without one, a warning just below the flood level is nearly always right
and worth nothing.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.language import Said, Text, joined, text_of
from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats, Ints
from skill.series.clock import iso
from skill.series.csv_text import SeriesFault
from skill.series.families import Rival, unfitted
from skill.series.figure import Story, draw, ready
from skill.series.fit import Candidate, Place, Terms, block_starts
from skill.series.joint.balance import BALANCE
from skill.series.joint.combined import combined
from skill.series.joint.fitted import fitted
from skill.series.joint.followed import followed
from skill.series.joint.runoff import HYDROGRAPH, Model, Numbers, runoffs
from skill.series.joint.soil import SOIL_AND_RAIN, soils, with_soil
from skill.series.joint.upstream import upstream
from skill.series.nested import Judged, contiguous, dealt, judge
from skill.series.places import (
    TUNED,
    choices,
    terms_of,
    unknown_areas,
    with_rain,
    with_runoff,
    with_upstream,
)
from skill.series.play import SCALED, Played, judged, logistic, play
from skill.series.read import events_and_notes, read_observations
from skill.series.report import (
    SEED,
    Json,
    blocks_of,
    outcome_told,
    skill,
    skill_json,
    steps,
    weighed,
)
from skill.series.rules import (
    FORM,
    VERSION,
    Chance,
    Matching,
    ParameterSource,
    RulesFault,
    RulesFile,
    Skill,
    limits,
    load,
    text,
)
from skill.series.track import Track
from skill.verify import names
from skill.verify.hindcast import Readings
from skill.verify.match import RULE, Event

_NOTHING = Text(
    "没有可用于率定的资料：需要水位、流量或雨量，以及落在资料期内的事件",
    "nothing to tune on: it needs stage, discharge or rain, and events within the record",
)
_SCALES = {SOIL_AND_RAIN: ("dry_pct", "wet_pct")}  # what the two ends of a place's scale are called
_AREAL = (HYDROGRAPH.kind, BALANCE.kind)
_HAZARD = {"landslide": "debris_flow", "debris_flow": "debris_flow", "river_flood": "river_flood"}


class _Basis(NamedTuple):
    """What is tuned on."""

    readings: Readings
    events: list[Event]
    terms: Terms
    blocks: Ints
    groups: dict[str, list[list[Place]]]  # sets of places by what families look at, in order
    flows: dict[Model, list[tuple[Place, Track]]]  # rain gauges, and the discharge on their slots
    known: int  # events that were observed at all
    wholes: dict[
        tuple[str, int], tuple[Numbers, Floats]
    ]  # runoff models fitted to all of the record
    starts: dict[int, Floats]  # the same of those that follow the discharge

    @property
    def sets(self) -> list[list[Place]]:
        return [places for group in self.groups.values() for places in group]

    def first(self, group: str) -> int:
        """The number of its first set among all."""
        before = list(self.groups).index(group)
        return sum(len(g) for g in list(self.groups.values())[:before])


def tune(
    observations: Path,
    events: Path,
    min_lead_s: int,
    out: Path,
    cost: float = 1.0,
    figure: Path | None = None,
    by: Mapping[str, Sequence[str]] | None = None,
    told: Callable[[Said], None] = lambda _: None,
) -> Json:
    """Choose a rule, measure it, write it to `out`. cost: false alarms that one miss is worth.
    by: which stations watch an area, of a district's config. told: hears what is being done."""
    if figure:
        ready(figure)
    if not (0 < cost < float("inf")):
        raise SeriesFault(Text(f"代价应为正数：{cost}", f"the cost must be positive: {cost}"))
    told(Text("读资料", "reading"))
    readings, happened, notes = _read(observations, events, min_lead_s)
    basis = _basis(readings, happened, min_lead_s, by, notes)
    many = _events_by_block(basis)
    g, how = basis.groups, (basis.terms, basis.blocks, told)
    plain = unfitted(g["plain"], *how) + combined(g["rainy"], basis.first("rainy"), *how)
    plain += soils(g["soil"], basis.first("soil"), *how)
    rivals = plain + _fitted(basis, dealt(many), told)
    told(Text("交叉验证", "cross-validation"))
    found = judge(rivals, dealt(many), cost)
    best, row = found.final
    t = rivals[best].whole
    if not t.counts[row, :, 0].sum():
        raise SeriesFault(
            Text(
                "没有一条候选规则能提前命中任何事件，未写规则；试较短的提前量",
                "no candidate hits any event in time: no rule is written; try a shorter lead",
            )
        )
    candidate = t.candidates[t.which[row]]
    rules = _rows(candidate, float(t.limit[row]), basis.sets[candidate.choice], happened)
    anew = {names.PART: found}
    validated = [skill(names.PART, blocks_of(found.delivered))]
    by_stretch: list[Json] = []
    if np.unique(folds := contiguous(many)).size > 1:
        told(Text("交叉验证，按时段再来一遍", "cross-validation once more, by stretches of time"))
        others = plain + _fitted(basis, folds, told)
        again = judge(others, folds, cost)
        validated.append(skill(names.STRETCH, blocks_of(again.of(found))))
        anew[names.STRETCH] = again
        by_stretch = _rivals_told(others, _compared(others, again))
    played = play(rules, readings, happened)
    rows = judged(played.said, happened, basis.terms.min_lead_ms, basis.terms.window_ms)
    line = logistic(rows)
    file = RulesFile(
        form=FORM,
        version=VERSION,
        matching=_matching(basis.terms),
        rule=tuple(rules),
        provenance=_provenance(basis, observations, events, rivals, rivals[best].name, cost),
        in_sample=skill(names.NONE, blocks_of(t.counts[row])),
        cross_validated=tuple(validated),
        chance=Chance(intercept=line[0], slope=line[1]) if line else None,
        trade_off=tuple(steps(played, happened, basis.terms, t.limit[t.which == t.which[row]])),
        rivals=tuple(_compared(rivals, found)),
    )
    _write(out, text(file))
    notes += [*weighed(rivals[best], found, cost), *unknown_areas(rules, happened, by)]
    result = outcome_told(file, played, happened, readings, basis.terms, notes)
    result["out"], result["candidates_tried"] = str(out), file.provenance.candidates
    result["rule"] = result["family"] = str(names.SERIES[rivals[best].name])
    result["cross_validated"] = [skill_json(s) for s in validated]
    result["chosen_anew"] = [skill_json(skill(h, blocks_of(j.nested))) for h, j in anew.items()]
    result["rivals"] = _rivals_told(rivals, file.rivals)
    result["rivals_by_stretch"] = by_stretch
    if figure:
        _draw(figure, result, played, happened, file, basis.terms)
    return result


def hindcast(
    rules: Path, observations: Path, events: Path, min_lead_s: int, figure: Path | None = None
) -> Json:
    """How the rules of a tuned file would have warned of these events."""
    if figure:
        ready(figure)
    try:
        file = load(rules.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as e:
        raise SeriesFault(Text(f"{rules}：读不了：{e}", f"{rules}: cannot be read: {e}")) from e
    except RulesFault as e:
        raise SeriesFault(f"{rules.name}: " + text_of(e)) from e
    readings, happened, notes = _read(observations, events, min_lead_s)
    if min_lead_s != file.matching.min_lead_s:
        tuned = file.matching.min_lead_s // 60
        notes.append(
            Text(
                f"率定时的提前量为 {tuned} min，与此不同",
                f"the rules were tuned for another lead, {tuned} min",
            )
        )
    if _sha256(observations) == file.provenance.observations_sha256:
        notes.append(
            Text(
                "此资料即率定所用，所得技巧偏乐观，见 cross_validated",
                "the rules were tuned on this very record: the skill flatters; see cross_validated",
            )
        )
    terms = Terms(
        min_lead_s * 1000,
        max(file.matching.window_min * 60_000, min_lead_s * 1000),
        file.matching.merge_gap_min * 60_000,
    )
    played = play(file.rule, readings, happened)
    result = outcome_told(file, played, happened, readings, terms, notes)
    result["cross_validated"] = [skill_json(s) for s in file.cross_validated]
    if figure:
        _draw(figure, result, played, happened, file, terms)
    return result


# --- what there is


def _read(
    observations: Path, events: Path, min_lead_s: int
) -> tuple[Readings, list[Event], list[Said]]:
    if not 0 <= min_lead_s <= 7 * 86_400:
        raise SeriesFault(
            Text(
                f"提前量 {min_lead_s} s 越界：0 … 7 d",
                f"the lead of {min_lead_s} s is out of range: 0 … 7 d",
            )
        )
    readings, notes = read_observations(observations)
    happened, more = events_and_notes(events)
    return readings, happened, notes + more


def _basis(
    readings: Readings,
    happened: list[Event],
    min_lead_s: int,
    by: Mapping[str, Sequence[str]] | None,
    notes: list[Said],
) -> _Basis:
    """Raises SeriesFault where there is nothing to tune on."""
    terms = terms_of(readings, min_lead_s)
    sets = [p for q in TUNED for p in choices(readings, happened, terms, q, notes, by) if p]
    known = max((int(sum(p.seen.sum() for p in places)) for places in sets), default=0)
    if not known:
        raise SeriesFault(joined((_NOTHING, *notes), Text("；", "; ")))
    starts = np.array([e.start_at for e in happened], np.int64)
    blocks = block_starts(int(readings.at[0]), int(readings.at[-1]), starts)
    groups = {"plain": sets, "rainy": with_rain(readings, sets, by)}
    groups["river"] = with_upstream(readings, sets, terms)
    flows = {
        HYDROGRAPH: with_runoff(readings, groups["rainy"]),
        BALANCE: with_runoff(readings, groups["rainy"], 3600),
    }
    groups |= {model.family: [[place] for place, _ in of] for model, of in flows.items()}
    groups["soil"] = with_soil(readings, sets, by)
    return _Basis(readings, happened, terms, blocks, groups, flows, known, {}, {})


def _fitted(basis: _Basis, folds: Ints, told: Callable[[Said], None]) -> list[Rival]:
    """All that is fitted, anew without each fold."""
    how = basis.terms, basis.blocks, folds, told
    found = upstream(basis.groups["river"], basis.first("river"), *how)
    for model, flows in basis.flows.items():
        found += runoffs(model, flows, basis.first(model.family), *how, basis.wholes)
    found += followed(basis.groups["rainy"], basis.first("rainy"), *how, basis.starts)
    return found + fitted(basis.groups["rainy"], basis.first("rainy"), *how)


def _events_by_block(basis: _Basis) -> Ints:
    """(blocks,) events that begin in each."""
    starts = np.array([e.start_at for e in basis.events], np.int64)
    at = np.maximum(np.searchsorted(basis.blocks, starts, "right") - 1, 0)
    many: Ints = np.bincount(at, minlength=basis.blocks.size)
    return many


def _rows(
    c: Candidate, limit: float, places: Sequence[Place], events: list[Event]
) -> list[RuleRow]:
    rows = []
    for n, p in enumerate(places):
        near = [t.station for t in p.beside if t.quantity == p.track.quantity]
        others = [t for t in p.beside if t.quantity != p.track.quantity]
        beside = {
            q: tuple(t.station for t in others if t.quantity == q)
            for q in dict.fromkeys(t.quantity for t in others)
        }
        names = _SCALES.get(c.kind, ("zero_m", "flood_m") if c.kind in SCALED else ())
        kinds = sorted({e.kind for e in events if e.area == p.area})
        rows.append(
            RuleRow(
                id="tuned" if len(places) == 1 else f"tuned_{n + 1}",
                kind=c.kind,
                hazard=_HAZARD.get(kinds[0] if kinds else "", "flash_flood"),
                source="fengsui tune; see [provenance]",
                areas=(p.area,),
                stations=(p.track.station, *near),
                weights=(1.0,) * (1 + len(near)) if c.kind in _AREAL else (),
                quantity=p.track.quantity,
                beside=beside,
                orange=limit,
                hold_min=c.hold_min,
                clear=c.clear,
                parameters=dict(zip(names, p.scale, strict=False)) | c.parameters,
            )
        )
    return rows


def _matching(terms: Terms) -> Matching:
    return Matching(
        rule=RULE,
        min_lead_s=terms.min_lead_ms // 1000,
        window_min=terms.window_ms // 60_000,
        merge_gap_min=terms.merge_gap_ms // 60_000,
    )


def _provenance(
    basis: _Basis,
    observations: Path,
    events: Path,
    rivals: Sequence[Rival],
    family: str,
    cost: float,
) -> ParameterSource:
    at = basis.readings.at
    return ParameterSource(
        observations_sha256=_sha256(observations),
        events_sha256=_sha256(events),
        rows=int(at.size),
        first=iso(int(at[0])),
        last=iso(int(at[-1])),
        events=len(basis.events),
        events_unseen=len(basis.events) - basis.known,
        candidates=int(sum(r.whole.limit.size for r in rivals)),
        cost=cost,
        seed=SEED,
        family=family,
    )


# --- how well


def _compared(rivals: Sequence[Rival], found: Judged) -> list[Skill]:
    """Each family by itself on what was left out, the simplest first."""
    return [
        skill(str(names.SERIES[r.name]), blocks_of(c))
        for r, c in zip(rivals, found.alone, strict=True)
    ]


def _rivals_told(rivals: Sequence[Rival], skills: Sequence[Skill]) -> list[Json]:
    """For JSON: each family's skill, and whether it is a simple one."""
    both = zip(rivals, skills, strict=True)
    return [skill_json(s) | {"simple": r.simple} for r, s in both]


def _write(path: Path, body: str) -> None:
    try:
        path.write_text(body, encoding="utf-8")
    except OSError as e:
        raise SeriesFault(
            Text(f"{path}：写不了：{e.strerror}", f"{path}: cannot be written: {e.strerror}")
        ) from e


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _draw(
    path: Path,
    result: Json,
    played: Played,
    events: list[Event],
    file: RulesFile,
    terms: Terms,
) -> None:
    stories = [
        Story(
            s.area,
            s.track,
            s.value,
            [t for _, t in limits(s.row)],
            [e for e in events if e.area == s.area],
        )
        for s in played.said
    ]
    draw(path, result, stories, file.trade_off, terms.window_ms)
