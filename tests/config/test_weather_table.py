"""weather.toml and weather.csv: what `fengsui check` says of them."""

import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load

FORMS = """
[form.hourly]
files = "*.csv"
station = "id"
time = ["time"]
time_form = "%Y-%m-%d %H:%M"
zone = "Asia/Shanghai"

[form.synop]
files = "*.bufr"
kind = "bufr"
"""
HEAD = "form,id,column,station,unit,scale,missing,trace\n"


def loaded(folder: Path, forms: str, *rows: str) -> list[str]:
    """The problems, as `row:column`."""
    source = Path(__file__).parents[2] / "config" / "yanqing"
    copy = shutil.copytree(source, folder / "yanqing")
    (copy / "weather.toml").write_text(forms)
    (copy / "weather.csv").write_text(HEAD + "\n".join(rows) + "\n")
    try:
        found = load(copy)
    except ConfigError as e:
        return [f"{p.row}:{p.column}" for p in e.problems if p.file.startswith("weather.")]
    assert len(found.weather.rows) == len(rows)
    return []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (("hourly,54406,PRE,R01,mm,0.1,9999;//,T", "hourly,54406,LEVEL,S01,cm,,,"), []),
        (("synop,54406,rain,R01,,,,",), []),
        (("daily,54406,PRE,R01,,,,",), ["2:form"]),
        (("hourly,54406,PRE,X9,,,,",), ["2:station"]),
        (("hourly,54406,PRE,V01,,,,",), ["2:station"]),
        (("hourly,54406,PRE,R01,,0,,",), ["2:scale"]),
        (("hourly,54406,PRE,S01,,,,T",), ["2:trace"]),
        (("hourly,54406,PRE,R01,,,T,t",), ["2:trace"]),
        (("synop,54406,wind,R01,,,,",), ["2:column"]),
        (("synop,54406,rain,S01,,,,",), ["2:column"]),
        (("hourly,1,PRE,R01,,,,", "hourly,2,PRE,R01,,,,"), ["3:station"]),
        (("hourly,1,PRE,R01,,,,", "hourly,1,PRE,R02,,,,"), ["3:column"]),
    ],
)
def test_each_fault_names_its_row_and_column(
    rows: tuple[str, ...], wrong: list[str], tmp_path: Path
) -> None:
    assert loaded(tmp_path, FORMS, *rows) == wrong


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('station = "id"', "", "station"),
        ('time = ["time"]', "", "time"),
        ('zone = "Asia/Shanghai"', "", "zone"),
        ('zone = "Asia/Shanghai"', 'zone = "Beijing"', "zone"),
        ('zone = "Asia/Shanghai"', 'zone = "../etc/passwd"', "zone"),
        ("%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M %p", "time_form"),
        ("%Y-%m-%d %H:%M", "%Y-%m", "time_form"),
        ("%Y-%m-%d %H:%M", "%Y-%m-%d %m", "time_form"),
        ('files = "*.csv"', 'files = "in/*.csv"', "files"),
        ('files = "*.csv"', 'files = "*.csv"\nseparator = "ab"', "separator"),
        ('files = "*.csv"', 'files = "*.csv"\nmissing = ["9"]\ntrace = ["9"]', "trace"),
    ],
)
def test_each_fault_of_a_form_is_named(old: str, new: str, wrong: str, tmp_path: Path) -> None:
    forms = FORMS.replace(old, new, 1)
    assert forms != FORMS
    assert loaded(tmp_path, forms, "hourly,54406,PRE,R01,,,,") == [f"0:form.hourly.{wrong}"]


def test_rows_without_a_file_of_forms_say_what_is_missing(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "config" / "yanqing"
    copy = shutil.copytree(source, tmp_path / "yanqing")
    (copy / "weather.csv").write_text(HEAD + "hourly,54406,PRE,R01,,,,\n")
    with pytest.raises(ConfigError) as e:
        load(copy)
    assert [(p.file, p.row) for p in e.value.problems] == [("weather.toml", 0)]
