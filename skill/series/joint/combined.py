"""Rain or level, rain and level: two thresholds in one rule (`level_and_rain`), not fitted but chosen from a
small grid. The ratio of both limits is a rung of rain, so that the ladder of thresholds moves both."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints
from detectors.water.level_and_rain import LevelAndRain, parts, together, width
from skill.series.families import MANY, Rival, Told
from skill.series.fit import Place, Terms, Valued, flooded, joined, rungs, table
from skill.series.track import views

COMBINED = "level_and_rain"
NAMES = {"any": "either", "all": "both"}
_HOURS = (1, 3, 6, 12, 24)
_WEIGHTS = (0.0, 1.0, 3.0)
_RATIOS = 5


def combined(
    sets: Sequence[Sequence[Place]],
    first: int,
    terms: Terms,
    blocks: Ints,
    told: Told = lambda _: None,
) -> list[Rival]:
    """Both families on sets of places with rain beside a level; first: the number of the first set."""
    rivals = []
    for how, name in NAMES.items():
        tables = []
        for n, places in enumerate(sets):
            if not any(p.beside for p in places):
                continue
            told(f"{places[0].track.station} + " + Text("雨", "rain") + f" ({how})")
            holds = (terms.window_ms // 60_000,)
            valued = _valued(places, how)
            tables.append(table(valued, first + n, places, holds, terms, blocks))
        if tables:
            rivals.append(Rival(name, 2, False, joined(tables)))
    return rivals


def _valued(places: Sequence[Place], how: str) -> Iterator[Valued]:
    slot_min = places[0].track.slot_s // 60
    big = sum(p.track.heard.size for p in places) >= MANY
    rise = -(-60 // slot_min) * slot_min
    base: dict[str, Any] = {"slot_min": slot_min, "silent_min": 3 * slot_min, "rise_min": rise}
    base |= {"power": 0.5} if places[0].track.quantity == "discharge" else {}
    hours = sorted(
        {-(-h * 60 // slot_min) * slot_min for h in (_HOURS if not big else _HOURS[1:4])}
    )
    for w, minutes in product(_WEIGHTS if not big else _WEIGHTS[1:2], hours):
        mine = base | {"rise_weight": w, "rain_min": minutes}
        seen = [_parts(p, mine) for p in places]
        ladder = rungs([fell for _, fell in seen], flooded(places))
        ladder = ladder[ladder > 0]
        some = (
            ladder[np.unique(np.linspace(0, ladder.size - 1, _RATIOS).astype(int))]
            if ladder.size
            else ()
        )
        for mm in some:
            values = [together(level, fell / mm, how) for level, fell in seen]
            yield COMBINED, mine | {"rain_mm": float(mm), "joined": how}, values


def _parts(p: Place, parameters: dict[str, Any]) -> tuple[Floats, Floats]:
    made = LevelAndRain(zero_m=p.scale[0], flood_m=p.scale[1], **parameters)
    seen = [parts(made, view) for _, view in views(p.track, p.beside, width(made))]
    return np.concatenate([a for a, _ in seen]), np.concatenate([b for _, b in seen])
