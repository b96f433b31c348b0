"""`fengsui hindcast CONFIG`: a district's whole set of rules over years of record.

The stage detect of the live run with its own rule objects (`skill.verify.hindcast`); what it says is
matched with events by `skill.verify.match`. An alarm of an area begins when any of its rules
reaches the level asked for, and ends when none stands there any more.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from config.language import Said, Text, joined
from config.proof import Proof, add
from config.records.district import District
from config.records.level import Action, Level
from detectors.detection import Detection
from skill.series.csv_text import SeriesFault
from skill.series.figure import Story, draw, ready
from skill.series.fit import Terms
from skill.series.places import unseen
from skill.series.read import events_and_notes, read_observations
from skill.series.report import Json, counted, full, terms_told
from skill.series.track import observed, step_s, track
from skill.verify.hindcast import Readings, replay, unused
from skill.verify.match import Alarm, Event, match

STEPS: dict[str, tuple[Level, Action]] = {
    "blue": (Level.BLUE, Action.NONE),
    "yellow": (Level.YELLOW, Action.NONE),
    "orange": (Level.ORANGE, Action.NONE),
    "red": (Level.RED, Action.NONE),
    "prepare": (Level.NONE, Action.PREPARE),
    "move": (Level.NONE, Action.MOVE),
}
_WINDOW_MS = 6 * 3_600_000
_DRAWN = ("stage", "depth", "rain")


def hindcast(
    district: District,
    observations: Path,
    events: Path,
    min_lead_s: int,
    step: str,
    figure: Path | None = None,
) -> Json:
    """Counts of the chosen step, and of all six. Raises SeriesFault for what cannot be used."""
    if figure:
        ready(figure)
    if not 0 <= min_lead_s <= 7 * 86_400:
        raise SeriesFault(
            Text(
                f"提前量 {min_lead_s} s 越界：0 … 7 d",
                f"the lead of {min_lead_s} s is out of range: 0 … 7 d",
            )
        )
    readings, notes = read_observations(observations)
    happened, more = events_and_notes(events)
    notes += more + _strange(district, readings, happened)
    first, last = int(readings.at[0]), int(readings.at[-1])
    window = max(_WINDOW_MS, 4 * min_lead_s * 1000)
    terms = Terms(min_lead_s * 1000, window, window // 2)
    said = replay(district, readings)
    observed = _observed(district, readings, {e.area for e in happened})
    outcomes = {
        name: match(alarms(said, *STEPS[name], last), happened, *terms, observed) for name in STEPS
    }
    notes += [
        unseen(e.event.area, f"{np.datetime64(e.event.start_at, 'ms')}Z")
        for e in outcomes[step].events
        if e.fate == "unseen"
    ]
    result: Json = {
        "form": "district",
        "config": district.version,
        "step": step,
        **full(outcomes[step], first, last),
        "auc": None,  # a set of rules gives levels, no score to rank by
        "matching": terms_told(terms),
        "by_step": {name: counted(o, first, last) for name, o in outcomes.items()},
        "readings": int(readings.at.size),
        "detections": len(said),
        "notes": list(dict.fromkeys(notes)),
    }
    if figure:
        draw(figure, result, stories(district, readings, happened, step), (), window)
    return result


def record(district: District, result: Json, observations: Path, events: Path, by: str) -> Path:
    """Into the district's proof.toml. Raises SeriesFault where the record proves nothing."""
    if not result["hits"] + result["misses"]:
        raise SeriesFault(
            Text(
                "资料中没有可判的事件，不能作凭据；请签字：",
                "no event of this record could be judged: it proves nothing; sign instead: ",
            )
            + "fengsui sign DIR --by ID --reason …"
        )
    entry = Proof(
        rules=district.rules_version,
        how="hindcast",
        by=" ".join(by.split()),
        on=datetime.now(UTC).date().isoformat(),
        observations_sha256=_sha256(observations),
        events_sha256=_sha256(events),
        step=result["step"],
        min_lead_min=result["matching"]["min_lead_min"],
        hits=result["hits"],
        misses=result["misses"],
        false_alarms=result["false_alarms"],
    )
    return add(district.folder, entry)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stories(
    district: District, readings: Readings, events: Sequence[Event], step: str
) -> list[Story]:
    """What is drawn of each area with events: its stage gauge with the thresholds of the step, or
    the first of its rain gauges that was heard."""
    out = []
    for area in sorted({e.area for e in events}):
        mine = [e for e in events if e.area == area]
        tables = {t.station: getattr(t, f"{step}_m") for t in district.stage if t.area == area}
        watched = district.stations_of_area[area]
        for station in sorted(watched, key=lambda s: (s not in tables, watched.index(s))):
            quantity = district.stations[station].quantity
            if (station, quantity) in readings.pairs and quantity in _DRAWN:
                slot_s = step_s(readings, station, quantity)
                rain = quantity == "rain"
                t = track(
                    readings, station, quantity, 3600 if rain else slot_s, "sum" if rain else "max"
                )
                limit = tables.get(station)
                scaled = limit * 1000 if limit is not None and quantity == "depth" else limit
                out.append(Story(area, t, None, [] if scaled is None else [scaled], mine))
                break
    return out


