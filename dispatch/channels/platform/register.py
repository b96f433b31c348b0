"""Which warning went to the platform under which number: a file of the run, written before anything is
posted, so that a retry, also after a crash, is the same message and is played once.

Where the file is missing (another machine took over), the day's numbers go on from a place of their own
by the time of day, and the packets' from anywhere: a number that was used today must not name another
message, for the platform would take that for an update of the first.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from config.language import Text
from dispatch.channels import SendError, unread, unwritten
from dispatch.channels.ebd.form import (
    COUNTED_A_DAY,
    NORMAL,
    PACKETS_A_DAY,
    day_of,
    message_id,
    packet_id,
)
from dispatch.channels.ebd.records import Ebm
from dispatch.records import Delivery
from stream.disk.files import make_folder, write_file

_KEPT_MS = 3 * 86_400_000
_DAY_MS, _CHINA_MS = 86_400_000, 8 * 3_600_000
FULL = Text("今日编号用尽", "the day's numbers are used up")


class Sent(msgspec.Struct, kw_only=True):
    """One message. key: of the attempt's delivery. packet: its EBDID. at: when it was written, epoch ms, in
    all its times. withdrawal: the EBDID of its cancel, "" where none was asked for."""

    key: str
    alert: str
    version: int
    packet: str
    at: int
    ebm: Ebm
    taken: bool = False
    failed: bool = False  # the platform said that it did not play
    withdrawal: str = ""
    withdrawal_at: int = 0
    withdrawn: bool = False


class _Memory(msgspec.Struct, kw_only=True):
    day: str = ""
    packets: int = 0
    messages: int = 0
    sent: list[Sent] = []


class Register:
    """file: None keeps nothing on disk. code: our resource code. now: epoch ms. From any thread.

    Raises SendError where the file can be neither read nor written."""

    def __init__(self, file: Path | None, code: str, now: Callable[[], int]) -> None:
        self._file, self._code, self._now = file, code, now
        self._lock = threading.Lock()
        self._loaded: _Memory | None = None

    def taken_down(
        self, key: str, d: Delivery, make: Callable[[str, int], Ebm], *, overwrite: bool
    ) -> Sent:
        """What stands under this key; where nothing does, what make(EBMID, at) says. overwrite: it takes
        the number of the warning's last message that is in force. One that was not played goes in a new packet,
        for the old one is known; its number is the same."""
        with self._lock:
            m = self._memory()
            found = next((s for s in m.sent if s.key == key), None)
            at = self._now()
            if found is not None:
                if found.failed:
                    self._turn(m, at)
                    found.packet, found.failed = self._packet(m), False
                    self._write(m)
                return found
            self._turn(m, at)
            before = [s for s in m.sent if s.alert == d.alert and not s.withdrawn]
            if overwrite and before:
                number = before[-1].ebm.id
            else:
                m.messages += 1
                if m.messages >= COUNTED_A_DAY:
                    raise SendError(FULL)
                number = message_id(self._code, m.day, m.messages)
            sent = Sent(
                key=key,
                alert=d.alert,
                version=d.version,
                packet=self._packet(m),
                at=at,
                ebm=make(number, at),
            )
            m.sent.append(sent)
            self._write(m)
            return sent

    def packet(self) -> str:
        """A new EBDID, of what is no message."""
        with self._lock:
            m = self._memory()
            self._turn(m, self._now())
            found = self._packet(m)
            self._write(m)
            return found

    def to_withdraw(self, alert: str, but: str = "") -> list[Sent]:
        """The messages of a warning that may be on the air, each once and with the EBDID of its cancel;
        `but`: the key of the one that stays."""
        with self._lock:
            m = self._memory()
            stays = {s.ebm.id for s in m.sent if s.key == but}
            found: dict[str, Sent] = {}
            for s in m.sent:
                if s.alert == alert and not s.withdrawn and s.ebm.id not in stays:
                    found[s.ebm.id] = s
            self._turn(m, self._now())
            for s in found.values():
                if not s.withdrawal:
                    s.withdrawal, s.withdrawal_at = self._packet(m), self._now()
            if found:
                self._write(m)
            return list(found.values())

    def knows(self, alert: str) -> bool:
        """Whether anything of a warning was ever posted."""
        with self._lock:
            return any(s.alert == alert for s in self._memory().sent)

    def note(
        self, sent: Sent, *, taken: bool = False, withdrawn: bool = False, failed: bool = False
    ) -> None:
        """What the platform said to it. A withdrawn number is no longer in force under any key."""
        with self._lock:
            m = self._memory()
            sent.taken, sent.failed = sent.taken or taken, sent.failed or failed
            for s in m.sent if withdrawn else ():
                if s.ebm.id == sent.ebm.id:
                    s.withdrawn = True
            self._write(m)

    def known(self, message: str) -> Sent | None:
        """The newest message of this EBMID."""
        with self._lock:
            return next((s for s in reversed(self._memory().sent) if s.ebm.id == message), None)

    def _packet(self, m: _Memory) -> str:
        m.packets += 1
        return packet_id(NORMAL, self._code, m.day, m.packets % PACKETS_A_DAY)

    def _turn(self, m: _Memory, at: int) -> None:
        """A new day counts anew."""
        if m.day == (day := day_of(at)):
            return
        gone = (at + _CHINA_MS) % _DAY_MS
        fresh = not m.day  # nothing is known of what was used today
        m.day = day
        m.messages = gone * (COUNTED_A_DAY // 2) // _DAY_MS if fresh else 0
        m.packets = secrets.randbelow(PACKETS_A_DAY // 2) if fresh else 0

    def _memory(self) -> _Memory:
        if self._loaded is None:
            self._loaded = self._read()
        return self._loaded

    def _read(self) -> _Memory:
        if self._file is None:
            return _Memory()
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Memory)
        except FileNotFoundError:
            return _Memory()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as e:
            raise SendError(unread(self._file.name, type(e).__name__)) from e

    def _write(self, m: _Memory) -> None:
        m.sent = list(_kept(m.sent, self._now()))
        if self._file is None:
            return
        try:
            make_folder(self._file.parent)
            write_file(self._file, msgspec.json.encode(m))
        except OSError as e:
            raise SendError(unwritten(self._file.name, e.strerror)) from e


def _kept(sent: list[Sent], at: int) -> Iterator[Sent]:
    """Without what ended long ago."""
    for s in sent:
        if (s.ebm.end_at or s.at) + _KEPT_MS > at:
            yield s
