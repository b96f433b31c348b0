"""Real measurements through the line: a CSV `station,quantity,time,value` to MQTT, in order of
time, keeping event times, with the clock of the events."""

import csv
import gzip
import io
import json
import math
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from config.language import Text, text_of
from config.records.quantity import QUANTITIES
from simulators.run import Player

_AHEAD_MS = 300_000  # ingest refuses what is further ahead of the run's clock


class Measured(NamedTuple):
    """One row."""

    at: int  # ms
    station: str
    quantity: str
    value: float


class BadRow(NamedTuple):
    """A row that is not a measurement."""

    row: int
    why: Text


def read_csv(path: Path) -> Iterator[Measured | BadRow]:
    """Rows of a CSV file (.gz too); a header without the four columns raises ValueError."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    with io.StringIO(text.decode("utf-8-sig"), newline="") as f:
        reader = csv.DictReader(f)
        missing = {"station", "quantity", "time", "value"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(
                Text(
                    f"{path}: 缺少列 {', '.join(sorted(missing))}；表头是 "
                    "station,quantity,time,value",
                    f"{path}: missing columns {', '.join(sorted(missing))}; the header is "
                    "station,quantity,time,value",
                )
            )
        for number, row in enumerate(reader, 2):
            try:
                when = datetime.fromisoformat(row["time"])
                if when.tzinfo is None:
                    raise ValueError(
                        Text(
                            "time 缺时区：应写 2025-07-26T12:00:00Z",
                            "time has no offset: write 2025-07-26T12:00:00Z",
                        )
                    )
                value = float(row["value"])
                if not math.isfinite(value):
                    raise ValueError(
                        Text(
                            f"value {row['value']!r} 不是数",
                            f"value {row['value']!r} is not a number",
                        )
                    )
                if row["quantity"] not in QUANTITIES:
                    raise ValueError(
                        Text(
                            f"quantity {row['quantity']!r} 不认识",
                            f"quantity {row['quantity']!r} is not known",
                        )
                    )
                yield Measured(
                    round(when.timestamp() * 1000), row["station"], row["quantity"], value
                )
            except (ValueError, TypeError) as e:
                yield BadRow(number, text_of(e))


def replay(
    player: Player,
    rows: list[Measured],
    stop: threading.Event,
    *,
    slot_s: int = 300,
    drain_h: float = 3.0,
    on_slot: Callable[[int], None] = lambda _: None,
) -> None:
    """Rows sorted by time, slot by slot. Where nothing was measured the clock leaps, in steps that
    the line can follow."""
    step = slot_s * 1000
    clock_at = rows[0].at // step * step
    player.begin(clock_at)
    n = 0
    end = rows[-1].at + int(drain_h * 3_600_000)
    while clock_at < end and not stop.is_set():
        clock_at += step
        if step > _AHEAD_MS:  # else the readings would seem to come from a clock that is ahead
            player.clock.say(clock_at - 1)
        while n < len(rows) and rows[n].at <= clock_at:
            r = rows[n]
            body = {"time": r.at / 1000, "value": r.value, "unit": QUANTITIES[r.quantity].unit}
            player.publish(f"station/{r.station}/{r.quantity}", json.dumps(body).encode())
            n += 1
        player.slot(clock_at, float(slot_s))
        on_slot(clock_at)
