"""The command `report`: an incident's numbered reports."""

import sys
from pathlib import Path

import click

from config.language import Text
from fengsui.cli.options import KEY, RUN, WAIT, Shared
from fengsui.review.incident import reports
from fengsui.status import orders
from stream.environment import Usage, spoken


@click.command()
@click.argument("incident", required=False, default="")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help=spoken(Text("打印页 FILE.html", "a page to print, FILE.html")),
)
@click.option(
    "--number",
    default=0,
    type=click.IntRange(0),
    help=spoken(Text("只要第几报", "one report alone, by its number")),
)
@click.option(
    "--annex",
    is_flag=True,
    help=spoken(
        Text(
            "打印页附上每份预警、决定和送达",
            "with every warning, decision and delivery behind the page",
        )
    ),
)
@click.option(
    "--verify",
    is_flag=True,
    help=spoken(
        Text("核报：更正的情况，作为下一份报告", "corrected facts, as the next numbered report")
    ),
)
@click.option(
    "--by",
    default="",
    help=spoken(Text("核报人代号，见 officers.csv", "who verifies, of officers.csv")),
)
@click.option("--note", default="", help=spoken(Text("核实的情况", "the facts")))
@KEY
@RUN
@WAIT
@click.pass_obj
def report(
    obj: Shared,
    incident: str,
    out: Path | None,
    number: int,
    annex: bool,
    verify: bool,
    by: str,
    note: str,
    key: Path | None,
    run_name: str,
    wait_s: float,
) -> None:
    """事件报告：一次事件的各份报告（最新的事件），文字或可打印的网页。

    An incident's numbered reports (the newest incident), as text or to print as a page.
    """
    setup = obj.existing(run_name)
    if verify:
        if not (by and note.strip()):
            raise Usage(Text("核报须写 --by 和 --note", "a verified report needs --by and --note"))
        code = orders.verify(setup, incident, by, note, wait_s, key)
        if code or out is None:
            sys.exit(code)
    sys.exit(reports.report(setup, incident, out, number, more=annex))
