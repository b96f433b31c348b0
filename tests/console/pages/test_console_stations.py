"""The page Stations and nodes: who reports and how well, dead letters, charts over hours to years."""

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.records.level import Level
from config.records.quantity import QUANTITIES
from console.model.cap_sources import Outside, outside
from console.model.health import Health
from console.model.trail import Trail
from console.model.view import View
from console.pages.stations import BINS, chart, letters, parts
from fengsui.run.setup import Setup
from ingest.observation import CapIn, CapSays, Flag, Observation, Observations
from stream.history.open import open_history
from stream.history.port import Point
from stream.log.port import Log, Out
from stream.records import Record, Tick, encode
from tests.support.console_door import Caller
from tests.support.console_pages import AXE, Desk, Seat, sync_api
from tests.support.console_stations import letter
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.examples import examples
from tests.support.flags import quality

pytestmark = pytest.mark.usefixtures("here")

HOUR = 60 * MIN


def reading(minute: float, station: str = "R01", **more: object) -> Observation:
    fields = {"quantity": "rain", "value": 5, **more}
    return Observation(station=station, observed_at=T0 + round(minute * MIN), **fields)  # type: ignore[arg-type]


def row(now_min: float, *items: Observation, station: str = "R01") -> dict[str, object]:
    trail = Trail()
    trail.take(Observations.of("g", T0, items), View())
    return parts(yanqing(), View(), trail, T0 + round(now_min * MIN))["health"].get(station, {})


def test_flags_and_the_share_that_came_are_of_the_last_day() -> None:
    every = yanqing().stations["R01"].interval_s / 60
    due = [n * every for n in range(1, round(120 / every))]
    assert row(120, *[reading(m) for m in due])["share"] > 0.95
    half = row(120, *[reading(m) for m in due[::2]])
    assert 0.4 < half["share"] < 0.6
    flagged = row(
        5, reading(1), reading(2, flag=Flag.SUSPECT, test="spike"), reading(3, flag=Flag.FAIL)
    )
    assert (flagged["count"], flagged["suspect"], flagged["failed"]) == (3, 1, 1)
    old = row(26 * 60, reading(1, flag=Flag.FAIL, test="range"), reading(26 * 60 - 1))
    assert (old["failed"], old["test"]) == (0, "")


def test_what_came_in_a_burst_makes_up_for_no_silence() -> None:
    """A gauge that tips each half minute for eleven minutes of an hour, and then nothing for 69."""
    burst = [reading(m / 2) for m in range(22)]
    assert row(80, *burst)["share"] < 0.3
    assert row(11, *burst)["share"] == 1
    # who is a little early or late each time has missed nothing
    every = yanqing().stations["R01"].interval_s / 60
    uneven = [reading(n * every + (0.9 if n % 2 else 0.1)) for n in range(round(240 / every))]
    assert row(240 - every, *uneven)["share"] > 0.85
    day = [reading(n * every) for n in range(round(24 * 60 / every))]
    assert 0.9 < row(24 * 60 + 69, *day)["share"] < 0.97


def test_a_row_ages_without_a_record() -> None:
    trail = Trail()
    trail.take(Observations.of("g", T0, [reading(1)]), View())
    share = [
        parts(yanqing(), View(), trail, T0 + h * HOUR)["health"]["R01"]["share"] for h in (0, 3, 9)
    ]
    assert share == sorted(share, reverse=True)
    assert share[-1] < share[0]


def test_a_calibration_counts_for_its_days_and_one_of_the_future_never() -> None:
    station = msgspec.structs.replace(
        yanqing().stations["R01"], calibrated="2025-06-01", calibrate_days=100
    )
    days = {d: station.overdue(date(2025, *d)) for d in ((5, 31), (6, 1), (9, 9), (9, 10), (9, 12))}
    assert list(days.values()) == [-1, 0, 0, 1, 3]
    assert msgspec.structs.replace(station, calibrated="").overdue(date(2099, 1, 1)) == 0


