"""Many stations, a wrong clock in the browser, a log that is still being read, and the benchmark."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from bench.load.console import made, second
from console.model.follow import Follower
from console.pages import feed
from fengsui.run.run_log import open_run_log
from ingest.observation import Observation, Observations
from stream.log.port import Log
from stream.records import Tick
from stream.wall_clock import now_ms
from tests.support.console_pages import Desk, Seat, sync_api
from tests.support.decide_district import MIN, T0, yanqing

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def fast(browser: "sync_api.Browser", desk: Desk) -> Iterator[Seat]:
    """A computer whose clock is an hour fast."""
    seat = Seat(browser, desk)
    seat.page.clock.install(time=(now_ms() + 60 * MIN) / 1000)
    seat.page.clock.resume()
    yield seat
    seat.context.close()
    assert seat.faults == []


def test_a_browser_an_hour_fast_shows_the_servers_time_and_says_so(fast: Seat, log: Log) -> None:
    page = fast.enter("screen")
    expect = sync_api.expect
    expect(page.locator("#clock")).to_contain_text("本机时钟快 60 分钟")
    expect(page.locator("#clock")).to_contain_text("20:40")  # what the run's clock says
    apart = page.evaluate(
        f"async () => Math.abs((await import('/static/live.js')).now() - {now_ms()})"
    )
    assert apart < 5 * MIN


def test_the_whole_map_of_thousands_of_stations_stands_and_moves(
    browser: "sync_api.Browser",
    desk: Desk,
    log: Log,
) -> None:
    district = made(yanqing(), 5000, 100)
    desk.stop()
    desk.setup = type(desk.setup)(**{**vars(desk.setup), "district": district})
    log.append(second(district, 0, T0 + 41 * MIN, 1))
    desk.start()
    seat = Seat(browser, desk)
    page = seat.enter("screen")
    sync_api.expect(page.locator("#clock")).to_contain_text("/5000", timeout=120_000)
    sync_api.expect(page.locator("[data-area=A0000]")).to_contain_text("蓝色")
    log.append(second(district, 1, T0 + 42 * MIN, 5))
    sync_api.expect(page.locator("[data-area=A0001]")).to_contain_text("蓝色", timeout=120_000)
    seat.shot("five-thousand")
    seat.context.close()
    assert seat.faults == []


def test_before_the_log_is_read_there_is_no_picture_that_looks_quiet(
    seat_door: "tuple[Desk, str]",
) -> None:
    desk, cookie = seat_door
    found = _get(desk, "/api/snapshot", cookie)
    assert found[0] == 503
    assert "日志" in json.loads(found[1])["words"]
    assert "log" in json.loads(found[1])["en"]


@pytest.fixture
def seat_door(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, str]:
    desk.stop()
    monkeypatch.setattr(feed.Feed, "look", lambda self, follower: None)
    desk.start()
    token = desk.users.enter("screen", "a long enough one", now_ms())
    return desk, f"fengsui-{desk.setup.run.name}={token}"


def _get(desk: Desk, path: str, cookie: str) -> tuple[int, bytes]:
    line = http.client.HTTPConnection(desk.address.removeprefix("http://"), timeout=120)
    line.request("GET", path, headers={"Cookie": cookie})
    answer = line.getresponse()
    found = answer.status, answer.read()
    line.close()
    return found


def test_one_record_or_page_that_breaks_the_program_stops_no_page(
    setup, log: Log, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    broken_now: list[bool] = []

    def page(*_: object) -> dict[str, dict[str, object]]:
        if broken_now:
            raise ZeroDivisionError("19900000001")
        return {"one": {"R01": 1}}

    monkeypatch.setattr(feed, "PAGES", (page, *feed.PAGES))
    told = feed.Feed(lambda: open_run_log(setup), setup.district, setup.run, now_ms)
    told.look(Follower(log))
    broken_now.append(True)
    take, seen = told.view.take, []

    def broken(record: object) -> None:
        if isinstance(record, Observations):
            raise KeyError("A99")
        seen.append(record)
        take(record)

    monkeypatch.setattr(told.view, "take", broken)
    item = Observation(station="R01", quantity="rain", observed_at=T0, value=1)
    some = Observations.of("g", T0, [item])
    for record in (some, some, Tick(clock_at=T0 + 99 * MIN)):
        told._fold(record)
    after = told._draw()
    assert seen == [Tick(clock_at=T0 + 99 * MIN)] and told.view.clock_at == T0 + 99 * MIN
    assert after["line"]["unread"] == 3
    assert after["one"] == {"R01": 1}  # what that page last could show
    assert after["stations"]
    said = capsys.readouterr().err
    assert sum("KeyError" in line for line in said.splitlines()) == 1
    assert "ZeroDivisionError" in said
    assert "19900000001" not in said and "A99" not in said


def test_nothing_new_is_not_drawn_again_at_once(setup, log: Log) -> None:  # type: ignore[no-untyped-def]
    second_s = [100.0]
    told = feed.Feed(
        lambda: open_run_log(setup), setup.district, setup.run, now_ms, lambda: second_s[0]
    )
    while log.positions("cases", "decide") < log.ends("cases"):
        time.sleep(0.05)  # what it writes would be news
    follower = Follower(log)
    told.look(follower)
    rev = told.rev
    drawn: list[int] = []
    told._draw = lambda: drawn.append(1) or {}  # type: ignore[method-assign,func-returns-value]
    second_s[0] += feed.IDLE_S / 2
    told.look(follower)
    assert (drawn, told.rev) == ([], rev)
    second_s[0] += feed.IDLE_S
    told.look(follower)
    assert drawn, "what has only grown older is drawn anew"
    drawn.clear()
    log.append(second(made(yanqing(), 10, 2), 0, T0 + 50 * MIN, 1))
    told.look(follower)
    assert drawn


def test_the_benchmark_prints_each_figure_beside_its_aim_and_the_baseline() -> None:
    words = [sys.executable, "-m", "fengsui", "bench", "console", "--stations", "20"]
    words += ["--areas", "12", "--seconds", "3", "--browsers", "2", "--no-day"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for figure in ("page ready", "first load", "update drawn, p99", "server, of a core"):
        line = next(x for x in done.stdout.splitlines() if figure in x)
        assert "aim" in line
        assert "whole picture" in line
