"""What must hold after the stages of a run were changed for those of another build in a storm. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from config.language import Text
from dispatch.records import Alert, Delivery
from ingest.observation import Observations
from stream.records import DeadLetter

_UNREAD = ("undecodable_record", "failed_record")
_LINE = ("cases", "alerts", "deliveries")
_SHOWN = 5
Reading = tuple[str, int]  # station, time of observation (ms)


class Found(NamedTuple):
    """faults: what must not be. told: what whoever upgrades should know."""

    faults: list[Text]
    told: list[Text]


def account(
    records: Iterable[tuple[str, Any]],
    published: frozenset[Reading],
    posts: int,
    taken: Mapping[str, Any],
    behind: Mapping[str, int],
) -> Found:
    """records: (topic, record) of the whole log. published: what the broker acknowledged. posts: messages that
    the carrier was given; taken: those among them that were new, by key. behind: stage -> records it has not
    read."""
    kept: set[Reading] = set()
    versions: dict[str, list[int]] = {}
    deliveries = Counter[str]()
    letters = Counter[tuple[str, str]]()
    for topic, record in records:
        match record:
            case Observations():
                kept.update(zip(record.station, record.observed_at, strict=True))
            case Alert() if topic == "alerts":
                versions.setdefault(record.id, []).append(record.version)
            case Delivery():
                deliveries[record.id] += 1
            case DeadLetter():
                letters[record.reason, record.source.split("/")[0]] += 1
    faults: list[Text] = []
    if lost := sorted(published - kept):
        shown = ", ".join(f"{s} {at}" for s, at in lost[:_SHOWN])
        words = f"{len(lost)} 条已确认的读数不在日志里：{shown}"
        faults.append(Text(words, f"{len(lost)} acknowledged readings are in no log: {shown}"))
    if posts > len(taken):
        n = posts - len(taken)
        faults.append(Text(f"{n} 条短信发了两次", f"{n} messages were sent twice"))
    faults += _out_of_order(versions)
    if twice := [k for k, n in deliveries.items() if n > 1]:
        words = f"{len(twice)} 个发送写了两次，如 {twice[0]}"
        faults.append(Text(words, f"{len(twice)} deliveries stand twice, e.g. {twice[0]}"))
    for stage, n in behind.items():
        if n:
            faults.append(Text(f"{stage} 还有 {n} 条没读", f"{stage} has {n} records unread"))
    faults += _unread(letters, of_the_line=True)
    told = _unread(letters, of_the_line=False)
    counts = len(published), len(versions), len(deliveries), len(taken)
    told.append(
        Text(
            "读数 {} 条、预警 {} 份、发送 {} 个、短信 {} 条".format(*counts),
            "{} readings, {} warnings, {} deliveries, {} messages".format(*counts),
        )
    )
    return Found(faults, told)


def _out_of_order(versions: Mapping[str, list[int]]) -> list[Text]:
    wrong = {k: v for k, v in versions.items() if v != list(range(1, len(v) + 1))}
    rows = [f"{k}: {v}" for k, v in wrong.items()][:_SHOWN]
    return [
        Text(f"预警的版本不连续：{row}", f"versions of a warning are not in a row: {row}")
        for row in rows
    ]


def _unread(letters: Mapping[tuple[str, str], int], *, of_the_line: bool) -> list[Text]:
    """Records that one of the two builds left out: they are kept, and of the line nothing came of them."""
    kept = Text("，留作死信", ", kept as dead letters")
    undone = Text(
        "，留作死信，但这一版没有照办：在办预警时不要换到这一版",
        ", kept as dead letters, and that version did nothing about them: do not change to it while a "
        "warning is open",
    )
    return [
        Text(
            f"{n} 条 {source} 的记录有一版读不懂或处理出错（{reason}）",
            f"{n} records of {source} that one version could not read, or failed at ({reason})",
        )
        + (undone if of_the_line else kept)
        for (reason, source), n in sorted(letters.items())
        if reason in _UNREAD and (source in _LINE) == of_the_line
    ]
