"""Telephony that is not ours, on free loopback ports: kamailio as an operator's trunk that asks for a
password, baresip as a telephone that is answered, listens and presses keys, SIPp as telephones that answer
oddly. What a telephone heard is a file."""

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from simulators.carriers.telephones import (
    answer,
    hangs_up,
    offers,
    picks_up,
    presses_by_info,
    rings,
)
from tests.support.servers import absent, end, free_port, wait_for

__all__ = ["answer", "hangs_up", "offers", "picks_up", "presses_by_info", "rings"]

USER, PASSWORD = "yqfx", "trunk-pw"
_REALM = "trunk.example"
TELEPHONE = 8_000
# SIPp takes four of them, of no range that others take from
_media = itertools.count(9_010 - os.getpid() % 70 * 100, 6)


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        absent(name)
    assert found
    return found


def until(check: Callable[[], Any], what: str, within_s: float = 90.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
    return found


class Kamailio:
    """A trunk: digest authentication, then each number to its telephone; others are not found."""

    def __init__(self, folder: Path, numbers: dict[str, int]) -> None:
        self.port, self._notes = free_port(), folder / "kamailio.log"
        at = "\n".join(
            f'  if ($rU =~ "^{number}$") {{ $ru = "sip:phone@127.0.0.1:{port}"; route(OUT); }}'
            for number, port in numbers.items()
        )
        config = folder / "kamailio.cfg"
        config.write_text(_KAMAILIO.format(port=self.port, realm=_REALM, at=at))
        command = [program("kamailio"), "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8"]
        with self._notes.open("wb") as out:
            self._process = subprocess.Popen(
                [*command, "-Y", str(folder), "-w", str(folder)], stdout=out, stderr=out
            )
        wait_for(self.port, self._process, self._notes, 60)

    @property
    def url(self) -> str:
        return f"sip://127.0.0.1:{self.port}"

    def stop(self) -> None:
        end(self._process)


class Phone:
    """A baresip that answers (`answers`) and keeps what it hears. One call at a time: it is busy then.
    dtmf: how its keys go, `rtpevent` (RFC 4733) or `info` (SIP INFO)."""

    def __init__(
        self, folder: Path, *, port: int = 0, answers: bool = True, dtmf: str = "rtpevent"
    ) -> None:
        self.folder, self.port = folder, port or free_port()
        free_port()  # the next one is taken for TLS
        self._control = free_port()
        folder.mkdir()
        mode = "auto" if answers else "manual"
        quiet(folder / "quiet.wav", 300)
        (folder / "config").write_text(
            _PHONE.format(port=self.port, control=self._control, folder=folder)
        )
        (folder / "accounts").write_text(
            f"<sip:phone@127.0.0.1:{self.port}>;regint=0;answermode={mode};dtmfmode={dtmf};"
            "audio_codecs=PCMA/8000/1\n"
        )
        (folder / "contacts").touch()
        self._notes = folder / "baresip.log"
        with self._notes.open("wb") as out:
            self._process = subprocess.Popen(
                [program("baresip"), "-f", str(folder)], stdout=out, stderr=out, cwd=folder,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        wait_for(self._control, self._process, self._notes, 60)
        self._socket = socket.create_connection(("127.0.0.1", self._control))
        self._socket.setblocking(False)
        self._read = b""
        self.events: list[dict[str, Any]] = []

    def calls(self, kind: str = "CALL_ESTABLISHED") -> int:
        """How often that has happened."""
        with contextlib.suppress(BlockingIOError):
            while data := self._socket.recv(65_536):
                self._read += data
        while b":" in self._read:
            size, _, rest = self._read.partition(b":")
            if len(rest) <= int(size):
                break
            self.events.append(json.loads(rest[: int(size)]))
            self._read = rest[int(size) + 1 :]
        return sum(e.get("type") == kind for e in self.events)

    def press(self, digits: str) -> None:
        """And let go."""
        for digit in digits:
            self._say("sndcode", digit)
            time.sleep(0.15)  # as long as a finger: its length is part of what is sent
            self._say("sndcode", "\x04")
            time.sleep(0.15)

    def hold(self, on: bool = True) -> None:
        self._say("hold" if on else "resume")

    def heard(self) -> list[Path]:
        """A WAV a call, oldest first; whole when the call is over."""
        return sorted(self.folder.glob("dump-*-dec.wav"), key=lambda p: p.stat().st_mtime_ns)

    def stop(self) -> None:
        self._socket.close()
        end(self._process)

    def _say(self, command: str, params: str = "") -> None:
        body = json.dumps({"command": command, "params": params}).encode()
        self._socket.sendall(b"%d:%s," % (len(body), body))


class Sipp:
    """Telephones that do as a scenario says. -1: as many calls as come."""

    def __init__(self, folder: Path, scenario: str, *options: str) -> None:
        folder.mkdir()
        self._folder, self._options, self._notes = folder, options, folder / "sipp.log"
        (folder / "scenario.xml").write_text(scenario)
        for _ in range(20):  # its ports for sound may be somebody's
            self._start()
            until(lambda: self._process.poll() is not None or self._listens(), "SIPp")
            if self._process.poll() is None:
                return
        raise RuntimeError(self._notes.read_text(errors="replace"))

    def _start(self) -> None:
        self.port = free_port()
        with self._notes.open("wb") as out:
            self._process = subprocess.Popen(
                [program("sipp"), "-sf", "scenario.xml", "-i", "127.0.0.1", "-p", str(self.port),
                 "-mp", str(next(_media)), "-nostdin", *self._options],
                stdout=out, stderr=out, cwd=self._folder,
            )  # fmt: skip

    def _listens(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.bind(("127.0.0.1", self.port))
            except OSError:
                return True
        return False

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def quiet(file: Path, seconds: float) -> None:
    with wave.open(str(file), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(TELEPHONE)
        w.writeframes(bytes(2 * int(seconds * TELEPHONE)))


def samples(wav: Path | bytes) -> npt.NDArray[np.float64]:
    """Of a file of 16 bit; its header may have been written before its end was known."""
    body = wav.read_bytes() if isinstance(wav, Path) else wav
    data = body[body.index(b"data") + 8 :]
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64)


def likeness(sent: npt.NDArray[np.float64], heard: npt.NDArray[np.float64]) -> float:
    """The worst half second of what was sent that is not silent, against what was heard at its best shift of
    the whole: 1.0 is the same sound, 0 another or none."""
    size = 1 << (sent.size + heard.size).bit_length()
    both = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sent, size)), size)
    shift = int(np.argmax(both))
    shift -= size if shift > size // 2 else 0
    aligned = np.zeros(sent.size)
    begin, stop = max(0, shift), min(heard.size, sent.size + shift)
    aligned[begin - shift : stop - shift] = heard[begin:stop]
    worst, step = 1.0, TELEPHONE // 2
    loud = 0.1 * float(np.sqrt(np.mean(sent**2)))
    for at in range(0, sent.size - step, step):
        a, b = sent[at : at + step], aligned[at : at + step]
        if np.sqrt(np.mean(a**2)) > loud:
            worst = min(worst, float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9)))
    return worst


