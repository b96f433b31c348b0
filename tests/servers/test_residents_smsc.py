"""Somebody subscribes from a telephone: decide, address and send of a live run against an SMSC that is not
ours (npm smpp), with an order in force in the village."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.records.channels import Carrier
from config.records.level import Action, Level
from dispatch.grade import Grade
from dispatch.people.contact_store import ContactStore
from dispatch.words.sample import sample
from fengsui.run.processes import Line
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup, make_setup
from ingest.observation import PersonSays
from stream.log.port import Log, Out
from stream.records import encode
from stream.wall_clock import now_ms
from tests.support.choices import resident
from tests.support.decide_district import yanqing
from tests.support.servers_carriers import NpmSmsc

ME, OTHER = "13800138000", "13900139000"


class Phone:
    """A telephone behind the SMSC."""

    def __init__(self, smsc: NpmSmsc, says: Path, number: str) -> None:
        self._smsc, self._says, self.number = smsc, says, number

    def says(self, text: str) -> None:
        with self._says.open("a") as f:
            f.write(json.dumps({"from": self.number, "text": text}) + "\n")

    def got(self) -> list[str]:
        return [t.text for t in self._smsc.taken() if t.to.endswith(self.number[-8:])]

    def waits(self, part: str, timeout_s: float = 120.0) -> str:
        end = time.monotonic() + timeout_s
        while not (found := [t for t in self.got() if part in t]):
            assert time.monotonic() < end, (part, self.got())
            time.sleep(0.2)
        return found[-1]


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[NpmSmsc]:
    (tmp_path / "says.jsonl").touch()
    server = NpmSmsc(tmp_path, says=str(tmp_path / "says.jsonl")).start()
    yield server
    server.stop()


@pytest.fixture
def setup(tmp_path: Path, smsc: NpmSmsc, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setenv("TEST_SMSC", smsc.password)
    d = yanqing()
    way = Carrier(
        name="smsc", channel="sms", kind="smpp", url=f"smpp://127.0.0.1:{smsc.port}",
        user=smsc.user, secret="env:TEST_SMSC", sender="1069",
    )  # fmt: skip
    ways = msgspec.structs.replace(d.channels, carrier=(way,), probe_every_s=3600)
    district = msgspec.structs.replace(d, channels=ways, contacts={})
    made = make_setup(district, "live", tmp_path / "state", broker="mqtt://127.0.0.1:1")
    made.folder.mkdir(parents=True)
    with ContactStore(made.folder) as store:  # an imported list
        store.put([resident("R-1", areas=("A02",), phone=OTHER)])
    return made


def until(log: Log, topic: str, check: Callable[[Any], bool], timeout_s: float = 120.0) -> Any:
    end = time.monotonic() + timeout_s
    while True:
        parts = range(log.topics[topic].partitions)
        rows = [msgspec.json.decode(e.value) for p in parts for e in log.read(topic, p, 0)]
        if found := [r for r in rows if check(r)]:
            return found[-1]
        assert time.monotonic() < end, [r.get("type") for r in rows]
        time.sleep(0.2)


def test_a_subscriber_from_a_telephone(setup: Setup, smsc: NpmSmsc, tmp_path: Path) -> None:
    me = Phone(smsc, tmp_path / "says.jsonl", ME)
    log = open_run_log(setup)
    line = Line(setup)
    assert line.start(("decide", "address", "send"))
    try:
        now = now_ms()
        order = msgspec.structs.replace(
            sample("A01", "flash_flood", Grade(Level.RED, Action.MOVE)),
            status="actual", public=True, sent_at=now, expires_at=now + 6 * 3_600_000,
        )  # fmt: skip
        log.append([Out("alerts", "A01", encode(order))])
        me.says("订阅 香屯村")
        code = re.search(r"\d{6}", me.waits("验证码"))
        assert code is not None
        me.says(code[0])
        assert "香屯村" in me.waits("已订阅")
        me.waits("立即转移")  # the order that stands, at once and without a restart
        me.says("语言 英语")
        me.waits("Changed")
        me.says("河水进村了，有人被困")  # never taken for a wish
        said = until(
            log, "observations", lambda r: r["type"] == "person_says" and r["what"] == "help"
        )
        assert msgspec.convert(said, PersonSays).role == "residents"
        me.says("退订")
        me.says(re.findall(r"\d{6}", me.waits("NO MORE"))[-1])
        me.waits("deleted")
        until(log, "alerts", lambda r: r["type"] == "subscriber" and r["areas"] == [])
        with ContactStore(setup.folder) as store:
            assert list(store.load()) == ["R-1"]
        everything = b"".join(
            e.value
            for t in log.topics
            for p in range(log.topics[t].partitions)
            for e in log.read(t, p, 0)
        )
        assert ME.encode() not in everything
        assert code[0].encode() not in everything
        assert line.failed == {}
    finally:
        line.stop()
        log.close()
