"""Snapshots from a server that is not ours: lighttpd with Digest (MD5 and SHA-256) or Basic, by TLS too."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.records.district import CameraSource
from tests.support.rtsp import certificate
from tests.support.servers import absent, end, free_port, wait_for
from tests.support.watching import ALWAYS, district, jpeg, until, watching

pytestmark = pytest.mark.servers
USER, PASSWORD, BODY = "eye", "se cr@t", jpeg()


@contextmanager
def lighttpd(folder: Path, method: str, both: Path | None = None) -> Iterator[str]:
    """Its address, while it serves one picture."""
    program = shutil.which("lighttpd", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        absent("lighttpd")
        return
    port, root = free_port(), folder / "pictures"
    root.mkdir(parents=True)
    (root / "snap.jpg").write_bytes(BODY)
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    name, _, algorithm = method.partition(":")
    asks = f'"method" => "{name}", "realm" => "gate", "require" => "valid-user"'
    asks += f', "algorithm" => "{algorithm}"' if algorithm else ""
    tls = f'server.modules += ("mod_openssl")\nssl.engine = "enable"\nssl.pemfile = "{both}"\n'
    (folder / "lighttpd.conf").write_text(
        'server.modules = ("mod_auth", "mod_authn_file")\n'
        f'server.document-root = "{root}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
        'mimetype.assign = (".jpg" => "image/jpeg")\n'
        f'auth.backend = "plain"\nauth.backend.plain.userfile = "{folder}/users"\n'
        f'auth.require = ("/" => ({asks}))\n' + tls * (both is not None)
    )
    notes = folder / "lighttpd.log"
    with notes.open("wb") as out:
        process = subprocess.Popen(
            [str(program), "-D", "-f", str(folder / "lighttpd.conf")], stdout=out, stderr=out
        )
    try:
        wait_for(port, process, notes, 90)
        yield f"http{'s' * (both is not None)}://127.0.0.1:{port}/snap.jpg"
    finally:
        end(process)


def row(url: str, folder: Path, password: str = PASSWORD, ca: str = "") -> CameraSource:
    secret = folder / "password"
    secret.write_text(password)
    return CameraSource(
        station="V01", url=url, user=USER, secret=f"file:{secret}", ca=ca, **ALWAYS  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("method", ["digest:MD5", "digest:SHA-256", "digest:MD5|SHA-256", "basic"])
def test_pictures_behind_its_authentication(method: str, tmp_path: Path) -> None:
    with lighttpd(tmp_path / "server", method) as url:
        with watching(tmp_path / "right", district([row(url, tmp_path)])) as line:
            assert until(lambda: len(line.pictures()) >= 2)
            assert line.frames.get(line.pictures()[0].ref) == BODY
            assert not line.letters()
        with watching(tmp_path / "wrong", district([row(url, tmp_path, "x")])) as line:
            assert until(lambda: bool(line.letters()))
            assert [one.reason for one in line.letters()] == ["bad_password"]
            assert not line.pictures()


def test_tls_by_the_cameras_own_certificate(tmp_path: Path) -> None:
    both, alone = certificate(tmp_path / "camera")
    _, other = certificate(tmp_path / "other")
    with lighttpd(tmp_path / "server", "digest:SHA-256", both) as url:
        with watching(tmp_path / "a", district([row(url, tmp_path, ca=str(alone))])) as line:
            assert until(lambda: bool(line.pictures()))
        with watching(tmp_path / "b", district([row(url, tmp_path, ca=str(other))])) as line:
            assert until(lambda: bool(line.letters()))
            assert [one.reason for one in line.letters()] == ["no_picture"]
            assert not line.pictures()
