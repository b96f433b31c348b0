"""What the kernel says of the clock, and what is made of it."""

import pytest

from config.language import en, zh
from stream.pace.time_service import TimeService, as_metric, asked, judged, told


@pytest.mark.parametrize(
    ("state", "status", "maxerror_us", "kept"),
    [
        (0, 0x2001, 12_000, True),  # TIME_OK
        (1, 0x0001, 12_000, True),  # a leap second is due today
        (5, 0x0040, 16_000_000, False),  # TIME_ERROR, as after a start without a service
        (0, 0x0040, 12_000, False),  # STA_UNSYNC: the service has given up
        (0, 0x0001, 1_000_000, True),
        (0, 0x0001, 1_001_000, False),  # kept, and nobody knows how well
        (-1, 0, 0, False),
    ],
)
def test_a_clock_is_kept_if_a_service_says_so_and_knows_how_well(
    state: int, status: int, maxerror_us: int, kept: bool
) -> None:
    assert judged(state, status, maxerror_us) == TimeService(kept, maxerror_us / 1000)


def test_this_machine_answers_or_cannot_be_asked() -> None:
    found = asked()
    assert as_metric() == (-1 if found is None else int(found.kept))
    assert found is None or found.most_off_ms > 0


def test_what_is_to_be_done_is_said_only_where_something_is() -> None:
    assert "12 ms" in en(told(TimeService(True, 12.0)))
    assert zh(told(TimeService(False, 16_000.0))).startswith("! ")
    assert "主机" in zh(told(None))
