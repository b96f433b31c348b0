"""A table of storms as the arithmetic takes it: gaps that physics fills, rain relative to the place."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from config.language import Said
from detectors.engine.minute_ring import Bools
from detectors.engine.window_rule import Floats, Ints
from detectors.rain.storm.storm_quantities import shaped
from skill.tables.fit import Sample, single
from skill.tables.published import log_ratios
from skill.tables.rows.climate import Names, Strength, place, places, ratios, relative
from skill.tables.rows.physics import sound
from skill.tables.rows.read import Storms


class StormTable(NamedTuple):
    """value: (n, k) in own units; group: (n,) numbers; region: (n,) names; stated: see `Sample`."""

    quantities: tuple[str, ...]
    value: Floats
    yes: Bools
    group: Ints
    region: Names
    stated: Mapping[str, Floats]

    def rows(self, which: Bools) -> "StormTable":
        return StormTable(
            self.quantities,
            self.value[which],
            self.yes[which],
            self.group[which],
            self.region[which],
            {name: v[which] for name, v in self.stated.items()},
        )


class Climate(NamedTuple):
    """The storms of a training table: all of them, and those of its regions."""

    whole: Strength
    regions: Mapping[str, Strength]


def table(storms: Storms) -> tuple[StormTable, list[Said]]:
    """The table, and what physics did to it. Published rules see it as it was written."""
    raw = {q: storms.value[:, k] for k, q in enumerate(storms.quantities)}
    value, notes = sound(storms.quantities, storms.value)
    named = any(storms.group)
    group = np.unique(storms.group, return_inverse=True)[1] if named else single(len(storms.yes))
    region = np.array(storms.region, dtype=object)
    return StormTable(storms.quantities, value, storms.yes, group, region, log_ratios(raw)), notes


def climate(t: StormTable) -> Climate:
    whole = place(t.quantities, t.value)
    return Climate(whole, places(t.quantities, t.value, t.region, whole.minutes))


def moved(t: StormTable, c: Climate) -> dict[str, float]:
    """Of each region of these rows, how much stronger its storms are than those of training."""
    return ratios(t.quantities, t.value, t.region, c.whole, c.regions)


def sample(t: StormTable, by: Mapping[str, float]) -> Sample:
    """Shaped, its peak intensities relative to the place."""
    value = relative(t.quantities, t.value, t.region, by)
    x = [shaped(q, value[:, k]) for k, q in enumerate(t.quantities)]
    return Sample(t.quantities, np.column_stack(x), t.yes, t.group, t.stated)


def elsewhere(t: StormTable, at: Climate) -> Sample:
    """Rows that a rule of this climate did not see."""
    return sample(t, moved(t, at))._replace(elsewhere=True)


def like(s: Sample, names: tuple[str, ...]) -> Sample:
    """The columns that a rule was made with; one that the table lacks is missing in each row."""
    x = np.full((len(s.yes), len(names)), np.nan)
    for k, name in enumerate(names):
        if name in s.names:
            x[:, k] = s.x[:, s.names.index(name)]
    return s._replace(names=names, x=x)
