"""Pictures of cameras that are asked, into the frame store and the log, whichever camera they are of."""

import threading
from collections.abc import Callable, Sequence

from config.language import Text, text_of
from ingest.batches import batches, by_group
from ingest.camera.shot import Shot
from ingest.identify import Register
from ingest.observation import Observation
from ingest.pictures import keep_picture
from stream import metrics
from stream.disk.blobs import FrameStore
from stream.guard import letter
from stream.log.port import Log, Out, Unavailable
from stream.oplog import Seldom
from stream.pace.retry import Retry
from stream.records import Rejected

NAME = "camera"
_UNTIL_KEPT = Text("；记下之前不再取图", "; no picture is fetched until it can be kept")


class PictureKeeper:
    """clock: the line's, ms. Any thread."""

    def __init__(
        self,
        register: Register,
        frames: FrameStore,
        log: Log,
        clock: Callable[[], int],
        stop: threading.Event,
    ) -> None:
        self._register, self._frames, self._log = register, frames, log
        self.clock, self._stop = clock, stop
        self._lock = threading.Lock()  # of the log: one writer a process
        self.waits_for: Text | None = None  # why nothing can be kept now
        self.seldom = Seldom(600.0)

    def keep(self, station: str, shots: Sequence[Shot]) -> bool:
        """True once the log has them; False at the end."""
        now = self.clock()
        found: list[Observation] = []
        outs: list[Out] = []
        for shot in shots:
            kept = self._kept(station, shot, now)
            if isinstance(kept, Observation):
                found.append(kept)
            else:
                outs.append(self._letter(station, kept, now, shot.raw))
        return self._append(batches(by_group(self._register, found), now) + outs, len(found))

    def _kept(self, station: str, shot: Shot, now: int) -> Observation | Rejected:
        if isinstance(shot.picture, Rejected):
            return shot.picture
        # nothing is ahead of the time of receipt: the clock may have been set back since
        at = str(min(shot.at, now))
        return keep_picture(self._register, self._frames, station, at, shot.picture.body, now)

    def tell(self, station: str, why: Rejected, raw: bytes = b"") -> None:
        """A dead letter of a camera."""
        self._append([self._letter(station, why, self.clock(), raw)], 0)

    def _letter(self, station: str, why: Rejected, now: int, raw: bytes) -> Out:
        metrics.DEAD_LETTERS.labels(NAME, why.reason).inc()
        return letter(
            now,
            f"camera {station}",
            Rejected(why.reason, f"{station}: " + text_of(why.detail)),
            raw,
        )

    def _append(self, outs: Sequence[Out], pictures: int) -> bool:
        retry = Retry(NAME, self._stop, 0.5, tell=self.seldom)
        while not self._stop.is_set():
            try:
                with self._lock:
                    self._log.append(outs)
            except Unavailable as e:
                self.waits_for = text_of(e) + _UNTIL_KEPT
                retry.wait(self.waits_for)
                continue
            self.waits_for = None
            if pictures:
                metrics.READINGS.labels(NAME, "frame").inc(pictures)
            metrics.count_out(NAME, (out.topic for out in outs))
            return True
        return False
