"""What is wrong with a station, since when and what to do: in `fengsui status` and on its page."""

from pathlib import Path

import msgspec
import pytest

from console.model.trail import Trail
from console.model.view import View
from console.pages.situation import parts
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from fengsui.status.lines import status_lines
from ingest.decode.reading import Reading
from ingest.identify import Register, ahead_of, identify
from ingest.observation import Observation, Observations, Service
from stream.guard import letter
from stream.log.port import Out
from stream.records import DeadLetter, Record, Rejected, encode
from tests.support.decide_district import MIN, T0, yanqing
from tests.support.flags import quality

DISTRICT = yanqing()


def refused(station: str, minutes: int, at: int) -> DeadLetter:
    """What ingest makes of a reading that is so much ahead."""
    reading = Reading(station=station, quantity="rain", value=0.2, time=at / 1000 + minutes * 60)
    found = identify(Register(DISTRICT), reading, station, "rain", at)
    assert isinstance(found, Rejected) and found.reason == "clock_ahead"
    out = letter(at, f"fengsui/live/yanqing/station/{station}/rain", found, b"")
    return msgspec.json.decode(out.value, type=DeadLetter)


def taken(station: str, at: int) -> Observations:
    item = Observation(station=station, quantity="rain", observed_at=at, value=0)
    return Observations.of("g-A01", at, [item])


def view(*records: Record) -> View:
    found = View()
    for r in records:
        found.take(r)
    return found


def flagged(v: View, station: str = "R01") -> list[str]:
    return [f.test for f in v.flags.of(station)]


@pytest.mark.parametrize("test", ["clogged", "undercatch", "clock_slow 90 min"])
def test_a_flag_lasts_until_it_is_over_whatever_else_is_said(test: str) -> None:
    name = test.split()[0]
    on = view(quality(f"R01 rain: {test}"), quality("R01 rain: spike"), quality("R01 rain: good"))
    assert flagged(on) == [name]
    assert flagged(on, "R02") == []
    on.take(quality(f"R01 rain: {name} over"))
    assert flagged(on) == [] == on.flags.stations()


def test_several_flags_stand_beside_one_another_and_keep_their_beginning() -> None:
    v = view(
        quality("R01 rain: clogged", T0),
        quality("R01 rain: clock_slow 30 min", T0 + MIN),
        quality("R01 rain: clock_slow 1440 min", T0 + 9 * MIN),
        quality("R01 rain: clogged over", T0 + 9 * MIN),
    )
    (flag,) = v.flags.of("R01")
    assert (flag.since_at, flag.zh, flag.en) == (
        T0 + MIN,
        "时钟慢约 24 小时，或一直晚到",
        "its clock is slow, or its link late, by 24 h",
    )


def test_a_clock_that_is_fast_is_told_and_one_message_ahead_is_not() -> None:
    three = [refused("R01", 180, T0 + n * MIN) for n in range(3)]
    assert flagged(view(three[0])) == flagged(view(*three[:2])) == []
    # a burst that came at once is one arrival
    assert flagged(view(*[refused("R01", 180, T0) for _ in range(5)])) == []
    v = view(*three)
    (flag,) = v.flags.of("R01")
    assert (flag.test, flag.en) == (
        "clock_ahead",
        "its clock is fast by 3 h: nothing of it is taken in",
    )
    assert flag.todo_zh == "校时"
    v.take(taken("R01", T0 + 3 * MIN))
    assert flagged(v) == []
    # in whatever order the topics are read
    assert flagged(view(taken("R01", T0 + 3 * MIN), *three)) == []
    assert flagged(view(taken("R01", T0 - MIN), *three)) == ["clock_ahead"]


@pytest.mark.parametrize("detail", ["", "R01: 时钟超前", "x: y", "R01: 时钟超前 by x min"])
def test_other_words_of_a_refusal_say_nothing(detail: str) -> None:
    assert ahead_of(detail) is None


def test_the_page_has_what_it_is_and_what_to_do() -> None:
    v = view(quality("R01 rain: undercatch"))
    now = parts(DISTRICT, v, Trail(), T0)["stations"]
    assert [(f["test"], f["zh"]) for f in now["R01"]["flags"]] == [
        ("undercatch", "少收：半堵、倾斜或遮挡；去清洗、调平")
    ]
    assert "flags" not in now["R02"]


def test_status_says_what_is_wrong_since_when_and_what_to_do(tmp_path: Path) -> None:
    setup = make_setup(DISTRICT, "live", tmp_path, start_at=T0)
    log, run = open_run_log(setup), setup.run
    day = 1440 * MIN

    def put(topic: str, *records: Record) -> None:
        log.append([Out(topic, "k", encode(r)) for r in records])

    put("observations", run, taken("R01", T0), taken("R02", T0), taken("R03", T0 - day))
    put(
        "cases",
        run,
        quality("R01 rain: undercatch"),
        quality("R02 rain: clogged"),
        quality("R03 rain: clock_slow 1440 min"),
    )
    put("dead-letters", *[refused("R04", 600, T0 + n * MIN) for n in range(3)])
    service = Service(
        id="s", thing="R02", by="T-07", said_at=T0, until_at=T0 + day, reason="清洗", way="command"
    )
    put("cases", service)
    told = [x for x in status_lines(log, DISTRICT, T0 + MIN, run) if "flagged" in x]
    assert [x.en.split()[1].rstrip(":") for x in told] == [
        "R01",
        "R03",
        "R04",
    ]  # R02 is being cleaned
    assert "去清洗、调平" in told[0].zh and "clean and level it" in told[0].en
    assert "24 h" in told[1] and "set the clock" in told[1]
    assert "fast by 10 h" in told[2]
    silent = [x for x in status_lines(log, DISTRICT, T0 + MIN, run) if "  silent R03" in x]
    assert silent == []  # it is heard: its clock is what is wrong
