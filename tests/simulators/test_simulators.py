"""The simulated district: weather, water, faults, loudspeakers, phones, replay and score."""

import gzip
import hashlib
import json
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.records.level import Action, Level
from dispatch.nodes.protocol import Command, sign
from simulators.carriers.phones import Carrier, encoded
from simulators.faults import Fault, Reading, suffer
from simulators.nodes import Nodes
from simulators.replay import BadRow, Measured, read_csv
from simulators.runoff import Basin, draw, runoff_mm_h, stage_m
from simulators.scenario import KEPT, SCENARIOS, TRAINING, Scenario, scenario, storm_set
from simulators.storm import Storm
from simulators.world import Publication, World
from skill.verify.storms import StormRow, WarnedVersion, alarming, score
from skill.verify.truth import Truth
from tests.support.by_scipy import stats
from tests.support.districts import yanqing

ROOT = Path(__file__).parents[2]
DISTRICT = yanqing()
GAUGES = [s.id for s in DISTRICT.stations.values() if s.quantity == "rain"]
START = 1_753_524_000_000
MINUTE = 60_000


@cache
def storm() -> World:
    return World(DISTRICT, scenario("yanqing-storm"))


def short(seed: int = 7, *faults: Fault) -> World:
    rain = Storm(cells=3, peak_mm_h=110.0, wide_mm_h=10.0, hours=2.7, first_h=0.0)
    return World(DISTRICT, Scenario("t", "t", rain, START, 0.5, 0.0, seed, faults))


def wire(world: World) -> list[Publication]:
    return [p for m in range(world.minutes + 3) for p in world.publications(m)]


# --- weather


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first = wire(short(7))
    assert wire(short(7)) == first
    other = wire(short(8))
    assert other != first
    assert {p.payload for p in other if "/frame/" in p.suffix}.isdisjoint(
        p.payload for p in first if "/frame/" in p.suffix
    )
    assert short(7).truth == short(7).truth


def test_the_seed_of_the_command_line_goes_before_the_scenarios() -> None:
    by_hand = World(DISTRICT, short(7).scenario, seed=8)
    assert (by_hand.rain == short(8).rain).all()


def test_the_storm_has_the_size_of_the_published_one() -> None:
    total = np.cumsum(storm().rain, axis=1)
    hour = (total[:, 60:] - total[:, :-60]).max()
    assert 80 <= hour <= 115  # 95.3 mm in the wettest hour of July 2025
    assert total[:, -1].max() < 543.4  # the wettest gauge of that whole week
    assert total[:, -1].min() > 5  # it rains everywhere


def test_the_wettest_hours_of_the_other_scenarios() -> None:
    for name, low, high in (("near-miss", 12, 40), ("dry-day", 0, 0), ("cloudburst", 40, 120)):
        total = np.cumsum(World(DISTRICT, scenario(name)).rain, axis=1)
        assert low <= (total[:, 60:] - total[:, :-60]).max() <= high


def test_tips_lose_no_rain_and_make_none() -> None:
    world = short()
    tipped = dict.fromkeys(GAUGES, 0)
    for m in range(world.minutes):
        for o in world.observations(m):
            if o.quantity == "rain":
                assert o.value >= 0 and o.observed_at == START + (m + 1) * MINUTE
                tipped[o.station] += o.value
    fallen = world.rain.sum(axis=1) * 10
    held_back = fallen - np.array([tipped[g] for g in GAUGES])
    assert (held_back >= -1e-6).all() and (held_back < 1).all()  # less than one tip
    assert fallen.max() > 50


def test_every_device_keeps_its_plan() -> None:
    world = World(DISTRICT, scenario("dry-day"))
    last: dict[str, int] = {}
    for m in range(130):
        for r in world.arrivals(m):
            last.setdefault(r.station, START)
            plan_s = (DISTRICT.stations.get(r.station) or DISTRICT.nodes[r.station]).interval_s
            assert r.observed_at - last[r.station] <= plan_s * 1000 + MINUTE
            last[r.station] = r.observed_at
    assert last.keys() == DISTRICT.stations.keys() | DISTRICT.nodes.keys()


