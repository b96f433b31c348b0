"""`fengsui doctor` of a LoRaWAN device: a DevEUI that was misspelt, a payload that is wrong, frames that are
lost."""

from pathlib import Path

import pytest

from config.language import en
from simulators.telemetry.lorawan import Radioed, chirpstack
from tests.support.doctor import Played
from tests.support.lorawan import LEVEL, district


def said(line: Played, sent: Radioed) -> None:
    topic, payload = chirpstack(sent)
    line.say(topic, payload)


@pytest.fixture
def line(tmp_path: Path) -> Played:
    return Played(tmp_path, district())


def codes(line: Played, name: str) -> dict[str, str]:
    return {f.code: en(f.what) + " " + en(f.todo) for f in line.found(name).values()}


def test_a_misspelt_eui_is_known_for_what_it_is(line: Played) -> None:
    wrong = LEVEL[:-1] + "9"
    for n in range(40):
        said(line, Radioed(wrong, bytes.fromhex("0175640382461E"), line.at, n, 85))
        line.tick(1)
    found = codes(line, "S01")
    assert "never_heard" in found
    assert LEVEL in found["never_heard"]
    assert "lorawan.csv" in found["near_miss"]


def test_lost_frames_and_a_payload_that_is_cut_are_told(line: Played) -> None:
    for n in range(0, 40, 2):
        said(line, Radioed(LEVEL, bytes.fromhex("0175640382461E"), line.at, n, 85))
        line.tick(1)
    said(line, Radioed(LEVEL, bytes.fromhex("0175640382"), line.at, 40, 85))
    line.tick(1)
    found = codes(line, "S01")
    assert "network_time" not in found
    assert "-97 dBm" in found["frames_lost"]
    assert any("at byte 3" in words for words in found.values())
