"""What must be true of sparkplug.csv: whose metric is whose reading."""

import re
from collections.abc import Mapping, Sequence

from config.checks.devices.station_row import NO_ZERO, Fault, FedBy, fed_twice, not_declared
from config.checks.gateways import check_names
from config.language import Text
from config.read.problem import Problem, problem
from config.records.district import SparkplugRow, Station

FILE = "sparkplug.csv"
# a level of a topic (MQTT 3.1.1, section 4.7), which a line of a broker's table of rights can hold
_LEVEL = re.compile(r"[^\s/+#\x00-\x1f](?:[^/+#\x00-\x1f]{0,62}[^\s/+#\x00-\x1f])?")
_USER = re.compile(r"[A-Za-z0-9-]{1,32}")


def check_sparkplug(
    problems: list[Problem],
    rows: Sequence[tuple[int, SparkplugRow]],
    stations: Mapping[str, Station],
) -> None:
    """Every row, and the rows of one edge node and of one station together."""
    check_names(problems, [(FILE, "user", [(n, row.who) for n, row in rows])])
    seen: set[tuple[str, ...]] = set()
    of_user: dict[str, SparkplugRow] = {}
    users: dict[tuple[str, str], SparkplugRow] = {}
    fed: dict[tuple[str, str], FedBy] = {}
    for n, row in rows:
        for column, words, hint in [*_of_row(row), *_of_station(row, stations)]:
            problems.append(problem(FILE, n, column, words, hint))
        what = (row.group, row.edge, row.device, row.metric, row.station, row.quantity)
        if what in seen:
            words = Text("重复", "stands twice")
            problems.append(problem(FILE, n, "metric", words, Text("删去一行", "remove one")))
        seen.add(what)
        key = row.group, row.edge
        first = users.setdefault(key, row)
        if first.who != row.who:
            words = Text("与同一边缘节点的另一行不同", "not as in another row of the edge node")
            problems.append(problem(FILE, n, "user", words, first.who))
        other = of_user.setdefault(row.who, row)
        if (other.group, other.edge) != key:
            words = Text(
                f"{row.who} 已是 {other.group}/{other.edge} 的用户",
                f"{row.who} is the user of {other.group}/{other.edge}",
            )
            hint = Text("一个用户一个连接：另写一个", "a user is one connection: write another")
            problems.append(problem(FILE, n, "user", words, hint))
        for fault in fed_twice(fed, stations.get(row.station), row.quantity, _source(row)):
            problems.append(problem(FILE, n, *fault))


def _of_row(row: SparkplugRow) -> list[Fault]:
    found: list[Fault] = []
    hint = Text("1–64 个字符，不含 / + #", "1 to 64 characters without / + #")
    for column in ("group", "edge", "device"):
        value = getattr(row, column)
        if (value or column != "device") and not _LEVEL.fullmatch(value):
            found.append((column, f"{value!r}", hint))
    if row.group == "STATE":
        words = Text("STATE 是主机状态的主题", "STATE is the topic of hosts")
        found.append(("group", words, Text("换一个", "another")))
    if not row.metric.strip():
        words = Text("没有量的名字", "names no metric")
        found.append(("metric", words, "fengsui decode sparkplug"))
    if not row.scale:
        found.append(NO_ZERO)
    if not _USER.fullmatch(row.who):
        words = Text(f"{row.who!r} 不能作用户名", f"{row.who!r} is no user's name")
        found.append(
            ("user", words, Text("字母、数字、-（1–32）", "letters, digits, hyphens, 1 to 32"))
        )
    return found


def _of_station(row: SparkplugRow, stations: Mapping[str, Station]) -> list[Fault]:
    station = stations.get(row.station)
    if station is None:
        return [not_declared(row.station)]
    if station.quantity == "frame" and not row.quantity:
        words = Text(f"{row.station} 是摄像机", f"{row.station} is a camera")
        return [("station", words, Text("量不是图像", "a metric is no picture"))]
    return []


def _source(row: SparkplugRow) -> FedBy:
    device = (row.group, row.edge, row.device)
    one = Text("一站一个设备", "one device a station")
    named = "/".join(p for p in device if p)
    return FedBy(device, named, "metric", one, Text("只留一个量", "keep one metric"))
