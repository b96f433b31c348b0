"""CSV of a weather office as values: codes, times, what is bad alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from config.language import en
from config.records.devices.weather import WeatherForm, WeatherRow
from ingest.identify import Register
from ingest.observation import Flag, Observation
from ingest.weather.table import moment_of, read_table
from ingest.weather.value import FileSays, OfficeJudge
from stream.records import Rejected
from tests.support.examples import examples
from tests.support.weather import AT, CSV, HEAD, NOW, ROWS, district

DISTRICT = district()
REGISTER = Register(DISTRICT)


def read(text: str | bytes, form: WeatherForm = CSV, rows: Sequence[WeatherRow] = ROWS) -> FileSays:
    mine = [r for r in rows if r.form == "hourly"]
    body = text if isinstance(text, bytes) else text.encode(form.encoding)
    return read_table(body, form, mine, REGISTER.measures)


def of_rain(cell: str, form: WeatherForm = CSV) -> Observation | Rejected | None:
    """What a cell of R01's column of rain comes to; None: missing."""
    says = read(HEAD + f"54406,2026-07-26,08:00,{cell},\n", form)
    if says.bad:
        return says.bad[0].why
    value = next(v for v in says.values if v.row.station == "R01")
    if value.value is None:
        return None
    return OfficeJudge(DISTRICT, REGISTER).observation("x.csv", value, NOW)


@pytest.mark.parametrize("cell", ["-0.1", "-0.10", "T", " t ", "-1e-1", "32700"])
def test_a_trace_is_rain_of_nothing_and_says_so(cell: str) -> None:
    found = of_rain(cell)
    assert isinstance(found, Observation)
    assert (found.value, found.test, found.flag) == (0, "trace", Flag.GOOD)


@pytest.mark.parametrize(
    "cell", ["", "//", "///", "9999", "9999.0", "999.9", "-9999", "999999", "32766"]
)
def test_what_says_that_there_is_none_is_no_value(cell: str) -> None:
    assert of_rain(cell) is None


@pytest.mark.parametrize("cell", ["12,5", "1.2mm", "nan", "inf", "--", "０.5", "1_0", "0x10"])
def test_what_is_neither_a_number_nor_a_code_is_a_dead_letter(cell: str) -> None:
    found = of_rain(f'"{cell}"')
    assert isinstance(found, Rejected)
    assert found.reason == "bad_value"
    assert "row 2 PRE" in en(found.detail)
    assert "R01" in en(found.detail)


@pytest.mark.parametrize("cell", ["990", "999.8", "999990", "32744", "-999"])
def test_a_code_that_no_table_declares_is_never_rain(cell: str) -> None:
    found = of_rain(cell)
    assert isinstance(found, Rejected) or found is None or found.flag == Flag.FAIL
    if isinstance(found, Rejected):
        assert found.reason == "bad_value"
        assert "x.csv row 2 PRE" in en(found.detail)


def test_codes_of_a_row_take_the_place_of_those_of_its_file() -> None:
    row = replace(ROWS[0], missing=("-1",), trace=("-2",))
    says = read(
        HEAD
        + "".join(f"54406,2026-07-26,{h:02}:00,{v},\n" for h, v in enumerate(["-1", "-2", "T"])),
        rows=[row],
    )
    assert [(v.value, v.trace) for v in says.values] == [(None, False), (0.0, True)]
    assert [b.why.reason for b in says.bad] == ["bad_value"]


def test_a_trace_is_none_of_another_quantity() -> None:
    says = read(HEAD + "54406,2026-07-26,08:00,0,-0.1\n")
    level = next(v for v in says.values if v.row.station == "S01")
    assert (level.value, level.trace) == (-0.1, False)
    found = OfficeJudge(DISTRICT, REGISTER).observation("x.csv", level, NOW)
    assert isinstance(found, Observation)
    assert found.value == -1  # mm of a level in cm


def test_one_bad_row_costs_itself_alone() -> None:
    lines = [
        "54406,2026-07-26,08:00,1.0,",  # 2
        "54406,2026-07-26,08:00",  # 3: cells
        "54406,2026-13-26,08:00,1.0,",  # 4: time
        '54406,2026-07-26,08:00,"1.0,',  # 5: quotes
        "A1234,2026-07-26,08:00,x,",  # 6: value
        "99999,what,ever,it,is",  # 7: another's
        "",
        "A1234,2026-07-26,08:00,2.0,",  # 9
    ]
    body = (HEAD + "\n".join(lines) + "\n").encode() + b"54406,\xff\xfe,08:00,1.0,\n"
    says = read(body)
    good = [(v.row.station, v.value) for v in says.values if v.value is not None]
    assert good == [("R01", 1.0), ("R02", 2.0)]
    assert says.others == 1
    places = [en(b.why.detail).split(":")[0] for b in says.bad]
    assert places == ["row 3", "row 4 日期 时间", "row 5", "row 6 PRE", "row 10"]
    assert says.bad[0].raw == b"54406,2026-07-26,08:00"


