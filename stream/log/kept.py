"""In words: what a log's acknowledgement is worth when the power goes."""

from config.language import Text
from stream.log.port import Kept

_SAFE_COPIES = 3  # with two that must answer
_SHOWN = 4


def holds(kept: Kept) -> bool:
    """Is what was acknowledged there after the power of one machine has gone?"""
    if kept.unknown:
        return False
    return not kept.unsynced or (kept.copies >= _SAFE_COPIES and kept.answering >= 2)


def told(kept: Kept) -> Text:
    """One sentence."""
    copies = Text(
        f"{kept.copies} 份，{kept.answering} 份有了才算收下",
        f"{kept.copies} copies, {kept.answering} of which have a record before it counts as taken",
    )
    if kept.unknown and not kept.unsynced:
        names = _names(kept.unknown)
        return Text(
            f"问不出日志断电丢不丢：看不到 {names} 的设置（无权或还没有），docs/kafka.md",
            f"whether the log outlives a power cut cannot be asked: the settings of {names} are not to be "
            "seen (no right, or not there yet), docs/en/kafka.md",
        )
    if not kept.unsynced:
        one = Text(
            "日志：收下的都已在盘上，断电不丢",
            "the log: what was taken is on a disk, and outlives a power cut",
        )
        return one if kept.copies < 2 else one + Text("；", "; ") + copies
    if holds(kept):
        return copies + Text(
            "：一台断电不丢；几台一齐断电，会丢没写到盘上的那些，同一路电的机器用 ?flush=1",
            ": one machine may lose its power; if all lose it at once, what no disk has yet is gone: machines "
            "on one mains use ?flush=1",
        )
    names = _names(kept.unsynced)
    return copies + Text(
        f"，先收下后写盘（{names}）：断电会丢已收下的读数和决定；用管理员地址运行 fengsui "
        "broker-config kafka DIR，docs/kafka.md",
        f", and taken before a disk has it ({names}): a power cut takes back readings and decisions that "
        "were taken; run fengsui broker-config kafka DIR with an administrator's address, docs/en/kafka.md",
    )


def _names(topics: tuple[str, ...]) -> str:
    more = " …" if len(topics) > _SHOWN else ""
    return " ".join(topics[:_SHOWN]) + more
