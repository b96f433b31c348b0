"""The commands that keep score of a run: outcome, skill."""

from pathlib import Path

import click
import msgspec

from config.language import Said, Text, en, joined, text_of, zh
from config.records.level import HAZARD_EN, HAZARD_ZH, hazard_words
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
from fengsui.run.terminal import echo
from fengsui.status.scores import kept_score
from skill.report.district import STEPS
from skill.report.ledger_json import as_json
from skill.report.outcomes import WINDOW_MS, Ledger, Score, by_rule, scores
from stream.environment import Usage, spoken
from stream.log.port import Out
from stream.records import encode

_DAY_MS = 86_400_000
_OUTCOME = {
    "hit": Text("命中", "hit"),
    "late": Text("过迟", "late"),
    "false": Text("空报", "false"),
    "open": Text("未核", "open"),
    "miss": Text("漏报", "miss"),
}


@click.command()
@click.argument("area")
@click.argument("hazard", type=click.Choice(sorted(HAZARD_ZH)))
@click.option(
    "--happened/--nothing",
    default=None,
    help=spoken(Text("发生了，没有发生", "it did, it did not")),
)
@click.option("--start", required=True, help=spoken(Text("从何时起，RFC 3339", "from, RFC 3339")))
@click.option(
    "--end",
    default="",
    help=spoken(
        Text(
            "到何时止 [发生：同开始；未发生：6 小时后]",
            "until [happened: the start; nothing: 6 h later]",
        )
    ),
)
@click.option("--by", required=True, help=spoken(Text("报告人代号", "opaque id of the person")))
@click.option(
    "--note",
    default="",
    help=spoken(Text("说明；不写姓名和号码", "in words; no names, no numbers of people")),
)
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
    """灾情核实：AREA 实际发生了什么，或没有发生；预警按它评分。

    同一 AREA、HAZARD 和开始时间，以最后所说为准。

    What really happened in AREA, or did not: warnings are scored against it.

    The last word on the same AREA, HAZARD and start counts.
    """
    if happened is None:
        raise Usage(Text("写明 --happened 或 --nothing", "say --happened or --nothing"))
    if not by.strip():
        raise Usage(Text("--by 不能为空：谁报告的", "--by cannot be empty: who tells"))
    setup = obj.existing(run_name)
    vouch(setup, by, key)
    place(setup, area, hazard)
    start_at = parse_moment(start)
    end_at = parse_moment(end) if end else start_at + (0 if happened else WINDOW_MS)
    if end_at < start_at:
        raise Usage(
            Text(f"--end {end} 早于 --start {start}", f"--end {end} is before --start {start}")
        )
    log = open_run_log(setup)
    try:
        clock_at = run_clock(setup, alerts_view(log))
        if start_at > clock_at or (happened and end_at > clock_at):
            raise Usage(
                Text(
                    f"{start}：按 {setup.run.name} 的时钟，还没有到",
                    f"{start}: is still to come, by the clock of {setup.run.name}",
                )
            )
        record = Outcome(
            area=area, hazard=hazard, happened=happened, start_at=start_at,
            end_at=min(end_at, clock_at), told_at=clock_at, by=by, note=note,
        )  # fmt: skip
        log.append([Out("cases", area, encode(record))])
    finally:
        log.close()
    zone = setup.district.timezone
    word = Text("发生", "happened") if happened else Text("未发生", "did not happen")
    echo(
        Text(
            f"已记录：{area} {HAZARD_ZH[hazard]} {zh(word)} {local(record.start_at, zone)} "
            f"… {local(record.end_at, zone)}，{by}",
            f"recorded: {area} {HAZARD_EN[hazard]} {en(word)} "
            f"{local(record.start_at, zone)} … {local(record.end_at, zone)} by {by}",
        )
    )
    if not happened and record.end_at < min(end_at, start_at + WINDOW_MS):
        echo(
            Text(
                f"预警后 {WINDOW_MS // 3600000} h 之内的情况还不知道：过后再报",
                f"what comes in the {WINDOW_MS // 3600000} h after a warning is not known yet: "
                "tell it again then",
            )
        )


