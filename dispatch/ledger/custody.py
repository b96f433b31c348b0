"""What the log says of packs and of locks against deletion (`dispatch.records.Custody`): written into `cases`,
passed on by decide, entered in the ledger, and asked by whoever drops old records."""

from collections.abc import Iterable

import msgspec

from dispatch.records import Custody
from stream.log.port import Log, Out
from stream.records import decode, encode

_MARK = b'"custody"'
_decoder = msgspec.json.Decoder(Custody)


def note(log: Log, said: Custody) -> bool:
    """Write it down; False where the run has no record yet, whose first is another's. Raises Unavailable."""
    if not any(log.ends("cases")):
        return False
    log.append([Out("cases", "desk", encode(said))])
    return True


def noted(log: Log) -> list[Custody]:
    """All that was ever said, each once, in the order in which the log has it, whatever clocks said: one may
    have been set back between a lock and a release. `alerts` keeps what `cases` has dropped; what decide
    has not passed on yet stands in `cases` alone, and is the newest."""
    found: dict[Custody, None] = {}
    for topic in ("alerts", "cases"):
        for part in range(log.topics[topic].partitions):
            at = 0
            while entries := log.read(topic, part, at):
                for entry in entries:
                    if _MARK in entry.value and (said := decode(_decoder.decode, entry.value)):
                        found[said] = None
                at = entries[-1].offset + 1
    return list(found)


def locked(said: Iterable[Custody], now: int) -> list[Custody]:
    """The locks in force at `now` (the wall clock, ms), of what was said in its order: a longer one stands
    beside a shorter one, and a release ends all that were set before it."""
    held: dict[str, list[Custody]] = {}
    for one in said:
        if one.act == "lock":
            held.setdefault(one.incident, []).append(one)
        elif one.act == "release":
            held.pop(one.incident, None)
    return [one for locks in held.values() for one in locks if now < one.until_at]
