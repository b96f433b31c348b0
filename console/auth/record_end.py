"""Where the record ends, told to the ledger: whoever may write to this machine's files cannot take
entries from the record's end without being missed there."""

import threading
import time
from collections.abc import Callable, Iterator

from config.language import Text, en, zh
from console.auth.accounts import Users
from console.auth.record import End
from console.model.follow import Follower
from dispatch.records import RecordEnd
from stream.log.port import Log, Out, Unavailable
from stream.oplog import say
from stream.records import encode

EVERY_S = 300.0
_LOOK_S = 1.0


def ends(log: Log) -> Iterator[End]:
    """What the log knows of it."""
    for _, record in Follower(log, ("alerts",)).take():
        if isinstance(record, RecordEnd):
            yield End(record.n, record.hash)


def tell(log: Log, users: Users, last: End, now: int) -> End:
    """Write down where the record ends, if it has grown since `last`. Raises Unavailable."""
    end = users.record.end()
    if end.n and end != last and any(log.ends("cases")):  # never the first record of a topic
        log.append([Out("cases", "desk", encode(RecordEnd(n=end.n, hash=end.hash, noted_at=now)))])
        return end
    return last


def telling(
    open_log: Callable[[], Log],
    users: Users,
    now: Callable[[], int],
    stop: threading.Event,
    every_s: float = EVERY_S,
) -> None:
    """Until `stop`, and once more then. A log that is away is tried again."""
    last, due = End(0, ""), time.monotonic() + every_s
    while not (over := stop.wait(min(_LOOK_S, every_s))) or last != users.record.end():
        if not over and time.monotonic() < due:
            continue
        due = time.monotonic() + every_s
        try:
            log = open_log()
            try:
                last = tell(log, users, last, now())
            finally:
                log.close()
        except Unavailable as e:
            say(
                "console",
                Text(
                    f"操作记录的末尾没有记入台账：{zh(e)}",
                    f"the record's end is not in the ledger yet: {en(e)}",
                ),
            )
        if over:
            return
