"""Districts as they are loaded, once a process: a test changes none, it replaces parts of a copy."""

from functools import cache
from pathlib import Path

import msgspec

from config.load import load
from config.records.district import District


@cache
def yanqing() -> District:
    """The example, where the district alone releases the colours of flash floods: what two offices release
    together has tests of its own (tests/dispatch/decide/test_joint.py)."""
    d = as_it_stands()
    alone = {h: rows for h, rows in d.policy.authority.items() if h != "flash_flood"}
    return msgspec.structs.replace(d, policy=msgspec.structs.replace(d.policy, authority=alone))


@cache
def as_it_stands() -> District:
    """The example as its folder has it."""
    return load(Path(__file__).parents[2] / "config" / "yanqing")
