"""What rules say of their rows, and the rows of window rules."""

from typing import NamedTuple

from detectors.engine.window_rule import Tells


class Change(NamedTuple):
    """What observation `nth` of the batch changed of a row, judged at `minute`.

    sure_*: the level and action without suspect values. window_min, value, limit: what decided, in
    counts; wait_min: until the next level's threshold at the present rate, infinite if never.
    """

    nth: int
    row: int
    minute: int
    level: int
    action: int
    sure_level: int
    sure_action: int
    window_min: int = 0
    value: int = 0
    limit: int = 0
    wait_min: float = float("inf")


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
    """As `Change`, with value and limit in the rule's unit."""

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
