"""`fengsui status`: a few lines that say whether the line is well."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from config.language import Said, Text, en, joined, text_of, zh
from config.records.district import District
from config.records.level import hazard_words
from console.model.flags import Flagged, Flags
from console.model.view import View
from dispatch.grade import Grade
from dispatch.records import state_words
from dispatch.words.local_time import day, local
from fengsui.files.locked import lock_lines
from fengsui.pictures.lines import picture_lines
from fengsui.status.at_work import at_work, nobodys, share
from fengsui.status.cap_exchange import outside_lines, state_of
from fengsui.status.channels import way_lines
from fengsui.status.links import link_lines
from fengsui.status.look import look_of
from fengsui.status.nodes import node_lines
from fengsui.status.waiting import NOBODY, questions
from stream.log.kept import holds, told
from stream.log.port import Log
from stream.records import DeadLetter, Run, decode

_NEWEST = 20_000
_NAMED = 8
_letter = msgspec.json.Decoder(DeadLetter)
KIND = {"live": Text("实战", "live"), "exercise": Text("演练", "exercise")}


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


def _nothing(district: District) -> Text:
    return Text(
        f"{district.name}：尚无数据。别的区县：fengsui --config 目录 status",
        f"{district.name_en}: nothing has run here yet. Another district: fengsui --config FOLDER status",
    )


def status_lines(
    log: Log,
    district: District,
    now_at: int,
    ours: Run | None = None,
    folder: Path | None = None,
) -> Iterator[Said]:
    """Lines of text; the first says what run this is. ours: the run that is asked about. folder: of
    the run, where the folded log is kept (`look_of`)."""
    look = look_of(log, ours, folder)
    view = look.view
    run = view.run or ours
    if run is None or (view.run is None and not view.strays and not view.clock_at):
        yield _nothing(district)
        return
    clock_at = local(view.clock_at, district.timezone) if view.clock_at else "-"
    yield Text(
        f"运行：{run.name}（{zh(KIND[run.kind])}）时钟 {clock_at}",
        f"run: {run.name} ({en(KIND[run.kind])}) clock {clock_at}",
    )
    yield from _whose(view)
    yield from _stages(log, district, live=run.kind == "live")
    clock = view.clock_at if run.kind == "exercise" else now_at
    total, reasons, whole = dead_letters(log, view.flags)
    yield from _stations(view, district, clock, run.start_at)
    yield from _calibrations(district, day(clock, district.timezone))
    if not district.officers:
        yield "! " + NOBODY
    yield from node_lines(view, district, clock, run.start_at)
    yield from link_lines(view, district)
    alerts = view.open_alerts()
    yield Text(f"在办预警：{len(alerts)}", f"open warnings: {len(alerts)}")
    for a in alerts:
        area = district.areas.get(a.area)
        place = Text(f"{area.township}{area.name}", area.name_en) if area else text_of(a.area)
        hazard, grade = hazard_words(a.hazard), Grade(a.level, a.action).words(a.hazard)
        rest = f"v{a.version} {local(a.sent_at, district.timezone)}"
        yield Text(
            f"  {place.zh} {hazard.zh} {grade.zh} {rest}",
            f"  {place.en} {hazard.en}, {grade.en} {rest}",
        )
        yield from list(questions(district, a))[1:]
    undelivered = view.undelivered()
    yield Text(
        f"未到达：{len(undelivered)} / {len(view.sent)}",
        f"undelivered: {len(undelivered)} / {len(view.sent)}",
    )
    for s in undelivered[:20]:
        state = state_words(s.state)
        yield f"  {s.delivery.recipient} {s.channel} " + state + f" ({s.delivery.area})"
    if district.sources.source:
        yield from outside_lines(district, look.crossing, clock)
        words = Counter(map(state_of, look.crossing.ours.values()))
        counted = sorted(words.items(), key=lambda kn: str(kn[0]))
        shown = (
            joined((text_of(k) + f" {n}" for k, n in counted), Text("，", ", ")) if words else "0"
        )
        yield Text(
            f"发往邻县：{zh(shown)}（fengsui neighbours）",
            f"to neighbours: {en(shown)} (fengsui neighbours)",
        )
    yield from way_lines(district, view, run.kind == "live")
    if run.kind == "live" and folder is not None:
        yield from picture_lines(district, folder)
    yield from _letters(total, reasons, whole)
    yield from lock_lines(log, folder, now_at, district.timezone)
    kept = log.kept()
    yield ("" if holds(kept) else "! ") + told(kept)


def _stages(log: Log, district: District, *, live: bool) -> Iterator[Said]:
    """How far each is behind, who does it, and what nobody does."""
    rows = at_work(log)
    for row in rows:
        lag = sum(row.unread)
        yield Text(
            f"  {row.stage:8} 积压 {row.topic} {lag} 条",
            f"  {row.stage:8} lag {lag} records on {row.topic}",
        ) + share(row)
    if all(row.abandoned for row in rows):
        sign = "! " if live else ""
        yield sign + Text(
            "没有一个环节在运行：没有人研判，没有人发送",
            "no stage is at work: nobody judges, nobody sends",
        )
        return
    for row in rows:
        yield from ("! " + text for text in nobodys(row, district.timezone))


def _letters(total: int, reasons: Counter[str], whole: bool) -> Iterator[Said]:
    newest = (
        ""
        if whole
        else Text(f"；最近 {_NEWEST} 条的原因：", f"; the reasons of the newest {_NEWEST}:")
    )
    yield Text(f"坏数据：{total}{zh(newest)}", f"dead letters: {total}{en(newest)}")
    for reason, count in reasons.most_common():
        yield f"  {reason}: {count}"


def _stations(view: View, district: District, clock: int, start_at: int) -> Iterator[Said]:
    """Who reports, who is in service or silent, and what is wrong with whom."""
    expected = set(district.stations) | set(district.nodes)
    late = {
        s for s in expected if clock - view.last_seen.get(s, start_at) > _plan_s(district, s) * 1000
    }
    away = view.in_service(clock)
    flagged = {s: list(view.flags.of(s)) for s in view.flags.stations() if s not in away}
    silent = sorted((late | view.silent()) - away.keys() - _heard(flagged, late))
    well = (expected & view.last_seen.keys()) - late - view.silent() - away.keys()
    yield Text(
        f"监测站和大喇叭：{len(well)}/{len(expected)} 正常",
        f"stations and loudspeakers: {len(well)}/{len(expected)} reporting",
    )
    if waiting := sorted(expected - late - view.last_seen.keys() - away.keys()):
        yield Text(
            f"  尚未收到：{len(waiting)}（{_first(waiting).zh}）",
            f"  not heard yet: {len(waiting)} ({_first(waiting).en})",
        )
    for out in away.values():
        until = local(out.until_at, district.timezone)
        yield Text(
            f"  维护中 {out.thing}: 至 {until} {out.by} {out.reason}",
            f"  in service {out.thing}: until {until} {out.by} {out.reason}",
        )
    if never := [s for s in silent if s not in view.last_seen]:
        yield Text(
            f"  静默，从未收到：{len(never)}（{_first(never).zh}）",
            f"  silent, never heard: {len(never)} ({_first(never).en})",
        )
    for station in silent:
        if station in view.last_seen:
            when = local(view.last_seen[station], district.timezone)
            yield Text(f"  静默 {station}: 最后 {when}", f"  silent {station}: last {when}")
    for flags in flagged.values():
        for f in flags:
            since = local(f.since_at, district.timezone)
            yield (
                Text(
                    f"  存疑 {f.station}: {f.zh}，自 {since}；{f.todo_zh}",
                    f"  flagged {f.station}: {f.en}, since {since}; {f.todo_en}",
                )
            )


def _heard(flagged: Mapping[str, Sequence[Flagged]], late: Collection[str]) -> set[str]:
    """Those whose flag says why they show nothing: they are no silent ones. A clogged gauge that does
    not report any more is."""
    clocks = {"clock_slow", "clock_ahead"}
    return {s for s, of in flagged.items() if s not in late or any(f.test in clocks for f in of)}


def _whose(view: View) -> Iterator[Said]:
    """Where the log does not say what was asked about."""
    for name in view.strays:
        yield (
            Text(
                f"! 日志里有另一运行的记录：{name}；查清哪个程序写错，或给这个运行单独的目录",
                f"! another run speaks in this log: {name}; find the program that writes to the "
                "wrong run, or give this run its own folder",
            )
        )
    if view.run is None:
        yield (
            Text(
                "! 日志没说是哪个运行，重启各环节即补记",
                "! the log does not say what run it is, it is told when the stages start again",
            )
        )


def _plan_s(district: District, station: str) -> int:
    if station in district.stations:
        return district.stations[station].silent_after_s
    return district.nodes[station].silent_after_s


def _first(names: Sequence[object]) -> Text:
    """The first of them, by name."""
    return joined(names[:_NAMED], Text("、", ", ")) + ("…" if len(names) > _NAMED else "")


def _calibrations(district: District, today: date) -> Iterator[Said]:
    """One line, the longest overdue first: what is open must not scroll away behind a list."""
    days = {s.id: s.overdue(today) for s in district.stations.values()}
    overdue = sorted((s for s in days if days[s] > 0), key=lambda s: -days[s])
    if overdue:
        named = [Text(f"{s} {days[s]} 天", f"{s} {days[s]} days") for s in overdue]
        first = _first(named)
        yield Text(
            f"  检定过期：{len(overdue)}（{first.zh}）",
            f"  calibration out of date: {len(overdue)} ({first.en})",
        )
    for s in district.stations.values():
        if days[s.id] < 0:
            yield Text(
                f"  检定日期在将来 {s.id}: {s.calibrated}",
                f"  calibration dated in the future {s.id}: {s.calibrated}",
            )
