"""A plain decoder of SL 651 frames: CRC bit by bit, digits one by one, a dict for what was found."""


def crc(data: bytes) -> int:
    """As the standard describes it."""
    found = 0xFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ 0xA001 if found & 1 else found >> 1
    return found


def digits(data: bytes) -> int:
    """BCD. Raises ValueError."""
    found = 0
    for byte in data:
        high, low = byte >> 4, byte & 15
        if high > 9 or low > 9:
            raise ValueError("no BCD")
        found = found * 100 + high * 10 + low
    return found


def decode(raw: bytes) -> dict[str, object]:
    """One whole report in one packet. Raises ValueError."""
    if raw[:2] != b"\x7e\x7e" or crc(raw[:-2]) != raw[-2] << 8 | raw[-1]:
        raise ValueError("no frame")
    values: list[tuple[int, object, str]] = []
    found: dict[str, object] = {
        "station": raw[3:8].hex(),
        "function": raw[10],
        "serial": raw[14] << 8 | raw[15],
        "sent": raw[16:22].hex(),
        "values": values,
    }
    seen, at, end = "", 30, len(raw) - 3
    while at < end:
        name, word = raw[at], raw[at + 1]
        if name == 0xF0:
            seen = raw[at + 2 : at + 7].hex()
            at += 7
            continue
        size = word >> 3
        data = raw[at + 2 : at + 2 + size]
        if name == 0xF4:
            values.append((name, [None if b == 255 else b / 10 for b in data], seen))
        elif name == 0xF5:
            pairs = [data[n] << 8 | data[n + 1] for n in range(0, size, 2)]
            values.append((name, [None if p == 65535 else p / 100 for p in pairs], seen))
        else:
            values.append((name, digits(data) / 10 ** (word & 7), seen))
        at += 2 + size
    return found
