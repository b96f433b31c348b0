"""The same storm, the same warnings: in one process on the embedded line, and with one process a
stage on Kafka, InfluxDB and mosquitto. Through the command, as its user runs it."""

import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from stream.log.open import open_log
from tests.support.districts import yanqing
from tests.support.servers import Influx, Mosquitto, free_port

ROOT = Path(__file__).parents[2]
DISTRICT = yanqing()
STAGES = ("archive", "send", "address", "decide", "detect", "ingest")
START = "2025-07-26T10:00:00Z"  # of the scenario cloudburst


def fengsui(
    state: Path, *words: str, env: dict[str, str] | None = None, timeout: float = 900
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "fengsui", "--state", str(state), *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
    )


def rows(folder: Path, name: str) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(x) for x in (folder / f"{name}.jsonl").read_text().splitlines()]


def test_the_storm_warns_and_reaches_people(storm_out: Path) -> None:
    alerts = rows(storm_out, "alerts")
    assert {a["status"] for a in alerts} == {"exercise"}
    assert max(a["level"] for a in alerts) == 4
    assert max(a["action"] for a in alerts) == 2
    deliveries = rows(storm_out, "deliveries")
    states = {r["state"] for d in deliveries for r in d["receipts"]}
    assert {"accepted", "played", "answered", "delivered"} <= states
    texts = [r["text"] for d in deliveries for r in d["routes"] if r["channel"] == "sms"]
    assert texts
    assert all("演练" in t or "EXERCISE" in t for t in texts)
    assert list((storm_out / "cap").glob("*.xml"))
    for name in ("observations", "detections", "decisions"):
        assert rows(storm_out, name)


def test_people_report_and_one_of_them_asks_for_help(storm_out: Path) -> None:
    reports = [d for d in rows(storm_out, "detections") if d["rule"] == "observer"]
    assert {d["level"] for d in reports} > {0}, "they rise and end by themselves"
    assert all(e["station"].startswith("C-") for d in reports for e in d.get("evidence", ()))
    helps = [
        d for d in rows(storm_out, "deliveries") if "求助，请立即" in str(d["routes"][0]["text"])
    ]
    assert [d["recipient"][:7] for d in helps] == ["duty:C-"] * len(helps)
    assert helps


def test_versions_of_a_warning_count_up_from_one(storm_out: Path) -> None:
    versions: dict[str, list[int]] = {}
    for a in rows(storm_out, "alerts"):
        versions.setdefault(a["id"], []).append(a["version"])
    assert all(v == list(range(1, len(v) + 1)) for v in versions.values())


def test_two_runs_are_equal_byte_for_byte(storm_out: Path, drilled_out: Path) -> None:
    """The same storm, played and as a drill."""
    for name in ("alerts", "detections", "decisions"):
        ours = (drilled_out / f"{name}.jsonl").read_bytes()
        assert ours == (storm_out / f"{name}.jsonl").read_bytes(), name


def readings_of(port: int) -> float:
    """How many an ingest took in, by its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as found:
        lines = found.read().decode().splitlines()
    return sum(float(x.split()[-1]) for x in lines if x.startswith("fengsui_readings_total"))


def at_work(ports: Sequence[int], processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Until each of them says that it works. An ingest does once it is subscribed."""
    deadline = time.monotonic() + 300
    for port in ports:
        while True:
            assert time.monotonic() < deadline, f"port {port} is not ready"
            assert all(p.poll() is None for p in processes), "a stage ended"
            url = f"http://127.0.0.1:{port}/readyz"
            with suppress(OSError), urllib.request.urlopen(url, timeout=60):
                break
            time.sleep(0.2)


