"""What operators deploy and what can be run here: the start script that takes secrets from files, the
containers' health check, and what the devices' broker is told."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.servers

DEPLOY = Path(__file__).parents[2] / "deploy"


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


def test_the_broker_of_compose_is_what_broker_config_makes_of_the_example(tmp_path: Path) -> None:
    """One definition of who may say and hear what: what it withstands is in test_broker_attacks.py."""
    subprocess.run(
        [sys.executable, "-m", "fengsui", "broker-config", "mosquitto", str(tmp_path),
         "--at", "/mosquitto/config", "--data", "/mosquitto/data"],
        check=True, capture_output=True, timeout=300, env={**os.environ, "FENGSUI_LANG": "zh"},
    )  # fmt: skip
    for name in ("mosquitto.conf", "acl"):
        assert (DEPLOY / "mosquitto" / name).read_text() == (tmp_path / name).read_text(), (
            f"{name}: fengsui broker-config mosquitto deploy/mosquitto --at /mosquitto/config "
            "--data /mosquitto/data"
        )


def test_the_broker_of_compose_lets_nobody_be_another() -> None:
    settings = (DEPLOY / "mosquitto/mosquitto.conf").read_text("utf-8").splitlines()
    for line in ("use_username_as_clientid true", "allow_anonymous false", "listener 8883",
                 "retain_available false", "persistence true"):  # fmt: skip
        assert line in settings
    assert "pattern" not in (DEPLOY / "mosquitto/acl").read_text("utf-8")
