"""Plays a district's own scenarios: given this series, these levels at these times.

One that came as expected need not be played again while nothing that it rests on has changed: which did
is remembered in the user's cache folder, by a digest of the district's files, of the scenario, and of the
program with Python and every package that is installed."""

import hashlib
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from config.language import Said, Text, joined
from config.records.district import District
from config.records.level import ACTION_EN, ACTION_ZH, LEVEL_EN, LEVEL_ZH, Action, Level
from config.scenarios import CheckScenario, Expect, scenarios
from dispatch.words.local_time import local
from fengsui.inquiry.software import source_digest
from fengsui.play.in_memory import Inline
from ingest.observation import Observation
from stream.disk.files import make_folder, write_file
from stream.records import Run

_SLOT_MS = 60_000
# A record of weeks that only says how wet the ground is needs no clock of each minute. From so long before
# anything is expected every minute is a step, as on the line; before that every reading is one, and every
# ten minutes while anything stands.
_CLOSE_MS = 60 * 60_000
_FAR_MS = 10 * 60_000


def _standing(inline: Inline) -> bool:
    """Whether a rule or a warning has a level, so that time alone may change something."""
    rules = {(d.area, d.hazard, d.rule): (d.level, d.action) for d in inline.detections}
    warnings = {(a.area, a.hazard): (a.level, a.action) for a in inline.alerts}
    quiet = (Level.NONE, Action.NONE)
    return any(found != quiet for found in (*rules.values(), *warnings.values()))


