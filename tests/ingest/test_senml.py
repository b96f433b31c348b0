"""SenML whole: both forms say the same, units come out exact, sums, versions, fields that must be understood,
and what is bad costs its own record only."""

import json
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import en
from config.records.quantity import QUANTITIES
from ingest.decode.reading import Reading, Relative
from ingest.decode.senml import decode_senml
from ingest.decode.senml_cbor import _UNWANTED
from ingest.decode.senml_units import PRIMARY, SECONDARY, into
from ingest.identify import Register, identify
from ingest.observation import Flag, Observation
from stream.records import Rejected
from tests.support.districts import yanqing
from tests.support.examples import examples

NOW = 1_753_524_000_000
S = NOW // 1000
# RFC 8428 table 4, written down a second time on purpose
LABELS = {
    "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "bver": -1,
    "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8,
}  # fmt: skip


def as_cbor(pack: list[dict[str, Any]]) -> bytes:
    return cbor2.dumps([{LABELS.get(k, k): v for k, v in record.items()} for record in pack])


def as_json(pack: list[dict[str, Any]]) -> bytes:
    return json.dumps(pack).encode()


def read(pack: list[dict[str, Any]]) -> list[Reading | Rejected]:
    """Of both forms, which must say the same."""
    found = decode_senml(as_json(pack), NOW)
    assert decode_senml(as_cbor(pack), NOW) == found
    return found


def one(record: dict[str, Any]) -> Reading:
    (found,) = read([record])
    assert isinstance(found, Reading), found
    return found


def refused(pack: list[dict[str, Any]]) -> list[str]:
    return [f"{r.reason}: {en(r.detail)}" for r in read(pack) if isinstance(r, Rejected)]


@pytest.mark.parametrize(
    ("value", "unit", "quantity", "expected"),
    [
        (1.15, "cm", "rain", 11.5),  # in doubles 1.15 * 10 would be 11.499999999999998
        (0.0123, "m", "rain", 12.3),
        (3.2, "mm", "rain", 3.2),
        (123, "cm", "stage", 1.23),
        (0.5, "km", "stage", 500.0),
        (850, "l/s", "discharge", 0.85),
        (3.6, "km/h", "surface_speed", 1.0),
        (0.42, "/", "soil_moisture", 42.0),
        (0.42, "%", "soil_moisture", 42.0),  # RFC 8428: % is the ratio, no percentage
        (42, "/100", "soil_moisture", 42),
        (420, "/1000", "soil_moisture", 42.0),
        (88, "%EL", "battery", 88),
        (61, "%RH", "humidity", 61),
        (0.0004, "/", "gas", 400.0),
        (400, "ppm", "gas", 400),
        (2, "hPa", "infrasound", 200.0),
        (0.000001, "m/s", "ground_velocity", 1.0),
        (2, "1/min", "traffic_flow", 120.0),
        (0.5, "1/s", "traffic_flow", 1800.0),
        (1500, "kW", "fire", 1.5),
        (7, "count", "lightning", 7),
    ],
)
def test_units(value: float, unit: str, quantity: str, expected: float) -> None:
    found = one({"n": f"X:{quantity}", "u": unit, "v": value})
    assert (found.value, found.unit) == (expected, QUANTITIES[quantity].unit)


def test_scales_are_those_of_rfc_8798() -> None:
    """Computed from what the units are, not read from the table of the code."""
    hour, kilo = 3600, 1000
    expected = {
        ("mm/h", "m/s"): Fraction(1, kilo) / hour,
        ("m/h", "m/s"): Fraction(1, hour),
        ("km/h", "m/s"): Fraction(kilo, hour),
        ("kWh", "J"): Fraction(kilo * hour),
        ("kvarh", "vars"): Fraction(kilo * hour),
        ("Ah", "C"): Fraction(hour),
        ("Wh/km", "J/m"): Fraction(hour, kilo),
        ("KiB", "B"): Fraction(1024),
        ("GB", "B"): Fraction(10**9),
        ("MB/s", "bit/s"): Fraction(8 * 10**6),
        ("ug/m3", "kg/m3"): Fraction(1, 10**9),
        ("ppm", "/"): Fraction(1, 10**6),
        ("mV", "V"): Fraction(1, kilo),
        ("MHz", "Hz"): Fraction(10**6),
    }
    for (unit, of), scale in expected.items():
        assert SECONDARY[unit] == (of, scale, 0)
    assert into(10, "dBm", "dBW") == -20  # the RFC's own example
    assert into(100, "ms", "s") == 0.1
    assert into(20, "Cel", "K") == 293.15
    assert len(SECONDARY) == 33
    assert not PRIMARY & SECONDARY.keys()
    assert {linear.of for linear in SECONDARY.values()} <= PRIMARY


