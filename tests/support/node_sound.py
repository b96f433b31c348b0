"""What several tests use, by the one it was written for: node_sound."""

import time

from config.records.level import Action, Level
from dispatch.nodes.memory import Job
from loudspeaker.voice import Outcome, Speaker

T0 = 1_784_635_200_000


def job(**more: object) -> Job:
    fields: dict[str, object] = {
        "id": "c1", "source": "command", "alert": "a", "version": 1, "area": "A01",
        "level": Level.RED, "action": Action.MOVE, "text": "立即转移", "repeat": 1, "volume": 100,
        "siren": True, "issued_at": T0, "expires_at": T0 + 1,
    }  # fmt: skip
    return Job(**{**fields, **more})  # type: ignore[arg-type]


def said(speaker: Speaker, timeout_s: float = 60.0) -> Outcome:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        for outcome in speaker.take():
            return outcome
        time.sleep(0.01)
    raise AssertionError("no outcome")
