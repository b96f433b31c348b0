"""Real servers on free loopback ports for the tests: Kafka, InfluxDB, mosquitto.

Each is taken from an environment variable if one names it, else started from what `make services`
fetched; if it is nowhere the test is skipped, and with CI=true it fails.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.servers import influx, kafka
from bench.servers import mosquitto as mosquitto_server
from bench.servers.influx import Influx
from bench.servers.process import SERVICES, Absent, end, wait_for
from tests.support.played import shared

__all__ = ["SERVICES", "Influx", "end", "wait_for"]


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


@contextmanager
def or_absent() -> Iterator[None]:
    try:
        yield
    except Absent as e:
        absent(e.what)


class Kafka(kafka.Kafka):
    def __init__(
        self,
        folder: Path,
        *,
        proxied: Mapping[str, int] | None = None,
        pem: Path | None = None,
        rights: bool = False,
    ) -> None:
        with or_absent():
            super().__init__(folder, proxied=proxied, pem=pem, rights=rights)


class InfluxServer(influx.InfluxServer):
    def __init__(self, folder: Path) -> None:
        with or_absent():
            super().__init__(folder)


class Mosquitto(mosquitto_server.Mosquitto):
    def __init__(self, folder: Path, sqlite: Path | None = None) -> None:
        with or_absent():
            super().__init__(folder, sqlite)


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


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    server = Mosquitto(tmp_path).start()
    yield server
    server.stop()
