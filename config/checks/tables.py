"""What must be true of a district's tables, one by one and between them."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from config.read.problem import Problem, problem
from config.records.district import (
    ADDRESS_COLUMN,
    Area,
    Basin,
    Contact,
    Node,
    RainThreshold,
    StageThreshold,
    Station,
    Watch,
)
from config.records.level import HAZARD_ZH
from config.records.quantity import QUANTITIES, unknown

RULES = ("rain_threshold", "stage_trend", "camera_motion", "silence", "observer")
QUIET = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
LEVELS = ("blue", "yellow", "orange", "red")
ACTIONS = ("prepare", "move")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


class Check:
    """What must agree between the files."""

    def __init__(
        self,
        problems: list[Problem],
        basins: dict[str, Basin],
        areas: dict[str, Area],
        stations: dict[str, Station],
    ) -> None:
        self.problems = problems
        self.basin = basins
        self.area = areas
        self.station = stations

    def known(
        self,
        file: str,
        row: int,
        column: str,
        key: str,
        table: dict[str, Any],
        hint: Callable[[str], str] = lambda _: "先在对应文件登记 declare it first",
    ) -> bool:
        """Whether `key` is in a table; if not, a problem. hint: what to do about a key that is not."""
        if key in table:
            return True
        self.problems.append(
            problem(
                file,
                row,
                column,
                f"{key!r} 不存在 does not exist",
                hint(key),
            )
        )
        return False

    def least(
        self, file: str, row: int, column: str, value: float, low: float, high: float
    ) -> None:
        if not low <= value <= high:
            self.problems.append(
                problem(file, row, column, f"{value:g} 越界 is out of range", f"{low:g} … {high:g}")
            )

    def place(self, file: str, row: int, at: Area | Station | Node) -> None:
        self.least(file, row, "lon", at.lon, -180, 180)
        self.least(file, row, "lat", at.lat, -90, 90)

    def areas(self, rows: list[tuple[int, Area]], shapes: dict[str, Any]) -> None:
        file = "areas.csv"
        for n, a in rows:
            self.known(file, n, "basin", a.basin, self.basin)
            self.place(file, n, a)
            self.least(file, n, "population", a.population, 0, 10_000_000)
            if not re.fullmatch(r"\d{12}", a.division):
                self.problems.append(
                    problem(
                        file,
                        n,
                        "division",
                        f"{a.division!r} 不是 12 位区划代码 is not a 12-digit code",
                    )
                )
            for hazard in a.hazards or ("",):
                if hazard not in HAZARD_ZH:
                    self.problems.append(
                        problem(
                            file,
                            n,
                            "hazards",
                            f"{hazard!r} 不是灾种 is not a hazard",
                            ", ".join(HAZARD_ZH),
                        )
                    )
            if a.id not in shapes:
                self.problems.append(
                    problem("areas.geojson", 0, a.id, "缺少面 has no polygon", "画出预警区 draw it")
                )
        for key in shapes:
            self.known("areas.geojson", 0, key, key, self.area)

    def stations(self, rows: list[tuple[int, Station]]) -> None:
        file = "stations.csv"
        for n, s in rows:
            self.known(file, n, "basin", s.basin, self.basin)
            self.known(file, n, "quantity", s.quantity, QUANTITIES, unknown)
            self.place(file, n, s)
            self.least(file, n, "elevation_m", s.elevation_m, -500, 9000)
            self.least(file, n, "interval_s", s.interval_s, 1, 86_400)
            self.least(file, n, "silent_after_s", s.silent_after_s, s.interval_s, 7 * 86_400)
            self.least(file, n, "sum_interval_s", s.sum_interval_s, 1, 86_400)
            if s.low is not None and s.high is not None and s.low >= s.high:
                self.problems.append(
                    problem(file, n, "high", "应大于 low must be above low", f"low {s.low:g}")
                )
            self.least(file, n, "wrap_mm", s.wrap_mm, 0, 1_000_000)
            self.least(file, n, "calibrate_days", s.calibrate_days, 1, 3650)
            if s.calibrated and not _is_day(s.calibrated):
                text = f"{s.calibrated!r} 不是日期 is not a day"
                self.problems.append(
                    problem(
                        file, n, "calibrated", text, "写成 as 2026-05-01；不知道就留空 or nothing"
                    )
                )

    def nodes(self, rows: list[tuple[int, Node]]) -> None:
        for n, node in rows:
            self.known("nodes.csv", n, "area", node.area, self.area)
            self.place("nodes.csv", n, node)
            self.least("nodes.csv", n, "range_m", node.range_m, 1, 50_000)
            self.least("nodes.csv", n, "interval_s", node.interval_s, 1, 86_400)
            self.least(
                "nodes.csv", n, "silent_after_s", node.silent_after_s, node.interval_s, 7 * 86_400
            )
            for column in ("sign_key", "box_key"):
                if not re.fullmatch(r"([0-9a-f]{64})?", getattr(node, column)):
                    text = "不是公钥 is not a public key"
                    hint = "64 位小写十六进制 64 hex digits, as `fengsui node` prints them"
                    self.problems.append(problem("nodes.csv", n, column, text, hint))

    def watches(self, rows: list[tuple[int, Watch]]) -> None:
        seen = set()
        watched = set()
        for n, w in rows:
            if self.known("watch.csv", n, "area", w.area, self.area) & self.known(
                "watch.csv", n, "station", w.station, self.station
            ):
                watched.add(w.area)
                if (w.area, w.station) in seen:
                    self.problems.append(
                        problem("watch.csv", n, "station", "重复 stands twice", "删去 remove")
                    )
                seen.add((w.area, w.station))
        for area in self.area.keys() - watched:
            self.problems.append(
                problem(
                    "watch.csv",
                    0,
                    "area",
                    f"{area} 没有监测站 no station watches this area",
                    "至少一个 add one",
                )
            )

    def contacts(self, rows: list[tuple[int, Contact]]) -> None:
        file = "contacts.csv"
        for n, c in rows:
            if not c.areas:
                self.problems.append(
                    problem(file, n, "areas", "没有预警区 no area", "区号或 * an id or *")
                )
            for area in c.areas:
                if area != "*":
                    self.known(file, n, "areas", area, self.area)
            for channel in c.channels or ("",):
                column = ADDRESS_COLUMN.get(channel)
                if column is None:
                    self.problems.append(
                        problem(
                            file,
                            n,
                            "channels",
                            f"{channel!r} 不是渠道 is not a channel",
                            ";".join(ADDRESS_COLUMN),
                        )
                    )
                elif not getattr(c, column):
                    self.problems.append(
                        problem(
                            file,
                            n,
                            column,
                            f"{channel} 没有号码 has no address",
                            "填写或去掉该渠道 fill it in or drop the channel",
                        )
                    )
            if c.email and not re.fullmatch(r"[^@\s]+@[^@\s]+", c.email):
                self.problems.append(
                    problem(file, n, "email", "不是邮箱地址 is not a mail address")
                )
            if c.phone and not re.fullmatch(r"\+?[0-9-]{5,20}", c.phone):
                self.problems.append(
                    problem(file, n, "phone", "不是电话号码 is not a telephone number")
                )
            self._choices(file, n, c)

    def _choices(self, file: str, n: int, c: Contact) -> None:
        """What a subscriber may choose, and who may not."""
        for column in ("category", "hazards", "quiet"):
            if getattr(c, column) and c.role != "residents":
                text = "只有 residents 可填 only residents may have it"
                hint = "清空：责任人等收到全部 leave it empty: all others are told of everything"
                self.problems.append(problem(file, n, column, text, hint))
        for hazard in c.hazards:
            if hazard not in HAZARD_ZH:
                text = f"{hazard!r} 不是灾种 is not a hazard"
                self.problems.append(problem(file, n, "hazards", text, ";".join(HAZARD_ZH)))
        if c.quiet and not QUIET.fullmatch(c.quiet):
            text = "不是时段 is not a span of hours"
            self.problems.append(problem(file, n, "quiet", text, "22:00-06:30"))
        self.least(file, n, "people", c.people, 1, 100_000)

    def _ascending(self, file: str, n: int, row: Any, names: Sequence[str]) -> None:
        last = None
        for name in names:
            value = getattr(row, name)
            if value is None:
                continue
            if value < 0 and file == "thresholds_rain.csv":
                self.problems.append(problem(file, n, name, f"{value:g} 为负 is negative"))
            if last is not None and value < last:
                self.problems.append(
                    problem(file, n, name, f"{value:g} 低于前一级 is below the level before it")
                )
            last = value

    def rain(self, rows: list[tuple[int, RainThreshold]], watches: list[tuple[int, Watch]]) -> None:
        file = "thresholds_rain.csv"
        gauged = {
            w.area
            for _, w in watches
            if w.station in self.station
            and self.station[w.station].quantity in ("rain", "rain_counter")
        }
        seen: dict[tuple[str, str, int, str], RainThreshold] = {}
        for n, t in rows:
            if not self.known(file, n, "area", t.area, self.area):
                continue
            if t.hazard not in self.area[t.area].hazards:
                self.problems.append(
                    problem(
                        file, n, "hazard", f"{t.hazard!r} 不是该区灾种 is not a hazard of {t.area}"
                    )
                )
            if not 1 <= t.window_min <= 1440:
                self.problems.append(
                    problem(
                        file, n, "window_min", f"{t.window_min} 越界 is out of range", "1 … 1440"
                    )
                )
            if t.area not in gauged:
                self.problems.append(
                    problem(
                        file,
                        n,
                        "area",
                        f"{t.area} 没有雨量站 no rain gauge watches it",
                        "watch.csv",
                    )
                )
            self._ascending(file, n, t, [f"{lv}_mm" for lv in LEVELS])
            self._ascending(file, n, t, [f"{a}_mm" for a in ACTIONS])
            key = (t.area, t.hazard, t.window_min, t.wetness)
            if key in seen:
                self.problems.append(
                    problem(file, n, "window_min", "该行重复 this row stands twice", "删去 remove")
                )
            seen[key] = t
        self._wetness(rows, seen)

    def _wetness(
        self,
        rows: list[tuple[int, RainThreshold]],
        seen: dict[tuple[str, str, int, str], RainThreshold],
    ) -> None:
        """All three classes, and wetter ground never needs more rain."""
        file = "thresholds_rain.csv"
        numbers = {(t.area, t.hazard, t.window_min): n for n, t in rows}
        for (area, hazard, window), n in numbers.items():
            found = [seen.get((area, hazard, window, w)) for w in ("wet", "normal", "dry")]
            if None in found:
                self.problems.append(
                    problem(
                        file,
                        n,
                        "wetness",
                        f"{area} {hazard} {window} min 三种湿度不全 needs dry, normal and wet",
                    )
                )
                continue
            for name in [f"{x}_mm" for x in (*LEVELS, *ACTIONS)]:
                values = [v for t in found if (v := getattr(t, name)) is not None]
                if values != sorted(values):
                    self.problems.append(
                        problem(
                            file,
                            n,
                            name,
                            f"{area} {window} min: 越湿阈值应越低 wetter ground needs no more rain",
                        )
                    )

    def stage(
        self, rows: list[tuple[int, StageThreshold]], watches: list[tuple[int, Watch]]
    ) -> None:
        file = "thresholds_stage.csv"
        pairs = {(w.area, w.station) for _, w in watches}
        seen = set()
        for n, t in rows:
            if (t.area, t.hazard, t.station) in seen:
                self.problems.append(problem(file, n, "station", "该行重复 this row stands twice"))
            seen.add((t.area, t.hazard, t.station))
            if not self.known(file, n, "area", t.area, self.area) & self.known(
                file, n, "station", t.station, self.station
            ):
                continue
            if t.hazard not in self.area[t.area].hazards:
                self.problems.append(
                    problem(
                        file, n, "hazard", f"{t.hazard!r} 不是该区灾种 is not a hazard of {t.area}"
                    )
                )
            if (t.area, t.station) not in pairs:
                self.problems.append(
                    problem(
                        file,
                        n,
                        "station",
                        f"{t.area} 不看 {t.station} does not watch it",
                        "watch.csv",
                    )
                )
            if self.station[t.station].quantity not in ("stage", "depth"):
                self.problems.append(
                    problem(file, n, "station", f"{t.station} 不是水位站 measures no stage")
                )
            self._ascending(file, n, t, [f"{lv}_m" for lv in LEVELS])
            self._ascending(file, n, t, [f"{a}_m" for a in ACTIONS])
            self.least(file, n, "rise_m_per_h", t.rise_m_per_h, 0.001, 100)
            self.least(file, n, "ahead_min", t.ahead_min, 1, 1440)
