"""Files are there whole or not at all, with the rights that they had."""

import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.people.links import Links
from stream.disk.blobs import FrameStore
from stream.disk.files import PRIVATE, SHARED, append, create_file, make_folder, write_file


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> int:
    before = os.umask(request.param)
    request.addfinalizer(lambda: os.umask(before))  # noqa: PT021
    return int(request.param)


def test_what_is_private_is_its_owners_and_what_is_shared_as_the_umask_lets(
    tmp_path: Path, umask: int
) -> None:
    write_file(tmp_path / "key", b"k")
    create_file(tmp_path / "other", b"k")
    write_file(tmp_path / "feed.atom", b"f", SHARED)
    FrameStore(tmp_path / "frames").put(b"picture")
    assert mode(tmp_path / "key") == mode(tmp_path / "other") == PRIVATE == 0o600
    assert mode(tmp_path / "feed.atom") == 0o666 & ~umask
    (picture,) = (tmp_path / "frames").rglob("*.jpg")
    assert mode(picture) == 0o666 & ~umask


def test_what_others_could_read_is_private_once_it_is_written_so(tmp_path: Path) -> None:
    file = tmp_path / "thresholds"
    file.write_text("old")
    file.chmod(0o644)
    write_file(file, b"new")
    assert (file.read_bytes(), mode(file)) == (b"new", 0o600)


def test_of_two_that_create_a_file_the_first_wins(tmp_path: Path) -> None:
    create_file(tmp_path / "key", b"first")
    create_file(tmp_path / "key", b"second")
    assert (tmp_path / "key").read_bytes() == b"first"
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_what_is_appended_stands_behind_what_was_there(tmp_path: Path) -> None:
    append(tmp_path / "lines", b"one\n")
    append(tmp_path / "lines", b"two\n")
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"


def keep_a_key(folder: Path, body: bytes) -> None:
    write_file(folder / "thing", body)


def keep_a_link(folder: Path, body: bytes) -> None:
    Links(folder).make(body.decode(), 0, 90)


@pytest.mark.parametrize("keep", [keep_a_key, keep_a_link])
@pytest.mark.parametrize("step", ["replace", "fsync", "open"])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_beside_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keep: Callable[[Path, bytes], None],
    step: str,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    keep(tmp_path, b"first")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(os, step, fails)
        with pytest.raises(OSError, match="No space"):
            keep(tmp_path, b"second")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    keep(tmp_path, b"second")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} != before


_DIES = """
import os, sys
from pathlib import Path
from stream.disk.files import write_file
os.replace = os.link = lambda *a, **k: os._exit(9)  # the machine goes down: no clean-up runs
write_file(Path(sys.argv[1]), b"second")
"""


def test_a_crash_between_write_and_rename_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "keyset.json"
    write_file(file, b"first")
    died = subprocess.run([sys.executable, "-c", _DIES, str(file)], check=False)
    assert died.returncode == 9
    assert file.read_bytes() == b"first"
    (left,) = set(tmp_path.iterdir()) - {file}
    assert left.name.startswith(".") and mode(left) == 0o600
    write_file(file, b"second")
    assert file.read_bytes() == b"second"


class Disk:
    """What a disk promises and no more: a file is as it was last synced, a folder's names are those of its
    last sync, or any that it has had since. `may_be` looks whenever a step is made that power may go before
    or after."""

    def __init__(
        self, root: Path, patch: pytest.MonkeyPatch, may_be: Callable[[Path], None]
    ) -> None:
        self.root, self._may_be = root, may_be
        self._bodies: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._sync(root)
        fsync, replace, link = os.fsync, os.replace, os.link

        def synced(handle: int) -> None:
            fsync(handle)
            self._sync(Path(f"/proc/self/fd/{handle}").readlink())
            self._look()

        def replaced(old: Path, new: Path) -> None:
            replace(old, new)
            self._look()

        def linked(old: Path, new: Path) -> None:
            link(old, new)
            self._look()

        patch.setattr(os, "fsync", synced)
        patch.setattr(os, "replace", replaced)
        patch.setattr(os, "link", linked)

    def _sync(self, path: Path) -> None:
        inode = path.stat().st_ino
        if path.is_dir():
            self._names[inode] = {p.name: p.stat().st_ino for p in path.iterdir()}
        else:
            self._bodies[inode] = path.read_bytes()

    def file(self, path: Path, *, newest: bool = False) -> bytes | None:
        """What it is after a cut; None: it is not there. newest: by the names of now, synced or not."""
        inode, here = self.root.stat().st_ino, self.root
        for part in path.relative_to(self.root).parts:
            if newest:
                here = here / part
                if not here.exists():
                    return None
                inode = here.stat().st_ino
            elif part not in self._names.get(inode, {}):
                return None
            else:
                inode = self._names[inode][part]
        return self._bodies.get(inode, b"torn")

    def _look(self) -> None:
        self._may_be(self.root)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_power_may_go_before_or_after_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "run" / "keys" / "one"
    allowed: list[bytes | None] = [None]

    def whole(_: Path) -> None:
        assert disk.file(key) in allowed
        assert disk.file(key, newest=True) in allowed

    disk = Disk(tmp_path, monkeypatch, whole)
    make_folder(key.parent, 0o700)
    for body in (b"first", b"second", b"third"):
        allowed.append(body)
        write_file(key, body)
        allowed[:] = [body]  # it was acknowledged
        whole(tmp_path)
    allowed[:] = [b"third"]
    create_file(key, b"too late")
    create_file(tmp_path / "run" / "other", b"made")
    assert disk.file(tmp_path / "run" / "other") == b"made"


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_what_was_put_or_appended_outlives_a_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, monkeypatch, lambda _: None)
    frames = FrameStore(tmp_path / "frames")
    rng = random.Random(7)
    for n in range(40):
        body = b"picture %d" % rng.randrange(30)
        digest = frames.put(body)
        assert disk.file(tmp_path / "frames" / digest[:2] / f"{digest}.jpg") == body
        append(tmp_path / "lines", b"%d\n" % n)
        assert (disk.file(tmp_path / "lines") or b"").endswith(b"%d\n" % n)


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_a_picture_whose_writer_was_killed_before_its_folder_was_synced_is_made_sure_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = FrameStore(tmp_path / "frames")
    with monkeypatch.context() as patch:
        patch.setattr("stream.disk.files.sync_folder", lambda folder: None)
        digest = frames.put(b"picture")
    file = tmp_path / "frames" / digest[:2] / f"{digest}.jpg"
    disk = Disk(tmp_path, monkeypatch, lambda _: None)
    for folder in (tmp_path, tmp_path / "frames"):
        disk._sync(folder)
    disk._sync(file)
    assert disk.file(file) is None
    assert frames.put(b"picture") == digest
    assert disk.file(file) == b"picture"
