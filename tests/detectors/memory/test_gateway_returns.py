"""A gateway comes back in a storm: of each gauge first the newest reading, then what it had kept, oldest first.
What is no history yet is judged with all that fell before it, however many gauges had their turn before."""

from detectors.detection import Detection
from detectors.stage import Detect
from ingest.observation import Observation, Observations
from stream.records import Record, Run, Tick
from stream.stages.stage import Item
from tests.support.dry_days import MINUTE, START, one_partition

NOW = START + 360 * MINUTE
WET = "R22"


def asked(gauges: list[str]) -> set[tuple[str, str, int, int]]:
    """(area, rule, level, action) once everything is in."""
    district = one_partition()
    detect = Detect(district, {}.get)
    state = detect.new(0)
    found: set[tuple[str, str, int, int]] = set()
    run = Run(name="live", kind="live", district="yanqing", config="c", start_at=START)
    records: list[Record] = [run, Tick(clock_at=NOW - 1)]
    for gauge in gauges:
        for group in district.groups_of_station[gauge]:
            ages = [0, *range(300, 0, -5)]
            kept = [
                Observation(
                    station=gauge,
                    quantity="rain",
                    observed_at=NOW - age * MINUTE,
                    value=62 * (gauge == WET and 25 <= age <= 80),
                )
                for age in ages
            ]
            records += [Observations.of(group, NOW, kept[n : n + 20]) for n in range(0, 61, 20)]
    for n, record in enumerate([*records, *(Tick(clock_at=NOW + k) for k in range(1, 4))]):
        state, writes = detect.step(state, [Item(0, n, "", record)])
        told = [w.record for w in writes if isinstance(w.record, Detection)]
        found |= {(d.area, d.rule, int(d.level), int(d.action)) for d in told if d.level or d.action}
    assert state.backfill.many == 0
    return found


def test_gauges_that_had_their_turn_before_take_no_order_away() -> None:
    district = one_partition()
    dry = [
        s.id for s in district.stations.values()
        if s.quantity == "rain" and s.id != WET and s.id in district.groups_of_station
    ]  # fmt: skip
    told = asked([*dry[:20], WET])
    assert {area for area, _, _, action in told if action == 2} >= {"A21", "A22", "A23"}
