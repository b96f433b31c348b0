"""A drill is played to its end and assessed, cannot hold anything live, and stands beside a live run
without either touching the other; a real warning breaks it off."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.records.channels import Carrier
from console.model.follow import Follower
from dispatch.nodes.keys import sender_keys
from dispatch.records import Alert, Delivery
from fengsui.play.drill import DrillWish, cut_off, setup_of
from fengsui.run.setup import make_setup, refuse_live_keys
from ingest.observation import Observations
from simulators.carriers.phones import Carrier as Phones
from simulators.scenario import scenario
from simulators.world import World
from stream.environment import Usage
from stream.log.open import open_log
from stream.records import Run
from tests.support.decide_district import yanqing
from tests.support.one_language import foreign
from tests.support.played import RUN
from tests.support.warm import command

ROOT = Path(__file__).parents[2]
DRILLS = ("yanqing-night", "yanqing-long-rain", "yanqing-broken-off")


def wish(run: str = "exercise-a") -> DrillWish:
    return DrillWish("cloudburst", run, None, 0.0, Path("out"), None, False, True, 0)


def fengsui(state: Path, *words: str, config: Path | None = None, **env: str) -> list[str]:
    more = ["--config", str(config)] if config else []
    return [sys.executable, "-m", "fengsui", *more, "--state", str(state), *words]


def start(
    state: Path, *words: str, config: Path | None = None, **env: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        fengsui(state, *words, config=config),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
    )


def records(state: Path, run: str) -> list[object]:
    log = open_log(f"sqlite:///{state / run}", run, "yanqing", yanqing().partitions)
    try:
        return [r for _, r in Follower(log).take()]
    finally:
        log.close()


def test_the_district_of_a_drill_has_no_way_to_anybody() -> None:
    real = Carrier(name="mobile", channel="sms", kind="smpp", url="smpp://10.1.2.3", secret="env:P")
    channels = msgspec.structs.replace(
        yanqing().channels, carrier=(real,), sms_url="json://10.1.2.3", receipt_listen="0.0.0.0:1"
    )
    district = msgspec.structs.replace(
        yanqing(), channels=channels, broker="mqtt://u:secret@10.1.2.3", log="kafka://10.1.2.3:9092"
    )
    apart = cut_off(district, people=True)
    assert apart.channels.carriers() == ()
    assert not apart.policy.exercise_releases
    assert cut_off(district, people=False).policy.exercise_releases
    whole = str(msgspec.to_builtins(apart, enc_hook=str))
    assert "10.1.2.3" not in whole
    for c in district.contacts.values():
        for personal in (c.phone, c.app, c.email):
            assert not personal or personal not in whole
    assert set(apart.contacts) == set(district.contacts)


def test_it_is_never_the_live_run_and_begins_in_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BROKER", "LOG", "HISTORY"):
        monkeypatch.setenv(f"FENGSUI_{name}", "kafka://live.example:9092")
    made = setup_of(yanqing(), tmp_path, wish())
    assert (made.broker, made.live) == ("", False)
    assert {made.log, made.history} == {f"sqlite:///{tmp_path / 'exercise-a'}"}
    with pytest.raises(Usage, match="live"):
        setup_of(yanqing(), tmp_path, wish("live"))
    with pytest.raises(Usage, match="exercise"):
        setup_of(yanqing(), tmp_path, wish("live-2"))
    live = tmp_path / "live"
    sender_keys(live)
    (tmp_path / "exercise-a").mkdir()
    shutil.copytree(live / "keys", tmp_path / "exercise-a" / "keys")
    with pytest.raises(Usage, match="not empty"):
        setup_of(yanqing(), tmp_path, wish())
    contacts = tmp_path / "people" / "exercise-b"
    contacts.mkdir(parents=True)
    (contacts / "contacts.db").touch()
    monkeypatch.setenv("FENGSUI_CONTACTS", str(tmp_path / "people"))
    with pytest.raises(Usage, match="people"):
        setup_of(yanqing(), tmp_path, wish("exercise-b"))


@pytest.mark.parametrize("kind", ["sender", "cap"])
def test_no_exercise_starts_with_a_key_of_the_live_run(tmp_path: Path, kind: str) -> None:
    sender_keys(tmp_path / "live")
    (tmp_path / "live" / "keys" / "cap.key").write_text("a secret")
    setup = make_setup(yanqing(), "exercise-a", tmp_path)
    sender_keys(setup.folder)
    refuse_live_keys(setup)  # its own
    shutil.copy(tmp_path / "live/keys" / f"{kind}.key", setup.folder / "keys" / f"{kind}.key")
    with pytest.raises(Usage, match="live run's key"):
        refuse_live_keys(setup)
    for words in (("send", "--run", "exercise-a"), ("run", "--run", "exercise-a")):
        asked = ["--state", str(tmp_path), "--broker", "mqtt://127.0.0.1:9", *words]
        done = command(asked, dict(os.environ))
        assert done.returncode == 2, done.stderr
        assert f"{kind}.key" in done.stderr


@pytest.mark.parametrize("option", ["--broker", "--log", "--history"])
def test_it_takes_no_services_of_others(tmp_path: Path, option: str) -> None:
    words = ["--state", str(tmp_path), option, "sqlite:///x", "drill", "cloudburst"]
    done = command(words, dict(os.environ))
    assert done.returncode == 2
    assert option in done.stderr


@pytest.mark.parametrize("name", DRILLS)
def test_the_drills_are_worth_playing(name: str) -> None:
    """Something is hit in each, and the one that is broken off has begun by then."""
    world = World(yanqing(), scenario(name))
    assert world.truth
    stop = world.scenario.broken_off_min
    if stop is not None:
        before = [t for t in world.truth if t.flooded_at < world.at(stop)]
        assert 0 < len(before) < len(world.truth)


def test_where_no_base_station_is_left_phones_are_silent() -> None:
    phones = Phones(off_share=0.0, silent_share=0.0)
    try:
        outcomes = []
        for at, share in ((0, 0.0), (600_000, 1.0)):  # ten minutes later
            phones.no_network = share
            for n in range(20):
                phones.take("sms", {"key": f"{share}-{n}", "to": str(n), "message": "请回复"})
            phones.advance(at)
            outcomes.append({r.status for _, r in phones.advance(at + 600_000)})
        assert outcomes == [{"delivered", "answered"}, {"undelivered"}]
    finally:
        phones.close()
    off = World(yanqing(), scenario("yanqing-night"))
    assert [off.phones_off(m) for m in (0, 50, 150)] == [0.0, 0.45, 0.7]


@pytest.mark.storm
def test_a_drill_to_its_end_is_marked_everywhere_and_assessed(
    drilled: Path, drilled_out: Path
) -> None:
    out = drilled_out
    found = json.loads((out / "after-action.json").read_bytes())
    assert found["exercise"]
    assert found["scenario"] == "cloudburst"
    assert found["loudspeakers"]["sounded"] > 0
    assert found["people"]["asked"] > 0
    assert {h["hop"] for h in found["hops"] if h["done"]} >= {"notice", "loudspeaker", "answer"}
    assert "演练：不是真实灾情" in (out / "after-action.html").read_text("utf-8")
    assert all(
        "<status>Exercise</status>" in p.read_text("utf-8") for p in (out / "cap").glob("*.xml")
    )
    texts = [x.text for r in records(drilled, RUN) if isinstance(r, Delivery)
             for x in r.routes if x.channel in ("sms", "app", "broadcast")]  # fmt: skip
    assert texts
    assert all("演练" in t or "EXERCISE" in t.upper() for t in texts)
    again = start(drilled, "drill", "cloudburst", "--run", RUN)
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 2
    assert "not empty" in said


@pytest.fixture
def gateway() -> Iterator[tuple[str, list[str]]]:
    """The live run's SMS gateway: what it was given."""
    got: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_address[1]}/?:to={{to}}", got
    server.shutdown()
    server.server_close()


