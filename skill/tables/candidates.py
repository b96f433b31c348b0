"""The rules that are tried on a one-row-a-storm table, and which of them is delivered.

The simple ones are always among them: one threshold on one quantity of rain, tuned, and the published
rules as they stand. Beside them: a burst with the depth of the storm, and rain of several durations
with the burnt ground. Which terms these have was fixed by what moves debris (Kean et al. 2011; Staley
et al. 2017) and by transfer between the two tables of docs/skill-tables.md: chosen by their fit to
one table, terms followed single fires and did worse on others.

Delivered is the candidate that is worth most on groups left out (`fit.worth`), less `_PER_WEIGHT`
events for each weight beyond the first: of two that do alike the simpler one.
"""

from collections.abc import Mapping, Sequence

from config.language import Text
from detectors.rain.storm.storm_quantities import TABLE_QUANTITIES
from skill.tables.fit import Family, Known, Sample, Trial, attempt, usable, worth
from skill.verify.names import DEPTH, GROUND, threshold_on

_USUAL_MIN = (15, 30, 60)  # the durations of the published rules
_BURST_MIN = (15, 10, 30, 5, 60)  # the first of them that the table has
_BURN = ("burned_steep", "burned", "dnbr")  # of columns that say how much is burnt, the first
_PER_WEIGHT = 0.1


def _ground(rain: Sequence[str], depth: tuple[str, ...], burn: Sequence[str]) -> Family | None:
    """Rain of each duration with and without the burnt ground, which weighs two thirds: burn maps of
    another region are another hand's."""
    used = [n for n in rain if TABLE_QUANTITIES[n].minutes in _USUAL_MIN] or rain
    if not burn or not (used or depth):
        return None
    rains: list[tuple[str, ...]] = [(n,) for n in used] or [()]
    forms = [((*r, *depth, burn[0]), 2.0) for r in rains]
    forms += [((*r, *depth), 1.0) for r in rains if (*r, *depth)]
    return Family(GROUND, tuple(forms))


def families(s: Sample) -> list[Family]:
    """Every candidate that the table has the quantities of."""
    names = [n for n, fine in zip(s.names, usable(s), strict=True) if fine]
    signed = [n for n in names if TABLE_QUANTITIES[n].sign]
    rain = [n for n in signed if TABLE_QUANTITIES[n].minutes]
    depth = tuple(n for n in ("storm_total",) if n in signed)
    found = [Family(threshold_on(n), (((n,), 1.0),), simple=True) for n in (*rain, *depth)]
    found += [Family(name, published=name, simple=True) for name in s.stated]
    burst = [n for m in _BURST_MIN for n in rain if TABLE_QUANTITIES[n].minutes == m][:1]
    if burst and depth:
        found.append(Family(DEPTH, (((*burst, *depth), 1.0),)))
    ground = _ground(rain, depth, [n for n in _BURN if n in signed])
    if ground:
        found.append(ground)
    if all(f.published for f in found):  # no rain at all: whatever there is
        found += [Family(threshold_on(n), (((n,), 1.0),)) for n in signed]
    return found


def trials(s: Sample, k: Known, cost: float) -> dict[str, Trial]:
    """Every candidate on groups left out of this sample, by its name. ValueError where there is none."""
    found = {f.name: attempt(s, k, f, cost) for f in families(s)}
    if not any(not t.family.published for t in found.values()) or s.yes.all() or not s.yes.any():
        raise ValueError(
            Text("要有两种结果和变化的量", "both outcomes and a quantity that varies are needed")
        )
    return found


def penalty(family: Family, events: int) -> float:
    """In J: what a family's weights must earn beyond those of a simple rule."""
    return _PER_WEIGHT * max(family.weights - 1, 0) / max(events, 1)


def chosen(value: Mapping[str, float], of: Mapping[str, Family], events: int) -> str:
    """The name of the delivered one. value: what each is worth; of equals, the one with fewer weights,
    then the first."""
    names = list(value)
    return max(
        names,
        key=lambda n: (value[n] - penalty(of[n], events), -of[n].weights, -names.index(n)),
    )


def choose(s: Sample, found: Mapping[str, Trial], cost: float) -> str:
    """By the groups left out within the sample."""
    value = {n: worth(t.over, s.yes, cost) for n, t in found.items()}
    return chosen(value, {n: t.family for n, t in found.items()}, int(s.yes.sum()))
