"""The command `fengsui node`. On a small box `python -m loudspeaker.command` is the same, and needs
only click, cryptography, msgspec, numpy and paho-mqtt."""

import sys
import threading
from pathlib import Path

import click

from config.language import Text, en, text_of, zh
from dispatch.nodes.keys import read_key
from dispatch.nodes.speech.espeak import SoundError, mandarin
from loudspeaker.agent import Agent, Hands
from loudspeaker.store import Identity
from loudspeaker.voice import Voice, found_player
from stream.environment import Usage, secret, spoken
from stream.mqtt.box_options import BROKER, DISTRICT, RUN
from stream.pace.stop_signals import stopping_on_signals


@click.command()
@click.option(
    "--id",
    "node_id",
    required=True,
    help=spoken(Text("终端号，如 nodes.csv 所写", "its id, as in nodes.csv")),
)
@RUN
@BROKER
@DISTRICT
@click.option(
    "--root",
    default="",
    help=spoken(
        Text(
            "根公钥：root.pub 或它的 64 位；首次启动时",
            "the root key: root.pub or its 64 digits; at the first start",
        )
    ),
)
@click.option("--folder", type=click.Path(path_type=Path), help="自己的目录 [node-ID]")
@click.option(
    "--player",
    default="",
    help=spoken(
        Text(
            "播放命令，从标准输入放 WAV [aplay，或 sox 的 play]",
            "plays a WAV from stdin [aplay, or sox's play]",
        )
    ),
)
@click.option(
    "--sink",
    type=click.Path(path_type=Path),
    help=spoken(Text("只存 WAV 文件，不出声", "WAV files instead of sound")),
)
@click.option(
    "--measure",
    default="",
    help=spoken(
        Text(
            "播放时打印 0–1 电平的命令（量电流或麦克风）",
            "command that prints a level 0–1 while it plays",
        )
    ),
)
@click.option(
    "--rate",
    default=220,
    show_default=True,
    help=spoken(Text("语速，每分钟几个词", "words a minute")),
)
@click.option(
    "--gauge",
    default="",
    help=spoken(
        Text(
            "自己的雨量计：文件、串口或 mqtt://HOST/TOPIC",
            "its own gauge: a file, serial line or mqtt://HOST/TOPIC",
        )
    ),
)
@click.option(
    "--sensors",
    default="",
    help=spoken(
        Text(
            '打印状态的命令：{"door": 0, "mains": 1, …}',
            'command that prints {"door": 0, "mains": 1, …}',
        )
    ),
)
@click.option(
    "--no-calendar",
    is_flag=True,
    help=spoken(Text("断电不走的钟", "its clock stops without power")),
)
@click.option(
    "--status-every",
    "status_s",
    default=600,
    show_default=True,
    help=spoken(Text("隔几秒报一次状态", "seconds between two reports")),
)
def node(
    node_id: str, run_name: str, broker: str, district: str, root: str, folder: Path | None,
    player: str, sink: Path | None, measure: str, rate: int, gauge: str, sensors: str,
    no_calendar: bool, status_s: int,
) -> None:  # fmt: skip
    """预警广播终端：小型 Linux 机器上真的喇叭（espeak-ng）。

    先装一次：--root，用 `fengsui keys show` 打印的。它启动时打印的写进 nodes.csv。协议见 docs/nodes.md。

    A loudspeaker on a small Linux box with a real speaker (espeak-ng).

    Set it up once: --root, as `fengsui keys show` prints it. What it prints at its start belongs in
    nodes.csv. The protocol is in docs/en/nodes.md.
    """
    broker = broker or secret("FENGSUI_BROKER")
    if not broker:
        raise Usage(
            Text(
                "没有 MQTT 服务器：--broker mqtt://USER:PASSWORD@HOST:PORT",
                "no broker: --broker mqtt://USER:PASSWORD@HOST:PORT",
            )
        )
    prefix = f"fengsui/{run_name}/{district}"
    kind = "live" if run_name == "live" else "exercise"
    where = player or ("" if sink else found_player())
    if not where and sink is None:
        raise Usage(
            Text(
                "没有播放器：apt-get install alsa-utils，或 --sink DIR",
                "nothing to play with: apt-get install alsa-utils, or --sink DIR",
            )
        )
    try:
        mandarin()
    except SoundError as e:
        if (
            root
        ):  # whoever sets it up can mend it; later a siren without words is better than nothing
            raise Usage(text_of(e)) from e
        click.echo(spoken(Text(f"终端 {node_id}: {zh(e)}", f"node {node_id}: {en(e)}")), err=True)
    hands = Hands(
        broker, Voice(where, sink, measure, rate), gauge, sensors, not no_calendar, status_s
    )
    try:
        given = None
        if root:
            read = read_key(Path(root)) if Path(root).exists() else bytes.fromhex(root)
            given = Identity(id=node_id, kind=kind, prefix=prefix, root=read.hex())  # type: ignore[arg-type]
        agent = Agent(folder or Path(f"node-{node_id}"), given, hands)
    except ValueError as e:
        raise Usage(text_of(e)) from e
    sign_key, box_key = agent.keys.public()
    keys = f"{node_id} {prefix}: nodes.csv sign_key={sign_key} box_key={box_key}"
    click.echo(spoken(Text(f"终端 {keys}", f"node {keys}")))
    stop = threading.Event()
    with stopping_on_signals(stop):
        agent.run(stop)
    sys.exit(0)


if __name__ == "__main__":
    try:
        node()
    except Usage as e:
        click.echo(spoken("fengsui: " + text_of(e)), err=True)
        sys.exit(2)
