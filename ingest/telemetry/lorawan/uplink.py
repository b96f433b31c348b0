"""What a LoRaWAN network server says of a device, whichever server it is. Pure.

When was it measured? The frame of a device has no time unless its payload has one, which then counts. Else it
is the moment at which the radio was heard: by a gateway with a satellite clock where one says so, else by the
network server. A gateway's own clock without satellites counts only where it says that the uplink waited in
the gateway for over five minutes: then the server's time is the later one, and what lies behind by less may
as well be a clock that nobody set. So may what lies behind by more, where it always lies behind by as much: an
uplink that waits in a gateway comes with others that waited longer or less (`GatewayClocks`).
"""

from base64 import b64decode
from binascii import Error as NoBase64
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from config.language import Said, Text
from stream.limits import moment, number
from stream.records import Rejected

BY_GATEWAY, BY_NETWORK = "gateway_time", "network_time"
_AHEAD_MS = 60_000  # a satellite clock that is further ahead of the server is none
_BEHIND_MS = (
    30 * 86_400_000
)  # as old as a reading may be: a receiver that lost its week is further behind
_WAITED_MS = 5 * 60_000
# a gateway's clock is slow where its last uplinks, heard over ten minutes and more, all lay behind by as much
_SAME_MS, _OVER_MS, _KEPT, _GATEWAYS = 60_000, 10 * 60_000, 12, 2000


class Uplink(NamedTuple):
    """A frame of a device. session: another one has other numbers. at_ms: when it was heard, None where nobody
    says; marked: by whose clock. object: what the network server's codec has read, None: nothing. rssi, snr: of
    the gateway that heard it best."""

    eui: str
    session: str
    f_cnt: int
    port: int
    data: bytes
    object: Any
    at_ms: int | None
    marked: str
    rssi: float | None = None
    snr: float | None = None
    simulated: bool = False


class Battery(NamedTuple):
    """What a device says of its battery when the network server asks it (LoRaWAN: DevStatusAns)."""

    eui: str
    percent: float
    at_ms: int | None


class Rejoined(NamedTuple):
    """Its frames are counted anew."""

    eui: str


class Trouble(NamedTuple):
    """An error that the network server has with a device. code: which, for counting."""

    eui: str
    code: str
    words: Said


Event = Uplink | Battery | Rejoined | Trouble | Rejected


class GatewayClocks:
    """By how much each gateway's clock lay behind the network server's at its last uplinks, newest last."""

    def __init__(self) -> None:
        self._behind: OrderedDict[str, deque[tuple[int, int]]] = OrderedDict()

    def slow(self, gateway: str, clock: int | None, server: Iterable[int | None]) -> bool:
        """Is it this gateway's clock that is behind, and not its uplink? Each is told once."""
        given = [t for t in server if t is not None]
        if clock is None or not given:
            return False
        held = self._behind.setdefault(gateway, deque(maxlen=_KEPT))
        self._behind.move_to_end(gateway)
        if len(self._behind) > _GATEWAYS:
            self._behind.popitem(last=False)
        at = min(given)
        lag = at - clock
        held.append((at, lag))
        first = at
        for then, behind in reversed(held):
            if behind < lag - _SAME_MS:  # its clock was right by then: this one waited
                break
            if behind <= lag + _SAME_MS:
                first = then
        return lag >= _WAITED_MS and at - first >= _OVER_MS

    def prompt(
        self, clocks: Iterable[tuple[str, int | None]], server: Sequence[int | None]
    ) -> list[int | None]:
        """The clocks of those gateways that are not slow."""
        return [clock for name, clock in clocks if not self.slow(name, clock, server)]


def heard_at(
    server: Iterable[int | None], satellites: Iterable[int | None], clocks: Iterable[int | None]
) -> tuple[int | None, str]:
    """The moment of reception, ms, and by whose clock. server: of the network server's parts; satellites,
    clocks: of the gateways."""
    given = [t for t in server if t is not None]
    if not given:
        return None, ""
    at = min(given)
    exact = [t for t in satellites if t is not None and at - _BEHIND_MS < t < at + _AHEAD_MS]
    if exact:  # all heard the same frame: where they differ one is wrong, and behind
        return max(exact), BY_GATEWAY
    waited = [t for t in clocks if t is not None and t > at - _BEHIND_MS]
    if waited and max(waited) < at - _WAITED_MS:
        return max(waited), BY_GATEWAY
    return at, BY_NETWORK


def best(receptions: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """RSSI and SNR of the gateway that heard it best: the signal is worth what its noise leaves of it."""
    if not receptions:
        return None, None
    return max(receptions, key=lambda r: (r[1], r[0]))


def count(value: Any) -> float:
    """A number of protobuf's JSON, in which a zero is left out."""
    return number(value) or 0.0


def when(value: Any) -> int | None:
    """A moment of protobuf's JSON, ms."""
    return moment(value) if type(value) is str else None


def raw(eui: str, text: Any) -> bytes | Rejected:
    """The payload, which is base64; left out where it is empty."""
    if text is None:
        return b""
    try:
        return b64decode(text, validate=True)
    except (NoBase64, ValueError, TypeError):
        words = Text(f"{eui}: 载荷不是 base64", f"{eui}: the payload is no base64")
        return Rejected("bad_payload", words)
