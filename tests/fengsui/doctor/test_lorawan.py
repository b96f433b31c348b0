"""`fengsui doctor` of a LoRaWAN device: a DevEUI that was misspelt, a payload that is wrong, frames that are
lost."""

from pathlib import Path

import pytest

from config.language import en
from simulators.telemetry.lorawan import Radioed, chirpstack
from tests.support.doctor import Played
from tests.support.lorawan import LEVEL, district


def said(played: Played, sent: Radioed) -> None:
    topic, payload = chirpstack(sent)
    played.say(topic, payload)


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path, district())


def codes(played: Played, name: str) -> dict[str, str]:
    return {f.code: en(f.what) + " " + en(f.todo) for f in played.found(name).values()}


def test_a_misspelt_eui_is_known_for_what_it_is(played: Played) -> None:
    wrong = LEVEL[:-1] + "9"
    for n in range(40):
        said(played, Radioed(wrong, bytes.fromhex("0175640382461E"), played.at, n, 85))
        played.tick(1)
    found = codes(played, "S01")
    assert "never_heard" in found
    assert LEVEL in found["never_heard"]
    assert "lorawan.csv" in found["near_miss"]


def test_lost_frames_and_a_payload_that_is_cut_are_told(played: Played) -> None:
    for n in range(0, 40, 2):
        said(played, Radioed(LEVEL, bytes.fromhex("0175640382461E"), played.at, n, 85))
        played.tick(1)
    said(played, Radioed(LEVEL, bytes.fromhex("0175640382"), played.at, 40, 85))
    played.tick(1)
    found = codes(played, "S01")
    assert "network_time" not in found
    assert "-97 dBm" in found["frames_lost"]
    assert any("at byte 3" in words for words in found.values())
