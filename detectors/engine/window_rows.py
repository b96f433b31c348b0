"""What the engine of window rules judges and says: rows, and their changes."""

from typing import NamedTuple

from detectors.engine.window_rule import Tells


class SeriesRow(NamedTuple):
    """One area and hazard with the stations that the rule looks at together."""

    area: str
    hazard: str
    stations: tuple[str, ...]
    weights: tuple[float, ...]
    quantity: str
    quantities: tuple[str, ...] = ()  # of each station, where they differ

    @property
    def station(self) -> str:
        return "+".join(self.stations)


class SeriesChange(NamedTuple):
    """As `rain_threshold.Change`, with value and limit in the rule's unit."""

    nth: int
    row: int
    minute: int
    level: int
    action: int
    sure_level: int
    sure_action: int
    window_min: int
    value: float
    limit: float | None
    wait_min: float
    tells: Tells = Tells()