@pytest.mark.parametrize("count", [1, 3])
def test_processes_of_each_stage_on_real_servers_give_the_same_alerts(
    storm_out: Path,
    kafka_server: str,
    influx_server: Influx,
    mosquitto: Mosquitto,
    tmp_path: Path,
    count: int,
) -> None:
    """One process a stage, or three: three ingests divide the readings among them."""
    run = f"exercise-{uuid.uuid4().hex[:8]}"
    env = {
        "FENGSUI_LOG": f"kafka://{kafka_server}",
        "FENGSUI_BROKER": mosquitto.url + ("?share=ingest" if count > 1 else ""),
        "FENGSUI_HISTORY": influx_server.url,
        "FENGSUI_INFLUX_TOKEN": influx_server.token,
    }
    carrier = free_port()
    words = [sys.executable, "-m", "fengsui", "--state", str(tmp_path)]
    stages = []
    ports = [free_port() for _ in range(len(STAGES) * count)]
    takers = []
    for (name, n), port in zip(itertools.product(STAGES, range(count)), ports, strict=True):
        for_one = {"FENGSUI_MEMBER": f"member-{n}", "FENGSUI_HTTP": f"127.0.0.1:{port}"}
        takers += [port] * (name == "ingest")
        extra = ["--carrier", f"http://127.0.0.1:{carrier}"] if name == "send" else []
        with (tmp_path / f"{name}.log").open("ab") as out:
            stages.append(
                subprocess.Popen(
                    [*words, name, "--run", run, "--start", START, *extra],
                    cwd=ROOT,
                    env={**os.environ, **env, **for_one},
                    stdout=out,
                    stderr=out,
                )
            )
    try:
        # each ingest is to have its share of the storm; the simulator waits for the other stages
        at_work(takers, stages)
        done = fengsui(
            tmp_path,
            "simulate",
            "cloudburst",
            "--run",
            run,
            "--lockstep",
            "--speed",
            "0",
            "--drain",
            "0.2",
            "--carrier-port",
            str(carrier),
            env=env,
            timeout=1200,
        )
        notes = "\n".join((tmp_path / f"{n}.log").read_text()[-1500:] for n in STAGES)
        assert done.returncode == 0, done.stderr[-2000:] + notes
        exported = fengsui(tmp_path, "export", "alerts", "--run", run, env=env)
        assert exported.returncode == 0, exported.stderr
        status = fengsui(tmp_path, "status", "--run", run, env=env)
        assert status.returncode == 0, status.stderr
        assert "lag" in status.stdout
        took = [readings_of(port) for port in takers]
    finally:
        for stage in stages:
            stage.terminate()
        codes = [stage.wait(timeout=180) for stage in stages]
    assert codes == [0] * len(codes), notes
    ours = exported.stdout.splitlines()
    # the embedded run went on until all was clear: compare what both have played
    until = max(json.loads(x)["sent_at"] for x in ours)
    theirs = [
        x
        for x in (storm_out / "alerts.jsonl").read_text().splitlines()
        if json.loads(x)["sent_at"] <= until
    ]
    assert len(ours) > 20
    assert ours == theirs
    assert min(took) > 100, "each ingest had its share of the readings"


def hears_of_the_storm(state: Path, run: str, storm: "subprocess.Popen[bytes]") -> None:
    """Until detect has seen some of it."""
    log = open_log(f"sqlite:///{state / run}", run, "yanqing", DISTRICT.partitions)
    deadline = time.monotonic() + 300
    while not any(log.positions("observations", "detect")):
        assert storm.poll() is None and time.monotonic() < deadline, "no storm"
        time.sleep(0.1)
    log.close()


def test_stages_killed_in_the_middle_of_the_storm_lose_and_double_nothing(
    storm_out: Path, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """One process a stage on one SQLite file; each is killed with SIGKILL during the storm and
    started again. The alerts are those of a run that nothing disturbed."""
    run = "exercise-killed"
    env = {"FENGSUI_BROKER": mosquitto.url}
    carrier = free_port()
    words = [sys.executable, "-m", "fengsui", "--state", str(tmp_path)]

    def start(name: str) -> "subprocess.Popen[bytes]":
        extra = ["--carrier", f"http://127.0.0.1:{carrier}"] if name == "send" else []
        with (tmp_path / f"{name}.log").open("ab") as out:
            return subprocess.Popen(
                [*words, name, "--run", run, "--start", START, *extra],
                cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=out,
            )  # fmt: skip

    stages = {name: start(name) for name in STAGES}
    with (tmp_path / "simulate.log").open("wb") as out:
        storm = subprocess.Popen(
            [*words, "simulate", "cloudburst", "--run", run, "--lockstep", "--speed", "200",
             "--drain", "0", "--carrier-port", str(carrier)],
            cwd=ROOT, env={**os.environ, **env}, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        hears_of_the_storm(tmp_path, run, storm)
        for name in ("detect", "decide", "ingest", "address", "send", "detect", "ingest"):
            stages[name].kill()
            stages[name].wait()
            stages[name] = start(name)
            time.sleep(2.0)
        notes = (tmp_path / "simulate.log").read_text
        assert storm.wait(timeout=1200) == 0, notes()[-2000:]
        exported = fengsui(tmp_path, "export", "alerts", "--run", run, env=env)
    finally:
        storm.kill()
        for stage in stages.values():
            stage.terminate()
        for stage in stages.values():
            stage.wait(timeout=180)
    ours = exported.stdout.splitlines()
    until = max(json.loads(x)["sent_at"] for x in ours)
    theirs = [
        x
        for x in (storm_out / "alerts.jsonl").read_text().splitlines()
        if json.loads(x)["sent_at"] <= until
    ]
    assert len(ours) > 20
    assert ours == theirs