@examples(300)
@given(
    st.floats(-1e9, 1e9, allow_nan=False),
    st.sampled_from(sorted(SECONDARY)),
)
def test_a_unit_is_turned_without_an_error_of_rounding(value: float, unit: str) -> None:
    of, scale, offset = SECONDARY[unit]
    turned = into(value, unit, of)
    assert turned is not None
    assert turned == float(Fraction(repr(value)) * scale + offset)


def test_a_percentage_called_percent_is_refused_with_what_to_write() -> None:
    (words,) = refused([{"n": "X:soil_moisture", "u": "%", "v": 42}])
    assert words.startswith("wrong_unit") and "/100" in words


def test_a_unit_that_measures_something_else_is_refused() -> None:
    register = Register(yanqing())
    for unit in ("kg", "V", "m3", "nonsense", "Cel"):
        found = one({"n": "R01:rain", "u": unit, "v": 1})
        judged = identify(register, found, "R01", "rain", NOW)
        assert isinstance(judged, Rejected) and judged.reason == "wrong_unit"


def test_sums_are_read_for_totals_alone() -> None:
    """12.3 mm fell in all, at 36 mm an hour now: the sum is in m/s · s."""
    rate = {"n": "R01:rain_counter", "u": "m/s", "v": 0.00001, "s": 0.0123}
    assert (one(rate).value, one(rate).unit) == (12.3, "mm")
    hourly = one({"n": "R01:rain_counter", "u": "mm/h", "s": 44_280})
    assert hourly.value == 12.3
    based = read([{"bn": "R01:", "bu": "m/s", "bs": 0.01, "n": "rain_counter", "s": 0.0023}])
    assert isinstance(based[0], Reading) and based[0].value == 12.3
    kept = read([{"bn": "R01:", "bu": "m/s", "bs": 0.01}, {"n": "rain_counter"}])
    assert [r.value for r in kept if isinstance(r, Reading)] == [10.0]
    total = one({"n": "R01:rain_counter", "u": "mm", "v": 12.3, "s": 99})
    assert total.value == 12.3  # a counter belongs in v (section 10)
    (words,) = refused([{"n": "R01:rain", "u": "m/s", "s": 0.0123}])
    assert words.startswith("bad_value: R01:rain") and "rain_counter" in words


def test_base_fields_and_their_order() -> None:
    pack = [
        {"bn": "R01:", "bt": S, "bu": "mm", "bv": 1, "n": "rain", "v": 0.5},
        {"n": "rain", "t": -60},  # a value that is missing is zero beside a base value
        {"bn": "S01:", "bu": "m", "bv": 0},
        {"n": "stage", "t": -120, "v": 2},
        {"n": "stage", "t": -60, "u": "cm", "v": 210, "ut": 60},
    ]
    found = [r for r in read(pack) if isinstance(r, Reading)]
    assert [(r.station, r.quantity, r.value, r.time) for r in found] == [
        ("R01", "rain", 1.5, S),
        ("R01", "rain", 1, S - 60),
        ("S01", "stage", 2, S - 120),
        ("S01", "stage", 2.1, S - 60),
    ]


@pytest.mark.parametrize(
    ("record", "time", "ours"),
    [
        ({}, S, True),
        ({"t": -30}, S - 30, True),
        ({"t": 20}, S + 20, True),
        ({"bt": -100, "t": 40}, S - 60, True),
        ({"t": 2**28 - 1}, S + 2**28 - 1, True),
        ({"t": 2**28}, 2**28, False),
        ({"bt": S - 10, "t": 10}, S, False),
        ({"t": -(2**28) - 5}, S - 2**28 - 5, True),
    ],
)
def test_times_below_2_28_are_relative(record: dict[str, Any], time: float, ours: bool) -> None:
    found = one({"n": "R01:rain", "v": 1, **record})
    assert found.time == time
    assert isinstance(found, Relative) == ours


