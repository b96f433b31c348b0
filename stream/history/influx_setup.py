"""Buckets and the downsampling task that history needs on InfluxDB 2."""

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.task_create_request import TaskCreateRequest

# Whole hours only, the last six of them again: a value that comes late still counts, and an hour is
# never replaced by a part of it. Values that failed their quality tests (QARTOD 4) are left out.
_TASK = """
hours = {{start: date.truncate(t: -6h, unit: 1h), stop: date.truncate(t: now(), unit: 1h)}}
good = from(bucket: "{bucket}")
    |> range(start: hours.start, stop: hours.stop)
    |> filter(fn: (r) => r._measurement != "fact" and r._measurement != "frame")
    |> filter(fn: (r) => r._field == "value" or r._field == "flag")
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> filter(fn: (r) => r.flag < 4)

good
    |> filter(fn: (r) => r._measurement == "rain")
    |> aggregateWindow(every: 1h, fn: sum, column: "value", createEmpty: false)
    |> to(bucket: "{bucket}_1h", fieldFn: (r) => ({{"sum": r.value}}))
good
    |> filter(fn: (r) => r._measurement != "rain")
    |> aggregateWindow(every: 1h, fn: mean, column: "value", createEmpty: false)
    |> to(bucket: "{bucket}_1h", fieldFn: (r) => ({{"mean": r.value}}))
good
    |> filter(fn: (r) => r._measurement != "rain")
    |> aggregateWindow(every: 1h, fn: max, column: "value", createEmpty: false)
    |> to(bucket: "{bucket}_1h", fieldFn: (r) => ({{"max": r.value}}))
"""


def task_name(bucket: str) -> str:
    """What the downsampling task is called."""
    return f"fengsui {bucket} 1h"


def task_flux(bucket: str) -> str:
    """The task in Flux: hourly sums of rain, means and maxima of the rest, into BUCKET_1h."""
    head = f'option task = {{name: "{task_name(bucket)}", every: 1h, offset: 10m}}'
    return f'import "date"\n\n{head}\n{_TASK.format(bucket=bucket)}'


def prepare(client: InfluxDBClient, org: str, bucket: str, retention_days: int) -> None:
    """Make what is missing; what is there stays as it is. retention_days: of a raw bucket that is
    made here, 0 for ever. Raises ApiException."""
    if any(c in bucket for c in '"\\\n$'):
        return  # not a name to put into a program
    buckets, tasks = client.buckets_api(), client.tasks_api()
    for name, days in ((bucket, retention_days), (f"{bucket}_1h", 0)):
        if buckets.find_bucket_by_name(name) is None:  # type: ignore[no-untyped-call]
            rules = [BucketRetentionRules(type="expire", every_seconds=days * 86_400)]  # type: ignore[no-untyped-call]
            buckets.create_bucket(bucket_name=name, org=org, retention_rules=rules if days else [])
    if not tasks.find_tasks(name=task_name(bucket)):  # type: ignore[no-untyped-call]
        request = TaskCreateRequest(  # type: ignore[no-untyped-call]
            org=org, flux=task_flux(bucket), status="active"
        )
        tasks.create_task(task_create_request=request)
