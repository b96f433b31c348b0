"""A payload of Sparkplug B as the table that a field worker reads."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ingest.telemetry.codec.said import Pair, Row, same, shown
from ingest.telemetry.codec.sparkplug import datatypes
from ingest.telemetry.codec.sparkplug.wire import Metric, read

_LAST = 253_402_300_799_000  # the end of the year 9999 in ms


def rows(data: bytes) -> list[Row]:
    """Every field of a payload, in its order, and what is wrong."""
    found = read(data)
    table = [
        Row(0, "", Pair("时间", "timestamp"), _time(found.timestamp)),
        Row(0, "", Pair("序号", "seq"), _given(found.seq)),
    ]
    if found.packed:
        table.append(
            Row(
                0,
                "",
                Pair("压缩（位置是解压后的）", "packed (places are of what is inside)"),
                same(found.packed),
            )
        )
    table += [_row(data if not found.packed else b"", m) for m in found.metrics]
    for f in found.faults:
        name = Pair("不能读", "not readable")
        table.append(Row(f.at, "", name, Pair("", ""), "", Pair(f.zh, f.en)))
    return table


def _row(data: bytes, m: Metric) -> Row:
    name = m.name or ""
    of = f"{name} (alias {m.alias})" if m.alias is not None else name or "?"
    value = datatypes.number(m, None)
    kind = datatypes.NAMES.get(m.datatype or 0, "")
    wrong = Pair("", "")
    if isinstance(value, datatypes.NoNumber):
        text = str(m.value) if isinstance(m.value, str) else m.kind
        said = same(text[:60])
        if m.kind not in ("string", "bytes", "dataset", "template", "extension"):
            wrong = value.why
    elif value is None:
        said = Pair("无（null）", "none (null)")
    else:
        said = same(f"{value:.10g}" if isinstance(value, float) else value)
    zh, en = zip(*_more(m, kind), strict=True) if kind or m.timestamp or m.historical else ((), ())
    whole = Pair(" ".join((said.zh, *zh)), " ".join((said.en, *en)))
    return Row(m.at, shown(data[m.at : m.end]), same(of), whole, "", wrong)


def _more(m: Metric, kind: str) -> Iterator[tuple[str, str]]:
    if kind:
        yield kind, kind
    if m.timestamp is not None:
        at = _time(m.timestamp).zh
        yield at, at
    if m.historical:
        yield "补发", "historical"


def _time(at: int | None) -> Pair:
    if at is None:
        return Pair("没有", "none")
    if at > _LAST:
        return same(at)
    return same(datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "milliseconds"))


def _given(value: int | None) -> Pair:
    return Pair("没有", "none") if value is None else same(value)
