"""Warnings to a release platform 12379: each as a zip with one XML file, laid where the platform takes
them, and its acknowledgements from where it lays them.

`accepted` means that the file lies there whole. `delivered` is the platform's own word that it took the
message (status 0); a refusal takes `accepted` back and goes to the duty room with its code and note. No
platform has taken a file of ours: unproven (docs/cap.md).
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from config.language import Text, text_of
from config.records.district import District
from dispatch.cap.message import identifier, is_over, sent
from dispatch.cap.national.answer import read_answer, whose
from dispatch.cap.national.message import packed, release_file
from dispatch.cap.national.place import Folder, Ftp, Place
from dispatch.cap.national.register import Released, ReleaseRegister
from dispatch.cap.neighbours import RELEASE
from dispatch.cap.publish import Cap
from dispatch.channels import CarrierWord, SendError, SendResult
from dispatch.records import Delivery, Route
from ingest.cap.decode import Wrong
from stream.environment import secret_at
from stream.guard import fault
from stream.limits import Unreadable
from stream.oplog import Seldom

CARRIER = "12379"
_EVERY_S = 10.0
_LOOKS = 6  # at an answer that cannot be read: it may be half there
_UNHEARD = Text("12379 的回执取不到：", "12379's answers cannot be had: ")
_seldom = Seldom(600.0)
_NEWER = Text("12379 已有新版", "12379 has a newer version")


class ReleasePlatform:
    """place: None where no platform is connected: every attempt fails for good. folder: the run's own, for
    the register. hear: takes an answer, whose delivery is found by its key."""

    def __init__(
        self,
        district: District,
        cap: Cap,
        place: Place | None,
        folder: Path,
        hear: Callable[[CarrierWord], None],
        every_s: float = _EVERY_S,
    ) -> None:
        self._district, self._cap, self._place, self._hear = district, cap, place, hear
        self._register = ReleaseRegister(folder / "release12379.json") if place else None
        self._asked: set[str] = set()
        self._unread: dict[str, int] = {}  # name of an answer -> so often it could not be read
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        if place is not None:
            self._thread = threading.Thread(
                target=self._listen, args=(every_s,), name="release-12379", daemon=True
            )
            self._thread.start()

    def send(self, delivery: Delivery, route: Route, key: str) -> SendResult:
        place, register = self._place, self._register
        if place is None or register is None:
            raise SendError(Text("12379 未接", "12379 is not connected"), permanent=True)
        settings = self._district.channels.release
        name = identifier(self._district, delivery)
        chain = name.rpartition("-")[0]
        versions = self._versions(register, chain)
        if any(e.laid and e.version > delivery.version for e in versions):
            raise SendError(_NEWER, permanent=True)
        begun = [e for e in versions if e.version < delivery.version]
        # of what never lay there the platform knows nothing that could be updated
        earlier = [e for e in begun if e.laid]
        colour = settings.colour_of(delivery.level, delivery.action)
        if is_over(delivery):
            earlier = earlier or begun  # perhaps it is there all the same
            if not earlier:
                words = Text("12379 没有可解除的", "12379 has nothing of it that could end")
                raise SendError(words, permanent=True)
            colour = earlier[-1].colour
        body = self._cap.message(delivery, route)
        at = datetime.fromisoformat(sent(self._district, delivery.queued_at))
        first = earlier[0].identifier if earlier else ""
        try:
            # before an identifier is taken: what cannot be said gets none
            release_file(settings, body, "", first, colour)
            entry = register.entry(settings, name, key, chain, delivery.version, colour, at)
            file = release_file(settings, body, entry.identifier, first, colour)
        except Wrong as e:
            raise SendError(e.rejected.detail, permanent=True) from e
        except ValueError as e:
            raise SendError(text_of(e), permanent=True) from e
        except OSError as e:
            raise SendError(f"release12379.json: {e.strerror}") from e
        place.put(f"{file.name}.zip", packed(file, at))
        with suppress(OSError):  # it lies there: the next version will say Alert again
            register.note_laid(name)
        return SendResult("accepted", entry.identifier)

    @staticmethod
    def _versions(register: ReleaseRegister, chain: str) -> list[Released]:
        try:
            return register.chain(chain)
        except OSError as e:
            raise SendError(f"release12379.json: {e.strerror}") from e

    def listen_once(self) -> int:
        """Reads what answers there are; how many were handed on. Raises SendError and OSError: of one that
        could not be fetched, when the others were read."""
        assert self._place is not None
        assert self._register is not None
        ours = self._register.by_identifier()
        told, error = 0, None
        names = self._register.unread(self._place.names())
        self._unread = {n: looks for n, looks in self._unread.items() if n in set(names)}
        for name in names:
            mine = whose(name, ours)
            if name in self._asked or not mine:  # of others, or under way into the log
                continue
            try:
                word = self._word(name, ours[mine], self._place.get(name))
            except SendError as e:  # this one, at the next look
                error = error or e
                continue
            if word is not None:
                self._asked.add(name)
                self._hear(word)
                told += 1
        if error is not None:
            raise error
        return told

    def _word(self, name: str, entry: Released, body: bytes) -> CarrierWord | None:
        """None: it cannot be read yet."""

        def done(kept: bool) -> None:
            try:
                if kept and self._register is not None:
                    self._register.note_read(name)
            finally:
                self._asked.discard(name)

        try:
            answer = read_answer(body)
        except Unreadable as e:
            looks = self._unread[name] = self._unread.get(name, 0) + 1
            if looks < _LOOKS:
                return None
            wrong = f"{name}: " + e.words
            return CarrierWord(RELEASE, CARRIER, entry.key, (), "", fault=wrong, done=done)
        status = "taken" if answer.taken else "refused"
        return CarrierWord(RELEASE, CARRIER, entry.key, (), status, answer.said, done=done)

    def _listen(self, every_s: float) -> None:
        while not self._closing.wait(every_s):
            try:
                self.listen_once()
            except SendError as e:
                _seldom("send", _UNHEARD + e.detail)
            except Exception as e:  # noqa: BLE001  # one bad look must not deafen us
                _seldom("send", _UNHEARD + fault(e))

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()


def release_of(
    district: District, live: bool, cap: Cap, folder: Path, hear: Callable[[CarrierWord], None]
) -> ReleasePlatform:
    """The channel of a run. Where `[release]` names no place, and in every exercise, files lie in the run's
    own folder. Raises ValueError if a secret cannot be had."""
    settings = district.channels.release
    place: Place | None = None
    if settings.connected:
        parts = urlsplit(settings.url if live else "")
        inward = Path(settings.answers) if settings.answers and live else None
        if parts.scheme in ("ftp", "ftps"):
            timeout_s = district.channels.attempt_timeout_s
            place = Ftp(settings.url, settings.answers, secret_at(settings.secret), timeout_s)
        elif parts.scheme == "file":
            place = Folder(Path(unquote(parts.path)), inward)
        else:
            own = folder / "release12379"
            place = Folder(own / "out", inward or own / "in")
    return ReleasePlatform(district, cap, place, folder, hear)
