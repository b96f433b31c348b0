"""A LoRaWAN payload as the table that a field worker reads. Pure."""

from datetime import UTC, datetime

from config.records.devices.lorawan import TIME, Codec
from ingest.telemetry.codec.said import Pair, Row, same, shown
from ingest.telemetry.lorawan.payload import PayloadValue, read_payload
from stream.limits import LAST_AT

_MISSING = Pair("缺测", "missing")
_NO_MEASUREMENT = Pair("不是测量", "not measured")


def rows(codec: Codec, data: bytes, port: int | None = None) -> list[Row]:
    """Every byte, in their order. port: of the uplink, None where nobody said."""
    read = read_payload(codec, data)
    found = [_field(f) for f in read.fields]
    found += [Row(p.at, shown(p.raw), Pair(p.zh, p.en), Pair("", "")) for p in read.pieces]
    if codec.ports and port is not None and port not in codec.ports:
        known = ", ".join(map(str, codec.ports))
        wrong = Pair(f"这种编码只读端口 {known}", f"this codec reads port {known} alone")
        found.insert(0, Row(0, "", Pair("端口", "port"), same(port), "", wrong))
    for fault in read.faults:
        wrong = Pair(fault.zh, fault.en)
        found.append(
            Row(
                fault.at,
                shown(data[fault.at :]),
                Pair("读不了", "not readable"),
                Pair("", ""),
                "",
                wrong,
            )
        )
    return sorted(found, key=lambda row: row.at)


def _field(found: PayloadValue) -> Row:
    field = found.field
    zh, en = field.zh or field.name, field.en or field.name
    if found.channel >= 0:
        zh, en = f"{zh}，通道 {found.channel}", f"{en}, channel {found.channel}"
    name = Pair(f"{zh}（{found.name}）", f"{en} ({found.name})")
    if found.value is None:
        said = _NO_MEASUREMENT if not field.missing else _MISSING
        return Row(found.at, shown(found.raw), name, said)
    if field.gives == TIME and 0 <= found.value * 1000 <= LAST_AT:
        when = datetime.fromtimestamp(found.value, UTC)
        return Row(found.at, shown(found.raw), name, same(f"{when:%Y-%m-%d %H:%M:%S} UTC"))
    return Row(found.at, shown(found.raw), name, same(f"{found.value:.12g}"), field.unit)
