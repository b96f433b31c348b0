"""JPEG snapshots by HTTP, from a camera that answers as a test says, into a real log and frame store."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest

from config.records.district import CameraSource
from ingest.camera.pace import Pace
from ingest.decode.frame import MAX_BYTES
from ingest.observation import Flag, Observation
from stream.wall_clock import now_ms
from tests.support.watching import ALWAYS, Answer, camera, district, jpeg, until, watching

JPEG = {"Content-Type": "image/jpeg"}
BODY = jpeg()


def row(url: str, station: str = "V01", **more: object) -> CameraSource:
    return CameraSource(station=station, url=f"{url}/snap.jpg", **{**ALWAYS, **more})  # type: ignore[arg-type]


def give(body: bytes = BODY) -> Answer:
    return 200, JPEG, body


def reasons(found: list[str]) -> list[str]:
    return sorted(set(found))


def test_a_picture_is_kept_to_the_byte_with_the_time_it_came(tmp_path: Path) -> None:
    before = now_ms()
    with camera(lambda _: give()) as url, watching(tmp_path, district([row(url)])) as line:
        assert until(lambda: len(line.pictures()) >= 2)
        first, second = line.pictures()[:2]
        assert line.frames.get(first.ref) == BODY
        assert first.station == "V01"
        assert before <= first.observed_at <= second.observed_at <= now_ms()
        assert first.value == len(BODY)
        assert not line.letters()


def test_a_password_in_a_file_goes_by_digest_and_stands_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The server judges the answer by its own reckoning (RFC 2617)."""
    secret = tmp_path / "password"
    secret.write_text("se:cr@t 1\n")
    seen: list[str] = []

    def answers(asked: BaseHTTPRequestHandler) -> Answer:
        told = asked.headers.get("Authorization", "")
        seen.append(told)
        ha1 = hashlib.md5(b"eye:gate:se:cr@t 1").hexdigest()
        ha2 = hashlib.md5(b"GET:/snap.jpg").hexdigest()
        right = hashlib.md5(f"{ha1}:n0nce:{ha2}".encode()).hexdigest()
        if right not in told:
            return 401, {"WWW-Authenticate": 'Digest realm="gate", nonce="n0nce"'}, b""
        return give()

    with camera(answers) as url:
        of = district([row(url, user="eye", secret=f"file:{secret}")])
        with watching(tmp_path / "var", of) as line:
            assert until(lambda: bool(line.pictures()))
            assert not line.letters()
    assert "se:cr@t" not in "".join(seen)
    said = capfd.readouterr()
    assert "se:cr" not in said.out + said.err


def test_basic_is_answered_where_a_camera_asks_for_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("pw")

    def answers(asked: BaseHTTPRequestHandler) -> Answer:
        if asked.headers.get("Authorization") != "Basic ZXllOnB3":
            return 401, {"WWW-Authenticate": 'Basic realm="gate"'}, b""
        return give()

    with (
        camera(answers) as url,
        watching(
            tmp_path / "var", district([row(url, user="eye", secret=f"file:{secret}")])
        ) as line,
    ):
        assert until(lambda: bool(line.pictures()))