def _next(inline: Inline, clock_at: int, soon: int) -> int:
    """The next step of the clock: of the line's minutes the one at which, or before which, `soon` is."""
    if soon > clock_at + _FAR_MS and _standing(inline):
        soon = clock_at + _FAR_MS
    return clock_at + max(1, -(-(soon - clock_at) // _SLOT_MS)) * _SLOT_MS


def _digest(picture: bytes) -> str:
    """As the frame store names it."""
    return hashlib.sha256(picture).hexdigest()


def play(district: District, scenario: CheckScenario) -> list[Said]:
    """What did not come as expected, in words; empty when all is as the scenario says."""
    rows = sorted(scenario.observations, key=lambda o: o.observed_at)
    pictures = {_digest(o.picture): o.picture for o in rows if o.picture}
    ends = [e.at for e in scenario.expect]
    start_at = min(rows[0].observed_at, min(ends)) - _SLOT_MS
    run = Run(
        name="exercise-check",
        kind="exercise",
        district=district.id,
        config=district.version,
        start_at=start_at,
    )
    inline = Inline(district, run, pictures.get)
    n, clock_at = 0, start_at
    close_at, last_at = min(ends) - _CLOSE_MS, max(rows[-1].observed_at, max(ends)) + _SLOT_MS
    while clock_at <= last_at:
        batch = []
        while n < len(rows) and rows[n].observed_at <= clock_at:
            o = rows[n]
            batch.append(
                Observation(
                    station=o.station,
                    quantity=o.quantity,
                    observed_at=o.observed_at,
                    value=o.value,
                    ref=_digest(o.picture) if o.picture else "",
                )
            )
            n += 1
        inline.slot(batch, clock_at)
        soon = rows[n].observed_at if n < len(rows) else last_at
        clock_at = _next(inline, clock_at, min(close_at, soon))
    return [miss for e in scenario.expect if (miss := _miss(district, inline, e))]


def _miss(district: District, inline: Inline, e: Expect) -> Said:
    """In words, or empty if it is as expected."""
    zone = district.timezone
    where = f"{e.area} {e.hazard} {local(e.at, zone, '%m-%d %H:%M')}"
    versions = [a for a in inline.alerts if (a.area, a.hazard) == (e.area, e.hazard)]
    if e.how == "thin":
        thin = any(d.thin for d in inline.detections if d.area == e.area and d.detected_at <= e.at)
        return "" if thin else Text(f"{where}: 应报证据不足", f"{where}: expected thin evidence")
    before = [(a.proposed_level, a.proposed_action) for a in versions if a.sent_at <= e.at]
    if e.rule:
        where += f" {e.rule}"
        before = [
            (d.level, d.action)
            for d in inline.detections
            if (d.area, d.hazard, d.rule) == (e.area, e.hazard, e.rule) and d.detected_at <= e.at
        ]
    level, action = before[-1] if before else (Level.NONE, Action.NONE)
    if e.how == "by":
        level = max((found for found, _ in before), default=level)
        action = max((found for _, found in before), default=action)
    wrong = []
    if e.level is not None and (level < e.level if e.how == "by" else level != e.level):
        wrong.append(
            Text(
                f"应为{LEVEL_ZH[e.level]}，得{LEVEL_ZH[level]}",
                f"expected {LEVEL_EN[e.level]}, got {LEVEL_EN[level]}",
            )
        )
    if e.action is not None and (action < e.action if e.how == "by" else action != e.action):
        wrong.append(
            Text(
                f"应为{ACTION_ZH[e.action]}，得{ACTION_ZH[action]}",
                f"expected {ACTION_EN[e.action]}, got {ACTION_EN[action]}",
            )
        )
    return f"{where}: " + joined(wrong, Text("；", "; ")) if wrong else ""


class PlayedScenario(NamedTuple):
    """Of one scenario. name: with its title. misses: what did not come as expected. remembered: it was not
    played, for it came as expected before and nothing has changed."""

    name: Said
    misses: list[Said]
    remembered: bool


class Passed:
    """Which scenarios of a folder came as expected, as the user's cache folder has it; without one nothing is
    remembered. A file that is no such list, of another program, damaged, or such as others can write, is as
    none: what it should have held is played again. Only what came as expected is remembered, so that a miss is
    always seen anew."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._now: list[str] = []
        folder = district.folder.resolve()
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        cache = _cache_folder()
        self._file = cache and cache / "fengsui" / f"scenarios-{name}.json"
        self._before: frozenset[str] = frozenset()
        if self._file is not None:
            with suppress(OSError, ValueError):  # msgspec's errors are ValueErrors
                self._before = frozenset(_passed.decode(_own(self._file)))
        python = (platform.python_version(), platform.machine(), str(sys.flags.optimize))
        by = (source_digest(), *python, *_packages())
        self._on = "\0".join((*by, district.id, district.version)).encode()

    def digest(self, scenario: CheckScenario) -> str:
        """Of all that the verdict rests on."""
        asked = msgspec.msgpack.encode((scenario.name, scenario.observations, scenario.expect))
        return hashlib.sha256(self._on + b"\0" + asked).hexdigest()

    def holds(self, digest: str) -> bool:
        return digest in self._before

    def add(self, digest: str) -> None:
        self._now.append(digest)

    def keep(self) -> None:
        """For the next time. A folder that cannot be written costs a play, and nothing else."""
        if self._file is not None and self._before != frozenset(self._now):
            with suppress(OSError):
                make_folder(self._file.parent, 0o700)
                write_file(self._file, msgspec.json.encode(self._now))


_passed = msgspec.json.Decoder(list[str])


def _packages() -> Iterator[str]:
    """Name and version of each that is installed: which of them a verdict rests on, nobody has to know."""
    for place in map(Path, sys.path):
        with suppress(OSError):
            yield from sorted(p.name for p in place.iterdir() if p.suffix in (".dist-info", ".egg-info"))


def _own(file: Path) -> bytes:
    """What a file says that nobody else may write; b"" of any other. Raises OSError."""
    with file.open("rb") as f:
        of = os.fstat(f.fileno())
        mine = not hasattr(os, "getuid") or (of.st_uid == os.getuid() and not of.st_mode & 0o022)
        return f.read() if mine else b""


def _cache_folder() -> Path | None:
    """XDG_CACHE_HOME, else ~/.cache (XDG Base Directory Specification 0.8); None where nobody has a home."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():
        return given
    with suppress(RuntimeError):
        return Path.home() / ".cache"
    return None


def play_scenarios(district: District, *, anew: bool = False) -> Iterator[PlayedScenario]:
    """Each scenario's verdict. anew: all are played, whatever is remembered."""
    passed = Passed(district)
    for scenario in scenarios(district):
        digest = passed.digest(scenario)
        remembered = passed.holds(digest) and not anew
        misses = [] if remembered else play(district, scenario)
        if not misses:
            passed.add(digest)
        yield PlayedScenario(f"{scenario.name}: " + scenario.title, misses, remembered)
    passed.keep()
