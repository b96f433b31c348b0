"""What operators see: the auditor's findings, the way of a reading, metrics and health."""

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from config.load import load
from console.model.consistency import CHECKS, Audit
from console.model.follow import Follower
from detectors.detection import Detection
from dispatch.records import Alert, Decision, Delivery, Receipt
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import default_config, make_setup
from stream import metrics as meters
from stream.http.exporter import serve
from stream.log.port import Out
from stream.records import Run, Tick, encode
from tests.support.played import fengsui
from tests.support.servers import Mosquitto, free_port

ROOT = Path(__file__).parents[2]
FIVE_MIN = 300_000


@pytest.fixture(scope="module")
def records(storm: Path) -> list[object]:
    log = open_run_log(make_setup(load(default_config()), "exercise-a", storm))
    found = [record for _, record in Follower(log).take()]
    log.close()
    return found


def checks(records: list[object], later_ms: int = FIVE_MIN) -> set[str]:
    audit = Audit()
    for record in records:
        audit.take(record)
    return {f.check for f in audit.findings(audit.view.clock_at + later_ms)}


def without(records: list[object], lost: Callable[[object], bool]) -> list[object]:
    kept = [r for r in records if not lost(r)]
    assert len(kept) < len(records)
    return kept


def test_a_storm_that_went_well_is_all_explained(storm: Path) -> None:
    done = fengsui(storm, "audit", "--once", "--run", "exercise-a")
    assert done.returncode == 0, done.stdout
    assert re.search(r"all explained: [1-9]\d* .* [1-9]\d* ", done.stderr)


def test_what_is_lost_on_the_way_is_found(records: list[object]) -> None:
    """Each kind of loss by its own name; a line that has stopped as well."""
    assert checks(records, 0) == set()
    assert "line_stands" in checks(records)
    alert = next(r for r in records if isinstance(r, Alert))
    half = [r for r in records if not isinstance(r, Alert) or r.version == 1]
    lost = without(half, lambda r: isinstance(r, Alert) and r.area == alert.area)
    assert "not_decided" in checks(lost)
    lost = without(half, lambda r: isinstance(r, Delivery))
    assert "not_addressed" in checks(lost)
    lost = without(records, lambda r: isinstance(r, Receipt))
    assert "stuck" in checks(lost)
    live = msgspec.structs.replace(next(r for r in records if isinstance(r, Run)), kind="live")
    lost = [live if isinstance(r, Run) else r for r in records]
    assert "wrong_status" in checks(lost)
    waiting = msgspec.structs.replace(
        alert, state="proposed", msg_type="alert", deadline_at=alert.sent_at, public=False
    )
    lost = [r for r in half if not isinstance(r, Alert)]
    assert "overdue" in checks([*lost, waiting])
    forged = Decision(
        area=alert.area, hazard=alert.hazard, act="cancel", by="K-01", decided_at=0, reason="x",
        outcome="refused", unproven="unsigned", hash="0123",
    )  # fmt: skip
    assert checks([*records, forged], 0) == {"unproven"}


def test_a_reading_is_followed_to_the_people_and_back(storm: Path, records: list[object]) -> None:
    deliveries = [r for r in records if isinstance(r, Delivery)]
    detections = {r.id: r for r in records if isinstance(r, Detection)}
    alerts = {(r.id, r.version): r for r in records if isinstance(r, Alert)}
    one = next(d for d in deliveries if alerts[d.alert, d.version].detections)
    rests_on = detections[alerts[one.alert, one.version].detections[0]]
    station = rests_on.evidence[0].station.split("+")[0]  # of a rule over several, one of them

    back = fengsui(storm, "trace", one.id, "--run", "exercise-a")
    assert back.returncode == 0
    assert station in back.stdout
    assert rests_on.id in back.stdout
    forth = fengsui(storm, "trace", station, "--run", "exercise-a")
    assert one.id in forth.stdout
    assert "received" in forth.stdout
    nothing = fengsui(storm, "trace", "no-such-id", "--run", "exercise-a")
    assert nothing.returncode == 1


class Heard(http.server.BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def watcher() -> Iterator[tuple[str, list[str]]]:
    """Whoever hears heartbeats: its URL, and what it heard."""
    Heard.paths = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Heard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/beat", Heard.paths
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("well", "path"), [(True, "/beat"), (False, "/beat/fail")])
def test_the_heartbeat_says_whether_all_is_explained(
    tmp_path: Path, watcher: tuple[str, list[str]], well: bool, path: str
) -> None:
    url, heard = watcher
    district = load(default_config())
    setup = make_setup(district, "live", tmp_path)
    log = open_run_log(setup)
    now = int(time.time() * 1000)
    run = Run(name="live", kind="live", district=district.id, config="1", start_at=now - FIVE_MIN)
    # well: ahead, so that a slow start is no standstill
    tick = Tick(clock_at=now + FIVE_MIN if well else now - FIVE_MIN)
    log.append([Out("observations", "k", encode(r), 0) for r in (run, tick)])
    log.close()
    port = free_port()
    auditor = subprocess.Popen(
        [sys.executable, "-m", "fengsui", "--state", str(tmp_path), "audit", "--heartbeat", url],
        cwd=ROOT, env={**os.environ, "FENGSUI_HTTP": f"127.0.0.1:{port}"},
    )  # fmt: skip
    try:
        assert within(120, lambda: bool(heard))
        assert set(heard) == {path}
        metrics = get(port, "/metrics")[1]
        assert f'fengsui_audit_unexplained{{check="line_stands"}} {0 if well else 1}.0' in metrics
    finally:
        auditor.send_signal(signal.SIGTERM)
        assert auditor.wait(120) == 0


