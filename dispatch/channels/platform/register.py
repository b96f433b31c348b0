"""Which warning went to the platform under which number: a file of the run, written before anything is
posted, so that a retry, also after a crash, is the same message and is played once.

Where the file is missing (another machine took over), the day's numbers go on from a place of their own
by the time of day, and the packets' from anywhere: a number that was used today must not name another
message, for the platform would take that for an update of the first. A file that says nothing any more is
set aside, and is missing from then on: a warning must not wait for whoever mends it.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from config.language import Text
from dispatch.channels import SendError, damaged, unread, unwritten
from dispatch.channels.platform.ebd.form import (
    COUNTED_A_DAY,
    NORMAL,
    PACKETS_A_DAY,
    day_of,
    message_id,
    packet_id,
)
from dispatch.channels.platform.ebd.records import Ebm
from dispatch.records import Delivery
from stream.disk.files import make_folder, set_aside, write_file
from stream.oplog import say

_KEPT_MS = 3 * 86_400_000
_DAY_MS, _CHINA_MS = 86_400_000, 8 * 3_600_000
_DAYS = 10  # whose numbers are remembered: a clock may be put back over midnight
FULL = Text("今日编号用尽", "the day's numbers are used up")
NEWER = Text("同一预警已有新版发出", "a newer version of this warning is out")
OVER = Text("已要求平台撤播", "the platform was told to withdraw it")


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
    told_at: int = 0  # of the platform's last word on it, by the platform's clock
    since: int = 0  # of its words those from then on are about this packet


class _Memory(msgspec.Struct, kw_only=True):
    """before: of other days (packets, messages)."""

    day: str = ""
    packets: int = 0
    messages: int = 0
    before: dict[str, tuple[int, int]] = {}
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
        for the old one is known; its number is the same. What a newer version has overtaken, and what was to be
        withdrawn, is not sent: SendError, permanent."""
        with self._lock:
            m = self._memory()
            found = next((s for s in m.sent if s.key == key), None)
            at = self._now()
            if any(s.alert == d.alert and s.version > d.version for s in m.sent):
                raise SendError(NEWER, permanent=True)
            if found is not None:
                if found.withdrawal and not _stands(m, found):
                    raise SendError(OVER, permanent=True)
                if found.failed:
                    self._turn(m, at)
                    found.packet, found.failed = self._packet(m), False
                    found.since = found.told_at + 1
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
        `but`: the key of the one that stays, and with it whatever is newer."""
        with self._lock:
            m = self._memory()
            mine = [s for s in m.sent if s.alert == alert]
            at = next((n for n, s in enumerate(mine) if s.key == but), len(mine))
            stays = {s.ebm.id for s in mine[at:]}
            found: dict[str, Sent] = {}
            for s in mine[:at]:
                if not s.withdrawn and s.ebm.id not in stays:
                    found[s.ebm.id] = s
            return self._with_cancels(m, list(found.values()))

    def overtaken(self, sent: Sent, packet: str) -> list[Sent]:
        """What must be withdrawn once more after `packet` of this message was taken: itself, where it was told
        to be withdrawn, or a newer one was taken, while it was on its way. Its cancel may have come first:
        it is a new one."""
        with self._lock:
            m = self._memory()
            mine = [s for s in m.sent if s.alert == sent.alert]
            newer = mine[mine.index(sent) + 1 :] if sent in mine else []
            late = sent.withdrawal or any(s.taken and not s.withdrawal for s in newer)
            if sent.packet != packet or not late or sent.ebm.id in {s.ebm.id for s in newer}:
                return []
            sent.withdrawal, sent.withdrawn = "", False
            return self._with_cancels(m, [sent])

    def overwritten(self, sent: Sent) -> Sent | None:
        """The newer message that was taken under the same number while this one was on its way: it goes
        again, in a new packet."""
        with self._lock:
            m = self._memory()
            at = m.sent.index(sent) if sent in m.sent else len(m.sent)
            same = [s for s in m.sent[at + 1 :] if s.ebm.id == sent.ebm.id and s.taken]
            if not same or same[-1].withdrawal:
                return None
            self._turn(m, self._now())
            same[-1].packet = self._packet(m)
            self._write(m)
            return same[-1]

    def still_to_withdraw(self) -> list[Sent]:
        """Those whose cancel the platform has not confirmed, as long as they would sound."""
        with self._lock:
            m, at = self._memory(), self._now()
            return [
                s
                for s in m.sent
                if s.withdrawal and not s.withdrawn and (s.ebm.end_at or 0) > at
                if not _stands(m, s)
            ]

    def _with_cancels(self, m: _Memory, found: list[Sent]) -> list[Sent]:
        self._turn(m, self._now())
        for s in found:
            if not s.withdrawal:
                s.withdrawal, s.withdrawal_at = self._packet(m), self._now()
        if found:
            self._write(m)
        return found

    def knows(self, alert: str) -> bool:
        """Whether anything of a warning was ever posted."""
        with self._lock:
            return any(s.alert == alert for s in self._memory().sent)

    def note(
        self, sent: Sent, *, taken: bool = False, withdrawn: str = "", failed: bool = False
    ) -> None:
        """What the platform said to it. withdrawn: the EBDID of the cancel that it took; that number is no
        longer in force under any key, unless it was sent again meanwhile."""
        with self._lock:
            m = self._memory()
            sent.taken, sent.failed = sent.taken or taken, sent.failed or failed
            for s in m.sent if withdrawn and withdrawn == sent.withdrawal else ():
                if s.ebm.id == sent.ebm.id:
                    s.withdrawn = True
            self._write(m)

    def is_news(self, sent: Sent, told_at: int) -> bool:
        """Whether a word of this time is no older than the last on this packet, which it then is."""
        with self._lock:
            if told_at < max(sent.told_at, sent.since):
                return False
            sent.told_at = told_at
            return True

    def save(self) -> None:
        """What was heard is in the log: after a start it is no news."""
        with self._lock:
            self._write(self._memory())

    def known(self, message: str, told_at: int) -> Sent | None:
        """The message of this EBMID that a word of this time is about: of several under one number the last
        that was there by then."""
        with self._lock:
            mine = [s for s in self._memory().sent if s.ebm.id == message]
            by_then = [s for s in mine if s.at // 1000 * 1000 <= told_at]
            return by_then[-1] if by_then else mine[0] if mine else None

    def _packet(self, m: _Memory) -> str:
        m.packets += 1
        return packet_id(NORMAL, self._code, m.day, m.packets % PACKETS_A_DAY)

    def _turn(self, m: _Memory, at: int) -> None:
        """A new day counts anew."""
        if m.day == (day := day_of(at)):
            return
        gone = (at + _CHINA_MS) % _DAY_MS
        unknown = day < m.day or not m.day  # nothing is known of what was used that day
        if m.day:
            m.before[m.day] = (m.packets, m.messages)
            m.before = {d: m.before[d] for d in sorted(m.before)[-_DAYS:]}
        m.day = day
        m.messages = gone * (COUNTED_A_DAY // 2) // _DAY_MS if unknown else 0
        m.packets = secrets.randbelow(PACKETS_A_DAY // 2) if unknown else 0
        if day in m.before:
            m.packets, m.messages = m.before[day]

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
        except OSError as e:
            raise SendError(unread(self._file.name, type(e).__name__)) from e
        except (msgspec.DecodeError, UnicodeDecodeError) as e:
            try:
                aside = set_aside(self._file)
            except OSError as no:
                raise SendError(unread(self._file.name, type(e).__name__)) from no
            say("send", damaged(self._file.name, aside.name))
            return _Memory()

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


def _stands(m: _Memory, sent: Sent) -> bool:
    """Has a newer message of the warning its number, which therefore must not be withdrawn?"""
    at = m.sent.index(sent)
    return any(s.ebm.id == sent.ebm.id and not s.withdrawal for s in m.sent[at + 1 :])
