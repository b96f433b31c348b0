"""What must be true of cameras.csv."""

from collections.abc import Callable, Mapping, Sequence

from config.language import Said, Text
from config.read.problem import Problem, out_of_range, problem, unknown_name
from config.records.district import Camera, Station

_FILE = "cameras.csv"
_LEAST = 160  # pixels: a smaller picture is not looked at
_CELLS = {"roi": 2, "points": 4, "axis": 2, "staff": 3}  # numbers in a point
_COUNT = {"roi": (3, 64), "points": (4, 64), "axis": (2, 16), "staff": (2, 2)}


def check_cameras(
    problems: list[Problem], rows: Sequence[tuple[int, Camera]], stations: Mapping[str, Station]
) -> None:
    """Every row: the station, the picture's size, points inside it, a ground that is a plane."""
    for n, c in rows:

        def wrong(column: str, message: Said, hint: Said = "", n: int = n) -> None:
            problems.append(problem(_FILE, n, column, message, hint))

        if c.id not in stations:
            wrong("id", unknown_name(c.id), "stations.csv")
        elif stations[c.id].quantity != "frame":
            wrong(
                "id",
                Text(f"{c.id} 不是摄像机", f"{c.id} measures no frame"),
                "stations.csv: quantity",
            )
        for column, size in (("width", c.width), ("height", c.height)):
            if not _LEAST * 3 // 4 <= size <= 8000:
                wrong(column, out_of_range(size), f"{_LEAST * 3 // 4} … 8000 px")
        if c.gsd_m < 0 or c.gsd_m > 10:
            wrong("gsd_m", out_of_range(f"{c.gsd_m:g}"), "0 … 10 m/px")
        if c.gsd_m and c.points:
            wrong(
                "gsd_m",
                Text("已有 points，不能再写", "points are given too"),
                Text("留一个", "keep one of them"),
            )
        for column, size in _CELLS.items():
            _points(wrong, c, column, size)


def _points(wrong: Callable[..., None], c: Camera, column: str, size: int) -> None:
    given = getattr(c, column)
    if not given:
        return
    low, high = _COUNT[column]
    words = {2: "x y", 3: "x y stage_m", 4: "x y east_m north_m"}[size]
    if not low <= len(given) <= high or any(len(p) != size for p in given):
        many = f"{low}" if low == high else f"{low} … {high}"
        wrong(
            column,
            Text(f"应为 {many} 个点", f"expected {many} points, each “{words}”"),
            Text("分号隔开", "separated by ;"),
        )
        return
    for p in given:
        if not (0 <= p[0] <= c.width and 0 <= p[1] <= c.height):
            wrong(
                column,
                Text(f"{p[0]:g} {p[1]:g} 在画面外", f"{p[0]:g} {p[1]:g} is outside the picture"),
                Text("像素", "pixels"),
            )
            return
    if column in ("roi", "points") and _area(given) < 16:
        wrong(
            column,
            Text("各点在一线上", "the points lie on a line"),
            Text("围成一块", "let them enclose the water"),
        )
    if column == "points" and _area([p[2:] for p in given]) < 1e-3:
        wrong(
            column, Text("地面各点在一线上", "on the ground they lie on a line"), "east_m north_m"
        )
    if column in ("axis", "staff") and max(_apart(given)) < 16:
        wrong(
            column,
            Text("两点太近", "the points are too near to one another"),
            Text("至少 16 px", "at least 16 px"),
        )
    if column == "staff" and given[0][2] == given[1][2]:
        wrong(column, Text("两点水位相同", "both points have the same stage"), "x y stage_m")


def _area(points: Sequence[Sequence[float]]) -> float:
    """Largest triangle that three of the points make, twice."""
    (ax, ay), *others = [p[:2] for p in points]
    return max(
        (
            abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay))
            for n, (bx, by) in enumerate(others)
            for cx, cy in others[n + 1 :]
        ),
        default=0.0,
    )


def _apart(points: Sequence[Sequence[float]]) -> list[float]:
    x, y = points[0][:2]
    return [abs(p[0] - x) + abs(p[1] - y) for p in points[1:]]
