"""What a process may take that reads a stranger's bytes: memory, time, and no file of its own."""

import resource
from contextlib import suppress
from pathlib import Path


def bound(memory: int, cpu_s: int) -> None:
    """From here on, for this process. memory: bytes of address space, the interpreter and its libraries
    among them. It writes no file and no core, and whoever needs a process's memory back takes this one
    first."""
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