_KAMAILIO = """#!KAMAILIO
debug=0
log_stderror=yes
children=2
tcp_children=1
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
  if (has_totag()) {{
    if (loose_route()) {{ t_relay(); exit; }}
    if (is_method("ACK") && t_check_trans()) {{ t_relay(); }}
    exit;
  }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
  if (!pv_proxy_authenticate("{realm}", "trunk-pw", "0") || $au != "yqfx") {{
    proxy_challenge("{realm}", "0");
    exit;
  }}
  consume_credentials();
  record_route();
{at}
  sl_send_reply("404", "Not Found");
}}
route[OUT] {{ t_relay(); exit; }}
"""
_PHONE = """poll_method epoll
module_path /usr/lib/baresip/modules
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
call_max_calls 1
audio_source aufile,{folder}/quiet.wav
audio_player aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
statmode_default off
snd_path {folder}
audio_path {folder}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


@pytest.fixture(scope="module")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    """A telephone that answers."""
    found = Phone(tmp_path_factory.mktemp("telephone") / "phone")
    yield found
    found.stop()


@pytest.fixture(scope="module")
def trunk_to_phone(tmp_path_factory: pytest.TempPathFactory, phone: Phone) -> Iterator[Kamailio]:
    """A trunk on which every number is that telephone's."""
    found = Kamailio(tmp_path_factory.mktemp("trunk"), {".*": phone.port})
    yield found
    found.stop()
