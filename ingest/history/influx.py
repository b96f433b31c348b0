"""History on InfluxDB 2, by influxdb-client.

URL: influx://HOST:PORT/ORG/BUCKET (influxs:// for TLS); the token is in FENGSUI_INFLUX_TOKEN.

Points: one measurement a quantity (`rain`, `stage`, …); tags `district`, `run`, `station`, `seq`;
fields `value` (integer count of the quantity's resolution) and `flag` (QARTOD); time to the
millisecond. Facts: measurement `fact`; tags `district`, `run`, `kind`, `topic`, `partition`,
`offset`, `area`; field `body` (JSON). InfluxDB replaces a point of the same measurement, tags and
time, so a batch written twice is written once.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import islice
from urllib.parse import unquote, urlsplit

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point as Row
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from ingest.history import Fact, Point
from ingest.log import Unavailable

_BATCH = 5000
_TIMEOUT_MS = 20_000
_NONE = "-"  # InfluxDB drops a tag without a value


class InfluxHistory:
    """See `ingest.history.History`."""

    def __init__(self, url: str, run: str, district: str) -> None:
        parts = urlsplit(url)
        path = [unquote(p) for p in parts.path.strip("/").split("/")]
        token = os.environ.get("FENGSUI_INFLUX_TOKEN", "")
        if len(path) != 2 or not all(path):
            raise ValueError(f"{url!r}: write influx://HOST:PORT/ORG/BUCKET")
        if not token:
            raise ValueError("FENGSUI_INFLUX_TOKEN is not set: InfluxDB needs a token")
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
        words = str(e).strip().splitlines()
        return Unavailable(
            f"{self._where}: {type(e).__name__}: {words[0] if words else ''}; is it running, do "
            "token and bucket exist? History catches up when it answers"
        )

    def write(self, points: Sequence[Point], facts: Sequence[Fact]) -> None:
        rows = self._rows(points, facts)
        try:
            while batch := list(islice(rows, _BATCH)):
                self._writer.write(bucket=self._bucket, org=self._org, record=batch)
        except (ApiException, HTTPError, OSError) as e:
            raise self._unavailable(e) from e

    def _rows(self, points: Sequence[Point], facts: Sequence[Fact]) -> Iterator[Row]:
        for p in points:
            row = self._row(p.quantity, p.observed_at)
            row.tag("station", p.station).tag("seq", str(p.seq))
            yield row.field("value", p.value).field("flag", p.flag)
        for f in facts:
            row = self._row("fact", f.fact_at)
            row.tag("kind", f.kind).tag("topic", f.topic).tag("partition", str(f.partition))
            yield (
                row.tag("offset", str(f.offset)).tag("area", f.area or _NONE).field("body", f.body)
            )

    def _row(self, measurement: str, at: int) -> Row:
        row = Row(measurement).time(at, WritePrecision.MS)
        for name, value in self._tags.items():
            row.tag(name, value)
        return row

    def series(self, station: str, quantity: str, start_at: int, end_at: int) -> list[Point]:
        query = f"""{_SOURCE}
            |> filter(fn: (r) => r._measurement == measurement and r.station == station
                and r.district == district and r.run == run)
            |> pivot(rowKey: ["_time", "seq"], columnKey: ["_field"], valueColumn: "_value")
            |> group()"""
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
            |> group()"""
        found = [
            Fact(
                r["topic"],
                int(r["partition"]),
                int(r["offset"]),
                kind,
                "" if r["area"] == _NONE else r["area"],
                _ms(r["_time"]),
                r["_value"],
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


def _literal(text: str) -> str:
    """A string literal of Flux."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'.replace("\n", "\\n")


def _ms(moment) -> int:  # type: ignore[no-untyped-def]
    return round(moment.timestamp() * 1000)
