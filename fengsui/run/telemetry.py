"""The listener for telemetry stations as a process of a run, in front of ingest."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence

from config.language import Text
from fengsui.run.processes import awaited_log
from fengsui.run.run_log import frames_folder
from fengsui.run.setup import Setup, own
from ingest.identify import Register
from ingest.pictures import keep_picture
from ingest.telemetry.desk import Desk
from ingest.telemetry.server import Bounds, Server
from ingest.telemetry.writer import NAME, Writer
from stream.clock import LineClock, last_tick
from stream.disk.blobs import FrameStore
from stream.environment import Usage
from stream.log.port import Log
from stream.metrics import PULSES
from stream.stages.run_identity import begin
from stream.wall_clock import now_ms

Place = tuple[str, int]
NO_TABLE = Text(
    "没有 telemetry.csv：没有一个站址登记（config/README.md）",
    "no telemetry.csv: no address is registered (config/README.md)",
)


def place_of(text: str) -> Place:
    """HOST:PORT. Raises Usage."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise Usage(Text(f"{text!r}：应为 HOST:PORT", f"{text!r}: expected HOST:PORT"))
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # stations come from outside


def run_telemetry(
    setup: Setup,
    tcp: Sequence[Place],
    udp: Sequence[Place],
    bounds: Bounds,
    stop: threading.Event,
    ready: Callable[[list[int]], None] = lambda _: None,
) -> None:
    """Until `stop`. Raises Usage, and OSError where a port is taken."""
    if not setup.district.telemetry:
        raise Usage(NO_TABLE)
    os.umask(0o077)
    own(setup.folder)
    PULSES.works_for(setup.run.name, setup.run.kind)
    log = awaited_log(setup, NAME, stop)
    if log is None:
        return
    try:
        begin(log, setup.run)
        register, clock = Register(setup.district), _clock(setup, log)
        frames = FrameStore(frames_folder(setup))
        desk = Desk(
            setup.district,
            register,
            lambda p, now: keep_picture(register, frames, p.station, str(p.at_ms), p.body, now),
        )
        with Writer(log, register, clock, stop) as writer:
            server = Server(desk, writer, clock, bounds)
            asyncio.run(server.run(tcp, udp, stop, ready))
        if writer.failed is not None:
            raise writer.failed
    finally:
        log.close()


def _clock(setup: Setup, log: Log) -> Callable[[], int]:
    """The line's: of a live run the wall clock held straight, in an exercise the scenario's."""
    if setup.live:
        return LineClock(now_ms, floor=last_tick(log, "observations"), name=NAME).read
    held = [0, 0]

    def scenario() -> int:
        now = now_ms()
        if now - held[0] > 1000:
            held[:] = now, max(setup.run.start_at, last_tick(log))
        return held[1]

    return scenario