def test_a_file_of_which_nothing_can_be_read_is_refused() -> None:
    for text in ("", "站号,日期,PRE\n54406,2026-07-26,1\n", "站号,站号,日期,时间,PRE\n"):
        says = read(text)
        assert says.refused, text
        assert not says.values
        assert [b.why.reason for b in says.bad] == ["bad_payload"]
    (bad,) = read(HEAD + "1,2026-07-26,08:00,1,\n").bad
    assert bad.why.reason == "unknown_station"


def test_a_column_that_is_asked_for_and_missing_costs_no_other() -> None:
    says = read("站号,日期,时间,PRE\n54406,2026-07-26,08:00,1.5\n")
    assert [(v.row.station, v.value) for v in says.values] == [("R01", 1.5)]
    (bad,) = says.bad
    assert "row 1 LEVEL" in en(bad.why.detail)


def test_the_office_doubts_its_own_value() -> None:
    form = replace(CSV, good=("0",))
    row = replace(ROWS[0], quality="Q_PRE")
    text = "站号,日期,时间,PRE,Q_PRE\n54406,2026-07-26,08:00,1.5,{}\n"
    judge = OfficeJudge(DISTRICT, REGISTER)
    for said, flag, test in (("0", Flag.GOOD, ""), ("2", Flag.SUSPECT, "office_quality")):
        (value,) = read(text.format(said), form, [row]).values
        found = judge.observation("x.csv", value, NOW)
        assert isinstance(found, Observation)
        assert (found.flag, found.test) == (flag, test)


def test_gb18030_white_space_and_columns_of_their_own() -> None:
    form = replace(
        CSV, encoding="gb18030", separator="space", time=("年", "月", "日", "时"),
        time_form="%Y %m %d %H",
    )  # fmt: skip
    (value,) = read("站号 年 月 日 时 PRE\n 54406  2026 7 26   8  12.3 \n", form, ROWS[:1]).values
    assert (value.value, value.at) == (12.3, AT)


@pytest.mark.parametrize(
    ("text", "form", "zone", "at"),
    [
        ("2026-07-26 08:00", "%Y-%m-%d %H:%M", "Asia/Shanghai", AT),
        ("2026072608", "%Y%m%d%H", "Asia/Shanghai", AT),
        ("2026072600", "%Y%m%d%H", "UTC", AT),
        ("2026072524", "%Y%m%d%H", "UTC", AT),  # 24 o'clock
        ("2026-02-28 24:00", "%Y-%m-%d %H:%M", "UTC", 1_772_323_200_000),
        ("2026/7/26 8:00", "%Y/%m/%d %H:%M", "Asia/Shanghai", AT),
        ("2026-07-26T08:00:00+08:00", "", "", AT),
        ("2026-07-26T00:00:00Z", "", "Asia/Shanghai", AT),
        ("2026-07-26 08:00", "", "Asia/Shanghai", AT),
        ("2026-07-26T08:00:00", "", "Asia/Shanghai", AT),
        ("2026-07-26T08:00:00", "", "", None),
        ("2026-07-26 24:30", "%Y-%m-%d %H:%M", "UTC", None),
        ("2026-02-30 08:00", "%Y-%m-%d %H:%M", "UTC", None),
        ("26-07-26 08:00", "%Y-%m-%d %H:%M", "UTC", None),
        ("２026-07-26 08:00", "%Y-%m-%d %H:%M", "UTC", None),
        ("", "%Y-%m-%d %H:%M", "UTC", None),
        ("20260726 8", "%Y%m%d %H", "Asia/Shanghai", AT),
        ("202611108", "%Y%m%d%H", "UTC", None),
    ],
)
def test_times(text: str, form: str, zone: str, at: int | None) -> None:
    assert moment_of(text, form, zone) == at


@given(
    st.integers(694_224_000, 4_102_444_800)
)  # 1992, after the last summer time of China, to 2100
@examples()
def test_a_time_of_beijing_is_eight_hours_before_that_of_greenwich(seconds: int) -> None:
    when = datetime.fromtimestamp(seconds // 60 * 60, UTC)
    here = when.astimezone(timezone(timedelta(hours=8)))
    found = moment_of(f"{here:%Y-%m-%d %H:%M}", "%Y-%m-%d %H:%M", "Asia/Shanghai")
    assert found == round(when.timestamp() * 1000)


@given(st.binary(max_size=400))
@examples()
def test_whatever_the_bytes_are_what_is_said_is_a_value_or_why_not(body: bytes) -> None:
    for text in (body, HEAD.encode() + body, HEAD.encode() + b"54406," + body):
        says = read(text)
        assert all(v.value is None or abs(v.value) < 1e41 for v in says.values)
        assert all(
            b.why.reason in ("bad_payload", "bad_time", "bad_value", "unknown_station")
            for b in says.bad
        )
