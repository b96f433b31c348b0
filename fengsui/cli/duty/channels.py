"""`fengsui resend`: a named person has a warning sent again."""

import sys
from pathlib import Path

import click

from config.language import Text
from fengsui.cli.options import KEY, RUN, Shared
from fengsui.run.signing import vouch
from fengsui.status.resend import resend_area, resend_one
from stream.environment import spoken


@click.command()
@click.argument("delivery", required=False, default="")
@click.option(
    "--area",
    default="",
    help=spoken(Text("该预警区的全部接收者", "everybody who was told for an area")),
)
@click.option(
    "--channel",
    default="",
    help=spoken(Text("只走这个渠道：sms, voice, app …", "this channel only: sms, voice, app …")),
)
@click.option("--by", required=True, help=spoken(Text("操作人代号", "opaque id of the person")))
@KEY
@RUN
@click.pass_obj
def resend(
    obj: Shared,
    delivery: str,
    area: str,
    channel: str,
    by: str,
    key: Path | None,
    run_name: str,
) -> None:
    """人工重发 DELIVERY，或 --area A 最近所发：新的一次发送，记录在案。

    Send DELIVERY again, or what was last sent for --area A: a new attempt, on record.
    """
    if bool(delivery) == bool(area):
        raise click.UsageError(
            spoken(Text("写 DELIVERY 或 --area AREA", "name DELIVERY or --area AREA"))
        )
    setup = obj.existing(run_name)
    vouch(setup, by, key)
    sys.exit(
        resend_one(setup, delivery, channel, by) if delivery else
        resend_area(setup, area, channel, by)
    )  # fmt: skip
