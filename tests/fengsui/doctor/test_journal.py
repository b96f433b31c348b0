"""What the embedded broker's journal says of devices that it shut out, as `fengsui doctor` reads it."""

import time
from collections.abc import Callable
from pathlib import Path

from fengsui.doctor.broker import Told, told
from stream.mqtt.access import rights
from stream.mqtt.broker import as_user, start_broker
from stream.mqtt.client import Mqtt
from tests.support.districts import yanqing
from tests.support.servers import free_port

WAIT_S = 90.0


def awaited(journal: Path, there: Callable[[Told], object]) -> Told:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = told(journal.read_text().splitlines())
        if there(found):
            return found
        time.sleep(0.1)
    raise AssertionError(journal.read_text())


def test_a_wrong_password_and_another_s_topic_are_in_the_journal(tmp_path: Path) -> None:
    before = int(time.time()) * 1000
    broker = start_broker(tmp_path, free_port(), rights(yanqing(), "live"))
    wrong = Mqtt(broker.url.replace("//", "//R01:wrong@"), "R01")
    right = Mqtt(as_user(broker.url, tmp_path, "R02"), "R02")
    try:
        journal = tmp_path / "broker.log"
        right.wait_connected(WAIT_S)
        right.publish("fengsui/live/yanqing/station/R03/rain", b"{}")
        found = awaited(journal, lambda t: "R01" in t.refused and "R02" in t.denied)
        assert found.refused["R01"][1] >= before
        assert found.denied["R02"][0] == "fengsui/live/yanqing/station/R03/rain"
    finally:
        wrong.close()
        right.close()
        broker.stop()
