"""The command `fengsui geophones`. On a small box `python -m ingest.waveform.command` is the same."""

import threading
from pathlib import Path

import click

from config.language import Text, text_of
from config.read.problem import Problem
from config.read.tables import read_table
from ingest.waveform.agent import Agent, Way
from ingest.waveform.feed import Geophone
from ingest.waveform.records import Unreadable, obspy
from stream.environment import Usage, secret, spoken
from stream.mqtt.box_options import BROKER, DISTRICT, RUN
from stream.pace.stop_signals import stopping_on_signals

_PARTS = 4  # of NET.STA.LOC.CHA


def read_geophones(path: Path) -> list[Geophone]:
    """The table. Raises Usage with every fault of it."""
    problems: list[Problem] = []
    rows = read_table(path, Geophone, problems)
    seen: set[object] = set()
    for line, row in rows:
        for column, wrong, hint in _faults(row, seen):
            problems.append(Problem(path.name, line, column, wrong, hint))
        seen |= {row.channel, (row.station, row.quantity)}
    if not rows and not problems:
        problems.append(Problem(path.name, 0, "", Text("没有一行", "no rows"), "config/README.md"))
    if problems:
        raise Usage(
            Text(
                "\n".join(text_of(p).zh for p in problems),
                "\n".join(text_of(p).en for p in problems),
            )
        )
    return [row for _, row in rows]


def _faults(row: Geophone, seen: set[object]) -> list[tuple[str, Text, str]]:
    found = []
    if row.channel.count(".") != _PARTS - 1 or not all(
        row.channel.split(".")[n] for n in (0, 1, 3)
    ):
        found.append(
            ("channel", Text("应为 NET.STA.LOC.CHA", "expected NET.STA.LOC.CHA"), "FS.G1..EHZ")
        )
    if row.channel in seen or (row.station, row.quantity) in seen:
        found.append(("channel", Text("重复", "stands twice"), row.channel))
    if not row.sensitivity > 0:
        found.append(
            (
                "sensitivity",
                Text(
                    "应为正：每 m/s（Pa）的计数",
                    "must be positive: counts per m/s (Pa)",
                ),
                "4e8",
            )
        )
    if not 0 < row.low_hz < row.high_hz:
        found.append(("low_hz", Text("应 0 < low_hz < high_hz", "0 < low_hz < high_hz"), "5, 40"))
    return found


@click.command("geophones")
@click.argument("waveforms", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--stations",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=spoken(
        Text("哪个通道是哪个站：geophones.csv", "which channel is which station: geophones.csv")
    ),
)
@click.option(
    "--seedlink",
    default="",
    metavar="HOST:PORT",
    help=spoken(Text("SeedLink 服务器", "a SeedLink server")),
)
@click.option(
    "--follow",
    is_flag=True,
    help=spoken(
        Text("WAVEFORMS 里新来的文件、长大的文件", "files that come to WAVEFORMS, and grow")
    ),
)
@BROKER
@DISTRICT
@RUN
@click.option(
    "--gateway",
    default="",
    help=spoken(
        Text(
            "以网关代报，见 gateways.csv [各站自报]",
            "report as this gateway [as each station]",
        )
    ),
)
@click.option(
    "--kept",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("geophones.json"),
    show_default=True,
    help=spoken(Text("记住进度的文件", "the file that keeps where it is")),
)
def geophones(
    waveforms: tuple[Path, ...], stations: Path, seedlink: str, follow: bool, broker: str, district: str,
    run_name: str, gateway: str, kept: Path,
) -> None:  # fmt: skip
    """地声接入：miniSEED 文件或 SeedLink 的波形，每秒一个数，经 MQTT 送入全线。

    要装 ObsPy：pip install 'fengsui[seismic]'。每秒取频带内的均方根或最大振幅，除以灵敏度。
    见 docs/seismic.md。

    Waveforms of miniSEED files or a SeedLink server as one number a second, over MQTT.

    ObsPy is needed: pip install 'fengsui[seismic]'. Of each second the RMS (or the highest amplitude) of the
    band, by the sensitivity. docs/en/seismic.md.
    """
    if bool(seedlink) == bool(waveforms):
        raise Usage(
            Text(
                "给出 WAVEFORMS 或 --seedlink，只取一", "give WAVEFORMS or --seedlink, one of them"
            )
        )
    broker = broker or secret("FENGSUI_BROKER")
    if not broker:
        raise Usage(
            Text(
                "没有 MQTT 服务器：--broker mqtt://USER:PASSWORD@HOST:PORT",
                "no broker: --broker mqtt://USER:PASSWORD@HOST:PORT",
            )
        )
    rows = read_geophones(stations)
    prefix = f"fengsui/{run_name}/{district}"
    name = f"{prefix.replace('/', '-')}-{gateway or 'geophones'}"
    stop = threading.Event()
    try:
        obspy()
        agent = Agent(rows, kept, Way(broker, prefix, gateway, name))
    except (Unreadable, ValueError) as e:
        raise Usage(text_of(e)) from e
    try:
        if seedlink or follow:
            with stopping_on_signals(stop):
                if seedlink:
                    agent.follow_server(seedlink, stop)
                else:
                    agent.follow_files(waveforms, stop)
        else:
            wrong = agent.read_files(waveforms)
            for words in wrong:
                click.echo(spoken("fengsui: " + words), err=True)
            if wrong:
                raise SystemExit(1)
    finally:
        agent.close()


if __name__ == "__main__":
    try:
        geophones()
    except Usage as e:
        click.echo(spoken("fengsui: " + text_of(e)), err=True)
        raise SystemExit(2) from e
