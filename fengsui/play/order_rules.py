"""The rules that orders to move are tuned for, as rows of rules.toml without thresholds: of each hazard
a few candidates, and the forecast of a stream fitted to the record of simulated storms.

Flash flood: the highest level to come from level, rise and rain (`flood_score`), one row for each
basin with a stage gauge, one set of weights for all of them: the storms are few for each basin by
itself. The level counts as discharge does in a wide channel (5/3, Manning). Where its gauge is not heard,
the same is foretold from rain alone, fitted to the same moments. Debris flow: rain against
Caine's published curve, with rain that goes on and grows on (`areal_intensity`).
"""

from collections.abc import Iterator, Sequence
from math import log
from typing import Any, NamedTuple

import msgspec
import numpy as np

from config.records.district import District
from config.records.rules import RuleRow
from detectors.engine.window_rule import Floats
from detectors.water.flood_score import FloodScore, terms, width
from detectors.water.stage_score import scaled
from fengsui.play.season import Season
from skill.series.track import alongside, track, views
from skill.verify.hindcast import Readings

SLOT_MIN = 5
HOLD_MIN = (
    120  # an order stands until the storm is over: who has left does not come back between cells
)
AHEAD_MIN = (45, 60)  # how far the forecast of the stream looks
GOES_ON = ((30, 0.7), (35, 1.0), (40, 0.7))  # minutes, trend: as long as people need, and longer
# of Caine's curve by what fell alone: from there on a slope is ordered whatever comes
FALLEN = (3.5, 3.6, 3.8)
SLOPES = "slope_chance"
FORM: dict[str, Any] = {"power": 1.6667, "slot_min": SLOT_MIN, "silent_min": 30}
SLOPE_NEAR = 1.7  # times the curve: rain that would come near to moving a slope if it goes on
SLOPE_FORM: dict[str, Any] = {
    "slot_min": SLOT_MIN,
    "from_min": 30,
    "to_min": 360,
    "goes_on_min": 30,
    "goes_on_trend": 0.7,
    "near": SLOPE_NEAR,
}
RAIN = tuple(f"rain_{m}min" for m in (15, 30, 60, 120, 180))
RISES = tuple(f"rise_{m}min" for m in (10, 20, 30))
_TERMS = ("level", *RISES, *RAIN)
# from then on rain alone is as near to the level that comes as what the gauge said last (storms 500–539:
# root mean square 0.32 with a level 10 min old, 0.36 with one 20 min old, 0.37 by rain alone)
UNSEEN_MIN = 15
_DEAD_M = 1e6  # lower than this no level counts: what a rule makes of a gauge that is never heard
_RIDGE = 1e-5
_LEAST = 0.05  # a moment counts as much as the level that came, and at least this


class Basin(NamedTuple):
    """A basin with a stage gauge: its scale (m: usual, flood), its rain gauges, the areas on it."""

    id: str
    stage: str
    rain: tuple[str, ...]
    areas: tuple[str, ...]
    scale: tuple[float, float]
    river: tuple[str, ...] = ()  # areas on it that know this water as the river's flood alone


class Sums(NamedTuple):
    """Of the normal equations, by how far the forecast looks: they add up over storms."""

    gram: dict[int, Floats]
    cross: dict[int, Floats]

    def plus(self, other: "Sums") -> "Sums":
        """Of both."""
        return Sums(
            {a: g + other.gram[a] for a, g in self.gram.items()},
            {a: c + other.cross[a] for a, c in self.cross.items()},
        )


def basins(district: District, record: Readings) -> list[Basin]:
    """Those of which anything can be forecast: a stage gauge with an order to move, rain and areas.
    The scale is from the usual level, that of the record's first quarter of an hour, to that order."""
    found = []
    for basin in district.basins:
        on = [a for a in district.areas.values() if a.basin == basin]
        areas = tuple(a.id for a in on if "flash_flood" in a.hazards)
        river = tuple(
            a.id for a in on if "river_flood" in a.hazards and "flash_flood" not in a.hazards
        )
        inside = [s for s in district.stations.values() if s.basin == basin]
        rain = tuple(s.id for s in inside if s.quantity == "rain")
        flood = {t.station: t.move_m for t in district.stage if t.move_m}
        stages = [s.id for s in inside if s.id in flood]
        usual = _usual(record, stages[0]) if stages else None
        if (areas or river) and rain and usual is not None:
            scale = (round(usual, 2), float(flood[stages[0]]))
            found.append(Basin(basin, stages[0], rain, areas, scale, river))
    return found