def test_dead_letters_are_counted_at_their_station_and_show_no_payload() -> None:
    health = Health()
    for topic in ("fengsui/live/yanqing/station/R01/rain", "fengsui/live/yanqing/node/N001/status"):
        health.take(letter(topic))
    health.take(letter("alerts/0/17"))
    assert health.dead == {"R01": 1, "N001": 1}
    shown = letters(health)
    assert len(shown) == 3
    assert "MTM4" not in json.dumps(shown)


points = st.lists(
    st.tuples(st.integers(0, 400 * 24 * 60), st.integers(0, 500), st.sampled_from([1, 3, 4])),
    max_size=60,
)


@examples()
@given(points, st.integers(1, 400 * 24))
def test_a_chart_keeps_the_sum_and_the_extremes_whatever_its_width(
    some: list[tuple[int, int, int]], hours: int
) -> None:
    end = T0 + 400 * 24 * HOUR
    mine = [(m, v, f) for m, v, f in some if T0 + m * MIN >= end - hours * HOUR]
    good = [v for _, v, f in mine if f != Flag.FAIL]
    for quantity in ("rain", "stage"):
        made = [Point("R01", quantity, T0 + m * MIN, 0, v, f) for m, v, f in mine]
        data = chart(made, quantity, end - hours * HOUR, end)
        assert len(data["at"]) <= BINS + 2
        assert data["at"] == sorted(set(data["at"]))
        amount = QUANTITIES[quantity].amount
        if quantity == "rain":
            assert sum(data["value"]) == pytest.approx(amount(sum(good)), abs=0.01)
        elif good:
            assert max(data["value"]) == pytest.approx(amount(max(good)))
            assert min(data["low"]) == pytest.approx(amount(min(good)))


