"""Locks against deletion, for an investigation: set and let go, with who and why, on disk, in the log and in
the ledger; and what `fengsui status` says of them.

The file beside the contacts (stream/disk/locks.py) holds people and their words; the record in the log
(dispatch/ledger/custody.py) holds the log itself, wherever `archive` runs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from config.language import Said, Text, text_of
from dispatch.ledger.custody import locked, note, noted
from dispatch.records import Custody
from dispatch.words.local_time import local
from fengsui.run.recipients import place
from fengsui.run.setup import Setup
from stream.disk import locks
from stream.disk.locks import Lock
from stream.log.port import Log, Unavailable

_DAY = "%Y-%m-%d %H:%M"


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


def held_people(setup: Setup, log: Log, ids: Sequence[str], now: int) -> dict[str, Text]:
    """Of these people those who may not be erased now, and why. A lock that the log has and this machine
    has no file of holds everybody. Raises ValueError: the file cannot be read."""
    here = locks.in_force(place(setup), now)
    found = {}
    elsewhere = [x for x in locked(noted(log), now) if x.incident not in {y.name for y in here}]
    for name in ids:
        if (mine := locks.holding(here, name)) is not None:
            found[name] = told(mine, setup.district.timezone)
        elif elsewhere:
            found[name] = _elsewhere(elsewhere[0])
    return found


def told(one: Lock, zone: str) -> Text:
    """A lock in words."""
    until, since = local(one.until_at, zone, _DAY), local(one.locked_at, zone, _DAY)
    return Text(
        f"保留锁：事件 {one.name}，{one.by} 于 {since} 锁，至 {until}，事由：{one.reason}",
        f"retention lock: incident {one.name}, by {one.by} at {since}, until {until}, because: {one.reason}",
    )


def _elsewhere(one: Custody) -> Text:
    return Text(
        f"日志里有事件 {one.incident} 的保留锁（{one.by}），本机没有它的名单：在本机再锁一次",
        f"the log has a retention lock of incident {one.incident} (by {one.by}) and this machine no list of "
        "whom it holds: lock it here again",
    )


def lock_lines(log: Log, folder: Path | None, now: int, zone: str) -> Iterator[Said]:
    """What is locked, for `fengsui status`; nothing where nothing is."""
    try:
        here = locks.in_force(folder, now) if folder is not None else []
    except ValueError as e:
        yield "! " + text_of(e)
        return
    for one in here:
        many = len(one.people)
        yield told(one, zone) + Text(
            f"；{many} 人不可删除，日志不按保留期清理，图片请勿删",
            f"; {many} people may not be erased, the log drops nothing by age, leave the pictures",
        )
    for said in locked(noted(log), now):
        if said.incident not in {x.name for x in here}:
            yield "! " + _elsewhere(said)
