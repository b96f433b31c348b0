"""Named scenarios, those of drills among them, and the sets of storms for scoring."""

from typing import NamedTuple

from config.language import Text
from simulators.faults import Fault
from simulators.storm import Storm
from simulators.wave import Wave


class PhonesOff(NamedTuple):
    """Base stations that are dead from minute `start` to `end`: this share of the phones is lost."""

    start: int
    end: int
    share: float


class Scenario(NamedTuple):
    """One play: weather, when, how fast it is shown, and what is broken."""

    name: str
    title: Text
    storm: Storm
    start_at: int  # ms
    hours: float
    speed: float  # scenario seconds a second
    seed: int
    faults: tuple[Fault, ...] = ()
    slot_s: int = 60
    phones_off: tuple[PhonesOff, ...] = ()
    broken_off_min: int | None = None  # the director breaks the drill off: the real thing comes
    wave: Wave | None = None  # of a district with reaches.csv


_START = 1_753_524_000_000  # 2025-07-26T10:00:00Z, 18:00 in Beijing
_NIGHT = _START + 6 * 3_600_000 + 1_800_000  # half past midnight
_NO_RAIN = Storm(cells=0, peak_mm_h=0.0, wide_mm_h=0.0, hours=4.0, first_h=0.0)

SCENARIOS = {
    s.name: s
    for s in (
        Scenario(
            "yanqing-storm",
            Text(
                "模拟暴雨过程（移用 2025 年 7 月下旬北京山区量级）", "a storm of July 2025's size"
            ),
            Storm(cells=8, peak_mm_h=104.0, wide_mm_h=9.0, hours=6.5, first_h=0.5),
            _START,
            hours=7.0,
            speed=400.0,
            seed=20250726,
            faults=(
                Fault("dropout", "R08", 150, 600),
                Fault("clogged", "R21", 60, 600),
                Fault("duplicates", "R02", 0, 600),
                Fault("late", "R05", 90, 400),
                Fault("node_offline", "N011", 0, 10_000),
            ),
        ),
        Scenario(
            "cloudburst",
            Text("一小时强对流", "an hour of heavy rain"),
            Storm(cells=3, peak_mm_h=110.0, wide_mm_h=4.0, hours=2.7, first_h=0.0),
            _START,
            hours=1.5,
            speed=200.0,
            seed=7,
        ),
        Scenario(
            "near-miss",
            Text("接近阈值而未成灾", "close to the thresholds, no disaster"),
            Storm(cells=3, peak_mm_h=30.0, wide_mm_h=3.0, hours=6.0, first_h=0.5),
            _START,
            hours=7.0,
            speed=400.0,
            seed=11,
        ),
        Scenario(
            "dry-day",
            Text("无雨", "a dry day"),
            Storm(cells=0, peak_mm_h=0.0, wide_mm_h=0.0, hours=4.0, first_h=0.0),
            _START,
            hours=4.0,
            speed=600.0,
            seed=12,
        ),
        Scenario(
            "yanqing-night",
            Text(
                "演练：夜间短时暴雨，基站和供电中断",
                "drill: a burst at night, base stations and power die",
            ),
            Storm(cells=6, peak_mm_h=108.0, wide_mm_h=5.0, hours=3.0, first_h=0.0),
            _NIGHT,
            hours=3.0,
            speed=200.0,
            seed=20250727,
            faults=(
                *(Fault("dropout", f"R{n:02d}", 45, 600) for n in (19, 28, 29, 30, 42, 43)),
                *(
                    Fault("node_offline", f"N{n:03d}", 50, 10_000)
                    for n in (*range(37, 43), *range(51, 59), 75, 76, 77)
                ),
            ),
            phones_off=(PhonesOff(45, 110, 0.45), PhonesOff(110, 10_000, 0.7)),
        ),
        Scenario(
            "yanqing-long-rain",
            Text("演练：长时间降雨，雨量计失真", "drill: slow long rain, and gauges that lie"),
            Storm(cells=5, peak_mm_h=66.0, wide_mm_h=14.0, hours=11.0, first_h=2.0),
            _START,
            hours=11.0,
            speed=600.0,
            seed=20250728,
            faults=(
                Fault("clogged", "R42", 60, 10_000),
                Fault("drift", "R30", 0, 10_000),
                Fault("stuck_high", "R05", 150, 162),
                Fault("clock", "R38", 0, 10_000),
                Fault("late", "R33", 120, 500),
            ),
        ),
        Scenario(
            "yanqing-broken-off",
            Text("演练：进行中发布实况红色预警，中止演练", "drill: broken off by a real red"),
            Storm(cells=8, peak_mm_h=104.0, wide_mm_h=9.0, hours=6.5, first_h=0.0),
            _START,
            hours=7.0,
            speed=400.0,
            seed=20250729,
            broken_off_min=130,
        ),
        # of config/examples/valley
        Scenario(
            "valley-lake-burst",
            Text(
                "峡谷：堰塞湖溃决，无雨，测站先后被冲走",
                "a lake bursts without rain and takes the gauges",
            ),
            _NO_RAIN,
            _START,
            hours=4.0,
            speed=300.0,
            seed=20260826,
            wave=Wave("S01", 60, 5.0),
        ),
        Scenario(
            "valley-carrier-out",
            Text("峡谷：运营商中断", "a carrier is out"),
            _NO_RAIN,
            _START,
            hours=4.0,
            speed=300.0,
            seed=20260827,
            faults=tuple(Fault("dropout", s, 60, 180) for s in ("S01", "S02", "S03", "S04", "R01")),
        ),
        Scenario(
            "valley-power-out",
            Text("峡谷：停电，电池自下而上耗尽", "power is out, batteries run out up the valley"),
            _NO_RAIN,
            _START,
            hours=4.0,
            speed=300.0,
            seed=20260828,
            faults=tuple(
                Fault("dropout", s, m, 10_000)
                for s, m in (("S03", 60), ("S02", 85), ("S01", 110), ("R01", 120), ("R03", 130))
            ),
        ),
        Scenario(
            "valley-gauges-fail",
            Text("峡谷：暴雨中测站零星故障", "gauges fail here and there in a storm"),
            Storm(cells=3, peak_mm_h=30.0, wide_mm_h=3.0, hours=4.0, first_h=0.0),
            _START,
            hours=4.0,
            speed=300.0,
            seed=20260829,
            faults=tuple(
                Fault("dropout", s, m, 10_000)
                for s, m in (("S04", 40), ("S05", 75), ("R02", 90), ("S02", 150))
            ),
        ),
    )
}


