"""History on a real InfluxDB: what it makes there, what it does when points are refused or the
server is killed."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from ingest.archive import run_archive
from ingest.observation import Flag, Observation, Observations
from stream.history.influx_setup import task_flux, task_name
from stream.history.open import open_history
from stream.history.port import Point
from stream.history.refusing import Refusing
from stream.log.open import open_log
from stream.log.port import Log, Out
from stream.records import DeadLetter, encode
from tests.support.servers import Influx, InfluxServer

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient

T = 1_753_524_000_000
HOUR = 3_600_000


@pytest.fixture
def client(influx_server: Influx) -> Iterator["InfluxDBClient"]:
    from influxdb_client.client.influxdb_client import InfluxDBClient

    with InfluxDBClient(
        f"http://{influx_server.host}", token=influx_server.token, org=influx_server.org
    ) as found:
        yield found


def within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def test_many_values_are_few_series(
    influx_server: Influx, client: "InfluxDBClient", tmp_path: Path
) -> None:
    """Series grow with stations, not with values."""
    token = tmp_path / "token"
    token.write_text(influx_server.token + "\n")
    name = f"series{time.time_ns():x}"
    url = f"influx://{influx_server.host}/{influx_server.org}/{name}?token_file={token}"
    history = open_history(url, "live", "toy")
    points = [Point(f"R{n % 4}", "rain", T + n // 8, n, 1, 1) for n in range(2000)]
    history.write(points, [])
    assert history.series("R1", "rain", T, T + 10**6) == [p for p in points if p.station == "R1"]
    query = f'import "influxdata/influxdb" influxdb.cardinality(bucket: "{name}", start: 1970-01-01T00:00:00Z)'
    tables = client.query_api().query(query)
    assert tables[0].records[0].values["_value"] == 4  # a station each
    history.close()


def test_it_makes_its_buckets_and_the_hours(
    influx_server: Influx, client: "InfluxDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", influx_server.token)
    name = f"made{time.time_ns():x}"
    url = f"influx://{influx_server.host}/{influx_server.org}/{name}?retention_days=400"
    this_hour = int(time.time()) * 1000 // HOUR * HOUR
    at = this_hour - 2 * HOUR
    rain = [Point("R01", "rain", at + n * 60_000, n, 5, 4 if n == 3 else 1) for n in range(60)]
    level = [Point("W01", "stage", at + n * 600_000, n, 10 + n, 1) for n in range(6)]
    now = [Point("R01", "rain", this_hour, 1, 77, 1)]
    for _ in range(2):  # the second finds all there
        history = open_history(url, "live", "toy")
        history.write([*rain, *level, *now], [])
        history.close()
    assert client.buckets_api().find_bucket_by_name(name).retention_rules[0].every_seconds == (
        400 * 86_400
    )
    tasks = client.tasks_api().find_tasks(name=task_name(name))
    assert len(tasks) == 1
    assert client.tasks_api().run_manually(tasks[0].id).status == "scheduled"

    def hours() -> list[tuple[str, str, float]]:
        query = f'from(bucket: "{name}_1h") |> range(start: -1d)'
        tables = client.query_api().query(query)
        return sorted(
            (r.values["station"], r.values["_field"], r.values["_value"])
            for t in tables
            for r in t.records
        )

    want = [("R01", "sum", 59 * 5), ("W01", "max", 15), ("W01", "mean", 12.5)]

    def made() -> bool:
        found = hours()
        over = time.time() * 1000 >= this_hour + HOUR  # meanwhile this hour, too, came to its end
        return found == want or (over and found == sorted([*want, ("R01", "sum", 77)]))

    assert within(120, made), hours()
    assert name in task_flux(name)


def test_a_refused_point_stands_alone_and_the_rest_is_kept(
    influx_server: Influx, client: "InfluxDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older than the bucket keeps: InfluxDB refuses them for ever."""
    monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", influx_server.token)
    name = f"old{time.time_ns():x}"
    url = f"influx://{influx_server.host}/{influx_server.org}/{name}?retention_days=1"
    now = int(time.time() * 1000)
    good = [Point("R01", "rain", now - n * 1000, n, 1, 1) for n in range(50)]
    old = [Point("R01", "rain", T, n, 1, 1) for n in range(2)]
    history = open_history(url, "live", "toy")
    history.write([*good[:20], *old, *good[20:]], [])
    assert isinstance(history, Refusing)
    refused = history.refused()
    assert len(refused) == 2
    assert history.refused() == []
    assert all("R01" in words and "retention" in words for words in refused)
    assert len(history.series("R01", "rain", now - HOUR, now + 1)) == 50
    history.close()


def observations(first: int, count: int, at: int) -> list[Out]:
    return [
        Out("observations", "G", encode(Observations.of("G", at, [
            Observation(station="R01", quantity="rain", observed_at=at + n * 1000, value=n, seq=n,
                        flag=Flag.GOOD)
        ])))
        for n in range(first, first + count)
    ]  # fmt: skip


def archiving(log: Log, url: str, stop: threading.Event) -> threading.Thread:
    history = open_history(url, "live", "toy")
    thread = threading.Thread(target=run_archive, args=(log, history, "m", stop))
    thread.start()
    return thread


def test_killed_and_back_it_has_every_value_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """History lags while InfluxDB is away; the line goes on, and history catches up."""
    server = InfluxServer(tmp_path).start()
    monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", server.place.token)
    log = open_log(f"sqlite:///{tmp_path}", "live", "toy", 2)
    stop, at = threading.Event(), int(time.time() * 1000) - HOUR
    thread = archiving(log, server.place.url, stop)
    try:
        log.append(observations(0, 300, at))
        assert within(120, lambda: sum(log.positions("observations", "archive")) >= 300)
        server.kill()
        for n in range(300, 900, 100):
            log.append(observations(n, 100, at))
        assert within(120, lambda: "history lags" in capsys.readouterr().err)
        assert sum(log.positions("observations", "archive")) < 900
        server.start()
        assert within(300, lambda: sum(log.positions("observations", "archive")) == 900)
        history = open_history(server.place.url, "live", "toy")
        found = history.series("R01", "rain", at, at + HOUR)
        assert [p.value for p in found] == list(range(900))
        history.close()
    finally:
        stop.set()
        thread.join(120)
        log.close()
        server.stop()


def test_what_is_refused_is_a_dead_letter_and_holds_up_nothing(
    influx_server: Influx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", influx_server.token)
    name = f"dead{time.time_ns():x}"
    url = f"influx://{influx_server.host}/{influx_server.org}/{name}?retention_days=1"
    log = open_log(f"sqlite:///{tmp_path}", "live", "toy", 1)
    stop, now = threading.Event(), int(time.time() * 1000)
    thread = archiving(log, url, stop)
    try:
        log.append([*observations(0, 1, T), *observations(1, 5, now - HOUR)])
        assert within(120, lambda: log.positions("observations", "archive") == [6])
        letters = [e.value for e in log.read("dead-letters", 0, 0)]
        assert len(letters) == 1
        assert msgspec.json.decode(letters[0], type=DeadLetter).reason == "history_refused"
        # the letter itself goes into history, and is no reason for another
        assert within(120, lambda: log.positions("dead-letters", "archive") == [1])
        assert log.ends("dead-letters") == [1]
    finally:
        stop.set()
        thread.join(120)
        log.close()
