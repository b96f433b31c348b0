"""Pictures of cameras as the line takes them."""

import io
from typing import Any

import pytest
from PIL import Image

from ingest.camera import jpeg
from ingest.camera.jpeg import Jpeg, of_jpeg


def test_a_huge_picture_is_never_in_memory_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    body = io.BytesIO()
    Image.new("RGB", (8000, 6000), (10, 60, 90)).save(body, "JPEG")
    raw = body.getvalue()
    raw = raw[:2] + (b"\xff\xfe\xff\xfd" + b"x" * 65531) * 31 + raw[2:]  # comments
    assert len(raw) > jpeg.MAX_BYTES
    seen: list[tuple[int, int]] = []
    real = jpeg.of_image

    def noted(image: Image.Image, *rest: Any) -> Any:
        seen.append(image.size)
        return real(image, *rest)

    monkeypatch.setattr(jpeg, "of_image", noted)
    found = of_jpeg(raw, 1280, 80)
    assert isinstance(found, Jpeg) and found.size == (1280, 960)
    assert seen[0][0] <= 2 * 1280
