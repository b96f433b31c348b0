"""Every test has one tier and a place: it stands in a folder that mirrors what it tests, and needs no more
than its tier gives."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import compiled, tiers

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "stream", "ingest", "detectors", "dispatch", "skill", "simulators", "console",
            "loudspeaker", "fengsui", "deploy")  # fmt: skip
# what a real server, a whole line, several adapters of one port or the house itself is asked
APART = ("servers", "storms", "contracts", "tidy")
# several rooms of a package under one subject
SUBJECTS = {"console": {"door"}, "detectors": {"rules"}}
HELPERS = ("support", "fuzz", "golden", "districts")


def test_every_test_has_exactly_one_tier(request: pytest.FixtureRequest) -> None:
    wrong = []
    for item in request.config.stash[tiers.collected]:
        marks = {m.name for m in item.iter_markers()} & set(tiers.TIERS)
        if marks != {item.stash[tiers.tier_of]}:
            wrong.append(f"{item.nodeid}: {sorted(marks)}")
    assert not wrong, "\n".join(wrong)


def test_a_test_of_the_unit_tier_that_starts_a_program_is_heard() -> None:
    with pytest.raises(FileNotFoundError):
        subprocess.run(["no-such-broker", "--port", "1"])
    try:
        assert tiers.started == ["no-such-broker"]
    finally:
        tiers.started.clear()


def test_a_library_that_asks_for_an_optional_program_goes_on_without_it() -> None:
    """matplotlib asks fc-list for fonts when it is first used on a machine: that is no need of the test."""
    library = compile(
        "import subprocess\n"
        "def fonts():\n"
        "    try:\n"
        "        return subprocess.check_output(['sh', '-c', 'echo some'])\n"
        "    except OSError:\n"
        "        return b'none'\n",
        "/venv/lib/python3/site-packages/fonts.py",
        "exec",
    )
    there: dict[str, Callable[[], bytes]] = {}
    exec(library, there)
    assert there["fonts"]() == b"none"
    assert tiers.started == []


def test_every_test_file_stands_in_a_folder_that_mirrors_what_it_tests() -> None:
    wrong = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        folders = path.relative_to(ROOT / "tests").parts[:-1]
        if path.name == "conftest.py" or (folders and folders[0] in HELPERS):
            continue
        if not path.name.startswith("test_") or not folders:
            wrong.append(f"{path}: a test file stands in a folder")
        elif folders[0] not in (*PACKAGES, *APART):
            wrong.append(f"{path}: no package or tier is called {folders[0]}")
        elif len(folders) > 1 and not (
            (ROOT / Path(*folders)).is_dir() or folders[1] in SUBJECTS.get(folders[0], ())
        ):
            wrong.append(f"{path}: {folders[0]} has no room {folders[1]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_what_is_compiled_once_between_processes_is_compiled_by_one_of_them(workers: int) -> None:
    whole = [*compiled.sources(), *compiled.tests(["tests"], ROOT)]
    shares = [compiled.share(whole, f"gw{n}", workers) for n in range(workers)]
    assert sorted(p for s in shares for p in s) == sorted(whole)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert {ROOT / "config" / "load.py", Path(__file__), Path(compiled.__file__)} <= {*whole}
    assert compiled.tests(["tests/tidy/test_tiers.py::test_x"], ROOT) == [Path(__file__)]
