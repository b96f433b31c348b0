"""Real servers on free loopback ports for the tests: Kafka, InfluxDB, mosquitto.

Each is taken from an environment variable if one names it, else started from what `make services`
fetched; if it is nowhere the test is skipped, and with CI=true it fails.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SERVICES = Path(__file__).parent.parent / ".services"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def absent(what: str) -> None:
    """Skip, or fail where a skip would hide something."""
    words = f"{what} is not here: `make services` fetches it"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def wait_for(port: int, process: "subprocess.Popen[bytes]", notes: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"no answer on port {port}: {notes.read_text()[-2000:]}")


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a Kafka 4.x broker."""
    if named := os.environ.get("FENGSUI_TEST_KAFKA"):
        yield named
        return
    libs = SERVICES / "kafka" / "libs"
    if not libs.exists() or shutil.which("java") is None:
        absent("Kafka")
    folder = tmp_path_factory.mktemp("kafka")
    port, control = free_port(), free_port()
    settings = folder / "server.properties"
    settings.write_text(
        f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
message.max.bytes=33000000
"""
    )
    java = ["java", "-Xmx512m", "-cp", f"{libs}/*"]
    notes = folder / "kafka.log"
    with notes.open("wb") as out:
        subprocess.run(
            [
                *java,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "MkU3OEVBNTcwNTJENDM2Qk",
                "-c",
                str(settings),
            ],
            check=True,
            stdout=out,
            stderr=out,
        )
        process = subprocess.Popen([*java, "kafka.Kafka", str(settings)], stdout=out, stderr=out)
    try:
        wait_for(port, process, notes, 60)
        yield f"127.0.0.1:{port}"
    finally:
        end(process)


class Influx(NamedTuple):
    """An InfluxDB 2 with an organisation, a bucket and a token."""

    host: str
    token: str
    org: str
    bucket: str

    @property
    def url(self) -> str:
        return f"influx://{self.host}/{self.org}/{self.bucket}"


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    if named := os.environ.get("FENGSUI_TEST_INFLUX"):  # HOST:PORT,TOKEN,ORG,BUCKET
        yield Influx(*named.split(","))
        return
    binary = SERVICES / "influxd"
    if not binary.exists():
        absent("InfluxDB")
    folder = tmp_path_factory.mktemp("influx")
    port = free_port()
    notes = folder / "influxd.log"
    with notes.open("wb") as out:
        process = subprocess.Popen(
            [
                str(binary),
                f"--http-bind-address=127.0.0.1:{port}",
                "--reporting-disabled",
                f"--bolt-path={folder}/bolt",
                f"--engine-path={folder}/engine",
                f"--sqlite-path={folder}/sqlite",
                "--log-level=warn",
            ],
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(port, process, notes, 60)
        body = {
            "username": "test",
            "password": "test-password",
            "org": "fengsui",
            "bucket": "history",
            "token": uuid.uuid4().hex,
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v2/setup",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        for _ in range(100):
            try:
                urllib.request.urlopen(request, timeout=10).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Influx(f"127.0.0.1:{port}", body["token"], "fengsui", "history")
    finally:
        end(process)


class Mosquitto:
    """A broker with one user, that keeps its sessions over a restart."""

    user, password = "fengsui", "secret"

    def __init__(self, folder: Path) -> None:
        path = f"{os.environ['PATH']}:/usr/sbin"
        self._binary = shutil.which("mosquitto", path=path)
        if self._binary is None or shutil.which("mosquitto_pub") is None:
            absent("mosquitto")
        self.folder = folder
        self.port = free_port()
        self._notes = folder / "mosquitto.log"
        secret = folder / "users"
        secret.write_text(f"{self.user}:{self.password}\n")
        secret.chmod(0o600)
        subprocess.run(
            [str(shutil.which("mosquitto_passwd", path=path)), "-U", str(secret)], check=True
        )
        (folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {secret}\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
            "max_queued_messages 0\nmax_inflight_messages 200\nuser root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{self.user}:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> "Mosquitto":
        with self._notes.open("ab") as out:
            self._process = subprocess.Popen(
                [str(self._binary), "-c", str(self.folder / "mosquitto.conf")],
                stdout=out,
                stderr=out,
            )
        wait_for(self.port, self._process, self._notes, 20)
        return self

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def publish(self, topic: str, payload: str, version: str = "311") -> None:
        """By the client that is not ours."""
        subprocess.run(
            [
                "mosquitto_pub",
                "-h",
                "127.0.0.1",
                "-p",
                str(self.port),
                "-u",
                self.user,
                "-P",
                self.password,
                "-V",
                version,
                "-q",
                "1",
                "-t",
                topic,
                "-m",
                payload,
            ],
            check=True,
            timeout=20,
        )


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    server = Mosquitto(tmp_path).start()
    yield server
    server.stop()
