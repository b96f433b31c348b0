"""Where a snapshot is, as a camera that is not ours says by ONVIF; and what it may not make us do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from config.records.district import CameraSource
from ingest.camera.onvif import Onvif, token
from ingest.camera.shot import NoPicture
from tests.support.servers import SERVICES, absent, end
from tests.support.watching import ALWAYS, Answer, camera, district, until, watching

USER, PASSWORD = "eye", "se<cr@t"
PROGRAM = Path(__file__).parents[2] / "support" / "onvif_camera.py"


@contextmanager
def ipycam() -> Iterator[str]:
    """HOST:PORT while it lasts."""
    if not (SERVICES / "ipycam" / "ipycam").exists():
        absent("the camera ipycam")
    env = os.environ | {"PYTHONPATH": str(SERVICES / "ipycam")}
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), USER, PASSWORD], stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            end(process)  # type: ignore[arg-type]


def row(url: str, folder: Path, password: str = PASSWORD) -> CameraSource:
    secret = folder / "password"
    secret.write_text(password)
    given = {**ALWAYS, "user": USER, "secret": f"file:{secret}"}
    return CameraSource(station="V01", url=url, **given)  # type: ignore[arg-type]


@pytest.mark.servers
def test_a_camera_is_asked_where_its_snapshot_is(tmp_path: Path) -> None:
    with ipycam() as place:
        one = row(f"onvif://{place}", tmp_path)
        with watching(tmp_path / "a", district([one])) as line:
            assert until(lambda: len(line.pictures()) >= 2)
            assert line.image(line.pictures()[0]).size == (640, 360)
            assert not line.letters()
        wrong = row(f"onvif://{place}", tmp_path, "x")
        with watching(tmp_path / "b", district([wrong])) as line:
            assert until(lambda: bool(line.letters()))
            assert [one.reason for one in line.letters()] == ["bad_password"]
            assert not line.pictures()


def test_the_digest_of_the_onvif_programmers_guide() -> None:
    """The worked example of ONVIF's Application Programmer's Guide, section on WS-UsernameToken."""
    import base64

    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    assert "tuOSpGlFlIXsozq4HFNeeGeFLEI=" in token(
        "user", "userpassword", "2010-09-16T07:50:45Z", nonce
    )


NAMES = (
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
)


def says(uri: str) -> "dict[str, str]":
    """What a camera answers, by what it is asked."""
    return {
        "GetSystemDateAndTime": "<tt:UTCDateTime/>",
        "GetCapabilities": "<tt:Media/>",
        "GetProfiles": '<trt:Profiles token="a"/><trt:Profiles token="b"/>',
        "GetSnapshotUri": f"<tt:Uri>{uri}</tt:Uri>",
    }


def answering(given: "dict[str, str]", status: int = 200) -> "tuple[list[str], object]":
    asked: list[str] = []

    def answers(handler: BaseHTTPRequestHandler) -> Answer:
        body = handler.rfile.read(int(handler.headers["Content-Length"])).decode()
        asked.append(body)
        said = next((words for what, words in given.items() if what in body), "")
        return status, {}, f"<e {NAMES}>{said}</e>".encode()

    return asked, answers


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("http://192.168.1.64/snap.jpg?ch=2", "/snap.jpg?ch=2"),
        ("http://elsewhere.example:81/a", "/a"),
        ("http://eye:pw@elsewhere.example/a", "/a"),
        ("  /only/a/path ", "/only/a/path"),
    ],
)
def test_whatever_it_says_its_host_is_the_one_of_the_table(
    uri: str, path: str, tmp_path: Path
) -> None:
    asked, answers = answering(says(uri))
    with camera(answers) as url:  # type: ignore[arg-type]
        found = Onvif(row(url.replace("http", "onvif"), tmp_path), PASSWORD).snapshot()
        assert found == url + path
    assert "UsernameToken" not in asked[0]  # its clock is asked without a password
    assert "UsernameToken" in asked[1]
    assert PASSWORD not in "".join(asked)


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        ({}, 200, "no_picture"),
        ({**says(""), "GetProfiles": ""}, 200, "no_picture"),
        (says(""), 200, "no_picture"),
        (says("/a"), 500, "no_picture"),
        (says("/a"), 401, "bad_password"),
        ({"GetSystemDateAndTime": "<unclosed>"}, 200, "no_picture"),
    ],
)
def test_what_it_does_not_tell_is_told(
    given: "dict[str, str]", status: int, reason: str, tmp_path: Path
) -> None:
    _, answers = answering(given, status)
    with camera(answers) as url:  # type: ignore[arg-type]
        asks = Onvif(row(url.replace("http", "onvif"), tmp_path), PASSWORD)
        with pytest.raises(NoPicture) as e:
            asks.snapshot()
    assert e.value.reason == reason
