"""The command `fengsui node`. On a small box `python -m loudspeaker.command` is the same, and needs
only click, cryptography, msgspec, numpy and paho-mqtt."""

import signal
import sys
import threading
from pathlib import Path

import click

from dispatch.nodes.keys import read_key
from loudspeaker.agent import Agent, Hands
from loudspeaker.store import Identity
from loudspeaker.voice import SoundError, Voice, found_player, mandarin
from stream.environment import Usage, secret


@click.command()
@click.option("--id", "node_id", required=True, help="终端号，如 nodes.csv its id, as in nodes.csv")
@click.option(
    "--run", "run_name", default="live", show_default=True, help="运行名 live or exercise-NAME"
)
@click.option(
    "--broker",
    default="",
    envvar="FENGSUI_BROKER",
    help="MQTT 服务器 mqtts://USER:PASSWORD@HOST:8883",
)
@click.option("--district", default="yanqing", show_default=True, help="区县代号 as in its topics")
@click.option("--root", default="", help="根公钥 root.pub or its 64 digits; at the first start")
@click.option("--folder", type=click.Path(path_type=Path), help="自己的目录 [node-ID]")
@click.option("--player", default="", help="播放命令 plays a WAV from stdin [aplay, or sox's play]")
@click.option("--sink", type=click.Path(path_type=Path), help="只存 WAV files instead of sound")
@click.option("--measure", default="", help="量电流或麦克风 prints a level 0–1 while it plays")
@click.option("--rate", default=220, show_default=True, help="语速 words a minute")
@click.option("--gauge", default="", help="自己的雨量计 a file, serial line or mqtt://HOST/TOPIC")
@click.option("--sensors", default="", help='打印状态 prints {"door": 0, "mains": 1, …}')
@click.option("--no-calendar", is_flag=True, help="断电不走的钟 its clock stops without power")
@click.option("--status-every", "status_s", default=600, show_default=True, help="秒 seconds")
def node(
    node_id: str, run_name: str, broker: str, district: str, root: str, folder: Path | None,
    player: str, sink: Path | None, measure: str, rate: int, gauge: str, sensors: str,
    no_calendar: bool, status_s: int,
) -> None:  # fmt: skip
    """预警广播终端 a loudspeaker on a small Linux box with a real speaker (espeak-ng).

    Set it up once: --root, as `fengsui keys show` prints it. What it prints at its start belongs in
    nodes.csv. The protocol is in docs/nodes.md."""
    broker = broker or secret("FENGSUI_BROKER")
    if not broker:
        raise Usage("没有 MQTT 服务器 no broker: --broker mqtt://USER:PASSWORD@HOST:PORT")
    prefix = f"fengsui/{run_name}/{district}"
    kind = "live" if run_name == "live" else "exercise"
    where = player or ("" if sink else found_player())
    if not where and sink is None:
        raise Usage("没有播放器 nothing to play with: apt-get install alsa-utils, or --sink DIR")
    try:
        mandarin()
    except SoundError as e:
        if (
            root
        ):  # whoever sets it up can mend it; later a siren without words is better than nothing
            raise Usage(str(e)) from e
        click.echo(f"终端 node {node_id}: {e}", err=True)
    hands = Hands(
        broker, Voice(where, sink, measure, rate), gauge, sensors, not no_calendar, status_s
    )
    try:
        public = (read_key(Path(root)) if Path(root).exists() else bytes.fromhex(root)).hex()
        given = Identity(id=node_id, kind=kind, prefix=prefix, root=public) if root else None  # type: ignore[arg-type]
        agent = Agent(folder or Path(f"node-{node_id}"), given, hands)
    except ValueError as e:
        raise Usage(str(e)) from e
    sign_key, box_key = agent.keys.public()
    click.echo(f"终端 node {node_id} {prefix}: nodes.csv sign_key={sign_key} box_key={box_key}")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    agent.run(stop)
    sys.exit(0)


if __name__ == "__main__":
    try:
        node()
    except Usage as e:
        click.echo(f"fengsui: {e}", err=True)
        sys.exit(2)
