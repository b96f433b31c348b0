"""What differs from platform to platform, as one value; identifiers and times. Pure."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal, NamedTuple

CHINA = timezone(timedelta(hours=8))
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[ T](\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?")
_CODE = re.compile(r"[0-9A-Za-z]{18}|[0-9A-Za-z]{23}")
DIGITS = (18, 23)
NORMAL, HEARTBEAT = "10", "01"
COUNTED_A_DAY = 10_000  # four digits of an EBMID
PACKETS_A_DAY = 100_000_000  # eight of an EBDID

Names = Literal["EBR", "EBE"]
Layout = Literal["long", "short"]


class Wrong(Exception):
    """What cannot be read. `reason`: one of `packet.REASONS`; `detail`: a name or number of ours, never
    the sender's own words."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason, self.detail = reason, detail


class Form(NamedTuple):
    """version: of EBD. message: of EBM. names: EBR (2018), or EBE as drafts of 2016 have it (EBEID,
    EBEAS, EBEBS). layout: of the signature file. With the defaults it is what most platforms take."""

    version: str = "1.0"
    message: str = "1"
    names: Names = "EBR"
    layout: Layout = "long"


def is_code(text: str) -> bool:
    """A resource code of 18 or 23 digits. On reading, terminals' codes are taken as they come: in real
    lists they have 17 to 20."""
    return bool(_CODE.fullmatch(text))


def packet_id(kind: str, code: str, day: str, number: int) -> str:
    """EBDID: 2 digits, the sender's code, 16 digits. day: yyyyMMdd; number: of that day. A heart-beat has
    sixteen zeros. Only uniqueness counts (real senders count plainly, too)."""
    if kind == HEARTBEAT:
        return f"{kind}{code}{0:016d}"
    return f"{kind}{code}{day}{number % PACKETS_A_DAY:08d}"


def message_id(code: str, day: str, number: int) -> str:
    """EBMID: the sender's code, yyyyMMdd, four digits."""
    return f"{code}{day}{number % COUNTED_A_DAY:04d}"


def day_of(at: int) -> str:
    """yyyyMMdd in China of an instant (epoch ms)."""
    return datetime.fromtimestamp(at / 1000, CHINA).strftime("%Y%m%d")


def written(at: int) -> str:
    """`YYYY-MM-DD HH:MM:SS`, UTC+8, without zone, as every time of a packet stands."""
    return datetime.fromtimestamp(at // 1000, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str) -> int | None:
    """Epoch ms; None for what is no time. A T between, one digit and parts of a second are read too."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = (int(x) for x in found.groups())
        when = datetime(year, month, day, hour, minute, second, tzinfo=CHINA)
    except ValueError:
        return None
    at = int((when.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1000
    return at if at >= 0 else None
