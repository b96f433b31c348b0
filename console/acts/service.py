"""A station or node out of judgement, or back in it: from the command line or a page into every
partition of `observations`, all or none."""

import hashlib
import re
from typing import Literal

from config.language import Text
from config.records.district import District
from ingest.observation import SERVICE_LONGEST_MS, Service
from stream.log.port import Log, Out
from stream.records import encode

_LENGTH = re.compile(r"(\d{1,4})\s*(d|天|h|小时|m|min|分钟?)?")
_MINUTES = {"d": 1440, "天": 1440, "h": 60, "小时": 60}
LONGEST_MIN = SERVICE_LONGEST_MS // 60_000


def minutes_of(text: str) -> int:
    """2h, 90m, 1d, 2小时, 90 (minutes); 0 ends it. Raises ValueError."""
    hit = _LENGTH.fullmatch(text.strip().lower())
    found = int(hit[1]) * _MINUTES.get(hit[2] or "", 1) if hit else -1
    if not 0 <= found <= LONGEST_MIN:
        raise ValueError(
            Text(
                f"{text!r}: 写 30m 或 2h，最长 {LONGEST_MIN // 60} 小时；更久请到时再说",
                f"{text!r}: write 30m or 2h, {LONGEST_MIN // 60} hours at most; longer: say it "
                "again",
            )
        )
    return found


def service(
    district: District,
    thing: str,
    minutes: int,
    *,
    by: str,
    reason: str,
    now: int,
    way: Literal["command", "console"],
    known: bool = False,
) -> Service:
    """The record. known: is `by` somebody's id? Raises ValueError with what is wrong."""
    if thing not in district.stations and thing not in district.nodes:
        raise ValueError(
            Text(
                f"没有这个站点 {thing[:40]!r}", f"there is no station or loudspeaker {thing[:40]!r}"
            )
        )
    if by not in district.officers and not known:
        raise ValueError(
            Text(
                f"没有 {by[:40]!r} 这个人：officers.csv、联系人",
                f"nobody is called {by[:40]!r}: officers.csv, contacts",
            )
        )
    if not reason.strip():
        raise ValueError(Text("请写理由", "a reason is needed"))
    return Service(
        id=hashlib.sha256(f"{thing}|{by}|{now}|{minutes}".encode()).hexdigest()[:16],
        thing=thing,
        by=by,
        said_at=now,
        until_at=now + minutes * 60_000,
        reason=reason.strip()[:300],
        way=way,
    )


def put(log: Log, record: Service) -> None:
    """Append it. Raises ValueError where the run has not begun: its own record must stand first."""
    if not all(log.ends("observations")):
        raise ValueError(Text("运行还没有开始，请先启动", "the run has not begun: start it first"))
    value = encode(record)
    log.append(
        [
            Out("observations", "service", value, partition)
            for partition in range(log.topics["observations"].partitions)
        ]
    )
