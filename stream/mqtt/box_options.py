"""Where a program on a box at the edge reports to: options of its command."""

import click

from config.language import Text
from stream.environment import spoken

BROKER = click.option(
    "--broker",
    default="",
    envvar="FENGSUI_BROKER",
    help=spoken(
        Text(
            "MQTT 服务器：mqtts://USER:PASSWORD@HOST:8883",
            "MQTT broker: mqtts://USER:PASSWORD@HOST:8883",
        )
    ),
)
DISTRICT = click.option(
    "--district",
    default="yanqing",
    show_default=True,
    help=spoken(Text("区县代号，与主题中相同", "the district, as in its topics")),
)
RUN = click.option(
    "--run",
    "run_name",
    default="live",
    show_default=True,
    help=spoken(Text("运行名：live 或 exercise-NAME", "the run's name: live or exercise-NAME")),
)
