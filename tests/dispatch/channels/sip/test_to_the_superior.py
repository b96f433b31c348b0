"""叫应, the whole of send: three calls to who does not answer, then the superior is called, hears who it
is, and presses the key. Telephones are SIPp and baresip, the trunk is kamailio."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.load import load
from config.records.channels import Carrier, Channels
from config.records.devices.trunk import Trunk
from dispatch.records import Delivery, Receipt
from dispatch.send.channels import channels_of
from tests.support import sip
from tests.support.send import ROOT, Stage, delivery, now_ms, run_of
from tests.support.sip import Kamailio, Phone, Sipp, until

pytestmark = pytest.mark.servers
BOSS, HEAD = "C-0188", "C-0101"


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Sipp]:
    found = Sipp(tmp_path / "busy", sip.answer(486, "Busy Here"), "-trace_msg")
    yield found
    found.stop()


def test_three_calls_then_the_superior(
    tmp_path: Path, broker: str, phone: Phone, busy: Sipp, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = load(ROOT / "config" / "yanqing")
    numbers = {HEAD: "199-0000-0101", BOSS: "199-0000-0188"}
    people = {
        who: msgspec.structs.replace(loaded.contacts[who], channels=("voice",), phone=number)
        for who, number in numbers.items()
    }
    trunk = Kamailio(tmp_path, {"19900000101": busy.port, "19900000188": phone.port})
    monkeypatch.setenv("TRUNK", sip.PASSWORD)
    row = Carrier(
        name="trunk", channel="voice", kind="sip", url=trunk.url, user=sip.USER,
        secret="env:TRUNK", trunk=Trunk(wait_s=8, times=2),
    )  # fmt: skip
    channels = Channels(
        carrier=(row,), voice_retry_s=(1, 1), call_within_s=90, not_woken_to=(BOSS,),
        attempt_timeout_s=20,
    )  # fmt: skip
    district = msgspec.structs.replace(
        loaded, contacts={**loaded.contacts, **people}, channels=channels
    )
    calls = phone.calls()
    now = now_ms()
    times = {"queued_at": now, "deadline_at": now + 600_000, "expires_at": now + 3_600_000}
    stage = Stage(tmp_path / "run", district, broker, run_of("live"))
    try:
        d = delivery(
            1, HEAD, "voice", must_answer=True, audience="internal", status="actual", **times
        )
        stage.put(d)
        stage.marks(now)
        until(
            lambda: stage.marks(now_ms()) or phone.calls() > calls, "the superior's telephone", 300
        )
        # at most a minute later; then the list of who did not answer is heard to its end
        told = next(r for r in stage.records() if isinstance(r, Delivery) and r.recipient == BOSS)
        assert HEAD in told.routes[0].text
        pressed: list[int] = []

        def answered() -> bool:
            if "playing" in stage.states(told.id) and len(pressed) < 40:
                phone.press("1")
                pressed.append(1)
            return "answered" in stage.states(told.id)

        until(answered, "the superior's key", 90)
        failed = [r for r in stage.records() if isinstance(r, Receipt) and r.delivery == "d1"]
        tries = [r.attempt for r in failed if r.state == "failed" and "486" in str(r.detail)]
        assert tries[:3] == [1, 2, 3]
        assert max(tries) == 3
        duty = [
            r
            for r in stage.records()
            if isinstance(r, Delivery) and r.recipient not in (HEAD, BOSS)
        ]
        assert any(HEAD in r.routes[0].text for r in duty), "the duty room knows too"
    finally:
        stage.close()
        trunk.stop()


def test_an_exercise_has_no_trunk(tmp_path: Path) -> None:
    """Whatever channels.toml says, a drill calls nobody: its one carrier is the simulated one."""
    loaded = load(ROOT / "config" / "yanqing")
    row = Carrier(name="trunk", channel="voice", kind="sip", url="sip://127.0.0.1:5060")
    district = msgspec.structs.replace(loaded, channels=Channels(carrier=(row,)))
    for url, names in (("", []), ("http://127.0.0.1:1", ["drill"])):
        ways = channels_of(
            district, run_of("exercise"), tmp_path, carrier_url=url, publish=lambda *_: None,
            clock=lambda: 0, private_key=lambda: b"",
        )  # fmt: skip
        assert [leg.carrier.name for leg in ways["voice"].legs] == names  # type: ignore[attr-defined]
