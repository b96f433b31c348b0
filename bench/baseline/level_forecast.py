"""`level_forecast` as plain loops over one row, from the equations in its text."""

from collections.abc import Sequence
from math import exp, log, pi, sqrt
from typing import Any

from detectors.water.runoff.unit_hydrograph import UnitHydrograph, hydrograph

Slots = Sequence[float | None]
_HORIZONS_MIN = (30, 60, 180)


def _known(x: Slots, at: int, silent: int) -> float | None:
    """The newest value at a slot, if it is no older than `silent` slots."""
    k = _heard(x, at, silent)
    return None if k is None else x[k]


def _heard(x: Slots, at: int, silent: int) -> int | None:
    """In which slot that came."""
    return next((k for k in range(at, max(-1, at - silent - 1), -1) if x[k] is not None), None)


def _highest(x: Slots, first: int, last: int) -> float | None:
    """Of the slots first … last, where the last is known."""
    if first < 0 or last >= len(x) or x[last] is None:
        return None
    return max(v for v in x[first : last + 1] if v is not None)


def _trend(p: Any, x: Slots, at: int, slots: int) -> float | None:
    back = p.trend_min // p.slot_min
    now, then = x[at], x[at - back] if at >= back else None
    if now is None or then is None:
        return None
    lasts = p.damp_min / p.slot_min
    goes_on = p.trend_share * lasts * (1 - exp(-slots / lasts))
    return float(max(0.0, now - then) / back * goes_on)


def _upstream(p: Any, above: Sequence[Slots], at: int, slots: int) -> float | None:
    known = []
    for x, lag_min, gain in zip(above, p.lag_min, p.gain, strict=True):
        lag = lag_min // p.slot_min
        top = _highest(x, at - lag, at - lag + min(slots, lag))
        if top is not None and (then := x[at - lag]) is not None:
            known.append(gain * (top - then))
    return float(sum(known)) if known else None


def _runoff(p: Any, mm: Sequence[float], at: int, slots: int) -> float:
    """Of a share of the rain that runs off at once (`loss` coefficient)."""
    r: UnitHydrograph = p.runoff
    u = hydrograph(r)
    flows = []
    for a in range(slots + 1):
        flow = sum(mm[k] * r.coefficient * u[at - k + a] for k in range(at + 1))
        flows.append(flow * r.area_km2 * 1000 / (r.slot_min * 60))
    return float((max(flows) - flows[0]) * p.runoff_gain)


def _error(p: Any, came: float | None, expected: float | None) -> tuple[float, float] | None:
    if came is None or expected is None:
        return None
    most = max(came, expected)
    return log((came + p.least) / (expected + p.least)), most / (most + p.least)


def _sobered(
    p: Any, came: Sequence[float | None], said: Sequence[float | None], slots: int
) -> list[float | None]:
    """Less what it has exaggerated."""
    total = many = 0.0
    for c, d in zip(came, said, strict=True):
        if c is not None and d is not None:
            counts = d / (d + p.least)
            total += counts * log((c + p.least) / (d + p.least)) / slots
            many += counts / slots
    by = exp(min(total / (p.prior_n + many), 0.0))
    return [None if d is None else max((d + p.least) * by - p.least, 0.0) for d in said]


def _within(
    p: Any, here: Slots, members: Sequence[Sequence[float | None]], nth: int, slots: int
) -> float | None:
    """The chance within one horizon."""
    last = len(here) - 1
    bias, prior = p.bias[nth], p.spread[nth] ** 2 * pi**2 / 3
    came: list[float | None] = []
    for at, now in enumerate(here):
        top = _highest(here, at, at + slots)
        came.append(None if top is None or now is None else top - now)
    sober = [_sobered(p, came, m, slots) for m in members]
    mixed: list[float | None] = []
    for at in range(last + 1):
        told = [d for m in sober if (d := m[at]) is not None]
        mixed.append(max(told) if told else None)
    now, expected = here[last], mixed[last]
    if now is None or expected is None:
        return None
    if now >= p.reach:
        return 1.0
    errors = []
    for c, d in zip(came, mixed, strict=True):
        if d is not None and (e := _error(p, c, d)):
            away = log((d + p.least) / (expected + p.least))
            errors.append((e[0], e[1] * exp(-away * away / 2)))
    many = p.prior_n + sum(a for _, a in errors) / slots
    mean = (p.prior_n * bias + sum(a * z for z, a in errors) / slots) / many
    square = p.prior_n * (prior + (bias - mean) ** 2)
    square += sum(a * (z - mean) ** 2 for z, a in errors) / slots
    spread = max(sqrt(3 * square / many) / pi, 0.5 * p.spread[nth])
    far = log((p.reach - now + p.least) / (expected + p.least))
    return float(p.ceiling / (1 + exp(min((far - mean) / spread, 700))))


def level_forecast(
    p: Any, w: Sequence[Slots], slot_s: int, _: Sequence[float], rain: Sequence[float] = ()
) -> float | None:
    """w: the gauge here, then those upstream; rain: of all gauges together, mm a slot."""
    silent = p.silent_min * 60 // slot_s
    held = [[_known(x, at, silent) for at in range(len(x))] for x in w[: 1 + len(p.lag_min)]]
    here, above, best = held[0], held[1:], None
    for nth, minutes in enumerate(_HORIZONS_MIN):
        slots = minutes * 60 // slot_s
        if minutes * 60 % slot_s or minutes > p.horizon_min:
            continue
        every = range(len(here))
        since = [_heard(w[0], at, silent) for at in every]
        members = [[None if k is None else _trend(p, here, k, slots) for k in since]]
        if p.runoff is not None and rain:
            members.append([_runoff(p, rain, at, slots) for at in every])
        if above:
            members.append([_upstream(p, above, at, slots) for at in every])
        found = _within(p, here, members, nth, slots)
        if found is not None:
            best = found if best is None else max(best, found)
    return None if best is None else best * 100
