"""Fixtures that several test files share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from console.auth import hashing

pytest_plugins = ["tests.support.servers", "tests.support.servers_carriers", "tests.support.backups"]

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real measurements; its tests are skipped where it is not."""
    folder = Path(os.environ.get("FENGSUI_DATA", ROOT.parent / "shared" / "data"))
    if not folder.exists():
        pytest.skip(f"real measurements are not here: set FENGSUI_DATA (looked in {folder})")
    return folder


@pytest.fixture(scope="session", autouse=True)
def passwords_at_a_small_cost() -> Iterator[None]:
    """argon2id with little memory: what is tested is never what a hash costs."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(hashing, "_hasher", cheap)
        patch.setattr(hashing, "_nobody", hashing._of_nobody(cheap))
        yield
