"""A warning that nobody gave, for a preview, an estimate or a check. Pure."""

from typing import Literal

from dispatch.grade import Grade
from dispatch.records import Alert


def sample(
    area: str,
    hazard: str,
    grade: Grade,
    at: int = 1_753_539_000_000,
    valid_s: int = 21_600,
    status: Literal["actual", "exercise", "test"] = "exercise",
) -> Alert:
    """A warning as it would go out at `at` (epoch ms), released; no grade: lifted."""
    return Alert(
        id="preview",
        version=1,
        area=area,
        hazard=hazard,
        status=status,
        msg_type="alert" if grade else "cancel",
        level=grade.level,
        action=grade.action,
        proposed_level=grade.level,
        proposed_action=grade.action,
        public=True,
        state="released" if grade else "cancelled",
        incident="preview",
        sent_at=at,
        onset_at=at,
        expires_at=at + valid_s * 1000,
        reason="",
    )