def test_what_is_on_the_wire_is_what_was_measured() -> None:
    on_wire = {}
    for p in short().publications(7):
        _, station, quantity, *_ = p.suffix.split("/")
        if quantity != "frame":
            on_wire[station, quantity] = json.loads(p.payload)
    stepped = {(o.station, o.quantity): o for o in short().observations(7)}
    assert on_wire.keys() == stepped.keys()
    for key, o in stepped.items():
        body = on_wire[key]
        per_unit = {"mm": 10, "m": 1000, "%": 10}[body["unit"]]
        assert round(body["value"] * per_unit) == o.value
        assert round(body["time"] * 1000) == o.observed_at
        assert body["seq"] == o.seq


# --- water

BASIN = Basin(lag_min=30.0, loss_mm=10.0, share=0.5, full_mm_h=15.0)


def test_the_stream_lags_the_rain() -> None:
    rain = np.zeros(400)
    rain[60:90] = 2.0
    for lag in (20.0, 40.0, 60.0):
        flow = runoff_mm_h(BASIN._replace(lag_min=lag), rain)
        assert (flow[:65] == 0).all()  # the first 10 mm are lost
        centre = float((flow * np.arange(400)).sum() / flow.sum())
        assert centre - 77 == pytest.approx(lag, abs=6)
        assert flow.argmax() > 75


@pytest.mark.parametrize("seed", range(5))
def test_the_stream_is_the_cascade_of_three_reservoirs(seed: int) -> None:
    """By another hand: SciPy's gamma density and its filter."""
    rng = np.random.default_rng(seed)
    basin = draw(rng)
    rain = np.where(rng.random(2000) < 0.3, rng.exponential(0.8, 2000), 0.0)
    fallen = np.cumsum(rain)
    wet = np.clip((fallen - basin.loss_mm) / 60.0, 0, 1)
    effective = rain * basin.share * (0.3 + 0.7 * wet) * (fallen > basin.loss_mm)
    from scipy.signal import lfilter  # a second to load

    unit = stats().gamma.pdf(np.arange(1, int(basin.lag_min * 5)), a=3.0, scale=basin.lag_min / 3.0)
    expected = lfilter(unit / unit.sum(), [1.0], effective) * 60.0
    assert expected.max() > 1
    assert np.allclose(runoff_mm_h(basin, rain), expected, rtol=1e-12, atol=1e-12)


def test_runoff_is_a_share_of_the_rain() -> None:
    rain = np.zeros(900)
    rain[10:130] = 1.0
    volume = runoff_mm_h(BASIN, rain).sum() / 60
    assert 0.3 * 0.5 * 110 < volume < 0.5 * 110
    assert runoff_mm_h(BASIN, np.full(200, 0.04)).sum() == 0  # 8 mm wet the ground and no more


def test_stage_follows_the_rating() -> None:
    assert stage_m(BASIN, np.array([0.0, 15.0])) == pytest.approx([0.35, 2.2])
    assert (np.diff(stage_m(BASIN, np.linspace(0, 60, 50))) > 0).all()


def test_basins_are_drawn_within_their_bounds() -> None:
    basins = [draw(np.random.default_rng(n)) for n in range(50)]
    assert len({b.lag_min for b in basins}) == 50
    assert all(20 <= b.lag_min <= 60 and 0.35 <= b.share <= 0.6 for b in basins)


def test_stage_gauges_rise_after_the_rain_does() -> None:
    world = storm()
    of_basin = {s.id: s.basin for s in DISTRICT.stations.values() if s.quantity == "stage"}
    lags = []
    for basin in set(of_basin.values()):
        inside = [n for n, g in enumerate(GAUGES) if DISTRICT.stations[g].basin == basin]
        if not inside:
            continue
        rain = np.convolve(world.rain[inside].mean(axis=0), np.ones(30), "same")
        lags.append(int(world._level[basin].argmax()) - int(rain.argmax()))
    assert min(lags) > 0
    assert 20 <= float(np.median(lags)) <= 90  # several peaks: single basins may lag longer


