"""`fengsui bench cameras`: what it costs to fetch many RTSP cameras, beside decoding every frame, and how
long it takes from the moment that a picture was taken until the detector has it. The camera is GStreamer's
server with one stream that all look at (`make services`)."""

import io
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
from msgspec.structs import replace
from PIL import Image

from bench.load import rtsp_clock
from config.language import Text
from config.records.district import CameraSource, District
from console.model.follow import DECODERS
from fengsui.cli.options import Shared
from fengsui.run.run_log import frames_folder, open_run_log
from fengsui.run.setup import Setup, make_setup
from fengsui.run.terminal import echo
from ingest.camera.rtsp import missing, pyav
from ingest.camera.run import run_camera
from ingest.observation import Observations
from stream.disk.blobs import FrameStore
from stream.environment import Usage, spoken
from stream.wall_clock import now_ms

_PYTHON = "/usr/bin/python3"  # of the system
_SIZE, _KEY_EVERY = (1280, 720), 50  # a key frame every 2 s
_EVERY_S = 2
_WARM_S = 6.0
_NEVER = {"rain_mm": 1000.0, "rise_m": 50.0, "changed": 1.0}


@contextmanager
def _camera() -> Iterator[str]:
    words = [_PYTHON, str(Path(rtsp_clock.__file__)), *map(str, (*_SIZE, _KEY_EVERY))]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise Usage(
                Text(
                    "没有 GStreamer 的 RTSP 服务器：deploy/services.sh 会装",
                    "no RTSP server of GStreamer: deploy/services.sh installs it",
                )
            )
        yield f"rtsp://127.0.0.1:{port}/cam"
    finally:
        process.terminate()
        process.wait(60)


