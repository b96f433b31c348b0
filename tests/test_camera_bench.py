"""The figures of a camera frame: a row for each rule, beside decoding alone and the plain way."""

import pytest

from config.cameras import NEEDS
from detectors import camera_picture
from detectors.kinds import KINDS
from fengsui import bench_camera


def test_a_row_for_every_rule_over_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_camera, "_ROUNDS", 1)
    found = bench_camera.rows()
    names = [name for name, _, _ in found]
    assert {k.name for k in KINDS.values() if k.seen} <= set(names)
    assert names[0] == "decode" and names[-1].startswith("plain")
    assert all(0 < middle <= high for _, middle, high in found)
    assert {k.seen for k in KINDS.values() if k.seen} <= set(NEEDS)


def test_without_opencv_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_picture, "cv2", None)
    assert bench_camera.rows() == []
    assert "fengsui[camera]" in " ".join(bench_camera.lines())
