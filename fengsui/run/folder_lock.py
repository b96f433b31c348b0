"""One line for one folder."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from config.language import Text
from stream.environment import Usage


@contextlib.contextmanager
def held(folder: Path, leaves_s: float) -> Iterator[None]:
    """Raises `Usage` while another line has this run's folder: at a broker that is not embedded each
    would be the other's users, and throw the other off for as long as both run. The lock ends with
    its process, however that ends. leaves_s: so long a line that was stopped may take to end."""
    with (folder / "line.lock").open("a") as lock:
        until = time.monotonic() + leaves_s
        while not _locked(lock.fileno()):
            if time.monotonic() > until:
                raise Usage(
                    Text(
                        f"{folder}: 已有一条线在此目录运行：先停掉它，或换 --run 或 --state",
                        f"{folder}: a line runs on this folder already: stop it first, or use another "
                        "--run or --state",
                    )
                )
            time.sleep(0.2)
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
