"""The keeper of residents' wishes behind the socket that systemd listens on, as its unit starts it, handed over
by systemd's own program: the first wish wakes it, nothing is lost while it is away, and it says what is wrong
where nobody handed over a socket."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch.people.contact_store import ASKED, ContactStore
from dispatch.people.residents.desk import Wish
from dispatch.people.residents.keeper import SocketDesk
from stream.log.open import open_log
from tests.support.districts import yanqing
from tests.support.residents import NUMBER

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
RUN = "exercise-socket"
ACTIVATE = "systemd-socket-activate"
pytestmark = pytest.mark.skipif(not shutil.which(ACTIVATE), reason=f"{ACTIVATE} is not here")


def command() -> list[str]:
    """What the unit starts, by the program of this tree and for a drill."""
    (line,) = [
        x
        for x in (UNITS / "fengsui-residents-keeper.service").read_text("utf-8").splitlines()
        if x.startswith("ExecStart=")
    ]
    _, *words = shlex.split(line.removeprefix("ExecStart="))
    return [sys.executable, "-m", "fengsui", *words, "--run", RUN]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The socket that systemd listens on, and where the run's files are."""
    path, state, told = tmp_path / "keeper.sock", tmp_path / "state", tmp_path / "told"
    env = {
        **os.environ,
        "FENGSUI_STATE": str(state),
        "FENGSUI_LANG": "en",
        "NOTIFY_SOCKET": str(told),
    }
    given = [f"-E{name}={value}" for name, value in env.items()]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
        hears.bind(str(told))
        hears.settimeout(120)
        with subprocess.Popen(
            [ACTIVATE, "-l", str(path), *given, *command()], stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            assert "Listening on" in process.stderr.readline()
            assert not state.exists(), "nothing runs before somebody asks"
            yield path, state
            assert b"READY=1" in hears.recv(4096)
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 0
        assert path.exists(), "systemd's socket is not the keeper's to take away"


def test_the_first_wish_wakes_it_and_is_kept(held: tuple[Path, Path]) -> None:
    path, state = held
    page = SocketDesk(path)
    ident, _ = page.ask(NUMBER, Wish(("A01",), "zh"), "10.0.0.1")
    with ContactStore(state / RUN) as store:
        (asked,) = [i for i in store.with_number(NUMBER) if i.startswith(ASKED)]
        whole = store.whole(asked)
    assert whole is not None
    assert page.confirm(ident, "000000x", "10.0.0.1").state == "wrong"
    done = page.confirm(ident, whole.name, "10.0.0.1")
    assert (done.state, done.areas) == ("subscribed", ("A01",))
    log = open_log(f"sqlite:///{state / RUN}", RUN, "yanqing", yanqing().partitions, {})
    assert sum(len(log.read("cases", p, 0)) for p in range(len(log.ends("cases")))) == 1
    log.close()


def test_without_a_socket_it_says_how_it_is_started(tmp_path: Path) -> None:
    env = {**os.environ, "FENGSUI_STATE": str(tmp_path), "FENGSUI_LANG": "en"}
    done = subprocess.run(
        command(), env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "start it by fengsui-residents-keeper.socket" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_units_name_the_same_socket() -> None:
    sock = (UNITS / "fengsui-residents-keeper.socket").read_text("utf-8")
    (path,) = [x for x in sock.splitlines() if x.startswith("ListenStream=")]
    page = (UNITS / "fengsui-residents.service").read_text("utf-8")
    assert f"--keeper {path.removeprefix('ListenStream=')}" in page
