"""What several tests use, by the one it was written for: console_stations."""

from stream.records import DeadLetter
from tests.support.decide_district import T0


def letter(topic: str, reason: str = "bad_value") -> DeadLetter:
    return DeadLetter(
        received_at=T0, source=topic, reason=reason, detail="量程外 out of range", payload="MTM4"
    )
