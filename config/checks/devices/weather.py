"""What must be true of weather.toml and weather.csv: which cell of which file is whose reading."""

import re
from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config.checks.devices.station_row import NO_ZERO, Fault, FedBy, fed_twice, not_declared
from config.language import Text
from config.read.problem import Problem, out_of_range, problem
from config.records.devices.weather import OF_BUFR, WeatherForm, WeatherForms, WeatherRow
from config.records.district import Station

FORMS, FILE = "weather.toml", "weather.csv"
_KEEP_DAYS = 30  # what a file brought is remembered for 40 days
_DIRECTIVE = re.compile(r"%(.?)")
_KNOWN = frozenset("YmdHMS")
_NAMES = re.compile(r"[^/\x00-\x1f]{1,200}")
_ONE_STATION = Text("一站一个来源", "one source a station")


def check_weather(
    problems: list[Problem],
    forms: WeatherForms,
    rows: Sequence[tuple[int, WeatherRow]],
    stations: Mapping[str, Station],
) -> None:
    """Every form, every row, and all of them together."""
    for name, form in forms.form.items():
        for column, words, hint in _of_form(form):
            problems.append(problem(FORMS, 0, f"form.{name}.{column}", words, hint))
    seen: set[tuple[str, str, str]] = set()
    fed: dict[tuple[str, str], FedBy] = {}
    for n, row in rows:
        faults = list(_of_row(row, forms.form.get(row.form), stations))
        what = (row.form, row.id, row.column)
        if what in seen and stations.get(row.station) is not None:
            words = Text("这一列的这个站已有一行", "this column of this station stands twice")
            faults.append(("column", words, Text("删去一行", "remove one")))
        seen.add(what)
        source = FedBy(what, f"{row.form} {row.id}", "column", _ONE_STATION, _ONE_STATION)
        faults += fed_twice(fed, stations.get(row.station), "", source)
        problems += [problem(FILE, n, column, words, hint) for column, words, hint in faults]


def _of_form(form: WeatherForm) -> Iterator[Fault]:
    if not form.patterns or not all(_NAMES.fullmatch(p) for p in form.patterns):
        yield "files", f"{form.files!r}", Text("文件名，如 *.csv", "names of files, as *.csv")
    if not 0 <= form.keep_days <= _KEEP_DAYS:
        hint = Text(f"1 … {_KEEP_DAYS}，0 一直留", f"1 … {_KEEP_DAYS}, 0 for ever")
        yield "keep_days", out_of_range(form.keep_days), hint
    if form.kind == "bufr":
        return
    if len(form.separator) != 1 and form.separator != "space":
        words = Text("一个字符，或 space", "one character, or space")
        yield "separator", f"{form.separator!r}", words
    if not form.station:
        yield "station", Text("没有写", "is missing"), Text("哪一列是站号", "the station's column")
    if not form.time:
        yield "time", Text("没有写", "is missing"), Text("哪几列是时间", "the columns of the time")
    said = _DIRECTIVE.findall(form.time_form)
    if form.time_form and (
        not set(said) <= _KNOWN or not {"Y", "m", "d"} <= set(said) or len(set(said)) < len(said)
    ):
        yield "time_form", f"{form.time_form!r}", "%Y-%m-%d %H:%M:%S"
    if form.time_form and not form.zone:
        hint = Text("Asia/Shanghai 或 UTC", "Asia/Shanghai or UTC")
        yield "zone", Text("没有写：时间是哪里的", "is missing: whose time is it"), hint
    if form.zone:
        try:
            ZoneInfo(form.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield "zone", f"{form.zone!r}", Text("Asia/Shanghai 或 UTC", "Asia/Shanghai or UTC")
    if both := {t.casefold() for t in form.trace} & {m.casefold() for m in form.missing}:
        yield "trace", f"{sorted(both)}", Text("既是缺测又是微量", "missing and a trace at once")


def _of_row(
    row: WeatherRow, form: WeatherForm | None, stations: Mapping[str, Station]
) -> Iterator[Fault]:
    if form is None:
        words = Text(
            f"weather.toml 没有 [form.{row.form}]", f"weather.toml has no [form.{row.form}]"
        )
        yield "form", words, Text("先写这种文件", "write that kind of file first")
    elif form.kind == "bufr" and row.column not in OF_BUFR:
        yield "column", f"{row.column!r}", Text("可用：", "one of: ") + ", ".join(OF_BUFR)
    if not row.id:
        yield "id", Text("没有写", "is missing"), Text("局里的站号", "the office's station id")
    if not row.scale:
        yield NO_ZERO
    if both := {t.casefold() for t in row.trace} & {m.casefold() for m in row.missing}:
        yield "trace", f"{sorted(both)}", Text("既是缺测又是微量", "missing and a trace at once")
    station = stations.get(row.station)
    if station is None:
        yield not_declared(row.station)
        return
    if station.quantity == "frame":
        words = Text(f"{station.id} 是摄像机", f"{station.id} is a camera")
        yield "station", words, Text("另写一站", "name another station")
    if row.trace and station.quantity != "rain":
        words = Text("微量只有雨量有", "rain alone has traces")
        yield "trace", words, Text("删去", "leave it away")
    if form is not None and form.kind == "bufr" and row.column in OF_BUFR:
        if station.quantity != row.column:
            words = Text(
                f"{station.id} 测 {station.quantity}", f"{station.id} is {station.quantity}"
            )
            yield "column", words, station.quantity
        elif row.column == "rain" and station.sum_interval_s % 60:
            words = Text("雨量时段应为整分", "rain sums over whole minutes here")
            yield "station", words, "stations.csv: sum_interval_s"
