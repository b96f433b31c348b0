"""The command as its user meets it: help, exit codes, what it says when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.records.level import Action, Level
from console.model.follow import Follower
from dispatch.records import Alert
from stream.log.open import open_log
from tests.support.districts import yanqing
from tests.support.servers import Mosquitto
from tests.support.warm import command

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "fengsui"]
DISTRICT = yanqing()


def fengsui(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return command(list(words), {**os.environ, **env})


def test_help_names_every_command() -> None:
    done = fengsui("--help")
    assert done.returncode == 0
    for name in (
        "run",
        "ingest",
        "detect",
        "decide",
        "address",
        "send",
        "archive",
        "simulate",
        "replay",
        "check",
        "export",
        "status",
        "bench",
        "hindcast",
        "explain",
        "outcome",
        "skill",
        "sign",
        "words",
    ):
        assert f"\n  {name}" in done.stdout


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("FENGSUI_LOG", "oracle://x", "kafka://"),
        ("FENGSUI_BROKER", "amqp://x", "mqtt://"),
        ("FENGSUI_HISTORY", "excel://x", "influx://"),
    ],
)
def test_an_unknown_adapter_says_which_exist(variable: str, value: str, named: str) -> None:
    done = fengsui("status", **{variable: value})
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--run", "live"),
        ("run", "--scenario", "deluge", "--until-done"),
        ("simulate", "yanqing-storm", "--run", "live"),
        ("status", "--run", "not a name"),
        ("export", "gossip"),
        ("order", "release", "A99", "flash_flood", "--by", "u1", "--reason", "x"),
        ("ingest", "--run", "exercise", "--start", "yesterday"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_exit_code_2_and_words(words: tuple[str, ...], tmp_path: Path) -> None:
    done = fengsui("--state", str(tmp_path), *words)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def test_a_refused_wheel_is_exit_code_1(tmp_path: Path) -> None:
    """`verify-wheel … && pip install …` must stop here: the process itself has to say it, not click alone."""
    wheel, key, signed = (tmp_path / n for n in ("x.whl", "x.pub", "provenance.intoto.json"))
    for file in (wheel, key, signed):
        file.write_text("{}", "utf-8")
    done = fengsui("verify-wheel", str(wheel), "--key", str(key))
    assert (done.returncode, done.stdout[:1]) == (1, "✗"), done.stderr


@pytest.mark.parametrize("words", [("run",), ("console", "user", "add", "x")])
def test_an_option_of_all_commands_after_one_is_told_where_it_stands(
    words: tuple[str, ...],
) -> None:
    done = fengsui(*words, "--state", "var", FENGSUI_LANG="en")
    assert done.returncode == 2
    assert "--state stands before the command: fengsui --state … " + words[0] in done.stderr
    assert "Did you mean" not in done.stderr


def test_check_names_file_row_and_column(tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(ROOT / "config" / "yanqing", tmp_path / "yanqing")
    path = folder / "stations.csv"
    path.write_text(path.read_text("utf-8").replace(",rain,", ",rian,", 1), "utf-8")
    done = fengsui("check", str(folder))
    assert done.returncode == 2
    assert "stations.csv:2:quantity" in done.stderr
    assert fengsui("--config", str(folder), "status").returncode == 2


def test_a_districts_scenario_that_fails_is_exit_code_1(tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(ROOT / "config" / "yanqing", tmp_path / "yanqing")
    for path in (folder / "scenarios").glob("*.toml"):
        if path.stem != "near-miss":
            path.unlink()
    path = folder / "scenarios" / "near-miss.toml"
    path.write_text(path.read_text("utf-8").replace('level = "none"', 'level = "red"'), "utf-8")
    toml = folder / "district.toml"
    toml.write_text(toml.read_text("utf-8") + "\n[retention_days]\nalerts = 30\n", "utf-8")
    done = fengsui("check", str(folder))
    assert done.returncode == 1
    assert "✗ near-miss" in done.stdout
    assert "retention_days 里 alerts 不满六个月" in done.stderr


def test_a_live_gauge_raises_a_warning_and_the_line_ends_cleanly(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """What the README promises: point a real gauge at it, with a client that is not ours."""
    words = ["--state", str(tmp_path), "--broker", mosquitto.url]
    with (tmp_path / "line.log").open("wb") as out:
        line = subprocess.Popen(
            [*COMMAND, *words, "run", "--no-simulator", "--plain", "--out", str(tmp_path / "out")],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
    notes = tmp_path / "line.log"

    def said() -> str:  # half a character, where it is still being written, is none
        return notes.read_bytes().decode("utf-8", "replace")

    def until(check: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 180
        while not check():
            assert time.monotonic() < deadline and line.poll() is None, f"{what}: {said()[-2000:]}"
            time.sleep(0.2)

    def ordered() -> bool:
        """Both villages are to move, and the red that was asked for is among it."""
        log = open_log(f"sqlite:///{tmp_path / 'live'}", "live", "yanqing", DISTRICT.partitions)
        found = [r for _, r in Follower(log, ("alerts",)).take() if isinstance(r, Alert)]
        log.close()
        moved = {r.area for r in found if r.action == Action.MOVE}
        return moved >= {"A01", "A03"} and any(r.proposed_level == Level.RED for r in found)

    try:
        until(lambda: "mosquitto_pub" in said(), "the line is up")
        topic = "fengsui/live/yanqing/station"
        mosquitto.publish(f"{topic}/R01/rain", '{"value": 32.0, "unit": "mm"}')
        mosquitto.publish(f"{topic}/R03/rain", '{"value": 31.0, "unit": "mm"}', "mqttv5")
        mosquitto.publish(f"{topic}/R01/rain", "not json")
        mosquitto.publish(f"{topic}/XX/rain", '{"value": 1}')
        # an exercise's readings are never heard by a live run
        mosquitto.publish("fengsui/exercise/yanqing/station/R05/rain", '{"value": 99}')
        until(ordered, "the orders")
        until(lambda: said().count("立即转移") >= 2, "the screen")
        # the last message was the last to be heard
        until(lambda: "unknown_station: 1" in fengsui(*words, "status").stdout, "its letter")
        status = fengsui(*words, "status")
        assert "open warnings" in status.stdout
        assert "bad_payload: 1" in status.stdout
    finally:
        line.send_signal(signal.SIGINT)
        code = line.wait(timeout=180)
    assert code == 0, said()[-2000:]
    alerts = [json.loads(x) for x in (tmp_path / "out" / "alerts.jsonl").read_text().splitlines()]
    assert {a["area"] for a in alerts} >= {"A01", "A03"}
    assert "A05" not in {a["area"] for a in alerts if a["evidence"][0]["station"] == "R05"}
    assert {a["status"] for a in alerts} == {"actual"}
    # 橙、红待批，转移指令不等 orange and red wait for the city, the order to move does not
    # and the colours of both hazards wait for two offices besides
    for hazard in ("flash_flood", "debris_flow"):
        of = [a for a in alerts if a["hazard"] == hazard]
        worst = max(of, key=lambda a: (a["proposed_level"], a["version"]))
        assert (worst["proposed_level"], worst["level"], worst["action"]) == (4, 0, 2)


def test_real_flood_of_plumtree_run(data: Path, tmp_path: Path) -> None:
    """29 July 2016: the stream passed 3.0 ft at 09:35 UTC; the trend rule was earlier."""
    import gzip

    lines = gzip.decompress((data / "usgs-stage-5min" / "observations.csv.gz").read_bytes())
    wanted = [
        x
        for x in lines.decode().splitlines()
        if x.startswith(("station", "plumtree,stage,2016-07-29T0", "plumtree,stage,2016-07-29T1"))
    ]
    file = tmp_path / "plumtree.csv"
    file.write_text("\n".join(wanted) + "\nplumtree,stage,never,1.0\n")
    done = fengsui(
        "--state",
        str(tmp_path),
        "--config",
        "tests/districts/measured",
        "replay",
        str(file),
        "--out",
        str(tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"plumtree.csv:{len(wanted) + 1}" in done.stderr
    alerts = [json.loads(x) for x in (tmp_path / "out" / "alerts.jsonl").read_text().splitlines()]
    orders = [a["sent_at"] for a in alerts if a["action"]]
    assert "2016-07-29T09:00:00Z" <= min(orders) <= "2016-07-29T09:35:00Z"
    assert alerts[-1]["msg_type"] == "cancel"
