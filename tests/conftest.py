"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers", "tests.servers_carriers", "tests.backups"]

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real measurements; its tests are skipped where it is not."""
    folder = Path(os.environ.get("FENGSUI_DATA", ROOT.parent / "shared" / "data"))
    if not folder.exists():
        pytest.skip(f"real measurements are not here: set FENGSUI_DATA (looked in {folder})")
    return folder
