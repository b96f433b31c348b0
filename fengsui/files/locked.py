"""What is locked against deletion, in words: for `fengsui status`, and for whoever is refused."""

from collections.abc import Iterator
from pathlib import Path

from config.language import Said, Text, text_of
from dispatch.ledger.custody import locked, noted
from dispatch.records import Custody
from dispatch.words.local_time import local
from stream.disk import locks
from stream.disk.locks import Lock
from stream.log.port import Log

_DAY = "%Y-%m-%d %H:%M"


def told(one: Lock, zone: str) -> Text:
    """A lock in words."""
    until, since = local(one.until_at, zone, _DAY), local(one.locked_at, zone, _DAY)
    return Text(
        f"保留锁：事件 {one.name}，{one.by} 于 {since} 锁，至 {until}，事由：{one.reason}",
        f"retention lock: incident {one.name}, by {one.by} at {since}, until {until}, because: {one.reason}",
    )


def elsewhere(one: Custody) -> Text:
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
            f"；{many} 人不可删除，日志不按保留期清理，图片不删",
            f"; {many} people may not be erased, the log drops nothing by age and no picture is deleted",
        )
    for said in locked(noted(log), now):
        if said.incident not in {x.name for x in here}:
            yield "! " + elsewhere(said)
