"""One baresip for one call: its folder, its process, its control socket.

It begins in 25 ms, says what happens in JSON, plays a file to who picks up and reads keys by RFC 4733 and
SIP INFO. It ends by itself after `most_s`, so that none is left when this process dies.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult

from config.language import Text
from config.records.devices.trunk import Trunk
from dispatch.channels import SendError
from dispatch.channels.sip.control import MEDIA, PLAY, command
from dispatch.channels.sip.sound import Spoken, silence

PROGRAM = "baresip"
_MODULES = "lib*/**/baresip/modules/ctrl_tcp.so"
_UP_S = 10.0
_QUIET_S = 100.0  # longer than any call rings
_LEFT_S, _END_S = 15, 2.0
MISSING = Text(
    "baresip 未安装：apt-get install baresip-core",
    "baresip is not installed: apt-get install baresip-core",
)
_NOT_UP = Text("baresip 起不来", "baresip does not begin")
_PID = "pid"
# one value of a line of baresip's files
_SPLITS = frozenset(";,<>\"' \t\r\n\\")


class Login(NamedTuple):
    """Whose calls they are, to the trunk."""

    user: str
    password: str
    caller: str


def login_of(user: str, password: str, caller: str) -> Login:
    """Raises ValueError for what a line of baresip's files cannot hold."""
    for one in (user, password, caller):
        if _SPLITS & set(one):
            raise ValueError(
                Text(
                    "user、secret、sender 不能有空白和 ; , < > \" ' \\",
                    "user, secret and sender hold no blank and none of ; , < > \" ' \\",
                )
            )
    return Login(user, password, caller)


