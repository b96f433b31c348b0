"""What operators deploy and what can be run here: the start script that takes secrets from files, the
containers' health check, and the devices' broker with its access list on a real mosquitto."""

import os
import shutil
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.servers import absent, end, free_port, wait_for

DEPLOY = Path(__file__).parent.parent / "deploy"


# --- start script and health check ---


def start(tmp_path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """stage.sh with a `fengsui` that prints what it was given."""
    fake = tmp_path / "bin" / "fengsui"
    fake.parent.mkdir(exist_ok=True)
    fake.write_text(
        '#!/bin/sh\nprintf "%s|" "$*" "${FENGSUI_BROKER-none}" "${FENGSUI_INFLUX_TOKEN-none}"\n'
    )
    fake.chmod(0o755)
    return subprocess.run(
        [str(DEPLOY / "stage.sh"), "ingest", "--run", "live"],
        env={"PATH": f"{fake.parent}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("ending", ["\n", "", "\nsecond line\n"])
def test_secrets_come_from_files(tmp_path: Path, ending: str) -> None:
    url = r"mqtt://u:p%40$HOME`x`\1 'q'@h:1883?v=5"
    (tmp_path / "url").write_text(url + ending)
    done = start(tmp_path, FENGSUI_BROKER_FILE=str(tmp_path / "url"))
    assert (done.returncode, done.stdout) == (0, f"ingest --run live|{url}|none|")


def test_without_files_the_environment_stands(tmp_path: Path) -> None:
    done = start(tmp_path, FENGSUI_BROKER="mqtt://h", FENGSUI_INFLUX_TOKEN="t")
    assert done.stdout == "ingest --run live|mqtt://h|t|"


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_missing_or_empty_secret_is_named_and_nothing_starts(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    done = start(tmp_path, FENGSUI_INFLUX_TOKEN_FILE=str(file))
    assert (done.returncode, done.stdout) == (78, "")
    assert str(file) in done.stderr


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_believes_the_stage(status: int, code: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert _healthy(f"0.0.0.0:{server.server_port}") == code
        server.shutdown()
    assert _healthy(f"0.0.0.0:{server.server_port}") == 1, "nobody listens any more"


def _healthy(address: str) -> int:
    environment = {**os.environ, "FENGSUI_HTTP": address, "http_proxy": "http://127.0.0.1:1"}
    return subprocess.run(
        [sys.executable, str(DEPLOY / "healthy.py")],
        env=environment,
        capture_output=True,
        timeout=120,
    ).returncode


def test_the_health_check_refuses_an_address_without_a_port() -> None:
    assert _healthy("") == 1


# --- the devices' broker ---


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A real mosquitto on the settings as deployed, with other paths and ports: the port of its TLS
    listener and the certificate to trust."""
    folder = tmp_path_factory.mktemp("mosquitto")
    path = f"{os.environ['PATH']}:/usr/sbin"
    binary, passwd = (
        shutil.which("mosquitto", path=path),
        shutil.which("mosquitto_passwd", path=path),
    )
    if not binary or not passwd or not shutil.which("openssl"):
        absent("mosquitto")
    users = folder / "users"
    users.write_text("".join(f"{u}:word\n" for u in ("fengsui", "carrier", "R001", "R002", "N001")))
    users.chmod(0o600)
    subprocess.run([str(passwd), "-U", str(users)], check=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "key"), "-out", str(folder / "cert")],
        check=True, capture_output=True,
    )  # fmt: skip
    plain, secure = free_port(), free_port()
    text = (DEPLOY / "mosquitto/mosquitto.conf").read_text("utf-8")
    for old, new in {
        "/run/secrets/mosquitto_passwords": str(users),
        "/run/secrets/mosquitto_cert": str(folder / "cert"),
        "/run/secrets/mosquitto_key": str(folder / "key"),
        "/mosquitto/config/acl": str(DEPLOY / "mosquitto/acl"),
        "/mosquitto/data/": f"{folder}/",
        "listener 1883": f"listener {plain} 127.0.0.1",
        "listener 8883": f"listener {secure} 127.0.0.1",
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    settings, notes = folder / "mosquitto.conf", folder / "log"
    settings.write_text(text + ("user root\n" if os.getuid() == 0 else ""), "utf-8")
    with notes.open("wb") as out:
        process = subprocess.Popen([str(binary), "-c", str(settings)], stdout=out, stderr=out)
    try:
        wait_for(secure, process, notes, 60)
        yield secure, folder / "cert"
    finally:
        end(process)


def _client(broker: tuple[int, Path], program: str, user: str, *more: str) -> list[str]:
    port, cert = broker
    return [program, "-h", "127.0.0.1", "-p", str(port), "--cafile", str(cert),
            "-u", user, "-P", "word", "-q", "1", *more]  # fmt: skip


P = "fengsui/live/yanqing"


@pytest.mark.parametrize(
    ("writer", "reader", "topic", "passes"),
    [
        ("R001", "fengsui", f"{P}/station/R001/rain", True),
        ("R001", "fengsui", f"{P}/station/R002/rain", False),  # only for itself
        ("R001", "fengsui", f"{P}/node/N001/ack", False),
        ("R001", "fengsui", f"{P}/receipt/sms", False),
        ("R001", "fengsui", f"{P}/clock", False),
        ("carrier", "fengsui", f"{P}/receipt/sms", True),
        ("carrier", "fengsui", f"{P}/station/R001/rain", False),
        ("N001", "fengsui", f"{P}/node/N001/ack", True),
        ("fengsui", "N001", f"{P}/node/N001/command", True),
        ("fengsui", "R001", f"{P}/node/N001/command", False),  # no one hears another's commands
        ("N001", "N001", f"{P}/node/N001/command", False),  # nor gives any
        ("fengsui", "fengsui", "fengsui/exercise/yanqing/clock", False),  # live only
    ],
)
def test_a_device_speaks_for_itself_only(
    broker: tuple[int, Path], writer: str, reader: str, topic: str, passes: bool
) -> None:
    # a retained message is there for whoever may read it, so nothing depends on who is first
    word = uuid.uuid4().hex
    subprocess.run(
        _client(broker, "mosquitto_pub", writer, "-r", "-t", topic, "-m", word), timeout=120
    )
    heard = subprocess.run(
        _client(broker, "mosquitto_sub", reader, "-C", "1", "-W", "1" if not passes else "60",
                "-t", topic),
        capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    assert (word in heard) == passes


@pytest.mark.parametrize("wrong", [["-u", "R001", "-P", "other"], []])
def test_strangers_are_refused(broker: tuple[int, Path], wrong: list[str]) -> None:
    port, cert = broker
    done = subprocess.run(
        ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "--cafile", str(cert), *wrong,
         "-t", f"{P}/station/R001/rain", "-m", "1"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
