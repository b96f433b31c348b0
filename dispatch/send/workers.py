"""The hands of send: begins attempts in threads, and writes what became of them to the log.

The runner calls `after` on each pass. Each channel has a desk: a few attempts ahead, the most urgent
first, and threads that take from it when the channel has room. The result of an attempt becomes a
`Receipt` in `deliveries`, and only when that receipt has been read back is the delivery free for
another attempt. A crash loses results, never intentions.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from config.language import Said, Text, each, text_of
from dispatch.channels import Channel, SendError
from dispatch.channels.failover import NO_CARRIER
from dispatch.proving.codes import AnswerCodes
from dispatch.records import Receipt, RouteHealth, State
from dispatch.send.answer_codes import with_figures
from dispatch.send.desk import PER_CHANNEL, RESERVE, ChannelDesk, Try
from dispatch.send.outbox.attempts import Agenda
from dispatch.send.outbox.never_sent import UNSAID, is_unsaid, perhaps_begun
from dispatch.send.outbox.state import Attempt, Box, passed
from stream.guard import fault, once
from stream.limits import clean
from stream.log.port import Log, Out, Unavailable
from stream.pace.retry import Retry
from stream.records import encode

_BATCH = 500
_WITHOUT = 2000  # of one pass, while no carrier of a channel works
_LOOK_AGAIN_MS = 5_000
_DOWN_S = 2.0
_SLOW_MS = 10_000
_TOO_SLOW = Text("通道太慢", "the carriers are too slow")


class AttemptResult(NamedTuple):
    """What became of one attempt."""

    state: State
    permanent: bool
    detail: Said
    refs: tuple[str, ...] = ()
    unsent: bool = False  # no attempt was made


class Clock:
    """The run's clock, epoch ms. Live it is the wall clock `now`, in an exercise the scenario's:
    what the outbox has heard."""

    def __init__(self, live: bool, now: Callable[[], int]) -> None:
        self.live = live
        self.heard_at = 0
        self._now = now

    def read(self) -> int:
        return max(self.heard_at, self._now()) if self.live else self.heard_at


class Sender:
    """channels: by name. groups: the watch groups whose marks count for `passed_at`. threads: of each
    channel; without any, `work` makes the attempts. codes: whose figures go into messages. steady: seconds,
    of a clock that never goes back."""

    def __init__(
        self,
        log: Log,
        channels: Mapping[str, Channel],
        clock: Clock,
        groups: Sequence[str],
        threads: int = PER_CHANNEL + RESERVE,
        steady: Callable[[], float] = time.monotonic,
        codes: AnswerCodes | None = None,
    ) -> None:
        self._threads, self._steady, self._codes = threads, steady, codes
        self._log = log
        self._channels = channels
        self._clock = clock
        self._groups = groups
        self._agenda = Agenda()
        self._begun: dict[str, Try] = {}
        self._before: tuple[Box | None, set[str]] = None, set()  # what others may have begun
        self._tried: set[str] = set()  # what was begun here
        self._results: queue.Queue[Receipt | RouteHealth] = queue.Queue()
        self._closing = threading.Event()
        self.failed: BaseException | None = None  # of a thread; `after` raises it
        self._writer = threading.Thread(target=self._write_all, name="receipts")
        if threads:
            self._writer.start()
        self._unwritten: list[Out] = []  # what `work` could not write yet
        self._desks: dict[str, ChannelDesk] = {}
        self.box: Box | None = None
        self.passed_at = 0

    def after(self, box: Box | None) -> None:
        """Take note of what has been read back, begin what is due. Runner's thread only."""
        if self.failed is not None:
            raise self.failed
        self.box = box
        if box is None:
            self._put_back()
            return
        self._clock.heard_at = box.clock_at
        if box is not self._before[0]:
            self._before = box, perhaps_begun(box)
        if len(self._tried) > len(box.entries):
            self._tried &= box.entries.keys()
        self._agenda.follow(box)
        at = self._clock.read()
        for delivery, one in list(self._begun.items()):
            a, e = one.attempt, box.entries.get(delivery)
            if one.told:
                over = e is None or e.done or e.heard >= (a.route, a.attempt)
            else:  # on a desk: what ended meanwhile, by a newer version or by its expiry, is not sent
                gone = e is None or e.done or e.held or at >= a.delivery.expires_at
                over = gone and self._withdraw(one)
                if not gone and self._too_slow(one, at) and self._withdraw(one):
                    self._say(one, AttemptResult("failed", True, _TOO_SLOW, unsent=True), at)
            if over:
                del self._begun[delivery]
                self._agenda.end(delivery)
        self._begin(at)
        if not self._clock.live:
            busy = bool(self._begun) or not self._agenda.idle(box.clock_at)
            self.passed_at = max(self.passed_at, passed(box, self._groups, busy))

    def _put_back(self) -> None:
        """Another member has the outbox: what no thread has taken is that member's to send, or not."""
        for delivery, one in list(self._begun.items()):
            if not one.told and self._withdraw(one):
                del self._begun[delivery]
                self._agenda.end(delivery)

    def _end(self, why: BaseException) -> None:
        self.failed = why

    def tell(self, health: RouteHealth) -> None:
        """A word on a way out, for the log. From any thread."""
        self._results.put(health)

    def _begin(self, at: int) -> None:
        for name in self._agenda.channels(at):
            desk = self._desks.get(name) or self._open(name)
            if desk.down():
                self._without(name, at)
                continue
            for _ in range(desk.room()):
                attempt = self._agenda.take(name, at)
                if attempt is None:
                    break
                one = self._begun[attempt.delivery.id] = Try(attempt, at)
                if not self._unsaid(one, at):
                    self._tried.add(attempt.delivery.id)
                    desk.put(one)

    def _unsaid(self, one: Try, at: int) -> bool:
        """It is the end of a warning that never went out: that is said, and nothing sent."""
        assert self.box is not None
        found = is_unsaid(self.box, one.attempt.delivery, self._may_be_out)
        if found:
            self._say(one, AttemptResult("superseded", True, UNSAID, unsent=True), at)
        return found

    def _may_be_out(self, delivery: str) -> bool:
        return delivery in self._tried or delivery in self._before[1]

    def _withdraw(self, one: Try) -> bool:
        """Take it off its desk; False if a thread has it."""
        gone = self._desk(one.attempt).withdraw(one)
        if gone and one.attempt.attempt == 1 and not one.attempt.route:
            self._tried.discard(one.attempt.delivery.id)
        return gone

    def _without(self, name: str, at: int) -> None:
        """No carrier of the channel works: go on to the next way where there is one, else wait for
        this one to come back, until the deadline."""
        for _ in range(_WITHOUT):
            attempt = self._agenda.take(name, at)
            if attempt is None:
                return
            d = attempt.delivery
            one = Try(attempt, at)
            if self._unsaid(one, at):
                self._begun[d.id] = one
            elif attempt.route + 1 < len(d.routes) or at >= d.deadline_at:
                self._begun[d.id] = one
                self._say(one, AttemptResult("failed", True, NO_CARRIER, unsent=True), at)
            else:
                self._agenda.end(d.id, at + _LOOK_AGAIN_MS)

    def _too_slow(self, one: Try, at: int) -> bool:
        """It waits on the desk after its deadline, and has another way."""
        d = one.attempt.delivery
        # in an exercise a machine that is slow must not decide anything
        late = self._clock.live and at >= d.deadline_at and at - one.begun_at > _SLOW_MS
        return late and one.attempt.route + 1 < len(d.routes)

    def _open(self, name: str) -> ChannelDesk:
        channel = self._channels.get(name)
        desk = self._desks[name] = ChannelDesk(
            name, channel, self._make, self._end, self._threads, self._steady
        )
        return desk

    def _desk(self, attempt: Attempt) -> ChannelDesk:
        return self._desks[attempt.delivery.routes[attempt.route].channel]

    def _make(self, one: Try) -> bool:
        """One attempt and its receipt. False: the carriers had no room, nothing was sent."""
        a = one.attempt
        try:
            outcome = self.tried(a)
        except SendError as e:
            self._desk(a).pause(e.wait_s or _DOWN_S)
            return False
        self._say(one, outcome, self._clock.read() if self._clock.live else one.begun_at)
        return True

    def _say(self, one: Try, outcome: AttemptResult, at: int) -> None:
        a = one.attempt
        self._results.put(
            Receipt(
                delivery=a.delivery.id,
                route=a.route,
                state=outcome.state,
                receipt_at=at,
                attempt=a.attempt,
                permanent=outcome.permanent,
                detail=outcome.detail,
                refs=outcome.refs,
                unsent=outcome.unsent,
            )
        )
        one.told = True

    def tried(self, attempt: Attempt) -> AttemptResult:
        """One attempt on its channel, as data. Raises SendError when the carriers are busy."""
        routes = attempt.delivery.routes
        route = routes[attempt.route]
        channel = self._channels.get(route.channel)
        if channel is None:
            name = route.channel
            return AttemptResult(
                "failed", True, Text(f"没有渠道 {name}", f"there is no channel {name}")
            )
        try:
            told = channel.send(*with_figures(self._codes, attempt.delivery, route), attempt.key)
        except SendError as e:
            overdue = self._clock.read() >= attempt.delivery.deadline_at
            on = attempt.route + 1 < len(routes) or overdue
            if e.wait_s or (e.down and not on):
                raise
            return AttemptResult("failed", e.permanent or e.down, e.detail)
        except Exception as e:  # noqa: BLE001  # a fault in one channel must not silence the others
            # the words of an unknown error may hold a number: only its kind and place are kept
            detail = Text("程序出错 ", "program error ") + fault(e)
            once("send", f"{route.channel}: " + detail)
            return AttemptResult("failed", True, detail)
        return AttemptResult(told.state, False, told.detail, told.refs)

    def _write_all(self) -> None:
        while True:
            try:
                batch = [self._results.get(timeout=0.2)]
            except queue.Empty:
                if self._closing.is_set():
                    return
                continue
            while len(batch) < _BATCH and not self._results.empty():
                batch.append(self._results.get())
            try:
                append(self._log, [_out(r) for r in batch], self._closing)
            except BaseException as e:  # noqa: BLE001  # the stage ends with it, see `after`
                self.failed = e
                return

    def work(self) -> None:
        """Without threads: the attempts that may be made now, then what came of them into the log.
        Raises Unavailable; what is not written is written the next time."""
        for desk in self._desks.values():
            while desk.turn():
                pass
        while not self._results.empty():
            self._unwritten.append(_out(self._results.get()))
        if self._unwritten:
            self._log.append(self._unwritten)
            self._unwritten = []

    def close(self) -> None:
        """Waits for attempts under way, and writes their receipts."""
        for desk in self._desks.values():
            desk.close()
        self._closing.set()
        self._writer.join()


def _out(r: Receipt | RouteHealth) -> Out:
    """As the log is given it; whatever a carrier wrote into its words, the state is kept."""
    key = r.delivery if isinstance(r, Receipt) else f"route:{r.channel}/{r.carrier}"
    r = msgspec.structs.replace(r, detail=each(r.detail, clean))
    if isinstance(r, Receipt):
        r = msgspec.structs.replace(r, refs=tuple(clean(ref) for ref in r.refs))
    return Out("deliveries", key, encode(r))


def append(log: Log, outs: Sequence[Out], stop: threading.Event) -> bool:
    """Until the log has them: True. While it is away, try again; False once `stop` is set."""
    retry = Retry("send", stop, 0.5)
    while True:
        try:
            log.append(outs)
            return True
        except Unavailable as e:
            if retry.wait(text_of(e)):
                return False  # what is not written is tried again after the start
