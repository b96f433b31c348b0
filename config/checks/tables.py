"""What must be true of a district's tables, one by one and between them."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from config.language import Said, Text
from config.read.problem import Problem, no_hazard, out_of_range, problem, unknown_name
from config.records.channels import ADDRESS_COLUMN
from config.records.district import (
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

    def _wrong(self, file: str, row: int, column: str, message: Said, hint: Said = "") -> None:
        self.problems.append(problem(file, row, column, message, hint))

    def known(
        self,
        file: str,
        row: int,
        column: str,
        key: str,
        table: dict[str, Any],
        hint: Callable[[str], Said] = lambda _: Text("先在对应文件登记", "declare it first"),
    ) -> bool:
        """Whether `key` is in a table; if not, a problem. hint: what to do about a key that is not."""
        if key in table:
            return True
        self._wrong(file, row, column, unknown_name(key), hint(key))
        return False

    def least(
        self, file: str, row: int, column: str, value: float, low: float, high: float
    ) -> None:
        if not low <= value <= high:
            self._wrong(file, row, column, out_of_range(f"{value:g}"), f"{low:g} … {high:g}")

    def place(self, file: str, row: int, at: Area | Station | Node) -> None:
        self.least(file, row, "lon", at.lon, -180, 180)
        self.least(file, row, "lat", at.lat, -90, 90)

    def areas(self, rows: list[tuple[int, Area]], shapes: dict[str, Any]) -> None:
        file = "areas.csv"
        for n, a in rows:
            self.known(file, n, "basin", a.basin, self.basin)
            self.place(file, n, a)
            self.least(file, n, "population", a.population, 0, 10_000_000)
            if a.move_min is not None:
                self.least(file, n, "move_min", a.move_min, 1, 360)
            if a.depth_m is not None:
                self.least(file, n, "depth_m", a.depth_m, 0, 100)
            if a.shelter_m is not None:
                self.least(file, n, "shelter_m", a.shelter_m, 0, 50_000)
            if not re.fullmatch(r"\d{12}", a.division):
                self._wrong(
                    file,
                    n,
                    "division",
                    Text(
                        f"{a.division!r} 不是 12 位区划代码",
                        f"{a.division!r} is not a 12-digit code",
                    ),
                )
            for hazard in a.hazards or ("",):
                if hazard not in HAZARD_ZH:
                    self._wrong(file, n, "hazards", no_hazard(hazard), ", ".join(HAZARD_ZH))
            if a.id not in shapes:
                self._wrong(
                    "areas.geojson",
                    0,
                    a.id,
                    Text("缺少面", "has no polygon"),
                    Text("画出预警区", "draw it"),
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
                self._wrong(
                    file, n, "high", Text("应大于 low", "must be above low"), f"low {s.low:g}"
                )
            self.least(file, n, "wrap_mm", s.wrap_mm, 0, 1_000_000)
            self.least(file, n, "calibrate_days", s.calibrate_days, 1, 3650)
            if s.calibrated and not _is_day(s.calibrated):
                text = Text(f"{s.calibrated!r} 不是日期", f"{s.calibrated!r} is not a day")
                self._wrong(
                    file,
                    n,
                    "calibrated",
                    text,
                    Text(
                        "写成 2026-05-01；不知道就留空", "write it as 2026-05-01, or leave it empty"
                    ),
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
                    text = Text("不是公钥", "is not a public key")
                    hint = Text(
                        "64 位小写十六进制，即 `fengsui node` 所印",
                        "64 hex digits in lower case, as `fengsui node` prints them",
                    )
                    self._wrong("nodes.csv", n, column, text, hint)

    def watches(self, rows: list[tuple[int, Watch]]) -> None:
        seen = set()
        watched = set()
        for n, w in rows:
            if self.known("watch.csv", n, "area", w.area, self.area) & self.known(
                "watch.csv", n, "station", w.station, self.station
            ):
                watched.add(w.area)
                if (w.area, w.station) in seen:
                    self._wrong(
                        "watch.csv",
                        n,
                        "station",
                        Text("重复", "stands twice"),
                        Text("删去", "remove"),
                    )
                seen.add((w.area, w.station))
        for area in self.area.keys() - watched:
            self._wrong(
                "watch.csv",
                0,
                "area",
                Text(f"{area} 没有监测站", f"no station watches {area}"),
                Text("至少一个", "add one"),
            )

    def contacts(self, rows: list[tuple[int, Contact]]) -> None:
        file = "contacts.csv"
        for n, c in rows:
            if not c.areas:
                self._wrong(
                    file, n, "areas", Text("没有预警区", "no area"), Text("区号或 *", "an id or *")
                )
            for area in c.areas:
                if area != "*":
                    self.known(file, n, "areas", area, self.area)
            for channel in c.channels or ("",):
                column = ADDRESS_COLUMN.get(channel)
                if column is None:
                    self._wrong(
                        file,
                        n,
                        "channels",
                        Text(f"{channel!r} 不是渠道", f"{channel!r} is not a channel"),
                        ";".join(ADDRESS_COLUMN),
                    )
                elif not getattr(c, column):
                    self._wrong(
                        file,
                        n,
                        column,
                        Text(f"{channel} 没有号码", f"{channel} has no address"),
                        Text("填写或去掉该渠道", "fill it in or drop the channel"),
                    )
            if c.email and not re.fullmatch(r"[^@\s]+@[^@\s]+", c.email):
                self._wrong(file, n, "email", Text("不是邮箱地址", "is not a mail address"))
            if c.phone and not re.fullmatch(r"\+?[0-9-]{5,20}", c.phone):
                self._wrong(file, n, "phone", Text("不是电话号码", "is not a telephone number"))
            self._choices(file, n, c)

    def _choices(self, file: str, n: int, c: Contact) -> None:
        """What a subscriber may choose, and who may not."""
        for column in ("category", "hazards", "quiet", "until"):
            if getattr(c, column) and c.role != "residents":
                text = Text("只有 residents 可填", "only residents may have it")
                hint = Text(
                    "清空：责任人等收到全部", "leave it empty: all others are told of everything"
                )
                self._wrong(file, n, column, text, hint)
        for hazard in c.hazards:
            if hazard not in HAZARD_ZH:
                text = no_hazard(hazard)
                self._wrong(file, n, "hazards", text, ";".join(HAZARD_ZH))
        if c.quiet and not QUIET.fullmatch(c.quiet):
            text = Text("不是时段", "is not a span of hours")
            self._wrong(file, n, "quiet", text, "22:00-06:30")
        if c.until and not _is_day(c.until):
            self._wrong(file, n, "until", Text("不是日期", "is no day"), "2026-08-03")
        self.least(file, n, "people", c.people, 1, 100_000)

    def _ascending(self, file: str, n: int, row: Any, names: Sequence[str]) -> None:
        last = None
        for name in names:
            value = getattr(row, name)
            if value is None:
                continue
            if value < 0 and file == "thresholds_rain.csv":
                self._wrong(file, n, name, Text(f"{value:g} 为负", f"{value:g} is negative"))
            if last is not None and value < last:
                self._wrong(
                    file,
                    n,
                    name,
                    Text(f"{value:g} 低于前一级", f"{value:g} is below the level before it"),
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
                self._wrong(
                    file,
                    n,
                    "hazard",
                    Text(f"{t.hazard!r} 不是该区灾种", f"{t.hazard!r} is not a hazard of {t.area}"),
                )
            if not 1 <= t.window_min <= 1440:
                self._wrong(file, n, "window_min", out_of_range(t.window_min), "1 … 1440")
            if t.area not in gauged:
                self._wrong(
                    file,
                    n,
                    "area",
                    Text(f"{t.area} 没有雨量站", f"no rain gauge watches {t.area}"),
                    "watch.csv",
                )
            self._ascending(file, n, t, [f"{lv}_mm" for lv in LEVELS])
            self._ascending(file, n, t, [f"{a}_mm" for a in ACTIONS])
            key = (t.area, t.hazard, t.window_min, t.wetness)
            if key in seen:
                self._wrong(
                    file,
                    n,
                    "window_min",
                    Text("该行重复", "this row stands twice"),
                    Text("删去", "remove"),
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
                self._wrong(
                    file,
                    n,
                    "wetness",
                    Text(
                        f"{area} {hazard} {window} min 三种湿度不全",
                        f"{area} {hazard} {window} min needs dry, normal and wet",
                    ),
                )
                continue
            for name in [f"{x}_mm" for x in (*LEVELS, *ACTIONS)]:
                values = [v for t in found if (v := getattr(t, name)) is not None]
                if values != sorted(values):
                    self._wrong(
                        file,
                        n,
                        name,
                        Text(
                            f"{area} {window} min: 越湿阈值应越低",
                            f"{area} {window} min: wetter ground needs no more rain",
                        ),
                    )

    def stage(
        self, rows: list[tuple[int, StageThreshold]], watches: list[tuple[int, Watch]]
    ) -> None:
        file = "thresholds_stage.csv"
        pairs = {(w.area, w.station) for _, w in watches}
        seen = set()
        for n, t in rows:
            if (t.area, t.hazard, t.station) in seen:
                self._wrong(file, n, "station", Text("该行重复", "this row stands twice"))
            seen.add((t.area, t.hazard, t.station))
            if not self.known(file, n, "area", t.area, self.area) & self.known(
                file, n, "station", t.station, self.station
            ):
                continue
            if t.hazard not in self.area[t.area].hazards:
                self._wrong(
                    file,
                    n,
                    "hazard",
                    Text(f"{t.hazard!r} 不是该区灾种", f"{t.hazard!r} is not a hazard of {t.area}"),
                )
            if (t.area, t.station) not in pairs:
                self._wrong(
                    file,
                    n,
                    "station",
                    Text(f"{t.area} 不看 {t.station}", f"{t.area} does not watch {t.station}"),
                    "watch.csv",
                )
            if self.station[t.station].quantity not in ("stage", "depth"):
                self._wrong(
                    file,
                    n,
                    "station",
                    Text(f"{t.station} 不是水位站", f"{t.station} measures no stage"),
                )
            self._ascending(file, n, t, [f"{lv}_m" for lv in LEVELS])
            self._ascending(file, n, t, [f"{a}_m" for a in ACTIONS])
            self.least(file, n, "rise_m_per_h", t.rise_m_per_h, 0.001, 100)
            self.least(file, n, "ahead_min", t.ahead_min, 1, 1440)
