"""What tests remember of a district's folder is what reading it again would give, and nobody else's."""

import os
import shutil
from pathlib import Path

from config.load import read
from tests.support.read_once import remembering

ROOT = Path(__file__).parents[2]


def test_an_unchanged_folder_is_read_no_third_time_and_each_has_its_own(tmp_path: Path) -> None:
    folder, asked = tmp_path / "d", list[Path]()
    shutil.copytree(ROOT / "config" / "yanqing", folder)

    def counted(where: Path) -> object:
        asked.append(where)
        return read(where)

    once = remembering(counted)
    found = [once(folder)[0] for _ in range(4)]
    assert len(asked) == 2
    assert all(d == found[0] and d is not found[0] for d in found[1:])
    found[2].areas.clear()
    assert found[3].areas
    assert once(folder)[0] == found[0]
    assert len(asked) == 2


def test_a_changed_folder_is_read_anew(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    shutil.copytree(ROOT / "config" / "yanqing", folder)
    once = remembering(read)
    before = [once(folder)[0] for _ in range(3)][-1]
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text().replace("lateness_s = ", "lateness_s = 1"))
    after, problems = once(folder)
    assert (after is None) == bool(problems)
    assert after is None or after.rules_version != before.rules_version
    os.mkfifo(folder / "map.pmtiles")  # which is not waited for
    assert once(folder)[1]


def test_a_folder_that_is_not_there_is_told_as_ever(tmp_path: Path) -> None:
    once = remembering(read)
    assert [once(tmp_path / "none") for _ in range(3)] == [read(tmp_path / "none")] * 3
