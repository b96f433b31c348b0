"""A SIP trunk as a carrier: each attempt is one call, and `accepted` means that the trunk carries it. What
became of it comes later, as a word of `status_words.CALL`.

No more calls are under way than the contract allows; a quarter of the lines is kept for red and 立即转移.
Who finds no line free is tried again, the most urgent first, and a number is never called twice at once.
"""

import re
import selectors
import shutil
import socket
import tempfile
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from config.language import Text, each, text_of
from config.records.channels import Carrier as Row
from config.records.level import Action, Level
from dispatch.channels import CarrierWord, Parcel, SendError, SendResult
from dispatch.channels.sip.agent import MISSING, PROGRAM, Baresip, end_leftovers, login_of
from dispatch.channels.sip.call import Call, Do, LineEvent, Plan
from dispatch.channels.sip.control import BrokenControl, ControlReader, event_of
from dispatch.channels.sip.options import answers
from dispatch.channels.sip.sound import Spoken, UnspeakableError, code_of, spoken, without_code
from dispatch.channels.status_words import CALL
from dispatch.nodes.speech.espeak import SoundError, mandarin
from stream.guard import fault
from stream.oplog import Seldom

_NUMBER = re.compile(r"[0-9*#+]{2,32}")
_LOOK_S = 0.1
_LEFT_S = 3.0  # a call ends this long before the outbox gives it up
_SHORTEST_RING_S = 15.0
_BUSY_S = 0.5
_SIGN_S = 4.0  # without one the trunk is asked whether it is there
_HANG_UP_S = 2.0
_SOUNDS = 32
_DUMB_S = 5.0  # a text that could not be said is not tried again so long
_UNSAID_S, _UNSAID_MOST_S = 1.0, 600.0
_BAD_NUMBER = Text("号码无效", "no telephone number")
_CLOSED = Text("正在停止", "is being stopped")
_FULL = Text("线路全占", "every line is taken")
_SAME = Text("正在给这个号码打", "this number is being called")
_NO_FOLDER = Text("通话目录写不了：", "the folder of calls cannot be written: ")
_NOT_CARRIED = Text("中继没有接这一路呼叫：", "the trunk did not carry the call: ")
_seldom = Seldom(600.0)
_calling: set[str] = set()  # telephones, by whichever trunk of this process
_calling_lock = threading.Lock()


class _Line:
    """A call under way. first: set when the trunk has shown that it carries it, or has not."""

    def __init__(self, phone: str, key: str, call: Call, agent: Baresip, sound: Spoken) -> None:
        self.phone, self.key, self.call, self.agent, self.sound = phone, key, call, agent, sound
        self.ref = ""
        self.reader = ControlReader()
        self.first = threading.Event()
        self.refused: Do | None = None
        self.returned = self.given_up = False  # the thread that made it
        self.close_at: float | None = None


