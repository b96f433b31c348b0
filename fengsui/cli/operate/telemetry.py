"""The command `telemetry`: the listener for telemetry stations."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from config.language import Text
from fengsui.cli.options import RUN, Shared
from fengsui.run.processes import log_of
from fengsui.run.run_log import frames_folder
from fengsui.run.service import calm_collector, working
from fengsui.run.setup import Setup, refuse_live_keys, shown
from fengsui.run.terminal import echo
from ingest.telemetry.run import NO_TABLE, run_telemetry
from ingest.telemetry.server import USUAL, Bounds
from ingest.telemetry.writer import NAME
from stream.disk.blobs import FrameStore
from stream.environment import Usage, spoken

_PORT = 5651


@click.command("telemetry")
@click.argument(
    "config", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@RUN
@click.option(
    "--tcp",
    multiple=True,
    metavar="HOST:PORT",
    help=spoken(
        Text(f"TCP 端口，可写几个 [:{_PORT}]", f"TCP port, may stand several times [:{_PORT}]")
    ),
)
@click.option(
    "--udp",
    multiple=True,
    metavar="HOST:PORT",
    help=spoken(
        Text(f"UDP 端口，可写几个 [:{_PORT}]", f"UDP port, may stand several times [:{_PORT}]")
    ),
)
@click.option(
    "--sessions",
    type=click.IntRange(1, 1_000_000),
    default=USUAL.sessions,
    show_default=True,
    help=spoken(Text("至多几个连接", "connections at once")),
)
@click.option(
    "--idle-s",
    type=click.FloatRange(1, 86_400),
    default=USUAL.idle_s,
    show_default=True,
    help=spoken(Text("多少秒没有一个字节就断开", "seconds without a byte until one is closed")),
)
@click.pass_obj
def telemetry(
    obj: Shared, config: Path | None, run_name: str, tcp: tuple[str, ...], udp: tuple[str, ...],
    sessions: int, idle_s: float,
) -> None:  # fmt: skip
    """遥测站接入：SL 651-2014、SZY 206-2016 的站经 TCP、UDP 报数；进了日志才应答。

    哪个站址的哪个要素是哪个监测站，写在 telemetry.csv。见 docs/devices/sl651.md。

    Telemetry stations of SL 651-2014 and SZY 206-2016 over TCP and UDP, answered once the log has it.

    Which element of which address is which station stands in telemetry.csv. docs/en/devices/sl651.md.
    """
    shared = obj if config is None else Shared(config, obj.state, **obj.urls)
    setup = shared.reader(run_name)
    refuse_live_keys(setup)
    places = [place_of(p) for p in tcp or () if p], [place_of(p) for p in udp or () if p]
    if not tcp and not udp:
        places = [("0.0.0.0", _PORT)], [("0.0.0.0", _PORT)]  # noqa: S104  # stations come from outside
    calm_collector()
    where = shown(setup.log)
    many = len({row.key for row in setup.district.telemetry})

    def ready(ports: list[int]) -> None:
        named = " ".join(map(str, ports))
        echo(
            Text(
                f"fengsui telemetry: {setup.district.name} {setup.run.name}，{many} 个站址，端口 {named}，"
                f"日志 {where}",
                f"fengsui telemetry: {setup.district.name_en} {setup.run.name}, {many} addresses, ports "
                f"{named}, log {where}",
            ),
            err=True,
        )

    stop = threading.Event()
    with working(stop):
        try:
            _listen(setup, *places, Bounds(sessions, idle_s), stop, ready)
        except OSError as e:
            if isinstance(next(iter(e.args), None), Text):
                raise
            raise Usage(
                Text(f"端口开不了：{e.strerror}", f"a port cannot be opened: {e.strerror}")
            ) from e


def place_of(text: str) -> tuple[str, int]:
    """HOST:PORT. Raises Usage."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise Usage(Text(f"{text!r}：应为 HOST:PORT", f"{text!r}: expected HOST:PORT"))
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # stations come from outside


def _listen(
    setup: Setup,
    tcp: Sequence[tuple[str, int]],
    udp: Sequence[tuple[str, int]],
    bounds: Bounds,
    stop: threading.Event,
    ready: Callable[[list[int]], None],
) -> None:
    """Once the log is there."""
    if not setup.district.telemetry:
        raise Usage(NO_TABLE)
    with log_of(setup, NAME, stop) as log:
        if log is None:
            return
        frames = FrameStore(frames_folder(setup))
        run_telemetry(setup.district, setup.run, log, frames, tcp, udp, bounds, stop, ready)