def taken_at(image: Image.Image) -> int:
    """The time, ms, that a picture of `rtsp_clock` holds."""
    image.draft(
        "L", (image.width // 2, image.height // 2)
    )  # half of its size is enough, and a quarter of the work
    scale = image.width / _SIZE[0]
    grey = np.asarray(image.convert("L"))
    middle = rtsp_clock.BLOCK / 2
    row = round(middle * scale)
    columns = [round((n * rtsp_clock.BLOCK + middle) * scale) for n in range(rtsp_clock.BITS)]
    return int("".join("1" if grey[row, c] > 110 else "0" for c in columns), 2)


def _district(district: District, url: str, many: int) -> District:
    """So many cameras in the place of the first."""
    like = next(s for s in district.stations.values() if s.quantity == "frame")
    names = [f"C{n}" for n in range(many)]
    stations = {n: replace(like, id=n, interval_s=_EVERY_S) for n in names}
    groups = dict.fromkeys(names, district.groups_of_station[like.id][:1])
    rows = {n: CameraSource(station=n, url=url, **_NEVER) for n in names}  # type: ignore[arg-type]
    return replace(
        district,
        stations={**district.stations, **stations},
        groups_of_station={**district.groups_of_station, **groups},
        camera_sources=rows,
    )


def fetched(district: District, many: int, seconds: float) -> tuple[float, list[int]]:
    """Cores that the process uses, and the age, ms, of each picture when a detector gets it."""
    with _camera() as url, tempfile.TemporaryDirectory(prefix="fengsui-bench-") as folder:
        setup = make_setup(_district(district, url, many), "live", Path(folder))
        stop = threading.Event()
        log, frames = open_run_log(setup), FrameStore(frames_folder(setup))
        ages: list[int] = []
        work = [
            threading.Thread(
                target=run_camera, args=(setup.district, setup.run, log, frames, stop)
            ),
            threading.Thread(target=_detector, args=(setup, frames, ages, stop)),
        ]
        for thread in work:
            thread.start()
        time.sleep(_WARM_S)
        ages.clear()
        cores = _cores(lambda: time.sleep(seconds))
        stop.set()
        for thread in work:
            thread.join(120)
        log.close()
    return cores, ages


def _cores(work: Callable[[], None]) -> float:
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return (time.process_time() - cpu) / (time.monotonic() - wall)


def _detector(setup: Setup, frames: FrameStore, ages: list[int], stop: threading.Event) -> None:
    """Reads the log as detect does."""
    log = open_run_log(setup)
    consumer = log.join("observations", "bench", "bench")
    while not stop.is_set():
        for entry in consumer.poll(0.25):
            record = DECODERS["observations"].decode(entry.value)
            for o in record.items if isinstance(record, Observations) else ():
                body = frames.get(o.ref)
                now = now_ms()
                if body is not None:
                    ages.append(now - taken_at(Image.open(io.BytesIO(body))))
    consumer.close()
    log.close()


def plain(many: int, seconds: float) -> tuple[float, float]:
    """Cores of the plain way: every frame of every stream decoded, one in two seconds made a JPEG; and frames a
    second of each stream, which a busy machine's server may not keep up."""
    decoded: list[None] = []

    def look(url: str, stop: threading.Event) -> None:
        container: Any = pyav().open(url, options={"rtsp_transport": "tcp"}, timeout=10)
        due = 0.0
        for frame in container.decode(video=0):
            if stop.is_set():
                break
            decoded.append(None)
            if time.monotonic() >= due:
                due = time.monotonic() + _EVERY_S
                frame.to_image().save(io.BytesIO(), "JPEG", quality=80)
        container.close()

    with _camera() as url:
        stop = threading.Event()
        threads = [threading.Thread(target=look, args=(url, stop)) for _ in range(many)]
        for thread in threads:
            thread.start()
        time.sleep(_WARM_S)
        decoded.clear()
        cores = _cores(lambda: time.sleep(seconds))
        rate = len(decoded) / seconds / many
        stop.set()
        for thread in threads:
            thread.join(60)
    return cores, rate


@click.command("cameras")
@click.option(
    "--cameras",
    type=click.IntRange(1, 200),
    default=16,
    show_default=True,
    help=spoken(Text("几台摄像机", "how many cameras")),
)
@click.option(
    "--seconds",
    type=click.FloatRange(4, 600),
    default=20.0,
    show_default=True,
    help=spoken(Text("各测多久", "how long each part is measured")),
)
@click.pass_obj
def bench_cameras(obj: Shared, cameras: int, seconds: float) -> None:
    """摄像机接入测速：许多 RTSP 摄像机每 2 秒一张用多少 CPU，与逐帧解码相比；从拍下到检测器拿到要多久。

    Cameras by RTSP, a picture in 2 s each: CPU beside decoding every frame, and from the moment a picture
    is taken until the detector has it.
    """
    if (lacking := missing()) is not None:
        raise Usage(lacking)
    cores, ages = fetched(obj.district(), cameras, seconds)
    wide, high = _SIZE
    echo(
        Text(
            f"{cameras} 台 {wide}x{high}、25 帧/秒的 RTSP，每 {_EVERY_S} 秒一张：用 {cores:.2f} 个核",
            f"{cameras} RTSP streams of {wide}x{high} at 25 frames a second, a picture in {_EVERY_S} s: "
            f"{cores:.2f} cores",
        )
    )
    if ages:
        middle, most = np.percentile(ages, (50, 99))
        echo(
            Text(
                f"从拍下到检测器：p50 {middle:.0f} ms，p99 {most:.0f} ms（{len(ages)} 张）",
                f"from taken to the detector: p50 {middle:.0f} ms, p99 {most:.0f} ms ({len(ages)} pictures)",
            )
        )
    whole, rate = plain(cameras, seconds)
    echo(
        Text(
            f"逐帧解码（每路每秒来 {rate:.1f} 帧）：{whole:.2f} 个核，是其 {whole / cores:.1f} 倍",
            f"every frame decoded ({rate:.1f} a second came of each): {whole:.2f} cores, "
            f"{whole / cores:.1f} times as much",
        )
    )
