"""Commands of the people who decide: order, decisions."""

import sys
from pathlib import Path

import click

from config.language import Text
from config.records.level import HAZARD_ZH, Action, Level
from dispatch.records import ACTS
from fengsui.cli.options import KEY, RUN, WAIT, Shared
from fengsui.status import orders
from stream.environment import Usage, spoken

# acts that are no word on what a warning says, and that other commands and pages have
_ELSEWHERE = ("verify", "task", "instruct", "reserve", "issue", "restore")


@click.command()
@click.argument("act", type=click.Choice([a for a in ACTS if a not in _ELSEWHERE]))
@click.argument("areas", nargs=-1)
@click.argument("hazard", type=click.Choice(list(HAZARD_ZH)))
@click.option(
    "--by",
    required=True,
    help=spoken(Text("操作人代号", "opaque id of the person, of officers.csv")),
)
@click.option(
    "--reason",
    required=True,
    help=spoken(Text("理由；退回时写明补正什么", "why; with return: what to mend")),
)
@click.option("--level", type=click.Choice(["blue", "yellow", "orange", "red"]), default=None)
@click.option("--move", "action", type=click.Choice(["prepare", "move"]), default=None)
@click.option(
    "--approver", default="", help=spoken(Text("电话批准人代号", "who approved by telephone"))
)
@click.option(
    "--reference", default="", help=spoken(Text("批准文号", "the number of that approval"))
)
@click.option(
    "--all-waiting", is_flag=True, help=spoken(Text("该灾种全部待批的区", "every area that waits"))
)
@click.option(
    "--version",
    type=int,
    default=0,
    help=spoken(Text("所见版本 [最新]", "the version you saw [newest]")),
)
@click.option(
    "--happened",
    default="",
    help=spoken(
        Text(
            "堰塞湖溃决、水库泄洪的发生时刻，如 10:05；下游到达时刻从它算起 [此刻]",
            "when a lake burst or a dam let go, like 10:05: arrivals downstream count from it [now]",
        )
    ),
)
@KEY
@RUN
@WAIT
@click.pass_obj
def order(
    obj: Shared,
    act: str,
    areas: tuple[str, ...],
    hazard: str,
    by: str,
    reason: str,
    level: str | None,
    action: str | None,
    approver: str,
    reference: str,
    all_waiting: bool,
    version: int,
    happened: str,
    key: Path | None,
    run_name: str,
    wait_s: float,
) -> None:
    """人工决定：具名的人对 AREAS（A01,A02 或 A01 A02）和 HAZARD 的预警作决定。

    propose 提请 · approve 批准（两人中的第一人）· release 发布 · return 退回补正 · hold 暂缓 · reject 驳回 ·
    raise 升级 · lower 降级 · cancel 解除 · escalate 上报下一级（无法接通）· override 紧急先行发布。退出码：0
    已办 · 1 有未办 · 3 排队。

    A named person's act upon the warnings of AREAS (A01,A02 or A01 A02) and HAZARD.

    approve: as the first of two persons. escalate: those who may decide are unreachable. override: release
    first, be approved afterwards. Exit codes: 0 done · 1 some refused · 3 queued.
    """
    places = tuple(a for part in areas for a in part.split(",") if a)
    if bool(places) == all_waiting:
        raise Usage(
            Text(
                "写明预警区，或用 --all-waiting，二者取一",
                "name areas, or give --all-waiting, not both",
            )
        )
    if act in ("raise", "override") and all_waiting and not (level or action):
        raise Usage(Text("写明等级或指令：--level 或 --move", "name --level or --move"))
    wish = orders.Wish(
        act,
        places,
        hazard,
        by,
        reason,
        Level[level.upper()] if level else Level.NONE,
        Action[action.upper()] if action else Action.NONE,
        approver,
        reference,
        all_waiting,
        version,
        happened,
        key,
    )
    sys.exit(orders.order(obj.existing(run_name), wish, wait_s))


@click.command()
@click.option(
    "--last",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help=spoken(Text("最近几条决定", "how many of the newest decisions")),
)
@RUN
@click.pass_obj
def decisions(obj: Shared, last: int, run_name: str) -> None:
    """待决事项：等什么、等谁、到何时、谁能决定；以及最近的决定。

    What waits, for whom, until when, who may decide; and the newest decisions.
    """
    sys.exit(orders.show_decisions(obj.existing(run_name), last))
