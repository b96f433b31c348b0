"""One camera from picture to picture: asked when one is due, tried again when it is away, its oddities
told."""

import threading
from collections.abc import Callable

from config.language import Text, text_of
from ingest.camera.jpeg import Jpeg, Thumb, changed
from ingest.camera.keeper import NAME, PictureKeeper
from ingest.camera.pace import Pace
from ingest.camera.shot import NoPicture, Shot, Source
from stream.guard import OF_THE_LOG, unread
from stream.oplog import say
from stream.pace.retry import Retry
from stream.records import Rejected

_AGAIN_MS = 3_600_000  # a camera that is away is a dead letter once, and once more each hour
_SOON_MS = 600_000
_AWAY_S = 60.0
_EARLY, _EARLY_MS = 0.1, 250  # a picture that comes by so much before it is due is taken


class Watcher:
    """open: makes the source anew; nothing is asked of the camera yet."""

    def __init__(
        self,
        station: str,
        open_: Callable[[], Source],
        pace: Pace,
        keeper: PictureKeeper,
        stop: threading.Event,
    ) -> None:
        self._station, self._open, self._pace, self._keeper, self._stop = (
            station,
            open_,
            pace,
            keeper,
            stop,
        )
        self._taken_at: int | None = None
        self._thumb: Thumb | None = None
        self._size: tuple[int, int] | None = None
        self._told: dict[str, int] = {}  # reason -> when it was a dead letter last
        self._fast = self._away = False
        self.failed: BaseException | None = None

    def work(self) -> None:
        """Until `stop`. What the log raises ends it; what a camera does, does not."""
        try:
            self._work()
        except BaseException as e:  # noqa: BLE001  # whoever started it ends with it
            self.failed = e
            self._stop.set()

    def _work(self) -> None:
        retry = Retry(f"{NAME} {self._station}", self._stop, most_s=30.0, tell=self._keeper.seldom)
        source = self._open()
        while not self._stop.is_set():
            try:
                shots = source.take(self._due, self._stop)
                self._taken(shots)
            except NoPicture as e:
                source.close()
                self._missing(Rejected(e.reason, e.words))
                retry.wait(e.words)
            except OF_THE_LOG:
                raise
            except Exception as e:  # noqa: BLE001  # one camera must not end the others
                source.close()
                self._missing(unread(NAME, e))
                retry.wait(Text("程序出错", "a program error"))
            else:
                retry.answered()
        source.close()

    def _due(self) -> bool:
        now = self._keeper.clock()
        if self._taken_at is None:
            return True
        every_ms = 1000 * self._pace.interval_s(self._station, now)
        self._turn(now)
        # the clock may have been set back by a day: a picture is then due as well
        passed = abs(now - self._taken_at)
        return passed >= every_ms - min(_EARLY * every_ms, _EARLY_MS)

    def _turn(self, now: int) -> None:
        """Faster and slower are told."""
        fast = self._pace.fast(self._station, now)
        if fast == self._fast:
            return
        self._fast = fast
        every = self._pace.interval_s(self._station, now)
        words = Text(f"每 {every:g} 秒一张", f"a picture every {every:g} s")
        why = self._pace.why(self._station, now)
        say(f"{NAME} {self._station}", words + (Text("：", ": ") + why if fast else Text("", "")))

    def _taken(self, shots: list[Shot]) -> None:
        """Raises NoPicture where none of them is one."""
        good = [shot for shot in shots if isinstance(shot.picture, Jpeg)]
        for shot in shots:
            if isinstance(shot.picture, Jpeg):
                self._look(shot.picture, shot)
        bad = next((s for s in shots if isinstance(s.picture, Rejected)), None)
        if bad is not None and isinstance(bad.picture, Rejected):
            self._missing(bad.picture, bad.raw)
            if not good:
                raise NoPicture(bad.picture.reason, text_of(bad.picture.detail))
        if not good or not self._keeper.keep(self._station, good):
            return
        self._taken_at = good[0].at
        if self._away and bad is None:
            say(f"{NAME} {self._station}", Text("又有图像", "pictures again"))
        self._away = bad is not None
        # its next loss is told too; of one that comes and goes, one in ten minutes
        back = good[0].at - _AGAIN_MS + _SOON_MS
        self._told = {r: min(at, back) for r, at in self._told.items()}

    def _look(self, picture: Jpeg, shot: Shot) -> None:
        if self._thumb is not None:
            self._pace.looked(self._station, changed(self._thumb, picture.thumb), shot.at)
        self._thumb = picture.thumb
        if self._size not in (None, picture.size):
            was = "x".join(map(str, self._size or ()))
            now = "x".join(map(str, picture.size))
            words = Text(
                f"图像由 {was} 变为 {now}：核对 cameras.csv",
                f"its pictures were {was} and are {now}: look at cameras.csv",
            )
            self._keeper.tell(self._station, Rejected("other_size", words))
            say(f"{NAME} {self._station}", words)
        self._size = picture.size
        if shot.away_s is not None and abs(shot.away_s) > _AWAY_S:
            words = Text(
                "摄像机时钟与本机差一分钟以上：用本机的时间；给它对时",
                "its clock is over a minute from ours, which counts: set it right",
            )
            self._keeper.seldom(f"{NAME} {self._station}", words)

    def _missing(self, why: Rejected, raw: bytes = b"") -> None:
        """A dead letter at the beginning, and each hour."""
        now = self._keeper.clock()
        self._away = True
        if now - self._told.get(why.reason, now - _AGAIN_MS) >= _AGAIN_MS:
            self._told[why.reason] = now
            self._keeper.tell(self._station, why, raw)
