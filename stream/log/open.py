"""The log that a URL names."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from config.language import Text
from stream.log.port import Log, topics


def open_log(
    url: str,
    run: str,
    district: str,
    partitions: int = 4,
    days: Mapping[str, int] | None = None,
    *,
    make: bool = True,
) -> Log:
    """Open the log of `run` by URL: sqlite:///PATH (a folder), kafka://HOST:PORT or kafkas://…. make: on
    servers, where it is not there yet.

    Raises ValueError for an unknown scheme, naming those that exist, and Usage where it is not there and is
    not made.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from stream.log.sqlite import SqliteLog

        return SqliteLog(url, run, district, topics(partitions, days))
    if scheme in ("kafka", "kafkas"):
        from stream.log.kafka import KafkaLog

        return KafkaLog(url, run, district, topics(partitions, days), make=make)
    raise ValueError(
        Text(
            f"日志地址 {url!r} 不认识：没有 {scheme!r}；用 sqlite:///PATH、"
            "kafka://HOST:PORT 或 kafkas://HOST:PORT",
            f"unknown log {url!r}: the scheme {scheme!r} does not exist; use "
            "sqlite:///PATH, kafka://HOST:PORT or kafkas://HOST:PORT",
        )
    )
