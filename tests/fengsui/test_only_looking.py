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


@pytest.mark.parametrize(
    "words",
    [
        ("people", "link", "C-0001"), ("roll",), ("supplies", "list"), ("slo",), ("investigate",),
        ("instruct", "draft", "A01", "flash_flood"),
        ("mandate", "withdraw", "--by", "K-01", "--reason", "a test"), ("keys", "rotate"),
        ("keys", "revoke", "ab"), ("signer", "revoke", "ab"), ("contacts", "list"), ("contacts", "rotate-key"),
        ("contacts", "erase", "C-0001"), ("contacts", "export", "never.csv"), ("people", "revoke", "C-0001"),
        ("decisions",), ("report",), ("station", "list"), ("audit",), ("export", "alerts"), ("skill",),
        ("status",), ("trace", "R01"), ("doctor",), ("keys", "show"), ("signer", "list"), ("neighbours",),
        ("console", "user", "list"), ("console", "user", "reset", "duty"), ("console", "token", "list"),
        ("order", "approve", "A01", "flash_flood", "--by", "D-01", "--reason", "test"),
        ("resend", "--area", "A01", "--by", "D-01"), ("residents", "counts"),
        ("explain", "A01", "2025-07-26T20:00:00+08:00"), ("reach", "A01", "flash_flood", "red"),
        ("coverage",), ("after-action",), ("backup", "never.tar.gz"), ("signer", "desk"),
        ("signer", "add", "--desk", "a" * 64),
        ("cap-key",), ("console", "token", "add", "x", "--role", "viewer"), ("simulate",),
        ("console", "user", "add", "x", "--role", "viewer"), ("contacts", "import", __file__),
        ("mandate", "grant", "--by", "K-01", "--reason", "a test"), ("replay", __file__),
        ("bench", "night"),
    ],
)  # fmt: skip
def test_a_mistyped_exercise_makes_no_folder_and_is_told_which_there_are(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    state = tmp_path / "var"
    (state / "exercise-a").mkdir(parents=True)
    found = CliRunner().invoke(cli, ["--state", str(state), *words, "--run", "exercise-b"])
    said = f"{found.output} {found.exception}"
    assert found.exit_code != 0
    assert "exercise-b" in said and "exercise-a" in said
    assert [p.name for p in state.iterdir()] == ["exercise-a"]


def test_what_may_come_before_the_first_start_says_so(tmp_path: Path) -> None:
    words = ["--state", str(tmp_path), "cap-key", "--run", "exercise-b"]
    found = CliRunner().invoke(cli, words)
    assert "--before-start" in f"{found.exception}"
    found = CliRunner().invoke(cli, [*words, "--before-start"])
    assert found.exit_code == 0, found.output
    assert [p.name for p in tmp_path.iterdir()] == ["exercise-b"]


def test_what_a_group_lists_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_LANG", "en")
    for group in ("instruct", "people", "contacts", "bench"):
        found = CliRunner().invoke(cli, [group, "--help"], terminal_width=80)
        assert "..." not in found.output.partition("Options:")[2], found.output


def test_no_usage_line_breaks_a_word() -> None:
    for _ in range(2):  # a command is dressed each time that it is called
        found = CliRunner().invoke(cli, ["instruct", "draft", "--help"], terminal_width=80)
        assert "AREA HAZARD\n" in found.output
        assert found.output.count("reservoir_release") == 1
