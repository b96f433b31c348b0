"""History on InfluxDB 2, by influxdb-client. The layout of its points: docs/history.md.

URL: influx://HOST:PORT/ORG/BUCKET (influxs:// for TLS), ?token_file=FILE, ?retention_days=DAYS; else
the token is in FENGSUI_INFLUX_TOKEN, or in the file that FENGSUI_INFLUX_TOKEN_FILE names.

InfluxDB replaces a point of the same measurement, tags and time, so a batch written twice is written
once. What tells two points of one moment apart (seq, offset) must not be a tag, or every point
would be a series of its own: it stands in the nanoseconds of the time, below our millisecond.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point as Row
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from config.language import Text
from stream.history.influx_setup import prepare
from stream.history.port import Fact, Point
from stream.log.port import Unavailable
from stream.oplog import say

_BATCH = 5000
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_TIMEOUT_MS = 20_000
_REFUSED = (400, 413, 422)  # this point, or this batch; again would be refused again
_NS = 1_000_000  # nanoseconds of a millisecond


class InfluxHistory:
    """See `stream.history.History`."""

    def __init__(self, url: str, run: str, district: str) -> None:
        parts = urlsplit(url)
        path = [unquote(p) for p in parts.path.strip("/").split("/")]
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        token = _token(query)
        if len(path) != 2 or not all(path):
            raise ValueError(
                Text(
                    f"{url!r}: 应写 influx://HOST:PORT/ORG/BUCKET",
                    f"{url!r}: write influx://HOST:PORT/ORG/BUCKET",
                )
            )
        if not token:
            raise ValueError(
                Text(
                    "没有 InfluxDB 令牌：没有设 FENGSUI_INFLUX_TOKEN，也没有 "
                    "FENGSUI_INFLUX_TOKEN_FILE",
                    "InfluxDB needs a token: FENGSUI_INFLUX_TOKEN is not set, nor "
                    "FENGSUI_INFLUX_TOKEN_FILE",
                )
            )
        self._retention_days = int(query.get("retention_days", "0"))
        self._prepared = False
        self._refused: list[str] = []
        self._org, self._bucket = path
        self._where = f"InfluxDB {parts.netloc}, bucket {self._bucket}"
        self._tags = {"district": district, "run": run}
        scheme = "https" if parts.scheme == "influxs" else "http"
        self._client = InfluxDBClient(
            url=f"{scheme}://{parts.netloc}", token=token, org=self._org, timeout=_TIMEOUT_MS
        )
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)
        self._reader = self._client.query_api()

    def _unavailable(self, e: Exception) -> Unavailable:
        return Unavailable(
            Text(
                f"{self._where}: 历史库连不上，{type(e).__name__}: {_words(e)}；它在运行吗，令牌"
                "和桶对吗？恢复后自动补齐",
                f"{self._where}: history cannot be asked, {type(e).__name__}: {_words(e)}; is "
                "it running, do token and bucket exist? History catches up when it answers",
            )
        )

    def write(self, points: Sequence[Point], facts: Sequence[Fact]) -> None:
        rows = self._rows(points, facts)
        try:
            if not self._prepared:
                self._prepare()
            while batch := list(islice(rows, _BATCH)):
                self._write(batch)
        except (ApiException, HTTPError, OSError) as e:
            raise self._unavailable(e) from e

    def refused(self) -> list[str]:
        """See `stream.history.refusing`."""
        found, self._refused = self._refused, []
        return found

    def _prepare(self) -> None:
        """Buckets and the downsampling task, if they are missing and the token may make them."""
        try:
            prepare(self._client, self._org, self._bucket, self._retention_days)
        except ApiException as e:
            if e.status is None or e.status == 429 or e.status >= 500:
                raise
            # a bucket that is there is enough for the line
            words = Text("不能建桶与任务", "cannot make buckets and tasks")
            why = _words(e)
            see = Text("见 docs/history.md", "see docs/en/history.md")
            say("archive", f"{self._where}: " + words + f" ({e.status} {why}): " + see)
        self._prepared = True

    def _write(self, batch: list[Row]) -> None:
        """A batch in which a point is refused is halved, until that point stands alone."""
        try:
            self._writer.write(bucket=self._bucket, org=self._org, record=batch)
        except ApiException as e:
            if e.status not in _REFUSED:
                raise
            if len(batch) == 1:
                self._refused.append(f"{batch[0].to_line_protocol()[:300]}: {_words(e)}")
                return
            half = len(batch) // 2
            self._write(batch[:half])
            self._write(batch[half:])

    def _rows(self, points: Sequence[Point], facts: Sequence[Fact]) -> Iterator[Row]:
        for p in points:
            row = self._row(p.quantity, p.observed_at, p.seq).tag("station", p.station)
            yield row.field("value", p.value).field("flag", p.flag).field("seq", p.seq)
        for f in facts:
            row = self._row("fact", f.fact_at, f.offset)
            row.tag("kind", f.kind).tag("topic", f.topic).tag("partition", str(f.partition))
            yield row.field("offset", f.offset).field("area", f.area).field("body", f.body)

    def _row(self, measurement: str, at: int, apart: int) -> Row:
        row = Row(measurement).time(at * _NS + apart % _NS, WritePrecision.NS)
        for name, value in self._tags.items():
            row.tag(name, value)
        return row

    def series(self, station: str, quantity: str, start_at: int, end_at: int) -> list[Point]:
        query = f"""{_SOURCE}
            |> filter(fn: (r) => r._measurement == measurement and r.station == station
                and r.district == district and r.run == run)
            {_PIVOT}"""
        found = self._query(query, start_at, end_at, measurement=quantity, station=station)
        points = [
            Point(
                station, quantity, _ms(r["_time"]), int(r["seq"]), int(r["value"]), int(r["flag"])
            )
            for r in found
        ]
        return sorted(points, key=lambda p: (p.observed_at, p.seq))

    def facts(self, kind: str, start_at: int, end_at: int) -> list[Fact]:
        query = f"""{_SOURCE}
            |> filter(fn: (r) => r._measurement == "fact" and r.kind == kind
                and r.district == district and r.run == run)
            {_PIVOT}"""
        found = [
            Fact(
                r["topic"],
                int(r["partition"]),
                int(r["offset"]),
                kind,
                r["area"] or "",
                _ms(r["_time"]),
                r["body"],
            )
            for r in self._query(query, start_at, end_at, kind=kind)
        ]
        return sorted(found, key=lambda f: (f.fact_at, f.topic, f.partition, f.offset))

    def _query(self, query: str, start_at: int, end_at: int, **texts: str) -> list[dict]:  # type: ignore[type-arg]
        """Rows of a Flux query. Names are literals of Flux, escaped: they never become code."""
        head = "\n".join(
            f"{name} = {_literal(value)}"
            for name, value in {**texts, **self._tags, "bucketName": self._bucket}.items()
        )
        head += f"\nfrom_ = time(v: {start_at * 1_000_000})\nuntil = time(v: {end_at * 1_000_000})"
        try:
            tables = self._reader.query(f"{head}\n{query}", org=self._org)
        except (ApiException, HTTPError, OSError) as e:
            raise self._unavailable(e) from e
        return [record.values for table in tables for record in table.records]

    def close(self) -> None:
        self._writer.close()
        self._client.close()


_SOURCE = "from(bucket: bucketName) |> range(start: from_, stop: until)"
_PIVOT = '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") |> group()'


def _words(e: Exception) -> str:
    """What the server says, in a line."""
    told = getattr(e, "message", "") or getattr(e, "body", "") or str(e)
    return " ".join(str(told).split())[:300]


def _token(query: dict[str, str]) -> str:
    path = query.get("token_file") or os.environ.get("FENGSUI_INFLUX_TOKEN_FILE", "")
    if not path:
        return os.environ.get("FENGSUI_INFLUX_TOKEN", "")
    if not Path(path).is_file():
        raise ValueError(
            Text(
                f"InfluxDB: token_file={path}: 没有这个文件",
                f"InfluxDB: token_file={path}: there is no such file",
            )
        )
    return Path(path).read_text().strip()


def _literal(text: str) -> str:
    """A string literal of Flux."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'.replace("\n", "\\n")


def _ms(moment) -> int:  # type: ignore[no-untyped-def]
    """Down to the millisecond: what is below it tells points apart."""
    return int((moment - _EPOCH) // _MS)
