"""What must be true of things.csv: which Datastream is whose reading."""

import re
from collections.abc import Iterator, Mapping, Sequence

from config.checks.devices.station_row import NO_ZERO, Fault, not_declared
from config.language import Text
from config.read.problem import Problem, problem
from config.records.devices.things import ThingRow
from config.records.district import Station

FILE = "things.csv"
_ID = re.compile(r"[^/+#'()\s\x00-\x1f]{1,100}")  # it is a level of a topic
_USER = re.compile(r"[A-Za-z0-9_-]{1,40}")


def check_things(
    problems: list[Problem],
    rows: Sequence[tuple[int, ThingRow]],
    stations: Mapping[str, Station],
) -> None:
    """Every row, and all of them together."""
    seen: set[str] = set()
    fed: set[tuple[str, str]] = set()
    for n, row in rows:
        faults = list(_of_row(row, stations))
        if row.datastream in seen:
            words = Text("这个 Datastream 已有一行", "this Datastream stands twice")
            faults.append(("datastream", words, Text("删去一行", "remove one")))
        if (row.station, row.quantity) in fed:
            words = Text(f"{row.station} 已有数据来源", f"{row.station} already has its readings")
            faults.append(("station", words, Text("一站一个来源", "one source a station")))
        seen.add(row.datastream)
        fed.add((row.station, row.quantity))
        problems += [problem(FILE, n, column, words, hint) for column, words, hint in faults]


def _of_row(row: ThingRow, stations: Mapping[str, Station]) -> Iterator[Fault]:
    if not _ID.fullmatch(row.datastream):
        hint = Text(
            "@iot.id，不带引号、/ + # 和括号", "its @iot.id, without quotes, / + # and brackets"
        )
        yield "datastream", f"{row.datastream!r}", hint
    if not _USER.fullmatch(row.user):
        yield (
            "user",
            f"{row.user!r}",
            Text("字母、数字、-、_（1–40）", "letters, digits, - and _ (1–40)"),
        )
    if not row.scale:
        yield NO_ZERO
    station = stations.get(row.station)
    if station is None:
        yield not_declared(row.station)
        return
    if station.quantity == "frame" and not row.quantity:
        words = Text(f"{station.id} 是摄像机", f"{station.id} is a camera")
        yield "station", words, Text("另写一站", "name another station")
    if row.trace and (row.quantity or station.quantity != "rain"):
        words = Text("微量只有雨量有", "rain alone has traces")
        yield "trace", words, Text("删去", "leave it away")
    if both := set(row.trace) & set(row.missing):
        words = Text("既是缺测又是微量", "missing and a trace at once")
        yield "trace", f"{sorted(both)} " + words, Text("删去一个", "remove one")
