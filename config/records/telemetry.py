"""What a telemetry station's message means: one row of telemetry.csv an element of a station."""

from typing import Literal

from config.records.row import Row

Protocol = Literal["sl651", "szy206"]


class TelemetryRow(Row, frozen=True, kw_only=True):
    """One element of one telemetry address as the readings of one station of stations.csv.

    A value counts as `value * scale + offset`, in the unit of the quantity. password, mode, end, ask_min are
    of the address: its rows say the same.
    """

    station: str  # of stations.csv
    address: str  # ten hex digits; of a hydrological station its eight digits
    element: str  # SL 651: the id in hex, 26, 39, F4, FF12; SZY 206: the kind, 1, 2, 3
    protocol: Protocol = "sl651"
    quantity: Literal["", "battery"] = ""  # "": what the station measures
    scale: float = 1.0
    offset: float = 0.0
    # of twelve values of an hour F0 is the time of the first (the standard), or of the last
    slots: Literal["first", "last"] = "first"
    password: str = ""  # four hex digits; "": any
    mode: Literal["M1", "M2", "M3", "M4"] = "M2"  # M1: it waits for no answer
    end: Literal["EOT", "ESC"] = "EOT"  # of the answer: it may sleep, or is to stay on line
    ask_min: int = 0  # M4: asked for its values every so many minutes

    @property
    def key(self) -> tuple[str, str]:
        """Protocol and the address as frames have it."""
        return self.protocol, address_of(self.address)

    @property
    def code(self) -> int:
        """The element as a number."""
        return int(self.element, 16 if self.protocol == "sl651" else 10)


def address_of(text: str) -> str:
    """The ten hex digits that a frame has; of anything else the text."""
    text = text.strip().upper()
    return "00" + text if len(text) == 8 and text.isdigit() else text
