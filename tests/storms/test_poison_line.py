"""Every recorded poison through every door of a line that runs, with a real mosquitto between: the
process lives, the neighbours' readings are in the log, each poison is told, and after a restart of both
nothing of it comes again. Prints the table of doors and poisons."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config.load import load
from console.model.follow import DECODERS
from ingest.observation import Observations
from stream.log.open import open_log
from stream.mqtt.client import Mqtt
from stream.records import DeadLetter
from tests.support import poison
from tests.support.cap_world import WEATHER
from tests.support.servers import Mosquitto, free_port

ROOT = Path(__file__).parents[2]
NEIGHBOURS = ("R06", "R07", "R08")
PREFIX = "fengsui/live/yanqing/"
TOKEN = "t" * 24
EVERY = 20  # poisons between two readings of each neighbour


class Line:
    """`fengsui run` on a mosquitto, with all its doors open."""

    def __init__(self, folder: Path, mosquitto: Mosquitto) -> None:
        self.config, self.state, self.mosquitto = folder / "yanqing", folder / "var", mosquitto
        shutil.copytree(ROOT / "config" / "yanqing", self.config)
        self.cap, self.receipts = free_port(), free_port()
        (self.config / "sources.toml").write_text(
            f'listen = "127.0.0.1:{self.cap}"\n\n[[source]]\nid = "{WEATHER}"\nname = "区气象局"\n'
            'name_en = "weather office"\nsenders = ["cma@weather.example"]\nunsigned = true\n'
            'hazards = { "暴雨" = ["flash_flood"] }\n',
            "utf-8",
        )
        channels = (self.config / "channels.toml").read_text("utf-8")
        channels = channels.replace(
            'receipt_listen = ""', f'receipt_listen = "127.0.0.1:{self.receipts}"'
        ).replace('receipt_secret = ""', 'receipt_secret = "env:RECEIPTS"')
        channels += (
            '\n[[carrier]]\nname = "gw"\nchannel = "sms"\nkind = "http"\n'
            f'url = "http://127.0.0.1:{free_port()}/send"\nfields = {{ to = "{{to}}", text = "{{text}}" }}\n'
            'receipt = { id = "msgid", status = "stat", sender = "mobile", text = "content" }\n'
        )
        (self.config / "channels.toml").write_text(channels, "utf-8")
        self.notes = folder / "line.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [
            sys.executable, "-m", "fengsui", "--config", str(self.config),
            "--state", str(self.state), "--broker", self.mosquitto.url, *words,
        ]  # fmt: skip

    def say(self, *words: str) -> str:
        done = subprocess.run(
            self.command(*words), cwd=ROOT, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def start(self) -> None:
        self.notes.write_bytes(b"")
        with self.notes.open("ab") as out:
            self.process = subprocess.Popen(
                self.command("run", "--no-simulator", "--plain", "--no-console"),
                cwd=ROOT, stdout=out, stderr=out,
                env={**os.environ, "RECEIPTS": TOKEN, "FENGSUI_CAP_TOKEN": TOKEN},
            )  # fmt: skip
        self.until(lambda: b"mosquitto_pub" in self.notes.read_bytes(), "the line is up")

    def until(self, check: Callable[[], object], what: str, timeout_s: float = 300.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not check():
            assert self.process is not None
            words = f"{what}: {self.notes.read_text('utf-8', 'replace')[-3000:]}"
            assert self.process.poll() is None, words
            assert time.monotonic() < deadline, words
            time.sleep(0.2)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=180)
        self.process = None

    def log(self) -> tuple[set[tuple[str, int]], list[DeadLetter]]:
        """(station, seq) of the readings that count, and the dead letters."""
        log = open_log(f"sqlite:///{self.state / 'live'}", "live", "yanqing", 2)
        kept: set[tuple[str, int]] = set()
        dead: list[DeadLetter] = []
        for topic in ("observations", "dead-letters"):
            for part in range(log.topics[topic].partitions):
                at = 0
                while entries := log.read(topic, part, at):
                    at = entries[-1].offset + 1
                    for e in entries:
                        record = DECODERS[topic].decode(e.value)
                        if isinstance(record, Observations):
                            kept |= {(o.station, o.seq or 0) for o in record.items}
                        elif isinstance(record, DeadLetter):
                            dead.append(record)
        log.close()
        return kept, dead

    def said(self, way: str, body: bytes, page: str) -> int:
        """The answer; who is told to come again comes again."""
        deadline = time.monotonic() + 300
        while (code := self.post(way, body, page)) == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        return code

    def post(self, way: str, body: bytes, page: str) -> int:
        url = {
            "people": page,
            "receipt": f"http://127.0.0.1:{self.receipts}/receipt/gw?token={TOKEN}",
            "cap": f"http://127.0.0.1:{self.cap}/cap",
        }[way]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as e:
            return e.code
        except (ConnectionResetError, BrokenPipeError, urllib.error.URLError):
            if len(body) < 60_000:
                raise
            return 413  # it hung up on a body that it does not want


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    folder = tmp_path / "broker"
    folder.mkdir()
    mosquitto = Mosquitto(folder).start()
    found = Line(tmp_path, mosquitto)
    yield found
    found.stop()
    mosquitto.stop()


def table(tried: Counter[str], survived: Counter[str]) -> str:
    rows = [f"{'door':<16}{'poisons':>8}{'survived':>10}"]
    rows += [f"{door:<16}{n:>8}{survived[door]:>10}" for door, n in tried.items()]
    rows.append(f"{f'{len(tried)} doors':<16}{tried.total():>8}{survived.total():>10}")
    return "\n".join(rows)


def test_every_poison_through_every_door_of_a_running_line(line: Line) -> None:
    assert load(line.config).partitions == 2
    line.say("contacts", "import", str(line.config / "contacts.csv"))
    line.start()
    now, seq = int(time.time() * 1000), 0
    messages = [*poison.of_ingest(now, "G1", WEATHER), *poison.of_send(now)]
    tried = Counter(one.door for one in messages)
    sender = Mqtt(line.mosquitto.url, "field")
    sender.wait_connected(90)

    def neighbours() -> None:
        nonlocal seq
        seq += 1
        for station in NEIGHBOURS:
            reading = {"value": 0.0, "time": now / 1000 - 7200 + seq, "seq": seq}
            sender.publish(f"{PREFIX}station/{station}/rain", json.dumps(reading).encode())

    followed: list[tuple[str, int]] = []  # a poison's door, and the readings that came after it
    for n, one in enumerate(messages):
        if n % EVERY == 0:
            neighbours()
        sender.publish(PREFIX + one.topic, one.payload)
        followed.append((one.door, seq + 1))
    neighbours()
    last = (
        PREFIX + "receipt/last"
    )  # the broker keeps the order: send has then taken all that was before it
    sender.publish(last, b"no receipt")
    assert sender.flush(300)
    page = line.say("people", "link", "C-0001").split()[0]
    by_http = {name: list(poison.of_door(name, door)) for name, door in poison.by_http(now).items()}
    # a person says at most 30 things a minute, so those fields alone
    by_http["people page"] = [p for p in by_http["people page"] if p.kind[:4] in ("peop", "time")]
    answers: Counter[int] = Counter()
    answered: Counter[str] = Counter()
    for name, some in by_http.items():
        tried[name] = len(some)
        # a receipt of a message that nobody knows is answered after half a minute, and the door holds 32
        with ThreadPoolExecutor(1 if name == "people page" else 24) as pool:
            codes = list(pool.map(lambda p: line.said(p.topic, p.payload, page), some))
        answers.update(codes)
        answered.update({name: sum(c < 500 for c in codes)})
    want = {(s, n) for s in NEIGHBOURS for n in range(1, seq + 1)}
    line.until(lambda: want <= line.log()[0], "the neighbours are in the log")
    line.until(lambda: any(d.source == last for d in line.log()[1]), "the last for send is")
    assert len(line.log()[1]) > len(messages) // 2
    assert line.process is not None
    assert line.process.poll() is None

    # what was acknowledged does not come again, whatever restarts
    line.stop()
    told = line.log()[1]
    line.mosquitto.stop()
    line.mosquitto.start()
    line.start()
    neighbours()
    assert sender.flush(300)
    line.until(lambda: {(s, seq) for s in NEIGHBOURS} <= line.log()[0], "it goes on")
    sender.close()
    dead = line.log()[1]
    assert len(dead) == len(told), [d.source for d in dead[len(told) :]][:5]
    reasons = Counter(d.reason for d in dead)
    status = line.say("status")
    assert all(f"{reason}: {n}" in status for reason, n in reasons.items())
    # nothing of it was a fault of ours that the guard had to catch
    assert [d.detail for d in dead if "程序出错" in d.detail] == []
    doors = {one.door for one in messages}
    heard = {d.source for d in dead}
    for door in doors:
        topics = {PREFIX + m.topic for m in messages if m.door == door}
        assert topics & heard, door
    line.stop()
    kept = line.log()[0]
    survived = Counter(d for d, n in followed if {(s, n) for s in NEIGHBOURS} <= kept) + answered
    assert survived == tried, table(tried, survived)
    print(f"\n{table(tried, survived)}\nanswers {dict(answers)}\ndead letters {dict(reasons)}")