def test_a_version_that_is_not_known_costs_the_pack() -> None:
    good = {"n": "R01:rain", "v": 1}
    for version in (11, 27, 42, 0, -1, 1e9):
        assert [w.split(":")[0] for w in refused([good, {"bver": version, **good}])] == [
            "bad_payload"
        ]
        assert len(read([good, {"bver": version, **good}])) == 1
    assert decode_senml(b'[{"bver": "10", "n": "R01:rain", "v": 1}]', NOW)[0][0] == "bad_payload"  # type: ignore[index]
    for version in (5, 10, 26):
        assert one({"bver": version, **good}).value == 1
    assert len(refused([good, {"bver": 26, **good}])) == 1, "two versions in a pack"


def test_fields_that_must_be_understood() -> None:
    good = {"n": "R01:rain", "v": 1}
    found = read([good, {**good, "odd_": 1}, good])
    assert [isinstance(r, Rejected) for r in found] == [False, True, False]
    found = read([good, {"bodd_": 1, **good}, good])  # a base field concerns what is behind it
    assert [isinstance(r, Rejected) for r in found] == [False, True, True]
    assert one({**good, "odd": {"a": 1}}).value == 1  # others are passed over


def test_what_is_bad_costs_its_record() -> None:
    pack = [
        {"bn": "R01:", "n": "rain", "v": 1},
        {"n": "rain", "v": "1"},
        {"n": "rain", "vs": "much"},
        {"n": "rain", "v": 1, "vb": True},
        {"n": "rain", "t": "now", "v": 1},
        {"n": "rain"},
        {"n": "rain", "v": 2},
    ]
    assert [r.value for r in read(pack) if isinstance(r, Reading)] == [1, 2]
    words = refused(pack)
    assert len(words) == 5
    assert "record 4: more than one value" in words[2]
    assert "record 6: has no value" in words[4]


def test_a_state_may_be_told_as_a_boolean() -> None:
    assert one({"n": "N001:mains", "vb": False}).value == 0
    assert one({"n": "N001:door", "vb": True}).value == 1
    assert len(refused([{"n": "R01:rain", "vb": True}])) == 1


def test_cbor_numbers_of_every_form() -> None:
    """Whole numbers, doubles, halves, decimal fractions (tag 4), big numbers (tag 2)."""
    name = b"\x68R01:rain"
    for body, expected in (
        (b"\x18\x19", 25),
        (b"\xfb\x40\x08\x00\x00\x00\x00\x00\x00", 3.0),
        (b"\xf9\x42\x00", 3.0),
        (b"\xc4\x82\x20\x18\x7b", 12.3),
        (b"\xc2\x41\x19", 25),
    ):
        for head in (b"\x81\xa2", b"\x9f\xa2", b"\xd9\xd9\xf7\x81\xa2"):
            end = b"\xff" if head[:1] == b"\x9f" else b""
            (found,) = decode_senml(head + b"\x00" + name + b"\x02" + body + end, NOW)
            assert isinstance(found, Reading) and found.value == expected, body.hex()
    for body in (b"\xf9\x7e\x00", b"\xf6", b"\xf7", b"\xc4\x82\x1a\x00\x01\x00\x00\x01"):
        (none,) = decode_senml(b"\x81\xa2\x00" + name + b"\x02" + body, NOW)
        assert isinstance(none, Rejected), body.hex()


def test_bad_cbor_says_at_which_byte() -> None:
    good = as_cbor([{"n": "R01:rain", "v": 1}])
    (cut,) = decode_senml(good[:-3], NOW)
    assert isinstance(cut, Rejected) and f"at byte {len(good) - 3}" in en(cut.detail)
    taken, behind = decode_senml(good + b"\x01\x02", NOW)
    assert isinstance(taken, Reading), "the pack itself is whole"
    assert isinstance(behind, Rejected)
    assert f"at byte {len(good)}: 2 bytes behind" in en(behind.detail)
    (twice,) = decode_senml(b"\x81\xa2\x00\x61a\x00\x61b", NOW)
    assert isinstance(twice, Rejected), "a label twice in one record"


