"""The command `camera`: fetches the pictures of a district's cameras."""

import threading
from pathlib import Path

import click

from config.language import Text
from console.model.follow import Follower
from detectors.detection import Detection
from fengsui.cli.options import Shared
from fengsui.run.processes import log_of
from fengsui.run.run_log import frames_folder
from fengsui.run.service import calm_collector, working
from fengsui.run.setup import Setup, refuse_live_keys, shown
from fengsui.run.terminal import echo
from ingest.camera.keeper import NAME
from ingest.camera.pace import Pace
from ingest.camera.rtsp import missing
from ingest.camera.run import NO_TABLE, run_camera
from ingest.observation import Observations
from stream.disk.blobs import FrameStore
from stream.environment import Usage
from stream.log.port import Log

# so far back it reads when it starts: the last hour of a large district, and the rules that speak
_BACK = {"observations": 20_000, "cases": 200_000}


class Ears:
    """What the line says that makes cameras faster: readings, and what rules say of areas."""

    def __init__(self, log: Log) -> None:
        since = {
            (topic, n): max(0, end - back)
            for topic, back in _BACK.items()
            for n, end in enumerate(log.ends(topic))
        }
        self._follower = Follower(log, tuple(_BACK), since)

    def tell(self, pace: Pace, now: int) -> None:
        """All that is new. Raises Unavailable."""
        for _, record in self._follower.take():
            if isinstance(record, Observations):
                for reading in record.items:
                    pace.heard(reading, now)
            elif isinstance(record, Detection):
                speaks = bool(record.level or record.action)
                # by its own time: what was over before a restart makes nothing faster
                pace.ruled(record.area, record.rule, speaks, min(now, record.detected_at))


@click.command("camera")
@click.argument(
    "config", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.pass_obj
def camera(obj: Shared, config: Path | None) -> None:
    """摄像机接入：按计划向摄像机取图（RTSP、HTTP），有雨、涨水、画面变动时自动加快。

    哪台摄像机在哪个地址，什么时候加快，写在 camera_sources.csv；密码在环境变量或文件里。只用于实战：演练的画面
    由模拟器给。见 docs/devices/camera.md。

    Pictures of cameras (RTSP, HTTP) by the plan, and faster by itself while it rains, water rises or the
    picture changes.

    Which camera stands at which address, and what makes it faster, stands in camera_sources.csv; passwords in
    the environment or a file. For a live run alone: an exercise has the simulator's pictures.
    docs/en/devices/camera.md.
    """
    shared = obj if config is None else Shared(config, obj.state, **obj.urls)
    setup = shared.reader("live")
    refuse_live_keys(setup)
    sources = setup.district.camera_sources
    if not sources:
        raise Usage(NO_TABLE)
    lacking = missing() if any(row.url.startswith("rtsp") for row in sources.values()) else None
    if lacking:
        raise Usage(lacking)
    calm_collector()
    stop = threading.Event()
    with working(stop):
        try:
            _fetch(setup, stop)
        except ValueError as e:
            raise Usage(*e.args) from e


def _fetch(setup: Setup, stop: threading.Event) -> None:
    """Once the log is there."""
    with log_of(setup, NAME, stop) as log:
        if log is None:
            return
        many, where = len(setup.district.camera_sources), shown(setup.log)

        def ready() -> None:
            echo(
                Text(
                    f"fengsui camera: {setup.district.name}，{many} 台摄像机，日志 {where}",
                    f"fengsui camera: {setup.district.name_en}, {many} cameras, log {where}",
                ),
                err=True,
            )

        frames = FrameStore(frames_folder(setup))
        hear = Ears(log).tell
        run_camera(setup.district, setup.run, log, frames, stop, hear=hear, ready=ready)
