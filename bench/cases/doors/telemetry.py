"""`fengsui bench telemetry`: frames of SL 651 decoded on one core beside a plain decoder in the same run, and
the hourly reports of many stations through real sockets into the log, until the last is answered."""

import asyncio
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from bench.baseline.telemetry import decode as plain
from config.language import Text
from config.records.district import District, TelemetryRow
from fengsui.cli.options import Shared
from fengsui.run.run_log import frames_folder, open_run_log
from fengsui.run.setup import make_setup
from fengsui.run.terminal import echo
from ingest.telemetry.codec.sl651 import encode
from ingest.telemetry.codec.sl651.body import read
from ingest.telemetry.codec.sl651.frame import Finder, Frame651
from ingest.telemetry.run import run_telemetry
from ingest.telemetry.server import Bounds
from stream.disk.blobs import FrameStore
from stream.environment import spoken
from stream.wall_clock import now_ms

_FRAMES, _ROUNDS = 4000, 7
_SLOT_MS = 300_000
_AT_ONCE = 500  # connections that are being opened


def hourly(address: str, serial: int, at_ms: int) -> bytes:
    """Twelve amounts of rain, twelve levels, a total, a level, the battery: 118 bytes."""
    elements = [
        encode.rain_slots([0.1 * (serial % 7)] * 5 + [None] * 5 + [0.0] * 2),
        encode.level_slots(0xF5, [0.12] * 5 + [None] * 5 + [0.49] * 2),
        encode.observed(at_ms),
        encode.element(0x26, serial % 900 / 10, 3, 1),
        encode.element(0x39, 10 + serial % 100 / 100, 4, 3),
        encode.element(0x38, 12.3, 2, 2),
    ]
    body = encode.report(address, serial, at_ms, 0x48, at_ms - 11 * _SLOT_MS, elements)
    return encode.frame(address, 0x34, body)


def timed(address: str, serial: int, at_ms: int) -> bytes:
    """Rain, total, level, battery: 60 bytes."""
    elements = [
        encode.element(0x20, serial % 90 / 10, 3, 1),
        encode.element(0x26, serial % 900 / 10, 3, 1),
        encode.element(0x39, 10 + serial % 100 / 100, 4, 3),
        encode.element(0x38, 12.3, 2, 2),
    ]
    return encode.frame(address, 0x32, encode.report(address, serial, at_ms, 0x48, at_ms, elements))


def _ours(frames: Sequence[bytes]) -> None:
    finder = Finder()
    for raw in frames:
        for found in finder.feed(raw):
            assert isinstance(found, Frame651)
            read(found)


def _plain(frames: Sequence[bytes]) -> None:
    for raw in frames:
        plain(raw)


def _rate(work: Callable[[Sequence[bytes]], None], frames: Sequence[bytes]) -> float:
    """Frames a second of one core's time."""
    began = time.process_time()
    work(frames)
    return len(frames) / (time.process_time() - began)


def decoded() -> Iterator[Text]:
    """Both decoders in turn."""
    at = 1_720_062_000_000
    for name, make in ((Text("小时报", "hourly"), hourly), (Text("定时报", "timed"), timed)):
        frames = [make(f"00{n:08d}", n + 1, at) for n in range(_FRAMES)]
        rates: list[tuple[float, float]] = []
        for n in range(_ROUNDS + 1):
            found = _rate(_ours, frames), _rate(_plain, frames)
            if n:  # the first warms up
                rates.append(found)
        ours, theirs = (statistics.median(x) for x in zip(*rates, strict=True))
        size = len(frames[0])
        yield Text(
            f"{name.zh} {size} 字节，一核每秒：{ours:,.0f} 帧；朴素解码 {theirs:,.0f}；比 {ours / theirs:.1f}",
            f"{name.en}, {size} bytes, a core's second: {ours:,.0f} frames; plain {theirs:,.0f}; ratio "
            f"{ours / theirs:.1f}",
        )