class SipTrunk:
    """row: a `[[carrier]]` of kind sip. secret: its password. call_s: how long the outbox waits for a call.
    folder: for what calls need while they last."""

    def __init__(
        self,
        row: Row,
        secret: str,
        hear: Callable[[CarrierWord], None],
        *,
        timeout_s: float,
        call_s: float,
        folder: Path | None = None,
    ) -> None:
        self.name, self._row, self._hear = row.name, row, hear
        self._url: SplitResult = urlsplit(row.url)
        self._login = login_of(row.user, secret, row.sender)
        self._timeout_s, self._call_s = timeout_s, call_s
        self._folder = folder / "calls" / row.name if folder else None
        self._lock, self._speaking = threading.Lock(), threading.Lock()
        self._lines: dict[str, _Line | None] = {}  # by telephone; None: it is being made
        self._new: list[_Line] = []
        self._sounds: OrderedDict[tuple[str, str, str], Spoken] = OrderedDict()
        self._dumb: dict[tuple[str, str, str], tuple[float, SendError]] = {}  # until when
        self._unsaid: list[tuple[float, float, CarrierWord]] = []  # again at, until, what
        self._ending: list[Baresip] = []  # the thread's alone
        self._made = 0
        self._here: Path | None = None
        self._thread: threading.Thread | None = None
        self._closing = self._over = False
        self._wake, self._woken = socket.socketpair()

    def send(self, parcel: Parcel) -> SendResult:
        number = self._dialled(parcel.to)
        phone = _telephone(parcel.to)
        self._take_line(phone, parcel)
        try:
            self._begin()
            line = self._begun(phone, number, parcel)
        except BaseException:
            self._free(phone)
            raise
        if not line.first.wait(min(self._timeout_s, _SIGN_S)):
            try:
                answers(self._url, self._timeout_s)  # far telephones take long to ring
            except SendError as e:
                line.refused = line.refused or Do("tell", "failed", e.detail, route=True)
                line.given_up = True
                self._poke()
        with self._lock:
            line.returned = True
        if line.refused is not None:
            return _refused(line.refused)
        return SendResult("accepted", refs=(line.ref,))

    def probe(self) -> bool:
        """The trunk answers, and there is a voice to speak with and a program to call with."""
        if shutil.which(PROGRAM) is None:
            raise SendError(MISSING)
        try:
            mandarin()
        except SoundError as e:
            raise SendError(text_of(e)) from e
        answers(self._url, self._timeout_s)
        with self._lock:
            self._own_folder()
        return True

    def close(self) -> None:
        """Calls that go on are ended; they are made again."""
        if self._closing:
            return
        self._closing = True
        self._poke()
        if self._thread is not None:
            self._thread.join()
        if self._here is not None:
            shutil.rmtree(self._here, ignore_errors=True)
        self._wake.close()
        self._woken.close()

    def _poke(self) -> None:
        """Something is new for the thread; after `close` for nobody."""
        with suppress(OSError):
            self._wake.send(b"x")

    def lines(self) -> int:
        """Calls under way."""
        with self._lock:
            return len(self._lines)

    def _dialled(self, to: str) -> str:
        number = self._row.trunk.number.replace("{to}", re.sub(r"[ -]", "", to))
        if not _NUMBER.fullmatch(number):
            raise SendError(_BAD_NUMBER, permanent=True)
        return number

    def _take_line(self, phone: str, parcel: Parcel) -> None:
        d, all_ = parcel.delivery, self._row.window
        urgent = d.level >= Level.RED or d.action == Action.MOVE
        with self._lock, _calling_lock:
            if self._closing:
                raise SendError(_CLOSED)
            if phone in _calling:
                raise SendError(_SAME, wait_s=_BUSY_S, full=True)
            if len(self._lines) >= (all_ if urgent else all_ - all_ // 4):
                raise SendError(_FULL, wait_s=_BUSY_S, full=True)
            _calling.add(phone)
            self._lines[phone] = None

    def _begin(self) -> None:
        with self._lock:
            if self._closing:
                raise SendError(_CLOSED)
            self._own_folder()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"calls-{self.name}")
                self._thread.start()

    def _free(self, phone: str) -> None:
        with self._lock, _calling_lock:
            self._lines.pop(phone, None)
            _calling.discard(phone)

    def _begun(self, phone: str, number: str, parcel: Parcel) -> _Line:
        trunk = self._row.trunk
        asked, text = parcel.delivery.code, parcel.text
        coded = bool(asked) or trunk.confirm == "code"
        digits = asked or (code_of(parcel.key) if coded else trunk.key)
        if asked:  # the prompt says it, so that one text is one sound for everybody
            text = without_code(text, parcel.delivery.lang, asked)
        sound = self._sound(text, parcel.delivery.lang, digits, coded)
        most_s = self._call_s - _LEFT_S
        ring_s = min(float(trunk.ring_s), max(_SHORTEST_RING_S, most_s - sound.once_s))
        # somebody who picks up late hears it to the end all the same
        most_s = max(most_s, ring_s + sound.once_s)
        plan = Plan(sound.heard_s, sound.whole_s, ring_s, most_s, digits, coded, bool(asked))
        with self._lock:
            self._made += 1
            assert self._here is not None
            folder = self._here / str(self._made)
        agent = Baresip(folder, self._url, trunk, self._login, sound, most_s)
        line = _Line(phone, parcel.key, Call(plan, time.monotonic()), agent, sound)
        line.ref = f"{self.name}|{uuid.uuid4().hex}"
        with self._lock:
            late = self._over  # nobody looks after it any more
            if not late:
                self._lines[phone] = line
                self._new.append(line)
        if late:
            agent.begin_end()
            while not agent.gone():
                time.sleep(0.01)
            raise SendError(_CLOSED)
        agent.dial(number)
        self._poke()
        return line

    def _sound(self, text: str, lang: str, digits: str, coded: bool) -> Spoken:
        """One text goes to many people, and is made once."""
        with self._speaking:
            found = self._sounds.get((text, lang, digits))
            until, why = self._dumb.get((text, lang, digits), (0.0, None))
            if found is None and why is not None and time.monotonic() < until:
                raise SendError(
                    why.detail, permanent=why.permanent
                )  # who waited for it need not wait once more each
            if found is None:
                try:
                    found = spoken(text, lang, self._row.trunk, digits, coded)
                except SoundError as e:
                    error = SendError(text_of(e), permanent=isinstance(e, UnspeakableError))
                    self._dumb = {(text, lang, digits): (time.monotonic() + _DUMB_S, error)}
                    raise error from e
                self._sounds[text, lang, digits] = found
                while len(self._sounds) > _SOUNDS:
                    self._sounds.popitem(last=False)
            return found

    def _own_folder(self) -> None:
        """With nothing in it of a process that died: calls, sounds, a password. Raises SendError."""
        if self._here is not None or self._closing:
            return
        try:
            if self._folder is None:
                self._here = Path(tempfile.mkdtemp(prefix="fengsui-calls-"))
                return
            end_leftovers(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(mode=0o700, parents=True)
            self._here = self._folder
        except OSError as e:
            raise SendError(_NO_FOLDER + str(e.strerror or e)) from e

    def _work(self) -> None:
        """Every call, until the carrier is closed."""
        lines: dict[int, _Line] = {}
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._woken, selectors.EVENT_READ)
            while not self._closing:
                ready = [key.fileobj for key, _ in waiting.select(_LOOK_S)]
                if self._woken in ready:
                    self._woken.recv(4096)
                with self._lock:
                    new, self._new = self._new, []
                for line in new:
                    waiting.register(line.agent.control, selectors.EVENT_READ)
                    lines[line.agent.control.fileno()] = line
                for fd, line in list(lines.items()):
                    try:
                        over = self._turn(line, line.agent.control in ready)
                    except Exception as e:  # noqa: BLE001  # of one call
                        _seldom("send", f"{self.name}: " + Text("呼叫出错 ", "a call: ") + fault(e))
                        over = True
                    if over:
                        waiting.unregister(line.agent.control)
                        del lines[fd]
                        self._ended(line)
                self._ending = [a for a in self._ending if not a.gone()]
                self._say_again()
        with self._lock:
            self._over = True
            left = [*lines.values(), *self._new]
        for line in left:
            line.call.hung_up()
            self._ended(line)
        while self._ending:
            self._ending = [a for a in self._ending if not a.gone()]
            time.sleep(0.01)

    def _turn(self, line: _Line, ready: bool) -> bool:
        """What a call has said, and what is due; True when nothing is left of it."""
        now = time.monotonic()
        for event in self._read(line) if ready else []:
            for do in line.call.heard(event, now):
                self._do(line, do, now)
            if event.kind in ("closed", "gone"):
                return True
        for do in line.call.tick(now):
            self._do(line, do, now)
        return line.given_up or (line.close_at is not None and now >= line.close_at)

    def _read(self, line: _Line) -> list[LineEvent]:
        try:
            data = line.agent.control.recv(65_536)
            found = [event_of(told) for told in line.reader.feed(data)]
        except (OSError, BrokenControl):
            data, found = b"", []
        events = [e for e in found if e is not None]
        return events if data else [*events, LineEvent("gone")]

    def _do(self, line: _Line, do: Do, now: float) -> None:
        match do.what:
            case "play":
                line.agent.play()
            case "ask":
                line.agent.ask()
            case "thank":
                line.agent.thank()
                line.close_at = now + line.sound.thanks_s
            case "hang_up":
                line.agent.hang_up()
                line.close_at = now + _HANG_UP_S
            case "tell":
                self._tell(line, do)

    def _tell(self, line: _Line, do: Do) -> None:
        with self._lock:
            if do.final and not line.returned:  # said to the thread that waits
                line.refused = line.refused or do
        line.first.set()
        if line.refused is None:
            # a word that came before the log knows of this very call would be taken for the one before
            # it; what confirms is a fact of the message, whichever call it was
            key = line.key if do.word.startswith("confirmed") else ""
            self._word(CarrierWord("voice", self.name, key, (line.ref,), do.word, do.detail))

    def _ended(self, line: _Line) -> None:
        line.agent.begin_end()
        self._free(line.phone)
        line.first.set()
        self._ending.append(line.agent)

    def _word(self, word: CarrierWord, until: float = 0.0) -> None:
        """Into the log; what it could not take is said again."""
        until = until or time.monotonic() + _UNSAID_MOST_S

        def done(kept: bool) -> None:
            now = time.monotonic()
            if not kept and now < until:
                with self._lock:
                    self._unsaid.append((now + _UNSAID_S, until, word))

        self._hear(word._replace(done=done))

    def _say_again(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [u for u in self._unsaid if u[0] <= now]
            self._unsaid = [u for u in self._unsaid if u[0] > now]
        for _, until, word in due:
            self._word(word, until)


def _telephone(to: str) -> str:
    """One for each way to write its number."""
    digits = re.sub(r"[^\d*#+]", "", to)
    digits = re.sub(r"^(\+|00)86", "", digits)
    return digits.lstrip("+0") or digits


def _refused(do: Do) -> SendResult:
    """What the trunk said at once. Raises SendError where it would say the same again, or another trunk may
    do better."""
    meaning = CALL[do.word]
    detail = do.detail
    if not do.route:
        detail = each(
            Text(meaning.words + " ", do.word.replace("_", " ") + " ") + detail, str.strip
        )
    if do.route:
        raise SendError(_NOT_CARRIED + detail)
    if meaning.permanent:
        raise SendError(detail, permanent=True)
    return SendResult("failed", detail)
