"""`fengsui status`: a few lines that say whether the line is well."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from config.records.district import District
from config.records.level import ACTION_ZH, HAZARD_ZH, LEVEL_ZH
from console.model.flags import Flagged, Flags
from console.model.view import View
from dispatch.records import state_words
from dispatch.words.local_time import day, local
from fengsui.run.run_log import READS
from fengsui.status.cap_exchange import outside_lines, state_of
from fengsui.status.channels import way_lines
from fengsui.status.look import look_of
from fengsui.status.nodes import node_lines
from fengsui.status.waiting import NOBODY, questions
from stream.log.port import Log
from stream.records import DeadLetter, Run, decode

_NEWEST = 20_000
_NAMED = 8
_letter = msgspec.json.Decoder(DeadLetter)
KIND = {"live": "实战 live", "exercise": "演练 exercise"}


def dead_letters(log: Log, flags: Flags | None = None) -> tuple[int, Counter[str], bool]:
    """How many there are, their reasons, and whether those are of all: of very many only the newest
    `_NEWEST` are looked at. flags: takes what they say of stations."""
    oldest, end = log.starts("dead-letters")[0], log.ends("dead-letters")[0]
    at, reasons = max(oldest, end - _NEWEST), Counter[str]()
    whole = at == oldest
    while entries := log.read("dead-letters", 0, at):
        found = [x for e in entries if (x := decode(_letter.decode, e.value)) is not None]
        reasons.update(x.reason for x in found)
        if flags is not None:
            for letter in found:
                flags.letter(letter)
        at = entries[-1].offset + 1
    # markers of transactions take offsets too: where all were read, what was read counts
    return (reasons.total() if whole else end - oldest), reasons, whole


def status_lines(
    log: Log,
    district: District,
    now_at: int,
    ours: Run | None = None,
    folder: Path | None = None,
) -> Iterator[str]:
    """Lines of text; the first says what run this is. ours: the run that is asked about. folder: of
    the run, where the folded log is kept (`look_of`)."""
    look = look_of(log, ours, folder)
    view = look.view
    run = view.run or ours
    if run is None or (view.run is None and not view.strays and not view.clock_at):
        yield "尚无数据 nothing has run here yet"
        return
    clock_at = local(view.clock_at, district.timezone) if view.clock_at else "-"
    yield f"运行 run: {run.name} ({KIND[run.kind]}) 时钟 clock {clock_at}"
    yield from _whose(view)
    for stage, topic in READS.items():
        ends, positions = log.ends(topic), log.positions(topic, stage)
        lag = sum(max(0, e - p) for e, p in zip(ends, positions, strict=True))
        yield f"  {stage:8} 积压 lag {lag} 条 records on {topic}"
    clock = view.clock_at if run.kind == "exercise" else now_at
    total, reasons, whole = dead_letters(log, view.flags)
    yield from _stations(view, district, clock, run.start_at)
    yield from _calibrations(district, day(clock, district.timezone))
    if not district.officers:
        yield f"! {NOBODY}"
    yield from node_lines(view, district, clock, run.start_at)
    alerts = view.open_alerts()
    yield f"预警 open warnings: {len(alerts)}"
    for a in alerts:
        area = district.areas.get(a.area)
        place = f"{area.township}{area.name}" if area else a.area
        action = f" {ACTION_ZH[a.action]}" if a.action else ""
        yield (
            f"  {place} {HAZARD_ZH.get(a.hazard, a.hazard)} {LEVEL_ZH[a.level]}{action} "
            f"v{a.version} {local(a.sent_at, district.timezone)}"
        )
        yield from list(questions(district, a))[1:]
    undelivered = view.undelivered()
    yield f"未到达 undelivered: {len(undelivered)} / {len(view.sent)}"
    for s in undelivered[:20]:
        state = state_words(s.state)
        yield f"  {s.delivery.recipient} {s.channel} {state} ({s.delivery.area})"
    if district.sources.source:
        yield from outside_lines(district, look.crossing, clock)
        words = Counter(map(state_of, look.crossing.ours.values()))
        shown = "，".join(f"{k} {n}" for k, n in sorted(words.items())) or "0"
        yield f"发往邻县 to neighbours: {shown} (fengsui neighbours)"
    yield from way_lines(district, view, run.kind == "live")
    newest = "" if whole else f"; 最近 {_NEWEST} 条的原因 the reasons of the newest {_NEWEST}:"
    yield f"坏数据 dead letters: {total}{newest}"
    for reason, count in reasons.most_common():
        yield f"  {reason}: {count}"


def _stations(view: View, district: District, clock: int, start_at: int) -> Iterator[str]:
    """Who reports, who is in service or silent, and what is wrong with whom."""
    expected = set(district.stations) | set(district.nodes)
    late = {
        s for s in expected if clock - view.last_seen.get(s, start_at) > _plan_s(district, s) * 1000
    }
    away = view.in_service(clock)
    flagged = {s: list(view.flags.of(s)) for s in view.flags.stations() if s not in away}
    silent = sorted((late | view.silent()) - away.keys() - _heard(flagged, late))
    well = (expected & view.last_seen.keys()) - late - view.silent() - away.keys()
    yield f"监测站 stations: {len(well)}/{len(expected)} 正常 reporting"
    if waiting := sorted(expected - late - view.last_seen.keys() - away.keys()):
        yield f"  尚未收到 not heard yet: {len(waiting)} ({_first(waiting)})"
    for out in away.values():
        until = local(out.until_at, district.timezone)
        yield f"  维护中 in service {out.thing}: 至 until {until} {out.by} {out.reason}"
    if never := [s for s in silent if s not in view.last_seen]:
        yield f"  静默 silent, 从未收到 never heard: {len(never)} ({_first(never)})"
    for station in silent:
        if station in view.last_seen:
            when = local(view.last_seen[station], district.timezone)
            yield f"  静默 silent {station}: 最后 last {when}"
    for flags in flagged.values():
        for f in flags:
            since = local(f.since_at, district.timezone)
            yield (
                f"  存疑 flagged {f.station}: {f.zh} {f.en}，自 since {since}; "
                f"{f.todo_zh} {f.todo_en}"
            )


def _heard(flagged: Mapping[str, Sequence[Flagged]], late: Collection[str]) -> set[str]:
    """Those whose flag says why they show nothing: they are no silent ones. A clogged gauge that does
    not report any more is."""
    clocks = {"clock_slow", "clock_ahead"}
    return {s for s, of in flagged.items() if s not in late or any(f.test in clocks for f in of)}


def _whose(view: View) -> Iterator[str]:
    """Where the log does not say what was asked about."""
    for name in view.strays:
        yield (
            f"! 日志里有另一运行的记录 another run speaks in this log: {name}; 查清哪个程序写错 find the "
            "program that writes to the wrong run, or give this run its own folder"
        )
    if view.run is None:
        yield (
            "! 日志没说是哪个运行 the log does not say what run it is; 重启各环节即补记 it is told when "
            "the stages start again"
        )


def _plan_s(district: District, station: str) -> int:
    if station in district.stations:
        return district.stations[station].silent_after_s
    return district.nodes[station].silent_after_s


def _first(names: list[str]) -> str:
    return "、".join(names[:_NAMED]) + ("…" if len(names) > _NAMED else "")


def _calibrations(district: District, today: date) -> Iterator[str]:
    """One line, the longest overdue first: what is open must not scroll away behind a list."""
    days = {s.id: s.overdue(today) for s in district.stations.values()}
    overdue = sorted((s for s in days if days[s] > 0), key=lambda s: -days[s])
    if overdue:
        named = [f"{s} {days[s]} 天 days" for s in overdue]
        yield f"  检定过期 calibration out of date: {len(overdue)} ({_first(named)})"
    for s in district.stations.values():
        if days[s.id] < 0:
            yield f"  检定日期在将来 calibration dated in the future {s.id}: {s.calibrated}"