@click.command()
@click.option(
    "--min-lead", default="10min", show_default=True, help=spoken(Text("最短提前量", "least lead"))
)
@click.option(
    "--step",
    type=click.Choice(["any", *STEPS]),
    default="any",
    show_default=True,
    help=spoken(Text("哪一级算预警", "what counts as a warning")),
)
@click.option(
    "--json",
    "as_json_",
    is_flag=True,
    help=spoken(Text("打印一个 JSON 对象", "print one JSON object")),
)
@click.option(
    "--public",
    type=click.Path(path_type=Path, dir_okay=False),
    help=spoken(
        Text(
            "写一页 HTML：事先写定的检验，未达到的在前（不看运行）",
            "write one page, HTML: tests whose protocols were fixed before, failed ones first "
            "(looks at no run)",
        )
    ),
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help=spoken(
        Text(
            "实测资料的目录，同 --public、--reliability 用",
            "folder of measurements, with --public or --reliability",
        )
    ),
)
@click.option(
    "--storms",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help=spoken(Text("另模拟几场暴雨，同 --public 用", "simulated storms beside, with --public")),
)
@click.option(
    "--reliability",
    is_flag=True,
    help=spoken(
        Text(
            "预报可能性可不可靠：在 --data 的实测资料上，整场事件留出（不看运行）",
            "how reliable chances of forecasts are, on the measurements of --data with whole events left "
            "out (looks at no run)",
        )
    ),
)
@RUN
@click.pass_obj
def skill(
    obj: Shared,
    min_lead: str,
    step: str,
    as_json_: bool,
    public: Path | None,
    data: Path | None,
    storms: int,
    reliability: bool,
    run_name: str,
) -> None:
    """技巧台账：每次预警和每次未预警后来怎样，按区、按规则版本。

    What came of every warning and silence, by area and by version of the rules.
    """
    if public is not None:
        from fengsui.play.publish import publish  # loads all that rules are tuned with

        publish(obj.config, public, data, storms)
        return
    if reliability:
        from skill.forecast.told import told  # loads what rules are made of

        if data is None or not data.is_dir():
            lacks = Text(
                "--reliability 要 --data：实测资料的目录", "--reliability needs --data, a folder"
            )
            raise Usage(lacks)
        for line in told(data, as_json=as_json_):
            echo(line)
        return
    if data is not None or storms:
        raise Usage(
            Text(
                "--data 同 --public 或 --reliability 用，--storms 同 --public 用",
                "--data goes with --public or --reliability, --storms with --public",
            )
        )
    setup = obj.existing(run_name)
    lead_ms = seconds(min_lead) * 1000
    if lead_ms > WINDOW_MS:
        raise Usage(
            Text(
                f"--min-lead {min_lead}: 至多 {WINDOW_MS // 3600000} h",
                f"--min-lead {min_lead}: at most {WINDOW_MS // 3600000} h",
            )
        )
    found, notes = kept_score(setup, lead_ms, step)
    if as_json_:
        told_ = {"run": setup.run.name, "step": step, "min_lead_min": lead_ms / 60_000}
        whole = told_ | as_json(found) | {"notes": notes}
        echo(msgspec.json.encode(whole).decode())
        return
    _tell(setup, found)
    for note in notes:
        echo(Text(f"注：{zh(note)}", f"note: {en(note)}"))


def _tell(setup: Setup, found: Ledger) -> None:
    zone, areas = setup.district.timezone, setup.district.areas
    every = scores(found)
    echo(_line(Text("合计", "all"), every.pop("*")))
    for name, one in every.items():
        if one.warnings or one.counts.hits or one.counts.misses or one.counts.quiet:
            echo(_line(f"  {name} {areas[name].name if name in areas else ''}", one))
    for (rule, version), many in by_rule(found).items():
        counts = joined((_OUTCOME[k] + f" {n}" for k, n in many.items()), " · ")
        at = f"{rule} @{version[:8] or '-'}: "
        echo(Text(f"  规则 {at}", f"  rule {at}") + counts)
    for r in found.warnings:
        w = r.warned
        lead = (
            Text(f" 提前 {r.lead_min:.0f} min", f" lead {r.lead_min:.0f} min")
            if r.lead_min is not None
            else ""
        )
        public = "" if w.public else Text("（未公开）", " (not public)")
        echo(
            "  "
            + joined(
                (
                    _OUTCOME[r.outcome],
                    w.area,
                    hazard_words(w.hazard),
                    local(w.start_at, zone),
                    Grade(w.level, w.action).words() + public + lead + ": " + text_of(r.because),
                ),
                " ",
            )
        )
    for e in found.events:
        if e.outcome != "hit":
            late = Text("，预警过迟", ", warned too late") if e.outcome == "late" else ""
            echo(
                Text(
                    f"  漏报 {e.area} {HAZARD_ZH[e.hazard]} {local(e.start_at, zone)}: "
                    f"{zh(e.because)}{zh(late)}",
                    f"  miss {e.area} {HAZARD_EN[e.hazard]} {local(e.start_at, zone)}: "
                    f"{en(e.because)}{en(late)}",
                )
            )


def _line(name: Said, s: Score) -> Said:
    c = s.counts
    ratios = " · ".join(
        f"{n} {v:.2f}" for n, v in (("POD", c.pod), ("FAR", c.far), ("CSI", c.csi)) if v is not None
    )
    return Text(
        f"{zh(name)}: 预警 {s.warnings}（未核 {s.open}）· 命中 {c.hits} · 漏报 "
        f"{c.misses}（过迟 {s.late}）· 空报 {c.false_alarms} · 平静日 "
        f"{c.quiet}{(' · ' + ratios if ratios else '')}",
        f"{en(name)}: warnings {s.warnings} (open {s.open}) · hits {c.hits} · misses "
        f"{c.misses} (late {s.late}) · false {c.false_alarms} · quiet days "
        f"{c.quiet}{(' · ' + ratios if ratios else '')}",
    )
