"""What breaks: a fault of one device between two minutes of the scenario. Pure."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

Kind = Literal[
    "dropout",  # says nothing
    "clogged",  # a gauge that catches nothing
    "drift",  # reads half too much
    "stuck_high",  # 8 mm a minute, out of nothing
    "duplicates",  # everything twice
    "late",  # uploads ten minutes at once
    "clock",  # its clock is three minutes slow
    "burst",  # 4.2 mm a minute that fell nowhere else
    "code",  # a stage gauge shows an error code
    "zero",  # a stage gauge shows 0
    "backlog",  # says nothing, and then everything at once
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


_CODES = (9999, 65_535, -8880, 9998)
# as networks show: of gauge-hours clogged; lone bursts a gauge and year; of stage hours with a code
# or a 0; of gauges, once a storm, an outage with a backlog
CLOGGED, BURSTS_A_YEAR, CODED, OUTAGES = 0.08, 3.0, 0.02, 0.05


def of_the_field(
    gauges: Sequence[str], stages: Sequence[str], minutes: int, seed: int
) -> tuple[Fault, ...]:
    """Faults at the rates that real networks show, for one storm. A device has one at a time; of two
    that fall together the last one counts."""
    rng = np.random.default_rng([seed, 404])
    found = []
    hours = range(0, minutes, 60)
    for gauge in gauges:
        found += [Fault("clogged", gauge, h, h + 60) for h in hours if rng.random() < CLOGGED]
        if rng.random() < BURSTS_A_YEAR * minutes / 525_600:
            at = int(rng.integers(minutes))
            found.append(Fault("burst", gauge, at, at + 8))
        if rng.random() < OUTAGES:
            at = int(rng.integers(minutes))
            found.append(Fault("backlog", gauge, at, at + int(rng.integers(20, 120))))
    for stage in stages:
        for h in hours:
            if rng.random() < CODED:
                kind: Kind = "code" if rng.random() < 0.5 else "zero"
                found.append(Fault(kind, stage, h, h + int(rng.integers(10, 120))))
    return tuple(found)


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
            case "duplicates":
                out += [r, r]
            case "backlog":
                held.setdefault(r.station, []).append(r)
            case "late":
                kept = held.setdefault(r.station, [])
                kept.append(r)
                if minute % 10 == 9:
                    out += held.pop(r.station)
            case "dropout" | "node_offline":
                pass
            case kind:
                out.append(_wrong(kind, r))
    return out


def _wrong(kind: Kind, r: Reading) -> Reading:
    """What the device says instead."""
    match kind, r.quantity:
        case "clogged", "rain":
            return r._replace(value=0)
        case "drift", _:
            return r._replace(value=r.value * 3 // 2)
        case "stuck_high", "rain":
            return r._replace(value=80)
        case "burst", "rain":
            return r._replace(value=42)
        case "code", "stage":
            return r._replace(value=_CODES[sum(map(ord, r.station)) % len(_CODES)])
        case "zero", "stage":
            return r._replace(value=0)
        case "clock", _:
            return r._replace(observed_at=r.observed_at - 180_000)
    return r
