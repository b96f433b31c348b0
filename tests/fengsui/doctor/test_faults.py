"""Every fault that a district has, played on the line, and what `fengsui doctor` says of it in both
languages."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.language import zh
from config.records.district import District, TelemetryRow
from fengsui.doctor.case import Weight
from fengsui.doctor.page import district_lines, everybody
from ingest.telemetry.codec.sl651 import encode as sl651
from tests.support.districts import yanqing
from tests.support.doctor import MINUTE, T0, Played
from tests.support.one_language import CHINESE

TELEMETRY = (TelemetryRow(station="S01", address="60321234", element="39"),)


def rains(played: Played, name: str, many: int = 8, mm: float = 0.2, back_s: int = 0) -> None:
    for _ in range(many):
        played.rain(name, mm, back_s=back_s)
        played.tick(5)


def never(p: Played) -> None:
    p.tick(40)


def silent(p: Played) -> None:
    rains(p, "R01", 3)
    p.tick(60)


def near_miss(p: Played) -> None:
    p.say("station/R1/rain", {"time": p.at / 1000, "value": 1.0})
    p.tick(40)


def near_of_gateway(p: Played) -> None:
    p.say("gateway/G1/json", [{"station": "r-01", "quantity": "rain", "value": 1.0}])
    p.tick(40)


def wrong_topic(p: Played) -> None:
    p.say("station/R01/rain/now", {"value": 1.0})


def wrong_quantity(p: Played) -> None:
    p.say("station/R01/rainfall", {"value": 1.0})


def wrong_unit(p: Played) -> None:
    p.rain("R01", 0.2, unit="inch")


def no_number(p: Played) -> None:
    p.rain("R01", 0.2)
    p.tick()
    p.say("station/R01/rain", {"time": p.at / 1000, "value": "dry"})


def refused_and_well(p: Played) -> None:
    no_number(p)
    p.tick()
    p.rain("R01", 0.2)


def retained(p: Played) -> None:
    p.say("station/R01/rain", {"value": 1.0}, retain=True)


def fast_clock(p: Played) -> None:
    for _ in range(3):
        p.rain("R01", 0.2, back_s=-3600)
        p.tick(5)


def slow_clock(p: Played) -> None:
    rains(p, "R01", 8, back_s=1200)


def history(p: Played) -> None:
    rains(p, "R01", 8, back_s=7200)


def no_time(p: Played) -> None:
    p.say("station/R01/rain", {"value": 0.2, "unit": "mm"})


def metres_as_mm(p: Played) -> None:
    p.stage("S01", 1230.0)


def jumped_by_ten(p: Played) -> None:
    for n in range(20):
        p.stage("S01", (0.13 if n < 10 else 1.3) + 0.001 * (n % 3))
        p.tick(5)


def rain_by_ten(p: Played) -> None:
    near = ("R02", "R03", "R04")
    for _ in range(12):
        for name in near:
            p.rain(name, 1.0)
        p.rain("R01", 10.0)
        p.tick(5)


def fault_code(p: Played) -> None:
    for _ in range(3):
        p.stage("S01", 6.553)
        p.tick(5)


def beyond_physics(p: Played) -> None:
    p.rain("R01", 3000.0)


def in_service(p: Played) -> None:
    rains(p, "R01", 2)
    p.service("R01", 120)
    p.tick()


def gaps(p: Played) -> None:
    for n in range(24):
        if n < 4 or n > 18:
            p.rain("R01", 0.2)
        p.tick(5)


def slower(p: Played) -> None:
    for _ in range(8):
        p.rain("R01", 0.2)
        p.tick(15)


def seq_fell(p: Played) -> None:
    for seq in (7, 8, 9, 0, 1):
        p.rain("R01", 0.2, seq=seq)
        p.tick(5)


def seq_lost(p: Played) -> None:
    for seq in (7, 8, 11, 12):
        p.rain("R01", 0.2, seq=seq)
        p.tick(5)


def low_battery(p: Played) -> None:
    p.rain("R01", 0.2)
    p.say("station/R01/battery", {"time": p.at / 1000, "value": 11})


def thin(p: Played) -> None:
    rains(p, "R01", 10)


def no_mains(p: Played) -> None:
    p.say("node/N001/status", {"time": p.at / 1000, "mains": 0, "self_test": 1, "battery": 80})


FAULTS: tuple[tuple[str, Callable[[Played], None], str, str, Weight, str, str], ...] = (
    ("never", never, "R01", "never_heard", Weight.BLIND, "从未收到", "never heard"),
    ("silent", silent, "R01", "silent", Weight.BLIND, "静默 65 分钟", "silent for 65 min"),
    ("near", near_miss, "R01", "near_miss", Weight.BLIND, "有设备自称 R1", "calls itself R1"),
    ("gateway", near_of_gateway, "R01", "near_miss", Weight.BLIND, "自称 r-01", "calls itself r-01"),
    ("topic", wrong_topic, "R01", "refused_unknown_topic", Weight.BLIND, "主题", "topic"),
    ("quantity", wrong_quantity, "R01", "refused_wrong_quantity", Weight.BLIND, "不测", "does not measure"),
    ("unit", wrong_unit, "R01", "refused_wrong_unit", Weight.BLIND, "应为 mm", "expected mm"),
    ("value", no_number, "R01", "refused_bad_value", Weight.BLIND, "不是有限的数", "finite"),
    ("once", refused_and_well, "R01", "refused_bad_value", Weight.DOUBT, "1 条没收", "1 messages refused"),
    ("retain", retained, "R01", "refused_retained", Weight.NOTE, "保留消息", "retained"),
    ("fast", fast_clock, "R01", "clock_ahead", Weight.BLIND, "时钟快约 60 分钟", "fast by 60 min"),
    ("slow", slow_clock, "R01", "late", Weight.DOUBT, "晚到 20 分钟", "20 min late"),
    ("history", history, "R01", "history_only", Weight.BLIND, "只进历史", "judged by nobody"),
    ("no time", no_time, "R01", "no_time", Weight.NOTE, "不带时间", "no time of their own"),
    ("mm", metres_as_mm, "S01", "unit_factor", Weight.DOUBT, "约 1000 倍", "about 1000 times"),
    ("range", metres_as_mm, "S01", "range", Weight.BLIND, "超出本站量程", "outside the station's own"),
    ("jump", jumped_by_ten, "S01", "unit_factor", Weight.DOUBT, "约 10 倍", "about 10 times its own"),
    ("rain x10", rain_by_ten, "R01", "unit_factor", Weight.DOUBT, "邻站", "neighbours"),
    ("code", fault_code, "S01", "error_code", Weight.BLIND, "故障码", "fault code"),
    ("gross", beyond_physics, "R01", "gross_range", Weight.BLIND, "物理上", "physically"),
    ("service", in_service, "R01", "in_service", Weight.NOTE, "维护中", "in service until"),
    ("gaps", gaps, "R01", "gaps", Weight.DOUBT, "缺 62%", "62% of the 24"),
    ("slower", slower, "R01", "interval", Weight.NOTE, "实际约 15 分钟", "every 15 min"),
    ("seq", seq_fell, "R01", "seq_restarted", Weight.NOTE, "设备重启过", "started again"),
    ("lost", seq_lost, "R01", "seq_lost", Weight.NOTE, "序号缺 2 个", "2 numbers are missing"),
    ("battery", low_battery, "R01", "battery_low", Weight.DOUBT, "电量 11 %", "battery 11 %"),
    ("thin", thin, "R01", "thin", Weight.NOTE, "证据不足", "thin evidence"),
    ("mains", no_mains, "N001", "mains", Weight.DOUBT, "市电中断", "no mains"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("play", "name", "code", "weight", "zh_", "en_"),
    [f[1:] for f in FAULTS],
    ids=[f[0] for f in FAULTS],
)
def test_a_fault_is_named_with_what_to_do(
    tmp_path: Path,
    play: Callable[[Played], None],
    name: str,
    code: str,
    weight: Weight,
    zh_: str,
    en_: str,
) -> None:
    played = Played(tmp_path)
    play(played)
    found = played.found(name)
    assert code in found, {c: f.what.zh for c, f in found.items()}
    f = found[code]
    assert f.weight == weight
    assert zh_ in f.what.zh
    assert en_ in f.what.en
    assert f.todo.zh and f.todo.en
    assert not CHINESE.search(f.what.en + f.todo.en)


def test_a_station_that_is_well_has_nothing(tmp_path: Path) -> None:
    played = Played(tmp_path)
    for seq in range(20):
        played.rain("R01", 0.0, seq=seq)
        played.stage("S01", 0.5 + 0.01 * seq, seq=seq)
        played.tick(5)
    assert {c for c, f in played.found("R01").items() if f.weight > Weight.NOTE} == set()
    assert {c for c, f in played.found("S01").items() if f.weight > Weight.NOTE} == set()


def test_a_number_that_is_a_clock_or_goes_up_by_a_step_of_its_own_tells_of_no_loss(
    tmp_path: Path,
) -> None:
    """The minute as the number, told at once in rain and every plan interval else; one number for two
    quantities; and the same with a message lost."""
    played = Played(tmp_path)
    plan = played.district.stations["R01"].interval_s // 60
    wet = {3, 4, 7, 11, 12, 13, 20, 22}
    for minute in range(60):
        if minute in wet or not minute % plan:
            played.rain("R01", 0.2, seq=1000 + minute)
        if not minute % 5:
            played.rain("R02", 0.2, seq=7 + 2 * (minute // 5))
            played.rain("R03", 0.2, seq=7 + 2 * (minute // 5) + 2 * (minute > 30))
        played.tick(1)
    assert "seq_lost" not in played.found("R01")
    assert "seq_lost" not in played.found("R02")
    assert "1 numbers" in played.found("R03")["seq_lost"].what.en


def test_what_a_broken_sensor_shows_is_no_wrong_unit(tmp_path: Path) -> None:
    played = Played(tmp_path)
    played.stage("S01", 65.535)
    assert "unit_factor" not in played.found("S01")


def test_a_near_name_is_no_matter_of_those_that_are_heard(tmp_path: Path) -> None:
    """R1 is R01's, which is missing, and nothing of R11's, which speaks."""
    played = Played(tmp_path)
    for _ in range(9):
        played.say("station/R1/rain", {"time": played.at / 1000, "value": 1.0})
        played.rain("R11", 0.2)
        played.tick(5)
    assert "near_miss" in played.found("R01")
    assert not {"near_miss", "silent", "never_heard"} & played.found("R11").keys()
    played.rain("R01", 0.2)
    assert "near_miss" not in played.found("R01")


def telemetry() -> District:
    return replace(yanqing(), telemetry=TELEMETRY)


def test_a_telemetry_station_is_known_by_its_address(tmp_path: Path) -> None:
    """A report with a wrong check of its bytes, and one under an address that is nearly its own."""
    played = Played(tmp_path, telemetry())
    at = played.at
    body = sl651.report("0060321234", 1, at, 0x48, at, [sl651.element(0x39, 2.5, 4, 3)])
    broken = bytearray(sl651.frame("0060321234", 0x32, body))
    broken[-1] ^= 1
    played.say("gateway/G1/sl651", bytes(broken))
    strange = sl651.report("0060321243", 1, at, 0x48, at, [sl651.element(0x39, 2.5, 4, 3)])
    played.say("gateway/G1/sl651", sl651.frame("0060321243", 0x32, strange))
    played.tick(40)
    found = played.found("S01")
    assert "0060321234" in zh(found["never_heard"].todo)
    assert "no_listener" in found


def test_a_station_that_nobody_watches_and_one_that_no_rule_uses(tmp_path: Path) -> None:
    d = yanqing()
    odd = replace(d.stations["R01"], id="X1", quantity="gas")
    stations = {**d.stations, "X1": odd, "X2": replace(odd, id="X2")}
    groups = {**d.groups_of_station, "X1": d.groups_of_station["R01"]}
    played = Played(tmp_path, replace(d, stations=stations, groups_of_station=groups))
    assert "no_rule" in played.found("X1")
    assert played.found("X2")["not_watched"].weight == Weight.BLIND


def test_the_district_is_told_worst_first(tmp_path: Path) -> None:
    played = Played(tmp_path)
    wrong_unit(played)
    for _ in range(8):
        played.rain("R02", 0.2, seq=1)
        played.tick(5)
    case, line = played.examined()
    looked = everybody(case)
    assert [x.weight for x in looked] == sorted((x.weight for x in looked), reverse=True)
    said = list(district_lines(case, line, looked))
    assert re.search(r"\d+ 个看不见", zh(said[0]))
    rows = [zh(s) for s in said]
    assert sum("R01 " in r and "wrong_unit" in r for r in rows) == 1


def test_a_line_that_has_stopped_is_told_before_its_stations(tmp_path: Path) -> None:
    """An hour after its last tick nobody is silent because nobody listens."""
    played = Played(tmp_path)
    rains(played, "R01", 3)
    case, line = played.examined(after_ms=60 * MINUTE)
    assert [f.code for f in line][:1] == ["line_stopped"]
    assert case.now == played.at
    assert "silent" not in played.found("R01", after_ms=60 * MINUTE)


def test_what_never_ran_is_told_so(tmp_path: Path) -> None:
    from fengsui.doctor.examine import examine
    from fengsui.run.run_log import open_run_log
    from fengsui.run.setup import make_setup

    setup = make_setup(yanqing(), "live", tmp_path, start_at=T0)
    setup.folder.mkdir(parents=True)
    log = open_run_log(setup)
    assert "no_run" in [f.code for f in examine(setup, log, T0, None).line]
    log.close()


def test_a_broker_that_does_not_answer_is_told(tmp_path: Path) -> None:
    played = Played(tmp_path, broker="mqtt://127.0.0.1:9")
    rains(played, "R01", 2)
    line = {f.code: f for f in played.examined().line}
    assert "127.0.0.1:9" in line["broker_unreachable"].what.en


JOURNAL = """1787759000: New connection from 10.0.0.7:33012 on port 8883.
1787759000: Client <unknown> disconnected, not authorised.
1787759001: New client connected from 10.0.0.8:33022 as R02 (p2, c1, k60, u'R02').
1787759002: Denied PUBLISH from R03 (d0, q1, r0, m1, 'fengsui/live/yanqing/station/R3/rain', ... (5 bytes))
1787759003: Client R04 disconnected, not authorised.
"""


def test_the_brokers_journal_says_who_was_refused(tmp_path: Path) -> None:
    journal = tmp_path / "mosquitto.log"
    journal.write_text(JOURNAL)
    played = Played(tmp_path)
    played.tick(40)
    assert "wrong_password" in played.found("R04", journal=journal)
    assert "station/R3/rain" in played.found("R03", journal=journal)["wrong_topic"].what.en
    assert "connected" in played.found("R02", journal=journal)
    assert "10.0.0.7" in played.found("R01", journal=journal)["somebody_refused"].what.zh


def test_only_the_last_day_is_read_and_nothing_of_it_is_missed(tmp_path: Path) -> None:
    """Two days of readings and ticks: counts are the day's, whatever else the log holds."""
    played = Played(tmp_path)
    for _ in range(2 * 288):
        played.rain("R01", 0.2)
        played.tick(5)
    case = played.examined().case
    assert 287 <= case.heard.of("R01").count <= 289
    assert case.heard.things["R01"].last is not None
