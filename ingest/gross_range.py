"""The quality test that needs no memory: the gross range (QARTOD).

Good means that the range test passed; the tests with memory and neighbours are detect's.
"""

from config.records.quantity import Quantity
from ingest.observation import Flag


def gross_range(quantity: Quantity, count: int) -> tuple[Flag, str]:
    """Flag and the test's name, '' when good. Nothing is dropped."""
    if not quantity.low <= count <= quantity.high:
        return Flag.FAIL, "gross_range"
    if count > quantity.suspect_above:
        return Flag.SUSPECT, "climatology"
    return Flag.GOOD, ""
