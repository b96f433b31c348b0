"""In which order several processes take the tests: what takes long begins first, so that no process
waits at the end for one that has just begun a whole storm.

pytest-xdist (`--dist worksteal`) gives each process an equal share of the list, and who is done takes from
the end of another's. So the share of each begins with files that need servers, a browser or a whole line,
dealt out by how long they take, and short tests stand behind them. A file stays together: what it has
set up for all its tests is set up once.
"""

import gc
from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

import pytest

from tests.support.tiers import tier_of

T = TypeVar("T")
# about how much longer one takes than a test of the tier unit, in its seconds
_LONG = {"storm": 20, "servers": 3, "browser": 2}


def dealt(files: Sequence[tuple[Sequence[T], int]], workers: int) -> list[T]:
    """files: the tests of each, and how long they take together (0: short). Gives all tests, in the shares
    that `--dist worksteal` makes of the list."""
    many = sum(len(tests) for tests, _ in files)
    long: list[tuple[int, list[T]]] = [(0, []) for _ in range(workers)]
    for tests, weight in sorted((f for f in files if f[1]), key=lambda f: -f[1]):
        least = min(range(workers), key=lambda n: long[n][0])
        long[least] = long[least][0] + weight, [*long[least][1], *tests]
    short = [test for tests, weight in files if not weight for test in tests]
    found: list[T] = []
    for n, (_, head) in enumerate(long):
        room = max(0, (many - len(found)) // (workers - n) - len(head))
        found += [*head, *short[:room]]
        del short[:room]
    return found + short


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        files = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
        items[:] = dealt(
            [(f, sum(_LONG.get(i.stash[tier_of], 0) for i in f)) for f in files], workers
        )


def pytest_collection_finish() -> None:
    """What all test files have loaded stays: no collection of garbage looks through it again."""
    gc.collect()
    gc.freeze()