def test_the_storm_floods_some_and_a_near_miss_and_a_dry_day_nobody() -> None:
    areas = {t.area for t in storm().truth}
    assert 0 < len(areas) <= len(DISTRICT.areas)
    assert all(START < t.flooded_at <= START + 7 * 3_600_000 for t in storm().truth)
    assert all(t.hazard in DISTRICT.areas[t.area].hazards for t in storm().truth)
    assert World(DISTRICT, scenario("near-miss")).truth == []
    assert World(DISTRICT, scenario("dry-day")).truth == []


def test_what_floods_is_what_its_worst_water_or_rain_allows() -> None:
    """Banks of 2.2 to 3.0 m, the stream there 0.85 to 1.1 of the gauge's; slopes of 3.2 to 4.6."""
    world = storm()
    flooded = {(t.area, t.hazard) for t in world.truth}
    for area in DISTRICT.areas.values():
        for hazard in area.hazards:
            low, high = (3.2, 4.6) if hazard == "debris_flow" else (2.2 / 1.1, 3.0 / 0.85)
            worst = world.worst(area.id, hazard)
            assert worst >= low if (area.id, hazard) in flooded else worst < high


def test_a_scenario_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match=r"no-such.*yanqing-storm"):
        scenario("no-such")
    assert {f.device for s in SCENARIOS.values() for f in s.faults} <= (
        DISTRICT.stations.keys() | DISTRICT.nodes.keys()
    )


def test_a_storm_is_the_same_whichever_is_the_first_that_is_played() -> None:
    assert storm_set(2, 3) == storm_set(5)[3:]
    assert storm_set(1, TRAINING + 7) == storm_set(8, TRAINING)[7:]
    assert storm_set(3, KEPT + 1) == storm_set(4, KEPT)[1:]


def test_the_storm_set_is_fixed_and_mixed() -> None:
    storms = storm_set(20)
    assert storms == storm_set(20) and storms[:10] == storm_set(10)
    assert len({s.seed for s in storms}) == 20
    kinds = {f.kind for s in storms for f in s.faults}
    assert kinds == {"dropout", "clogged", "stuck_high"}
    assert {f.device for s in storms for f in s.faults} <= DISTRICT.stations.keys()
    assert any(not s.faults for s in storms)


# --- faults


def _read(minute: int, value: int = 4, device: str = "g") -> Reading:
    return Reading(device, "rain", START + minute * MINUTE, value, minute)


def _suffer(kind: str, minutes: int = 40) -> list[tuple[int, list[Reading]]]:
    fault = Fault(kind, "g", 10, 30)  # type: ignore[arg-type]
    held: dict[str, list[Reading]] = {}
    return [
        (m, suffer([fault], m, [_read(m), _read(m, device="well")], held)) for m in range(minutes)
    ]


@pytest.mark.parametrize(
    ("kind", "during"),
    [
        ("dropout", []),
        ("clogged", [0]),
        ("drift", [6]),
        ("stuck_high", [80]),
        ("duplicates", [4, 4]),
        ("node_offline", []),
    ],
)
def test_a_fault_does_what_it_says_while_it_lasts(kind: str, during: list[int]) -> None:
    for minute, out in _suffer(kind):
        mine = [r.value for r in out if r.station == "g"]
        assert mine == (during if 10 <= minute < 30 else [4])
        assert [r.value for r in out if r.station == "well"] == [4]


def test_a_slow_clock_stamps_three_minutes_before() -> None:
    for minute, out in _suffer("clock"):
        (at,) = [r.observed_at for r in out if r.station == "g"]
        assert at == START + (minute - 3 * (10 <= minute < 30)) * MINUTE


