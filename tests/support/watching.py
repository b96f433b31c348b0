"""Cameras that are asked, at work in this process, with their log; and a camera that answers by HTTP as a test
says."""

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from msgspec.structs import replace
from PIL import Image

from config.records.district import CameraSource, District
from fengsui.run.run_log import frames_folder, open_run_log
from fengsui.run.setup import Setup, make_setup
from ingest.camera.pace import Pace
from ingest.camera.run import run_camera
from ingest.observation import Observation, Observations
from stream.disk.blobs import FrameStore
from stream.log.port import Log
from stream.records import DeadLetter
from tests.support.at_work import WAIT_S, at_work, stands_in
from tests.support.districts import yanqing

ALWAYS = {
    "rain_mm": 1000.0,
    "rise_m": 50.0,
    "changed": 1.0,
    "hold_min": 1,
}  # nothing of it makes it faster


def jpeg(seed: int = 0, size: tuple[int, int] = (320, 240), quality: int = 70) -> bytes:
    """A picture with something in it, another for each seed."""
    image = Image.effect_noise((size[0] // 8, size[1] // 8), 60).resize(size)
    image.putpixel((seed % size[0], 0), 255)
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def district(rows: Sequence[CameraSource], every_s: int = 1) -> District:
    """Yanqing, whose cameras are asked every so many seconds."""
    found = yanqing()
    asked = {row.station for row in rows}
    stations = {
        name: replace(s, interval_s=every_s) if name in asked else s
        for name, s in found.stations.items()
    }
    sources = {row.station: row for row in rows}
    return replace(found, stations=stations, camera_sources=sources)


class Watching:
    """At work: what stands in the log by now."""

    def __init__(self, setup: Setup, log: Log) -> None:
        self.setup, self.log = setup, log
        self.frames = FrameStore(frames_folder(setup))

    def pictures(self, station: str = "") -> list[Observation]:
        """In order of their time, each once."""
        found = {
            (o.station, o.observed_at): o
            for record in stands_in(self.log, "observations")
            if isinstance(record, Observations)
            for o in record.items
            if o.quantity == "frame" and station in ("", o.station)
        }
        return [found[key] for key in sorted(found)]

    def letters(self) -> list[DeadLetter]:
        return [r for r in stands_in(self.log, "dead-letters") if isinstance(r, DeadLetter)]

    def image(self, picture: Observation) -> Image.Image:
        body = self.frames.get(picture.ref)
        assert body is not None
        return Image.open(io.BytesIO(body))


def until(what: Callable[[], bool], wait_s: float = WAIT_S) -> bool:
    """Whether it came true in time."""
    waited = threading.Event()
    for _ in range(round(wait_s / 0.05)):
        if what():
            return True
        waited.wait(0.05)
    return what()


@contextmanager
def watching(
    folder: Path,
    of: District,
    hear: Callable[[Pace, int], None] = lambda _pace, _now: None,
) -> Iterator[Watching]:
    """As long as this lasts."""
    setup = make_setup(of, "live", folder)
    own = open_run_log(setup)

    def work(stop: threading.Event, up: Callable[[], None]) -> None:
        frames = FrameStore(frames_folder(setup))
        run_camera(of, setup.run, own, frames, stop, hear=hear, ready=up)

    with closing(own), at_work("cameras", work), closing(open_run_log(setup)) as opened:
        yield Watching(setup, opened)


Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def camera(answers: Callable[[BaseHTTPRequestHandler], Answer]) -> Iterator[str]:
    """A camera's HTTP server: status, headers and body for each GET; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = answers(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="a camera")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(WAIT_S)
        server.server_close()
