"""What must be true of pictures.csv: how long pictures are kept, for which purpose."""

from collections.abc import Mapping, Sequence

from config.language import Text
from config.read.problem import Problem, out_of_range, problem, unknown_name
from config.records.devices.pictures import PEOPLE, PictureRule
from config.records.district import Station

FILE = "pictures.csv"
_MOST = 36_500


def check_pictures(
    problems: list[Problem],
    rows: Sequence[tuple[int, PictureRule]],
    stations: Mapping[str, Station],
) -> None:
    """Every row, and that a camera has one."""
    seen: dict[str, str] = {}
    for n, row in rows:
        if not row.basis.strip():
            hint = Text("哪条规定、谁定的", "which rule, who decided it")
            problems.append(problem(FILE, n, "basis", Text("不能为空", "must not be empty"), hint))
        for column, days in (("days", row.days), ("evidence_days", row.evidence_days)):
            if days is not None and not 1 <= days <= _MOST:
                problems.append(problem(FILE, n, column, out_of_range(days), f"1 … {_MOST}"))
        if row.evidence_days is not None and row.evidence_days < row.days:
            words = Text("比 days 短", "is shorter than days")
            problems.append(problem(FILE, n, "evidence_days", words, f"{row.days} …"))
        for name in row.cameras:
            if name not in ("*", PEOPLE):
                station = stations.get(name)
                if station is None:
                    hint = Text("摄像机、* 或 people", "a camera, * or people")
                    problems.append(problem(FILE, n, "cameras", unknown_name(name), hint))
                elif station.quantity != "frame":
                    words = Text(f"{name} 不是摄像机", f"{name} measures no frame")
                    problems.append(problem(FILE, n, "cameras", words, "stations.csv: quantity"))
            if name in seen:
                words = Text(f"{name} 已属于 {seen[name]}", f"{name} is of {seen[name]}")
                problems.append(problem(FILE, n, "cameras", words, Text("留一处", "keep one")))
            seen[name] = row.purpose