def _district(district: District, many: int) -> District:
    """So many addresses: each a level and rain of one of the district's stations in turn."""
    gauges = [s for s in district.stations.values() if s.quantity == "rain"]
    rows: list[TelemetryRow] = []
    stations = dict(district.stations)
    groups = dict(district.groups_of_station)
    for n in range(many):
        like, address = gauges[n % len(gauges)], f"00{n:08d}"
        for letter, quantity, elements in (("Q", "rain", ("F4",)), ("W", "stage", ("39", "F5"))):
            name = f"{letter}{n}"
            stations[name] = replace(like, id=name, quantity=quantity, sum_interval_s=300)
            groups[name] = district.groups_of_station.get(like.id, ())[:1]
            rows += [TelemetryRow(station=name, address=address, element=e) for e in elements]
    return replace(
        district, stations=stations, groups_of_station=groups, telemetry=tuple(rows), gateways=None
    )


async def _speak(port: int, frames: Sequence[bytes]) -> tuple[float, int]:
    """Every station connects, then all report at once; seconds until the last answer, and how many came."""
    opening = asyncio.Semaphore(_AT_ONCE)

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with opening:
            return await asyncio.open_connection("127.0.0.1", port)

    peers = await asyncio.gather(*(connect() for _ in frames))
    began = time.perf_counter()
    for (_, writer), raw in zip(peers, frames, strict=True):
        writer.write(raw)

    async def heard(reader: asyncio.StreamReader) -> bool:
        try:
            return bool(await asyncio.wait_for(reader.readexactly(25), 120))
        except (TimeoutError, asyncio.IncompleteReadError):
            return False

    answers = await asyncio.gather(*(heard(reader) for reader, _ in peers))
    took = time.perf_counter() - began
    for _, writer in peers:
        writer.close()
    return took, sum(answers)


def speak(port: int, many: int) -> None:
    """The stations, in a process of their own."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    end = now_ms() // _SLOT_MS * _SLOT_MS
    frames = [hourly(f"00{n:08d}", n % 65_000 + 1, end) for n in range(many)]
    took, answers = asyncio.run(_speak(port, frames))
    print(took, answers)


def through(district: District, many: int) -> Iterator[Text]:
    """Reports of so many stations in one moment."""
    with tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        setup = make_setup(_district(district, many), "live", Path(folder))
        stop, up = threading.Event(), threading.Event()
        ports: list[int] = []

        def ready(found: list[int]) -> None:
            ports.extend(found)
            up.set()

        bounds = Bounds(sessions=many + 100)
        log, frames = open_run_log(setup), FrameStore(frames_folder(setup))
        here = [("127.0.0.1", 0)]
        work = threading.Thread(
            target=run_telemetry,
            args=(setup.district, setup.run, log, frames, here, [], bounds, stop, ready),
        )
        work.start()
        up.wait(120)
        cpu = time.process_time()
        code = f"from bench.cases.doors.telemetry import speak; speak({ports[0]}, {many})"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        cpu = time.process_time() - cpu
        stop.set()
        work.join(120)
        log.close()
    if done.returncode:
        yield Text(f"没有成：{done.stderr[-300:]}", f"it failed: {done.stderr[-300:]}")
        return
    took, answers = done.stdout.split()
    yield Text(
        f"{many:,} 站同时报一小时：{float(took):.1f} 秒全部进日志并应答（{answers} 个应答，"
        f"接入用一核 {cpu:.1f} 秒）",
        f"{many:,} stations report an hour at once: in the log and answered after {float(took):.1f} s "
        f"({answers} answers, {cpu:.1f} s of a core for the listener)",
    )


@click.command("telemetry")
@click.option(
    "--stations",
    type=click.IntRange(1, 60_000),
    default=10_000,
    show_default=True,
    help=spoken(Text("几个站", "how many stations")),
)
@click.pass_obj
def bench_telemetry(obj: Shared, stations: int) -> None:
    """遥测测速：每秒解多少 SL 651 帧，与朴素解码相比；许多站的小时报进日志并应答要多久。

    SL 651 frames decoded a second beside a plain decoder; hourly reports of many stations into the log.
    """
    for text in decoded():
        echo(text)
    for text in through(obj.district(), stations):
        echo(text)
