"""A drill and a platform: the kind of run decides, and an exercise reads no platform of channels.toml."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.records.district import Contact, District
from config.records.level import Level
from dispatch.channels import Channel, SendError
from dispatch.channels.failover import Carriers
from dispatch.send.channels import channels_of, close
from simulators.carriers.phones import Carrier
from simulators.carriers.platform import Platform
from stream.records import Run
from tests.support.broadcast import OUR_KEYS, T0, Clock, delivery, row


@pytest.fixture
def with_platform(
    district: District, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> District:
    monkeypatch.setenv("EBD_KEY", OUR_KEYS.private)
    who = Contact(
        id="C-EBM", name="应急广播平台", role="organisation", areas=("*",), lang="zh",
        channels=("broadcast_platform",), min_level=Level.YELLOW,
    )  # fmt: skip
    channels = msgspec.structs.replace(
        district.channels, carrier=(row(platform.at),), attempt_timeout_s=60
    )
    contacts = {**district.contacts, who.id: who}
    return msgspec.structs.replace(district, contacts=contacts, channels=channels)


def ways(d: District, kind: str, folder: Path, clock: Clock, url: str = "") -> dict[str, Channel]:
    run = Run(
        name="live" if kind == "live" else "exercise-1",
        kind=kind,
        district=d.id,
        config="v",
        start_at=0,
    )  # type: ignore[arg-type]
    return channels_of(
        d, run, folder, carrier_url=url, publish=lambda *_: None, clock=clock, private_key=bytes
    )


@pytest.fixture
def phones() -> Iterator[Carrier]:
    found = Carrier()
    yield found
    found.close()


def test_a_live_run_reaches_the_platform(
    with_platform: District, platform: Platform, tmp_path: Path, clock: Clock
) -> None:
    pytest.importorskip("gmssl_pyx")
    found = ways(with_platform, "live", tmp_path, clock)
    d = delivery()
    try:
        told = found["broadcast_platform"].send(d, d.routes[0], "k")
        assert told.state == "accepted"
        (m,) = platform.messages.values()
        assert m.type == "1" and (tmp_path / "platform" / "county.json").exists()
    finally:
        close(found)


@pytest.mark.parametrize("status", ["exercise", "test", "actual"])
def test_an_exercise_never_reaches_it_whatever_the_message_says(
    with_platform: District, platform: Platform, tmp_path: Path, clock: Clock, phones: Carrier, status: str
) -> None:  # fmt: skip
    found = ways(with_platform, "exercise", tmp_path, clock, phones.url)
    d = delivery(status=status)
    try:
        sent = found["broadcast_platform"].send(d, d.routes[0], "k")
        assert sent.state == "accepted" and phones.taken["k"].channel == "broadcast_platform"
        phones.advance(T0)
        told = [(channel, r.status) for channel, r in phones.advance(T0 + 60_000)]
        assert told == [("broadcast_platform", "playing"), ("broadcast_platform", "played")]
        way = found["broadcast_platform"]
        assert isinstance(way, Carriers) and [leg.carrier.name for leg in way.legs] == ["drill"]
        way.probe()
        assert not platform.packets and platform.beats == 0
    finally:
        close(found)
    nothing = ways(with_platform, "exercise", tmp_path, clock)
    with pytest.raises(SendError):
        nothing["broadcast_platform"].send(d, d.routes[0], "k")
    assert not platform.packets