def test_a_day_of_rain_runs_from_eight_to_eight() -> None:
    eight = (T0 // (24 * HOUR) + 1) * 24 * HOUR  # 08:00 in Beijing
    made = [Point("R01", "rain", eight, 0, 10, 1), Point("R01", "rain", eight + 1, 0, 20, 1)]
    data = chart(made, "rain", eight - 366 * 24 * HOUR, eight + HOUR)
    assert data["step_min"] == 1440
    assert data["value"] == [1.0, 2.0]
    assert data["at"][1] == eight // 1000


def test_what_is_no_station_and_no_time_is_refused(desk: Desk) -> None:
    caller = Caller(desk.address)
    assert caller.ask("GET", "/api/history/R01")[0] == 401
    assert caller.ask("GET", "/api/dead")[0] == 401
    caller.enter("screen")
    assert caller.ask("GET", "/api/history/R99")[0] == 404
    for hours in ("0", "-1", "x", "9999999999"):
        assert caller.ask("GET", f"/api/history/R01?hours={hours}")[0] == 422


FROM_OUTSIDE = CapIn(
    source="weather", sender="cma@weather.example", identifier="W1", sent_at=T0, msg_type="alert",
    received_at=T0 + 40 * MIN, expires_at=T0 + 240 * MIN, ref="0" * 64, signed=True,
    says=(CapSays(area="A01", hazard="flash_flood", level=Level.RED),), headline="暴雨红色预警",
    deviations=("info severity: 'severe': 按 read as Severe",),
)  # fmt: skip


def test_a_message_of_another_authority_counts_once_with_what_deviates() -> None:
    found = Outside()
    for _ in range(4):  # it stands in every partition
        found.take(FROM_OUTSIDE)
    found.take(msgspec.structs.replace(FROM_OUTSIDE, identifier="W2", ref="1" * 64, deviations=()))
    said = outside(yanqing(), found)
    (row,) = [r for r in said["sources"] if r["id"] == "weather"]
    assert (row["count"], row["deviating"], row["at"]) == (2, 1, T0 + 40 * MIN)
    assert [m["identifier"] for m in said["messages"]] == ["W2", "W1"]
    assert said["messages"][1]["deviations"] == list(FROM_OUTSIDE.deviations)


@pytest.fixture
def years(setup: Setup, log: Log) -> Path:
    """Three years of rain in history, a dead letter, a loudspeaker without mains."""
    history = open_history(setup.history, setup.run.name, setup.district.id)
    history.write(
        [
            Point("R01", "rain", T0 - d * 24 * HOUR + h * HOUR, 0, (d * h) % 40, 1)
            for d in range(1, 1100, 2)
            for h in range(0, 24, 6)
        ]
        + [Point("R01", "rain", T0 + m * MIN, 0, 20, 1) for m in range(40)],
        [],
    )
    history.close()
    said = [
        Observation(station="N001", quantity=q, observed_at=T0 + 39 * MIN, value=v)
        for q, v in (("battery", 220), ("mains", 0), ("door", 1), ("self_test", 1))
    ]
    late: list[Record] = [
        Observations.of("g", T0 + 40 * MIN, [reading(39.5, flag=Flag.SUSPECT, test="extreme")]),
        Observations.of("g", T0 + 40 * MIN, said),
        Tick(clock_at=T0 + 40 * MIN),
    ]
    log.append([Out("observations", "x", encode(r)) for r in late])
    parts = range(log.topics["observations"].partitions)
    log.append([Out("observations", "cap", encode(FROM_OUTSIDE), p) for p in parts])
    topic = "fengsui/exercise-pages/yanqing/station/R02/rain"
    log.append([Out("dead-letters", "x", encode(letter(topic)))])
    return setup.folder


def test_what_is_to_be_looked_at_stands_first_and_charts_go_back_years(
    seat: Seat, years: Path
) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/stations")
    expect(page.locator("[data-row]").first).to_contain_text("静默")
    expect(page.locator("[data-row=R01]")).to_contain_text("可疑 1")
    expect(page.locator("[data-row=R02]")).to_contain_text("坏数据 1")
    expect(page.locator("[data-row=R17]")).to_contain_text("检定过期 71 天")
    page.locator("[data-station=R01]").click()
    expect(page.locator(".detail")).to_contain_text("最近检定 2025-04-08，有效 365 天")
    expect(page.locator(".years canvas")).to_be_visible()
    expect(page.locator(".years")).to_contain_text("43 个读数")
    seat.shot("stations")
    for hours, words in ((8784, "每 1 天合计"), (43920, "每 7 天合计")):
        page.locator(f"[data-hours='{hours}']").click()
        expect(page.locator(".chart-words")).to_contain_text(words)
    seat.shot("stations-years")
    page.locator("[data-tab=nodes]").click()
    first = page.locator("[data-row=N001]")
    expect(first).to_contain_text("停电，电量 22%")
    expect(first).to_contain_text("箱门开")
    page.locator("[data-station=N001]").click()
    expect(page.locator(".detail")).to_contain_text("这段时间没有数据")
    seat.shot("stations-nodes")
    page.locator("[data-tab=dead]").click()
    expect(page.locator("[data-letter=bad_value]")).to_contain_text("station/R02/rain")
    page.locator("#station-text").fill("R01")
    expect(page.locator("[data-letter]")).to_have_count(0)
    seat.shot("stations-dead")


def test_what_another_authority_sent_shows_with_what_deviates(seat: Seat, years: Path) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/stations")
    page.locator("[data-tab=outside]").click()
    expect(page.locator("[data-message=W1]")).to_contain_text("暴雨红色预警")
    expect(page.locator("[data-message=W1] td.bad")).to_contain_text("severity")
    expect(page.locator("[data-message]")).to_have_count(1)
    page.locator("#station-text").fill("zzz")
    expect(page.locator("[data-message]")).to_have_count(0)
    seat.shot("stations-outside")


def test_what_is_wrong_with_a_station_and_what_to_do_shows_until_it_is_over(
    seat: Seat, log: Log
) -> None:
    expect, words = sync_api.expect, "少收：半堵、倾斜或遮挡；去清洗、调平"
    page = seat.enter("screen", "/#/stations")
    log.append([Out("cases", "A03", encode(quality("R03 rain: undercatch")))])
    expect(page.locator("[data-row=R03]")).to_contain_text(words)
    page.locator("[data-station=R03]").click()
    expect(page.locator(".detail")).to_contain_text(words)
    log.append([Out("cases", "A03", encode(quality("R03 rain: undercatch over")))])
    expect(page.locator("[data-row=R03]")).not_to_contain_text("少收")


def test_a_battery_that_falls_shows_without_a_reload(seat: Seat, log: Log) -> None:
    expect = sync_api.expect
    page = seat.enter("screen", "/#/stations")
    page.locator("[data-tab=nodes]").click()
    expect(page.locator("[data-row=N002]")).not_to_contain_text("电量")
    said = [Observation(station="N002", quantity="battery", observed_at=T0 + 40 * MIN, value=110)]
    log.append([Out("observations", "x", encode(Observations.of("g", T0 + 40 * MIN, said)))])
    expect(page.locator("[data-row=N002]")).to_contain_text("电量 11%")


@pytest.mark.parametrize("tab", ["stations", "nodes", "outside", "dead"])
def test_axe_finds_no_serious_fault_in_stations(
    browser: "sync_api.Browser", desk: Desk, years: Path, tab: str
) -> None:
    own = Seat(browser, desk, bypass_csp=True)
    page = own.enter("screen", "/#/stations")
    page.locator(f"[data-tab={tab}]").click()
    page.locator("[data-row=N001], [data-row=R01], [data-message], [data-letter]").first.wait_for()
    page.locator(".detail h2").wait_for()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")
    own.context.close()
    bad = [v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")]
    assert bad == []


def test_on_a_phone_nothing_scrolls_sideways(
    browser: "sync_api.Browser", desk: Desk, years: Path
) -> None:
    own = Seat(browser, desk)
    own.page.set_viewport_size({"width": 390, "height": 844})
    page = own.enter("screen", "/#/stations")
    rows = {
        "stations": "[data-row=R01]",
        "nodes": "[data-row=N001]",
        "outside": "[data-message]",
        "dead": "[data-letter]",
    }
    for tab, there in rows.items():
        page.locator(f"[data-tab={tab}]").click()
        page.locator(there).first.wait_for()
        page.locator(".detail h2").wait_for()
        own.shot(f"stations-390-{tab}")
        wide = page.evaluate(
            "[document.documentElement, ...document.querySelectorAll('main, main section, main div')]"
            ".filter((e) => e.scrollWidth > Math.max(e.clientWidth, 1) + 1"
            " && getComputedStyle(e).overflowX !== 'visible' || e.getBoundingClientRect().right > 391)"
            ".map((e) => `${e.tagName}.${e.className} ${e.scrollWidth}>${e.clientWidth}`)"
        )
        assert (tab, wide) == (tab, [])
    own.context.close()


def test_a_station_is_put_in_service_and_back_on_its_page(seat: Seat, desk: Desk, log: Log) -> None:
    parts = range(desk.setup.district.partitions)
    log.append([Out("observations", "x", encode(desk.setup.run), part) for part in parts])
    page, expect = seat.enter("zhao", "/#/stations"), sync_api.expect
    page.locator("#station-text").fill("R28")
    page.locator("[data-station=R28]").click()
    page.get_by_text("维护：暂不研判").click()
    page.locator("#service-reason").fill("滴定校准")
    page.locator("[data-serve=R28]").click()
    expect(page.locator("[data-service=R28]")).to_contain_text("D-02")
    expect(page.locator("[data-row=R28]")).to_contain_text("维护至")
    seat.shot("service")
    page.locator("[data-back=R28]").click()
    expect(page.locator("[data-service=R28]")).to_have_count(0)
    served = [x.detail for x in desk.users.noted() if x.what == "service"]
    assert [d.split(" ")[1] for d in served] == ["120", "0"]
    for part in parts:
        kept = [e for e in log.read("observations", part, 0) if b'"service"' in e.value]
        assert len(kept) == 2
    watching = Seat(seat.context.browser, desk)
    page = watching.enter("screen", "/#/stations")
    page.locator("[data-station=R28]").click()
    expect(page.locator("[data-serve]")).to_have_count(0)
    watching.context.close()
