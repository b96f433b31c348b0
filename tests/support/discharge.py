"""A record of rain and of the discharge that a model made of it, and what tune fits to it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from detectors.engine.window_rule import Floats, Ints
from skill.series.clock import iso
from skill.series.families import Rival
from skill.series.fit import Place, Terms, block_starts
from skill.series.joint.followed import followed
from skill.series.joint.runoff import Model, runoffs
from skill.series.places import choices, terms_of, with_rain, with_runoff
from skill.series.read import read_events, read_observations
from skill.verify.hindcast import Readings

T0 = 1_451_606_400_000  # 2016-01-01
HOUR = 3_600_000


class Prepared(NamedTuple):
    """A record that is read, as families take it."""

    readings: Readings
    rainy: list[list[Place]]
    terms: Terms
    blocks: Ints
    folds: Ints


def prepared(folder: Path, rain: Floats, flow: Floats, folds: int) -> Prepared:
    """rain: (gauges, hours) mm; flow: (hours,) m3/s; a flood begins where two fifths of the highest are
    reached after twelve hours below."""
    rows = ["station,quantity,time,value"]
    for h in range(flow.size):
        at = iso(T0 + (h + 1) * HOUR)
        rows.append(f"weir,discharge,{at},{flow[h]:.3f}")
        rows += [f"g{n},rain,{at},{fell[h]:.1f}" for n, fell in enumerate(rain)]
    high = np.nonzero(flow >= 0.4 * flow.max())[0]
    new = np.append(True, np.diff(high) > 12)
    events = [f"weir,{iso(T0 + (a + 1) * HOUR)},,flood" for a in high[new]]
    (folder / "o.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "e.csv").write_text("\n".join(["area,start,end,kind", *events]) + "\n", "utf-8")
    readings, happened = read_observations(folder / "o.csv")[0], read_events(folder / "e.csv")
    terms = terms_of(readings, 3600)
    sets = choices(readings, happened, terms, "discharge", [], None)
    blocks = block_starts(int(readings.at[0]), int(readings.at[-1]))
    rainy = with_rain(readings, sets, None)
    return Prepared(readings, rainy, terms, blocks, np.arange(blocks.size) % folds)


def fitted(model: Model, folder: Path, rain: Floats, flow: Floats, folds: int) -> Rival:
    """What a model that knows rain alone is fitted to."""
    p = prepared(folder, rain, flow, folds)
    return runoffs(model, with_runoff(p.readings, p.rainy, 3600), 0, *p[2:])[0]


def with_discharge(folder: Path, rain: Floats, flow: Floats, folds: int) -> Rival:
    """What the model that follows the measured discharge is fitted to."""
    p = prepared(folder, rain, flow, folds)
    return followed(p.rainy, 0, *p[2:], lambda _: None, {})[0]