def hazards_of(b: Basin) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Hazard, areas, and how the id of its row ends. The water of a stream is one, whether a place has it as
    a flash flood or as the river's: a place that has it as both is ordered once."""
    if b.areas:
        yield "flash_flood", b.areas, ""
    if b.river:
        yield "river_flood", b.river, "_river"


def _usual(record: Readings, station: str) -> float | None:
    t = track(record, station, "stage", SLOT_MIN * 60, "max")
    first = t.values[t.heard][:3]
    return float(np.median(first)) if first.size else None


def sums(found: Season, places: Sequence[Basin]) -> Sums:
    """What one storm says of the forecast: at each slot in which it rained within an hour."""
    record = found.record
    size = len(_TERMS) + 1
    total = Sums(
        {a: np.zeros((size, size)) for a in AHEAD_MIN}, {a: np.zeros(size) for a in AHEAD_MIN}
    )
    for b in places:
        t = track(record, b.stage, "stage", SLOT_MIN * 60, "max")
        if not t.at.size:
            continue
        beside = [alongside(record, r, "rain", t) for r in b.rain]
        made = FloodScore(
            zero_m=b.scale[0], flood_m=b.scale[1], weights=dict.fromkeys(_TERMS, 1.0), **FORM
        )
        x = np.concatenate([terms(made, view) for _, view in views(t, beside, width(made))])
        raining = x[:, _TERMS.index("rain_60min")] > 0
        u = np.maximum(scaled(t.values, *b.scale, FORM["power"]), 0)
        for a in AHEAD_MIN:
            y = _highest(u, a // SLOT_MIN)[t.heard]
            use = raining & np.isfinite(y) & np.isfinite(x).all(axis=1)
            z, w = np.column_stack([np.ones(use.sum()), x[use]]), np.maximum(y[use], _LEAST)
            total.gram[a][:] += (z * w[:, None]).T @ z
            total.cross[a][:] += (z * w[:, None]).T @ y[use]
    return total


def _highest(u: Floats, ahead: int) -> Floats:
    """(slots,) the highest from each slot to `ahead` slots on; NaN where none was heard."""
    best = u.copy()
    for k in range(1, ahead + 1):
        best[:-k] = np.fmax(best[:-k], u[k:])
    return best


def forecast(total: Sums, ahead_min: int) -> dict[str, Any]:
    """Parameters of `flood_score`, those by rain alone among them."""
    gram, cross = total.gram[ahead_min], total.cross[ahead_min]
    intercept, weights = _fitted(gram, cross, _TERMS)
    rain = [0, *(1 + _TERMS.index(name) for name in RAIN)]
    unseen_intercept, unseen = _fitted(gram[np.ix_(rain, rain)], cross[rain], RAIN)
    return FORM | {
        "ahead_min": ahead_min,
        "intercept": intercept,
        "weights": weights,
        "unseen_min": UNSEEN_MIN,
        "unseen_intercept": unseen_intercept,
        "unseen": unseen,
    }


def _fitted(gram: Floats, cross: Floats, names: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Intercept and weights: least squares with a ridge on terms at equal spread."""
    spread = np.sqrt(np.maximum(np.diag(gram), 1e-12))
    scaled_gram = gram / spread[:, None] / spread
    ridge = np.eye(len(gram)) * _RIDGE
    ridge[0, 0] = 0
    found = np.linalg.solve(scaled_gram + ridge, cross / spread) / spread
    short = [rounded(w) for w in found]
    return short[0], dict(zip(names, short[1:], strict=True))


def rounded(x: float) -> float:
    """As a row of rules.toml has it."""
    return float(f"{x:.4g}")


def flood_rows(places: Sequence[Basin], parameters: dict[str, Any]) -> Iterator[RuleRow]:
    """A row for each basin and hazard."""
    for b in places:
        for hazard, areas, tail in hazards_of(b):
            yield RuleRow(
                id=f"stream_{b.id.lower()}{tail}",
                kind="flood_score",
                quantity="stage",
                hazard=hazard,
                source="",
                areas=areas,
                stations=(b.stage,),
                beside={"rain": b.rain},
                hold_min=HOLD_MIN,
                parameters=scale(b) | parameters,
            )


def dead(rows: Sequence[RuleRow]) -> tuple[RuleRow, ...]:
    """The same, as if no level gauge were ever heard."""
    return tuple(
        msgspec.structs.replace(r, parameters=r.parameters | {"lowest_m": _DEAD_M}) for r in rows
    )


def by_rain(row: RuleRow, share: float | None) -> RuleRow:
    """With what it says by rain alone times `share` (of a chance, its odds times that), so that the row's
    thresholds hold for that too; None: it says nothing by rain alone."""
    of = row.parameters
    if share is None:
        kept = {k: v for k, v in of.items() if not k.startswith("unseen")}
        return msgspec.structs.replace(row, parameters=kept)
    less: dict[str, Any]
    if is_chance(row):
        less = {"unseen_intercept": rounded(of["unseen_intercept"] + log(share))}
    else:
        less = {
            "unseen_intercept": rounded(of["unseen_intercept"] * share),
            "unseen": {name: rounded(w * share) for name, w in of["unseen"].items()},
        }
    return msgspec.structs.replace(row, parameters=of | less)


def is_chance(row: RuleRow) -> bool:
    """Are its thresholds chances?"""
    return row.kind == SLOPES or row.parameters.get("outcome") == "chance"


def scale(b: Basin) -> dict[str, float]:
    """The water of a stream never falls to half of its usual level, a sensor does."""
    zero, flood = b.scale
    return {"zero_m": zero, "flood_m": flood} | (
        {"lowest_m": round(zero / 2, 2)} if zero > 0 else {}
    )


def slope_row(district: District, goes_on_min: int, trend: float) -> RuleRow:
    """One row for all areas with debris flow."""
    areas = tuple(a.id for a in district.areas.values() if "debris_flow" in a.hazards)
    return RuleRow(
        id="slope_curve",
        kind="areal_intensity",
        hazard="debris_flow",
        source="",
        areas=areas,
        hold_min=HOLD_MIN,
        parameters={
            "slot_min": SLOT_MIN,
            "from_min": 30,
            "to_min": 360,
            "goes_on_min": goes_on_min,
            "goes_on_trend": trend,
        },
    )


def fallen_row(district: District, limit: float) -> RuleRow:
    """The same by what fell alone, with a threshold of its own: the last word before a slope moves."""
    row = slope_row(district, 0, 0.0)
    return msgspec.structs.replace(row, id="slope_fallen", prepare=limit, move=limit)


def slope_chance_rows(district: District, parameters: dict[str, Any]) -> Iterator[RuleRow]:
    """A row for the slopes of each basin with rain gauges, all of which it looks at; one for the others, by
    the gauges that watch them."""
    inside = {
        b: tuple(
            s.id
            for s in district.stations.values()
            if s.basin == b and s.quantity == "rain" and s.sum_interval_s <= SLOT_MIN * 60
        )
        for b in district.basins
    }
    on: dict[str, list[str]] = {}
    for area in district.areas.values():
        if "debris_flow" in area.hazards:
            on.setdefault(area.basin if inside.get(area.basin) else "", []).append(area.id)
    for basin, areas in on.items():
        yield RuleRow(
            id=f"slope_{basin.lower() or 'other'}",
            kind=SLOPES,
            hazard="debris_flow",
            source="",
            areas=tuple(areas),
            stations=inside.get(basin, ()),
            hold_min=HOLD_MIN,
            parameters=SLOPE_FORM | parameters,
        )


def with_rows(district: District, rows: Sequence[RuleRow]) -> District:
    """The district with these declared rules in place of those of the same name."""
    names = {r.id for r in rows}
    kept = [r for r in district.rules.rule if r.id not in names]
    rules = msgspec.structs.replace(district.rules, rule=(*kept, *rows))
    return msgspec.structs.replace(district, rules=rules)
