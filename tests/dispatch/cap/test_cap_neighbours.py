"""Two runs of Fengsui on this machine as neighbouring counties: warnings cross the line signed, are
proposed there and never broadcast, are accepted or declined by a person, changed and ended. Every
message that either side has written or taken in is held against the OASIS schema by an engine that is
not ours to parse with (xmlschema) and its signature verified by xmlsec1."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.load import load
from console.model.follow import Follower
from dispatch.cap.neighbours import recipient
from dispatch.cap.signing import cap_key
from dispatch.records import Alert, Delivery, Receipt
from ingest.cap.listeners import endpoint_token
from stream.clock import last_tick
from stream.log.open import open_log
from stream.mqtt.client import Mqtt
from tests.support.servers import free_port

ROOT = Path(__file__).parents[3]
XSD = ROOT / "ingest" / "cap" / "schema" / "CAP-v1.2.xsd"
START = 1_753_531_200_000
HAZARD = "flash_flood"


def until(check: Callable[[], Any], what: str, timeout_s: float = 180.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError(f"did not happen: {what}")


class County:
    """One of the two: its folder, its process, its command."""

    def __init__(self, folder: Path, name: str, division: str) -> None:
        self.name, self.other, self.division = name, "", division
        self.config, self.state = folder / name, folder / f"var-{name}"
        shutil.copytree(ROOT / "config" / "yanqing", self.config)
        for file in ("district.toml", "areas.csv"):
            text = (self.config / file).read_text("utf-8")
            text = text.replace("110119", division).replace("yanqing.example", f"{name}.example")
            (self.config / file).write_text(text.replace("延庆区", f"{name}县"), "utf-8")
        # one person of the district is enough: two persons have tests of their own
        policy = (self.config / "policy.toml").read_text("utf-8")
        policy = policy.replace("two_persons = true\n", "").replace('through = ["district"]\n', "")
        (self.config / "policy.toml").write_text(
            policy.replace('["city"]', '["district"]'), "utf-8"
        )
        self.run = "exercise-border"
        self.folder = self.state / self.run
        self.folder.mkdir(parents=True)
        self.port, self.mqtt_port = free_port(), free_port()
        self.certificate = cap_key(self.folder, load(self.config), False).pem()
        self.token = endpoint_token(self.folder, False)
        self.clock_at = START
        self._process: subprocess.Popen[bytes] | None = None
        self._mqtt: Mqtt | None = None

    def meet(self, other: "County") -> None:
        self.other = other.name
        (self.config / f"{other.name}.pem").write_text(other.certificate)
        (self.folder / "keys" / f"cap-push-{other.name}.token").write_text(other.token)
        (self.config / "sources.toml").write_text(
            f"""
exercise_listen = "127.0.0.1:{self.port}"

[[source]]
id = "{other.name}"
name = "{other.name}县防汛抗旱指挥部"
name_en = "{other.name} county"
senders = ["fengsui@{other.name}.example"]
certificates = ["{other.name}.pem"]
downstream = [{{ divisions = ["{other.division}"], areas = ["A01"] }}]

[[neighbour]]
id = "{other.name}"
exercise_url = "http://127.0.0.1:{other.port}/cap"
basins = ["B01"]
""",
            "utf-8",
        )

    def command(self, *words: str) -> list[str]:
        return [
            sys.executable, "-m", "fengsui", "--config", str(self.config),
            "--state", str(self.state), *words, "--run", self.run,
        ]  # fmt: skip

    def say(self, *words: str) -> str:
        done = subprocess.run(
            self.command(*words), cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def start(self) -> None:
        with (self.folder / "out.log").open("wb") as out:
            self._process = subprocess.Popen(
                [
                    *self.command("run", "--no-simulator", "--plain"),
                    *("--port", str(self.mqtt_port)),
                ],
                cwd=ROOT,
                stdout=out,
                stderr=out,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "FENGSUI_CAP_TOKEN": "x" * 30},
            )
        running = f"fengsui/{self.run}".encode()
        until(lambda: running in self.out() or self._ended(), f"{self.name} runs", 300)
        assert not self._ended(), self.out().decode()[-3000:]
        broker = (self.folder / "broker.url").read_text().strip()
        self._mqtt = Mqtt(broker, f"clock-{self.name}")
        self._mqtt.wait_connected(60)

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def out(self) -> bytes:
        return (self.folder / "out.log").read_bytes()

    def time(self, minutes: int = 1) -> None:
        """The county's own clock goes on."""
        self.clock_at += minutes * 60_000
        assert self._mqtt is not None
        body = msgspec.json.encode({"clock_at": self.clock_at})
        self._mqtt.publish(f"fengsui/{self.run}/{self.name}/clock", body)
        assert self._mqtt.flush(90)

    def records(self) -> list[Any]:
        log = open_log(f"sqlite:///{self.folder}", self.run, self.name, 2)
        found = [r for _, r in Follower(log).take()]
        log.close()
        return found

    def alerts(self, area: str = "A01") -> list[Alert]:
        return [r for r in self.records() if isinstance(r, Alert) and r.area == area]

    def decided(self) -> bool:
        """The minute that was told is in the log, and decide has read all there is."""
        log = open_log(f"sqlite:///{self.folder}", self.run, self.name, 2)
        reads = {"detect": "observations", "decide": "cases"}
        told = last_tick(log) >= self.clock_at
        found = told and all(log.positions(of, who) >= log.ends(of) for who, of in reads.items())
        log.close()
        return found

    def states(self) -> list[str]:
        """What became of what was sent to the other, in order."""
        found = self.records()
        sent = {
            d.id for d in found if isinstance(d, Delivery) and d.recipient == recipient(self.other)
        }
        return [r.state for r in found if isinstance(r, Receipt) and r.delivery in sent]

    def close(self) -> None:
        if self._mqtt is not None:
            self._mqtt.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=180)


