"""The bench of latency measures: every village whose gauge is fired is heard at its loudspeaker, and what
is not heard is counted."""

from pathlib import Path

from bench.load.latency import Latencies, storm, told
from bench.run import Embedded
from tests.support.districts import yanqing

SHOTS = 3


def test_every_warning_that_is_fired_reaches_a_loudspeaker(tmp_path: Path) -> None:
    district = yanqing()
    line = Embedded(district, tmp_path)
    try:
        villages = [g for g in line.gauges if not g.endswith("H")]
        line.gauges = villages[: 2 * SHOTS - 1]
        found = storm(line, district, 0.2)
    finally:
        line.close()
    assert found.due >= SHOTS
    assert len(found.taken) == found.due
    assert min(found.taken) > 0
    assert found.sent > 0


def test_a_p99_is_told_of_a_hundred_and_what_is_missing_beside_it() -> None:
    assert "too few" in told([Latencies((1.0, 2.0), 3, 8)], 1.0).en
    many = told([Latencies((1.0,) * 60, 60, 1000), Latencies((3.0,) * 60, 61, 1000)], 1.0)
    assert many.zh == "时延，1,000 obs/s：p50 2 ms，p99 3 ms，最长 3 ms，120/121 次预警到大喇叭"
    assert many.en.endswith("120/121 warnings at a loudspeaker")
    none = told([Latencies((), 3, 8)], 1.0)
    assert none.en == "latency: of 3 warnings none reached a loudspeaker"
