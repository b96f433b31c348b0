"""Who does a stage's work: which partitions have an owner, which are nobody's and since when, and whether
somebody stands by."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from config.language import Text, joined
from console.model.follow import DECODERS, came
from dispatch.words.local_time import local
from fengsui.run.run_log import READS
from stream.log.port import Log, Owners
from stream.log.unread import unread_by_partition
from stream.records import decode

_NAMED = 4
_FORM = "%m-%d %H:%M:%S"
_COMMA = Text("、", ", ")


class Nobodys(NamedTuple):
    """A partition without an owner. gone_at: its last owner was heard of then; unread_at: the oldest record
    that nobody has read came then. Both ms, 0: not known, or none."""

    partition: int
    gone_at: int
    unread: int
    unread_at: int


class AtWork(NamedTuple):
    """A stage on the topic that it reads. unread: records, a partition each."""

    stage: str
    topic: str
    unread: list[int]
    owners: Owners
    nobodys: list[Nobodys]

    @property
    def partitions(self) -> int:
        return len(self.unread)

    @property
    def abandoned(self) -> bool:
        """Nobody does any of it, and nobody stands by."""
        return len(self.nobodys) == self.partitions and not self.owners.standby


def at_work(log: Log) -> list[AtWork]:
    """Every stage, asked now. Raises Unavailable."""
    return [_stage(log, stage, topic) for stage, topic in READS.items()]


def _stage(log: Log, stage: str, topic: str) -> AtWork:
    many, owners = unread_by_partition(log, topic, stage), log.owners(topic, stage)
    found = []
    for partition, who in enumerate(owners.held):
        if who or owners.moving:
            continue
        gone_at = owners.gone_at[partition] if owners.gone_at else 0
        since = _oldest(log, topic, stage, partition) if many[partition] else 0
        found.append(Nobodys(partition, gone_at, many[partition], since))
    return AtWork(stage, topic, many, owners, found)


def _oldest(log: Log, topic: str, stage: str, partition: int) -> int:
    """When the first record came that nobody has read, ms; 0: none of the next says."""
    at = log.positions(topic, stage)[partition]
    read = DECODERS[topic].decode
    times = (came(decode(read, entry.value)) for entry in log.read(topic, partition, at, 50))
    return next(filter(None, times), 0)


# --- in words


def share(row: AtWork) -> Text:
    """Who has it, for the line of a stage: partitions, members, who stands by."""
    owners = row.owners
    if owners.moving:
        return Text("，分区正在移交", ", partitions are changing hands")
    held = [who for who in owners.held if who]
    names = _named(held)
    said = Text(
        f"，{len(held)}/{row.partitions} 个分区有人处理",
        f", {len(held)} of {row.partitions} partitions have an owner",
    )
    if held:
        said += Text(f"（{names.zh}）", f" ({names.en})")
    if owners.standby:
        idle = _named(owners.standby)
        said += Text(
            f"，{len(owners.standby)} 个待命（{idle.zh}）",
            f", {len(owners.standby)} on standby ({idle.en})",
        )
    return said


def _named(members: Iterable[str]) -> Text:
    """By the names that they joined with, which say the machine and the process; each once."""
    names = list(dict.fromkeys(m.partition("/")[0] for m in members))
    return joined(names[:_NAMED], _COMMA) + ("…" if len(names) > _NAMED else "")


def nobodys(row: AtWork, timezone: str) -> Iterator[Text]:
    """A line for each partition that nobody has, one for all where it is all of them. timezone: of the
    district."""
    if row.abandoned:
        gone_at = max((n.gone_at for n in row.nobodys), default=0)
        oldest = min((n.unread_at for n in row.nobodys if n.unread_at), default=0)
        whole = Nobodys(0, gone_at, sum(n.unread for n in row.nobodys), oldest)
        many = row.partitions
        words = Text("没有人处理", "it has no owner")
        if many > 1:
            words = Text(
                f"{many} 个分区都没有人处理", f"none of its {many} partitions has an owner"
            )
        words = row.stage + Text("：", ": ") + words
        yield words + _since(whole, timezone) + _standby(row)
        return
    for one in row.nobodys:
        yield (
            Text(
                f"{row.stage}：分区 {one.partition}（共 {row.partitions} 个）没有人处理",
                f"{row.stage}: partition {one.partition} of {row.partitions} has no owner",
            )
            + _since(one, timezone)
            + _standby(row)
        )


def _since(one: Nobodys, timezone: str) -> Text:
    said = Text("", "")
    if one.gone_at:
        at = local(one.gone_at, timezone, _FORM)
        said += Text(f"，自 {at}", f" since {at}")
    if one.unread_at:
        at = local(one.unread_at, timezone, _FORM)
        said += Text(
            f"，{one.unread} 条没读，最早的 {at} 到",
            f", {one.unread} records unread, the oldest came at {at}",
        )
    elif one.unread:
        said += Text(f"，{one.unread} 条没读", f", {one.unread} records unread")
    return said


def _standby(row: AtWork) -> Text:
    if many := len(row.owners.standby):
        return Text(f"；{many} 个待命", f"; {many} on standby")
    return Text("；没有待命的", "; nobody stands by")