def test_a_late_device_sends_ten_minutes_at_once_and_loses_none() -> None:
    arrived = {m: [r for r in out if r.station == "g"] for m, out in _suffer("late")}
    assert [len(arrived[m]) for m in range(8, 31)] == [1, 1, *([0] * 9), 10, *([0] * 9), 10, 1]
    assert [r for m in arrived for r in arrived[m]] == [_read(m) for m in range(40)]
    # what is still held when the fault ends comes with the next reading
    held: dict[str, list[Reading]] = {}
    fault = Fault("late", "g", 0, 5)
    found = [suffer([fault], m, [_read(m)], held) for m in range(7)]
    assert [len(f) for f in found] == [0] * 5 + [6, 1]


def test_faults_show_in_what_the_world_sends() -> None:
    whole, broken = (
        short(7),
        short(7, Fault("dropout", "R01", 5, 20), Fault("clogged", "R02", 0, 99)),
    )
    of_whole = [[o for o in whole.observations(m) if o.station == "R01"] for m in range(30)]
    seen = [broken.observations(m) for m in range(30)]
    of_broken = [[o for o in found if o.station == "R01"] for found in seen]
    assert of_broken[:5] == of_whole[:5] and of_broken[20:] == of_whole[20:]
    assert any(of_whole[5:20]) and not any(of_broken[5:20])
    assert {o.value for found in seen for o in found if o.station == "R02"} == {0}
    dead = short(7, Fault("node_offline", "N011", 3, 6))
    assert [dead.offline_nodes(m) for m in (2, 3, 5, 6)] == [set(), {"N011"}, {"N011"}, set()]


# --- loudspeakers

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
TRUSTED = KEY.public_key().public_bytes_raw()


def command(**more: object) -> Command:
    fields: dict[str, object] = {
        "id": "c1",
        "node": "N001",
        "alert": "a1",
        "version": 1,
        "area": "A01",
        "level": Level.RED,
        "action": Action.MOVE,
        "msg_type": "alert",
        "kind": "exercise",
        "text": "立即转移" * 9,  # 36 characters: 8 s
        "repeat": 2,
        "volume": 90,
        "issued_at": START,
        "expires_at": START + 600_000,
    }
    return Command(**{**fields, **more})  # type: ignore[arg-type]


def loudspeakers() -> Nodes:
    return Nodes(["N001", "N002"], TRUSTED, "exercise")


def test_a_loudspeaker_plays_what_it_is_told_in_its_time() -> None:
    nodes = loudspeakers()
    acks = nodes.hear("N001", sign(b"k" * 32, command()), START)
    assert [(a.state, a.id, a.node, a.at) for a in acks] == [
        ("accepted", "c1", "N001", START),
        ("playing", "c1", "N001", START),
    ]
    assert nodes.advance(START + 15_999) == []
    (played,) = nodes.advance(START + 60_000)
    assert (played.state, played.at) == ("played", START + 16_000)
    assert nodes.advance(START + 90_000) == []  # once


def test_a_second_command_waits_for_the_first() -> None:
    nodes = loudspeakers()
    for n in (1, 2):
        nodes.hear("N001", sign(b"k" * 32, command(id=f"c{n}", alert=f"a{n}")), START)
    played = [a for a in nodes.advance(START + 60_000) if a.state == "played"]
    assert [(a.id, a.at - START) for a in played] == [
        ("c1", 16_000),
        ("c2", 32_000),
    ]


@pytest.mark.parametrize(
    ("more", "now_at", "reason"),
    [
        ({"node": "N002"}, START, "wrong_node"),
        ({"kind": "live"}, START, "wrong_kind"),
        ({}, START + 600_000, "expired"),
    ],
)
def test_a_loudspeaker_refuses(more: dict[str, object], now_at: int, reason: str) -> None:
    nodes = loudspeakers()
    (ack,) = nodes.hear("N001", sign(b"k" * 32, command(**more)), now_at)
    assert (ack.state, ack.detail) == ("refused", reason)
    assert nodes.nodes["N001"].heard == [] and nodes.nodes["N001"].refused == {reason: 1}
    assert nodes.advance(START + 3_600_000) == []


