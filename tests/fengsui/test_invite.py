"""What a live run prints to point a gauge at it: a command that works as it stands."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from config.load import load
from fengsui.run.invite import connecting, invitation
from fengsui.run.setup import default_config, make_setup
from stream.mqtt.access import INGEST
from stream.mqtt.client import Mqtt
from tests.support.brokers import Broker
from tests.support.servers import absent

AT = "fengsui/live/yanqing/station/R01/rain"
WAIT_S = 90.0


@pytest.mark.parametrize("certificates", [False, True])
@pytest.mark.servers
def test_the_printed_command_reaches_a_broker_with_tls(tmp_path: Path, certificates: bool) -> None:
    if shutil.which("mosquitto_pub") is None:
        absent("mosquitto_pub")
    folder = tmp_path / "a folder"  # a blank in a path is quoted
    folder.mkdir()
    broker = Broker(folder, certificates=certificates).start()
    try:
        for name, word in broker.passwords.items():
            (folder / name).write_text(word + "\n")
        at = f"127.0.0.1:{broker.port}?ca={broker.folder}/ca.crt"
        own = f"{broker.folder}/clients/{{user}}"
        url = (
            f"mqtts://{at}&cert={own}.crt&key={own}.key"
            if certificates
            else f"mqtts://{{user}}@{at}&password_file={folder}/{{user}}"
        )
        ingest = Mqtt(url.replace("{user}", INGEST), "fengsui-ingest-yanqing-live")
        ingest.subscribe([AT], WAIT_S)
        setup = make_setup(load(default_config()), "live", tmp_path / "var", broker=url)
        *_, line = invitation(setup)
        subprocess.run(["bash", "-c", line], check=True, timeout=WAIT_S)
        found: list[str] = []
        while not found:
            batch = ingest.get_batch(WAIT_S)
            assert batch, "the reading did not come"
            found += [m.topic for m in batch]
            ingest.ack(batch)
        ingest.close()
        assert found == [AT]
    finally:
        broker.stop()


def test_no_password_is_printed_and_every_part_of_the_address_is_told() -> None:
    words = shlex.split(connecting("mqtts://a%20b:secret@broker.example?v=5"))
    assert words == ["-h", "broker.example", "-p", "8883", "-u", "a b", "--tls-use-os-certs",
                     "-V", "mqttv5", "-P", "PASSWORD"]  # fmt: skip
    assert connecting("mqtt://[::1]:1884") == "-h ::1 -p 1884"
    with_file = connecting("mqtt://R01:x@h", Path("/a b/R01"))
    assert with_file == "-h h -p 1883 -u R01 -P \"$(cat '/a b/R01')\""
