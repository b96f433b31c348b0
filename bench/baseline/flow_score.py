"""`flow_score` as a plain loop over one row."""

from collections.abc import Callable, Sequence
from math import log, tanh
from typing import Any

from detectors.water.runoff.gr4h import ordinates


def _out(y: float) -> float:
    return float(y * (1 - (1 + y**4) ** -0.25))


def _left(target: float) -> float:
    """What stays in a routing store of capacity 1 that gives so much, by halving."""
    low, high = 0.0, 1000.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _out(middle) < target else (low, middle)
    return low - _out(low)


def _model(
    p: Any, flow: Sequence[float | None], rain: Sequence[float], u: Callable[[float], float]
) -> Callable[[int, int], float]:
    """What was foretold so many hours ago of so many hours later."""
    near, far = (x.tolist() for x in ordinates(p.x4))
    mm, hours = 3.6 / p.area_km2, len(rain)
    first = next((v for v in flow if v is not None), p.usual_m3_s)
    full = p.start_s + p.start_by * log(max(first / p.usual_m3_s, 1e-3))
    s, r = min(max(full, 0.02), 0.98) * p.x1, 0.3 * p.x3
    leaves: list[float] = []
    leaks: list[float] = []
    stores: list[float] = []

    def brought(u: list[float], share: float, at: int, ahead: int) -> float:
        """What comes `ahead` hours after `at` of what has left by then, the leak going on."""
        total = sum(u[:ahead]) * leaks[at] if ahead else 0.0
        for j in range(ahead, len(u)):
            if at - (j - ahead) >= 0:
                total += u[j] * leaves[at - (j - ahead)]
        return share * total

    def routed(r: float, at: int, ahead: int) -> tuple[float, float, float]:
        change = p.x2 * (r / p.x3) ** 3.5
        before = max(r + brought(near, 0.9, at, ahead) + change, 0.0)
        out = p.x3 * _out(before / p.x3)
        return before - out, out, max(brought(far, 0.1, at, ahead) + change, 0.0)

    for h, v in enumerate(rain):
        f, net, dry = s / p.x1, max(v - p.pe_mm_h, 0.0), max(p.pe_mm_h - v, 0.0)
        t = tanh(min(net / p.x1, 13))
        gain = p.x1 * (1 - f * f) * t / (1 + f * t)
        t = tanh(min(dry / p.x1, 13))
        s += gain - s * (2 - f) * t / (1 + (1 - f) * t)
        leak = s * (1 - (1 + (s / (5.25 * p.x1)) ** 4) ** -0.25)
        s -= leak
        leaks.append(leak)
        leaves.append(leak + net - gain)
        r, _, straight = routed(r, h, 0)
        q = flow[h]
        if q is not None:
            r = p.x3 * _left(max(q * mm - straight, 0.1 * q * mm) / p.x3)
        stores.append(r)

    def foretold(back: int, ahead: int) -> float:
        at = hours - 1 - back
        r, out, straight = stores[at], 0.0, 0.0
        for k in range(1, ahead + 1):
            r, out, straight = routed(r, at, k)
        return u((out + straight) / mm)

    return foretold


def flow_score(p: Any, flow: Sequence[float | None], rain: Sequence[float]) -> float | None:
    """flow, m3/s, rain, mm, of all gauges together: by hour, oldest first."""

    def u(q: float) -> float:
        return float(max(0.0, (q - p.zero_m) / (p.flood_m - p.zero_m)) ** p.power)

    foretold, hours = _model(p, flow, rain, u), len(rain)
    back = next((k for k, v in enumerate(flow[: -p.silent_h - 2 : -1]) if v is not None), None)
    if back is None:
        return None
    seen = [None if v is None else u(v) for v in flow[: hours - back]]
    now = seen[-1]
    assert now is not None

    def then(ago: int) -> float | None:
        at = len(seen) - 1 - ago
        known = [n for n in range(max(0, at - p.silent_h), at + 1) if seen[n] is not None]
        if not known:
            return None
        after = next(n for n in range(at, len(seen)) if seen[n] is not None)
        a, b = seen[known[-1]], seen[after]
        assert a is not None
        assert b is not None
        return a + (b - a) * ((at - known[-1]) / (after - known[-1])) if known[-1] < at else a

    def length(name: str) -> int:
        return int(name.rpartition("_")[2].removesuffix("min")) // 60

    rises = {n: then(length(n)) for n in p.weights if n.startswith("rise")}
    total = p.intercept
    for name, weight in p.weights.items():
        k = 0 if name == "level" else length(name)
        miss = 0.0 if flow[-1] is None or not k else u(flow[-1]) - foretold(k, k)
        before = rises.get(name)
        total += weight * (
            now if name == "level"
            else (0.0 if None in rises.values() or before is None else now - before) if name in rises
            else sum(rain[-k:]) if name.startswith("rain")
            else foretold(0, k) if name.startswith("flow")
            else miss * (foretold(0, p.ahead_min // 60) if "flow" in name else 1.0)
        )  # fmt: skip
    return float(total)