def test_a_forged_command_is_not_even_answered() -> None:
    nodes = loudspeakers()
    true = sign(b"k" * 32, command())
    forged = [
        sign(b"x" * 32, command()),
        true.replace("立即转移".encode(), "一切平安".encode(), 1),
        b"{}",
        b"\xff\x00",
        b"",
    ]
    for payload in forged:
        assert nodes.hear("N001", payload, START) == []
    assert nodes.nodes["N001"].refused == {"bad_signature": 2, "bad_payload": 3}
    assert nodes.nodes["N001"].heard == []


def test_the_same_command_again_is_answered_and_not_played_again() -> None:
    nodes = loudspeakers()
    payload = sign(b"k" * 32, command())
    nodes.hear("N001", payload, START)
    assert [a.state for a in nodes.hear("N001", payload, START + 1000)] == ["playing"]
    assert len(nodes.advance(START + 30_000)) == 1
    # after it has expired as well
    assert [a.state for a in nodes.hear("N001", payload, START + 900_000)] == ["played"]
    assert len(nodes.nodes["N001"].heard) == 1
    assert nodes.advance(START + 3_600_000) == []


def test_an_older_version_is_refused_after_a_newer() -> None:
    nodes = loudspeakers()
    nodes.hear("N001", sign(b"k" * 32, command(id="c2", version=2)), START)
    (ack,) = nodes.hear("N001", sign(b"k" * 32, command(id="c1", version=1)), START)
    assert (ack.state, ack.detail) == ("refused", "older_version")
    assert len(nodes.hear("N002", sign(b"k" * 32, command(node="N002")), START)) == 2


def test_without_power_it_is_silent_and_plays_later() -> None:
    nodes = loudspeakers()
    nodes.offline = {"N001"}
    assert nodes.hear("N001", sign(b"k" * 32, command()), START) == []
    assert nodes.hear("N999", sign(b"k" * 32, command(node="N999")), START) == []
    nodes.offline = set()
    nodes.hear("N001", sign(b"k" * 32, command()), START)
    nodes.offline = {"N001"}
    assert nodes.advance(START + 60_000) == []
    nodes.offline = set()
    assert len(nodes.advance(START + 60_000)) == 1


# --- phones


@pytest.fixture
def carrier() -> object:
    found = Carrier()
    yield found
    found.close()


def _post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        return e.code


def test_the_gateway_takes_a_key_once(carrier: Carrier) -> None:
    body = json.dumps({"message": "请回复1"}).encode()
    for _ in range(3):
        assert _post(f"{carrier.url}/sms?key=k1&to=p1", body) == 200
    assert _post(f"{carrier.url}/app?key=k2&to=p1", body) == 200
    assert carrier.posts == 4
    assert [(s.channel, s.key, s.text) for s in carrier.taken.values()] == [
        ("sms", "k1", "请回复1"),
        ("app", "k2", "请回复1"),
    ]


def test_the_gateway_refuses_what_it_cannot_deliver(carrier: Carrier) -> None:
    for path, body in (("/sms?to=p1", b"{}"), ("/sms?key=k", b"{}"), ("/sms", b"no json")):
        assert _post(carrier.url + path, body) == 400
    assert carrier.taken == {} and carrier.posts == 0


def test_what_becomes_of_a_message_is_drawn_from_its_key() -> None:
    def receipts(text: str) -> list[tuple[str, bytes]]:
        carrier = Carrier()
        try:
            for n in range(300):
                carrier.take("sms", {"key": f"k{n}", "to": f"p{n}", "message": text})
            found = [r for s in range(0, 301, 30) for r in carrier.advance(START + s * 1000)]
            assert carrier.advance(START + 10**7) == []
            return [(channel, encoded(r)) for channel, r in found]
        finally:
            carrier.close()

    asked = receipts("请回复1")
    assert receipts("请回复1") == asked
    states = [json.loads(body)["status"] for _, body in asked]
    assert states.count("delivered") + states.count("undelivered") == 300
    assert 2 <= states.count("undelivered") <= 30
    assert 240 <= states.count("answered") < states.count("delivered")
    assert "answered" not in {json.loads(b)["status"] for _, b in receipts("雨停了")}
    assert all(b"p1" not in body for _, body in asked)  # no telephone number comes back


