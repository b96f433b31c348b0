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
    "datum",  # a stage gauge that was knocked: another zero from then on
    "backlog",  # says nothing, and then everything at once
    "node_offline",  # a loudspeaker without power
    "counter_zero",  # a running total shows 0 and comes back
    "counter_low",  # some low value and comes back
    "counter_tick",  # a tick less than before
    "counter_rolling",  # the sum of the last hour instead
    "counter_restart",  # begins again at 0
    "counter_wrap",  # reaches its end and begins again
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
# of stage gauges and of gauges that send a running total, once a storm: no rate is known to us from a
# network, these are assumed, and rather high than low
DATUM = 0.02
COUNTED: dict[Kind, float] = {
    "counter_zero": 0.05,
    "counter_low": 0.05,
    "counter_tick": 0.10,
    "counter_rolling": 0.02,
    "counter_restart": 0.05,
    "counter_wrap": 0.02,
}
_DATUMS = (300, -300, 800, -500)  # mm
_WRAP = 65_536  # counts
_TO_THE_END = 10_000  # minutes


def of_the_field(
    gauges: Sequence[str],
    stages: Sequence[str],
    minutes: int,
    seed: int,
    counters: Sequence[str] = (),
) -> tuple[Fault, ...]:
    """Faults at the rates that real networks show, for one storm. A device has one at a time; of two
    that fall together the last one counts. counters: those of the gauges that send a running total."""
    rng = np.random.default_rng([seed, 404])
    found = _lasting(stages, counters, minutes, seed)
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


def _lasting(
    stages: Sequence[str], counters: Sequence[str], minutes: int, seed: int
) -> list[Fault]:
    """Datum steps, and what becomes of running totals."""
    rng = np.random.default_rng([seed, 405])
    found = []
    for stage in stages:
        if rng.random() < DATUM:
            found.append(Fault("datum", stage, int(rng.integers(minutes)), _TO_THE_END))
    for gauge in counters:
        for kind, share in COUNTED.items():
            if rng.random() >= share:
                continue
            at = 0 if kind == "counter_wrap" else int(rng.integers(minutes))
            brief = kind in ("counter_zero", "counter_low", "counter_tick")
            found.append(Fault(kind, gauge, at, at + 20 if brief else _TO_THE_END))
    return found


class Total(NamedTuple):
    """Of one gauge that sends a running total: what fell, since when it counts (a restart), and the
    totals of the last hour by minute."""

    fell: int = 0
    since: int | None = None
    hour: tuple[tuple[int, int], ...] = ()


def totalled(
    faults: Sequence[Fault], minute: int, readings: Sequence[Reading], kept: dict[str, Total]
) -> list[Reading]:
    """Readings of the gauges in `kept` as running totals, as their counters show them."""
    now = {f.device: f.kind for f in faults if f.start <= minute < f.end and _counts(f)}
    out = []
    for r in readings:
        if r.station not in kept or r.quantity != "rain":
            out.append(r)
            continue
        held = kept[r.station]
        fell, kind = held.fell + r.value, now.get(r.station)
        hour = (*((m, t) for m, t in held.hour if m > minute - 60), (minute, fell))
        since = held.since
        if kind == "counter_restart" and since is None:
            since = held.fell
        kept[r.station] = Total(fell, since, hour)
        shown = _shown(kind, r.station, fell, since, hour[0][1])
        out.append(r._replace(quantity="rain_counter", value=shown))
    return out


def _counts(fault: Fault) -> bool:
    return fault.kind in COUNTED


def _shown(kind: Kind | None, station: str, fell: int, since: int | None, hour_ago: int) -> int:
    """What a counter shows. It has counted before the storm."""
    begun = 500 + sum(map(ord, station)) % 97
    total = begun + fell if since is None else fell - since
    match kind:
        case "counter_zero":
            return 0
        case "counter_low":
            return begun % 7
        case "counter_tick":
            return max(0, total - 2)
        case "counter_rolling":
            return fell - hour_ago
        case "counter_wrap":
            return (_WRAP - begun % 100 + fell) % _WRAP
    return total


def suffer(
    faults: Sequence[Fault],
    minute: int,
    readings: Sequence[Reading],
    held: dict[str, list[Reading]],
) -> list[Reading]:
    """What really arrives in this minute. `held` keeps what late devices hold back."""
    now = {f.device: f for f in faults if f.start <= minute < f.end and not _counts(f)}
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
        case "datum", "stage":
            return r._replace(value=r.value + _DATUMS[sum(map(ord, r.station)) % len(_DATUMS)])
        case "clock", _:
            return r._replace(observed_at=r.observed_at - 180_000)
    return r
