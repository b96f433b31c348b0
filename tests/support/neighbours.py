"""What several tests use, by the one it was written for: neighbours."""

import msgspec

from config.records.district import District
from detectors.detection import Detection
from ingest.observation import Observation
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.districts import yanqing

YANQING = yanqing()
# what is known of stations hangs on no rule of a window: without them it takes a third of the time
_STATIONS = msgspec.structs.replace(YANQING, rules=msgspec.structs.replace(YANQING.rules, rule=()))


def watching(area: str = "A28", district: District = _STATIONS) -> Line:
    """The stage detect over an area's partition, as far as it judges stations."""
    return Line(district, area, {})


def rain(station: str, minute: int, count: int) -> Observation:
    return reading(station, "rain", START + minute * MINUTE, count)


def notes(said: list[Detection]) -> list[str]:
    return [d.note for d in said if d.rule == "quality" and d.note.startswith("R01 ")]
