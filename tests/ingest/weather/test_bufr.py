"""BUFR of weather offices, encoded by ecCodes itself: rain over several periods, traces, what is missing,
messages that are cut."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.language import en
from ingest.weather import bufr_process
from ingest.weather.bufr_process import read_bufr, subsets
from ingest.weather.value import FileSays
from tests.support.weather import AT, HOUR, RAIN, ROWS, P, door, synop

pytest.importorskip("eccodes", reason="fengsui[bufr] is not installed")
MINE = [r for r in ROWS if r.form == "synop"]
MINUTES = {"R01": 60, "R02": 60}
BEIJING = {"blockNumber": 54, "stationNumber": 406}
# 04 024 before the first and the second 13 011 of template 307080, where they stand among its periods
FIRST, SECOND = f"#4#{P}", f"#5#{P}"
STATION = {**HOUR, **BEIJING}


def values(body: bytes, minutes: dict[str, int] = MINUTES) -> list[tuple[str, float | None, bool]]:
    says = read_bufr(body, MINE, minutes)
    assert not says.bad, says.bad
    return [(v.row.station, v.value, v.trace) for v in says.values]


def test_a_value_of_minus_a_tenth_is_a_trace_and_no_rain() -> None:
    body = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": -0.1, SECOND: -6, f"#2#{RAIN}": 12.3}])
    assert values(body) == [("R01", 0.0, True)]


@pytest.mark.parametrize(
    ("minutes", "expected"), [(60, 3.1), (360, 12.3), (1440, 40.0), (720, None)]
)
def test_of_several_periods_the_one_that_the_station_sums_over(
    minutes: int, expected: float | None
) -> None:
    rain = {FIRST: -1, f"#1#{RAIN}": 3.1, SECOND: -6, f"#2#{RAIN}": 12.3}
    body = synop([{**STATION, **rain, "totalPrecipitationPast24Hours": 40.0}])
    found = values(body, {"R01": minutes, "R02": minutes})
    assert found == ([] if expected is None else [("R01", expected, False)])
    says = read_bufr(body, MINE, {"R01": minutes, "R02": minutes})
    assert says.periods == (expected is None)


def test_zero_is_zero_and_missing_is_none() -> None:
    none = synop([{**STATION, FIRST: -1, SECOND: -6, f"#2#{RAIN}": 1.0}])
    dry = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": 0.0}])
    assert values(none) == [("R01", None, False)]
    assert values(dry) == [("R01", 0.0, False)]


def test_a_sum_without_a_period_or_of_what_is_to_come_is_no_reading() -> None:
    assert values(synop([{**STATION, f"#1#{RAIN}": 3.0}])) == []
    assert values(synop([{**STATION, FIRST: 1, f"#1#{RAIN}": 3.0}])) == []


def test_a_period_that_ended_before_the_report_counts_at_its_end() -> None:
    """Two periods in a row are a beginning and an end."""
    descriptors = (301001, 301011, 301012, 4024, 4024, 13011)
    body = synop([{**STATION, f"#1#{P}": -2, f"#2#{P}": -1, RAIN: 4.0}], descriptors)
    (value,) = read_bufr(body, MINE, MINUTES).values
    assert (value.value, value.at) == (4.0, AT - 3_600_000)


def test_minutes_as_periods() -> None:
    descriptors = (301001, 301011, 301012, 4025, 13011)
    assert values(synop([{**STATION, f"#1#{P}": -60, RAIN: 4.0}], descriptors)) == [
        ("R01", 4.0, False)
    ]
    ten = synop([{**STATION, f"#1#{P}": -10, RAIN: 4.0}], descriptors)
    assert values(ten, {"R01": 10, "R02": 10}) == [("R01", 4.0, False)]


@pytest.mark.parametrize("element", [13019])
def test_an_element_that_names_its_period(element: int) -> None:
    body = synop(
        [{**STATION, "totalPrecipitationPast1Hour": -0.1}], (301001, 301011, 301012, element)
    )
    assert values(body) == [("R01", 0.0, True)]


def test_a_station_with_a_wigos_identifier() -> None:
    wigos = {
        "wigosIdentifierSeries": 0,
        "wigosIssuerOfIdentifier": 20000,
        "wigosIssueNumber": 0,
        "wigosLocalIdentifierCharacter": "54499",
    }
    body = synop([{**HOUR, **wigos, FIRST: -1, f"#1#{RAIN}": 2.0}], (301150, 307080))
    assert values(body) == [("R02", 2.0, False)]


def test_many_subsets_of_one_message_each_for_its_station() -> None:
    other = {**HOUR, "blockNumber": 54, "stationNumber": 511}
    body = synop(
        [
            {**other, FIRST: -1, f"#1#{RAIN}": 9.0},
            {**STATION, FIRST: -1, f"#1#{RAIN}": 2.0},
            {**STATION, "hour": 1, FIRST: -1, f"#1#{RAIN}": -0.1},
        ]
    )
    says = read_bufr(body, MINE, MINUTES)
    assert [(v.at, v.value, v.trace) for v in says.values] == [
        (AT, 2.0, False),
        (AT + 3_600_000, 0.0, True),
    ]
    assert says.others == 1


def test_compressed_subsets() -> None:
    descriptors = (301001, 301011, 301012, 4024, 13011)
    rows = [
        {**STATION, "stationNumber": n, P: -1, RAIN: value}
        for n, value in ((406, -0.1), (511, 5.0), (406, 7.5))
    ]
    body = synop(rows, descriptors, compressed=True)
    says = read_bufr(body, MINE, MINUTES)
    assert [(v.value, v.trace) for v in says.values] == [(0.0, True), (7.5, False)]
    assert says.others == 1


def reasons(says: FileSays) -> Sequence[tuple[str, str]]:
    return [(b.why.reason, en(b.why.detail).split(":")[0]) for b in says.bad]


def test_headings_between_messages_and_one_that_is_cut_cost_no_other() -> None:
    one = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": 2.0}])
    two = synop([{**STATION, "hour": 1, FIRST: -1, f"#1#{RAIN}": 3.0}])
    head = b"\x01\r\r\n123\r\r\nISMI40 BABJ 260000\r\r\n"
    body = head + one + b"\r\r\n\x03" + head + one[:80] + head + two
    says = read_bufr(body, MINE, MINUTES)
    assert [v.value for v in says.values] == [2.0, 3.0]
    at = len(head) * 2 + len(one) + 4
    assert reasons(says) == [("cut_frame", f"message at byte {at}")]


def test_a_message_that_cannot_be_decoded_costs_no_other() -> None:
    one = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": 2.0}])
    broken = bytearray(one)
    broken[30:40] = b"\xff" * 10  # its descriptors
    says = read_bufr(bytes(broken) + one, MINE, MINUTES)
    assert [v.value for v in says.values] == [2.0]
    assert reasons(says) == [("bad_payload", "message at byte 0")]


def test_a_message_on_which_the_decoder_dies_costs_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As far as it came counts, and another process reads what follows."""
    one = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": 2.0}])
    answers, asked = bufr_process._answers, []

    def dies_on_the_second(lines: bytes) -> list[bytes]:
        asked.append(lines.count(b"\n"))
        return answers(lines)[: 1 if len(asked) == 1 else None]

    monkeypatch.setattr(bufr_process, "_answers", dies_on_the_second)
    says = read_bufr(one * 3, MINE, MINUTES)
    assert asked == [3, 1]
    assert [v.value for v in says.values] == [2.0, 2.0]
    assert reasons(says) == [("bad_payload", f"message at byte {len(one)}")]


