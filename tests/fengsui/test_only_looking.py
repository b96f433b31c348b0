"""Commands that only look leave nothing on the disk where nothing has run yet."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from fengsui.cli.root import cli


@pytest.mark.parametrize("words", [("doctor",), ("doctor", "R01"), ("status",), ("trace", "R01")])
def test_a_fresh_state_stays_as_it_is(words: tuple[str, ...], tmp_path: Path) -> None:
    state = tmp_path / "var"
    found = CliRunner().invoke(cli, ["--state", str(state), *words])
    assert found.exit_code in (0, 1), found.output
    assert found.output
    assert not state.exists()
