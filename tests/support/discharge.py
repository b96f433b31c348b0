"""A record of rain and of the discharge that a model made of it, and what tune fits to it."""

from pathlib import Path

import numpy as np

from detectors.engine.window_rule import Floats
from skill.series.clock import iso
from skill.series.families import Rival
from skill.series.fit import block_starts
from skill.series.joint.runoff import Model, runoffs
from skill.series.places import choices, terms_of, with_rain, with_runoff
from skill.series.read import read_events, read_observations

T0 = 1_451_606_400_000  # 2016-01-01
HOUR = 3_600_000


def fitted(model: Model, folder: Path, rain: Floats, flow: Floats, folds: int) -> Rival:
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
    flows = with_runoff(readings, with_rain(readings, sets, None), 3600)
    blocks = block_starts(int(readings.at[0]), int(readings.at[-1]))
    return runoffs(model, flows, 0, terms, blocks, np.arange(blocks.size) % folds)[0]
