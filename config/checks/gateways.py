"""What must be true of gateways.csv: whose readings a gateway may bring."""

import re
from collections.abc import Iterable, Mapping, Sequence

from config.language import Text
from config.read.problem import Problem, problem, unknown_name
from config.records.district import GatewayRow, Station

FILE = "gateways.csv"
NONE = Text(
    f"没有 {FILE}: 网关的读数一律不收",
    f"no {FILE}: no gateway may speak; list each gateway with its stations (config/README.en.md)",
)
_ID = re.compile(r"[A-Za-z0-9-]{1,32}")
# users of the broker that are no devices
_RESERVED = re.compile(r"carrier|(carrier|fengsui|source|lorawan)-.*")


def check_gateways(
    problems: list[Problem], rows: Sequence[tuple[int, GatewayRow]], stations: Mapping[str, Station]
) -> None:
    """Every row: a name that can be one, a station that is there, once."""
    check_names(problems, [(FILE, "gateway", [(n, row.gateway) for n, row in rows])])
    seen: set[GatewayRow] = set()
    for n, row in rows:
        if not _ID.fullmatch(row.gateway):
            hint = Text("字母、数字、- (1–32)", "letters, digits, hyphens")
            text = Text(f"{row.gateway!r} 不能作 id", f"{row.gateway!r} is not an id")
            problems.append(problem(FILE, n, "gateway", text, hint))
        if row.station not in stations:
            text = unknown_name(row.station)
            problems.append(
                problem(
                    FILE,
                    n,
                    "station",
                    text,
                    Text("先在 stations.csv 登记", "declare it in stations.csv"),
                )
            )
        elif stations[row.station].quantity == "frame":
            text = Text(
                f"{row.station} 是摄像机，图像不经网关",
                f"{row.station} is a camera: pictures come by no gateway",
            )
            problems.append(problem(FILE, n, "station", text, Text("删去", "remove")))
        if row in seen:
            problems.append(
                problem(FILE, n, "station", Text("重复", "stands twice"), Text("删去", "remove"))
            )
        seen.add(row)


def check_names(
    problems: list[Problem], ids: Iterable[tuple[str, str, Iterable[tuple[int, str]]]]
) -> None:
    """No device has the name of one of the broker's own users. ids: file, column, rows."""
    for file, column, rows in ids:
        for n, name in rows:
            if _RESERVED.fullmatch(name):
                text = Text(
                    f"{name!r} 是保留名", f"{name!r} is kept for the MQTT broker's own users"
                )
                problems.append(problem(file, n, column, text, Text("改名", "another name")))


def by_gateway(rows: Iterable[tuple[int, GatewayRow]]) -> dict[str, tuple[str, ...]]:
    """Gateway -> its stations, in the table's order."""
    found: dict[str, list[str]] = {}
    for _, row in rows:
        found.setdefault(row.gateway, []).append(row.station)
    return {name: tuple(stations) for name, stations in found.items()}
