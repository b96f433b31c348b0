"""Whether water can flow as basins.csv says: links that exist and never lead back, lines of two
points or more."""

from collections.abc import Mapping

from config.language import Text
from config.read.problem import Problem, unknown_name
from config.records.district import Basin

_FILE = "basins.csv"


def check_courses(basins: Mapping[str, Basin], problems: list[Problem]) -> None:
    """`downstream` and `course` of every basin."""
    for n, b in enumerate(basins.values(), 2):
        if b.downstream and b.downstream not in basins:
            text = unknown_name(b.downstream)
            problems.append(
                Problem(_FILE, n, "downstream", text, Text("小流域代号", "id of a basin"))
            )
        elif b.id in basins_below(b, basins):
            text = Text(f"{b.id} 流回自身", f"{b.id} flows back into itself")
            problems.append(
                Problem(_FILE, n, "downstream", text, Text("改正下游", "mend the link"))
            )
        bad = [p for p in b.course if len(p) != 2 or not (abs(p[0]) <= 180 and abs(p[1]) <= 90)]
        if bad or len(b.course) == 1:
            text = Text("不是折线", "is not a line")
            hint = Text("经度 纬度;经度 纬度", "lon lat;lon lat, from the head to the outlet")
            problems.append(Problem(_FILE, n, "course", text, hint))


def basins_below(basin: Basin, basins: Mapping[str, Basin]) -> list[str]:
    """The ids of what lies downstream; ends where a link leads nowhere or round again."""
    found: list[str] = []
    at = basin.downstream
    while at in basins and at not in found:
        found.append(at)
        at = basins[at].downstream
    return found
