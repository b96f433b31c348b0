"""The MQTT broker as far as one can see it from outside: does its port answer, and what does its journal say of
devices (mosquitto's `log_type notice`; the embedded broker writes the same lines)."""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from fengsui.run.setup import Setup

_TAIL = 4_000_000  # bytes of a journal that are looked at
_WAIT_S = 3.0
# `1796017732: words`, or with log_timestamp_format an ISO time; journald puts its own before it
_LINE = re.compile(r"(?:^|\s)(\d{9,11}|\d{4}-\d\d-\d\dT[\d:.+Z-]{8,}?): (.*)$")
_FROM = re.compile(r"New connection from (\S+?):\d+ on port")
_CONNECTED = re.compile(
    r"New client connected from (\S+?):\d+ as (.+) \(p\d.*?(?:u'([^']*)')?\)\.$"
)
_REFUSED = re.compile(r"Client (.+) disconnected, not authori[sz]ed\.")
_DENIED = re.compile(r"Denied PUBLISH from (.+?) \(.*?'([^']*)'")


@dataclass
class Told:
    """What a journal tells. Each: a user, or an address where mosquitto names nobody -> (how often, when
    last, ms; 0: not told). denied: user -> topic that it may not write, and when."""

    connected: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: dict[str, tuple[int, int]] = field(default_factory=dict)
    denied: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, table: dict[str, tuple[int, int]], name: str, at: int) -> None:
        many, last = table.get(name, (0, 0))
        table[name] = many + 1, max(last, at)


@dataclass
class Broker:
    """address: HOST:PORT, "" where none is known. answers: its port does; None: not asked. embedded: ours,
    which keeps what waits in memory. journal: the file that was read, "" for none."""

    address: str = ""
    answers: bool | None = None
    embedded: bool = False
    journal: str = ""
    told: Told = field(default_factory=Told)


def told(lines: Iterable[str]) -> Told:
    """The lines of a journal, in order."""
    found, came_from = Told(), "?"
    for line in lines:
        match = _LINE.search(line.rstrip())
        at, words = (_moment(match[1]), match[2]) if match else (0, line.strip())
        if m := _FROM.search(words):
            came_from = m[1]
        elif m := _CONNECTED.search(words):
            found.add(found.connected, m[3] or m[2], at)
        elif m := _REFUSED.search(words):
            found.add(found.refused, came_from if m[1] == "<unknown>" else m[1], at)
        elif m := _DENIED.search(words):
            found.denied[m[1]] = m[2], at
    return found


def _moment(text: str) -> int:
    try:
        if text.isdecimal():
            return int(text) * 1000
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return 0


def look_at_broker(setup: Setup, journal: Path | None) -> Broker:
    """Nothing is published, and nobody's session is taken: a connection is opened and closed again."""
    embedded = not setup.broker
    url = setup.broker
    if embedded and setup.broker_file.exists():
        url = setup.broker_file.read_text().strip()
    file = journal or (setup.folder / "broker.log" if embedded else None)
    lines = _tail(file) if file is not None else None
    found = Broker(embedded=embedded, journal=str(file) if lines is not None else "")
    if lines is not None:
        found.told = told(lines)
    if url:
        parts = urlsplit(url)
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        found.address = f"{parts.hostname}:{port}"
        found.answers = answers(parts.hostname or "127.0.0.1", port)
    return found


def answers(host: str, port: int) -> bool:
    """Does anybody listen there?"""
    try:
        with socket.create_connection((host, port), timeout=_WAIT_S):
            return True
    except OSError:
        return False


def _tail(file: Path) -> list[str] | None:
    try:
        with file.open("rb") as f:
            f.seek(0, 2)
            f.seek(max(0, f.tell() - _TAIL))
            return f.read().decode(errors="replace").splitlines()
    except OSError:
        return None
