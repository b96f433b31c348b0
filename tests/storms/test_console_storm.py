"""A storm from its first rain to the final report, by two people at two browsers, with the stages detect,
decide and address behind them. The test is the sky and the carriers, and it moves the clock."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from console.model.follow import Follower
from dispatch.records import Delivery, Receipt
from fengsui.run.processes import run_stage
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import Setup
from ingest.observation import Observation, Observations
from stream.log.port import Log, Out
from stream.records import Record, Tick, encode
from tests.support.console_pages import Desk, Seat, sync_api
from tests.support.decide_district import MIN, T0, run

pytestmark = pytest.mark.usefixtures("here")

TOPICS = ("observations", "cases", "alerts", "deliveries")
STAGES = ("address", "decide", "detect")
GAP_MIN = 10


@pytest.fixture
def log(setup: Setup) -> Iterator[Log]:
    setup.folder.mkdir(parents=True)
    log = open_run_log(setup)
    stop, threads = threading.Event(), []
    for name in STAGES:
        ready = threading.Event()
        threads.append(threading.Thread(target=run_stage, args=(name, setup, stop, ready)))
        threads[-1].start()
        assert ready.wait(90), name
    begin = encode(run("exercise"))
    parts = [("observations", n) for n in range(setup.district.partitions)]
    log.append([Out(topic, "x", begin, part) for topic, part in parts])
    yield log
    stop.set()
    for thread in threads:
        thread.join(120)
    log.close()


class Sky:
    """Rain over one station and none over the others; every station speaks."""

    def __init__(self, setup: Setup, log: Log) -> None:
        self.district, self.log, self.minute = setup.district, log, 0

    def until(self, minute: int, wet: Sequence[str] = ()) -> None:
        """All that is measured until then, a batch for each group and ten minutes, and the clock."""
        while self.minute < minute:
            to = min(minute, self.minute + GAP_MIN)
            steps = range(self.minute + 1, to + 1)
            outs = [
                Out("observations", group, encode(Observations.of(group, T0 + to * MIN, items)))
                for group in self.district.groups
                if (items := self._items(group, steps, wet))
            ]
            tick = encode(Tick(clock_at=T0 + to * MIN))
            ticks = [Out("observations", "x", tick, n) for n in range(self.district.partitions)]
            self.log.append([*outs, *ticks])
            self.minute = to

    def _items(self, group: str, steps: range, wet: Sequence[str]) -> list[Observation]:
        found = []
        for name, s in self.district.stations.items():
            if group not in self.district.groups_of_station.get(name, ()):
                continue
            if s.quantity == "rain":
                found += [
                    Observation(station=name, quantity="rain", observed_at=T0 + m * MIN,
                                value=20 if name in wet else 0)
                    for m in (steps if name in wet else steps[-1:])
                ]  # fmt: skip
            elif s.quantity == "stage":
                at = T0 + steps[-1] * MIN
                found.append(Observation(station=name, quantity="stage", observed_at=at, value=200))
        return found


class Carriers:
    """Everybody is reached at once, but for those named."""

    def __init__(self, log: Log) -> None:
        self.log, self._follower = log, Follower(log, ("deliveries",))
        self.kept: list[Delivery] = []

    def carry(self, at: int, but: Sequence[str] = ()) -> None:
        new = [r for _, r in self._follower.take() if isinstance(r, Delivery)]
        tell: list[Record] = []
        for d in new:
            if d.recipient in but:
                self.kept.append(d)
                tell.append(_receipt(d, "failed", at, permanent=True, detail="关机 switched off"))
                continue
            state = "answered" if d.must_answer else "delivered"
            tell.append(_receipt(d, "played" if d.routes[0].channel == "broadcast" else state, at))
        self.log.append([Out("deliveries", "x", encode(r)) for r in tell])


def _receipt(d: Delivery, state: str, at: int, **more: object) -> Receipt:
    route = len(d.routes) - 1 if state == "failed" else 0
    return Receipt(delivery=d.id, route=route, state=state, receipt_at=at, **more)  # type: ignore[arg-type]


def test_two_people_take_a_storm_from_the_first_rain_to_the_final_report(
    seat: Seat, browser: "sync_api.Browser", desk: Desk, log: Log, setup: Setup
) -> None:
    expect = sync_api.expect
    sky, carriers = Sky(setup, log), Carriers(log)
    wang, second = seat.enter("wang", "/#/warnings"), Seat(browser, desk)
    li = second.enter("li")
    sky.until(20)
    expect(li.locator("#counts")).to_contain_text("无生效预警")
    # the rain comes: people decide on the red, two of them
    sky.until(50, wet=("R01",))
    expect(wang.locator("[data-state=proposed]").first).to_contain_text("红色")
    seat.shot("storm-1-waiting")
    wang.locator("[data-many=approve]").click()
    wang.locator("[data-go=approve]").click()
    expect(wang.locator(".asks", has_text="已有一人").first).to_be_visible()
    li.keyboard.press("w")
    li.locator("[data-many=release]").click()
    li.locator("[data-go=release]").click()
    expect(li.locator("[data-state=proposed]")).to_have_count(0)
    expect(li.locator("[data-state=released]").first).to_contain_text("红色")
    # one responsible person does not answer: telephoned, and told again
    first = next(c.id for c in setup.district.contacts.values() if "A01" in c.areas)
    _settle(log)
    carriers.carry(T0 + 51 * MIN, but=(first,))
    li.keyboard.press("d")
    li.locator("[data-reach=A01]").click()
    expect(li.locator(f"[data-missed={first}]").first).to_contain_text("关机")
    second.shot("storm-2-missed")
    li.locator("[data-calls]").click()
    expect(li.locator(f"[data-call={first}]")).to_contain_text(setup.district.contacts[first].phone)
    li.locator("[data-resend=missed]").click()
    expect(li.locator(".said")).to_contain_text("已排队重发")
    # the server is restarted in the middle; both pages come back by themselves
    desk.stop()
    expect(li.locator("#alarm")).to_be_visible()
    desk.start()
    expect(li.locator("#alarm")).to_be_hidden()
    _settle(log)  # what is sent again may come after the word that it is queued
    carriers.carry(T0 + 52 * MIN)
    expect(li.locator(f"[data-missed={first}]")).to_have_count(0)
    # notes, and the shift changes
    wang.keyboard.press("l")
    wang.locator("#note").fill("A01 村主任电话：312 人已到安置点")
    wang.locator("[data-send=note]").click()
    wang.locator(".hand summary").click()
    wang.locator("#handover-to").select_option("li")
    wang.locator("[data-send=handover]").click()
    li.keyboard.press("l")
    li.locator("[data-takeover]").click()
    expect(li.locator("[data-handover]")).to_have_count(0)
    # the sky clears: everything ends by itself, and after six quiet hours the incident is closed
    for minute in range(60, 20 * 60, 30):
        sky.until(minute)
        carriers.carry(T0 + minute * MIN)
    _settle(log)  # the stages come after the sky: what they still sent arrives as well
    carriers.carry(T0 + 20 * 60 * MIN)
    last = li.locator("[data-event=report]", has_text="终报")
    expect(last).to_have_count(1, timeout=300_000)
    expect(li.locator("#counts")).to_contain_text("无生效预警")
    second.shot("storm-3-closed")
    for nothing in ("待决定", "生效", "未送达"):
        expect(li.locator(".matters")).not_to_contain_text(nothing)
    with li.expect_popup() as opened:
        li.locator("[data-incident] .acts a").first.click()
    expect(opened.value.locator("h1")).to_contain_text("终报")
    with li.expect_popup() as opened:
        li.locator("[data-incident] .acts a").nth(1).click()
    expect(opened.value.locator("h1")).to_be_visible()
    second.context.close()
    assert second.faults == []
    assert second.foreign == []


def _settle(log: Log) -> None:
    """Every stage has read all there is."""
    reads = {"detect": "observations", "decide": "cases", "address": "alerts"}
    for _ in range(3000):
        if all(log.positions(t, name) >= log.ends(t) for name, t in reads.items()):
            return
        threading.Event().wait(0.1)
    raise AssertionError("the stages do not come to an end")
