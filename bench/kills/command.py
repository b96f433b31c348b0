"""`fengsui bench kills` and `fengsui bench soak`."""

import sys
import tempfile
import threading
from pathlib import Path

import click

from bench.kills.campaign import campaign
from bench.kills.plan import draw, each_once
from bench.kills.table import rows as table_of
from bench.kills.table import whole
from bench.servers.process import Absent
from config.language import Text, text_of
from fengsui.run.terminal import echo
from stream.environment import Usage, spoken
from stream.pace.stop_signals import stopping_on_signals

SPEED = click.option(
    "--speed",
    type=click.FloatRange(1.0, 600.0),
    default=30.0,
    show_default=True,
    help=spoken(Text("一秒放几秒风暴", "seconds of the storm a second")),
)


@click.command("kills")
@click.option(
    "--kills",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help=spoken(Text("一共杀几次", "how many kills in all")),
)
@click.option(
    "--a-storm",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help=spoken(Text("每场风暴至多几次", "of them in one storm, at most")),
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help=spoken(Text("第一场的种子", "seed of the first storm")),
)
@click.option(
    "--short", is_flag=True, help=spoken(Text("每个目标一次", "each target once, one storm"))
)
@SPEED
def bench_kills(kills: int, a_storm: int, seed: int, short: bool, speed: float) -> None:
    """真服务器上的风暴：随机 kill -9 每个环节和 Kafka、mosquitto、InfluxDB，停住、断网、塞满磁盘。
    量恢复多久，查有没有丢、有没有重。

    要 `make services`；塞满磁盘另需 Linux 的 root。全在本机，不碰别的服务器。

    Storms on real servers: kill -9 of each stage and of Kafka, mosquitto and InfluxDB at random moments.
    Processes stand still, networks are cut and disks fill, too. Measures how long the line takes to come
    back, and whether anything was lost or doubled.

    Needs `make services`; full disks take Linux and root. All on this machine, with servers of its own.
    """
    plans = [(seed, each_once(seed))] if short else []
    left = 0 if short else kills
    while left > 0:
        plans.append((seed + len(plans), draw(seed + len(plans), min(left, a_storm))))
        left -= a_storm
    stop = threading.Event()
    with tempfile.TemporaryDirectory(prefix="fengsui-kills-") as folder, stopping_on_signals(stop):
        try:
            told = campaign(
                Path(folder),
                plans,
                speed,
                echo,
                stop,
                scenario_name="cloudburst" if short else "yanqing-storm",
            )
        except Absent as e:
            raise Usage(text_of(e)) from e
    for row in table_of(told):
        echo(row)
    sys.exit(0 if whole(told) else 1)


@click.command("soak")
@click.option(
    "--minutes",
    type=click.FloatRange(1.0),
    default=120.0,
    show_default=True,
    help=spoken(Text("放多少分钟", "for so many minutes")),
)
@click.option(
    "--warm-minutes",
    type=click.FloatRange(0.0),
    default=20.0,
    show_default=True,
    help=spoken(Text("开头多少分钟不计", "so many at the beginning do not count")),
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help=spoken(Text("每次测得的写到这里（CSV）", "each measurement goes here (CSV)")),
)
@SPEED
def bench_soak(
    minutes: float, warm_minutes: float, seed: int, out: Path | None, speed: float
) -> None:
    """久放：真服务器上一场接一场的风暴，量每个进程的内存、打开的文件和线程，判断有没有越来越多。

    要 `make services` 和 Linux。

    A soak: storm after storm on real servers, with memory, open files and threads of each process measured.
    Does any of them grow?

    Needs `make services` and Linux.
    """
    from bench.kills.soak import Sample, flat, rows, soak

    def note(name: str, s: Sample) -> None:
        if out is not None:
            with out.open("a") as f:
                f.write(f"{name},{s.at_h:.4f},{s.rss_mb:.2f},{s.files},{s.threads}\n")

    if out is not None:
        out.write_text("process,hours,rss_mb,files,threads\n")
    stop, whole_s, warm_s = threading.Event(), minutes * 60, warm_minutes * 60
    with tempfile.TemporaryDirectory(prefix="fengsui-soak-") as folder, stopping_on_signals(stop):
        try:
            found = soak(Path(folder), whole_s, warm_s, speed, seed, echo, stop, note)
        except Absent as e:
            raise Usage(text_of(e)) from e
    for row in rows(found):
        echo(row)
    sys.exit(0 if flat(found) else 1)
