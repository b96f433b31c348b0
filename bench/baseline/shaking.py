"""The rules on shaking as plain loops."""

from collections.abc import Sequence
from statistics import median
from typing import Any

Slots = Sequence[float | None]


def _known(x: Slots) -> list[float]:
    return [v for v in x if v is not None]


def sta_lta(p: Any, w: Sequence[Slots], slot_s: int, _: Sequence[float]) -> float | None:
    cut = p.sta_s // slot_s
    means = []
    for x in (w[0][:-cut], w[0][-cut:]):
        known = _known(x)
        if len(known) < p.min_share * len(x):
            return None
        means.append(sum(map(abs, known)) / len(known))
    usual = means[0] if p.before == "mean" else median(map(abs, _known(w[0][:-cut])))
    before = max(usual, p.floor)
    return float(means[1] / before) if before > 0 else None


def moveout(p: Any, w: Sequence[Slots], slot_s: int, _: Sequence[float]) -> float | None:
    """By the definition: every slot's ratio, every pair of beginnings."""
    sta, end = p.sta_s // slot_s, len(w[0])
    first = end - (p.within_s + p.sta_s) // slot_s
    begins, heard = [], 0
    for x in w[: len(p.distance_m)]:
        whole = [abs(v) for v in _known(x)]
        enough = whole and len(whole) >= p.min_share * len(x)
        usual = median(whole) if p.before == "median" and enough else None
        r = [_shaking(p, x, n, slot_s, usual) for n in range(first, end)]
        heard += any(v is not None for v in r)
        mine = []
        for n in range(sta, len(r)):
            v, before = r[n], [b for b in r[n - sta : n] if b is not None]
            if v is not None and v >= p.on and before and max(before) < p.on:
                mine.append(n)
        begins.append(mine)
    if heard < 2:
        return None
    need, near = max(2, (heard + 1) // 2), p.together_s // slot_s
    left = [
        (k, t)
        for k, mine in enumerate(begins)
        for t in mine
        if sum(any(abs(t - u) <= near for u in of) for of in begins) < need
    ]
    longest: dict[tuple[int, int], int] = {}
    for k, t in sorted(left):
        longest[k, t] = 1
        for (i, u), many in [*longest.items()]:
            way, took = p.distance_m[k] - p.distance_m[i], (t - u) * slot_s
            if (
                i < k
                and way / p.fast_m_s - p.tolerance_s <= took <= way / p.slow_m_s + p.tolerance_s
            ):
                longest[k, t] = max(longest[k, t], many + 1)
    return float(max(longest.values(), default=0))


def _shaking(p: Any, x: Slots, n: int, slot_s: int, usual: float | None) -> float | None:
    """The short mean that ends at slot n against what is usual."""
    sta, lta = p.sta_s // slot_s, p.lta_s // slot_s
    now = [abs(v) for v in _known(x[n - sta + 1 : n + 1])]
    if p.before == "mean":
        before = [abs(v) for v in _known(x[n - sta - lta + 1 : n - sta + 1])]
        usual = sum(before) / len(before) if len(before) >= p.min_share * lta else None
    if len(now) < p.min_share * sta or usual is None:
        return None
    reference = max(usual, p.floor)
    return sum(now) / len(now) / reference if reference > 0 else None
