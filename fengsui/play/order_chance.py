"""The chance that a place on a stream floods soon, fitted to what flooded in simulated storms.

A forecast of the level that comes is off on either side, and places on one stream flood at levels of their
own: what an order rests on is how many of them will. Each moment of a storm at which it rains or the stream
runs high counts the places that flood within `CHANCE_MIN` and those that stay dry for so long; a logistic
regression on level, rise and rain (`flood_score` with `outcome` chance) is fitted to them, and another on
rain alone for a gauge that is not heard. It speaks early of streams that are sure to flood. A stream that
creeps up is never sure, so beside it stands the level itself (`high_rows`), the last word before the water.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats
from detectors.water.flood_score import FloodScore, terms, width
from fengsui.play.order_rules import (
    FORM,
    HOLD_MIN,
    RAIN,
    RISES,
    SLOT_MIN,
    UNSEEN_MIN,
    Basin,
    hazards_of,
    rounded,
)
from fengsui.play.season import Season
from skill.series.track import alongside, track, views
from skill.tables.logistic import fit

CHANCE_MIN = (
    30  # how far it looks: longer than people need, and no longer than the rain that fell can tell
)
HIGH = (0.95, 1.0, 1.05, 1.1)  # of the level at which the stage table orders people to move
_ROOTS = tuple(f"root_rain_{m}min" for m in (15, 30, 60, 120))
_BY_LEVEL = tuple(f"level_rain_{m}min" for m in (15, 30, 60, 120))
_BY_RAIN = (*RAIN, *_ROOTS)
_TERMS = ("level", "level_squared", *RISES, *RAIN, *_ROOTS, *_BY_LEVEL)
_WET_MM, _HIGH = 3.0, 0.2  # of three hours, of the flood level: moments that say anything
_SHRINK = 1.0


class Moments(NamedTuple):
    """x: (n, terms) what was seen; flooded, dry: (n,) places of the basin that flood within `CHANCE_MIN`,
    and those that have not flooded by then."""

    x: Floats
    flooded: Floats
    dry: Floats


def moments(found: Season, places: Sequence[Basin]) -> Moments:
    """Of one storm, of all basins."""
    at = {(t.area, t.hazard): t.flooded_at for t in found.truth}
    every = [_of(found, b, at) for b in places]
    return joined([m for m in every if m is not None])


def joined(every: Sequence[Moments]) -> Moments:
    """Of several storms or basins."""
    none = Moments(np.zeros((0, len(_TERMS))), np.zeros(0), np.zeros(0))
    x, flooded, dry = (np.concatenate(part) for part in zip(none, *every, strict=True))
    return Moments(x, flooded, dry)


def _of(found: Season, b: Basin, at: dict[tuple[str, str], int]) -> Moments | None:
    t = track(found.record, b.stage, "stage", SLOT_MIN * 60, "max")
    if not t.at.size:
        return None
    beside = [alongside(found.record, r, "rain", t) for r in b.rain]
    made = FloodScore(
        zero_m=b.scale[0], flood_m=b.scale[1], weights=dict.fromkeys(_TERMS, 1.0), **FORM
    )
    x = np.concatenate([terms(made, view) for _, view in views(t, beside, width(made))])
    wet = x[:, _TERMS.index("rain_180min")] > _WET_MM
    use = np.isfinite(x).all(axis=1) & (wet | (x[:, 0] > _HIGH))
    now = t.at[use][:, None]
    floods = np.array([at.get((a, "flash_flood"), 2**62) for a in b.areas], np.int64)[None]
    soon = floods <= now + CHANCE_MIN * 60_000
    flooded = ((floods > now) & soon).sum(axis=1)
    return Moments(x[use], flooded.astype(np.float64), (~soon).sum(axis=1).astype(np.float64))


def chances(seen: Moments) -> dict[str, Any]:
    """Parameters of `flood_score`, those by rain alone among them."""
    rain = [_TERMS.index(name) for name in _BY_RAIN]
    intercept, weights = _fitted(seen, seen.x, _TERMS)
    unseen_intercept, unseen = _fitted(seen, seen.x[:, rain], _BY_RAIN)
    return FORM | {
        "outcome": "chance",
        "ahead_min": CHANCE_MIN,
        "intercept": intercept,
        "weights": weights,
        "unseen_min": UNSEEN_MIN,
        "unseen_intercept": unseen_intercept,
        "unseen": unseen,
    }


def _fitted(seen: Moments, x: Floats, names: Sequence[str]) -> tuple[float, dict[str, float]]:
    places = seen.flooded + seen.dry
    use = places > 0
    share = seen.flooded[use] / places[use]
    line = fit(x[use], share, (0,) * len(names), _SHRINK, places[use])
    found = [rounded(float(w)) for w in line.weight]
    return rounded(float(line.intercept)), dict(zip(names, found, strict=True))


def high_rows(places: Sequence[Basin], limit: float) -> Iterator[RuleRow]:
    """A row for each basin and hazard: the level itself, whatever the chance is."""
    for b in places:
        for hazard, areas, tail in hazards_of(b):
            yield RuleRow(
                id=f"water_{b.id.lower()}{tail}",
                kind="stage_score",
                quantity="stage",
                hazard=hazard,
                source="",
                areas=areas,
                stations=(b.stage,),
                prepare=limit,
                move=limit,
                hold_min=HOLD_MIN,
                parameters={
                    "zero_m": b.scale[0],
                    "flood_m": b.scale[1],
                    "power": FORM["power"],
                    "slot_min": SLOT_MIN,
                },
            )
