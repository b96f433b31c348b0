"""The river network as gauges and villages stand on it: one row of reaches.csv is the water's way from
one of them to the next below, and how fast a flood comes down it. Pure.

It refines basins.csv: a basin says into which other it flows, a reach says how far it is from a gauge to
the next gauge or village along the river, and between which celerities a wave travels there. Both are the
district's to measure. What is known of others: 10.8 m/s over the 13 km between two gauges that recorded
the outburst flood of the Bhote Koshi in July 2025 (level up by 3.5 m at 03:10, by 3.65 m at 03:30; Nepal's
Department of Hydrology and Meteorology, in the Nepali Times), 7.1–7.6 m/s of the Lemthang Tsho outburst
(Gurung et al. 2017, Geoenviron. Disasters 4:14), 2.0–5.3 m/s of rain floods in steep streams
(`dispatch.geography.downstream`); debris flows of rock and ice were faster.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from config.records.row import Row


class Reach(Row, frozen=True, kw_only=True):
    """From a station or area to the next one down the river."""

    upstream: str
    downstream: str
    distance_m: float  # along the river
    slow_m_s: float  # between these celerities a flood wave travels
    fast_m_s: float
    source: str


class Travel(NamedTuple):
    """How far it is, in m, and how long a wave takes at the least and at the most, in ms."""

    distance_m: float
    early_ms: int
    late_ms: int


START = Travel(0.0, 0, 0)


def next_below(reaches: Iterable[Reach]) -> dict[str, Reach]:
    """The reach that begins at each node: water goes one way."""
    return {r.upstream: r for r in reaches}


def way_down(below: Mapping[str, Reach], node: str) -> Iterator[tuple[str, Travel]]:
    """What lies below a node, nearest first, with the travel from it. Ends where the network does, or
    leads round again."""
    passed, so_far = {node}, START
    while node in below and below[node].downstream not in passed:
        reach = below[node]
        node = reach.downstream
        passed.add(node)
        so_far = Travel(
            so_far.distance_m + reach.distance_m,
            so_far.early_ms + round(reach.distance_m / reach.fast_m_s * 1000),
            so_far.late_ms + round(reach.distance_m / reach.slow_m_s * 1000),
        )
        yield node, so_far