def scenario(name: str) -> Scenario:
    """Raises ValueError naming those that exist."""
    if name not in SCENARIOS:
        raise ValueError(
            Text(
                f"没有情景 {name!r}，有：{', '.join(SCENARIOS)}",
                f"there is no scenario {name!r}; there are {', '.join(SCENARIOS)}",
            )
        )
    return SCENARIOS[name]


TRAINING, KEPT = 500, 1000  # of `storm_set`


def storm_set(count: int, first: int = 0) -> list[Scenario]:
    """`count` storms from the `first` seed on: in turn strong, moderate, near miss, dry; every third
    with dead gauges, every fifth with lying ones. Scores are of the first seeds, rules are tuned on
    those from `TRAINING` on, and what was looked at by nobody begins at `KEPT`. Each of these three
    sets is counted from its own beginning, so a storm is the same whichever is the first to be played."""
    begin = max(n for n in (0, TRAINING, KEPT) if n <= first)
    kinds = (
        ("strong", Storm(6, 100.0, 6.0, 8.0, 0.5), 9.0),
        ("moderate", Storm(4, 60.0, 4.0, 7.0, 0.5), 8.0),
        ("near-miss", Storm(3, 32.0, 3.0, 6.0, 0.5), 7.0),
        ("strong", Storm(4, 85.0, 3.0, 6.0, 0.5), 7.0),
        ("dry", Storm(0, 0.0, 0.0, 3.0, 0.0), 3.0),
    )
    found = []
    for n in range(first - begin, first - begin + count):
        name, storm, hours = kinds[n % len(kinds)]
        faults: tuple[Fault, ...] = ()
        if n % 3 == 2:
            faults += tuple(
                Fault("dropout", f"R{1 + (7 * n + k) % 51:02d}", 40, 900) for k in range(6)
            )
        if n % 5 == 3:
            faults += tuple(
                Fault("clogged", f"R{1 + (11 * n + k) % 51:02d}", 0, 900) for k in range(4)
            )
            faults += (Fault("stuck_high", f"R{1 + (5 * n) % 51:02d}", 60, 75),)
        seed = 9_000 + begin + n
        found.append(
            Scenario(f"{name}-{n}", Text(name, name), storm, _START, hours, 0.0, seed, faults)
        )
    return found
