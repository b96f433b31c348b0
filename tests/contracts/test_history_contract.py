"""One contract for every history: the embedded one and real InfluxDB."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.history.open import open_history
from stream.history.port import Fact, History, Point

T = 1_753_524_000_000
Open = Callable[[str], History]


@pytest.fixture(params=["sqlite", pytest.param("influx", marks=pytest.mark.servers)])
def opening(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    if request.param == "influx":
        server = request.getfixturevalue("influx_server")
        monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", server.token)
        url = server.url
    else:
        url = f"sqlite:///{tmp_path}"
    unique = uuid.uuid4().hex[:8]
    opened: list[History] = []

    def open_it(run: str = "live") -> History:
        history = open_history(url, f"{run}-{unique}", "toy")
        opened.append(history)
        return history

    yield open_it
    for history in opened:
        history.close()


def points(count: int) -> list[Point]:
    return [Point("R01", "rain", T + n * 60_000, 0, n, 1) for n in range(count)]


def test_a_series_comes_back_in_order_of_time(opening: Open) -> None:
    history = opening("live")
    history.write(points(50)[::-1], [])
    assert history.series("R01", "rain", T, T + 10**9) == points(50)


def test_the_end_of_a_range_is_outside_it(opening: Open) -> None:
    history = opening("live")
    history.write(points(10), [])
    assert history.series("R01", "rain", T + 60_000, T + 4 * 60_000) == points(10)[1:4]
    assert history.series("R02", "rain", T, T + 10**9) == []


def test_writing_again_changes_nothing_and_a_revision_replaces(opening: Open) -> None:
    history = opening("live")
    for _ in range(3):
        history.write(points(5), [])
    history.write([Point("R01", "rain", T, 0, 99, 3)], [])
    found = history.series("R01", "rain", T, T + 10**9)
    assert found == [Point("R01", "rain", T, 0, 99, 3), *points(5)[1:]]


def test_two_tips_of_one_moment_are_two(opening: Open) -> None:
    history = opening("live")
    tips = [Point("R01", "rain", T, seq, 1, 1) for seq in (7, 8)]
    history.write(tips, [])
    assert history.series("R01", "rain", T, T + 1) == tips


def test_runs_do_not_mix_and_names_are_only_names(opening: Open) -> None:
    live, exercise = opening("live"), opening("exercise")
    odd = 'a" or r.station != "'
    live.write([Point(odd, "rain", T, 0, 1, 1), *points(2)], [])
    exercise.write([Point("R01", "rain", T, 0, 5, 1)], [])
    assert [p.value for p in live.series(odd, "rain", T, T + 1)] == [1]
    assert [p.value for p in exercise.series("R01", "rain", T, T + 10**9)] == [5]


def test_facts(opening: Open) -> None:
    history = opening("live")
    body = '{"type":"alert","text":"泥石流 \\"${x}\\""}'
    facts = [
        Fact("alerts", 0, n, "alert", "A01" if n else "", T + (n // 2) * 1000, body)
        for n in range(6)
    ]
    history.write([], facts[::-1])
    history.write([], facts)
    assert history.facts("alert", T, T + 10**6) == facts
    assert history.facts("report", T, T + 10**6) == []


def test_a_history_that_is_away_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGSUI_INFLUX_TOKEN", "x")
    history = open_history("influx://127.0.0.1:9/org/bucket", "live", "toy")
    with pytest.raises(OSError, match="bucket"):
        history.write(points(1), [])
    history.close()
    monkeypatch.delenv("FENGSUI_INFLUX_TOKEN")
    with pytest.raises(ValueError, match="FENGSUI_INFLUX_TOKEN"):
        open_history("influx://127.0.0.1:9/org/bucket", "live", "toy")
    with pytest.raises(ValueError, match="sqlite"):
        open_history("mysql://x", "live", "toy")
