"""The history that a URL names."""

from urllib.parse import urlsplit

from config.language import Text
from stream.history.port import History


def open_history(url: str, run: str, district: str) -> History:
    """Open by URL: sqlite:///PATH (a folder) or influx://HOST:PORT/ORG/BUCKET (token in
    FENGSUI_INFLUX_TOKEN). Raises ValueError for an unknown scheme, naming those that exist."""
    scheme = urlsplit(url).scheme
    if scheme == "sqlite":
        from stream.history.sqlite import SqliteHistory

        return SqliteHistory(url, run, district)
    if scheme in ("influx", "influxs"):
        from stream.history.influx import InfluxHistory

        return InfluxHistory(url, run, district)
    raise ValueError(
        Text(
            f"历史库地址 {url!r} 不认识：没有 {scheme!r}；用 sqlite:///PATH 或 "
            "influx://HOST:PORT/ORG/BUCKET",
            f"unknown history {url!r}: the scheme {scheme!r} does not exist; use "
            "sqlite:///PATH or influx://HOST:PORT/ORG/BUCKET",
        )
    )
