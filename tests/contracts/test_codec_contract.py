"""What every LoRaWAN codec must do, over all that come with the product: read the vectors that its maker, or
the device repository of The Things Network, has published; give each value where it stands; take any bytes."""

from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.read.codecs import SHIPPED, codec_names, read_codec
from config.records.devices.lorawan import OBJECT, TIME, Codec, CodecField
from ingest.telemetry.lorawan.payload import read_payload, whole
from ingest.telemetry.lorawan.rows import rows

TTN = "https://github.com/TheThingsNetwork/lorawan-devices/blob/master/vendor/"
MILESIGHT = "https://github.com/Milesight-IoT/SensorDecoders/tree/main/EM_Series/"


class Vector(NamedTuple):
    codec: str
    hex: str
    values: dict[str, float]
    source: str
    time_s: float | None = None  # of those that have one


VECTORS = (
    Vector(
        "decentlab-tbrg",
        "0202f8000300040258409a00000c54",
        {"tips_in_interval": 4, "interval": 600, "tips": 16538, "battery": 3.156},
        "https://github.com/decentlab/decentlab-decoders/tree/master/DL-TBRG",
    ),
    Vector(
        "decentlab-tbrg",
        "0202f800020c54",
        {"battery": 3.156},
        "https://github.com/decentlab/decentlab-decoders/tree/master/DL-TBRG",
    ),
    Vector(
        "decentlab-mbx",
        "02012f000304d200010bb1",
        {"distance": 1.234, "samples": 1, "battery": 2.993},
        TTN + "decentlab/dl-mbx-codec.yaml",
    ),
    Vector(
        "decentlab-mbx",
        "02012f00020bb1",
        {"battery": 2.993},
        TTN + "decentlab/dl-mbx-codec.yaml",
    ),
    Vector(
        "milesight-em500-udl",
        "01755c03821e00",
        {"battery": 92, "distance": 0.03},
        TTN + "milesight-iot/em500-udl-codec.yaml",
    ),
    Vector(
        "milesight-em410-rdl",
        "0175640367100104822c0105000106c72003",
        {"battery": 100, "temperature": 27.2, "distance": 0.3, "tilt": 1, "radar_signal": 8},
        TTN + "milesight-iot/em410-rdl-codec.yaml",
    ),
    Vector(
        "milesight-em300-di",
        "01755c05c800010000",
        {"battery": 92, "pulse": 256},
        TTN + "milesight-iot/em300-di-codec.yaml",
    ),
    Vector(
        "milesight-em300-di",
        "20ce9e74466310015d020000010000",
        {"temperature": 27.2, "humidity": 46.5, "gpio_type": 2, "gpio": 0, "pulse": 256},
        MILESIGHT + "EM300_Series/EM300-DI",
        1665561758,
    ),
    Vector(
        "cayenne-lpp",
        "03670110056700ff",
        {"temperature_3": 27.2, "temperature_5": 25.5},
        "https://docs.mydevices.com/docs/lorawan/cayenne-lpp",
    ),
    Vector(
        "dragino-ldds04",
        "0d4a03160318031a031501",
        {
            "battery": 3.402, "distance1": 0.79, "distance2": 0.792, "distance3": 0.794,
            "distance4": 0.789, "message_type": 1,
        },
        "Dragino LDDS04 User Manual, 2.4",
    ),
)  # fmt: skip


def codec(name: str) -> Codec:
    found = read_codec(SHIPPED / f"{name}.toml", [])
    assert found is not None
    return found


ALL = [codec(name) for name in codec_names(Path("nowhere")) if name != OBJECT]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v.codec}-{v.hex[:8]}")
def test_the_published_vectors(vector: Vector) -> None:
    read = read_payload(codec(vector.codec), bytes.fromhex(vector.hex))
    assert not read.faults
    found = {f.name: f.value for f in read.fields if f.field.gives != TIME}
    assert found == pytest.approx(vector.values)
    assert {f.time_s for f in read.fields} == {vector.time_s}


def test_every_codec_has_a_vector_and_a_source() -> None:
    assert {c.name for c in ALL} == {v.codec for v in VECTORS}
    assert all(c.source and c.title and c.title_en for c in ALL)
    assert all(v.source for v in VECTORS)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v.codec}-{v.hex[:8]}")
def test_what_was_read_before_the_end_was_cut_off_is_the_same(vector: Vector) -> None:
    """Every way to cut a message: a prefix of its values, or none, never another value."""
    mine, data = codec(vector.codec), bytes.fromhex(vector.hex)
    whole = read_payload(mine, data).fields
    for size in range(len(data)):
        read = read_payload(mine, data[:size])
        assert read.fields == whole[: len(read.fields)]
        assert all(0 <= f.at <= size for f in read.faults)
        if len(read.fields) < len(whole) and mine.form != "tagged":
            assert read.faults


@pytest.mark.parametrize("mine", ALL, ids=lambda c: c.name)
@given(data=st.binary(max_size=64), port=st.one_of(st.none(), st.integers(0, 255)))
def test_any_bytes_are_read_or_blamed(mine: Codec, data: bytes, port: int | None) -> None:
    read = read_payload(mine, data)
    for found in read.fields:
        assert data[found.at : found.at + found.field.bytes] == found.raw
    assert all(0 <= fault.at <= len(data) and fault.zh and fault.en for fault in read.faults)
    assert all(0 <= row.at <= len(data) for row in rows(mine, data, port))


@given(
    raw=st.integers(-(2**31), 2**31 - 1),
    order=st.sampled_from(("big", "little")),
    before=st.binary(max_size=5),
)
def test_a_number_is_what_was_written(
    raw: int, order: Literal["big", "little"], before: bytes
) -> None:
    at = len(before)
    field = CodecField(name="x", at=at, bytes=4, signed=True)
    made = Codec(
        title="t", title_en="t", source="s", form="fixed", bytes=at + 4, order=order, field=(field,)
    )
    [found] = read_payload(made, before + raw.to_bytes(4, order, signed=True)).fields
    assert found.value == raw


@given(raw=st.integers(0, 2**16 - 1))
def test_a_mask_takes_its_bits_alone(raw: int) -> None:
    data = raw.to_bytes(2, "big")
    assert whole(data, "big", mask=0x3FFF) == raw & 0x3FFF
    assert whole(data, "big", mask=0xC000) == raw >> 14
    signed = whole(data, "big", signed=True, mask=0x0FF0)
    assert signed == int.from_bytes(bytes([raw >> 4 & 0xFF]), "big", signed=True)


@pytest.mark.parametrize(
    "name", ["milesight-em300-di", "milesight-em410-rdl", "milesight-em500-udl"]
)
def test_what_a_milesight_device_says_when_it_is_switched_on_is_no_fault(name: str) -> None:
    """Its tags and their lengths: README.md of EM_Series/EM500_Series/EM500-UDL."""
    data = bytes.fromhex("FF0BFFFF0101FF166412A12345678901FF090110FF0A0102FF0F00FFFF0100FFFE01")
    read = read_payload(codec(name), data)
    assert read.faults == []
    assert not [f for f in read.fields if f.field.gives]


def test_an_alarm_of_the_em500_udl_is_a_level_as_well() -> None:
    read = read_payload(codec("milesight-em500-udl"), bytes.fromhex("83E9460500F601017564"))
    found = {f.name: f.value for f in read.fields}
    assert (round(found["distance"] or 0, 3), found["battery"]) == (1.35, 100)
    assert read.faults == []