def test_places_for_user_and_password_in_the_address(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("a&b")
    paths: list[str] = []

    def answers(asked: BaseHTTPRequestHandler) -> Answer:
        paths.append(asked.path)
        return give()

    with camera(answers) as url:
        one = CameraSource(
            station="V01", url=url + "/s?u={user}&pwd={password}", user="eye",
            secret=f"file:{secret}",
        )  # fmt: skip
        with watching(tmp_path / "var", district([one])) as line:
            assert until(lambda: bool(line.pictures()))
    assert paths[0] == "/s?u=eye&pwd=a%26b"


def test_a_wrong_password_is_one_dead_letter_and_the_other_camera_goes_on(tmp_path: Path) -> None:
    def answers(asked: BaseHTTPRequestHandler) -> Answer:
        if asked.path.startswith("/closed"):
            return 401, {"WWW-Authenticate": 'Basic realm="x"'}, b""
        return give()

    with camera(answers) as url:
        rows = [row(url + "/closed", "V03"), row(url)]
        with watching(tmp_path, district(rows)) as line:
            assert until(lambda: len(line.pictures("V01")) >= 5)
            assert until(lambda: bool(line.letters()))
            found = line.letters()
            assert [(one.reason, one.source) for one in found] == [("bad_password", "camera V03")]
            assert not line.pictures("V03")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}, b"none"), "no_picture"),
        ((200, {"Content-Type": "text/html"}, b"<html>log in</html>"), "bad_frame"),
        ((200, JPEG, BODY[: len(BODY) // 2]), "bad_frame"),
        ((200, JPEG, b""), "bad_frame"),
        ((302, {"Location": "http://127.0.0.1:9/"}, b""), "no_picture"),
    ],
)
def test_what_is_no_picture_is_told_once_and_the_next_one_is_taken(
    answer: Answer, reason: str, tmp_path: Path
) -> None:
    mended = threading.Event()

    def answers(_: BaseHTTPRequestHandler) -> Answer:
        return give() if mended.is_set() else answer

    with camera(answers) as url, watching(tmp_path, district([row(url)])) as line:
        assert until(lambda: bool(line.letters()))
        assert not line.pictures()
        mended.set()
        assert until(lambda: len(line.pictures()) >= 2)
        assert [one.reason for one in line.letters()] == [reason]
        assert line.letters()[0].source == "camera V01"


def test_a_camera_that_is_not_there_is_told_and_found_when_it_comes(tmp_path: Path) -> None:
    with camera(lambda _: give()) as url:
        gone = url
    with watching(tmp_path, district([row(gone)])) as line:
        assert until(lambda: bool(line.letters()))
        assert line.letters()[0].reason == "no_picture"
        assert not line.pictures()


def test_a_picture_too_large_to_be_kept_is_made_smaller(tmp_path: Path) -> None:
    noise = jpeg(size=(320, 240))
    large = noise[:2] + b"".join(b"\xff\xfe\xff\xff" + bytes(65_533) for _ in range(32)) + noise[2:]
    assert len(large) > MAX_BYTES
    with camera(lambda _: give(large)) as url, watching(tmp_path, district([row(url)])) as line:
        assert until(lambda: bool(line.pictures()))
        assert line.pictures()[0].value < MAX_BYTES
        assert line.image(line.pictures()[0]).size == (320, 240)


def test_another_size_of_picture_is_told_and_the_picture_counts(tmp_path: Path) -> None:
    size = [(320, 240)]
    with (
        camera(lambda _: give(jpeg(size=size[0]))) as url,
        watching(tmp_path, district([row(url)])) as line,
    ):
        assert until(lambda: len(line.pictures()) >= 2)
        size[0] = (640, 360)
        assert until(lambda: bool(line.letters()))
        assert [one.reason for one in line.letters()] == ["other_size"]
        assert until(lambda: line.image(line.pictures()[-1]).size == (640, 360))


def test_a_burst_is_several_pictures_close_together(tmp_path: Path) -> None:
    shown = iter(range(10_000))
    with (
        camera(lambda _: give(jpeg(next(shown)))) as url,
        watching(tmp_path, district([row(url, burst=3, burst_ms=200)], every_s=3600)) as line,
    ):
        assert until(lambda: len(line.pictures()) >= 3)
        at = [p.observed_at for p in line.pictures()]
        assert len(at) == 3  # the next burst is due in an hour
        assert all(later - earlier >= 200 for earlier, later in pairwise(at))


def test_rain_in_the_line_makes_a_camera_faster(tmp_path: Path) -> None:
    """The plan is an hour, so what comes more comes for the rain."""
    rains = threading.Event()

    def hear(pace: Pace, now: int) -> None:
        if rains.is_set():
            fell = Observation(
                station="R01", quantity="rain", observed_at=now, value=60, flag=Flag.GOOD
            )
            pace.heard(fell, now)

    one = {"fast_s": 0.2, "rain_mm": 5.0}
    with (
        camera(lambda _: give()) as url,
        watching(tmp_path, district([row(url, **one)], every_s=3600), hear) as line,
    ):
        assert until(lambda: len(line.pictures()) == 1)
        rains.set()
        assert until(lambda: len(line.pictures()) >= 5)


def test_a_picture_that_changes_makes_a_camera_faster(tmp_path: Path) -> None:
    """Bursts of two, another picture each time."""
    shown = iter(range(10_000))
    pictures = [jpeg(n) for n in range(8)]
    one = row("", burst=2, burst_ms=50, fast_s=0.2, changed=0.1)
    with camera(lambda _: give(pictures[next(shown) % 8])) as url:
        asked = CameraSource(**{f: getattr(one, f) for f in one.__struct_fields__} | {"url": url})
        with watching(tmp_path, district([asked], every_s=3600)) as line:
            assert until(lambda: len(line.pictures()) >= 6)