def test_a_telephone_waits_for_no_step_of_the_simulation(carrier: Carrier) -> None:
    assert carrier.advance(START) == []
    on = next(f"p{n}" for n in range(9) if _is_on(f"p{n}"))
    carrier.take("sms", {"key": "k", "to": on, "message": "x"})
    ((_, receipt),) = carrier.advance(START + 60_000)
    assert (receipt.status, receipt.at) == ("delivered", START + 3_000)


def _is_on(to: str) -> bool:
    """As the carrier draws it, with a share of 4 % that is off."""
    return int(hashlib.sha256(to.encode()).hexdigest()[:8], 16) / 2**32 > 0.05


# --- replay


def _csv(folder: Path, text: str, name: str = "rain.csv") -> Path:
    path = folder / name
    body = text.encode()
    path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    return path


@pytest.mark.parametrize("name", ["rain.csv", "rain.csv.gz"])
def test_rows_of_a_csv_and_what_is_wrong_with_the_others(tmp_path: Path, name: str) -> None:
    path = _csv(
        tmp_path,
        "\ufeffstation,quantity,time,value,note\n"
        "R01,rain,2025-07-26T18:00:00+08:00,1.5,x\n"
        "R01,rain,2025-07-26T10:00:00Z,1.5,x\n"
        "R01,rain,2025-07-26T10:00:00,1.5,x\n"
        "R01,rain,yesterday,1.5,x\n"
        "R01,rain,2025-07-26T10:00:00Z,wet,x\n"
        "R01,rian,2025-07-26T10:00:00Z,1.5,x\n"
        "R01,rain\n"
        "S01,stage,2025-07-26T10:05:00.500Z,-0.25,\n",
        name,
    )
    found = list(read_csv(path))
    good = Measured(START, "R01", "rain", 1.5)
    assert found[:2] == [good, good]
    assert found[-1] == Measured(START + 300_500, "S01", "stage", -0.25)
    bad = found[2:-1]
    assert [b.row for b in bad if isinstance(b, BadRow)] == [4, 5, 6, 7, 8]
    assert "offset" in bad[0].why and "rian" in bad[3].why  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_value_that_is_no_number_is_a_bad_row(tmp_path: Path, value: str) -> None:
    path = _csv(tmp_path, f"station,quantity,time,value\nR01,rain,2025-07-26T10:00:00Z,{value}\n")
    (found,) = read_csv(path)
    assert isinstance(found, BadRow)


def test_a_csv_without_its_columns_is_refused_by_name(tmp_path: Path) -> None:
    for text in ("station,time,value\n", "", "a;b\n1;2\n"):
        with pytest.raises(ValueError, match="quantity"):
            list(read_csv(_csv(tmp_path, text)))


# --- score

FLOOD = START + 5 * 3_600_000
KEY_A = ("A01", "flash_flood")


def _warned(
    *leads_s: int, level: int = 3, action: int = 0
) -> dict[tuple[str, str], list[WarnedVersion]]:
    return {KEY_A: [WarnedVersion(FLOOD - s * 1000, level, action) for s in leads_s]}


@pytest.mark.parametrize(
    ("leads", "lead", "counts"),
    [
        ((3600, 1800), 3600, (1, 0, 0)),  # the first useful one counts
        ((600,), 600, (1, 0, 0)),
        ((599,), 599, (0, 1, 0)),  # too short to leave
        ((-60,), None, (0, 1, 0)),  # after the water
        ((), None, (0, 1, 0)),
        ((6 * 3600,), 6 * 3600, (1, 0, 0)),
    ],
)
def test_hits_and_misses(
    leads: tuple[int, ...], lead: int | None, counts: tuple[int, int, int]
) -> None:
    found = score([Truth(*KEY_A, FLOOD)], _warned(*leads))
    assert (found.hits, found.misses, found.false_alarms) == counts
    assert [r.lead_s for r in found.rows] == [lead]


