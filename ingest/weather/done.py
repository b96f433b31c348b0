"""Files that were read and are old go: from `done` alone, and only what the log has."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from config.records.devices.weather import WeatherForm
from ingest.weather.folder import DONE
from ingest.weather.memory import digest_of
from ingest.weather.table import MOST_BYTES

_DAY_MS = 86_400_000
_A_TIME = 2000  # files; what is more goes at the next time


def sweep_done(
    folder: Path, forms: Mapping[str, WeatherForm], in_log: Callable[[str], bool], now: int
) -> int:
    """Delete from `done` of this folder what its form keeps for fewer days than ago it was moved there, and
    whose bytes `in_log` knows by their digest; returns how many. A file that somebody else laid there, that
    was written since, or that is remembered no more stays. Raises OSError."""
    if not any(f.keep_days for f in forms.values()):
        return 0
    gone = 0
    try:
        entries = sorted(os.scandir(folder / DONE), key=lambda e: e.name)
    except FileNotFoundError:
        return 0
    for entry in entries:
        days = _days(entry.name, forms)
        if not days or gone >= _A_TIME:
            continue
        with suppress(FileNotFoundError):
            if not entry.is_file(follow_symlinks=False):
                continue
            stat = entry.stat(follow_symlinks=False)
            moved_at = int(max(stat.st_ctime, stat.st_mtime) * 1000)  # a move changes its ctime
            if now - moved_at < days * _DAY_MS or stat.st_size > MOST_BYTES:
                continue
            path = Path(entry.path)
            if in_log(digest_of(path.read_bytes())):
                path.unlink()
                gone += 1
    return gone


def _days(name: str, forms: Mapping[str, WeatherForm]) -> int:
    """How long a file of this name is kept; 0: for ever. A second file of one name has a piece of its digest
    before the ending (`DropFolder.put`)."""
    stem, dot, ending = name.rpartition(".")
    first = stem.rpartition(".")[0] + dot + ending
    for form in forms.values():
        if any(fnmatchcase(n, p) for n in (name, first) for p in form.patterns):
            return form.keep_days
    return 0
