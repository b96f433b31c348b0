"""What several tests use, by the one it was written for: neighbours."""

from config.records.district import District
from detectors.detection import Detection
from ingest.observation import Observation
from tests.support.detect_faults import MINUTE, START, Line, reading
from tests.support.districts import yanqing

YANQING = yanqing()


def watching(area: str = "A28", district: District = YANQING) -> Line:
    return Line(district, area, {})


def rain(station: str, minute: int, count: int) -> Observation:
    return reading(station, "rain", START + minute * MINUTE, count)


def notes(said: list[Detection]) -> list[str]:
    return [d.note for d in said if d.rule == "quality" and d.note.startswith("R01 ")]