def wait_for(condition: object, process: "subprocess.Popen[str]", what: str) -> None:
    for _ in range(1200):
        if condition():  # type: ignore[operator]
            return
        assert process.poll() is None, f"{what}: it ended: {process.communicate()[0][-2000:]}"
        time.sleep(0.2)
    raise AssertionError(what)


@pytest.mark.storm
def test_beside_a_live_run_nothing_crosses_and_a_real_order_breaks_it_off(
    tmp_path: Path, gateway: tuple[str, list[str]]
) -> None:
    url, got = gateway
    config, state = tmp_path / "yanqing", tmp_path / "var"
    shutil.copytree(ROOT / "config" / "yanqing", config)
    channels = config / "channels.toml"
    channels.write_text(channels.read_text().replace('sms_url = ""', f'sms_url = "{url}"'))
    live = start(state, "run", "--no-simulator", "--plain", "--port", "0", config=config)
    try:
        broker = state / "live" / "broker.url"
        wait_for(broker.exists, live, "the live run's broker")
        named = {"FENGSUI_BROKER": broker.read_text(), "FENGSUI_LOG": f"sqlite:///{state / 'live'}"}
        # its storm goes on for five minutes after its first warning: time for the real order
        drill = start(state, "drill", "yanqing-night", "--speed", "30", "--plain", "--port",
                      "0", "--run", "exercise-a", config=config, **named)  # fmt: skip
        folder = state / "exercise-a"
        wait_for((folder / "broker.url").exists, drill, "the drill's broker")
        assert (folder / "broker.url").read_text() != broker.read_text()
        wait_for(
            lambda: any(isinstance(r, Alert) for r in records(state, "exercise-a")),
            drill,
            "a warning",
        )
        assert not got  # a drill's storm rings no real phone
        own = state / "D-01.key"
        sealed = {**os.environ, "FENGSUI_OFFICER_PASSPHRASE": "only for this test"}
        public = ""
        for words in (
            ["signer", "make", "D-01", "--out", str(own)],
            ["signer", "add", "D-01"],
            ["order", "raise", "A01", "flash_flood", "--move", "move", "--by", "D-01", "--key",
             str(own), "--reason", "河水上岸", "--wait", "120"],
        ):  # fmt: skip
            if words[1] == "add":
                words.append(public)
            done = subprocess.run(
                fengsui(state, *words, config=config),
                capture_output=True, text=True, cwd=ROOT, timeout=300, env=sealed,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            public = done.stdout.split()[-1]
        said, _ = drill.communicate(timeout=600)
        assert drill.returncode == 3, said[-3000:]
        assert "REAL WARNING" in said
        assert live.poll() is None
        wait_for(lambda: got, live, "the real order at the gateway")
        again = start(state, "drill", "cloudburst", config=config)
        assert "no drill now" in again.communicate(timeout=300)[0]
    finally:
        live.terminate()
        live.communicate(timeout=180)
    real, played = records(state, "live"), records(state, "exercise-a")
    assert {r.name for r in real if isinstance(r, Run)} == {"live"}
    assert {r.name for r in played if isinstance(r, Run)} == {"exercise-a"}
    assert not any(isinstance(r, Observations) for r in real)
    for found, status in ((real, "actual"), (played, "exercise")):
        assert {r.status for r in found if isinstance(r, Alert | Delivery)} == {status}
    assert {r.area for r in real if isinstance(r, Alert)} == {"A01"}
    assert not any("演练" in text for text in got)
    keys = [
        {p.read_bytes() for p in (state / r / "keys").glob("*.key")} for r in ("live", "exercise-a")
    ]
    assert all(keys)
    assert not keys[0] & keys[1]
    report = json.loads((state / "exercise-a-report" / "after-action.json").read_bytes())
    assert all("A01" in half for half in report["broken_off"])
    assert foreign([report["broken_off"][1]], "en") == []
