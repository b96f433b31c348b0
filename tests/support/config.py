"""What several tests use, by the one it was written for: config."""

import csv
import shutil
from pathlib import Path

import pytest

from config.load import ConfigError, load

ROOT = Path(__file__).parents[2]
YANQING = ROOT / "config" / "yanqing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YANQING, tmp_path / "yanqing"))


def problems(folder: Path) -> list[tuple[str, int, str]]:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert str(caught.value)
    return [(p.file, p.row, p.column) for p in caught.value.problems]


def cells(folder: Path, name: str) -> list[list[str]]:
    with (folder / name).open(encoding="utf-8", newline="") as f:
        return list(csv.reader(f))


def put(folder: Path, name: str, rows: list[list[str]]) -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows(rows)


def spoil(folder: Path, name: str, row: int, column: str, value: str) -> None:
    rows = cells(folder, name)
    rows[row - 1][rows[0].index(column)] = value
    put(folder, name, rows)
