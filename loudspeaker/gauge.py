"""What a node can measure itself: its own gauge, and its power, door and knob.

A gauge is a file, a serial line or a named pipe of lines, or a topic of a broker of the node's own.
A line is a number (mm of rain since the line before) or `{"quantity": "stage", "value": 1.23}`.
"""

import contextlib
import json
import queue
import shlex
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from config.records.quantity import OF_NODES, QUANTITIES
from stream.mqtt.client import Mqtt

_POLL_S = 0.2


class Measured(NamedTuple):
    """A reading in counts of the quantity's resolution."""

    quantity: str
    value: int


def parsed(line: bytes) -> Measured | None:
    """A line of a gauge; None if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    quantity, value = "rain", found
    if isinstance(found, dict):
        quantity, value = found.get("quantity", "rain"), found.get("value")
    row = QUANTITIES.get(quantity) if isinstance(quantity, str) else None
    if row is None or type(value) not in (int, float) or not -1e9 < value < 1e9:
        return None
    return Measured(quantity, row.count(value))


class Gauge:
    """source: a path, mqtt://HOST:PORT/TOPIC, or "" for no gauge. Only what comes from now on
    counts: old lines of a file are old rain."""

    def __init__(self, source: str, name: str) -> None:
        self._found: queue.Queue[Measured] = queue.Queue()
        self._stop = threading.Event()
        self._mqtt: Mqtt | None = None
        self.bad = 0
        if source.startswith(("mqtt://", "mqtts://")):
            parts = urlsplit(source)
            self._mqtt = Mqtt(parts._replace(path="").geturl(), f"fengsui-gauge-{name}")
            self._mqtt.subscribe([parts.path.strip("/")], timeout_s=0.0)
        elif source:
            threading.Thread(target=self._read, args=(Path(source),), daemon=True).start()

    def _read(self, path: Path) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(OSError), path.open("rb") as f:
                if path.is_file():
                    f.seek(0, 2)
                rest = b""
                while not self._stop.is_set():
                    line = f.readline(4096)
                    if not line:
                        self._stop.wait(_POLL_S)
                    rest += line
                    if rest.endswith(b"\n") or len(rest) > 4096:
                        self._line(rest)
                        rest = b""
            self._stop.wait(_POLL_S)  # not there yet, or unplugged

    def _line(self, line: bytes) -> None:
        found = parsed(line)
        if found is None:
            self.bad += 1
        else:
            self._found.put(found)

    def take(self) -> list[Measured]:
        """What was measured since the last time."""
        if self._mqtt is not None:
            batch = self._mqtt.get_batch(0.0)
            for message in batch:
                self._line(message.payload)
            self._mqtt.ack(batch)
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._found.get_nowait())
        return found

    def close(self) -> None:
        self._stop.set()
        if self._mqtt is not None:
            self._mqtt.close()


def sensed(command: str) -> dict[str, float]:
    """Battery, mains, door, volume: from the kernel's power supplies, and from a command that
    prints `{"door": 0, …}`. What cannot be read is left out: silence is news, a guess is not."""
    found: dict[str, float] = {}
    for supply in sorted(Path("/sys/class/power_supply").glob("*")):
        with contextlib.suppress(OSError, ValueError):
            if (supply / "capacity").exists():
                found["battery"] = float((supply / "capacity").read_text())
            elif (supply / "online").exists():
                found["mains"] = float((supply / "online").read_text())
    if command:
        with contextlib.suppress(subprocess.SubprocessError, OSError, ValueError, TypeError):
            out = subprocess.run(  # noqa: S603  # the operator's own command
                shlex.split(command), capture_output=True, timeout=10, check=True
            ).stdout
            told = dict(json.loads(out))
            found.update({k: float(v) for k, v in told.items() if k in OF_NODES})
    return found
