r"""The families of rules that a record is tuned on, from the simplest on.

Each family is kinds that run live, with a few parameters to choose from. The simple ones are what
anybody could set by hand; they are always tried, and told beside whatever is chosen.

- persistence: as high as now it will be, so the flood level itself is the threshold;
- level, sum: one threshold on the level (stage or discharge), one on the rain of some hours;
- published: thresholds of the literature as they stand there, not tuned at all;
- trend: the level and its rise, carried on: x + ahead * slope (`stage_score` without a base);
- wetness, base: rain with what fell before, level and rise above the base flow;
- either, both: a level and a rain sum with a limit each (`skill.series.joint.combined`);
- upstream: a gauge up the river, by its travel time (`skill.series.joint.upstream`);
- soil: rain that counts the more the wetter the ground is measured (`skill.series.joint.soil`);
- runoff, balance: discharge to come from rain by a unit hydrograph (`skill.series.joint.runoff`) or by a
  water balance of weeks (`skill.series.joint.balance`);
- followed: the same from the discharge that is measured (`skill.series.joint.followed`);
- forecast, chance: level, rise and rain together, fitted to the record (`skill.series.joint.fitted`).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from config.language import Said, Text
from detectors.engine.window_rule import Floats, Ints
from detectors.setup.registry import KINDS
from detectors.water.stage_score import base, rise, scaled
from skill.series.fit import Place, Table, Terms, Valued, joined, table
from skill.series.track import Track, values_of, windows
from skill.verify.names import SERIES

LEVELS = ("stage", "discharge")
_BASE_H = 48
_RISES = (15, 30, 60, 120, 180)
_WEIGHTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_BASES = (0.5, 1.0, 1.5, 2.0)
MANY = 2_000_000  # slots of all places: from here on a coarser grid
Told = Callable[[Said], None]

# made elsewhere
_OTHERS = (
    *("either", "both", "soil", "upstream", "runoff", "balance"),
    *("followed", "forecast", "chance"),
)
_PUBLISHED: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("intensity_duration", {"slot_min": 60, "from_min": 60, "to_min": 1440}, 1.0),  # Caine 1980
    ("recent_prior_rain", {"recent_days": 3, "prior_days": 15, "b": 0.67}, 88.9),  # Chleborad 2000
)


class Rival(NamedTuple):
    """A family on a record. rank: how much of it is fitted; simple: told beside every winner.

    whole: fitted on all of the record. held: where something is fitted, the same rows on values that
    each fold gets from a fit without it. outer: of each fold, the same again without that fold
    altogether (its own values are of a fit without it, those of another of a fit without both).
    """

    name: str
    rank: int
    simple: bool
    whole: Table
    held: Table | None = None
    outer: tuple[Table, ...] = ()

    def aside(self, fold: int | None) -> Table:
        """What may be looked at to choose: without `fold`, or with all folds known."""
        if fold is None:
            return self.held or self.whole
        return self.outer[fold] if self.outer else self.whole


class _Level(NamedTuple):
    """Terms of `stage_score` in each place, made once: values now and rises by power, and the base."""

    slot_s: int
    rises: list[int]
    now: dict[float, list[Floats]]
    grown: dict[tuple[float, int], list[Floats]]


def unfitted(
    sets: Sequence[Sequence[Place]], terms: Terms, blocks: Ints, told: Told = lambda _: None
) -> list[Rival]:
    """Every family that has nothing to be fitted but its threshold and a choice from a grid."""
    found: dict[str, list[Table]] = {name: [] for name in SERIES if name not in _OTHERS}
    window = terms.window_ms // 60_000
    for choice, places in enumerate(sets):
        quantity = places[0].track.quantity
        many, whose = sum(p.track.heard.size for p in places), whose_words(places)
        told(whose)
        holds = (window, 60) if many < MANY else (window,)

        def add(
            name: str,
            valued: Iterator[Valued] | list[Valued],
            limit: float | None = None,
            holds: Sequence[int] = holds,
            choice: int = choice,
            places: Sequence[Place] = places,
            big: bool = many >= MANY,
            whose: Text = whose,
        ) -> None:
            if big:  # each takes its time
                told(whose + Text("：", ": ") + SERIES[name])
            limits = None if limit is None else np.array([limit])
            found[name].append(table(valued, choice, places, holds, terms, blocks, limits))

        if quantity in LEVELS:
            level = _level(places, many)
            add("persistence", _level_values(level, (1.0,), (0.0,)), 1.0)
            add("level", _level_values(level, (1.0,), (0.0,)))
            add("trend", _level_values(level, tuple(level.now), _weights(many)))
            add("base", _base_values(level, places, many), holds=(window,))
        else:
            add("sum", _sums(places))
            add("wetness", _wet(places), holds=(window,))
            for kind, parameters, limit in _PUBLISHED:
                add("published", _of_kind(places, kind, parameters), limit, (window,))
    ranks = {"wetness": 2, "trend": 1, "base": 2}
    return [
        Rival(name, ranks.get(name, 0), ranks.get(name, 0) < 2, joined(parts))
        for name, parts in found.items()
        if sum(p.limit.size for p in parts)
    ]


def whose_words(places: Sequence[Place]) -> Text:
    """Of which gauges, for the progress: plumtree stage; stage of 1,000 gauges."""
    t, n = places[0].track, len(places)
    if n == 1:
        return Text(f"{t.station} {t.quantity}", f"{t.station} {t.quantity}")
    return Text(f"{n:,} 站的 {t.quantity}", f"{t.quantity} of {n:,} gauges")


def _weights(many: int) -> tuple[float, ...]:
    return _WEIGHTS if many < MANY else _WEIGHTS[1::2]


def _level(places: Sequence[Place], many: int) -> _Level:
    slot_s, quantity = places[0].track.slot_s, places[0].track.quantity
    rises = [r for r in _RISES if r * 60 % slot_s == 0 and r * 60 >= slot_s]
    rises = rises or [k * slot_s // 60 for k in (1, 3, 6)]
    powers = (1.0, 0.5) if quantity == "discharge" and many < MANY else (1.0,)
    now: dict[float, list[Floats]] = {}
    grown: dict[tuple[float, int], list[Floats]] = {}
    for power in powers:
        all_ = [scaled(p.track.values, *p.scale, power) for p in places]
        now[power] = [u[p.track.heard] for u, p in zip(all_, places, strict=True)]
        for r in rises:
            slots = r * 60 // slot_s
            grown[power, r] = [
                np.maximum(rise(windows(u, slots + 1)[p.track.heard], slots), 0)
                for u, p in zip(all_, places, strict=True)
            ]
    return _Level(slot_s, rises, now, grown)


def _level_values(
    level: _Level, powers: Sequence[float], weights: Sequence[float]
) -> Iterator[Valued]:
    for power, w, r in product(powers, weights, level.rises):
        if w or r == level.rises[0]:
            parameters = {"rise_min": r, "rise_weight": w, "slot_min": level.slot_s // 60}
            values = [
                n + w * g if w else n
                for n, g in zip(level.now[power], level.grown[power, r], strict=True)
            ]
            yield "stage_score", parameters | ({"power": power} if power != 1 else {}), values


def _base_values(level: _Level, places: Sequence[Place], many: int) -> Iterator[Valued]:
    usual = [_usual(p) for p in places]
    weights = (0.0, *_weights(many)) if many < MANY else (0.0, 1.0, 2.0)
    for b in _BASES if many < MANY else _BASES[1::2]:
        for kind, parameters, values in _level_values(level, (1.0,), weights):
            more = {"base_h": _BASE_H, "base_weight": b}
            yield kind, parameters | more, [v - b * u for v, u in zip(values, usual, strict=True)]


def _usual(p: Place) -> Floats:
    """(heard,) the base of each slot, 0 where it is not known."""
    slot_s = p.track.slot_s
    u = scaled(p.track.values, *p.scale)
    seen = windows(u, _BASE_H * 3600 // slot_s)
    parts = [
        base(seen[p.track.heard[n : n + 20_000]], seen.shape[1], max(1, 3600 // slot_s))
        for n in range(0, p.track.heard.size, 20_000)
    ]
    found: Floats = np.nan_to_num(np.concatenate(parts))
    return found


def _of_kind(places: Sequence[Place], name: str, parameters: dict[str, Any]) -> list[Valued]:
    kind = KINDS[name]
    made = kind.parameters(**parameters)
    return [(name, parameters, [values_of(kind, made, p.track) for p in places])]


def _sums(places: Sequence[Place]) -> Iterator[Valued]:
    for hours in (1, 2, 3, 6, 12, 24, 48, 72):
        values = [rain_sum(p.track, hours) for p in places]
        yield "cumulative_rain", {"over_h": hours, "slot_min": 60}, values


def rain_sum(t: Track, hours: int) -> Floats:
    """(heard,) of the last hours, mm; of hourly slots."""
    total = np.cumsum(np.concatenate((np.zeros(hours), np.nan_to_num(t.values))))
    found: Floats = (total[hours:] - total[:-hours])[t.heard]
    return np.maximum(found, 0)


def _wet(places: Sequence[Place]) -> Iterator[Valued]:
    """Sums with what fell before, and effective rain."""
    days = 15
    for k, h in product((0.5, 0.85), (0, 24)):
        weights = k ** (np.maximum(np.arange(days * 24) - h, 0) / 24)
        fell = [np.nan_to_num(p.track.values) for p in places]
        effective = [
            np.convolve(f, weights)[p.track.heard] for f, p in zip(fell, places, strict=True)
        ]
        yield "antecedent_rain", {"decay_per_day": k, "days": days, "current_h": h}, effective
    for d, b in product((1, 3), (0.33, 0.67)):
        recent = [rain_sum(p.track, d * 24) for p in places]
        all_ = [rain_sum(p.track, (d + days) * 24) for p in places]
        values = [r + b * np.maximum(a - r, 0) for r, a in zip(recent, all_, strict=True)]
        yield "recent_prior_rain", {"recent_days": d, "prior_days": days, "b": b}, values
