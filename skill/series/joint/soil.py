"""Rain that counts the more the wetter the ground is, by measured soil moisture (`soil_and_rain`), not
fitted but chosen from a small grid: over how many hours, and how much less counts on dry ground. Dry and wet
are the place's own: what its soil is drier or wetter than for a twentieth of the time."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from config.language import Text
from detectors.engine.window_rule import Floats, Ints
from detectors.water.soil_and_rain import MOST, SOIL, SoilAndRain, counted, wetness, width
from skill.series.families import Rival, Told, rain_sum
from skill.series.fit import Place, Terms, joined, table
from skill.series.places import unsure
from skill.series.play import watched
from skill.series.track import alongside, views
from skill.verify.hindcast import Readings

SOIL_AND_RAIN = "soil_and_rain"
_HOURS = (1, 3, 6, 12, 24, 48, 72)
_SHARES = (0.5, 0.8, MOST)
_LEAST_RANGE = 1.0  # %: a station that moves less says nothing


def with_soil(
    readings: Readings, sets: Iterable[Sequence[Place]], by: Mapping[str, Sequence[str]] | None
) -> list[list[Place]]:
    """Sets of places with rain, each with the soil moisture of its area beside it; the scale is dry and wet,
    %."""
    out = []
    for places in sets:
        if places[0].track.quantity != "rain":
            continue
        of = watched(readings, [p.area for p in places], SOIL, by)
        if unsure(of, by) or not all(of[p.area] for p in places):
            continue
        joint = []
        for p in places:
            beside = tuple(alongside(readings, n, SOIL, p.track) for n in of[p.area])
            known = np.stack([t.values for t in beside])
            some = np.isfinite(known).any(axis=0)
            if not some.any():
                break
            dry, wet = np.percentile(np.nanmean(known[:, some], axis=0), (5, 95)).round(1).tolist()
            if wet - dry < _LEAST_RANGE:
                break
            joint.append(p._replace(beside=beside, scale=(dry, wet)))
        if len(joint) == len(places):
            out.append(joint)
    return out


def soils(
    sets: Sequence[Sequence[Place]],
    first: int,
    terms: Terms,
    blocks: Ints,
    told: Told = lambda _: None,
) -> list[Rival]:
    """The family on sets of places with rain and soil moisture; first: the number of the first set."""
    tables = []
    for n, places in enumerate(sets):
        told(f"{places[0].track.station} + " + Text("墒情", "soil moisture"))
        slot_min = places[0].track.slot_s // 60
        base: dict[str, Any] = {
            "slot_min": slot_min,
            "silent_min": 3 * slot_min,
            "soil_silent_min": 1440,
        }
        wet = [_wet(p, base) for p in places]
        valued = []
        for hours, share in product(_HOURS, _SHARES):
            mine = base | {"rain_min": hours * 60, "share": share}
            made = SoilAndRain(**mine)
            fell = [rain_sum(p.track, hours) for p in places]
            values = [f * counted(made, w) for f, w in zip(fell, wet, strict=True)]
            valued.append((SOIL_AND_RAIN, mine, values))
        tables.append(table(valued, first + n, places, (terms.window_ms // 60_000,), terms, blocks))
    return [Rival("soil", 2, False, joined(tables))] if tables else []


def _wet(p: Place, base: dict[str, Any]) -> Floats:
    """(heard,) how wet the ground is, 0 … 1."""
    made = SoilAndRain(rain_min=base["slot_min"], dry_pct=p.scale[0], wet_pct=p.scale[1], **base)
    seen = [wetness(made, view.values[:, 1:]) for _, view in views(p.track, p.beside, width(made))]
    return np.concatenate(seen)
