"""The after-action report of a run, of a drill or of a real event: read from the log, written as one
page to print (A4, nothing outside it) and as JSON."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from config.language import Language, Said, Text, joined, text_of
from config.records.district import District
from config.records.level import LEVEL_EN, LEVEL_ZH, Level, hazard_words
from console.model.follow import Follower
from console.model.shift_log import ACT, OUTCOME, asked
from dispatch.records import Alert, kind_words
from dispatch.words.local_time import local
from fengsui.review.after_action import assess, incidents, reported_truth
from fengsui.review.assessment import Assessment, TargetRow
from fengsui.review.figure import figure
from fengsui.review.paper import render
from fengsui.review.step_times import LEADS
from fengsui.review.targets import read_plan
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from fengsui.run.terminal import echo
from ingest.observation import Observations
from simulators.scenario import SCENARIOS
from simulators.world import World
from skill.verify.truth import Truth
from stream.environment import Usage, language
from stream.log.port import Log
from stream.records import Run

BROKEN_OFF = "broken-off.txt"  # in the run's folder: why a drill was broken off
_SLACK_MS = 6 * 3_600_000
_COARSE_MS = 300_000
_RESULT = {
    "met": Text("达到", "met"),
    "not_met": Text("未达到", "not met"),
    "not_measured": Text("未测得", "not measured"),
}


def after_action(setup: Setup, incident: str, out: Path | None, plan_file: Path | None) -> int:
    """Write after-action.html and after-action.json into `out`. Of a live run the newest incident,
    of an exercise all of it, where none is named."""
    try:
        found = assessed(setup, incident, plan_file)
    except LookupError as e:
        echo(e, err=True)
        return 1
    folder = out or Path.cwd()
    folder.mkdir(parents=True, exist_ok=True)
    html, data = folder / "after-action.html", folder / "after-action.json"
    html.write_text(page(setup.district, found, language()), "utf-8")
    data.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    echo(Text(f"{html} 打印用，A4；{data}", f"{html} to print: A4; {data}"))
    for t in found.targets:
        echo("  " + _RESULT[t.result] + ": " + target_words(t))
    return 0


def printed(setup: Setup, incident: str, language: Language) -> str:
    """The same page as text, in one language. Raises ValueError: there is no such incident, or nothing at
    all."""
    try:
        return page(setup.district, assessed(setup, incident, None), language)
    except (LookupError, Usage) as e:
        raise ValueError(text_of(e)) from e


def assessed(setup: Setup, incident: str, plan_file: Path | None) -> Assessment:
    """What the report says. Raises Usage: there is no such incident; LookupError: no record."""
    plan = read_plan(plan_file, setup.district.folder)
    log = open_run_log(setup)
    try:
        records = records_of(log, setup.live, incident)
    finally:
        log.close()
    there = incidents(records)
    if incident and incident not in there:
        names = ", ".join(there) or Text("无", "none")
        raise Usage(
            Text(
                f"没有事件 {incident!r}，有 {names}",
                f"there is no incident {incident!r}; there are {names}",
            )
        )
    chosen = incident or (there[-1] if setup.live and there else "")
    if not there and not any(isinstance(r, Run) for r in records):
        raise LookupError(
            Text(f"{setup.run.name}: 没有记录", f"{setup.run.name}: there are no records")
        )
    truth, truth_is = _truth(setup.district, records)
    note = setup.folder / BROKEN_OFF
    return assess(
        setup.district,
        records,
        plan,
        truth,
        incident=chosen,
        truth_is=truth_is,
        until=timed_until(records),
        broken_off=_why_ended(note),
    )


def _why_ended(note: Path) -> Said:
    """Why a drill was broken off, "" where it was not; an earlier build wrote it as plain text."""
    if not note.exists():
        return ""
    try:
        return msgspec.json.decode(note.read_bytes(), type=Text)
    except msgspec.MsgspecError:
        return note.read_text("utf-8").strip()


def records_of(log: Log, live: bool, incident: str) -> list[object]:
    """Everything; of observations what lies about the incident, for a live run holds months."""
    topics = ("cases", "alerts", "deliveries", "dead-letters")
    records: list[object] = [r for _, r in Follower(log, topics).take()]
    chosen = incident or (next(reversed(incidents(records)), "") if live else "")
    sent = [r.sent_at for r in records if isinstance(r, Alert) and r.incident == chosen]
    for _, r in Follower(log, ("observations",)).take():
        about = (
            not (isinstance(r, Observations) and sent)
            or min(sent) - _SLACK_MS <= r.received_at <= max(sent) + _SLACK_MS
        )
        if about:
            records.append(r)
    return records


def timed_until(records: Sequence[object]) -> int | None:
    """After its weather a scenario's clock moves five minutes a step: too coarse to measure with."""
    run = next((r for r in records if isinstance(r, Run)), None)
    if run is None or run.kind == "live" or run.scenario not in SCENARIOS:
        return None
    return run.start_at + int(SCENARIOS[run.scenario].hours * 3_600_000) - _COARSE_MS


def _truth(district: District, records: Sequence[object]) -> tuple[list[Truth], Said]:
    """What happened, and who says so: people's reports, else the scenario's own world."""
    told = reported_truth(records)
    if told:
        return told, Text("灾情核实（fengsui outcome）", "reported by people (fengsui outcome)")
    run = next((r for r in records if isinstance(r, Run)), None)
    if run is None or run.kind == "live" or run.scenario not in SCENARIOS:
        return [], ""
    if run.config != district.version:
        return (
            [],
            Text(
                "配置已改，模拟真值不可重现",
                "the configuration has changed: no truth to compare with",
            ),
        )
    return World(district, SCENARIOS[run.scenario], run.seed).truth, Text(
        "模拟真值", "the simulated truth"
    )


def seconds(value: float | None) -> str:
    """As a person reads it."""
    if value is None:
        return "–"
    return f"{value:.0f} s" if abs(value) < 120 else f"{value / 60:.0f} min"


def target_words(t: TargetRow) -> Text:
    """A target and what was measured, on one line."""
    own = Text("各自时限", "its own deadline")
    if t.hop in LEADS:
        own = Text("各区所需时间", "the place's own need")
    limit = seconds(t.within_s) if t.within_s is not None else own
    sign = "≥" if t.hop in LEADS else "≤"
    share = "" if t.share == 1 else Text(f"，{t.share:.0%} 以上", f", {t.share:.0%} at least")
    got = f"{t.in_time}/{t.due}" if t.due else Text("没有应做的", "nothing was due")
    return joined((Text(t.zh, t.en), f" {sign} ", limit, share, ": ", got))


def page(district: District, found: Assessment, language: Language) -> str:
    """The page as HTML in one language, complete in itself."""
    zone = district.timezone
    days = {local(at, zone, "%m-%d") for at in (found.begin_at, found.end_at)}
    form = "%H:%M" if len(days) == 1 else "%d %H:%M"

    def at(ms: int | None) -> str:
        return "–" if ms is None else local(ms, zone, form)

    def whole(ms: int) -> str:
        return local(ms, zone, "%Y-%m-%d %H:%M")

    return render(
        "after_action.html.j2",
        language,
        a=found,
        district=district,
        at=at,
        whole=whole,
        seconds=seconds,
        words=target_words,
        result=_RESULT,
        level={LEVEL_ZH[x]: Text(LEVEL_ZH[x], LEVEL_EN[x]) for x in Level},
        acts=ACT,
        outcome=OUTCOME,
        asked=asked,
        hazard=hazard_words,
        kind=kind_words,
        leads=LEADS,
        picture=figure(found, lambda ms: local(ms, zone, "%H:%M"), language),
    )
