"""sparkplug.csv: what `fengsui check` says of it."""

import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load

HEAD = "group,edge,device,metric,station,quantity,scale,offset,user\n"
GOOD = "Valley,Edge-1,RTU 1,Level,S01,,,,"


def loaded(folder: Path, *rows: str) -> list[str]:
    """The problems, as `row:column`."""
    source = Path(__file__).parents[2] / "config" / "yanqing"
    copy = shutil.copytree(source, folder / "yanqing")
    (copy / "sparkplug.csv").write_text(HEAD + "\n".join(rows) + "\n")
    try:
        found = load(copy)
    except ConfigError as e:
        assert {p.file for p in e.problems} == {"sparkplug.csv"}
        return [f"{p.row}:{p.column}" for p in e.problems]
    assert len(found.sparkplug) == len(rows)
    return []


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ((GOOD, "Valley,Edge-1,RTU 1,Battery/Charge,S01,battery,100,0,"), []),
        ((GOOD, "Valley,Edge-2,,Level,S02,,0.01,521,e2"), []),
        (("Valley,Edge-1,RTU 1,Level,X9,,,,",), ["2:station"]),
        (("Valley,Edge-1,RTU 1,Level,V01,,,,",), ["2:station"]),
        (("Val/ley,Edge-1,RTU 1,Level,S01,,,,",), ["2:group"]),
        (("STATE,Edge-1,RTU 1,Level,S01,,,,",), ["2:group"]),
        (("Valley,Edge#,RTU 1,Level,S01,,,,e1",), ["2:edge"]),
        (("Valley,Edge-1,+,Level,S01,,,,",), ["2:device"]),
        (("Valley,Edge-1, RTU,,S01,,,,",), ["2:metric"]),
        (("Valley,Edge-1,RTU 1,Level,S01,,0,,",), ["2:scale"]),
        (("Valley,Edge one,RTU 1,Level,S01,,,,",), ["2:user"]),
        (("Valley,Edge-1,RTU 1,Level,S01,,,,carrier",), ["2:user"]),
        ((GOOD, GOOD), ["3:metric"]),
        ((GOOD, "Valley,Edge-1,RTU 1,Other,S02,,,,e2"), ["3:user"]),
        ((GOOD, "Ridge,Edge-1,RTU 1,Level,S02,,,,"), ["3:user"]),
        ((GOOD, "Valley,Edge-1,RTU 2,Level,S01,,,,"), ["3:station"]),
        (("Valley,Edge-1,,Rain,R01,,,,", "Valley,Edge-1,,Rain 2,R01,,,,"), ["3:metric"]),
    ],
)
def test_each_fault_names_its_row_and_column(
    rows: tuple[str, ...], wrong: list[str], tmp_path: Path
) -> None:
    assert loaded(tmp_path, *rows) == wrong


@pytest.mark.parametrize(("host", "good"), [("fengsui", True), ("a/b", False), ("+", False)])
def test_the_id_of_a_primary_host(host: str, good: bool, tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "config" / "yanqing"
    copy = shutil.copytree(source, tmp_path / "yanqing")
    head = (copy / "district.toml").read_text()
    (copy / "district.toml").write_text(f'sparkplug_host = "{host}"\n{head}')
    if good:
        assert load(copy).sparkplug_host == host
    else:
        with pytest.raises(ConfigError, match="sparkplug_host"):
            load(copy)
