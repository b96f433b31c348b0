"""Makes frames of SL 651-2014: the answers of a centre, and what a station sends."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from ingest.telemetry.codec.sl651.crc import crc16
from ingest.telemetry.codec.sl651.frame import Frame651
from ingest.telemetry.codec.sl651.tables import ENQ, EOT, ETB, ETX, NAK, RAIN_12, STX, SYN

_BEIJING = timedelta(hours=8)
PACKET = 256  # bytes of a packet's body: what the standard recommends


def digits(at_ms: int, figures: int = 12) -> str:
    """A moment as Beijing time: YYMMDDhhmmss, or its first ten figures."""
    when = datetime.fromtimestamp(at_ms / 1000, UTC) + _BEIJING
    return when.strftime("%y%m%d%H%M%S")[:figures]


def frame(
    station: str,
    function: int,
    body: bytes,
    *,
    centre: int = 1,
    password: str = "0000",  # noqa: S107  # travels in clear, and is in most stations as it left the factory
    end: int = ETX,
    down: bool = False,
    packet: tuple[int, int] | None = None,
    swapped: bool = False,
) -> bytes:
    """One frame. packet: how many there are, and which this is. Raises ValueError for what no frame can
    hold."""
    inner = body if packet is None else _numbers(*packet) + body
    if len(inner) > 0xFFF:
        raise ValueError(f"a body of {len(inner)} bytes")
    address, of = bytes.fromhex(station), bytes([centre])
    head = b"\x7e\x7e" + (address + of if down else of + address) + bytes.fromhex(password)
    length = (0x8000 if down else 0) | len(inner)
    start = STX if packet is None else SYN
    raw = head + bytes([function, length >> 8, length & 255, start]) + inner + bytes([end])
    return raw + crc16(raw).to_bytes(2, "little" if swapped else "big")


def _numbers(packets: int, packet: int) -> bytes:
    return bytes([packets >> 4, (packets & 15) << 4 | packet >> 8, packet & 255])


def answer(
    to: Frame651,
    serial: int,
    at_ms: int,
    end: int = EOT,
    packet: tuple[int, int] | None = None,
) -> bytes:
    """What a centre says to a frame: its function and serial, and the centre's own clock."""
    body = serial.to_bytes(2, "big") + bytes.fromhex(digits(at_ms))
    return frame(
        to.station, to.function, body, centre=to.centre, password=to.password, end=end, down=True,
        packet=packet, swapped=to.swapped,
    )  # fmt: skip


def again(to: Frame651, serial: int, at_ms: int, lost: int) -> bytes:
    """One missing packet asked for. Where its number stands in a NAK is not known from the facts: here in
    the field of packets, as in every other frame."""
    return answer(to, serial, at_ms, NAK, (to.packets, lost))


def question(
    station: str, function: int, at_ms: int, more: bytes = b"", **head: int | str
) -> bytes:
    """What a centre asks by itself: serial 0, its clock, and what the function needs."""
    body = bytes(2) + bytes.fromhex(digits(at_ms)) + more
    return frame(station, function, body, end=ENQ, down=True, **head)  # type: ignore[arg-type]


def element(name: int, value: float | None, size: int, decimals: int) -> bytes:
    """An element in BCD; None is missing. Raises ValueError where its digits do not fit."""
    head = (bytes([0xFF, name & 255]) if name > 0xFF else bytes([name])) + bytes(
        [size << 3 | decimals]
    )
    if value is None:
        return head + b"\xff" * size
    count = round(abs(value) * 10**decimals)
    width = 2 * size - 2 * (value < 0)
    text = f"{count:0{width}d}"
    if len(text) > width or not size:
        raise ValueError(f"{value} in {size} bytes")
    return head + bytes.fromhex(("ff" if value < 0 else "") + text)


def rain_slots(amounts: Sequence[float | None]) -> bytes:
    """F4: five-minute amounts in mm; more than 25.4 goes on in the next slot."""
    found, left = [], 0
    for amount in amounts:
        if amount is None:
            found.append(0xFF)
            continue
        left += round(amount * 10)
        found.append(min(left, 0xFE))
        left -= found[-1]
    return bytes([RAIN_12, 0x60]) + bytes(found)


def level_slots(name: int, levels: Sequence[float | None]) -> bytes:
    """F5 to FC: levels above the base in m, by 0.01."""
    counts = [0xFFFF if v is None else round(v * 100) for v in levels]
    return bytes([name, 0xC0]) + b"".join(c.to_bytes(2, "big") for c in counts)


def observed(at_ms: int) -> bytes:
    """F0: the time of what follows."""
    return b"\xf0\xf0" + bytes.fromhex(digits(at_ms, 10))


def report(
    station: str, serial: int, sent_ms: int, kind: int, seen_ms: int, elements: Iterable[bytes]
) -> bytes:
    """The body of a report."""
    head = serial.to_bytes(2, "big") + bytes.fromhex(digits(sent_ms))
    own = b"\xf1\xf1" + bytes.fromhex(station) + bytes([kind])
    return head + own + observed(seen_ms) + b"".join(elements)


def in_packets(
    station: str, function: int, body: bytes, size: int = PACKET, **head: int | str
) -> list[bytes]:
    """A body that is too long for one frame, as several."""
    parts = [body[n : n + size] for n in range(0, len(body), size)]
    many = len(parts)
    return [
        frame(
            station, function, part, end=ETX if n == many else ETB, packet=(many, n), **head,  # type: ignore[arg-type]
        )
        for n, part in enumerate(parts, 1)
    ]  # fmt: skip
