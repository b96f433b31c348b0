"""`flood_score` as a plain loop over one row."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Any


def flood_score(
    p: Any, level: Sequence[float | None], rain: Sequence[float], slot_s: int, *, rained: bool
) -> float | None:
    """level, rain: by slot, oldest first; rain is of all gauges together; rained: whether one of them was
    heard of late."""
    silent, per_min = p.silent_min * 60 // slot_s, 60 / slot_s
    scaled = [
        None if v is None else max(0.0, (v - p.zero_m) / (p.flood_m - p.zero_m)) ** p.power
        for v in level
    ]
    back = next((k for k, v in enumerate(scaled[: -silent - 2 : -1]) if v is not None), None)
    until = len(scaled) - (back or 0)  # the level is told as of when it was last heard

    def newest(ago: int) -> float | None:
        seen = scaled[max(0, until - ago - silent - 1) : max(0, until - ago)]
        known = [v for v in seen if v is not None]
        return known[-1] if known else None

    def then(ago: int) -> float | None:
        """What it was, on a straight line where it was not heard."""
        at = until - 1 - ago
        known = [n for n in range(max(0, at - silent), at + 1) if scaled[n] is not None]
        if not known:
            return None
        first = known[-1]
        after = next(n for n in range(at, until) if scaled[n] is not None)
        a, b = scaled[first], scaled[after]
        assert a is not None
        assert b is not None
        return float(a + (b - a) * ((at - first) / (after - first)) if first < at else a)

    held = rain[-round(p.days * 1440 * per_min) :]
    fell = sum(r * p.decay_per_day ** (n * slot_s / 86_400) for n, r in enumerate(held[::-1]))
    wet = fell / (fell + p.wet_mm)
    now = newest(0)

    def total(intercept: float, weights: dict[str, float], high: float) -> float:
        found = intercept
        for name, weight in weights.items():
            what, _, minutes = name.rpartition("_")
            slots = round(int(minutes[:-3]) * per_min) if minutes.endswith("min") else 0
            if what == "rise":
                before = then(slots)
                found += weight * (0.0 if before is None else high - before)
            elif name == "level_squared":
                found += weight * high**2
            elif what:
                depth = sum(rain[-slots:])
                times = {"wet_rain": wet, "level_rain": high}.get(what, 1.0)
                found += weight * (sqrt(depth) if what == "root_rain" else depth * times)
            else:
                found += weight * (high if name == "level" else wet)
        return found

    said = [] if now is None else [total(p.intercept, p.weights, now)]
    after = (p.unseen_min or p.silent_min + p.slot_min) * 60 // slot_s
    if p.unseen and rained and (back is None or back >= after):
        said.append(total(p.unseen_intercept, p.unseen, 0.0))
    if not said:
        return None
    return float(1 / (1 + exp(-max(said))) if p.outcome == "chance" else max(said))
