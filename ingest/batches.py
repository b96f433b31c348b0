"""Observations as records of the log: one a watch group, whichever door they came by."""

from collections.abc import Iterable, Mapping, Sequence

from ingest.identify import Register
from ingest.observation import Observation, Observations
from stream.log.port import Out
from stream.records import encode


def batches(groups: Mapping[str, Sequence[Observation]], received_at: int) -> list[Out]:
    """What came at once, by group, in order of arrival."""
    return [
        Out("observations", group, encode(Observations.of(group, received_at, items)))
        for group, items in groups.items()
    ]


def by_group(register: Register, found: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Observations by watch group; what nobody watches is in none."""
    groups: dict[str, list[Observation]] = {}
    for one in found:
        for group in register.groups.get(one.station, ()):
            groups.setdefault(group, []).append(one)
    return groups
