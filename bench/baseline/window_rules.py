"""Every kind of window rule as a plain Python loop over one station: the yardstick of `fengsui bench
detect`, with no arrays and nothing clever, written from the equations in the rules' own texts.

A slot that was not heard is None. Each function takes the parameters, the window of each input
(oldest slot first), the seconds of a slot and the inputs' weights, and gives the value or None.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import exp, log1p, sqrt, tanh
from statistics import median
from typing import Any

from bench.baseline.flood_score import flood_score
from bench.baseline.flow_score import flow_score
from bench.baseline.level_and_rain import level_and_rain
from bench.baseline.level_forecast import level_forecast
from bench.baseline.shaking import moveout, sta_lta
from detectors.rain.postfire_m1 import M1
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES
from detectors.water.runoff.gr4h import ordinates
from detectors.water.runoff.unit_hydrograph import hydrograph

Slots = list[float | None]
Windows = list[Slots]


def _known(x: Slots) -> list[float]:
    return [v for v in x if v is not None]


def _rain(x: Slots) -> list[float]:
    return [v or 0.0 for v in x]


def _areal(w: Windows, weights: Sequence[float], silent: int) -> list[float]:
    out, heard = [], [-silent - 1] * len(w)  # when each gauge was heard last
    for s in range(len(w[0])):
        total = weight = 0.0
        for k, (x, part) in enumerate(zip(w, weights, strict=True)):
            if x[s] is not None:
                heard[k] = s
            if s - heard[k] <= silent:
                total, weight = total + part * (x[s] or 0.0), weight + part
        out.append(total / weight if weight else 0.0)
    return out


def _intensity_duration(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float:
    total = best = 0.0
    for n, v in enumerate(reversed(_rain(w[0])), 1):
        total += v
        hours = n * slot_s / 3600
        if n * slot_s >= p.from_min * 60:
            best = max(best, total / (hours * (p.base + p.alpha * hours**-p.beta)))
    return best


def _peak_intensity(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float:
    x, many = _rain(w[0]), p.duration_min * 60 // slot_s
    peak = max(sum(x[n : n + many]) for n in range(len(x) - many + 1))
    return float(peak * (60 / p.duration_min))


def _postfire_m1(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float:
    peak = _peak_intensity(p, w, slot_s, _) * p.duration_min / 60
    b, c1, c2, c3 = M1[p.duration_min]
    odds = b + (c1 * p.burned_steep + c2 * p.dnbr + c3 * p.soil_kf) * peak
    return 1 / (1 + exp(-odds))


def _storm_score(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float:
    x, gap = _rain(w[0]), p.gap_h * 3600 // slot_s
    wet = [n for n, v in enumerate(x) if v > 0]
    begin = next((b for a, b in reversed([*pairwise(wet)]) if b - a > gap), 0)
    over = not wet or len(x) - 1 - wet[-1] >= gap
    storm = [0.0 if over or n < begin else v for n, v in enumerate(x)]
    odds = p.intercept
    for name, weight in p.weights.items():
        minutes = TABLE_QUANTITIES[name].minutes
        if minutes:
            many = minutes * 60 // slot_s
            most = max(sum(storm[n : n + many]) for n in range(len(storm) - many + 1))
            odds += weight * log1p(most * 60 / minutes / p.climate)
        else:
            odds += weight * log1p(sum(storm))
    return 1 / (1 + exp(-odds))


def _antecedent(p: Any, w: Windows, _s: int, _: Sequence[float]) -> float:
    ages = range(len(w[0]) - 1, -1, -1)
    aged = ((max(age - p.current_h, 0) / 24, v) for age, v in zip(ages, w[0], strict=True) if v)
    return float(sum(v * p.decay_per_day**days for days, v in aged))


def _cumulative(_p: Any, w: Windows, _s: int, _: Sequence[float]) -> float:
    return sum(_rain(w[0]))


def _recent_prior(p: Any, w: Windows, _s: int, _: Sequence[float]) -> float:
    x, cut = _rain(w[0]), p.recent_days * 24
    return float(sum(x[-cut:]) + p.b * sum(x[:-cut]))


def _areal_rain(p: Any, w: Windows, slot_s: int, weights: Sequence[float]) -> float | None:
    silent = p.silent_min * 60 // slot_s
    counts = [any(v is not None for v in x[-silent - 1 :]) for x in w]
    share = sum(part for part, c in zip(weights, counts, strict=True) if c) / sum(weights)
    mean = _areal(w, weights, silent)
    return None if share < p.min_weight - 1e-9 else sum(mean[-(p.duration_min * 60 // slot_s) :])


def _slope_chance(p: Any, w: Windows, slot_s: int, weights: Sequence[float]) -> float | None:
    """With no rain that goes on."""
    if not any(v is not None for x in w for v in x):
        return None
    silent = p.silent_min * 60 // slot_s
    means = {
        "rain": _areal(w, weights, silent),
        "around": _areal(w, [float(part > 0) for part in weights], silent),
    }
    lately = list[float | None](means["rain"][-p.to_min * 60 // slot_s :])
    ratio = _intensity_duration(p, [lately], slot_s, weights)
    if ratio < p.near:
        return 0.0
    odds = p.intercept
    for name, weight in p.weights.items():
        if name.endswith("min"):
            what, minutes = name.removeprefix("root_").removesuffix("min").split("_")
            fell = sum(means[what][-int(minutes) * 60 // slot_s :])
            odds += weight * (sqrt(fell) if name.startswith("root_") else fell)
        else:
            odds += weight * (ratio * ratio if name.endswith("_squared") else ratio)
    return 0.5 * (1 + tanh(odds / 2))


def _soil_and_rain(p: Any, w: Windows, slot_s: int, weights: Sequence[float]) -> float | None:
    """No input is named a soil moisture, so the ground is wet."""
    if not any(v is not None for x in w for v in x):
        return None
    mean = _areal(w, weights, p.silent_min * 60 // slot_s)
    return sum(mean[-(p.rain_min * 60 // slot_s) :])


def _unit_hydrograph(p: Any, w: Windows, slot_s: int, weights: Sequence[float]) -> float:
    rain = _areal(w, weights, p.silent_min * 60 // slot_s)
    keep, room, before, runoff = p.decay_per_day ** (slot_s / 86_400), 25_400 / p.cn - 254, 0.0, []
    for v in rain:
        a, b = max(before - p.ia * room, 0.0), max(before + v - p.ia * room, 0.0)
        runoff.append(b * b / (b + room) - a * a / (a + room) if b > 0 else 0.0)
        before = (before + v) * keep
    u = hydrograph(p).tolist()
    ahead = range(p.ahead_min * 60 // slot_s + 1)
    most = max(sum(q * u[a + n] for n, q in enumerate(reversed(runoff))) for a in ahead)
    return float(most * (p.area_km2 * 1000 / slot_s) + p.base_m3_s)


def _gr4h(p: Any, w: Windows, _s: int, weights: Sequence[float]) -> float:
    rain = _areal(w, weights, p.silent_h) + [0.0] * p.ahead_h
    near, far = (x.tolist() for x in ordinates(p.x4))
    to_near, to_far = [0.0] * (len(rain) + len(near)), [0.0] * (len(rain) + len(far))
    s, r, flow, pe = p.start_s * p.x1, p.start_r * p.x3, [], p.pe_mm_h[0]
    for h, v in enumerate(rain):
        full, net, dry = s / p.x1, max(v - pe, 0.0), max(pe - v, 0.0)
        t = tanh(min(net / p.x1, 13))
        gain = p.x1 * (1 - full * full) * t / (1 + full * t)
        t = tanh(min(dry / p.x1, 13))
        s += gain - s * (2 - full) * t / (1 + (1 - full) * t)
        leak = s * (1 - (1 + (s / (5.25 * p.x1)) ** 4) ** -0.25)
        s -= leak
        for k, part in enumerate(near):
            to_near[h + k] += (leak + net - gain) * 0.9 * part
        for k, part in enumerate(far):
            to_far[h + k] += (leak + net - gain) * 0.1 * part
        change = p.x2 * (r / p.x3) ** 3.5
        r = max(r + to_near[h] + change, 0.0)
        out = r * (1 - (1 + (r / p.x3) ** 4) ** -0.25)
        r -= out
        flow.append(out + max(to_far[h] + change, 0.0))
    return float(max(flow[-p.ahead_h - 1 :]) * p.area_km2 / 3.6)


def _slopes(x: Slots) -> list[float]:
    at = [(n, v) for n, v in enumerate(x) if v is not None]
    return [(b - a) / (m - n) for k, (n, a) in enumerate(at) for m, b in at[k + 1 :]]


def _newest(x: Slots) -> tuple[float, int]:
    back = next(n for n, v in enumerate(reversed(x)) if v is not None)
    return x[-1 - back] or 0.0, back


def _stage_projection(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    if len(_known(w[0])) < p.min_points:
        return None
    base, back = _newest(w[0])
    return float(base + max(median(_slopes(w[0])), 0.0) * (p.ahead_min * 60 / slot_s + back))


def _stage_score(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    x, many = w[0], p.rise_min * 60 // slot_s
    first = next((v for v in x[-many - 1 :] if v is not None), None)
    if x[-1] is None or first is None:
        return None
    scale = p.flood_m - p.zero_m
    return float((x[-1] - p.zero_m + p.rise_weight * max(x[-1] - first, 0.0)) / scale)


def _rise_rate(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    enough = len(_known(w[0])) >= p.min_points
    return median(_slopes(w[0])) * (3600 / slot_s) if enough else None


def _trend(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    return _rise_rate(p, w, slot_s, _)


def _above(p: Any, w: Windows, _s: int, _: Sequence[float]) -> float | None:
    return _newest(w[0])[0] if len(_known(w[0])) >= p.min_points else None


def _travel_time(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    last, spread = len(w[0]) - 1, p.spread_min * 60 // slot_s
    best = None
    for ahead in range(min(p.lag_min) * 60 // slot_s + 1):
        total: float | None = p.offset
        for x, lag, gain in zip(w, p.lag_min, p.gain, strict=False):
            at = last - lag * 60 // slot_s + ahead
            around = _known(x[max(0, at - spread) : at + spread + 1])
            total = None if total is None or not around else total + gain * max(around)
        if total is not None and (best is None or total > best):
            best = total
    return best


def _mann_kendall(p: Any, w: Windows, _s: int, _: Sequence[float]) -> float | None:
    x = _known(w[0])
    n = len(x)
    if n < p.min_points:
        return None
    s = sum((b > a) - (b < a) for k, a in enumerate(x) for b in x[k + 1 :])
    many = [x.count(v) for v in set(x)]
    var = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in many)) / 18
    return (s - (s > 0) + (s < 0)) / sqrt(var) if var > 0 else 0.0


def _standard(p: Any, x: Slots, slot_s: int) -> tuple[list[float], bool]:
    """Recent values in sigmas, and whether what is usual is known."""
    cut = p.recent_s // slot_s
    before = _known(x[:-cut])
    if len(before) < p.min_points:
        return [], False
    middle = median(before)
    sigma = max(1.4826 * median(abs(v - middle) for v in before), p.least_sigma)
    return [(v - middle) / sigma for v in _known(x[-cut:])] if sigma > 0 else [], sigma > 0


def _ewma(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    z, known = _standard(p, w[0], slot_s)
    if not known or not z:
        return None
    mean, keep = 0.0, 1 - p.weight
    for v in z:
        mean = keep * mean + p.weight * v
    return float(mean / sqrt(p.weight / (2 - p.weight) * (1 - keep ** (2 * len(z)))))


def _cusum(p: Any, w: Windows, slot_s: int, _: Sequence[float]) -> float | None:
    z, known = _standard(p, w[0], slot_s)
    total = 0.0
    for v in z:
        total = max(0.0, total + max(-p.most_z, min(p.most_z, v)) - p.allowance)
    return total if known and z else None


PLAIN: dict[str, Callable[[Any, Windows, int, Sequence[float]], float | None]] = {
    "antecedent_rain": _antecedent,
    "areal_intensity": lambda p, w, slot_s, weights: _intensity_duration(
        p,
        [
            list[float | None](_areal(w, weights, p.silent_min * 60 // slot_s))[
                -p.to_min * 60 // slot_s :
            ]
        ],
        slot_s,
        weights,
    ),
    "areal_rain": _areal_rain,
    "camera_colour": _above,
    "camera_front": _above,
    "camera_speed": _above,
    "camera_waterline": _above,
    "cumulative_rain": _cumulative,
    "cusum": _cusum,
    "ewma": _ewma,
    "flood_score": lambda p, w, slot_s, weights: flood_score(
        p,
        w[0],
        _areal(w[1:], weights[1:], p.silent_min * 60 // slot_s),
        slot_s,
        rained=any(_known(x[-p.silent_min * 60 // slot_s - 1 :]) for x in w[1:]),
    ),
    "flow_score": lambda p, w, _s, weights: flow_score(
        p, w[0], _areal(w[1:], weights[1:], p.silent_h)
    ),
    "gr4h": _gr4h,
    "intensity_duration": _intensity_duration,
    "level_and_rain": lambda p, w, slot_s, weights: level_and_rain(
        p, w[0], w[1:], _areal(w[1:], weights[1:], p.silent_min * 60 // slot_s), slot_s
    ),
    "level_forecast": level_forecast,
    "mann_kendall": _mann_kendall,
    "moveout": moveout,
    "peak_intensity": _peak_intensity,
    "postfire_m1": _postfire_m1,
    "quantity_above": _above,
    "quantity_below": _above,
    "quantity_fall": _trend,
    "quantity_rise": _trend,
    "recent_prior_rain": _recent_prior,
    "rise_rate": _rise_rate,
    "sta_lta": sta_lta,
    "slope_chance": _slope_chance,
    "soil_and_rain": _soil_and_rain,
    "stage_projection": _stage_projection,
    "stage_score": _stage_score,
    "storm_score": _storm_score,
    "travel_time": _travel_time,
    "unit_hydrograph": _unit_hydrograph,
}
