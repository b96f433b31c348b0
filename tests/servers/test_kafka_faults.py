"""What happens to detectors on a real Kafka when something fails: nothing is lost, nothing doubled,
and the line goes on by itself."""

import datetime
import ipaddress
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.cases.kafka import Reading, Worker, fresh, read_on, reference, said
from bench.load.district import bench_district, names, packed
from bench.servers.tcp_proxy import Proxy
from stream.log.open import open_log
from stream.log.port import Corrupt, Log, Out, Unavailable
from tests.support import leftovers
from tests.support.districts import as_it_stands
from tests.support.servers import Kafka, free_port

ROOT = Path(__file__).parents[2]
GAUGES = 60
PARTITIONS = 4
DISTRICT = bench_district(as_it_stands(), names(GAUGES), PARTITIONS)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A server's key with its certificate for 127.0.0.1 in one file, and what signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = cert.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(private + public)
    (folder / "ca.pem").write_bytes(public)
    return folder / "server.pem", folder / "ca.pem"


class Place:
    """A broker of this file's own, the proxy before it, and what signs its certificate."""

    def __init__(self, folder: Path) -> None:
        pem, self.ca = certificate(folder)
        self.proxy = Proxy(free_port())
        self.broker = Kafka(folder, proxied={"PROXIED": self.proxy.port}, pem=pem).start()
        self.proxy.target = self.broker.ports["PROXIED"]
        self.url = f"kafka://{self.broker.address()}"
        self.proxied = f"kafka://127.0.0.1:{self.proxy.port}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    found = Place(tmp_path_factory.mktemp("own-kafka"))
    yield found
    found.proxy.close()
    found.broker.stop()


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    """Whoever is in the list is ended afterwards."""
    started: list[Worker] = []
    yield started
    for worker in started:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGCONT)
            worker.end()


def rain(minutes: int) -> list[Reading]:
    """Showers of many gauges, in order of arrival, some late and some twice."""
    rng = np.random.default_rng(41)
    counts = rng.poisson(0.05, (GAUGES, minutes))
    for gauge in range(0, GAUGES, 2):
        begin = int(rng.integers(0, minutes - 30))
        counts[gauge, begin : begin + 25] += rng.poisson(rng.uniform(4, 14), 25)
    out: list[Reading] = []
    for m in range(minutes):
        for g in rng.permutation(GAUGES).tolist():
            at = m - int(rng.integers(1, 9)) if m > 10 and rng.random() < 0.02 else m
            row = (names(GAUGES)[g], (29_000_000 + at) * 60_000, int(counts[g, at]))
            out += [row, row] if rng.random() < 0.02 else [row]
    return out


