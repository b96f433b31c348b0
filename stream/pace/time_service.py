"""Is this machine's clock kept by a time service? Asked of the kernel, whichever service it is.

NTP's daemons (chrony, ntpd, systemd-timesyncd, a PTP daemon) tell the Linux kernel that they keep its
clock and how far it may be off; the kernel takes the first back by itself once that is more than 16 s.
Asking changes nothing and needs no right. Source: adjtimex(2), Linux man-pages; RFC 5905, 11.3.
"""

import ctypes
from typing import NamedTuple

from config.language import Text

_STA_UNSYNC = 0x0040  # <sys/timex.h>
_TIME_ERROR = 5
FAR_MS = 1_000.0  # a clock that may be further off than this is as good as not kept: readings are
# judged by the second, and a device that is five minutes ahead is refused


class _Timex(ctypes.Structure):
    """`struct timex` as far as it is read; what follows is the kernel's."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )


class TimeService(NamedTuple):
    """kept: a service keeps the clock; most_off_ms: how far it may be off at most, as that says."""

    kept: bool
    most_off_ms: float


def judged(state: int, status: int, maxerror_us: int) -> TimeService:
    """Of what the kernel answered. state: its return value; maxerror_us: in microseconds."""
    kept = state not in (-1, _TIME_ERROR) and not status & _STA_UNSYNC
    return TimeService(kept and maxerror_us / 1000 <= FAR_MS, maxerror_us / 1000)


def asked() -> TimeService | None:
    """Of this machine now; None where there is no such question, or no answer to it."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        ask = libc.adjtimex
    except (OSError, AttributeError):  # not Linux
        return None
    answer = _Timex()  # modes 0: nothing is set
    state = ask(ctypes.byref(answer))
    if state == -1 and ctypes.get_errno():
        return None  # a container whose runtime forbids it
    return judged(state, answer.status, answer.maxerror)


def as_metric() -> float:
    """1: kept, 0: not, -1: nobody can say."""
    found = asked()
    return -1.0 if found is None else float(found.kept)


def told(found: TimeService | None) -> Text:
    """For the operator, with what to do."""
    if found is None:
        return Text(
            "对时：这里看不到内核的对时状态，请在主机上用 timedatectl 看",
            "the kernel does not say here whether a time service keeps the clock: look at the host "
            "(chronyc tracking, or timedatectl)",
        )
    if found.kept:
        return Text(
            f"对时：有服务对时，最多差 {found.most_off_ms:.0f} ms",
            f"a time service keeps the clock, at most {found.most_off_ms:.0f} ms off",
        )
    return Text(
        "! 对时：没有服务给这台机器对时。装 chrony 或开 systemd-timesyncd，指向本单位的时间服务器；"
        "时钟差了，时限、静默和读数的时间都跟着错",
        "! no time service keeps this machine's clock: install chrony, or turn systemd-timesyncd on, "
        "with your own time servers. Deadlines, silence and the times of readings are as wrong as it is",
    )
