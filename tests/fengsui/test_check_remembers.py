"""`fengsui check` does not play again what came as expected and has not changed since."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.load import load
from config.records.district import District
from fengsui.play import scenarios
from fengsui.play.scenarios import play_scenarios

_ROOT = Path(__file__).parents[2]
_NEAR_MISS = "near-miss"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A district with one scenario, and an empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = tmp_path / "here"
    shutil.copytree(_ROOT / "config" / "yanqing", made)
    for other in (made / "scenarios").glob("*.toml"):
        if other.stem != _NEAR_MISS:
            other.unlink()
    return made


def _verdict(district: District, *, anew: bool = False) -> tuple[bool, bool]:
    """(as expected, remembered) of the one scenario."""
    (one,) = play_scenarios(district, anew=anew)
    return not one.misses, one.remembered


def _retold(folder: Path) -> None:
    file = folder / "scenarios" / f"{_NEAR_MISS}.toml"
    text = file.read_text("utf-8")
    assert 'level = "none"' in text
    file.write_text(text.replace('level = "none"', 'level = "red"'), "utf-8")


def test_the_second_time_it_is_remembered_and_played_again_on_request(folder: Path) -> None:
    district = load(folder)
    assert _verdict(district) == (True, False)
    assert _verdict(district) == (True, True)
    assert _verdict(district, anew=True) == (True, False)
    assert _verdict(district) == (True, True)


def test_a_changed_scenario_is_judged_anew_and_a_miss_every_time(folder: Path) -> None:
    assert _verdict(load(folder)) == (True, False)
    _retold(folder)
    for _ in range(2):
        assert _verdict(load(folder)) == (False, False)


def test_a_changed_district_or_program_is_judged_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _verdict(load(folder)) == (True, False)
    with (folder / "policy.toml").open("a", encoding="utf-8") as policy:
        policy.write("\n# another word\n")
    assert _verdict(load(folder)) == (True, False)
    assert _verdict(load(folder)) == (True, True)
    monkeypatch.setattr(scenarios, "source_digest", lambda: "another build")
    assert _verdict(load(folder)) == (True, False)


class _Optimised:
    optimize = 1

    def __getattr__(self, name: str) -> object:
        return getattr(_FLAGS, name)


_FLAGS = sys.flags


def test_another_package_or_python_without_assertions_is_another_program(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow takes a scenario's pictures apart, and others do what nobody thought of."""
    assert _verdict(load(folder)) == (True, False)
    (tmp_path / "more" / "pillow-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "more")
    assert _verdict(load(folder)) == (True, False)
    assert _verdict(load(folder)) == (True, True)
    monkeypatch.setattr(sys, "flags", _Optimised())
    assert _verdict(load(folder)) == (True, False)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b"\x00 no list"),
        lambda file: file.write_bytes(b'{"near-miss": true}'),
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: file.unlink(),
        lambda file: file.chmod(0o666),  # whoever wrote it
    ],
)
def test_a_damaged_memory_is_none(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    district = load(folder)
    assert _verdict(district) == (True, False)
    (file,) = (tmp_path / "cache" / "fengsui").iterdir()
    spoil(file)
    assert _verdict(district) == (True, False)
    assert _verdict(district) == (True, True)


def test_where_nothing_can_be_kept_it_is_played(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    district = load(folder)
    assert _verdict(district) == (True, False)
    assert _verdict(district) == (True, False)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(Path, "home", _nobody)
    assert _verdict(district) == (True, False)


def _nobody() -> Path:
    raise RuntimeError("no home")
