"""The chance that a place on a stream floods soon, fitted to what flooded in simulated storms.

A forecast of the level that comes is off on either side, and places on one stream flood at levels of their
own: what an order rests on is how many of them will. Each moment of a storm at which it rains or the stream
runs high counts the places that flood within `CHANCE_MIN` and those that stay dry for so long; a logistic
regression on level, rise and rain (`flood_score` with `outcome` chance) is fitted to them, and another on
rain alone for a gauge that is not heard. It speaks early of streams that are sure to flood. A stream that
creeps up is never sure, so beside it stands the level itself (`high_rows`), the last word before the water.

Of a slope the same is fitted to the moments at which the rain that goes on would come near to its curve
(`slope_chance`): rain on it and around it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.language import Text
from config.records.district import District
from config.records.rules import RuleRow
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.storm.slope_chance import terms as slope_terms
from detectors.water.flood_score import FloodScore, terms, width
from fengsui.play.order_rules import (
    FORM,
    HOLD_MIN,
    RAIN,
    RISES,
    SLOPE_NEAR,
    SLOT_MIN,
    UNSEEN_MIN,
    Basin,
    hazards_of,
    is_chance,
    rounded,
    slope_chance_rows,
)
from fengsui.play.season import Season, rows_of, seen, tracks
from skill.forecast.reliability import bins, brier
from skill.series.track import alongside, track, views
from skill.tables.logistic import fit

# how far it looks: as long as people need, and as much longer as it takes to be sure of it by then
CHANCES_MIN = (30, 45)
HIGH = (0.95, 1.0, 1.05)  # of the level at which the stage table orders people to move
_ROOTS = tuple(f"root_rain_{m}min" for m in (5, 10, 15, 30, 60, 120))
_BY_LEVEL = tuple(f"level_rain_{m}min" for m in (15, 30, 60, 120))
# a wet catchment makes more of the same rain, and the rain of three hours does not say how wet it is
_WETTED = ("wet", *(f"wet_rain_{m}min" for m in (15, 30, 60)))
_SHORT = ("rain_5min", "rain_10min")
_BY_RAIN = (*_SHORT, *RAIN, *_ROOTS, *_WETTED)
_OF_SLOPES = ("rain", "root_rain", "around", "root_around")
_TERMS = ("level", "level_squared", *RISES, *_SHORT, *RAIN, *_ROOTS, *_BY_LEVEL, *_WETTED)
_SLOPE = (
    *("fallen", "fallen_squared", "goes_on", "goes_on_squared"),
    *(f"{what}_{m}min" for what in _OF_SLOPES for m in (5, 10, 15, 30, 60)),
)
_FORM = FORM | {"days": 1}  # a storm's own rain
_WET_MM, _HIGH = 3.0, 0.2  # of three hours, of the flood level: moments that say anything
_SHRINK = 1.0


class Moments(NamedTuple):
    """x: (n, terms) what was seen; flooded, dry: (n, horizons) places of the basin that flood within each of
    `CHANCES_MIN`, and those that have not flooded by then."""

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
    if not every:
        empty = np.zeros((0, len(CHANCES_MIN)))
        return Moments(np.zeros((0, len(_TERMS))), empty, empty)
    x, flooded, dry = (np.concatenate(part) for part in zip(*every, strict=True))
    return Moments(x, flooded, dry)


def _of(found: Season, b: Basin, at: dict[tuple[str, str], int]) -> Moments | None:
    t = track(found.record, b.stage, "stage", SLOT_MIN * 60, "max")
    if not t.at.size:
        return None
    beside = [alongside(found.record, r, "rain", t) for r in b.rain]
    made = FloodScore(
        zero_m=b.scale[0], flood_m=b.scale[1], weights=dict.fromkeys(_TERMS, 1.0), **_FORM
    )
    x = np.concatenate([terms(made, view) for _, view in views(t, beside, width(made))])
    wet = x[:, _TERMS.index("rain_180min")] > _WET_MM
    use = np.isfinite(x).all(axis=1) & (wet | (x[:, 0] > _HIGH))
    now = t.at[use][:, None, None]
    of = [(h, a) for h, areas, _ in hazards_of(b) for a in areas]
    floods = np.array([at.get((a, h), 2**62) for h, a in of], np.int64)
    soon = floods <= now + np.array(CHANCES_MIN)[:, None] * 60_000
    flooded = ((floods > now) & soon).sum(axis=2)
    return Moments(x[use], flooded.astype(np.float64), (~soon).sum(axis=2).astype(np.float64))


def chances(seen: Moments, ahead_min: int) -> dict[str, Any]:
    """Parameters of `flood_score`, those by rain alone among them. ahead_min: one of `CHANCES_MIN`."""
    k = CHANCES_MIN.index(ahead_min)
    of = seen._replace(flooded=seen.flooded[:, k], dry=seen.dry[:, k])
    rain = [_TERMS.index(name) for name in _BY_RAIN]
    intercept, weights = _fitted(of, of.x, _TERMS)
    unseen_intercept, unseen = _fitted(of, of.x[:, rain], _BY_RAIN)
    return _FORM | {
        "outcome": "chance",
        "ahead_min": ahead_min,
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


def slope_moments(found: Season, district: District) -> Moments:
    """Of one storm, of all slopes: those at which rain that goes on comes near to the curve."""
    at = {t.area: t.flooded_at for t in found.truth if t.hazard == "debris_flow"}
    every = [Moments(np.zeros((0, len(_SLOPE))), *(np.zeros((0, len(CHANCES_MIN))),) * 2)]
    rows = list(slope_chance_rows(district, {"weights": dict.fromkeys(_SLOPE, 1.0)}))
    for rule, row in rows_of(district, rows):
        t, beside = tracks(rule, row, found.record)
        parts = views(t, beside, rule.kind.span(rule.parameters), row.weights)
        pairs = [slope_terms(rule.parameters, view) for _, view in parts]
        if not pairs:
            continue
        x, near = (np.concatenate(part) for part in zip(*pairs, strict=True))
        use = near >= SLOPE_NEAR
        now, floods = t.at[use][:, None], at.get(row.area, 2**62)
        soon = floods <= now + np.array(CHANCES_MIN) * 60_000
        here = ((floods > now) & soon).astype(np.float64)
        every.append(Moments(x[use], here, (~soon).astype(np.float64)))
    return joined(every)


def slope_chances(seen: Moments, ahead_min: int) -> dict[str, Any]:
    """Parameters of `slope_chance`. ahead_min: one of `CHANCES_MIN`."""
    k = CHANCES_MIN.index(ahead_min)
    of = seen._replace(flooded=seen.flooded[:, k], dry=seen.dry[:, k])
    intercept, weights = _fitted(of, of.x, _SLOPE)
    return {"ahead_min": ahead_min, "intercept": intercept, "weights": weights}


class Stated(NamedTuple):
    """Of one storm: each chance that a rule said of a place not yet flooded, whether it flooded within the
    time that the rule speaks of, and which storm it was."""

    chance: Floats
    came: Bools
    storm: Ints


NOTHING_STATED = Stated(np.zeros(0), np.zeros(0, np.bool_), np.zeros(0, np.int64))


def said_chances(district: District, found: Season, storm: int) -> Stated:
    """Of the declared rules whose thresholds are chances, slot by slot."""
    at = {(t.area, t.hazard): t.flooded_at for t in found.truth}
    every = [NOTHING_STATED]
    for row in district.rules.rule:
        if not is_chance(row):
            continue
        for one in seen(district, [row], found.record):
            floods = at.get((one.area, row.hazard), 2**62)
            use = np.isfinite(one.value) & (one.at < floods)
            came = floods <= one.at[use] + int(row.parameters["ahead_min"]) * 60_000
            which = np.full(int(use.sum()), storm)
            every.append(Stated(one.value[use], came, which))
    return Stated(*(np.concatenate(part) for part in zip(*every, strict=True)))


def told_chances(every: Sequence[Stated]) -> Iterator[Text]:
    """What was said and how often it came, by how high it was; nothing where no chance was said."""
    chance, came, storm = (np.concatenate(part) for part in zip(*every, strict=True))
    if not chance.size:
        return
    yield Text(
        f"可能性可靠吗（各区各时次，不独立）：Brier {brier(chance, came):.4f}；"
        "说的 → 成真的（时次，涉及场次）",
        f"reliability of the chances (by place and slot, not independent): Brier "
        f"{brier(chance, came):.4f}; said -> came (slots, storms)",
    )
    line = "  ".join(
        f"{b.forecast:.1%} → {b.observed:.1%} ({b.many}, {b.events})"
        for b in bins(chance, came, storm)
    )
    yield Text(f"  {line}", f"  {line}")


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
