"""The line's own clock. In a live run it follows the wall clock, but does not believe it blindly.

Deadlines, silence and what is too far in the future are reckoned with this clock. A wall clock that
is set wrong for a while (a bad time server, a person, a battery that died) must neither end every
warning at once nor, after it is set back, stop every deadline until the old time is reached again.
"""

import threading
import time
from collections.abc import Callable

import msgspec

from config.language import Said, Text, en, zh
from stream import metrics
from stream.log.port import Log
from stream.oplog import say
from stream.records import Tick, decode

SMALL_MS = 2_000  # a time service that slews stays below this
_tick = msgspec.json.Decoder(Tick)
_DAY_MS = 86_400_000
HELD_MS = 600_000  # so long a step must last before it is followed


def steady_ms() -> int:
    """A clock that nobody sets and that counts a machine's sleep, where the system has one."""
    which = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(which) // 1_000_000


class LineClock:
    """Epoch ms, UTC; it never goes back and never stands still for more than `SMALL_MS`.

    A step of the wall clock against the steady one is said and held off for `HELD_MS`, in which the
    steady clock leads. If it lasts, a step ahead is followed at once; after a step back the clock
    goes on at half speed until both agree. floor: the newest time in the log, before which a clock
    that starts cannot be: the stages would ignore it.
    """

    def __init__(
        self,
        wall: Callable[[], int],
        steady: Callable[[], int] = steady_ms,
        *,
        floor: int = 0,
        name: str = "",
    ) -> None:
        self._wall, self._steady, self._name = wall, steady, name
        self._lock = threading.Lock()
        self._steady_at = steady()
        self._last = max(wall(), floor)
        self._step_at: int | None = None  # steady time at which a step was seen
        self._slewing = floor > wall() + SMALL_MS
        self._told_step: int | None = None  # what the gauge shows
        if self._slewing:
            self._tell(wall() - floor, Text("日志里已有更晚的时间", "the log holds a later time"))

    def read(self) -> int:
        """Now."""
        with self._lock:
            steady, wall = self._steady(), self._wall()
            passed, self._steady_at = max(steady - self._steady_at, 0), steady
            step = wall - (self._last + passed)
            if step != self._told_step:
                self._told_step = step
                metrics.CLOCK_STEP.set(step / 1000)
            if abs(step) <= SMALL_MS:
                if self._step_at is not None or self._slewing:
                    say(self._name, Text("时钟一致了", "the clock agrees again"))
                self._step_at, self._slewing = None, False
                self._last = max(self._last, wall)
            elif self._slewing and step < 0:
                self._last += (passed + 1) // 2
            else:
                self._slewing = False
                self._last += passed
                self._hold(step, steady, wall)
            return self._last

    def _hold(self, step: int, steady: int, wall: int) -> None:
        if self._step_at is None:
            self._step_at = steady
            self._tell(
                step,
                Text("系统时钟跳变，先不采信", "the system clock was set: not followed for 10 min"),
            )
        elif steady - self._step_at >= HELD_MS:
            self._step_at = None
            self._tell(step, Text("采信新时钟", "the new time is followed now"))
            if step > 0:
                self._last = wall
            else:
                self._slewing = True

    def _tell(self, step: int, what: Said) -> None:
        say(
            self._name,
            Text(
                f"{zh(what)}（{step / 1000:+.0f} s）；检查对时",
                f"{en(what)} ({step / 1000:+.0f} s); look at the time service (NTP), or set it "
                "right",
            ),
        )


def trusted(
    now: Callable[[], int], floor: int, steady: Callable[[], int] = steady_ms
) -> Callable[[], int]:
    """A clock to throw things away by (ms): `now`, but never further on than the newest time of the
    log at the start and a day and twice the time that has passed since. A machine that comes up with
    a clock 400 days ahead drops nothing for that. floor 0: the log knows no time yet."""
    began, first = steady(), floor or now()
    return lambda: min(now(), first + _DAY_MS + 2 * (steady() - began))


def last_tick(log: Log, topic: str = "observations") -> int:
    """The newest time in a topic (ms), 0 if there is none yet: where a stage that was started again
    goes on."""
    return max(_last_of(log, topic, p) for p in range(log.topics[topic].partitions))


def _last_of(log: Log, topic: str, partition: int) -> int:
    oldest, end = log.starts(topic)[partition], log.ends(topic)[partition]
    back, newest = 256, 0
    while end > oldest and not newest:
        for entry in log.read(topic, partition, max(oldest, end - back), back):
            if entry.key == "tick":
                newest = max(newest, _clock_of(entry.value))
        if back >= end - oldest:
            break
        back *= 8
    return newest


def _clock_of(value: bytes) -> int:
    tick = decode(_tick.decode, value)  # None: another program's; the stage that reads it tells
    return tick.clock_at if tick is not None else 0
