"""`level_and_rain` as a plain loop over one row."""

from collections.abc import Sequence
from typing import Any


def level_and_rain(
    p: Any,
    level: Sequence[float | None],
    gauges: Sequence[Sequence[float | None]],
    rain: Sequence[float],
    slot_s: int,
) -> float | None:
    """level, rain: by slot, oldest first; rain is of all gauges together."""
    silent, back = p.silent_min * 60 // slot_s, p.rise_min * 60 // slot_s
    u = [None if v is None else (v - p.zero_m) / (p.flood_m - p.zero_m) for v in level]
    if p.power != 1:
        u = [None if v is None else max(0.0, v) ** p.power for v in u]

    def newest(end: int) -> float | None:
        known = [v for v in u[max(0, end - silent - 1) : max(0, end)] if v is not None]
        return known[-1] if known else None

    def then(end: int, until: int) -> float | None:
        """What it was, on a straight line where it was not heard."""
        known = [n for n in range(max(0, end - silent - 1), max(0, end)) if u[n] is not None]
        if not known:
            return None
        after = next(n for n in range(end - 1, until) if u[n] is not None)
        a, b = u[known[-1]], u[after]
        assert a is not None
        assert b is not None
        share = (end - 1 - known[-1]) / (after - known[-1]) if after > known[-1] else 0.0
        return float(a + (b - a) * share)

    since = next((k for k, v in enumerate(u[: -silent - 2 : -1]) if v is not None), 0)
    now, before = newest(len(u)), then(len(u) - since - back, len(u) - since)
    fell = sum(rain[-(p.rain_min * 60 // slot_s) :]) / p.rain_mm
    heard = any(v is not None for g in gauges for v in g[-silent - 1 :])
    if now is None and not heard:
        return None
    if now is None:
        return fell if p.joined == "any" else None
    part = now + p.rise_weight * (max(0.0, now - before) if before is not None else 0.0)
    if not heard:
        return float(part) if p.joined == "any" else None
    return float(max(part, fell) if p.joined == "any" else min(part, fell))
