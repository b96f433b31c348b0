"""What breaks: a fault of one device between two minutes of the scenario. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Kind = Literal[
    "dropout",  # says nothing
    "clogged",  # a gauge that catches nothing
    "drift",  # reads half too much
    "stuck_high",  # 8 mm a minute, out of nothing
    "duplicates",  # everything twice
    "late",  # uploads ten minutes at once
    "clock",  # its clock is three minutes slow
    "node_offline",  # a loudspeaker without power
]


class Fault(NamedTuple):
    """`device` from minute `start` to minute `end`."""

    kind: Kind
    device: str
    start: int
    end: int


class Reading(NamedTuple):
    """What a sensor would send, in counts, and the minute in which it arrives."""

    station: str
    quantity: str
    observed_at: int
    value: int
    seq: int | None = None
    ref: bytes = b""


def suffer(
    faults: Sequence[Fault],
    minute: int,
    readings: Sequence[Reading],
    held: dict[str, list[Reading]],
) -> list[Reading]:
    """What really arrives in this minute. `held` keeps what late devices hold back."""
    now = {f.device: f for f in faults if f.start <= minute < f.end}
    out: list[Reading] = []
    for r in readings:
        fault = now.get(r.station)
        if fault is None:
            out += held.pop(r.station, [])
            out.append(r)
            continue
        match fault.kind:
            case "clogged":
                out.append(r._replace(value=0) if r.quantity == "rain" else r)
            case "drift":
                out.append(r._replace(value=r.value * 3 // 2))
            case "stuck_high":
                out.append(r._replace(value=80) if r.quantity == "rain" else r)
            case "duplicates":
                out += [r, r]
            case "clock":
                out.append(r._replace(observed_at=r.observed_at - 180_000))
            case "late":
                kept = held.setdefault(r.station, [])
                kept.append(r)
                if minute % 10 == 9:
                    out += held.pop(r.station)
            case _:  # dropout, node_offline
                pass
    return out
