"""Locks against deletion, for an investigation: set and let go, with who and why, on disk, in the log and in
the ledger. What is said of them: fengsui/files/locked.py.

The file beside the contacts (stream/disk/locks.py) holds people and their words; the record in the log
(dispatch/ledger/custody.py) holds the log itself, wherever `archive` runs.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from config.language import Said, Text, text_of
from dispatch.ledger.custody import locked, note, noted
from dispatch.records import Custody
from fengsui.files.locked import elsewhere, told
from fengsui.run.recipients import place
from fengsui.run.setup import Setup
from stream.disk import locks
from stream.disk.locks import Lock
from stream.log.port import Log, Unavailable


def lock(setup: Setup, log: Log, said: Custody, people: Sequence[str]) -> Iterator[Said]:
    """Set it; yields what could not be held here, and what to do. Raises ValueError, OSError, Unavailable."""
    one = Lock(
        name=said.incident, by=said.by, reason=said.reason, locked_at=said.said_at,
        until_at=said.until_at, people=tuple(people),
    )  # fmt: skip
    for folder in _folders(setup):
        locks.add(folder, one)
    note(log, said)
    yield from _server(log, held=True)


def release(setup: Setup, log: Log, said: Custody) -> tuple[int, list[Said]]:
    """Let go of all locks of the incident: how many, and what to do besides. Raises as `lock` does."""
    many = [
        locks.release(folder, said.incident, said.by, said.reason, said.said_at)
        for folder in _folders(setup)
    ]
    known = noted(log)
    theirs = [x for x in locked(known, said.said_at) if x.incident == said.incident]
    if theirs:
        note(log, said)
    others = locked([*known, said], said.said_at)
    return max(*many, len(theirs)), [] if others else list(_server(log, held=False))


def _folders(setup: Setup) -> list[Path]:
    """The run's own, and that of the contacts where it is another."""
    return list(dict.fromkeys((setup.folder, place(setup))))


def _server(log: Log, *, held: bool) -> Iterator[Said]:
    """A log whose server drops records by age is told not to, or to do so again."""
    try:
        log.hold(held)
    except Unavailable as e:
        wanted = (
            Text(
                "! 日志的服务器仍会按保留期删：",
                "! the log's server still drops what is past its retention: ",
            )
            if held
            else Text("! 日志的服务器仍什么都不删：", "! the log's server still drops nothing: ")
        )
        again = Text(
            "；用管理员的地址再做一次（FENGSUI_LOG）",
            "; do it again with an administrator's address (FENGSUI_LOG)",
        )
        yield wanted + text_of(e) + again


def held_people(
    setup: Setup,
    log: Log,
    ids: Sequence[str],
    now: int,
    people: Callable[[str], Sequence[str]],
) -> dict[str, Text]:
    """Of these people those who may not be erased now, and why. people: who stands in an incident's records
    by now; it may have gone on since it was locked. A lock that the log has and this machine has no file of
    holds everybody. Raises ValueError: the file cannot be read."""
    here = [
        msgspec.structs.replace(x, people=(*x.people, *people(x.name)))
        for x in locks.in_force(place(setup), now)
    ]
    found = {}
    others = [x for x in locked(noted(log), now) if x.incident not in {y.name for y in here}]
    for name in ids:
        if (mine := locks.holding(here, name)) is not None:
            found[name] = told(mine, setup.district.timezone)
        elif others:
            found[name] = elsewhere(others[0])
    return found
