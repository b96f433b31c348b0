"""A modem as a carrier of SMS: a file into smsd's `outgoing`, and where it goes from there. `accepted` means
that the network took every part. What is not sent in time is taken back, so that no old warning goes out
when the modem is well again; the one that smsd has in hand while there is no network it sends all the same.

A modem sends a part in some seconds: two messages are under way at once, the next waits in the outbox where
the most urgent goes first.
"""

import contextlib
import hashlib
import os
import re
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from config.language import Text
from config.records.level import Action, Level
from dispatch.channels import CarrierWord, Parcel, SendError, SendResult
from dispatch.channels.modem.spool_file import read_file, refusal, report_of, written
from stream.guard import fault
from stream.oplog import Seldom

_NUMBER = re.compile(r"\d{3,20}")
_AT_ONCE = 2
_LOOK_S, _LISTEN_S = 0.1, 1.0
_FULL_S = 0.5
_PART_S = 20.0  # for a part, with smsd's own three tries
_REMEMBERED = 250  # ids of messages are 0 … 255
_BAD_NUMBER = Text("号码无效", "no telephone number")
_BUSY = Text("调制解调器正忙", "the modem is busy")
_NO_SPOOL = Text("smsd 的目录写不了：", "smsd's folder cannot be written: ")
_NOT_TAKEN = Text("smsd 没有取走", "smsd did not take it")
_NOT_SENT = Text("调制解调器没有发出", "the modem did not send it")
_REFUSED = Text("网络未收：", "the network did not take it: ")
_PROBE, _OURS = "fengsui-probe", "fengsui-"
_LONGEST = 65_536  # bytes of a file that are read
_SURE = 7  # last digits of a number that make it the same, however a network writes it
_NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY
_seldom = Seldom(600.0)


