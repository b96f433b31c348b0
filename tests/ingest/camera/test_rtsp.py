"""RTSP streams of GStreamer's server, which is not ours, into a real log and frame store."""

from itertools import pairwise
from pathlib import Path

import pytest

from config.records.district import CameraSource, District
from tests.support.rtsp import GStreamer, certificate, stream
from tests.support.watching import ALWAYS, district, until, watching

pytestmark = pytest.mark.servers
USER, PASSWORD = "eye", "se:cr@t /1%"


def asked(server: GStreamer, folder: Path, every_s: int = 1, **more: object) -> District:
    """The camera V01 at this server, with the password that the tests' servers know."""
    secret = folder / "password"
    secret.write_text(PASSWORD)
    given = {**ALWAYS, "user": USER, "secret": f"file:{secret}", **more}
    return district([CameraSource(station="V01", url=server.url, **given)], every_s)  # type: ignore[arg-type]


def test_pictures_of_a_stream_behind_a_digest(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        GStreamer(user=USER, password=PASSWORD) as server,
        watching(tmp_path / "var", asked(server, tmp_path)) as line,
    ):
        assert until(lambda: len(line.pictures()) >= 4)
        found = line.pictures()
        assert len({p.ref for p in found}) == len(found)  # the ball moves
        assert line.image(found[0]).size == (320, 240)
        assert not line.letters()
    said = capfd.readouterr()
    assert "cr@t" not in said.out + said.err
    assert "cr%40t" not in said.out + said.err


def test_a_wrong_password_is_told_once_and_stands_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        GStreamer(user=USER, password="another") as server,
        watching(tmp_path / "var", asked(server, tmp_path)) as line,
    ):
        assert until(lambda: bool(line.letters()))
        assert [server.line() for _ in range(3)].count("came") >= 2  # it is tried again
        assert [one.reason for one in line.letters()] == ["bad_password"]
        assert not line.pictures()
        told = str(line.letters()[0])
    said = capfd.readouterr()
    assert "cr@t" not in told + said.out + said.err
    assert "cr%40t" not in told + said.out + said.err


def test_a_stream_by_tls_is_taken_from_the_camera_whose_certificate_is_known(
    tmp_path: Path,
) -> None:
    both, alone = certificate(tmp_path / "camera")
    _, other = certificate(tmp_path / "other")
    elsewhere, its = certificate(tmp_path / "elsewhere", "10.9.8.7")
    with GStreamer(user=USER, password=PASSWORD, certificate=both) as server:
        assert server.url.startswith("rtsps")
        with watching(tmp_path / "a", asked(server, tmp_path, ca=str(alone))) as line:
            assert until(lambda: len(line.pictures()) >= 2)
            assert not line.letters()
        for name, ca in (("b", str(other)), ("c", "")):  # another's, and whom the system trusts
            with watching(tmp_path / name, asked(server, tmp_path, ca=ca)) as line:
                assert until(lambda line=line: bool(line.letters()))
                assert [one.reason for one in line.letters()] == ["no_picture"]
                assert not line.pictures()
    with (  # it is for another address
        GStreamer(user=USER, password=PASSWORD, certificate=elsewhere) as server,
        watching(tmp_path / "d", asked(server, tmp_path, ca=str(its))) as line,
    ):
        assert until(lambda: bool(line.letters()))
        assert [one.reason for one in line.letters()] == ["no_picture"]
        assert not line.pictures()


def test_a_camera_that_goes_and_comes_back_with_another_size(tmp_path: Path) -> None:
    with GStreamer(user=USER, password=PASSWORD) as server:
        of, port = asked(server, tmp_path), server.port
        with watching(tmp_path / "var", of) as line:
            assert until(lambda: len(line.pictures()) >= 2)
            server.__exit__()
            assert until(lambda: bool(line.letters()))
            before = len(line.pictures())
            with GStreamer(stream(size=(640, 360)), USER, PASSWORD, port=port):
                assert until(lambda: len(line.pictures()) >= before + 2)
                assert line.image(line.pictures()[-1]).size == (640, 360)
            assert [one.reason for one in line.letters()][:2] == ["no_picture", "other_size"]


def test_where_key_frames_are_seldom_every_frame_is_decoded(tmp_path: Path) -> None:
    """One in 12 s, a picture a second."""
    with (
        GStreamer(stream(300), USER, PASSWORD) as server,
        watching(tmp_path / "var", asked(server, tmp_path)) as line,
    ):
        assert until(lambda: len(line.pictures()) >= 8)
        at = [p.observed_at for p in line.pictures()]
        assert any(later - earlier < 8_000 for earlier, later in pairwise(at))


def test_a_burst_is_timed_by_the_stream(tmp_path: Path) -> None:
    """25 frames a second: each time of a burst is 40 ms or a multiple after the one before, however late it
    was read."""
    with (
        GStreamer(user=USER, password=PASSWORD) as server,
        watching(
            tmp_path / "var", asked(server, tmp_path, every_s=3600, burst=4, burst_ms=200)
        ) as line,
    ):
        assert until(lambda: len(line.pictures()) >= 4)
        at = [p.observed_at for p in line.pictures()][:4]
        apart = [later - earlier for earlier, later in pairwise(at)]
        assert all(a >= 200 for a in apart)
        assert all(abs(a - 40 * round(a / 40)) <= 1 for a in apart[1:])


def test_a_slow_camera_is_left_alone_between_two_pictures(tmp_path: Path) -> None:
    with (
        GStreamer(user=USER, password=PASSWORD) as server,
        watching(tmp_path / "var", asked(server, tmp_path, every_s=600)) as line,
    ):
        assert until(lambda: bool(line.pictures()))
        assert [server.line() for _ in range(2)] == ["came", "left"]
        assert len(line.pictures()) == 1


def test_a_wide_stream_is_made_smaller(tmp_path: Path) -> None:
    with (
        GStreamer(stream(size=(1920, 1080)), USER, PASSWORD) as server,
        watching(tmp_path / "var", asked(server, tmp_path, width=640)) as line,
    ):
        assert until(lambda: bool(line.pictures()))
        assert line.image(line.pictures()[0]).size == (640, 360)


def test_frames_that_come_out_of_order_are_decoded_at_once(tmp_path: Path) -> None:
    """B-frames: the decoder holds frames back, and a key frame is still one picture by itself."""
    with (
        GStreamer(stream(more="b-adapt=false bframes=3 tune=0"), USER, PASSWORD) as server,
        watching(tmp_path / "var", asked(server, tmp_path)) as line,
    ):
        assert until(lambda: len(line.pictures()) >= 3)
        assert not line.letters()
