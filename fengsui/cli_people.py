"""Commands about people who report and answer: roll."""

import sys
from typing import Any

import click
import msgspec

from config.district import District
from config.level import ACTION_EN, ACTION_ZH
from console.follow import Follower
from detectors.detection import Mark
from dispatch.local_time import local
from dispatch.roll import Roll, RollRow, Word
from fengsui.line import open_run_log
from fengsui.setup import Setup, Usage, now_ms

_RUN = click.option("--run", "run_name", default="live", show_default=True)
_SAID = {
    "moved": ("已转移", "moved"),
    "help": ("求助", "NEEDS HELP"),
    "safe": ("平安", "safe"),
    "received": ("收到", "received"),
}


@click.command("roll")
@click.option("--area", default="", help="只看一区 one area only")
@click.option("--json", "as_json", is_flag=True, help="一行一区 a line of JSON an area")
@_RUN
@click.pass_obj
def roll_(obj: Any, area: str, as_json: bool, run_name: str) -> None:
    """转移清点 who should move, who has, who has not, who needs help. Exit code 1 while anybody
    needs help."""
    setup = obj.setup(run_name)
    if area and area not in setup.district.areas:
        raise Usage(f"没有预警区 there is no area {area!r}: areas.csv")
    rows, clock_at = read(setup)
    rows = [r for r in rows if area in ("", r.area)]
    for row in rows:
        if as_json:
            click.echo(msgspec.json.encode(row).decode())
        else:
            click.echo("\n".join(lines(setup.district, row, clock_at)))
    if not rows and not as_json:
        click.echo("没有在办的预警，也没有人求助 no warning is open, and nobody asks for help")
    sys.exit(1 if any(r.help for r in rows) else 0)


def read(setup: Setup) -> tuple[list[RollRow], int]:
    """The roll of a run now, and the run's clock."""
    log, roll, clock_at = open_run_log(setup), Roll(), 0
    try:
        for _, record in Follower(log, ("alerts", "deliveries")).take():
            roll.take(record)
            if isinstance(record, Mark):
                clock_at = max(clock_at, record.clock_at)
    finally:
        log.close()
    clock_at = now_ms() if setup.live else clock_at
    return roll.rows(setup.district, clock_at), clock_at


def lines(district: District, row: RollRow, now_at: int) -> list[str]:
    """An area in words."""
    area = district.areas[row.area]
    order = (
        f"{ACTION_ZH[row.action]} {ACTION_EN[row.action]}" if row.action else "未令转移 no order"
    )
    moved = "无人报告 nobody has said"
    if row.moved is not None:
        moved = f"{row.moved} moved, 尚余 left {row.not_yet}"
    out = [
        f"{row.area} {area.name} {area.name_en}: {order}; 应转移 should {row.should}, 已转移 {moved}"
    ]
    out += [f"  ! {_word(district, w, now_at)}" for w in row.help]
    out += [f"  {_word(district, w, now_at)}" for w in row.answers if w not in row.help]
    if row.unanswered:
        out.append(f"  未答复 have not answered: {' '.join(row.unanswered)}")
    return out


def _word(district: District, w: Word, now_at: int) -> str:
    zh, en = _SAID[w.what]
    count = f" {w.people} 人" if w.people is not None else ""
    old = max(0, now_at - w.at) // 60_000
    at = local(w.at, district.timezone, "%H:%M")
    return f"{zh}{count} {en}: {w.person} {w.role} {at}（{old} 分钟前 min ago）"


COMMANDS = (roll_,)