def local_address(host: str, port: int) -> str:
    """Of this machine, as the trunk sees it. Raises SendError."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((host, port))
            return str(s.getsockname()[0])
    except OSError as e:
        words = Text("中继找不到：", "the trunk cannot be found: ")
        raise SendError(words + str(e.strerror or e)) from e


@cache
def _modules(tool: str) -> Path | None:
    """Where distributions put them: baresip itself looks in the folder it is started in."""
    found = next(Path(tool).resolve().parents[1].glob(_MODULES), None)
    return found and found.parent


class Baresip:
    """Started when it is made. folder: its own, which goes with it. Raises SendError."""

    def __init__(
        self,
        folder: Path,
        url: SplitResult,
        trunk: Trunk,
        login: Login,
        sound: Spoken,
        most_s: float,
    ) -> None:
        tool = shutil.which(PROGRAM)
        if tool is None:
            raise SendError(MISSING)
        self.folder, self._url, self._trunk, self._login = folder, url, trunk, login
        modules = _modules(tool)
        if modules is None:
            raise SendError(MISSING)
        address = local_address(url.hostname or "", url.port or 5060)
        try:
            self._port = _free_port()
            self.process = self._started(tool, sound, most_s, self._config(address, modules))
        except OSError as e:  # a full disk, no process left: it may be well at the next call
            shutil.rmtree(folder, ignore_errors=True)
            raise SendError(_NOT_UP + Text("：", ": ") + str(e.strerror or e)) from e
        try:
            self.control = self._connected()
        except BaseException:
            self.begin_end()
            while not self.gone():
                time.sleep(0.01)
            raise

    def _started(
        self, tool: str, sound: Spoken, most_s: float, config: str
    ) -> subprocess.Popen[bytes]:
        """Its folder, and the process in it. Raises OSError."""
        folder = self.folder
        folder.mkdir(mode=0o700)
        for name, body in (
            ("text.wav", sound.wav),
            ("thanks.wav", sound.thanks),
            ("quiet.wav", silence(_QUIET_S)),
            ("config", config.encode()),
            ("accounts", self._account().encode()),
            ("contacts", b""),
        ):
            (folder / name).write_bytes(body)  # the folder is ours alone
        process = subprocess.Popen(  # noqa: S603
            [tool, "-f", str(folder), "-t", str(int(most_s) + _LEFT_S)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        with contextlib.suppress(OSError):  # without it only a crash of ours leaves it ringing
            (folder / _PID).write_text(str(process.pid))
        return process

    def dial(self, number: str) -> None:
        """number: digits alone, as the trunk wants them."""
        host, port = self._url.hostname or "", self._url.port or 5060
        place = self._trunk.domain or f"{host}:{port}"
        self._say(command("dial", f"sip:{number}@{place}{_transport(self._url)}"))

    def play(self) -> None:
        """The text, from its begin, whatever was sent before."""
        self._say(command("ausrc", f"aufile,{self.folder}/text.wav", PLAY))

    def ask(self) -> None:
        """Does sound leave at all? Not before the last command was answered."""
        self._say(command("audio_debug", token=MEDIA))

    def thank(self) -> None:
        """Say that the key has counted."""
        self._say(command("ausrc", f"aufile,{self.folder}/thanks.wav"))

    def hang_up(self) -> None:
        """Or stop to ring."""
        self._say(command("hangup"))

    def begin_end(self) -> None:
        """A call that goes on is ended; `gone` says when."""
        with contextlib.suppress(AttributeError, OSError):
            self.control.close()
        self.process.terminate()
        self._kill_at = time.monotonic() + _END_S

    def gone(self) -> bool:
        """Nothing of it is left."""
        if self.process.poll() is None:
            if time.monotonic() >= self._kill_at:
                self.process.kill()
            return False
        shutil.rmtree(self.folder, ignore_errors=True)
        return True

    def _say(self, line: bytes) -> None:
        with contextlib.suppress(OSError):  # that it is gone is read
            self.control.sendall(line)

    def _connected(self) -> socket.socket:
        deadline = time.monotonic() + _UP_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._port), 1)
            time.sleep(0.01)
        raise SendError(_NOT_UP)

    def _config(self, address: str, modules: Path) -> str:
        lines = (
            "poll_method epoll",
            f"module_path {modules}",
            f"sip_listen {address}:0",
            f"net_interface {address}",
            "call_local_timeout 120",
            "call_max_calls 1",
            f"audio_source aufile,{self.folder}/quiet.wav",
            "audio_player aubridge,nobody",
            "ausrc_srate 8000",
            "auplay_srate 8000",
            f"rtp_ports {self._trunk.rtp_ports}",
            "statmode_default off",
            *(f"module {m}.so" for m in ("g711", "aufile", "aubridge")),
            *(f"module_app {m}.so" for m in ("account", "menu", "ctrl_tcp")),
            f"ctrl_tcp_listen 127.0.0.1:{self._port}",
            f"audio_path {self.folder}",
        )
        return "\n".join(lines) + "\n"

    def _account(self) -> str:
        host, port = self._url.hostname or "", self._url.port or 5060
        user, password, caller = self._login
        how = _transport(self._url)
        domain = self._trunk.domain
        words = [f"<sip:{caller or user or 'fengsui'}@{domain or host}{how}>", "regint=0"]
        if user:
            words += [f"auth_user={user}", f"auth_pass={password}"]
        if domain:
            words.append(f'outbound="sip:{host}:{port}{how}"')
        codecs = ",".join(f"{c}/8000/1" for c in self._trunk.codecs)
        words += [f"audio_codecs={codecs}", "answermode=manual"]
        return ";".join(words) + "\n"


def end_leftovers(folder: Path) -> None:
    """Calls of a process that was killed go on without it, and ring where the next one calls: they are ended.
    folder: of the calls, one in each. What goes by their process id now is left alone."""
    begun = time.monotonic()
    left = [pid for file in folder.glob(f"*/{_PID}") if (pid := _ours(file)) is not None]
    while left and time.monotonic() - begun < 2 * _END_S:
        how = signal.SIGTERM if time.monotonic() - begun < _END_S else signal.SIGKILL
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, how)
        time.sleep(0.05)
        left = [pid for file in folder.glob(f"*/{_PID}") if (pid := _ours(file)) is not None]


def _ours(file: Path) -> int | None:
    """The process whose id stands there, while it is a call of that folder."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(file.read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return pid if str(file.parent).encode() in words else None
    return None


def _transport(url: SplitResult) -> str:
    return ";transport=tcp" if url.scheme == "sip+tcp" else ""


def _free_port() -> int:
    """For the control socket. baresip serves its last connection alone: who takes ours from us, or the
    port before it begins, ends the call, for then we read its end."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