def alarms(said: Iterable[Detection], level: Level, action: Action, until: int) -> Sequence[Alarm]:
    """Of each area, from the first rule that reaches the level or action to the last that leaves
    it. What stands at the end of the record stands until then."""
    standing: dict[str, set[tuple[str, str]]] = {}
    since: dict[str, tuple[int, str]] = {}
    out: list[Alarm] = []
    for d in sorted(said, key=lambda d: d.detected_at):
        rules = standing.setdefault(d.area, set())
        high = (d.level >= level > Level.NONE) or (d.action >= action > Action.NONE)
        if high and not rules:
            since[d.area] = (d.detected_at, d.rule)
        before = bool(rules)
        (rules.add if high else rules.discard)((d.hazard, d.rule))
        if before and not rules:
            begin, rule = since.pop(d.area)
            out.append(Alarm(d.area, rule, begin, d.detected_at))
    out += [Alarm(area, rule, begin, until) for area, (begin, rule) in since.items()]
    return out


def _strange(district: District, readings: Readings, events: Sequence[Event]) -> list[Said]:
    """What does not fit the config, and which areas this record says nothing about."""
    notes: list[Said] = [
        Text(
            f"{u.station} {u.quantity}：配置中无此站此要素，{u.readings} 条未用",
            f"{u.station} {u.quantity}: not in the config, {u.readings} readings not used",
        )
        for u in unused(district, readings)
    ]
    unknown = sorted({e.area for e in events} - set(district.areas))
    if unknown:
        some = ", ".join(list(district.areas)[:12])
        raise SeriesFault(
            Text(
                f"事件表中的区不在配置中：{', '.join(unknown)}；配置中的区：{some} …",
                f"events name areas that the config lacks: {', '.join(unknown)}; its areas are: "
                f"{some} …",
            )
        )
    if len(notes) == len(readings.pairs):
        raise SeriesFault(
            Text("资料中没有本配置的监测站：", "no station of the record is in the config: ")
            + joined(notes[:5], Text("；", "; "))
        )
    without = sorted(set(district.areas) - {e.area for e in events})
    if without:
        some = ", ".join(without)
        notes.append(
            Text(
                f"{len(without)} 个预警区没有事件，其阈值未经资料检验：{some}",
                f"{len(without)} areas without an event, their thresholds are not supported by this "
                f"record: {some}",
            )
        )
    return notes


def _observed(
    district: District, readings: Readings, areas: Iterable[str]
) -> dict[str, list[tuple[int, int]]]:
    """When any station of an area was heard."""
    heard: dict[str, list[tuple[int, int]]] = {}
    for station, quantity in readings.pairs:
        if station in district.stations:
            heard[station] = heard.get(station, []) + observed(readings, station, quantity)
    return {
        a: [span for s in district.stations_of_area.get(a, ()) for span in heard.get(s, [])]
        for a in areas
    }
