"""The figures of a camera frame: a row for each rule, beside decoding alone and the plain way."""

import pytest

from bench.cases.sight import camera
from config.language import joined
from config.records.devices.cameras import NEEDS
from detectors.camera import picture
from detectors.setup.registry import KINDS


def test_a_row_for_every_rule_over_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_ROUNDS", 1)
    found = camera.rows()
    names = [name for name, _, _ in found]
    assert {k.name for k in KINDS.values() if k.seen} <= set(names)
    assert names[0] == "decode" and names[-1].startswith("plain")
    assert all(0 < middle <= high for _, middle, high in found)
    assert {k.seen for k in KINDS.values() if k.seen} <= set(NEEDS)


def test_without_opencv_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "cv2", None)
    assert camera.rows() == []
    assert "fengsui[camera]" in joined(camera.lines())
