"""Observations of SensorThings as readings: OGC's own forms, and what servers and devices make of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.load import ConfigError, load
from config.records.devices.things import ThingRow
from ingest.identify import Register
from ingest.observation import Flag, Observation
from ingest.telemetry.things.streams import OfDatastreams
from stream.mqtt.access import INGEST, rights
from stream.records import Rejected
from tests.support.districts import yanqing
from tests.support.examples import examples

NOW = 1_753_524_000_000
AT = "2025-07-26T09:50:00Z"
AT_MS = 1_753_523_400_000
ROWS = (
    ThingRow(datastream="1", station="R01", missing=(9999.0,), trace=(-0.1, 990.0)),
    ThingRow(datastream="7", station="S01", unit="cm", quality="qartod"),
    ThingRow(datastream="urn:x:2", station="R01", quantity="battery"),
    ThingRow(datastream="8", station="S02", scale=0.01, offset=521.0),
)
DISTRICT = replace(yanqing(), things=ROWS)
TOPIC = "v1.1/Datastreams({})/Observations"


def taken(item: Any, stream: str = "1", live: bool = True) -> list[Observation | Rejected]:
    desk = OfDatastreams(DISTRICT, Register(DISTRICT), live=live)
    payload = item if isinstance(item, bytes) else json.dumps(item).encode()
    return desk.take(TOPIC.format(stream), payload, NOW)


def one(item: Any, stream: str = "1") -> Observation:
    (found,) = taken(item, stream)
    assert isinstance(found, Observation), found
    return found


def refused(item: Any, stream: str = "1") -> str:
    (found,) = taken(item, stream)
    assert isinstance(found, Rejected), found
    return found.reason


def test_an_instant() -> None:
    found = one({"phenomenonTime": AT, "result": 0.4})
    assert (found.station, found.quantity, found.observed_at, found.value) == (
        "R01",
        "rain",
        AT_MS,
        4,
    )
    assert found.flag == Flag.GOOD


def test_a_sum_over_an_interval_counts_at_its_end() -> None:
    found = one({"phenomenonTime": f"2025-07-26T09:49:00Z/{AT}", "result": 0.4})
    assert (found.observed_at, found.flag) == (AT_MS, Flag.GOOD)
    longer = one({"phenomenonTime": f"2025-07-26T09:45:00Z/{AT}", "result": 0.4})
    assert (longer.flag, longer.test) == (Flag.SUSPECT, "other_interval")
    mean = one({"phenomenonTime": f"2025-07-26T09:45:00Z/{AT}", "result": 120}, "7")
    assert (mean.observed_at, mean.flag, mean.value) == (AT_MS, Flag.GOOD, 1200)


def test_the_form_of_2_0() -> None:
    found = one({"phenomenonTime": {"start": "2025-07-26T09:49:00Z", "end": AT}, "result": 0.4})
    assert found.observed_at == AT_MS
    assert one({"phenomenonTime": {"start": AT}, "result": 0.4}).observed_at == AT_MS


def test_whole_entities_of_a_server() -> None:
    """As FROST publishes them, with links and nulls."""
    found = one(
        {
            "@iot.id": 11,
            "@iot.selfLink": "http://far/v1.1/Observations(11)",
            "phenomenonTime": "2025-07-26T17:50:00.000+08:00",
            "resultTime": None,
            "result": 1.23,
            "Datastream@iot.navigationLink": "http://far/v1.1/Observations(11)/Datastream",
            "FeatureOfInterest@iot.navigationLink": "http://far/v1.1/Observations(11)/FeatureOfInterest",
        },
        "8",
    )
    assert (found.observed_at, found.value) == (AT_MS, 521_012)


@pytest.mark.parametrize("result", [None, "", "NaN", "null", 9999, 9999.0, "9999", "///"])
def test_what_says_that_there_is_no_value_is_none(result: object) -> None:
    assert taken({"phenomenonTime": AT, "result": result}) == []


def test_a_missing_value_is_counted() -> None:
    desk = OfDatastreams(DISTRICT, Register(DISTRICT), live=True)
    desk.take(TOPIC.format(1), json.dumps({"result": None}).encode(), NOW)
    assert (desk.told_less(), desk.told_less()) == ({"missing": 1}, {})


@pytest.mark.parametrize("result", [-0.1, 990, "990"])
def test_a_trace_is_no_number(result: object) -> None:
    """It rained, and not 990 mm nor less than none."""
    found = one({"phenomenonTime": AT, "result": result})
    assert (found.value, found.test, found.flag) == (0, "trace", Flag.GOOD)


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        (1, Flag.GOOD),
        ("1", Flag.GOOD),
        (2, Flag.GOOD),
        (3, Flag.SUSPECT),
        ("4", Flag.FAIL),
        ([{"code": "3"}], Flag.SUSPECT),
        ({"code": 4}, Flag.FAIL),
        ("so so", Flag.SUSPECT),
        (None, Flag.GOOD),
        ({}, Flag.SUSPECT),
    ],
)
def test_the_quality_of_its_source(given: object, flag: Flag) -> None:
    found = one({"phenomenonTime": AT, "result": 120, "resultQuality": given}, "7")
    assert found.flag == flag


def test_quality_without_a_scale_says_nothing_and_nine_is_none() -> None:
    assert one({"phenomenonTime": AT, "result": 0.1, "resultQuality": 4}).flag == Flag.GOOD
    assert taken({"phenomenonTime": AT, "result": 120, "resultQuality": 9}, "7") == []


def test_a_time_is_taken_from_the_result_or_from_the_receipt() -> None:
    late = one({"resultTime": AT, "result": 0.1})
    assert (late.observed_at, late.test) == (AT_MS, "time_of_result")
    ours = one({"result": 0.1})
    assert (ours.observed_at, ours.test, bool(ours.mark)) == (NOW, "time_of_receipt", True)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"phenomenonTime": "yesterday", "result": 1}, "bad_time"),
        ({"phenomenonTime": f"{AT}/2025-07-26T09:40:00Z", "result": 1}, "bad_time"),
        ({"phenomenonTime": "2025-07-26T09:50:00", "result": 1}, "bad_time"),
        ({"phenomenonTime": 7, "result": 1}, "bad_time"),
        ({"phenomenonTime": "2025-07-26T12:50:00Z", "result": 1}, "clock_ahead"),
        ({"phenomenonTime": AT, "result": "wet"}, "bad_value"),
        ({"phenomenonTime": AT, "result": {"a": 1}}, "bad_value"),
        ({"phenomenonTime": AT, "result": 1e300}, "bad_value"),
        ({}, ""),
        (b"{", "bad_payload"),
        (b"7", "bad_payload"),
        (b"", "bad_payload"),
    ],
)
def test_what_is_wrong_is_named(item: Any, reason: str) -> None:
    if reason:
        assert refused(item) == reason
    else:
        assert taken(item) == []


def test_the_datastream_may_stand_in_the_payload() -> None:
    desk = OfDatastreams(DISTRICT, Register(DISTRICT), live=True)

    def station(link: dict[str, Any]) -> str:
        body = json.dumps({"phenomenonTime": AT, "result": 0.1, **link}).encode()
        (found,) = desk.take("v1.1/Observations", body, NOW)
        return found.station if isinstance(found, Observation) else found.reason

    assert station({"Datastream": {"@iot.id": 1}}) == "R01"
    assert station({"Datastream@iot.navigationLink": "http://far/v1.1/Datastreams(7)"}) == "S01"
    assert station({"Datastream": {"@iot.id": 99}}) == "unknown_station"
    assert station({}) == "bad_payload"


def test_an_id_that_is_a_text_is_known_with_and_without_quotes() -> None:
    for stream in ("urn:x:2", "'urn:x:2'"):
        assert one({"phenomenonTime": AT, "result": 55}, stream).quantity == "battery"


def test_an_exercise_hears_no_server_of_others() -> None:
    desk = OfDatastreams(DISTRICT, Register(DISTRICT), live=False)
    assert not desk.filters
    assert not desk.takes("v1.1/Observations")


def test_who_may_say_what() -> None:
    found = rights(DISTRICT, "live")
    assert "v1.1/Datastreams(1)/Observations" in found["things"].write
    assert "v1.1/Datastreams('urn:x:2')/Observations" in found["things"].write
    assert set(OfDatastreams(DISTRICT, Register(DISTRICT), live=True).filters) <= set(
        found[INGEST].read
    )
    assert not any(
        t.startswith("v1.1") for r in rights(DISTRICT, "exercise").values() for t in r.read
    )


times = st.sampled_from((AT, f"{AT}/{AT}", "", None, 7, "24:00", {"start": AT}, {"start": 1}, [AT]))
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@examples(200)
@given(times, values, values, st.sampled_from(["1", "7", "8", "urn:x:2"]))
def test_anything_is_a_reading_or_a_reason(when: Any, result: Any, quality: Any, name: str) -> None:
    item = {"phenomenonTime": when, "result": result, "resultQuality": quality}
    for found in taken(item, name):
        assert isinstance(found, Observation | Rejected)


HEAD = "datastream,station,quantity,unit,scale,offset,missing,trace,quality,user\n"


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (("1,R01,,,,,9999;-9999,-0.1,,", "abc,S01,,cm,,,,,qartod,province"), []),
        (("1,R01,battery,,,,,,,",), []),
        (("1,X9,,,,,,,,",), ["2:station"]),
        (("1,V01,,,,,,,,",), ["2:station"]),
        (("1,R01,,,,,,,,", "1,R02,,,,,,,,"), ["3:datastream"]),
        (("1,R01,,,,,,,,", "2,R01,,,,,,,,"), ["3:station"]),
        (("a/b,R01,,,,,,,,",), ["2:datastream"]),
        (("1,S01,,,,,,-0.1,,",), ["2:trace"]),
        (("1,R01,,,,,990,990,,",), ["2:trace"]),
        (("1,R01,,,0,,,,,",), ["2:scale"]),
        (("1,R01,,,,,,,,G 1",), ["2:user"]),
        (("1,R01,,,,,,,good,",), ["2:quality"]),
    ],
)
def test_things_csv_is_checked(tmp_path: Path, rows: tuple[str, ...], wrong: list[str]) -> None:
    source = Path(__file__).parents[4] / "config" / "yanqing"
    copy = shutil.copytree(source, tmp_path / "yanqing")
    (copy / "things.csv").write_text(HEAD + "\n".join(rows) + "\n")
    try:
        found = load(copy)
    except ConfigError as e:
        assert {p.file for p in e.problems} == {"things.csv"}
        assert [f"{p.row}:{p.column}" for p in e.problems] == wrong
    else:
        assert not wrong
        assert len(found.things) == len(rows)
