"""Fixtures that several test files share. It loads nothing of the product: a test of one module loads
that module alone."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.support.examples",  # before Hypothesis looks for the profile that the command line names
    "tests.support.tiers",
    "tests.support.compiled",
    "tests.support.order",
    "tests.support.leftovers",
    "tests.support.closing",
    "tests.support.read_once",
    "tests.support.played",
    "tests.support.servers",
    "tests.support.servers_carriers",
    "tests.support.sip",
    "tests.support.modem",
    "tests.support.power_cut",
]

ROOT = Path(__file__).parent.parent
# a test of the command reads what is printed in both languages, unless it asks for one of them
os.environ.setdefault("FENGSUI_LANG", "both")
# there is a process for every core already: threads of the linear algebra would only wait for each other
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# what tests write is gone after them: where memory has room for it, none of them waits for a disk
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real measurements; its tests are skipped where it is not."""
    folder = Path(os.environ.get("FENGSUI_DATA", ROOT.parent / "shared" / "data"))
    if not folder.exists():
        pytest.skip(f"real measurements are not here: set FENGSUI_DATA (looked in {folder})")
    return folder


@pytest.fixture(scope="session", autouse=True)
def passwords_at_a_small_cost() -> Iterator[None]:
    """argon2id with little memory, where any test knows passwords: what is tested is never what a hash
    costs."""
    hashing = sys.modules.get("console.auth.hashing")
    if hashing is None:
        yield
        return
    from argon2 import PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(hashing, "_hasher", cheap)
        patch.setattr(hashing, "_nobody", hashing._of_nobody(cheap))
        yield
