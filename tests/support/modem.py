"""smsd (SMS Server Tools 3), which is not ours, over a simulated modem on a pseudo terminal."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.carriers.modem import Modem
from tests.support.servers import end
from tests.support.sip import program, until

_FOLDERS = ("outgoing", "checked", "failed", "sent", "incoming", "report")


class Smsd:
    """`modem` is what it drives; `url` its spool."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.modem = folder, Modem()
        for name in _FOLDERS:
            (folder / name).mkdir()
        places = "\n".join(f"{name} = {folder / name}" for name in _FOLDERS)
        self._config = folder / "smsd.conf"
        self._config.write_text(
            _CONFIG.format(places=places, folder=folder, device=self.modem.device)
        )
        self._notes = folder / "out.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"file://localhost{self.folder}"

    def start(self) -> None:
        with self._notes.open("ab") as out:
            self._process = subprocess.Popen(
                [program("smsd"), "-c", str(self._config), "-t"], stdout=out, stderr=out
            )
        until(self._started, "smsd", 60)

    def _started(self) -> bool:
        log = self.folder / "smsd.log"
        return log.exists() and "handler 0 has started" in log.read_text(errors="replace")

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def close(self) -> None:
        self.stop()
        self.modem.close()


_CONFIG = """devices = GSM1
{places}
logfile = {folder}/smsd.log
loglevel = 7
infofile = {folder}/working
pidfile = {folder}/smsd.pid
delaytime = 1
errorsleeptime = 1
blocktime = 2
autosplit = 3
receive_before_send = no
[GSM1]
device = {device}
incoming = yes
report = yes
rtscts = no
"""


@pytest.fixture(scope="module")
def smsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smsd]:
    """A modem that is well."""
    found = Smsd(tmp_path_factory.mktemp("smsd"))
    yield found
    found.close()
