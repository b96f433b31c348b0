"""The command `slo`: the line's promises and what a run's log says of them."""

from pathlib import Path

import click
import msgspec

from config.language import Said, Text, en, zh
from console.model.follow import Follower
from fengsui.cli.options import RUN, Shared
from fengsui.review.page import records_of, seconds, timed_until
from fengsui.review.slo import KERR, SloRow, heard_of_all, limit, table, targets
from fengsui.review.step_times import gather, measure
from fengsui.review.targets import read_plan
from fengsui.run.run_log import open_run_log
from fengsui.run.terminal import echo
from stream.environment import spoken


@click.command()
@click.option(
    "--incident",
    default="",
    help=spoken(Text("一次事件 [全部记录]", "of one incident [default: all records]")),
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help=spoken(Text("目标 [区县的 drill.toml]", "targets [default: the district's drill.toml]")),
)
@click.option("--json", "as_json", is_flag=True, help=spoken(Text("JSON", "as JSON")))
@RUN
@click.pass_obj
def slo(obj: Shared, incident: str, plan: Path | None, as_json: bool, run_name: str) -> None:
    """时限承诺：测站到值班台、依据到提请、提请到发布、发布到第一个和最后一个居民、喇叭不响到告知，各自的达成比例和余额。

    The promises of the line: sensor to duty room, evidence to question, question to release, release to the
    first and the last resident, silent loudspeaker to being told; the ratio of each and what is left.
    """
    setup = obj.existing(run_name)
    wanted = targets(read_plan(plan, setup.district.folder))
    log = open_run_log(setup)
    try:
        records = records_of(log, setup.live, incident)
        until = timed_until(records)
        rows = table(wanted, measure(gather(records, incident), (), until))
        if not incident:  # of a live run's months of readings those above are one incident's
            told = (r for _, r in Follower(log, ("observations",)).take())
            every = heard_of_all(wanted, told, until)
            rows = [every if r.hop == every.hop else r for r in rows]
    finally:
        log.close()
    if as_json:
        whole = {
            "run": setup.run.name,
            "incident": incident,
            "rows": rows,
            "beside": KERR._asdict(),
        }
        echo(msgspec.json.encode(whole).decode())
        return
    for row in rows:
        echo(_line(row))
    ours = next(r for r in rows if r.hop == "decision")
    echo(
        Text(
            f"旁：{zh(KERR.where)}：{KERR.asked} 提请，{KERR.approved} 批准，{KERR.sent} 发出，"
            f"{KERR.minutes} 分钟；"
            f"本运行 提请到发布 中位 {seconds(ours.p50)}，最长 {seconds(ours.longest)}（{ours.due} 次）",
            f"beside it: {en(KERR.where)}: asked for {KERR.asked}, approved {KERR.approved}, sent {KERR.sent}, "
            f"{KERR.minutes} minutes; this run, question to release: median {seconds(ours.p50)}, longest "
            f"{seconds(ours.longest)} ({ours.due} questions)",
        )
    )
    if not setup.live:
        echo(
            Text(
                "注：演练的时钟每步 60 s，更短的看不出来",
                "note: an exercise's clock moves in steps of 60 s, and shows nothing shorter",
            )
        )


def _line(row: SloRow) -> Said:
    if row.ratio is None:
        return (
            row.words
            + " "
            + limit(row)
            + Text("：没有发生过，未测得", ": it never came up, not measured")
        )
    budget = Text(
        f"可误 {row.allowed:.1f} 次，还余 {row.left:.1f}"
        if row.left >= 0
        else f"比可误的多 {-row.left:.1f} 次",
        f"{row.left:.1f} of the {row.allowed:.1f} misses allowed are left"
        if row.left >= 0
        else f"{-row.left:.1f} misses more than allowed",
    )
    mark = "" if row.left >= -1e-9 else "! "
    took = f"{seconds(row.p50)} / {seconds(row.p95)} / {seconds(row.longest)}"
    return (
        mark
        + row.words
        + " "
        + limit(row)
        + Text(
            f"：{row.in_time}/{row.due} = {row.ratio:.2%}，{budget.zh}；中位/p95/最长 {took}",
            f": {row.in_time}/{row.due} = {row.ratio:.2%}, {budget.en}; median/p95/longest {took}",
        )
    )
