"""Acts that leave no signature are done in no officer's name without the officer's key."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fengsui.cli.root import cli
from stream.environment import Usage

PASSPHRASE = "a long enough one"
ACTS = (
    ("station", "service", "R28", "--for", "2h", "--reason", "滴定校准"),
    ("station", "back", "R28"),
    ("mandate", "grant", "--reason", "汛期"),
    ("mandate", "withdraw", "--reason", "汛期结束"),
    ("outcome", "A01", "flash_flood", "--nothing", "--start", "2025-07-26T22:10:00+08:00"),
    ("resend", "--area", "A01"),
)
act = pytest.mark.parametrize("words", ACTS, ids=lambda w: " ".join(w[:2]))


class Host:
    """One who may run the commands, with a key of K-01 on the list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mine, self.other = folder / "mine.key", folder / "other.key"
        self.public = self.say("signer", "make", "K-01", "--out", str(self.mine)).output.split()[-1]
        self.say("signer", "make", "K-02", "--out", str(self.other))
        self.say("signer", "add", "K-01", self.public)

    def say(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["--state", str(self.folder / "var"), *words])


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("FENGSUI_OFFICER_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    return Host(tmp_path)


def refused(done: Result) -> str:
    assert isinstance(done.exception, Usage), (done.output, done.exception)
    return str(done.exception)


def let_in(done: Result) -> None:
    """It was done; or only because the run has not begun, nothing was sent or nothing has happened yet
    it was not."""
    if done.exit_code:
        why = refused(done)
        assert any(x in why for x in ("has not begun", "nothing that could be", "still to come")), (
            why
        )


@act
def test_an_officers_name_alone_is_refused_and_so_is_anothers_key(
    host: Host, words: tuple[str, ...]
) -> None:
    assert "signer make K-01" in refused(host.say(*words, "--by", "K-01"))
    assert "signer list" in refused(host.say(*words, "--by", "K-01", "--key", str(host.other)))
    let_in(host.say(*words, "--by", "K-01", "--key", str(host.mine)))


@act
def test_a_key_that_was_revoked_counts_no_more_and_its_name_stays_kept(
    host: Host, words: tuple[str, ...]
) -> None:
    host.say("signer", "revoke", host.public[:10])
    assert "signer list" in refused(host.say(*words, "--by", "K-01", "--key", str(host.mine)))
    refused(host.say(*words, "--by", "K-01"))


@act
def test_who_has_no_key_on_the_list_and_an_exercise_go_by_the_name(
    host: Host, words: tuple[str, ...]
) -> None:
    (host.folder / "var" / "exercise-t").mkdir()
    for more in (("--by", "T-07"), ("--by", "K-01", "--run", "exercise-t")):
        let_in(host.say(*words, *more))
