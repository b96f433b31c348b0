"""What several tests use, by the one it was written for: flags."""

from config.records.level import Action, Level
from detectors.detection import Detection
from tests.support.decide_district import T0


def quality(note: str, at: int = T0) -> Detection:
    return Detection(
        id=note, area="A01", hazard="evidence", rule="quality", level=Level.NONE,
        action=Action.NONE, detected_at=at, since_at=at, note=note,
    )  # fmt: skip
