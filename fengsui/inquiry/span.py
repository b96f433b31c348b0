"""Which incidents a log knows, from when to when, and a moment as an investigator writes it."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.language import Text
from console.model.follow import Follower
from dispatch.records import Alert, Report
from fengsui.run.moments import parse_moment
from stream.environment import Usage
from stream.log.port import Log

_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Incident(NamedTuple):
    """alerts: ids of its warnings. begin_at: since when its evidence held; end_at: its last word (ms)."""

    id: str
    begin_at: int
    end_at: int
    alerts: frozenset[str]


def incidents(log: Log) -> dict[str, Incident]:
    """By id, in the order of their beginning."""
    return spans(record for _, record in Follower(log, ("alerts",)).take())


def ended(log: Log, incident: str) -> bool:
    """Has it had its 终报?"""
    told = (r for _, r in Follower(log, ("alerts",)).take() if isinstance(r, Report))
    return any(r.incident == incident and r.kind == "终报" for r in told)


def spans(records: Iterable[object]) -> dict[str, Incident]:
    """The same, of records of `alerts`."""
    found: dict[str, Incident] = {}
    for r in records:
        if isinstance(r, Alert) and r.incident:
            one = Incident(r.incident, min(r.onset_at, r.sent_at), r.sent_at, frozenset({r.id}))
        elif isinstance(r, Report) and r.incident in found:
            one = found[r.incident]._replace(end_at=r.reported_at)
        else:
            continue
        was = found.get(r.incident, one)
        found[r.incident] = Incident(
            r.incident,
            min(was.begin_at, one.begin_at),
            max(was.end_at, one.end_at),
            was.alerts | one.alerts,
        )
    return dict(sorted(found.items(), key=lambda x: (x[1].begin_at, x[0])))


def moment_of(text: str, incident: Incident | None, zone: str) -> int:
    """RFC 3339, or with an incident an hour of the district's clock, `20:11`: the first after it began.
    Milliseconds since 1970. Raises Usage."""
    hour = _HOUR.fullmatch(text.strip())
    if hour is None:
        return parse_moment(text)
    if incident is None:
        raise Usage(
            Text(
                f"{text!r} 没有日期：写 2025-07-26T{text}:00+08:00，或写明 INCIDENT",
                f"{text!r} has no date: write 2025-07-26T{text}:00+08:00, or name the INCIDENT",
            )
        )
    begin = datetime.fromtimestamp(incident.begin_at / 1000, ZoneInfo(zone))
    found = begin.replace(hour=int(hour[1]), minute=int(hour[2]), second=0, microsecond=0)
    if found < begin.replace(second=0, microsecond=0):
        found += timedelta(days=1)
    return int(found.timestamp() * 1000)
