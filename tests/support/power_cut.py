"""A volume whose power can be cut: ext4 in a file, on a loop device. `cut` has the kernel stop it at once
and forget what it had not written (EXT4_IOC_SHUTDOWN without a flush of its journal, as file systems are
tested for power loss); mounted again it holds what a disk would hold. Whatever writes there is tested as it
is: Python, SQLite, the JVM, Go, C.

It needs Linux, root and a loop device, and is skipped where the machine has none: a container of CI often
may not mount anything.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32)
_NO_FLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH
# what ext4 does of itself for programs that sync nothing is no promise of theirs
_CAREFUL, _CARELESS = "defaults", "data=writeback,noauto_da_alloc"


class Volume:
    """An empty one, mounted at `path`. options: of mount(8)."""

    def __init__(self, folder: Path, options: str = _CAREFUL, size: int = 256 << 20) -> None:
        self._image, self.path = folder / "disk.img", folder / "disk"
        self._options = f"loop,{options}"
        with self._image.open("wb") as f:
            f.truncate(size)
        self.path.mkdir()
        subprocess.run([_tool("mkfs.ext4"), "-q", "-F", str(self._image)], check=True)
        self.again()

    def sync(self) -> None:
        """What a test has laid down there before it begins, such as a server's settings, stays."""
        subprocess.run(["sync", "-f", str(self.path)], check=True)

    def cut(self) -> None:
        """From this instant nothing reaches the disk. End (SIGKILL) who writes there before: an fsync that is
        under way may be told that all is well while nothing is written (Linux 6.18, in 3 of 25 tries)."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_FLUSH))
        finally:
            os.close(handle)

    def off(self) -> None:
        """Take it away; whoever had files open there has ended."""
        until = time.monotonic() + 60
        while subprocess.run(
            ["umount", str(self.path)], capture_output=True, check=False
        ).returncode:
            assert time.monotonic() < until, "somebody still has files open on the volume"
            time.sleep(0.1)

    def again(self) -> None:
        """The power is back."""
        subprocess.run(["mount", "-o", self._options, str(self._image), str(self.path)], check=True)

    def close(self) -> None:
        if self.path.is_mount():
            self.off()
        self._image.unlink()


def _tool(name: str) -> str:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or name


def _lacks(folder: Path) -> str:
    """Why there can be no such volume here; empty if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it takes Linux and root"
    try:
        volume = Volume(folder, size=16 << 20)
    except (OSError, subprocess.CalledProcessError) as e:
        return str(e)
    try:
        volume.cut()
    except OSError as e:
        return str(e)
    finally:
        with suppress(AssertionError):
            volume.close()
    return ""


@pytest.fixture(scope="session")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The machine lets us have them."""
    if why := _lacks(tmp_path_factory.mktemp("try")):
        pytest.skip(f"no volume whose power can be cut: {why}")


@pytest.fixture
def volume(volumes: None, tmp_path: Path) -> Iterator[Volume]:
    found = Volume(tmp_path)
    yield found
    found.close()


@pytest.fixture
def large_volume(volumes: None, tmp_path: Path) -> Iterator[Volume]:
    """For a server that takes room before it needs it; what is not written takes none."""
    found = Volume(tmp_path, size=2 << 30)
    yield found
    found.close()


@pytest.fixture(params=[_CAREFUL, _CARELESS])
def any_volume(volumes: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Volume]:
    """ext4 as it is mounted by default, and with what it does for careless programs left out."""
    found = Volume(tmp_path, request.param)
    yield found
    found.close()
