"""Who can be recognised in what is shown: the district's rule, and what becomes of a picture where no
detector is installed."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw

from config.language import en
from config.records.devices.pictures import PEOPLE, PictureRule
from detectors.camera import persons
from fengsui.pictures.lines import undetected
from fengsui.pictures.persons import hidden, hider, rule_of
from simulators.views.gully import Look, picture
from tests.support.districts import yanqing

HIDE = PictureRule(purpose="a", cameras=("V01",), days=30, basis="x", persons="hide")
SHOW = replace(HIDE, purpose="b", cameras=("V03",), persons="show")
REST = replace(HIDE, purpose="c", cameras=("*",), persons="coarse")
SENT = replace(HIDE, purpose="d", cameras=(PEOPLE,), persons="coarse")


@cache
def gully() -> bytes:
    """What a camera sees."""
    return picture(1, 0.0, Look(), 640)


def detail(body: bytes | None) -> float:
    """How much neighbouring pixels differ."""
    assert body is not None
    grey = np.asarray(Image.open(io.BytesIO(body)).convert("L"), np.float64)
    return float(np.abs(np.diff(grey, axis=1)).mean())


def test_whose_rule_a_picture_follows() -> None:
    of = replace(yanqing(), pictures=(HIDE, SHOW, REST, SENT))
    assert "C-0004" in of.contacts
    assert rule_of(of, "V01") is HIDE
    assert rule_of(of, "V03") is SHOW
    assert rule_of(of, "V09") is REST
    assert rule_of(of, "C-0004") is SENT  # a person's photograph
    assert rule_of(of, "") is REST, "of an unknown camera: the strictest"
    lax = replace(SENT, persons="show")
    assert rule_of(replace(of, pictures=(SHOW, HIDE, lax)), "V99") is HIDE, "taken away since"
    assert rule_of(replace(of, pictures=(SHOW, HIDE)), "") is HIDE
    assert rule_of(replace(of, pictures=(SHOW,)), "V09") is None


def test_nothing_is_touched_where_nobody_asks_for_it() -> None:
    assert hidden(None, gully()) == (gully(), "")
    assert hidden(SHOW, gully()) == (gully(), "")


def test_without_a_detector_the_district_has_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    lacks = persons.missing() or "there is no detector"
    monkeypatch.setattr(persons, "missing", lambda: lacks)
    body, how = hidden(HIDE, gully())
    assert detail(body) < 0.2 * detail(gully())
    assert "coarse" in en(how)
    body, how = hidden(replace(HIDE, undetected="show"), gully())
    assert body == gully()
    assert "as the district decided" in en(how)
    district = replace(yanqing(), pictures=(HIDE,))
    assert hider(district)("V01", gully()).body != gully()


def test_a_picture_that_cannot_be_read_is_not_shown() -> None:
    assert hidden(REST, b"no picture").body is None
    assert hidden(REST, gully()[:200]).body is None


def test_the_check_says_what_becomes_of_pictures() -> None:
    assert undetected(replace(yanqing(), pictures=(SHOW, REST))) is None
    words = undetected(replace(yanqing(), pictures=(HIDE,)))
    assert (words is None) == (persons.missing() is None)
    if words is not None:
        assert "opencv-contrib-python-headless" in words.en


def test_a_person_that_is_found_is_in_blocks_and_the_rest_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What becomes of boxes; which persons are found is measured on pictures in docs/cameras.md."""
    made = Image.open(io.BytesIO(gully())).convert("RGB")
    ImageDraw.Draw(made).text((310, 110), "FACE", fill=(255, 255, 255))
    out = io.BytesIO()
    made.save(out, "JPEG", quality=95)
    monkeypatch.setattr(persons, "persons", lambda _: [persons.Box(300, 100, 60, 120)])
    found = persons.without_persons(out.getvalue())
    assert found is not None
    seen = np.asarray(Image.open(io.BytesIO(found)).convert("L"), np.float64)
    was = np.asarray(made.convert("L"), np.float64)
    assert np.abs(np.diff(seen[105:215, 305:355], axis=1)).mean() < 0.4 * np.abs(
        np.diff(was[105:215, 305:355], axis=1)
    ).mean()
    assert np.abs(seen[:60, :200] - was[:60, :200]).mean() < 6


def test_the_people_of_real_pictures(data: Path) -> None:
    """A river without people in sight: nothing of it may be taken for a crowd."""
    paths = sorted((data / "river-video" / "pisco").glob("*.jpg"))
    if not paths or persons.missing() is not None:
        pytest.skip("no detector or no pictures")
    cv2 = pytest.importorskip("cv2")
    assert len(persons.persons(cv2.imread(str(paths[0])))) <= 4