class SmsModem:
    """url: file://localhost/FOLDER, the spool with outgoing, checked, sent, failed, report and incoming.
    country: before a number without one. timeout_s: until smsd must have taken a file."""

    def __init__(
        self,
        name: str,
        url: str,
        hear: Callable[[CarrierWord], None],
        *,
        timeout_s: float,
        country: str = "86",
    ) -> None:
        self.name, self._hear = name, hear
        self._spool = Path(unquote(urlsplit(url).path))
        self._timeout_s, self._country = timeout_s, country
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._under_way: set[str] = set()
        # key and number of messages that went out, by the modem's id
        self._keys: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._told: set[Path] = set()  # files whose word is on its way into the log
        self._seen: dict[Path, tuple[int, int]] = {}  # size and time at the last look
        self._thread: threading.Thread | None = None

    def send(self, parcel: Parcel) -> SendResult:
        to = self._number(parcel.to)
        name = f"fengsui-{hashlib.sha256(parcel.key.encode()).hexdigest()[:20]}"
        with self._lock:
            if len(self._under_way) >= _AT_ONCE or name in self._under_way:
                raise SendError(_BUSY, wait_s=_FULL_S, full=True)
            self._under_way.add(name)
        try:
            return self._sent(name, to, parcel)
        finally:
            with self._lock:
                self._under_way.discard(name)

    def probe(self) -> bool:
        """smsd takes a file without a recipient away, which it does not send."""
        (self._spool / "failed" / _PROBE).unlink(missing_ok=True)
        self._put(_PROBE, b"Alphabet: ISO\n\n")
        self._taken(_PROBE)
        (self._spool / "failed" / _PROBE).unlink(missing_ok=True)
        self._listen()
        return True

    def close(self) -> None:
        """What smsd says from now on is read by the next."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _number(self, to: str) -> str:
        digits = re.sub(r"[ -]", "", to)
        whole = digits.removeprefix("+") if digits.startswith("+") else self._country + digits
        if not _NUMBER.fullmatch(whole):
            raise SendError(_BAD_NUMBER, permanent=True)
        return whole

    def _put(self, name: str, body: bytes) -> None:
        """Whole or not at all: smsd reads what stands in `outgoing`."""
        fresh = self._spool / f".{name}"
        try:
            fresh.unlink(missing_ok=True)  # of one that was cut off, or what was put in its way
            with os.fdopen(os.open(fresh, _NEW, 0o600), "wb") as f:
                f.write(body)
                os.fchmod(f.fileno(), 0o660)  # smsd adds its lines to it
            fresh.replace(self._spool / "outgoing" / name)
        except OSError as e:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise SendError(_NO_SPOOL + str(e.strerror)) from e

    def _taken(self, name: str) -> None:
        """Raises SendError, and then smsd has it not."""
        waiting, deadline = self._spool / "outgoing" / name, time.monotonic() + self._timeout_s
        while waiting.exists():
            if time.monotonic() >= deadline or self._stop.is_set():
                with contextlib.suppress(FileNotFoundError):
                    waiting.unlink()
                    raise SendError(_NOT_TAKEN)
            time.sleep(_LOOK_S)

    def _sent(self, name: str, to: str, parcel: Parcel) -> SendResult:
        d = parcel.delivery
        urgent = d.level >= Level.RED or d.action == Action.MOVE
        ends = {way: self._spool / way / name for way in ("sent", "failed")}
        self._listen()
        if ends["sent"].exists():  # of an attempt before, late or of a process that died: it is out
            return self._accepted(ends["sent"], parcel.key, to)
        ends["failed"].unlink(missing_ok=True)
        self._put(name, written(to, parcel.text, parcel.valid_s, urgent=urgent))
        self._taken(name)
        deadline = time.monotonic() + _PART_S * parcel.cost * _AT_ONCE
        while time.monotonic() < deadline and not self._stop.is_set():
            if ends["sent"].exists():
                return self._accepted(ends["sent"], parcel.key, to)
            if ends["failed"].exists():
                why, number = refusal(read_file(_bytes(ends["failed"])))
                ends["failed"].unlink(missing_ok=True)
                raise SendError(_REFUSED + why, permanent=number, blames_route=not number)
            time.sleep(_LOOK_S)
        # an old warning must not go out when the modem is well again
        (self._spool / "checked" / name).unlink(missing_ok=True)
        raise SendError(_NOT_SENT)

    def _accepted(self, file: Path, key: str, to: str) -> SendResult:
        """The id is that of the last part, whose report stands for the message."""
        ident = read_file(_bytes(file)).headers.get("message_id", "")
        file.unlink(missing_ok=True)  # a number and a text
        if ident:
            with self._lock:
                self._keys.pop(ident, None)
                self._keys[ident] = key, to
                while len(self._keys) > _REMEMBERED:
                    self._keys.popitem(last=False)
        return SendResult("accepted")

    def _listen(self) -> None:
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._take_back()
                self._thread = threading.Thread(target=self._work, name=f"modem-{self.name}")
                self._thread.start()

    def _take_back(self) -> None:
        """What a process that died left to be sent: what still holds is sent anew."""
        for folder, mark in (("", f".{_OURS}"), ("outgoing", _OURS), ("checked", _OURS)):
            with contextlib.suppress(OSError):
                for file in (self._spool / folder).glob(f"{mark}*"):
                    with contextlib.suppress(OSError):
                        file.unlink()

    def _work(self) -> None:
        while not self._stop.wait(_LISTEN_S):
            for folder, read in (("report", self._report), ("incoming", self._message)):
                with contextlib.suppress(OSError):
                    for file in self._whole(self._spool / folder):
                        self._read(file, read)

    def _whole(self, folder: Path) -> list[Path]:
        """Its files, oldest first: those that have not grown since the last look."""
        before, found = self._seen, dict[Path, tuple[int, int]]()
        for file in folder.iterdir():
            with contextlib.suppress(OSError):
                about = file.lstat()
                if stat.S_ISREG(about.st_mode):
                    found[file] = about.st_size, about.st_mtime_ns
        others = {f: s for f, s in before.items() if f.parent != folder}
        self._seen = others | found
        return sorted(
            (f for f, s in found.items() if before.get(f) == s), key=lambda f: found[f][1]
        )

    def _read(self, file: Path, read: Callable[[Path], CarrierWord | None]) -> None:
        """Its word goes into the log, and only then the file away."""
        with self._lock:
            if file in self._told:
                return
            self._told.add(file)

        def done(kept: bool) -> None:
            with contextlib.suppress(OSError):
                if kept:
                    file.unlink()
            with self._lock:
                self._told.discard(file)

        try:
            word = read(file)
        except Exception as e:  # noqa: BLE001  # of one file
            _seldom("send", f"{self.name}: " + Text("来件读不懂 ", "a file: ") + fault(e))
            word = None
        if word is None:
            done(True)
        else:
            self._hear(word._replace(done=done))

    def _report(self, file: Path) -> CarrierWord | None:
        """None: of an earlier part, or of a message before this process or of another number."""
        seen = read_file(_bytes(file))
        found, number = report_of(seen), re.sub(r"\D", "", seen.headers.get("from", ""))
        with self._lock:
            key, to = self._keys.get(found.ident, ("", "")) if found else ("", "")
        if not found or not key or (number and number[-_SURE:] != to[-_SURE:]):
            return None  # the network's ids begin anew after 255
        return CarrierWord("sms", self.name, key, (), found.word)

    def _message(self, file: Path) -> CarrierWord | None:
        found = read_file(_bytes(file))
        sender = found.headers.get("from", "")
        if not _NUMBER.fullmatch(sender) or report_of(found) is not None:
            return None
        return CarrierWord("sms", self.name, "", (), "", sender=sender, text=found.text)


def _bytes(file: Path) -> bytes:
    """Its begin; of a link or a pipe nothing. Raises OSError."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as f:
        return f.read(_LONGEST) if stat.S_ISREG(os.fstat(f.fileno()).st_mode) else b""