def within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=90) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except OSError as e:
        return 0, str(e)


def value(metrics: str, name: str, **labels: str) -> float:
    """A metric's value, 0 where it has none."""
    for line in metrics.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{k}="{v}"' in (found[1] or "") for k, v in labels.items()):
            return float(found[2])
    return 0.0


def test_a_live_line_shows_what_it_takes_and_how_it_is(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    """Real stages, a real broker: counters of a reading and of a bad one, lag, health."""
    ports = {name: free_port() for name in ("ingest", "detect")}
    stages = {
        name: subprocess.Popen(
            [sys.executable, "-m", "fengsui", "--state", str(tmp_path), name],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "FENGSUI_BROKER": mosquitto.url,
                 "FENGSUI_HTTP": f"127.0.0.1:{port}", "FENGSUI_LOG_FORMAT": "json"},
        )
        for name, port in ports.items()
    }  # fmt: skip
    try:
        for port in ports.values():
            assert within(240, lambda port=port: get(port, "/readyz")[0] == 200)  # type: ignore[misc]
            assert get(port, "/healthz")[0] == 200
            assert get(port, "/other")[0] == 404
        district = load(default_config())
        station = next(s.id for s in district.stations.values() if s.quantity == "rain")
        topic = f"fengsui/live/{district.id}/station/{station}/rain"
        mosquitto.publish(topic, '{"value": 0.4}')
        mosquitto.publish(topic, '{"value": "much"}')

        def shown() -> bool:
            one, two = get(ports["ingest"], "/metrics")[1], get(ports["detect"], "/metrics")[1]
            return (
                value(one, "fengsui_readings_total", quantity="rain") == 1
                and value(one, "fengsui_dead_letters_total", reason="bad_value") == 1
                and value(two, "fengsui_hop_seconds_count", stage="detect") >= 1
                and value(two, "fengsui_partitions_owned", stage="detect") == district.partitions
                and value(two, "fengsui_records_out_total", topic="cases") > 0
            )

        assert within(120, shown)
        mosquitto.stop()
        assert within(120, lambda: get(ports["ingest"], "/readyz")[0] == 503)
        state = json.loads(get(ports["ingest"], "/readyz")[1])
        assert str(mosquitto.port) in state["ingest"]["waits_for"]
        assert get(ports["ingest"], "/healthz")[0] == 200, (
            "it waits: to start it again helps nobody"
        )
    finally:
        for stage in stages.values():
            stage.terminate()
        said = {name: stage.communicate(timeout=120)[1] for name, stage in stages.items()}
    lines = [x for x in said["ingest"].splitlines() if x.startswith("{")]
    assert any(str(mosquitto.port) in json.loads(x)["say"] for x in lines)
    assert mosquitto.password not in said["ingest"]


def test_a_stage_that_hangs_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "HANGS_S", 0.05)
    pulses = meters.Pulses()
    monkeypatch.setattr("stream.http.exporter.PULSES", pulses)
    with serve("127.0.0.1:0") as port:
        assert get(port, "/healthz")[0] == 503, "no stage at all"
        pulse = pulses.of("detect")
        pulse.beat()
        monkeypatch.setattr(meters, "HANGS_S", 60.0)
        assert get(port, "/healthz")[0] == 200
        pulse.beat("Kafka")
        assert (get(port, "/healthz")[0], get(port, "/readyz")[0]) == (200, 503)
        monkeypatch.setattr(meters, "HANGS_S", 0.05)
        time.sleep(0.1)
        assert get(port, "/healthz")[0] == 503
    with pytest.raises(ValueError, match="HOST:PORT"), serve("9464"):
        pass


def test_no_metric_names_a_person_or_a_place(storm: Path) -> None:
    """Labels come from short closed lists; what a stranger can send is none of them."""
    allowed = {"stage", "topic", "partition", "reason", "quantity", "flag", "channel", "state",
               "level", "check", "kind", "door", "why", "interval", "way", "what",
               # names out of channels.toml, sources.toml and pictures.csv
               "carrier", "source", "purpose"}  # fmt: skip
    found = [m for m in vars(meters).values() if hasattr(m, "_labelnames")]
    assert len(found) > 10
    for metric in found:
        assert set(metric._labelnames) <= allowed
    assert len(set(CHECKS)) == len(CHECKS)
