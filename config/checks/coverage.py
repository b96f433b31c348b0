"""What would leave people unwarned: areas without thresholds, contacts or a shape of their own."""

from collections.abc import Sequence
from typing import Any

from config.checks.tables import ACTIONS, LEVELS
from config.language import Text
from config.read.problem import Problem, problem
from config.records.district import Area, Contact, RainThreshold, StageThreshold, Station, Watch

Rows = Sequence[tuple[int, Any]]


def check_reach(
    problems: list[Problem],
    areas: dict[str, Area],
    stations: dict[str, Station],
    contacts: Sequence[tuple[int, Contact]] | None,  # None: they stand in the run's store
    watches: Sequence[tuple[int, Watch]],
    rain: Sequence[tuple[int, RainThreshold]],
    stage: Sequence[tuple[int, StageThreshold]],
    shapes: dict[str, tuple[tuple[float, float], ...]],
    ruled: frozenset[str] = frozenset(),  # areas that rules.toml's own rows name
) -> None:
    """Every area can be warned, by something and to somebody."""
    if not areas:
        problems.append(
            problem("areas.csv", 0, "", Text("没有预警区", "no area"), Text("至少一行", "add one"))
        )
    _silent_rows(problems, "thresholds_rain.csv", rain, "_mm")
    _silent_rows(problems, "thresholds_stage.csv", stage, "_m")
    ruled = ruled | {t.area for _, t in rain} | {t.area for _, t in stage}
    told = {"*"} if contacts is None else {a for _, c in contacts for a in c.areas}
    for area in areas.values():
        if area.id not in ruled:
            problems.append(
                problem(
                    "thresholds_rain.csv",
                    0,
                    "area",
                    Text(f"{area.id} 没有任何阈值", f"{area.id} has no threshold"),
                    Text("雨量或水位至少一种", "rain or stage"),
                )
            )
        if not told & {area.id, "*"}:
            problems.append(
                problem(
                    "contacts.csv",
                    0,
                    "areas",
                    Text(f"{area.id} 没有联系人", f"{area.id} has nobody to warn"),
                    Text("至少一人", "add one"),
                )
            )
        ring = shapes.get(area.id, ())
        if ring and not _near(area, ring):
            problems.append(
                problem(
                    "areas.geojson",
                    0,
                    area.id,
                    Text("面不含该区坐标", "the polygon is elsewhere"),
                    "lon, lat",
                )
            )
    gauges: dict[str, list[Station]] = {}
    for _, w in watches:
        if w.station in stations and stations[w.station].quantity in ("rain", "rain_counter"):
            gauges.setdefault(w.area, []).append(stations[w.station])
    longest: dict[str, tuple[int, int]] = {}
    for n, t in rain:
        longest[t.area] = max(longest.get(t.area, (0, n)), (t.window_min, n))
    for area_id, (window, n) in longest.items():
        least = min((s.sum_interval_s for s in gauges.get(area_id, ())), default=0)
        if least > window * 60:
            problems.append(
                problem(
                    "thresholds_rain.csv",
                    n,
                    "window_min",
                    Text(
                        f"{area_id} 各雨量站读数都比最长历时长",
                        f"{area_id}: every gauge's reading is longer than it",
                    ),
                    "sum_interval_s",
                )
            )


def _silent_rows(problems: list[Problem], file: str, rows: Rows, unit: str) -> None:
    for n, row in rows:
        if all(getattr(row, f"{x}{unit}") is None for x in (*LEVELS, *ACTIONS)):
            problems.append(
                problem(
                    file, n, "", Text("该行没有任何阈值", "this row says nothing"), "填写或删去"
                )
            )


def _near(area: Area, ring: tuple[tuple[float, float], ...]) -> bool:
    """The area's point lies in the box around its polygon."""
    lons, lats = [p[0] for p in ring], [p[1] for p in ring]
    return min(lons) <= area.lon <= max(lons) and min(lats) <= area.lat <= max(lats)
