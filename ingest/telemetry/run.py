"""The listener for telemetry stations at work: from its log to its ports, until it is told to end."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from config.language import Text
from config.records.district import District
from ingest.identify import Register
from ingest.pictures import keep_picture
from ingest.telemetry.desk import Desk
from ingest.telemetry.server import Bounds, Server
from ingest.telemetry.writer import NAME, Writer
from stream.clock import LineClock, last_tick
from stream.disk.blobs import FrameStore
from stream.log.port import Log, Unavailable
from stream.records import Run
from stream.stages.answered import answered
from stream.stages.run_identity import begin
from stream.wall_clock import now_ms

NO_TABLE = Text(
    "没有 telemetry.csv：没有一个站址登记（config/README.md）",
    "no telemetry.csv: no address is registered (config/README.en.md)",
)


def run_telemetry(
    district: District,
    run: Run,
    log: Log,
    frames: FrameStore,
    tcp: Sequence[tuple[str, int]],
    udp: Sequence[tuple[str, int]],
    bounds: Bounds,
    stop: threading.Event,
    ready: Callable[[list[int]], None] = lambda _: None,
) -> None:
    """Until `stop`. ready: is told the ports. Raises ValueError where no address is registered, and OSError
    where a port is taken."""
    if not district.telemetry:
        raise ValueError(NO_TABLE)
    if (clock := answered(NAME, stop, lambda: _begun(run, log))) is None:
        return
    register = Register(district)
    desk = Desk(
        district,
        register,
        lambda p, now: keep_picture(register, frames, p.station, str(p.at_ms), p.body, now),
    )
    with Writer(log, register, clock, stop) as writer:
        server = Server(desk, writer, clock, bounds)
        asyncio.run(server.run(tcp, udp, stop, ready))
    if writer.failed is not None:
        raise writer.failed


def _begun(run: Run, log: Log) -> Callable[[], int]:
    """The run stands in the log; its clock."""
    begin(log, run)
    return _clock(run, log)


def _clock(run: Run, log: Log) -> Callable[[], int]:
    """The line's: of a live run the wall clock held straight, in an exercise the scenario's."""
    if run.kind == "live":
        return LineClock(now_ms, floor=last_tick(log, "observations"), name=NAME).read
    held = [0, run.start_at]

    def scenario() -> int:
        now = now_ms()
        if now - held[0] > 1000:
            with suppress(Unavailable):  # then it stands where it stood
                held[:] = now, max(run.start_at, last_tick(log))
        return held[1]

    return scenario