def test_every_other_tag_that_the_library_knows_is_refused() -> None:
    """None of them makes a date, a pattern or a reference before it is refused."""
    plain = {2, 3, 4, 55_799}
    for tag in (*range(300), 1004, 43_000, 55_799):
        body = cbor2.dumps(cbor2.CBORTag(tag, "a"))
        try:
            made = cbor2.loads(body)
        except cbor2.CBORError:
            made = None
        if not isinstance(made, cbor2.CBORTag):
            assert tag in _UNWANTED or tag in plain, tag
    for tag in _UNWANTED:
        payload = b"\x81\xa2\x00\x68R01:rain\x02" + cbor2.dumps(cbor2.CBORTag(tag, 1))
        (found,) = decode_senml(payload, NOW)
        assert isinstance(found, Rejected) and "SenML" in en(found.detail)


record = st.fixed_dictionaries(
    {"n": st.sampled_from(["rain", "stage", "R01:rain", "", "x/y"])},
    optional={
        "v": st.floats(-1e6, 1e6) | st.integers(-(10**6), 10**6) | st.booleans(),
        "u": st.sampled_from(["mm", "m", "cm", "%", "/", "kg", "odd"]),
        "t": st.integers(-1000, 1000) | st.just(S),
        "s": st.floats(0, 100),
        "bn": st.sampled_from(["R01:", "S01/", ""]),
        "bt": st.sampled_from([0, S, -60]),
        "bv": st.integers(0, 5),
        "bu": st.sampled_from(["mm", "m"]),
        "bver": st.sampled_from([10, 10, 26, 11]),
        "vb": st.booleans(),
        "ut": st.integers(0, 60) | st.text(max_size=2),
        "odd_": st.just(1),
    },
)


@examples(400)
@given(st.lists(record, max_size=6))
def test_both_forms_say_the_same(pack: list[dict[str, Any]]) -> None:
    register = Register(yanqing())
    for found in read(pack):
        if isinstance(found, Reading):
            identify(register, found, str(found.station), str(found.quantity), NOW)
        else:
            assert en(found.detail)


def test_packs_of_another_implementation(data: Path) -> None:
    vectors = json.loads((data / "senml" / "wakaama_cbor.json").read_text())
    found = {(v["test"], v["name"]): decode_senml(bytes.fromhex(v["hex"]), NOW) for v in vectors}
    values = [r.value for many in found.values() for r in many if isinstance(r, Reading)]
    assert len(values) > 20
    whole = found["senml_cbor_test_2", "buffer"]
    assert [(r.value, r.time) for r in whole if isinstance(r, Reading)] == [
        (22.4, S + 25_462_634 - 5),
        (22.9, S + 25_462_634 - 30),
        (24.1, S + 25_462_634 - 50),
    ]
    assert isinstance(found["senml_cbor_test_19", "buffer"][0], Rejected), "version 11"
    mixed = [r.value for r in found["senml_cbor_test_10", "expectA"] if isinstance(r, Reading)]
    assert mixed[:2] == [1234, 56.789]


def test_a_pack_in_cbor_comes_by_the_topic_of_json() -> None:
    register = Register(yanqing())
    (found,) = decode_senml(
        as_cbor([{"bn": "S01:", "n": "stage", "u": "cm", "v": 123, "t": S}]), NOW
    )
    assert isinstance(found, Reading)
    judged = identify(register, found, "S01", "stage", NOW)
    assert isinstance(judged, Observation)
    assert (judged.value, judged.flag, judged.test) == (1230, Flag.GOOD, "")


def test_a_long_name_is_not_held_for_each_record() -> None:
    pack = json.dumps([{"bn": "x" * 128_000}] + [{"v": 1}] * 1000).encode()
    tracemalloc.start()
    found = decode_senml(pack, NOW)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 1000
    assert most < 20_000_000


def test_base_fields_that_nobody_knows_are_not_carried_along() -> None:
    many = {f"b{n}": 0 for n in range(2000)}
    pack = [many, *[{"n": "R01:rain", "v": 1, "u": "mm"}] * 3]
    assert len(decode_senml(json.dumps(pack).encode(), NOW)) == 3
    (bad, *_) = decode_senml(json.dumps([{"bx_": 1, "n": "R01:rain", "v": 1}]).encode(), NOW)
    assert isinstance(bad, Rejected)
