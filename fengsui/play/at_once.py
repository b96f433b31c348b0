"""Storms played on as many cores as there are."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from simulators.scenario import Scenario

_T = TypeVar("_T")


def at_once(work: Callable[[Scenario], _T], storms: Sequence[Scenario]) -> Iterator[_T]:
    """What `work` makes of each storm, in the order given. work: a function that can be pickled."""
    workers = min(len(storms), os.cpu_count() or 1)
    if workers < 2:
        yield from map(work, storms)
        return
    # a new interpreter each: a fork of a process with threads may hang
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, storms)
