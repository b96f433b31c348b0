"""Looks at a run: its folded log, the last day record by record, the broker's port and journal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from console.model.follow import DECODERS, came
from fengsui.doctor.broker import answers, look_at_broker
from fengsui.doctor.case import Case, Finding
from fengsui.doctor.heard import DAY_MS, LastDay
from fengsui.doctor.wrong.links import TELEMETRY_PORT, line
from fengsui.run.setup import Setup
from fengsui.status.at_work import at_work, nobodys
from fengsui.status.look import look_at
from stream.log.port import Log
from stream.records import decode

_STOPPED_MS = 60_000  # of the line's own clock: it goes every five seconds
_BEHIND = 1000  # records that a busy stage may have before it
_TOPICS = ("observations", "cases", "dead-letters")


class Examined(NamedTuple):
    """line: what is wrong with the line itself."""

    case: Case
    line: list[Finding]


def examine(setup: Setup, log: Log, now: int, journal: Path | None) -> Examined:
    """Everything that is known of the run at `now` (ms, the wall clock; an exercise has its own). journal:
    of the broker, where it is not the embedded one's."""
    district, look = setup.district, look_at(setup, log)
    view, live = look.view, setup.live
    ticked = view.clock_at
    stopped_at = ticked if live and ticked and now - ticked > _STOPPED_MS else 0
    clock = stopped_at or (now if live else ticked)
    heard = LastDay(district, clock - DAY_MS)
    for topic in _TOPICS:
        for part in range(log.topics[topic].partitions):
            _tail(log, topic, part, heard.since, heard.take)
    for letters in (heard.letters.of, heard.letters.strange):
        for of in letters.values():
            for letter in of:
                view.flags.letter(letter)
    run = view.run or setup.run
    case = Case(
        district,
        view,
        heard,
        clock,
        run.start_at if view.run is not None else clock,
        f"fengsui/{setup.run.name}/{district.id}/",
        look_at_broker(setup, journal),
        bool(district.telemetry) and answers("127.0.0.1", TELEMETRY_PORT),
    )
    rows = [] if stopped_at else at_work(log)
    behind = {row.stage: many for row in rows if (many := sum(row.unread)) > _BEHIND}
    # of an exercise that is over nobody does anything any more
    over = not live and all(row.abandoned for row in rows)
    alone = [text for row in rows if not over for text in nobodys(row, district.timezone)]
    return Examined(case, list(line(case, stopped_at, behind, alone, live)))


def _tail(log: Log, topic: str, part: int, since: int, take: Callable[[str, Any], None]) -> None:
    """Records that came since a moment, to `take`."""
    at, end = _begin(log, topic, part, since), log.ends(topic)[part]
    reader = DECODERS[topic].decode
    while at < end and (entries := log.read(topic, part, at)):
        for entry in entries:
            record = decode(reader, entry.value)
            if came(record) >= since:
                take(topic, record)
        at = entries[-1].offset + 1


def _begin(log: Log, topic: str, part: int, since: int) -> int:
    """An offset before which nothing came since that moment, found by halves: records stand in the order of
    their coming."""
    low, high = log.starts(topic)[part], log.ends(topic)[part]
    reader = DECODERS[topic].decode
    while high - low > 200:
        middle = (low + high) // 2
        at = 0
        for entry in log.read(topic, part, middle, 50):
            if at := came(decode(reader, entry.value)):
                break
        if at and at < since:
            low = middle
        else:
            high = middle
    return low
