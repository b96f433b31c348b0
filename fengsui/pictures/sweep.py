"""Deletes pictures whose time is over, by the district's rules: none that evidence of an open warning or an
investigation names, and none of which it is not known."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from config.language import Text, text_of
from config.records.devices.pictures import PictureRule
from config.records.district import District
from fengsui.pictures.index import FILE, PictureIndex
from fengsui.pictures.keeping import DAY_MS, kept_for, rules
from ingest.people.photos.sealed_photos import Pictures
from stream import metrics
from stream.disk.blobs import FrameStore
from stream.guard import fault
from stream.log.port import Corrupt, Log, Unavailable
from stream.oplog import Seldom, say

_EVERY_S = 1800.0
NAME = "archive"
_STAY = Text("图像暂未清理：", "pictures stay for now: ")


class Sweep:
    """now: a clock to throw things away by (stream.clock.trusted), ms. locked: does an investigation hold all
    that there is?"""

    def __init__(
        self,
        district: District,
        log: Log,
        index: PictureIndex,
        frames: Pictures,
        now: Callable[[], int],
        locked: Callable[[], bool] = lambda: False,
    ) -> None:
        self._of, self._log, self._index = rules(district), log, index
        self._frames, self._now, self._locked = frames, now, locked
        self._error: OSError | sqlite3.Error | None = None

    def once(self, over: Callable[[], bool] = lambda: False) -> int:
        """So many were deleted. over: whether to end now. Raises Unavailable, OSError and sqlite3.Error; then
        what is done is done, and the next look goes on."""
        self._index.follow(self._log)
        if self._locked():
            return 0
        self._error = None
        now, many, held = self._now(), 0, 0
        for station, rule in self._of.items():
            deleted, kept, on = self._of_camera(station, rule, now, over)
            many, held = many + deleted, held + kept
            if not on:
                break
        metrics.PICTURES_HELD.set(held)
        self._index.looked(now, held)
        if many:
            told = Text(f"按规定删了 {many} 张图像", f"{many} pictures were deleted by the rule")
            say(NAME, told)
        if self._error is not None:
            raise self._error
        return many

    def _of_camera(
        self, station: str, rule: PictureRule, now: int, over: Callable[[], bool]
    ) -> tuple[int, int, bool]:
        """How many were deleted, and kept past their time; False: no more now. What the log says meanwhile, new
        evidence or a lock, counts from the next page on."""
        after, cutoff = (-1, ""), now - rule.days * DAY_MS
        many = held = 0
        while not over() and (page := self._index.past(station, cutoff, after)):
            after, custody = page[-1], self._index.custody
            self._index.follow(self._log)
            if custody != self._index.custody and self._locked():
                return many, held, False
            blind, open_ = self._index.deleted().blind, self._index.open_warnings()
            gone: list[tuple[str, int]] = []
            for at, digest in page:
                if at < blind:
                    continue
                shown, named = self._index.shown(digest), self._index.named(digest)
                why = kept_for(shown, named, open_, self._of, now)
                if why:
                    held += why != "rule"
                    continue
                size = self._dropped(digest, cutoff)
                if size is not None:
                    gone.append((digest, size))
            if gone:
                self._index.gone(gone)
                metrics.PICTURES_DELETED.labels(rule.purpose).inc(len(gone))
                many += len(gone)
        return many, held, not over()

    def _dropped(self, digest: str, cutoff: int) -> int | None:
        """As `FrameStore.drop`; what cannot be deleted stays, and keeps no other."""
        try:
            return self._frames.drop(digest, cutoff)
        except (OSError, sqlite3.Error) as e:
            self._error = self._error or e
            return None


class sweeping:  # noqa: N801  # reads as a verb where it is used
    """Deletes, every half hour, while archive runs; where no rule is declared, never. What keeps it is told,
    and asked again: a warning never hangs on it. contacts: the folder of the contact store."""

    def __init__(
        self,
        district: District,
        log: Log,
        folder: Path,
        contacts: Path,
        frames: Path,
        now: Callable[[], int],
        locked: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        self._district, self._log, self._now, self._stop = district, log, now, stop
        self._folder, self._contacts, self._frames, self._locked = folder, contacts, frames, locked
        self._seldom = Seldom(6 * 3600.0)
        self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)

    def __enter__(self) -> "sweeping":
        if self._district.pictures:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                if self._frames.is_dir():
                    self._look()
            except (Unavailable, Corrupt, OSError, sqlite3.Error) as e:
                self._seldom(NAME, _STAY + text_of(e))
            except Exception as e:  # noqa: BLE001  # asked again: silence would fill the disk
                self._seldom(NAME, _STAY + fault(e))
            self._stop.wait(_EVERY_S)

    def _look(self) -> None:
        index = PictureIndex(self._folder / FILE)
        try:
            frames = Pictures(FrameStore(self._frames), self._contacts)
            sweep = Sweep(self._district, self._log, index, frames, self._now, self._locked)
            sweep.once(self._stop.is_set)
        finally:
            index.close()
