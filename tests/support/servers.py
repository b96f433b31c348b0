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
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.played import shared

SERVICES = Path(__file__).parents[2] / ".services"


def free_port() -> int:
    """One of loopback that this process has not told before."""
    from fengsui.run.setup import free_port as found

    return found()


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
    raise RuntimeError(f"no answer on port {port}: {notes.read_text(errors='replace')[-2000:]}")


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=60)  # a broker writes down what it holds
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


class Kafka:
    """A broker of one node. `ports`: listeners by name; PROXIED is advertised at `proxy_port`, SECURE
    is SASL (SCRAM-SHA-256) over TLS with the server's key and certificate in `pem`; with `rights`
    nobody may do what nobody granted, USERS is SASL without TLS, and PLAINTEXT the administrator's."""

    user, password = "fengsui", "sea-of-clouds"

    def __init__(
        self, folder: Path, *, proxy_port: int = 0, pem: Path | None = None, rights: bool = False
    ) -> None:
        libs = SERVICES / "kafka" / "libs"
        if not libs.exists() or shutil.which("java") is None:
            absent("Kafka")
        names = ["PLAINTEXT"] + ["PROXIED"] * bool(proxy_port) + ["SECURE"] * bool(pem)
        names += ["USERS"] * rights
        self.ports = {name: free_port() for name in names}
        # it lives for minutes: code that is compiled well costs more than it ever gives back
        self._java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", f"{libs}/*"]
        self._notes, self._settings = folder / "kafka.log", folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        told = {n: proxy_port if n == "PROXIED" else p for n, p in self.ports.items()}
        control = free_port()
        at = "127.0.0.1"
        text = f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{at}:{control}
controller.listener.names=CONTROLLER
listeners={"".join(f"{n}://{at}:{p}," for n, p in self.ports.items())}CONTROLLER://{at}:{control}
advertised.listeners={",".join(f"{n}://{at}:{p}" for n, p in told.items())}
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,SECURE:SASL_SSL,USERS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""
        if pem is not None:
            text += f"""sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.secure.scram-sha-256.sasl.jaas.config={_SCRAM} required;
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={pem}
"""
        if rights:
            text += f"""sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.users.scram-sha-256.sasl.jaas.config={_SCRAM} required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""
        self._settings.write_text(text)
        scram = f"SCRAM-SHA-256=[name={self.user},password={self.password}]"
        with self._notes.open("wb") as out:
            subprocess.run(
                [*self._java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qk",
                 "-c", str(self._settings), "--add-scram", scram],
                check=True, stdout=out, stderr=out,
            )  # fmt: skip

    def address(self, listener: str = "PLAINTEXT") -> str:
        return f"127.0.0.1:{self.ports[listener]}"

    def start(self) -> "Kafka":
        with self._notes.open("ab") as out:
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", str(self._settings)], stdout=out, stderr=out
            )
        wait_for(self.ports["PLAINTEXT"], self._process, self._notes, 180)
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None


_ours: list[object] = []  # servers that outlive whoever started them


@pytest.fixture(scope="session")
def kafka_server(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a Kafka 4.x broker that all processes of the tests share."""
    if named := os.environ.get("FENGSUI_TEST_KAFKA"):
        yield named
        return

    def start() -> tuple[int, str]:
        server = Kafka(tmp_path_factory.mktemp("kafka")).start()
        _ours.append(server)
        return server.pid, server.address()

    with shared(played / "kafka", start) as address:
        yield address


class Influx(NamedTuple):
    """An InfluxDB 2 with an organisation, a bucket and a token."""

    host: str
    token: str
    org: str
    bucket: str

    @property
    def url(self) -> str:
        return f"influx://{self.host}/{self.org}/{self.bucket}"


class InfluxServer:
    """An influxd of our own, set up at its first start."""

    def __init__(self, folder: Path) -> None:
        self._binary = SERVICES / "influxd"
        if not self._binary.exists():
            absent("InfluxDB")
        self._folder, self._port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.place = Influx(f"127.0.0.1:{self._port}", uuid.uuid4().hex, "fengsui", "history")

    def start(self) -> "InfluxServer":
        notes, at = self._folder / "influxd.log", self._folder
        with notes.open("ab") as out:
            self._process = subprocess.Popen(
                [str(self._binary), f"--http-bind-address={self.place.host}",
                 "--reporting-disabled", f"--bolt-path={at}/bolt", f"--engine-path={at}/engine",
                 f"--sqlite-path={at}/sqlite", "--log-level=warn"],
                stdout=out, stderr=out,
            )  # fmt: skip
        wait_for(self._port, self._process, notes, 180)
        self._set_up()
        return self

    def _set_up(self) -> None:
        body = {
            "username": "test",
            "password": "test-password",
            "org": self.place.org,
            "bucket": self.place.bucket,
            "token": self.place.token,
        }
        request = urllib.request.Request(
            f"http://{self.place.host}/api/v2/setup",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        deadline, why = time.monotonic() + 180, ""
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(request, timeout=60).close()
                return
            except urllib.error.HTTPError as e:
                if e.code == 422:  # it was set up before
                    return
                why = str(e)
            except OSError as e:
                why = str(e)
            time.sleep(0.1)
        raise RuntimeError(f"InfluxDB cannot be set up: {why}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None


@pytest.fixture(scope="session")
def influx_server(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    """One InfluxDB for all processes of the tests."""
    if named := os.environ.get("FENGSUI_TEST_INFLUX"):  # HOST:PORT,TOKEN,ORG,BUCKET
        yield Influx(*named.split(","))
        return

    def start() -> tuple[int, str]:
        server = InfluxServer(tmp_path_factory.mktemp("influx")).start()
        _ours.append(server)
        return server.pid, ",".join(server.place)

    with shared(played / "influx", start) as told:
        yield Influx(*told.split(","))


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
        wait_for(self.port, self._process, self._notes, 90)
        return self

    def stop(self) -> None:
        if self._process is not None:
            end(self._process)
            self._process = None

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
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
            timeout=90,
        )


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    server = Mosquitto(tmp_path).start()
    yield server
    server.stop()
