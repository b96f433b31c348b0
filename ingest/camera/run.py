"""Cameras that are asked, at work: one thread a camera, until it is told to end."""

import threading
from collections.abc import Callable
from functools import partial

from config.language import Text, text_of
from config.records.district import CameraSource, District
from ingest.camera.keeper import NAME, PictureKeeper
from ingest.camera.onvif import Onvif
from ingest.camera.pace import Pace
from ingest.camera.rtsp import Rtsp
from ingest.camera.shot import Source
from ingest.camera.snapshot import Snapshot
from ingest.camera.watcher import Watcher
from ingest.identify import Register
from stream import metrics
from stream.clock import LineClock, last_tick
from stream.disk.blobs import FrameStore
from stream.environment import secret_at
from stream.log.port import Log, Unavailable
from stream.records import Run
from stream.stages.answered import answered
from stream.stages.run_identity import begin
from stream.wall_clock import now_ms

NO_TABLE = Text(
    "没有 camera_sources.csv：没有一台摄像机的地址（config/README.md）",
    "no camera_sources.csv: there is no address of a camera (config/README.en.md)",
)
_EVERY_S = 0.5


def _begun(run: Run, log: Log) -> Callable[[], int]:
    """The run stands in the log; its clock."""
    begin(log, run)
    return LineClock(now_ms, floor=last_tick(log, "observations"), name=NAME).read


def run_camera(
    district: District,
    run: Run,
    log: Log,
    frames: FrameStore,
    stop: threading.Event,
    *,
    hear: Callable[[Pace, int], None] = lambda _pace, _now: None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Until `stop`. hear: tells the pace what the line has said since the last time; raises Unavailable
    where the log is away. Raises ValueError where a password cannot be had."""
    sources = district.camera_sources
    passwords = {row.station: secret_at(row.secret) for row in sources.values()}
    if (clock := answered(NAME, stop, lambda: _begun(run, log))) is None:
        return
    pace, keeper = Pace(district), PictureKeeper(Register(district), frames, log, clock, stop)
    watchers = [
        Watcher(
            name,
            partial(source, row, passwords[name], clock, pace),
            pace,
            keeper,
            stop,
        )
        for name, row in sources.items()
    ]
    threads = [threading.Thread(target=w.work, name="camera", daemon=True) for w in watchers]
    with metrics.pulse(NAME) as pulse:
        heard = _hear(hear, pace, clock())
        for thread in threads:
            thread.start()
        ready()
        while not stop.wait(_EVERY_S):
            pulse.beat("" if heard is None else heard)
            heard = _hear(hear, pace, clock()) or keeper.waits_for
        for thread in threads:
            thread.join(timeout=60)
    for watcher in watchers:
        if watcher.failed is not None:
            raise watcher.failed


def _hear(hear: Callable[[Pace, int], None], pace: Pace, now: int) -> Text | None:
    """What the line said; or why it cannot be heard: pictures go on as they are."""
    try:
        hear(pace, now)
    except Unavailable as e:
        return text_of(e)
    return None


def source(row: CameraSource, password: str, clock: Callable[[], int], pace: Pace) -> Source:
    """By the address."""
    if row.url.startswith("rtsp"):
        return Rtsp(row, password, clock, pace)
    if row.url.startswith("onvif"):
        return Snapshot(row, password, clock, Onvif(row, password).snapshot)
    return Snapshot(row, password, clock)
