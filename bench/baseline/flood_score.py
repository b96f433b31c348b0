"""`flood_score` as a plain loop over one row."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Any


def flood_score(
    p: Any, level: Sequence[float | None], rain: Sequence[float], slot_s: int
) -> float | None:
    """level, rain: by slot, oldest first; rain is of all gauges together."""
    silent, per_min = p.silent_min * 60 // slot_s, 60 / slot_s
    scaled = [
        None if v is None else max(0.0, (v - p.zero_m) / (p.flood_m - p.zero_m)) ** p.power
        for v in level
    ]
    last = len(scaled)

    def newest(back: int) -> float | None:
        seen = scaled[max(0, last - back - silent - 1) : last - back]
        known = [v for v in seen if v is not None]
        return known[-1] if known else None

    now, total = newest(0), p.intercept
    held = rain[-round(p.days * 1440 * per_min) :]
    fell = sum(r * p.decay_per_day ** (n * slot_s / 86_400) for n, r in enumerate(held[::-1]))
    wet = fell / (fell + p.wet_mm)
    if now is None:
        return None
    for name, weight in p.weights.items():
        what, _, minutes = name.rpartition("_")
        slots = round(int(minutes[:-3]) * per_min) if minutes.endswith("min") else 0
        if what == "rise":
            before = newest(slots)
            total += weight * (0.0 if before is None else now - before)
        elif name == "level_squared":
            total += weight * now**2
        elif what:
            depth = sum(rain[-slots:])
            times = {"wet_rain": wet, "level_rain": now}.get(what, 1.0)
            total += weight * (sqrt(depth) if what == "root_rain" else depth * times)
        else:
            total += weight * (now if name == "level" else wet)
    return float(1 / (1 + exp(-total)) if p.outcome == "chance" else total)
