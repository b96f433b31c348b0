"""Volumes of their own for what may run out of room: small file systems in memory, where this machine lets us
mount (Linux, root); plain folders elsewhere, which cannot be filled."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

_MB = {"kafka": 1500, "mosquitto": 40, "influxdb": 400, "run": 400}


class Volumes:
    """Whose -> its folder; `small`: they can be filled."""

    def __init__(self, folder: Path) -> None:
        self.at = {whose: folder / whose for whose in _MB}
        for place in self.at.values():
            place.mkdir(parents=True)
        self.small = True
        for whose, place in self.at.items():
            words = ["mount", "-t", "tmpfs", "-o", f"size={_MB[whose]}m", "tmpfs", str(place)]
            if (
                shutil.which("mount") is None
                or subprocess.run(words, capture_output=True, check=False).returncode
            ):
                self.small = False
                self._unmount()
                return

    def fill(self, whose: str) -> None:
        """Until nothing more fits."""
        with self._ballast(whose).open("wb", buffering=0) as f, suppress(OSError):
            for piece in (1 << 20, 4096):
                with suppress(OSError):
                    while f.write(b"x" * piece) == piece:
                        pass

    def empty(self, whose: str) -> None:
        """There is room again."""
        self._ballast(whose).unlink(missing_ok=True)

    def _ballast(self, whose: str) -> Path:
        return self.at[whose] / "ballast"

    def _unmount(self) -> None:
        for place in self.at.values():
            if place.is_mount():
                subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)

    def close(self) -> None:
        """Take them away, with what is in them."""
        self._unmount()
