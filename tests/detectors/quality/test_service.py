"""Service: a station out of judgement while it is cleaned, calibrated or swapped."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.acts.service import LONGEST_MIN, minutes_of
from console.model.shift_log import Shift
from console.model.view import View
from detectors.detection import Detection, Mark
from detectors.stage import Detect
from dispatch.ledger.chain import Tail, entered
from fengsui.cli.root import cli
from fengsui.run.run_log import open_run_log
from fengsui.run.setup import make_setup
from fengsui.status.lines import status_lines
from ingest.decode.service_words import Wish, wish
from ingest.observation import SERVICE_LONGEST_MS, Service
from ingest.people.reports import People, outs_of
from stream.log.port import Out
from stream.records import Record, Rejected, Tick, encode
from stream.stages.stage import Item
from stream.wall_clock import now_ms
from tests.support.decide_district import MIN, T0, run, unproved, yanqing
from tests.support.detect_room import Room
from tests.support.examples import examples

HOUR = 60 * MIN


def service(thing: str, at: float, minutes: float, **more: Any) -> Service:
    said = T0 + round(at * MIN)
    fields: dict[str, Any] = {
        "id": f"{thing}-{at}-{minutes}", "thing": thing, "by": "T-07", "said_at": said,
        "until_at": said + round(minutes * MIN), "reason": "校准", "way": "command", **more,
    }  # fmt: skip
    return Service(**fields)


def levels(found: list[Record], rule: str = "rain_threshold") -> list[tuple[str, int, int]]:
    return [
        (d.area, int(d.level), int(d.action))
        for d in found
        if isinstance(d, Detection) and d.rule == rule and (d.level or d.action)
    ]


def cover(found: list[Record], area: str = "A28") -> Detection | None:
    some = [d for d in found if isinstance(d, Detection) and d.rule == "silence" and d.area == area]
    return some[-1] if some else None


STORM = dict.fromkeys(range(1, 13), 4.0)


def test_what_a_station_in_service_says_is_judged_by_nobody_and_its_areas_are_thin() -> None:
    assert levels(Room().feed(Room().readings("R28", STORM))), "without service it is a storm"
    room = Room()
    room.tick(0)
    said = cover(room.feed(service("R28", 0, 120)))
    assert said is not None
    assert said.thin
    assert said.coverage is not None
    assert said.coverage.service == ("R28",)
    assert "R28" not in said.coverage.silent
    assert levels(room.feed(room.readings("R28", STORM))) == []


def test_readings_of_before_that_come_while_it_is_in_service_are_not_judged_either() -> None:
    room = Room()
    room.tick(0)
    room.feed(service("R28", 0, 120))
    assert levels(room.feed(room.readings("R28", {m - 12: v for m, v in STORM.items()}))) == []


def test_readings_of_it_that_come_afterwards_are_not_judged_either() -> None:
    room = Room()
    room.tick(0)
    room.feed(service("R28", 0, 30))
    room.tick(31)
    assert levels(room.feed(room.readings("R28", STORM))) == []
    later = {m + 40: v for m, v in STORM.items()}
    assert levels(room.feed(room.readings("R28", later))), "what falls after it counts"


@pytest.mark.parametrize("restart", [False, True])
def test_it_ends_by_itself_whoever_forgot_it(restart: bool) -> None:
    room = Room()
    room.tick(0)
    room.feed(service("R28", 0, 60))
    if restart:
        room.again()
    still = cover(room.tick(59))
    assert still is None or still.coverage is None or still.coverage.service == ("R28",)
    assert room.state.service.now == {"R28"}
    back = cover(room.tick(60))
    assert back is not None
    assert back.coverage is not None
    assert back.coverage.service == ()
    assert levels(room.feed(room.readings("R28", {m + 61: v for m, v in STORM.items()})))


def test_a_later_word_ends_it_or_makes_it_longer_and_a_repetition_does_nothing() -> None:
    room = Room()
    room.tick(0)
    first = service("R28", 0, 60)
    room.feed(first)
    room.feed(service("R28", 5, 120))
    room.feed(first)  # a repetition does not shorten it
    room.tick(70)
    assert levels(room.feed(room.readings("R28", {m + 70: v for m, v in STORM.items()}))) == []
    ended = cover(room.feed(service("R28", 85, 0)))
    assert ended is not None
    assert ended.coverage is not None
    assert ended.coverage.service == ()


def test_none_lasts_longer_than_three_days_whatever_it_says() -> None:
    room = Room()
    room.tick(0)
    room.feed(service("R28", 0, 10 * LONGEST_MIN))
    room.tick(SERVICE_LONGEST_MS // MIN - 1)
    assert room.state.service.now == {"R28"}
    room.tick(SERVICE_LONGEST_MS // MIN)
    assert room.state.service.now == set()


def test_the_gauges_of_a_basin_one_after_another() -> None:
    """Each makes its areas thin in its own time, the others go on."""
    room = Room()
    room.tick(0)
    room.feed(service("R28", 0, 30))
    room.tick(20)
    room.feed(service("R29", 20, 30))
    assert room.state.service.now == {"R28", "R29"}
    room.tick(31)
    assert room.state.service.now == {"R29"}
    found = room.feed(room.readings("R28", {m + 31: v for m, v in STORM.items()}))
    assert levels(found), "the first is judged again"
    assert levels(room.feed(room.readings("R29", {m + 31: v for m, v in STORM.items()}))) == []
    room.tick(51)
    assert room.state.service.now == set()


def test_a_warning_stands_while_its_gauge_is_in_service() -> None:
    room = Room()
    room.tick(0)
    assert levels(room.feed(room.readings("R28", STORM)))
    room.tick(13)
    room.feed(service("R28", 13, 240))
    zeros = room.feed(room.readings("R28", {float(m): 0.0 for m in range(14, 250, 5)}))
    assert not [d for d in zeros if isinstance(d, Detection) and d.rule == "rain_threshold"]


def test_one_in_service_holds_the_progress_of_its_group_up_for_nobody() -> None:
    room = Room()
    room.tick(0)
    names = sorted({s for a in room.district.groups[room.group]
                    for s in room.district.stations_of_area[a]})  # fmt: skip
    rain = [n for n in names if room.district.stations[n].quantity == "rain"]
    room.feed(*(room.readings(n, {1.0: 0.0}) for n in rain))
    room.feed(service("R28", 1, 240))
    others = [n for n in rain if n != "R28"]
    room.feed(*(room.readings(n, {100.0: 0.0}) for n in others))
    marks = [m for m in room.tick(101) if isinstance(m, Mark) and m.group == room.group]
    assert marks[0].complete_at == T0 + 100 * MIN


def test_who_is_unplugged_is_in_service_and_not_silent_until_it_is_over() -> None:
    room = Room()
    room.tick(0)
    room.feed(room.readings("R28", {0.0: 0.0}))
    room.feed(service("R28", 0, 300))
    room.tick(299)
    assert "R28" not in room.state.silence.silent
    over = cover(room.tick(301))
    assert over is not None
    assert over.coverage is not None
    assert "R28" in over.coverage.silent, "and then it is told that it says nothing"


def test_a_counter_begins_anew_after_its_service() -> None:
    """The water of a drip test stands in the counter."""
    gauge = msgspec.structs.replace(yanqing().stations["R28"], quantity="rain_counter")
    district = msgspec.structs.replace(yanqing(), stations={**yanqing().stations, "R28": gauge})
    room = Room(district=district)
    room.tick(0)
    room.feed(room.readings("R28", {0.0: 10.0, 1.0: 10.0}))
    room.feed(service("R28", 1, 30))
    room.feed(room.readings("R28", {float(m): 10.0 + 2 * m for m in range(2, 30)}))
    room.tick(32)
    after = room.feed(room.readings("R28", {float(m): 68.0 for m in range(33, 45)}))
    assert levels(after) == []
    rain = {m + 45.0: 68.0 + 4 * (m + 1) for m in range(12)}
    assert levels(room.feed(room.readings("R28", rain))), "true rain after it still counts"


def test_a_stage_gauge_that_was_moved_is_no_rise() -> None:
    stations = yanqing().stations
    name = next(
        s.station for s in yanqing().stage if stations[s.station].quantity == "stage"
    )  # fmt: skip
    area = next(s.area for s in yanqing().stage if s.station == name)
    for said in (False, True):
        room = Room(area)
        room.tick(0)
        room.feed(room.readings(name, {float(m): 0.50 for m in range(12)}))
        if said:
            room.tick(12)
            room.feed(service(name, 12, 3))
            room.tick(16)
        room.feed(room.readings(name, {float(m): 0.80 for m in range(16, 24)}))
        slope = room.stage.part(room.partition).stage.outlook(room.state.stage, _row(room, name))[0]
        assert (slope > 0) != said


def _row(room: Room, station: str) -> int:
    rows = room.stage.part(room.partition).stage.rows
    return next(n for n, r in enumerate(rows) if r.station == station)


def test_a_loudspeaker_and_a_camera_can_be_in_service_too() -> None:
    district = yanqing()
    node = next(iter(district.nodes.values()))
    camera = next(s for s in district.stations.values() if s.quantity == "frame")
    areas = {w.area for w in district.watches if w.station == camera.id}
    for thing, area in ((node.id, node.area), (camera.id, min(areas))):
        room = Room(area)
        room.tick(0)
        said = cover(room.feed(service(thing, 0, 60)), area)
        assert said is not None
        assert said.coverage is not None
        assert said.coverage.service == (thing,)
        room.tick(1000)
        assert room.state.service.now == set()


def test_what_is_not_there_is_nobodys_service() -> None:
    room = Room()
    assert room.feed(service("R99", 0, 60)) == []
    assert room.state.service.now == set()


@examples(60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("service"), st.sampled_from(("R28", "R29")), st.integers(0, 90)),
            st.tuples(st.just("tick"), st.just(""), st.integers(1, 60)),
            st.tuples(st.just("rain"), st.sampled_from(("R28", "R29")), st.integers(0, 9)),
        ),
        max_size=25,
    ),
    st.integers(1, 24),
)
def test_batches_and_restarts_never_show(steps: list[tuple[str, str, int]], cut: int) -> None:
    whole, parts = Room(), Room()
    records: list[Record] = []
    now = 0
    for n, (what, thing, value) in enumerate(steps):
        if what == "tick":
            now += value
            records.append(Tick(clock_at=T0 + now * MIN))
        elif what == "service":
            records.append(service(thing, now, value, id=f"{n}"))
        else:
            records.append(whole.readings(thing, {now + n / 100: value}))
    once = whole.feed(*records)
    twice = parts.feed(*records[:cut])
    parts.again()
    twice += parts.feed(*records[cut:])
    assert once == twice
    assert whole.state.service == parts.state.service


# ---------------------------------------------------------------- down the line, and how it is said


def test_it_goes_down_the_line_once_and_into_the_ledger() -> None:
    district = yanqing()
    said = service("R28", 0, 60)
    found = []
    for partition in range(district.partitions):
        stage = Detect(district, lambda _: None)
        _, writes = stage.step(stage.new(partition), [Item(partition, 0, "", said)])
        found += [w for w in writes if isinstance(w.record, Service)]
    assert [(w.topic, w.record) for w in found] == [("cases", said)]
    decide = unproved(district)
    _, passed = decide.step(decide.new(0), [Item(0, 0, "", run("live")), Item(0, 1, "", said)])
    assert [(w.topic, w.record) for w in passed if isinstance(w.record, Service)] == [
        ("alerts", said)
    ]
    entry = entered(Tail("alerts"), encode(said))
    assert entry is not None
    kept = json.loads(entry[0])
    assert (kept["of"], kept["what"]["thing"], kept["what"]["by"]) == ("service", "R28", "T-07")
    assert "校准" not in entry[0].decode()


def test_the_shift_log_has_its_begin_and_its_end_once() -> None:
    room, shift, view = Room(), Shift(), View()
    records = [
        *room.tick(0), *room.feed(said := service("R28", 0, 60)), said, said, *room.tick(61),
    ]  # fmt: skip
    for record in records:
        view.take(record)
        shift.take(record, view)
    lines = [(e.kind, e.who, e.zh) for e in shift.entries if e.kind == "service"]
    assert [(k, w) for k, w, _ in lines] == [("service", "T-07"), ("service", "")]
    assert "校准" in lines[0][2]
    assert "恢复研判" in lines[1][2]
    assert view.in_service(T0 + 59 * MIN) == {"R28": said}
    assert view.in_service(T0 + 60 * MIN) == {}


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("2h", 120), ("90m", 90), ("45", 45), ("1d", 1440), ("2小时", 120), ("30 分钟", 30), ("0", 0)],
)
def test_how_long(text: str, minutes: int) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize("text", ["", "-1", "2x", "1e3", "9999h", "9" * 50, "두 시간"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(ValueError, match="30m"):
        minutes_of(text)


def test_the_command_line_says_it_and_status_shows_it(tmp_path: Path) -> None:
    def say(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--state", str(tmp_path), "station", *words])

    asked = ("service", "R28", "--for", "2h", "--by", "T-07", "--reason", "雨量筒滴定校准")
    early = say(*asked)
    assert early.exit_code != 0  # the run's own record must stand first in its topics
    setup = make_setup(yanqing(), "live", tmp_path)
    log = open_run_log(setup)
    log.append([Out("observations", "", encode(setup.run), p) for p in range(2)])
    done = say(*asked)
    assert done.exit_code == 0, done.output
    assert len(log.read("observations", 0, 1)) == len(log.read("observations", 1, 1)) == 1
    text = "\n".join(map(str, status_lines(log, setup.district, now_ms())))
    assert "维护中 R28" in text and "in service R28" in text
    assert "雨量筒滴定校准" in text
    for wrong in (
        ("service", "R99", *asked[2:]),
        ("service", "R28", "--for", "3 weeks", *asked[4:]),
        ("service", "R28", "--for", "2h", "--by", "X-99", *asked[6:]),
    ):
        assert say(*wrong).exit_code != 0, wrong
    assert say("back", "R28", "--by", "T-07").exit_code == 0
    assert "维护中" not in "\n".join(map(str, status_lines(log, setup.district, now_ms() + 1)))
    log.close()


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("R28 校准 2小时", Wish(("r28",), 120, "校准")),
        ("维护 N004 90分钟", Wish(("n004",), 90, "维护")),
        ("Ｒ２８　清洗", Wish(("r28",), 120, "清洗")),
        ("R28 更换传感器 3h", Wish(("r28",), 180, "更换")),
        ("R28 维护结束", Wish(("r28",), 0, "维护")),
        ("R28 calibration 2h", Wish(("r28",), 120, "校准")),
        ("R28 service done", Wish(("r28",), 0, "维护")),
        ("R28 校准 99小时", None),
        ("R28 水涨", None),
        ("村里正在维护", None),
        ("水涨，求助", None),
        ("", None),
    ],
)
def test_service_in_an_sms(text: str, want: Wish | None) -> None:
    assert wish(text) == want


@examples(300)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reader_of_service(text: str) -> None:
    found = wish(text)
    assert found is None or (found.ids and 0 <= found.minutes <= 480)


def test_the_field_worker_serves_a_station_of_their_own_area_and_no_other() -> None:
    district = yanqing()
    people = People(district)
    worker = next(c for c in district.contacts.values() if c.role in ("observer", "responsible")
                  and c.areas != ("*",))  # fmt: skip
    area = worker.areas[0]
    mine = next(s for s in district.stations_of_area[area])
    found = people.text(worker.id, f"{mine} 校准 2小时", "m1", None, T0)
    assert isinstance(found[0], Service)
    assert (found[0].thing, found[0].by, found[0].until_at) == (mine, worker.id, T0 + 2 * HOUR)
    outs = outs_of(found, people, "x", T0)
    assert [o.partition for o in outs] == list(range(district.partitions))
    assert found == people.text(worker.id, f"{mine} 校准 2小时", "m1", None, T0), "same id again"
    other = next(s for s in district.stations if s not in {
        x for a in worker.areas for x in district.stations_of_area[a]})  # fmt: skip
    for text in (f"{other} 校准 2小时", f"{mine} {other} 校准"):
        refused = people.text(worker.id, text, "m2", None, T0)
        assert isinstance(refused[0], Rejected)
        assert refused[0].reason == "not_their_area"
    resident = next(c for c in district.contacts.values() if c.role == "residents")
    theirs = district.stations_of_area[resident.areas[0]][0] if resident.areas != ("*",) else mine
    assert isinstance(people.text(resident.id, f"{theirs} 校准", "m3", None, T0)[0], Rejected)
    assert isinstance(people.text("nobody", f"{mine} 校准", "m4", None, T0)[0], Rejected)
    cry = people.text(worker.id, f"求助，{mine} 维护的人被困", "m5", None, T0)
    assert [getattr(x, "what", "") for x in cry][:1] == ["help"]


def test_an_app_says_it_too() -> None:
    district = yanqing()
    people = People(district)
    worker = next(c for c in district.contacts.values() if c.role in ("observer", "responsible")
                  and c.areas != ("*",))  # fmt: skip
    mine = district.stations_of_area[worker.areas[0]][0]
    body = {"what": "service", "thing": mine, "minutes": 60, "id": "a1"}
    found = people.report(worker.id, json.dumps(body).encode(), T0)
    assert isinstance(found[0], Service)
    for wrong in ({"minutes": 10**9}, {"minutes": -1}, {"thing": "R99"}, {"thing": "x" * 9999}):
        refused = people.report(worker.id, json.dumps({**body, **wrong}).encode(), T0)
        assert isinstance(refused[0], Rejected)
