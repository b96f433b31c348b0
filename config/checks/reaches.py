"""What must be true of reaches.csv: one way down from each gauge and village, never round, never up the
basins, no shorter than the straight line; celerities that water can have."""

from collections.abc import Mapping, Sequence

from config.checks.courses import basins_below
from config.geometry import distance_km
from config.language import Said, Text
from config.read.problem import Problem, out_of_range, problem, unknown_name
from config.records.district import Area, Basin, Station
from config.records.reaches import Reach, next_below, way_down

FILE = "reaches.csv"
FASTEST_M_S = 50.0
_OFF_RIVER_M = 1000.0  # a village's point may lie so far from the river


def check_reaches(
    problems: list[Problem],
    rows: Sequence[tuple[int, Reach]],
    basins: Mapping[str, Basin],
    areas: Mapping[str, Area],
    stations: Mapping[str, Station],
) -> None:
    """Every row, and all of them together."""
    below = next_below(r for _, r in rows if _flows(r))
    seen: set[str] = set()
    for n, row in rows:
        wrong = _Wrong(problems, n)
        places = [
            _place(wrong, column, name, areas, stations)
            for column, name in (("upstream", row.upstream), ("downstream", row.downstream))
        ]
        if row.upstream in seen:
            text = Text(f"{row.upstream} 有两条去路", f"{row.upstream} has two ways down")
            wrong("upstream", text, Text("每处只写到下一处", "only to the next one below"))
        seen.add(row.upstream)
        if not 0 < row.distance_m <= 500_000:
            hint = Text("沿河米数，1 … 500000", "metres along the river, 1 … 500000")
            wrong("distance_m", out_of_range(f"{row.distance_m:g}"), hint)
        if not row.source.strip():
            hint = Text("波速出处", "where the celerities come from")
            wrong("source", Text("不能为空", "is empty"), hint)
        if not _flows(row):
            given = f"{row.slow_m_s:g} … {row.fast_m_s:g}"
            text = Text(f"{given} 不是波速", f"{given} are no celerities")
            wrong("slow_m_s", text, f"0 < slow_m_s ≤ fast_m_s ≤ {FASTEST_M_S:g}")
            continue  # nothing can be reckoned with it
        *_, last = [row.upstream, *(name for name, _ in way_down(below, row.upstream))]
        if last in below:
            text = Text(f"{row.upstream} 流回自身", f"{row.upstream} flows back into itself")
            wrong("downstream", text, Text("改正", "mend the row"))
        up, down = places
        if up is not None and down is not None:
            _runs_down(wrong, row, up, down, basins)


class _Wrong:
    """Takes what is wrong with a row."""

    def __init__(self, problems: list[Problem], row: int) -> None:
        self._problems, self._row = problems, row

    def __call__(self, column: str, text: Said, hint: Said) -> None:
        self._problems.append(problem(FILE, self._row, column, text, hint))


def _place(
    wrong: _Wrong,
    column: str,
    name: str,
    areas: Mapping[str, Area],
    stations: Mapping[str, Station],
) -> Area | Station | None:
    """The gauge or village of that name."""
    if name in areas and name in stations:
        text = Text(f"{name} 既是区又是站", f"{name} is an area and a station")
        wrong(column, text, Text("改名", "rename one"))
        return None
    if name not in areas and name not in stations:
        wrong(column, unknown_name(name), "stations.csv, areas.csv")
        return None
    return areas.get(name) or stations.get(name)


def _runs_down(
    wrong: _Wrong,
    row: Reach,
    up: Area | Station,
    down: Area | Station,
    basins: Mapping[str, Basin],
) -> None:
    """As far as a map can tell."""
    straight = distance_km(up, down) * 1000
    if row.distance_m < min(0.9 * straight, straight - _OFF_RIVER_M):
        text = Text(
            f"短于直线距离 {straight:.0f} m", f"is shorter than the straight line, {straight:.0f} m"
        )
        wrong("distance_m", text, Text("沿河量", "measure along the river"))
    home = basins.get(down.basin)
    if home is not None and up.basin in basins_below(home, basins):
        text = Text(f"{down.basin} 在 {up.basin} 上游", f"{down.basin} lies upstream of {up.basin}")
        wrong("downstream", text, "basins.csv: downstream")


def _flows(row: Reach) -> bool:
    """Are these celerities that water can have?"""
    return 0 < row.slow_m_s <= row.fast_m_s <= FASTEST_M_S
