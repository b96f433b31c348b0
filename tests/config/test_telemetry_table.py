"""telemetry.csv: what `fengsui check` says of it."""

import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load

HEAD = "station,address,element,protocol,scale,offset,password,mode,ask_min\n"


def loaded(folder: Path, *rows: str) -> list[str]:
    """The problems, as `column: words`."""
    source = Path(__file__).parents[2] / "config" / "yanqing"
    copy = shutil.copytree(source, folder / "yanqing")
    (copy / "telemetry.csv").write_text(HEAD + "\n".join(rows) + "\n")
    try:
        found = load(copy)
    except ConfigError as e:
        assert {p.file for p in e.problems} == {"telemetry.csv"}
        return [f"{p.row}:{p.column}" for p in e.problems]
    assert len(found.telemetry) == len(rows)
    return []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (("S01,60321234,39,,,,,,", "S01,0060321234,F5,,,1.5,,,", "R01,60321234,21,,,,,,"), []),
        (("S01,1101190007,39,sl651,1,0,1234,M4,10",), []),
        (("R03,5303810D00,1,szy206,,,,,",), ["2:element"]),  # over how long it sums nobody knows
        (("X9,60321234,39,,,,,,",), ["2:station"]),
        (("S01,6032,39,,,,,,",), ["2:address"]),
        (("S01,110119FFFF,39,,,,,,",), ["2:address"]),
        (("S01,60321234,3,,,,,,",), ["2:element"]),
        (("R01,60321234,F4,,,,,,",), ["2:element"]),  # five minutes, the table says one
        (("R01,60321234,26,,,,,,",), ["2:element"]),  # a total is no sum of an interval
        (("V01,60321234,39,,,,,,",), ["2:element"]),
        (("S01,60321234,F3,,,,,,",), ["2:element"]),
        (("S01,60321234,39,,0,,,,",), ["2:scale"]),
        (("S01,60321234,39,,,,12,,",), ["2:password"]),
        (("S01,60321234,39,,,,,M4,",), ["2:ask_min"]),
        (("S01,60321234,39,,,,,,", "S02,0060321234,39,,,,,,"), ["3:element"]),
        (("S01,60321234,39,,,,,,", "S01,60325678,39,,,,,,"), ["3:station"]),
        (("S01,60321234,39,,,,1234,,", "S02,60321234,3B,,,,,,"), ["3:password"]),
    ],
)
def test_each_fault_names_its_row_and_column(
    rows: tuple[str, ...], wrong: list[str], tmp_path: Path
) -> None:
    assert loaded(tmp_path, *rows) == wrong
