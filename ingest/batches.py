"""Observations as records of the log: one a watch group, whichever door they came by."""

import threading
from collections.abc import Iterable, Mapping, Sequence

from config.language import Text, text_of
from ingest.identify import Register
from ingest.observation import Observation, Observations
from stream import metrics
from stream.log.port import Log, Out, Unavailable
from stream.pace.retry import Retry
from stream.records import encode

MOST = 20_000  # readings of one record: a backlog must not outgrow what a log takes


def batches(groups: Mapping[str, Sequence[Observation]], received_at: int) -> list[Out]:
    """What came at once, by group, in order of arrival; of very many as several records."""
    return [
        Out("observations", group, encode(Observations.of(group, received_at, items[n : n + MOST])))
        for group, items in groups.items()
        for n in range(0, len(items), MOST)
    ]


def by_group(register: Register, found: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Observations by watch group; what nobody watches is in none."""
    groups: dict[str, list[Observation]] = {}
    for one in found:
        for group in register.groups.get(one.station, ()):
            groups.setdefault(group, []).append(one)
    return groups


def append(
    log: Log, outs: list[Out], stop: threading.Event, pulse: metrics.Pulse, name: str, until: Text
) -> bool:
    """True once the log has them; False where `stop` came first. name: who waits for it; until: what that
    means for whoever sent them."""
    retry = Retry(name, stop, 0.5)
    while not stop.is_set():
        try:
            if outs:
                log.append(outs)
            return True
        except Unavailable as e:
            why = text_of(e) + until
            pulse.beat(why)
            retry.wait(why)
    return False
