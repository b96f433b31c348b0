"""A lake that burst, as a person tells it: the time of the fact counts for the wave, whenever it was
entered, and every village below gets a proposal of its own with its own time of arrival."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from config.load import load
from config.records.level import Action, Level
from dispatch.decide.wave import OLDEST_MS
from dispatch.grade import Grade
from dispatch.records import Alert, Decision
from dispatch.words.compose import Message, write
from dispatch.words.sample import sample
from dispatch.words.wording import CATEGORY_ZH
from ingest.decode.fact_time import fact_time
from stream.records import Tick
from tests.support.decide_district import MIN, T0, Line, act

VALLEY = load(Path(__file__).parents[3] / "config" / "examples" / "valley")
BELOW = ("V02", "V03", "V04", "V05")
# from V01, 2 … 10 m/s: 7, 17, 29 and 39 km
WAYS = {"V02": 7000, "V03": 17_000, "V04": 29_000, "V05": 39_000}


def told(minute: float, happened: float | None, what: str = "raise", **more: str) -> Decision:
    fields = {"area": "V01", "hazard": "dam_break", "by": "O-01", "reason": "坝上来人报告", **more}
    d = act(what, Level.RED, Action.MOVE, **fields)  # type: ignore[arg-type]
    at = 0 if happened is None else T0 + round(happened * MIN)
    return msgspec.structs.replace(d, decided_at=T0 + round(minute * MIN), happened_at=at)


def line(minute: float = 0) -> Line:
    made = Line(VALLEY)
    made.feed(Tick(clock_at=T0 + round(minute * MIN)))
    return made


def newest(made: Line) -> dict[str, Alert]:
    return {a.area: a for a in made.alerts}


@pytest.mark.parametrize("late", [0, 12, 45])
def test_the_wave_is_reckoned_from_when_it_happened(late: int) -> None:
    """However late it is entered, the water is where it is."""
    made = line(late)
    made.feed(told(late, 0))
    found = newest(made)
    assert (found["V01"].level, found["V01"].action, found["V01"].public) == (
        Level.RED, Action.MOVE, True,
    )  # fmt: skip
    assert found["V01"].happened_at == T0
    assert set(found) == {"V01", *BELOW}
    for area in BELOW:
        a = found[area]
        assert (a.proposed_level, a.proposed_action) == (Level.RED, Action.MOVE)
        assert (a.state, a.public) == ("proposed", False)
        assert a.questions, "somebody is asked"
        assert a.earliest_at is not None and a.latest_at is not None
        assert abs(a.earliest_at - T0 - WAYS[area] / 10 * 1000) <= MIN
        assert abs(a.latest_at - T0 - WAYS[area] / 2 * 1000) <= MIN


def test_without_a_time_it_is_of_now() -> None:
    made = line(30)
    made.feed(told(30, None))
    a = newest(made)["V02"]
    assert a.earliest_at is not None
    assert abs(a.earliest_at - T0 - 30 * MIN - 700_000) <= MIN


@pytest.mark.parametrize(
    ("minute", "happened", "why"),
    [(10, 10.1, "将来"), (10, 2000, "将来"), (0, -OLDEST_MS / MIN - 1, "24小时")],
)
def test_a_time_that_cannot_be_is_refused(minute: float, happened: float, why: str) -> None:
    made = line(minute)
    assert made.feed(told(minute, happened)) == []
    (answer,) = made.decisions
    assert answer.outcome == "refused"
    assert why in str(answer.answer)


def test_a_time_says_nothing_where_no_fact_is_told() -> None:
    made = line()
    for wrong in (told(0, -1, hazard="flash_flood"), told(0, -1, "cancel")):
        assert made.feed(wrong) == []
        assert made.decisions[-1].outcome == "refused"


def test_it_goes_out_by_the_approvals_that_there_are_and_not_by_itself() -> None:
    made = line()
    made.feed(told(0, 0))
    for minute in range(5, 200, 5):
        made.feed(Tick(clock_at=T0 + minute * MIN))
        assert not any(a.public for a in made.alerts if a.area in BELOW)
    made.feed(told(200, None, "release", area="V04"))
    out = newest(made)["V04"]
    assert (out.level, out.action, out.public) == (Level.RED, Action.MOVE, True)


def test_it_ends_below_with_the_warning_above() -> None:
    made = line()
    made.feed(told(0, 0))
    made.feed(told(1, None, "release", area="V02"))
    cancel = msgspec.structs.replace(
        told(3, None, "cancel"), level=Level.NONE, action=Action.NONE, by="O-02"
    )
    first = msgspec.structs.replace(cancel, by="O-01", order="a" * 16)
    made.feed(first, cancel)
    found = newest(made)
    assert found["V01"].msg_type == "cancel"
    assert {found[a].msg_type for a in ("V03", "V04", "V05")} == {"cancel"}
    assert found["V02"].public, "what a person let out falls as any warning does"


def test_what_is_over_is_nobodys_order() -> None:
    """Told seven hours late: the villages near by have had it long ago."""
    made = line(420)
    made.feed(told(420, 0))
    assert set(newest(made)) == {"V01", "V04", "V05"}
    words = write(VALLEY, Message(newest(made)["V04"], "notice", "zh"), "app").text
    assert "洪水可能已到" in words


def test_nobody_below_a_fact_of_low_grade_is_asked() -> None:
    made = line()
    low = msgspec.structs.replace(told(0, 0), level=Level.YELLOW, action=Action.NONE)
    made.feed(low)
    assert set(newest(made)) == {"V01"}


def test_memory_of_it_outlives_a_restart() -> None:
    made = line()
    made.feed(told(0, 0))
    made.state = made.stage.load(0, made.stage.dump(made.state))
    before = len(made.alerts)
    made.feed(Tick(clock_at=T0 + MIN))
    assert len(made.alerts) == before, "the same is not said again"
    assert made.state.cases["V01"]["dam_break"].happened_at == T0


def test_each_village_hears_its_own_time() -> None:
    made = line(12)
    made.feed(told(12, 0), *(told(12, None, "release", area=a) for a in BELOW))
    zone = ZoneInfo(VALLEY.timezone)
    begin = datetime.fromtimestamp(T0 / 1000, zone)
    assert begin.strftime("%H:%M") == "20:00"
    texts = {a: write(VALLEY, Message(newest(made)[a], "public", "zh"), "sms") for a in BELOW}
    assert "洪水随时可能到达，最晚约21点。" in texts["V02"].text  # 20:11:40 … 20:58:20
    assert "洪水预计约20点20分到22点30分到达。" in texts["V03"].text  # 20:28:20 … 22:21:40
    for route in texts.values():
        assert route.segments <= 3
    aloud = {a: write(VALLEY, Message(newest(made)[a], "public", "zh"), "broadcast") for a in BELOW}
    assert "洪水随时可能到达。" in aloud["V02"].text
    assert "洪水预计约二十点二十分到达。" in aloud["V03"].text
    assert not any(c.isdigit() for c in aloud["V03"].text)
    english = write(VALLEY, Message(newest(made)["V03"], "public", "en"), "sms").text
    assert "Flood expected about 20:20-22:30." in english


def test_who_decides_reads_who_is_below_by_the_clock() -> None:
    made = line(12)
    made.feed(told(12, 0))
    above = write(VALLEY, Message(newest(made)["V01"], "notice", "zh"), "app").text
    assert "下游可能波及4区：石桥村20:11–20:59" in above
    here = write(VALLEY, Message(newest(made)["V03"], "notice", "zh"), "app").text
    assert "下游可能波及2区：青滩村20:48–00:02" in here, "counted from when the water is here"
    assert "上游坝下村20:00发生" in here and "预计20:28–22:22到达" in here
    assert "补报" not in here and "断报" not in here


def test_a_time_after_midnight_is_said_with_its_day() -> None:
    made = line(180)
    made.feed(told(180, 170), told(180, None, "release", area="V05"))  # 22:50
    a = newest(made)["V05"]  # 23:55 … 04:15
    text = write(VALLEY, Message(a, "public", "zh"), "app").text
    assert "洪水预计约23点50分到明天凌晨4点20分到达。" in text
    a = msgspec.structs.replace(a, earliest_at=T0 + 363 * MIN, latest_at=T0 + 383 * MIN)
    assert (
        "洪水预计约明天凌晨两点到达。"
        in write(VALLEY, Message(a, "public", "zh"), "broadcast").text
    )


@pytest.mark.parametrize(
    ("said", "now", "meant"),
    [
        ("10:05", "10:20", "26 10:05"),
        ("10：05", "10:20", "26 10:05"),
        ("10点05分", "10:20", "26 10:05"),
        ("23:50", "00:10", "25 23:50"),
        ("2026-08-26T10:05:00+08:00", "10:20", "26 10:05"),
    ],
)
def test_a_time_of_day_is_the_last_one_before_now(said: str, now: str, meant: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    here = datetime.fromisoformat(f"2026-08-26T{now}").replace(tzinfo=zone)
    found = fact_time(said, int(here.timestamp() * 1000), zone.key)
    assert datetime.fromtimestamp(found / 1000, zone).strftime("%d %H:%M") == meant


@pytest.mark.parametrize("said", ["10:30", "25:00", "soon", "2026-08-26T10:05", "10"])
def test_what_is_no_time_or_is_to_come_is_told(said: str) -> None:
    now = int(datetime(2026, 8, 26, 10, 20, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)
    with pytest.raises(ValueError, match=r"时刻|time of"):
        fact_time(said, now, "Asia/Shanghai")
    assert fact_time("", now, "Asia/Shanghai") == 0


@pytest.mark.parametrize("hazard", ["dam_break", "reservoir_release", "flash_flood", "debris_flow"])
def test_the_time_leaves_an_sms_within_its_length(hazard: str) -> None:
    """Of the places with the longest names; in Chinese the time is always in it."""
    d = load(Path(__file__).parents[3] / "config" / "yanqing")
    for area in ("A05", "A22", "A51"):
        for grade in (Grade(Level.RED, Action.MOVE), Grade(Level.ORANGE, Action.PREPARE)):
            a = sample(area, hazard, grade)
            late = a.sent_at + 8 * 60 * MIN
            a = msgspec.structs.replace(a, earliest_at=late, latest_at=late + 180 * MIN)
            for category in CATEGORY_ZH:
                zh = write(d, Message(a, "public", "zh", category=category), "sms")
                en = write(d, Message(a, "public", "en", category=category), "sms")
                assert (zh.segments <= 3, en.segments <= 4) == (True, True), (zh.text, en.text)
                assert "约明天" in str(zh.text)
