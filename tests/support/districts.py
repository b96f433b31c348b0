"""Districts as they are loaded, once a process: a test changes none, it replaces parts of a copy."""

from functools import cache
from pathlib import Path

from config.load import load
from config.records.district import District


@cache
def yanqing() -> District:
    return load(Path(__file__).parents[2] / "config" / "yanqing")
