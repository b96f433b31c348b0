"""SciPy's statistics, which ours are held against. They take a second to load, in every process that
collects the tests: so they are loaded by the first test that asks."""

from functools import cache
from importlib import import_module
from typing import Any


@cache
def stats() -> Any:
    return import_module("scipy.stats")