def test_messages_that_each_end_the_decoder_do_not_hold_up_the_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    def dies(lines: bytes) -> list[bytes]:
        asked.append(lines)
        return []

    monkeypatch.setattr(bufr_process, "_answers", dies)
    says = read_bufr(synop([{**STATION, FIRST: -1, f"#1#{RAIN}": 2.0}]) * 50, MINE, MINUTES)
    assert len(asked) == 3 and len(says.bad) == 50 and not says.values


def test_what_unfolds_into_too_many_reports_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**STATION, "hour": n, FIRST: -1, f"#1#{RAIN}": 2.0} for n in range(3)]
    body = synop(rows)
    assert subsets(body) == 3 and subsets(synop(rows[:1])) == 1
    assert subsets(b"BUFR" + bytes(8)) == 1
    monkeypatch.setattr(bufr_process, "MOST_REPORTS", 7)
    says = read_bufr(body * 4, MINE, MINUTES)
    assert len(says.values) == 6
    assert [b.why.reason for b in says.bad] == ["oversize"] * 2


def test_a_file_without_a_message_is_refused() -> None:
    says = read_bufr(b"hello\n", MINE, MINUTES)
    assert says.refused
    assert [b.why.reason for b in says.bad] == ["bad_payload"]


def test_through_the_door_into_the_log(tmp_path: Path) -> None:
    one = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": -0.1}])
    with door(tmp_path) as of:
        of.drop_file("A_ISMI40BABJ260000.bin", one)
        of.drop_file("more.bufr", one[:-10])  # its writer goes on
        of.look()
        assert [(o.station, o.value, o.test) for o in of.readings()] == [("R01", 0, "trace")]
        assert [p.name for p in of.folder.iterdir() if p.is_file()] == ["more.bufr"]
        assert not of.letters()


def test_a_row_of_another_form_asks_for_nothing_here() -> None:
    body = synop([{**STATION, FIRST: -1, f"#1#{RAIN}": 2.0}])
    rows = [replace(MINE[0], id="54407")]
    says = read_bufr(body, rows, MINUTES)
    assert (says.values, says.others) == ([], 1)
