"""The commands that keep score of a run: outcome, skill."""

import json
from pathlib import Path

import click

from config.records.level import HAZARD_ZH
from dispatch.grade import Grade
from dispatch.records import Outcome
from dispatch.words.local_time import local
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.run.moments import parse_moment, seconds
from fengsui.run.named_area import place
from fengsui.run.run_log import open_run_log
from fengsui.run.run_view import alerts_view, run_clock
from fengsui.run.setup import Setup
from fengsui.run.signing import vouch
from fengsui.status.scores import kept_score
from skill.report.district import STEPS
from skill.report.outcomes import WINDOW_MS, Ledger, Score, as_json, by_rule, scores
from stream.environment import Usage
from stream.log.port import Out
from stream.records import encode

_DAY_MS = 86_400_000
_OUTCOME_ZH = {
    "hit": "命中 hit",
    "late": "过迟 late",
    "false": "空报 false",
    "open": "未核 open",
    "miss": "漏报 miss",
}


@click.command()
@click.argument("area")
@click.argument("hazard", type=click.Choice(sorted(HAZARD_ZH)))
@click.option("--happened/--nothing", default=None, help="发生了/没有发生 it did, it did not")
@click.option("--start", required=True, help="起 from, RFC 3339")
@click.option("--end", default="", help="止 until [发生: the start; 未发生 nothing: 6 h later]")
@click.option("--by", required=True, help="报告人代号 opaque id of the person")
@click.option("--note", default="", help="说明 in words; no names, no numbers of people")
@KEY
@RUN
@click.pass_obj
def outcome(
    obj: Shared,
    area: str,
    hazard: str,
    happened: bool | None,
    start: str,
    end: str,
    by: str,
    note: str,
    key: Path | None,
    run_name: str,
) -> None:
    """灾情核实 what really happened in AREA, or did not: warnings are scored against it.

    The last word on the same AREA, HAZARD and start counts.
    """
    if happened is None:
        raise Usage("写明 say --happened 或 or --nothing")
    if not by.strip():
        raise Usage("--by 不能为空 cannot be empty: 谁报告的 who tells")
    setup = obj.reader(run_name)
    vouch(setup, by, key)
    place(setup, area, hazard)
    start_at = parse_moment(start)
    end_at = parse_moment(end) if end else start_at + (0 if happened else WINDOW_MS)
    if end_at < start_at:
        raise Usage(f"--end {end} 早于 is before --start {start}")
    log = open_run_log(setup)
    try:
        clock_at = run_clock(setup, alerts_view(log))
        if start_at > clock_at or (happened and end_at > clock_at):
            raise Usage(f"{start}：还没有到 is still to come, by the clock of {setup.run.name}")
        record = Outcome(
            area=area, hazard=hazard, happened=happened, start_at=start_at,
            end_at=min(end_at, clock_at), told_at=clock_at, by=by, note=note,
        )  # fmt: skip
        log.append([Out("cases", area, encode(record))])
    finally:
        log.close()
    zone = setup.district.timezone
    word = "发生 happened" if happened else "未发生 did not happen"
    click.echo(
        f"已记录 recorded: {area} {HAZARD_ZH[hazard]} {word} {local(record.start_at, zone)} … "
        f"{local(record.end_at, zone)} by {by}"
    )
    if not happened and record.end_at < min(end_at, start_at + WINDOW_MS):
        click.echo(
            f"其后还不知道 what comes after is not known yet: 预警要到 a warning is open until "
            f"{WINDOW_MS // 3_600_000} h 都有人说过 of it are told of; 届时再报 tell it again then"
        )


@click.command()
@click.option("--min-lead", default="10min", show_default=True, help="最短提前量 least lead")
@click.option(
    "--step",
    type=click.Choice(["any", *STEPS]),
    default="any",
    show_default=True,
    help="哪一级算预警 what counts as a warning",
)
@click.option("--json", "as_json_", is_flag=True, help="打印一个 JSON 对象 print one object")
@RUN
@click.pass_obj
def skill(obj: Shared, min_lead: str, step: str, as_json_: bool, run_name: str) -> None:
    """技巧台账 what came of every warning and silence, by area and by version of the rules."""
    setup = obj.reader(run_name)
    lead_ms = seconds(min_lead) * 1000
    if lead_ms > WINDOW_MS:
        raise Usage(f"--min-lead {min_lead}: 至多 at most {WINDOW_MS // 3_600_000} h")
    found, notes = kept_score(setup, lead_ms, step)
    if as_json_:
        told_ = {"run": setup.run.name, "step": step, "min_lead_min": lead_ms / 60_000}
        whole = told_ | as_json(found) | {"notes": notes}
        click.echo(json.dumps(whole, ensure_ascii=False, allow_nan=False))
        return
    _tell(setup, found)
    for note in notes:
        click.echo(f"注 note: {note}")


def _tell(setup: Setup, found: Ledger) -> None:
    zone, areas = setup.district.timezone, setup.district.areas
    every = scores(found)
    click.echo(_line("合计 all", every.pop("*")))
    for name, one in every.items():
        if one.warnings or one.counts.hits or one.counts.misses or one.counts.quiet:
            click.echo(_line(f"  {name} {areas[name].name if name in areas else ''}", one))
    for (rule, version), many in by_rule(found).items():
        counts = " · ".join(f"{_OUTCOME_ZH[k]} {n}" for k, n in many.items())
        click.echo(f"  规则 rule {rule} @{version[:8] or '-'}: {counts}")
    for r in found.warnings:
        w = r.warned
        lead = f" 提前 lead {r.lead_min:.0f} min" if r.lead_min is not None else ""
        public = "" if w.public else "（未公开 not public）"
        click.echo(
            f"  {_OUTCOME_ZH[r.outcome]} {w.area} {HAZARD_ZH[w.hazard]} {local(w.start_at, zone)} "
            f"{Grade(w.level, w.action).words()}{public}{lead}: {r.because}"
        )
    for e in found.events:
        if e.outcome != "hit":
            late = "，预警过迟 warned too late" if e.outcome == "late" else ""
            click.echo(
                f"  漏报 miss {e.area} {HAZARD_ZH[e.hazard]} {local(e.start_at, zone)}: "
                f"{e.because}{late}"
            )


def _line(name: str, s: Score) -> str:
    c = s.counts
    ratios = " · ".join(
        f"{n} {v:.2f}" for n, v in (("POD", c.pod), ("FAR", c.far), ("CSI", c.csi)) if v is not None
    )
    return (
        f"{name}: 预警 warnings {s.warnings}（未核 open {s.open}）· 命中 hits {c.hits} · 漏报 misses "
        f"{c.misses}（过迟 late {s.late}）· 空报 false {c.false_alarms} · 平静日 quiet days {c.quiet}"
        f"{' · ' + ratios if ratios else ''}"
    )