def test_an_alarm_without_a_flood_is_false_and_a_blue_one_is_no_alarm() -> None:
    assert score([], _warned(0, 60)).false_alarms == 1
    assert score([], _warned(0, level=2)).rows == []
    assert score([], _warned(0, level=0, action=1)).false_alarms == 1
    assert not alarming(WarnedVersion(0, Level.YELLOW, 0)) and alarming(
        WarnedVersion(0, Level.ORANGE, 0)
    )


def _version(lead_s: int, level: int = 3, for_s: int = 3600) -> WarnedVersion:
    at = FLOOD - lead_s * 1000
    return WarnedVersion(at, level, 0, at + for_s * 1000)


@pytest.mark.parametrize(
    ("versions", "counts"),
    [
        # renewed all the time, it is the warning of eight hours ago: not of this flood
        ([_version(n * 1800) for n in range(16, 0, -1)], (0, 1, 1)),
        # one that ran out or was called off is over: the next is a warning of its own
        ([_version(8 * 3600), _version(3600)], (1, 0, 1)),
        (
            [_version(9 * 3600, for_s=40_000), _version(8 * 3600, level=0), _version(3600)],
            (1, 0, 1),
        ),
        # called off and raised again within half an hour is one
        ([_version(7000), _version(6000, level=0), _version(5000)], (1, 0, 0)),
        ([_version(-3600)], (0, 1, 0)),  # late: there was a flood
        ([_version(-7 * 3600)], (0, 1, 1)),  # of no flood any more
    ],
)
def test_an_alarm_is_matched_from_its_begin_to_its_end(
    versions: list[WarnedVersion], counts: tuple[int, int, int]
) -> None:
    found = score([Truth(*KEY_A, FLOOD)], {KEY_A: versions})
    assert (found.hits, found.misses, found.false_alarms) == counts


def test_another_hazard_is_another_row() -> None:
    found = score([Truth("A01", "debris_flow", FLOOD)], _warned(1800))
    assert found.rows == [
        StormRow("A01", "debris_flow", FLOOD, None, None),
        StormRow(*KEY_A, None, FLOOD - 1_800_000, None),
    ]
    assert (found.hits, found.misses, found.false_alarms) == (0, 1, 1)


def test_receipts_read_back() -> None:
    carrier = Carrier()
    try:
        carrier.take("app", {"key": "k", "to": "p", "message": ""})
        ((channel, receipt),) = carrier.advance(START) + carrier.advance(START + 60_000)
        assert channel == "app"
        assert msgspec.json.decode(encoded(receipt), type=type(receipt)) == receipt
    finally:
        carrier.close()


def test_observers_report_what_happened_and_nothing_else() -> None:
    world = World(DISTRICT, scenario("cloudburst"))
    said = [p for m in range(world.minutes + 30) for p in world.spoken(m)]
    hit = {t.area for t in world.truth}
    persons = {p.suffix.split("/")[1] for p in said}
    assert persons
    assert all(set(DISTRICT.contacts[p].areas) & hit for p in persons)
    assert World(DISTRICT, scenario("dry-day"))._spoken == []


def test_a_staff_is_looked_at_until_its_water_has_been_low_for_hours_and_shows_it_fall() -> None:
    """Else no rule could see that a flood of the river is over, and a played storm had no all-clear."""
    world = storm()
    staffs = [
        s
        for s in DISTRICT.stations.values()
        if s.id in DISTRICT.cameras and DISTRICT.cameras[s.id].staff
    ]
    assert staffs
    for camera in staffs:
        heights = [world.stage_at(camera.basin, m) for m in range(world.minutes + 600)]
        assert max(heights) > 1.5
        high = max(m for m, level in enumerate(heights) if level >= 1.0)
        assert all(world.looked_at(camera, m) for m in range(high, high + 180))
        assert not world.looked_at(camera, high + 300)
        after = heights[world.minutes :]
        assert after == sorted(after, reverse=True), "after the storm it falls"
        assert after[-1] < 0.4
    gully = next(s for s in DISTRICT.stations.values() if s.quantity == "frame" and s not in staffs)
    assert not world.looked_at(gully, 120)
