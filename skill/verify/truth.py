"""What really happened, as a simulation or a record knows it. Pure."""

from typing import NamedTuple


class Truth(NamedTuple):
    """An area was hit by a hazard at `flooded_at` (ms)."""

    area: str
    hazard: str
    flooded_at: int
