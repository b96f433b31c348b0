"""lorawan.csv and codecs: what `fengsui check` says of them."""

import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load

HEAD = "station,dev_eui,codec,field,scale,offset\n"
EUI, OTHER = "24E124126A147C32", "a8-40-41-00-01-81-8b-fa"
UDL = "milesight-em500-udl"

LEVEL = """title = "自制水位计"
title_en = "a level gauge of our own"
source = "made for this test"
form = "fixed"
bytes = 3
ports = [7]
field = [
  { name = "level", bytes = 2, signed = true, scale = 0.01, unit = "m", gives = "stage" },
  { name = "battery", at = 2, unit = "%", gives = "battery" },
]
"""


def copy(folder: Path, *rows: str, codecs: dict[str, str] | None = None) -> Path:
    source = Path(__file__).parents[2] / "config" / "yanqing"
    made = shutil.copytree(source, folder / "yanqing")
    (made / "lorawan.csv").write_text(HEAD + "\n".join(rows) + "\n")
    (made / "codecs").mkdir()
    for name, text in (codecs or {}).items():
        (made / "codecs" / f"{name}.toml").write_text(text)
    return made


def wrong(folder: Path) -> list[str]:
    """The problems, as `row:column`."""
    try:
        load(folder)
    except ConfigError as e:
        assert {p.file for p in e.problems} == {"lorawan.csv"}
        return [f"{p.row}:{p.column}" for p in e.problems]
    return []


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ((f"S01,{EUI},{UDL},,,523.4", f"S02,{OTHER},decentlab-mbx,,,7.5"), []),
        ((f"S01,{EUI.lower()},cayenne-lpp,analog_input_3,0.1,2",), []),
        ((f"S01,{EUI},object,data.level,,",), []),
        ((f"S01,{EUI},dragino-ldds04,distance2,-1,3.2",), []),
        ((f"S01,{EUI},{UDL},,,1", f"S02,{EUI},{UDL},battery,0.01,"), ["3:field"]),
        ((f"S01,{EUI},milesight-em500-udi,,,1",), ["2:codec"]),
        ((f"S01,{EUI[:-1]},{UDL},,,1",), ["2:dev_eui"]),
        ((f"S01,{EUI[:-1]}G,{UDL},,,1",), ["2:dev_eui"]),
        ((f"X9,{EUI},{UDL},,,1",), ["2:station"]),
        ((f"V01,{EUI},{UDL},,,1",), ["2:station"]),
        ((f"R01,{EUI},{UDL},,,1",), ["2:codec"]),  # a level sensor gives no rain
        ((f"S01,{EUI},cayenne-lpp,,,",), ["2:codec"]),  # which channel?
        ((f"S01,{EUI},cayenne-lpp,analog_input_300,1,",), ["2:field"]),
        ((f"S01,{EUI},cayenne-lpp,temperature_1,,",), ["2:scale"]),
        ((f"S01,{EUI},{UDL},distanze,,1",), ["2:field"]),
        ((f"S01,{EUI},object,,,",), ["2:field"]),
        ((f"S01,{EUI},{UDL},,,",), ["2:offset"]),  # how high does it hang?
        ((f"S01,{EUI},{UDL},,1,2",), ["2:scale"]),  # it would rise while the water falls
        ((f"S01,{EUI},{UDL},,0,2",), ["2:scale"]),
        ((f"S01,{EUI},decentlab-tbrg,,,",), ["2:codec"]),
        ((f"S01,{EUI},{UDL},,,1", f"S02,{EUI},{UDL},,,1"), ["3:dev_eui"]),
        ((f"S01,{EUI},{UDL},,,1", f"S02,{EUI},decentlab-mbx,,,1"), ["3:codec", "3:dev_eui"]),
        ((f"S01,{EUI},{UDL},,,1", f"S01,{OTHER},{UDL},,,1"), ["3:station"]),
    ],
)
def test_each_fault_names_its_row_and_column(
    rows: tuple[str, ...], found: list[str], tmp_path: Path
) -> None:
    assert wrong(copy(tmp_path, *rows)) == found


def test_a_bucket_says_how_much_rain_a_tip_is(tmp_path: Path) -> None:
    made = copy(tmp_path, f"R01,{EUI},decentlab-tbrg,,,")
    stations = (made / "stations.csv").read_text()
    head, _, rest = stations.partition("\nR01,")
    row, _, more = rest.partition("\n")
    (made / "stations.csv").write_text(
        f"{head}\nR01,{row.replace(',rain,', ',rain_counter,')}\n{more}"
    )
    assert wrong(made) == ["2:scale"]
    (made / "lorawan.csv").write_text(f"{HEAD}R01,{EUI},decentlab-tbrg,,0.2,\n")
    assert wrong(made) == []


def test_a_station_has_one_source(tmp_path: Path) -> None:
    made = copy(tmp_path, f"S01,{EUI},{UDL},,,1")
    (made / "telemetry.csv").write_text("station,address,element\nS01,60321234,39\n")
    assert wrong(made) == ["2:station"]


def test_a_district_writes_its_own_codec(tmp_path: Path) -> None:
    made = copy(tmp_path, f"S01,{EUI},creek,,,0.5", codecs={"creek": LEVEL})
    found = load(made)
    assert found.codecs["creek"].fields[0].gives == "stage"
    (made / "codecs" / "creek.toml").write_text(LEVEL.replace("0.01", "0.001"))
    assert load(made).version != found.version  # what the bytes mean is a part of the district


def test_its_own_goes_before_the_shipped_one(tmp_path: Path) -> None:
    made = copy(tmp_path, f"S01,{EUI},{UDL},,,", codecs={UDL: LEVEL})
    assert load(made).codecs[UDL].ports == (7,)


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (("bytes = 3", "bytes = 2"), "field[1].at"),
        (('gives = "stage"', 'gives = "stages"'), "field[0].gives"),
        (('unit = "m"', 'unit = "cm"'), "field[0].unit"),
        (('form = "fixed"', 'form = "tagged"'), "part"),
        (('form = "fixed"', 'form = "free"'), "form"),
        (("ports = [7]", "ports = [700]"), "ports"),
        (("bytes = 2,", "bytes = 9,"), "field[0].bytes"),
        (('name = "level"', 'nmae = "level"'), "field[0].nmae"),
        (("scale = 0.01", "scale = 0"), "field[0].scale"),
        (("title = ", "titel = "), "titel"),
    ],
)
def test_what_is_wrong_in_a_codec_is_told_with_its_place(
    change: tuple[str, str], at: str, tmp_path: Path
) -> None:
    made = copy(tmp_path, codecs={"creek": LEVEL.replace(*change)})
    with pytest.raises(ConfigError) as e:
        load(made)
    assert {p.file for p in e.value.problems} == {"codecs/creek.toml"}
    assert at in [p.column for p in e.value.problems]
