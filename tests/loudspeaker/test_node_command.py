"""The command of a loudspeaker's box: its first start, and the later ones."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from config.language import text_of
from loudspeaker.command import node
from stream.environment import Usage


def test_a_start_without_root_asks_its_folder_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first start names the root; where the folder knows none either, it says what to do."""
    monkeypatch.setenv("PATH", "")  # no voice either: that is told, and a later start goes on
    words = ["--id", "N001", "--sink", str(tmp_path / "wav"), "--broker", "mqtt://127.0.0.1:1"]
    done = CliRunner().invoke(node, [*words, "--folder", str(tmp_path / "node")])
    assert isinstance(done.exception, Usage)
    told = text_of(done.exception)
    assert told.zh.endswith("尚未设置：首次启动时给 --root root.pub")
    assert told.en.endswith("not set up: give --root root.pub at the first start")
