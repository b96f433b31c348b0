"""What the processes of a test run compile, they compile once between them.

Each of them loads every test file, and with them the whole product. On a fresh checkout all would compile
the same 1,000 files at the same time, and pytest's own copies of the tests besides, which takes longer than
loading them. So each compiles and loads its share first: what it comes to afterwards lies ready. It is the
same with what Hypothesis reads out of the sources.
"""

import compileall
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


def share(of: Sequence[T], worker: str, workers: int) -> Sequence[T]:
    """worker: as pytest-xdist names it, gw0 …: what it takes of all."""
    return of[int(worker.removeprefix("gw")) % workers :: workers]


def sources() -> list[Path]:
    """The product and what tests share; test files are compiled by pytest, in its own way."""
    rooms = [p.parent for p in ROOT.glob("*/__init__.py")]
    found = (p for room in (*rooms, ROOT / "tests" / "support") for p in room.rglob("*.py"))
    return sorted(p for p in found if "node_modules" not in p.parts)


def tests(asked: Sequence[str], root: Path) -> list[Path]:
    """The test files of what stands on the command line."""
    places = [root / name.partition("::")[0] for name in asked]
    found = {
        p for place in places for p in (place.rglob("test_*.py") if place.is_dir() else [place])
    }
    return sorted(found)


def read_for_hypothesis(files: Sequence[Path]) -> None:
    """Hypothesis tries numbers and words that stand in the sources of what is loaded, and keeps what it has
    read in a file for each of them (.hypothesis). Where it has changed what we ask for here, each process
    reads them all by itself, as it does without us."""
    with suppress(Exception):
        from hypothesis.internal.constants_ast import constants_from_module

        for path in files:
            module = ModuleType(path.stem)
            module.__file__ = str(path)
            constants_from_module(module)


def _prepare(config: pytest.Config, worker: str, workers: int) -> None:
    for path in share(sources(), worker, workers):
        compileall.compile_file(path, quiet=2)
    product = [p for p in sources() if "tests" not in p.relative_to(ROOT).parts]
    read_for_hypothesis(share(product, worker, workers))
    for path in share(tests(config.args, config.rootpath), worker, workers):
        # what cannot be loaded is told where it is collected
        with suppress(Exception, pytest.skip.Exception):
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """While the tests are loaded nothing of them is garbage, and none is looked for."""
    ours = getattr(session.config, "workerinput", None)
    gc.disable()
    try:
        if ours is not None and not sys.dont_write_bytecode:
            _prepare(session.config, ours["workerid"], ours["workercount"])
        return (yield)
    finally:
        gc.enable()