def soon(there: Callable[[], bool], within_s: float) -> bool:
    """Does it come to be so?"""
    until = time.monotonic() + within_s
    while not (found := there()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def insist(log: Log, records: list[tuple[str, bytes]]) -> int:
    """Append as ingest does: again until the log has them. How often it was away."""
    away = 0
    for at in range(0, len(records), 20):
        outs = [Out("observations", k, v) for k, v in records[at : at + 20]]
        for _ in range(200):
            try:
                log.append(outs)
                break
            except Unavailable:
                away += 1
                time.sleep(0.2)
        else:
            raise AssertionError("Kafka does not come back")
    return away


def pieces(readings: list[Reading], count: int) -> list[list[tuple[str, bytes]]]:
    size = -(-len(readings) // count)
    return [packed(DISTRICT, readings[n : n + size], 40) for n in range(0, len(readings), size)]


def detector(place: Place, run: str, workers: list[Worker], url: str = "") -> Worker:
    worker = Worker(url or place.url, run, gauges=GAUGES, partitions=PARTITIONS)
    workers.append(worker)
    worker.wait("ready", 180)
    return worker


def nothing_lost_or_doubled(log: Log, readings: list[Reading]) -> None:
    read_on(log, "detect", log.ends("observations"))
    want = reference(readings)
    assert len(want) > 30
    # of one transaction the position may be seen a moment before what it wrote
    soon(lambda: len(said(log)) >= len(want), 60)
    assert said(log) == want


def test_members_that_look_in_shortly_get_their_partitions(place: Place) -> None:
    """Of topics made this instant, as when all stages of a new run are started at once."""
    for _turn in range(2):
        _, log = fresh(place.url, PARTITIONS)
        members = [log.join("observations", f"group-{n}", "m") for n in range(8)]
        until = time.monotonic() + 60  # without the joins it would be minutes
        while {len(m.owned()) for m in members} != {4} and time.monotonic() < until:
            for member in members:
                member.poll(0.002)
        assert [len(m.owned()) for m in members] == [4] * 8
        for member in members:
            member.close()
        log.close()


def test_the_broker_is_killed_and_comes_back(place: Place, workers: list[Worker]) -> None:
    """SIGKILL of a broker loses nothing that it has acknowledged: it stands in the page cache."""
    readings = rain(160)
    run, log = fresh(place.url)
    one = detector(place, run, workers)
    first, second, third = pieces(readings, 3)
    insist(log, first)
    place.broker.kill()
    with pytest.raises(Unavailable, match=place.broker.address()):
        log.append([Out("observations", *second[0])])
    leftovers.keep(place.broker.start().pid)
    insist(log, second)
    insist(log, third)
    nothing_lost_or_doubled(log, readings)
    assert one.process.poll() is None
    log.close()


def test_members_come_and_go_in_a_storm(place: Place, workers: list[Worker]) -> None:
    readings = rain(200)
    run, log = fresh(place.url)
    parts = pieces(readings, 6)
    one = detector(place, run, workers)
    insist(log, parts[0])
    two = detector(place, run, workers)
    insist(log, parts[1])
    three = detector(place, run, workers)
    insist(log, parts[2])
    one.kill()  # no farewell
    insist(log, parts[3])
    four = detector(place, run, workers)
    two.end()  # a clean leave
    insist(log, parts[4])
    insist(log, parts[5])
    nothing_lost_or_doubled(log, readings)
    # what they said of it is read by a thread of its own
    assert soon(lambda: three.owns() | four.owns() == set(range(PARTITIONS)), 60)
    log.close()


def test_one_that_slept_past_its_session_writes_nothing(
    place: Place, workers: list[Worker]
) -> None:
    readings = rain(160)
    run, log = fresh(place.url)
    parts = pieces(readings, 4)
    asleep = detector(place, run, workers)
    insist(log, parts[0])
    asleep.process.send_signal(signal.SIGSTOP)
    insist(log, parts[1])  # it will find these in its sockets
    awake = Worker(place.url, run, gauges=GAUGES, partitions=PARTITIONS)
    workers.append(awake)
    awake.wait("ready", 180)
    insist(log, parts[2])
    read_on(log, "detect", log.ends("observations"))
    asleep.process.send_signal(signal.SIGCONT)
    insist(log, parts[3])
    nothing_lost_or_doubled(log, readings)
    awake.end()  # and it is a good member again
    log.append([Out("observations", k, v) for k, v in parts[3][:1]])
    read_on(log, "detect", log.ends("observations"))
    assert asleep.process.poll() is None
    log.close()


@pytest.mark.parametrize(("mode", "seconds"), [("cut", 2.0), ("stall", 9.0)])
def test_the_network_to_the_broker_fails(
    place: Place, workers: list[Worker], mode: str, seconds: float
) -> None:
    readings = rain(160)
    run, log = fresh(place.url)
    parts = pieces(readings, 3)
    one = detector(place, run, workers, place.proxied)
    insist(log, parts[0])
    place.proxy.set(mode)
    insist(log, parts[1])
    time.sleep(seconds)
    place.proxy.set("pass")
    insist(log, parts[2])
    nothing_lost_or_doubled(log, readings)
    assert one.process.poll() is None
    log.close()


def test_a_password_and_tls(place: Place, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{Kafka.password}\n")
    host = place.broker.address("SECURE")
    run = f"exercise-{time.time_ns():x}"

    def at(query: str, scheme: str = "kafkas", user: str = Kafka.user) -> str:
        return f"{scheme}://{user}@{host}?{query}"

    log = open_log(at(f"ca={place.ca}&password_file={secret}"), run, "toy", 2)
    log.append([Out("cases", "k", b"over TLS")])
    until = time.monotonic() + 90
    while not (there := log.read("cases", 0, 0)) and time.monotonic() < until:
        time.sleep(0.05)  # Kafka ends a transaction, and only then shows what was in it
    assert [e.value for e in there] == [b"over TLS"]
    consumer = log.join("cases", "g", "m")
    while not (found := consumer.poll(0.5)) and time.monotonic() < until:
        pass
    consumer.commit(0, found[-1].offset + 1, [Out("alerts", "k", b"out")])
    assert log.positions("cases", "g") == [found[-1].offset + 1]
    consumer.close()
    log.close()

    secret.write_text("wrong-words")
    with pytest.raises(Unavailable, match=host) as refused:
        open_log(at(f"ca={place.ca}&password_file={secret}"), run, "toy", 2)
    assert "wrong-words" not in str(refused.value)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(Unavailable, match=host):
        open_log(at(f"ca={certificate(other)[1]}&password_file={secret}"), run, "toy", 2)
    with pytest.raises(ValueError, match="password_file"):
        open_log(at(f"ca={place.ca}"), run, "toy", 2)
    with pytest.raises(ValueError, match="no such file"):
        open_log(at(f"ca={tmp_path}/none.pem&password_file={secret}"), run, "toy", 2)


def test_another_number_of_partitions_is_refused(place: Place) -> None:
    run, log = fresh(place.url)
    log.append([Out("observations", "k", b"{}")])
    log.close()
    for partitions in (2, 8):
        with pytest.raises(Corrupt, match=rf"{run}.observations.*4.*{partitions}"):
            open_log(place.url, run, "bench", partitions)


def fengsui(*words: str, env: dict[str, str], folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "fengsui", "--state", str(folder), *words],
        cwd=ROOT, env={**os.environ, **env}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_stage_that_starts_before_its_broker_waits_for_it(tmp_path: Path) -> None:
    broker, port = Kafka(tmp_path), free_port()
    env = {"FENGSUI_LOG": f"kafka://{broker.address()}", "FENGSUI_HTTP": f"127.0.0.1:{port}"}
    run = ("--run", "exercise-early")
    status = fengsui("status", *run, env=env, folder=tmp_path)
    text, _ = status.communicate(timeout=300)
    assert status.returncode == 1
    assert broker.address() in text
    assert "Traceback" not in text

    decide = fengsui("decide", *run, env=env, folder=tmp_path)
    said = Said(decide)
    try:
        assert answer(port, "/healthz", 200, 120), "it waits, and does not hang"
        assert answer(port, "/readyz", 503, 60)
        assert said.soon("秒后再试", 120), said.text()
        broker.start()
        assert answer(port, "/readyz", 200, 180)
    finally:
        decide.terminate()
        decide.wait(120)
        broker.stop()
    assert decide.returncode == 0, said.text()


class Said:
    """What a process prints, as it prints it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._lines: list[str] = []
        self._pipe = process.stdout
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._pipe or ():
            self._lines.append(line)

    def text(self) -> str:
        return "".join(self._lines)

    def soon(self, words: str, within_s: float) -> bool:
        return soon(lambda: words in self.text(), within_s)


def answer(port: int, path: str, wanted: int, within_s: float) -> bool:
    """Does it come to answer so?"""
    until, found = time.monotonic() + within_s, 0
    while found != wanted and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=90) as got:
                found = got.status
        except urllib.error.HTTPError as e:
            found = e.code
        except OSError:
            found = 0
        if found != wanted:
            time.sleep(0.3)
    return found == wanted
