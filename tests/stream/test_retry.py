"""The wait before what is away is asked again."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Text
from stream.pace.retry import Retry
from tests.support.examples import examples


class Recorded(threading.Event):
    """Waits for nothing, and knows for how long it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        return self.is_set()


@examples(200)
@given(
    first_s=st.sampled_from([0.5, 1.0]),
    most_s=st.sampled_from([5.0, 60.0]),
    failed=st.lists(st.booleans(), max_size=60),
)
def test_waits_double_up_to_the_limit_and_begin_again_after_an_answer(
    first_s: float, most_s: float, failed: list[bool]
) -> None:
    stop = Recorded()
    retry, asked, in_a_row = Retry("archive", stop, first_s, most_s), [], 0
    for failure in failed:
        if failure:
            assert not retry.wait("away")
            asked.append(min(first_s * 2**in_a_row, most_s))
            in_a_row += 1
        else:
            retry.answered()
            in_a_row = 0
    assert stop.waits == asked


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", "fengsui ledger: 日志不在；3600 秒后再试\n"),
        ("en", "fengsui ledger: the log is away; trying again in 3600 s\n"),
    ],
)
def test_each_wait_says_why_and_a_stop_ends_it(
    language: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FENGSUI_LANG", language)
    stop = threading.Event()
    stop.set()
    retry = Retry("ledger", stop, first_s=3600.0, most_s=3600.0)
    assert retry.wait(Text("日志不在", "the log is away"))  # it comes back at once
    assert capsys.readouterr().err == told


def test_a_server_of_the_line_is_asked_again_within_five_seconds_and_the_journal_is_not_filled(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Kafka was away for an hour: whoever waits for it comes back within 5 s of it."""
    stop = Recorded()
    retry = Retry("decide", stop, 0.5)
    while sum(stop.waits) < 3600:
        retry.wait(Text("日志不在", "the log is away"))
    assert max(stop.waits) == 5.0
    assert capsys.readouterr().err.count("\n") < 3600 / 30 + 6
