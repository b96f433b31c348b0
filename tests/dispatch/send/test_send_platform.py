"""The whole way to a broadcast platform and back, in a live run of the stage send: a red is taken, is on the
air, is played by so many terminals; the terminals' states stand in the log and are shown; a cancel after a
new start withdraws what was sent before. Prints how long both took."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.language import zh
from config.records.district import Contact, District
from config.records.level import Level
from console.model.view import View
from console.pages.channels import parts
from dispatch.records import Receipt
from simulators.carriers.platform import Message, Platform
from tests.support.broadcast import OUR_KEYS, THEIR_KEYS, row
from tests.support.send import Stage, broker, delivery, district, now_ms, run_of, until
from tests.support.servers import free_port

__all__ = ["broker", "district"]
pytest.importorskip("gmssl_pyx", reason="needs SM2: pip install 'fengsui[broadcast]'")
pytest.importorskip("gmssl", reason="needs the second SM2")
TERMINALS = 1000


@pytest.fixture
def platform() -> Iterator[Platform]:
    found = Platform(THEIR_KEYS, OUR_KEYS.public)
    yield found
    found.close()


@pytest.fixture
def live(district: District, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> District:
    monkeypatch.setenv("EBD_KEY", OUR_KEYS.private)
    port = free_port()
    platform.url = f"http://127.0.0.1:{port}/ebd"
    who = Contact(
        id="C-EBM", name="应急广播平台", role="organisation", areas=("*",), lang="zh",
        channels=("broadcast_platform",), min_level=Level.YELLOW,
    )  # fmt: skip
    ways = msgspec.structs.replace(
        district.channels, carrier=(row(platform.at, listen=f"127.0.0.1:{port}"),)
    )
    contacts = {**district.contacts, who.id: who}
    return msgspec.structs.replace(district, contacts=contacts, channels=ways)


def actual(n: int, version: int = 1, **more: Any) -> Any:
    at = now_ms()
    times = {"queued_at": at, "deadline_at": at + 180_000, "expires_at": at + 600_000}
    fields = {"status": "actual", "version": version, **times, **more}
    return delivery(n, "C-EBM", "broadcast_platform", **fields)


def view_of(stage: Stage) -> View:
    view = View()
    for record in stage.records():
        view.take(record)
    return view


def test_a_red_is_taken_on_the_air_and_played_and_after_a_new_start_withdrawn(
    tmp_path: Path, live: District, broker: str, platform: Platform
) -> None:

    def plays(m: Message) -> None:
        if m.type == "1":
            platform.state(m.id, "2", [("t1", "2"), ("t2", "1")])
            platform.state(m.id, "3", [("t1", "3"), ("t2", "4")], rate="50")

    stage = Stage(tmp_path, live, broker, run_of("live"))
    try:
        stage.put(run_of("live"))
        until(lambda: platform.beats, "a heart-beat")
        platform.beat()
        begun = time.monotonic()
        platform.on_message = plays
        stage.put(actual(1))
        until(lambda: "played" in stage.states("d1"), "played")
        took = time.monotonic() - begun
        print(f"red -> first terminal's played in the log: {took:.2f} s")
        # the platform tells what it does before it has answered: both come into the log
        until(lambda: "accepted" in stage.states("d1"), "taken")
        found = {r.state: zh(r.detail) for r in stage.records() if isinstance(r, Receipt)}
        assert "平台已收" in found["accepted"] and "平台播发中" in found["playing"]
        assert "平台播发完毕" in found["played"] and "1/2 个终端已播" in found["played"]
        assert len(platform.played) == 1 and platform.messages[platform.played[0]].type == "1"
        # of others' messages, and in words that nobody knows: kept, shown, and no state
        platform.state("4" * 35, "3")
        platform.state(platform.played[0], "8")
        until(lambda: len(stage.letters()) == 2, "dead letters")
        assert sorted(stage.letters()) == ["bad_payload", "unknown_status"]
        assert stage.states("d1").count("played") == 1
    finally:
        stage.close()
    stage = Stage(tmp_path, live, broker, run_of("live"))
    try:
        platform.on_message = lambda _: None
        stage.put(actual(2, 2, msg_type="cancel"))
        until(lambda: "delivered" in stage.states("d2"), "withdrawn")
        assert platform.withdrawn == platform.played
    finally:
        stage.close()


def test_the_states_of_a_thousand_terminals_stand_in_the_log_and_on_the_page(
    tmp_path: Path, live: District, broker: str, platform: Platform
) -> None:
    stage = Stage(tmp_path, live, broker, run_of("live"))
    try:
        stage.put(run_of("live"))
        until(lambda: platform.beats, "a heart-beat")
        names = [(f"0601321323{n:08d}", f"村{n}", 115.9 + n / 1e4, 40.5) for n in range(TERMINALS)]
        states = [(code, "3" if n % 100 == 0 else "1") for n, (code, *_) in enumerate(names)]
        told_of, told_how = platform.list_of(names), platform.states_of(states)
        began = time.monotonic()
        assert platform.send(told_of) == 200
        assert platform.send(told_how) == 200
        shown = parts(live, view_of(stage), None, 0)["terminals"]  # type: ignore[arg-type]
        print(
            f"{TERMINALS} terminals, list and states taken and shown: {time.monotonic() - began:.2f} s"
        )
        assert len(shown) == TERMINALS
        told = shown[f"county/{names[0][0]}"]
        assert (told["name"], told["state"]) == ("村0", "3")
        assert sum(t["state"] == "1" for t in shown.values()) == TERMINALS - TERMINALS // 100
        # after a new start only states come: the names stay
        stage.close()
        stage = Stage(tmp_path, live, broker, run_of("live"))
        until(lambda: platform.beats > 1, "a heart-beat")
        assert platform.tell_states([(names[0][0], "4")]) == 200
        told = parts(live, view_of(stage), None, 0)["terminals"][f"county/{names[0][0]}"]  # type: ignore[arg-type]
        assert (told["name"], told["state"]) == ("村0", "4")
    finally:
        stage.close()