@pytest.fixture
def counties(tmp_path: Path) -> Iterator[tuple[County, County]]:
    ours, theirs = County(tmp_path, "yanqing", "110119"), County(tmp_path, "huailai", "130730")
    ours.meet(theirs)
    theirs.meet(ours)
    try:
        for county in (ours, theirs):
            county.start()
            county.time()
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def verify(folder: Path, certificate: Path, schema: Any) -> int:
    """How many messages lie in `folder`, each valid and signed by the key of the certificate."""
    xmlsec1 = shutil.which("xmlsec1")
    files = sorted(folder.rglob("*.xml"))
    for file in files:
        schema.validate(str(file))
        if xmlsec1 is None:
            if os.environ.get("CI") == "true":
                pytest.fail("xmlsec1 is not here: apt-get install xmlsec1")
            continue
        words = [xmlsec1, "--verify", "--pubkey-cert-pem", str(certificate)]
        done = subprocess.run([*words, str(file)], capture_output=True, text=True)
        assert done.returncode == 0, f"{file}: {done.stderr}"
    return len(files)


@pytest.mark.storm
def test_warnings_cross_the_line_both_ways(counties: tuple[County, County]) -> None:
    ours, theirs = counties
    by = ("--by", "D-01", "--reason", "研判", "--wait", "120")

    # upstream orders 立即转移: it reaches us as a proposal, and nothing goes out here
    theirs.say("order", "raise", "A01", HAZARD, "--level", "orange", "--move", "move", *by)
    theirs.time()
    until(lambda: "accepted" in theirs.states(), "their message is taken here")
    alert = until(ours.alerts, "a proposal here")[-1]
    assert (alert.proposed_level, alert.level, alert.public) == (3, 0, False)
    assert "huailai县防汛抗旱指挥部外部预警" in alert.reason
    assert not list((ours.folder / "cap").glob("*.xml"))

    # we accept it, with our name: it comes back to their delivery
    text = ours.say("neighbours")
    assert "未答复" in text and "not answered" in text
    name = next(x.split()[4] for x in text.splitlines() if "←" in x)
    ours.say("answer", "accept", "huailai", name, "--by", "P-2", "--reason", "收到，正在转移")
    ours.time()
    theirs.time()
    until(lambda: "answered" in theirs.states(), "they hear that we accept")
    accepted = "accepted: 收到，正在转移"
    until(lambda: accepted in theirs.say("neighbours"), "with our words")

    # a person here releases it: now it is public here, and goes to them, who decline
    ours.say("order", "release", "A01", HAZARD, *by)
    ours.time()
    until(lambda: ours.alerts()[-1].public, "it is public here")
    until(lambda: "← " in theirs.say("neighbours"), "they have ours")
    name = next(x.split()[4] for x in theirs.say("neighbours").splitlines() if "←" in x)
    theirs.say("answer", "decline", "yanqing", name, "--by", "P-3", "--reason", "不涉及我县")
    theirs.time()
    until(lambda: "declined: 不涉及我县" in ours.say("neighbours"), "we hear that they decline")

    def told() -> list[Delivery]:
        """What our duty room is told of them, which send writes once it has read the answer."""
        found = (r for r in ours.records() if isinstance(r, Delivery))
        return [d for d in found if d.recipient.startswith("duty:neighbour")]

    assert "不接受" in until(told, "the duty room is told")[-1].routes[0].text

    # upstream cancels: what it said here is over
    theirs.say("order", "cancel", "A01", HAZARD, *by)
    theirs.time()
    until(lambda: "warnings from outside: 0" in ours.say("status"), "theirs is over here")

    # the same message again, and one in the wrong hands
    ours.time()  # what the end of theirs means here is decided on first
    until(ours.decided, "the minute is decided on")
    before = len(ours.alerts())
    file = next((ours.folder / "cap-in").rglob("*.xml"))
    ours.say("cap-in", str(file))
    ours.time()
    until(ours.decided, "the minute is decided on")
    assert len(ours.alerts()) == before
    done = subprocess.run(theirs.command("cap-in", str(file)), cwd=ROOT, capture_output=True)
    assert done.returncode == 1
    assert b"unknown_source" in done.stderr

    import xmlschema

    schema = xmlschema.XMLSchema(str(XSD))
    sides = ((ours, theirs), (theirs, ours))
    for mine, other in sides:
        assert verify(mine.folder / "cap", mine.folder / "keys" / "cap.pem", schema)
        assert verify(mine.folder / "cap-in", mine.config / f"{other.name}.pem", schema)
