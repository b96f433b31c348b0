"""What must be true of camera_sources.csv: addresses that can be asked, and no password in any of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from config.checks.devices.station_row import Fault, not_declared
from config.language import Text
from config.read.problem import Problem, out_of_range, problem, stands_twice
from config.records.district import CameraSource, Station

FILE = "camera_sources.csv"
SCHEMES = ("rtsp", "rtsps", "http", "https", "onvif", "onvifs")
_TLS = ("rtsps", "https", "onvifs")
_SECRET = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/.+")
_PASSWORDS = ("pwd", "pass", "passwd", "password", "psw", "token", "auth", "secret")
_BOUNDS: dict[str, tuple[float, float]] = {
    "fast_s": (0.2, 3600),
    "hold_min": (1, 1440),
    "rain_mm": (0.1, 1000),
    "rise_m": (0.02, 50),
    "changed": (0.01, 1),
    "burst": (1, 10),
    "burst_ms": (40, 10_000),
    "width": (160, 5000),
    "quality": (30, 95),
}
_ASK = Text(
    "密码写在 secret（env:NAME 或 file:/PATH）", "it stands at secret: env:NAME or file:/PATH"
)


def check_camera_sources(
    problems: list[Problem],
    rows: Sequence[tuple[int, CameraSource]],
    stations: Mapping[str, Station],
) -> None:
    """Every row."""
    seen: set[str] = set()
    for n, row in rows:
        for column, words, hint in [*_of_row(row), *_of_url(row), *_of_station(row, stations)]:
            problems.append(problem(FILE, n, column, words, hint))
        if row.station in seen:
            words = Text("删去一行", "remove one")
            problems.append(problem(FILE, n, "station", stands_twice(row.station), words))
        seen.add(row.station)


def _of_row(row: CameraSource) -> Iterator[Fault]:
    for column, (low, high) in _BOUNDS.items():
        value = getattr(row, column)
        if not low <= value <= high:
            yield column, out_of_range(f"{value:g}"), f"{low:g} … {high:g}"
    if row.secret and not _SECRET.fullmatch(row.secret):
        # what stands there may be the password itself: it is not shown
        yield "secret", Text("不是一处地方", "is no place"), "env:NAME | file:/PATH"
    if bool(row.user) != bool(row.secret):
        words = Text("user 与 secret 要一起写", "user and secret go together")
        yield "secret", words, _ASK


def _of_url(row: CameraSource) -> Iterator[Fault]:
    try:
        url = urlsplit(row.url)
        host, _ = url.hostname, url.port
    except ValueError:
        yield "url", Text("不是地址", "is no address"), "rtsp://10.0.0.7:554/stream2"
        return
    if url.scheme not in SCHEMES or not host:
        yield "url", Text("不是摄像机的地址", "is no address of a camera"), " | ".join(SCHEMES)
    if "@" in url.netloc:
        yield "url", Text("地址里不写密码", "no password in an address"), _ASK
    for name, value in parse_qsl(url.query):
        if name.lower() in _PASSWORDS and value != "{password}":
            yield "url", Text(f"{name} 像是密码", f"{name} looks like a password"), "{password}"
    if "{" in row.url and not row.secret:
        yield "secret", Text("地址里的 {password} 没有来处", "where is {password} from"), _ASK
    if row.ca and url.scheme not in _TLS:
        yield "ca", Text("只用于 TLS", "is for TLS alone"), " | ".join(_TLS)


def _of_station(row: CameraSource, stations: Mapping[str, Station]) -> Iterator[Fault]:
    station = stations.get(row.station)
    if station is None:
        yield not_declared(row.station)
    elif station.quantity != "frame":
        words = Text(f"{row.station} 不是摄像机", f"{row.station} measures no frame")
        yield "station", words, "stations.csv: quantity"
