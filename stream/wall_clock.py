"""The wall clock, for whoever starts something: what is pure is told the time."""

from datetime import UTC, datetime


def now_ms() -> int:
    """The wall clock, UTC."""
    return int(datetime.now(UTC).timestamp() * 1000)
