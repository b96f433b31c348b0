"""A packet of a broadcast platform, or a frame of its adapters, as a table for whoever tries a line with one:
what it says, and what is wrong with it. Pure. The signature is shown and not checked: whose key it is, only
the row of channels.toml knows."""

from collections.abc import Iterator

from dispatch.channels.platform.ebd.adapter_frame import TYPES, read_frame
from dispatch.channels.platform.ebd.form import Wrong, is_code, written
from dispatch.channels.platform.ebd.packet import Packet, unpack
from dispatch.channels.platform.ebd.reader import read_ebd
from dispatch.channels.platform.ebd.records import Ebd
from dispatch.channels.platform.ebd.signature import read_signature
from ingest.telemetry.codec.said import Pair, Row, same, shown

_MOST = 40  # of the items of a list
_AT = ("_at",)


def rows(data: bytes) -> list[Row]:
    """Of a tar, of an EBDB file alone, or of an adapter's frame."""
    try:
        if data[:1] in (b"\x49", b"\x50"):
            return list(_frame(data))
        if data.lstrip()[:1] == b"<":
            return list(_ebd(read_ebd(data)))
        return list(_packet(unpack(data)))
    except Wrong as e:
        return [Row(0, shown(data), Pair("包", "packet"), same(""), "", same(str(e)))]


def _row(zh: str, en: str, value: object, wrong: Pair = Pair("", "")) -> Row:  # noqa: B008  # frozen
    return Row(0, "", Pair(zh, en), same(value), "", wrong)


def _packet(p: Packet) -> Iterator[Row]:
    yield _row("主文件", "main file", f"EBDB_{p.name}.xml ({len(p.main)})")
    if p.signature:
        try:
            told = read_signature(p.signature)
        except Wrong as e:
            yield _row("签名文件", "signature file", "", same(str(e)))
        else:
            other = Pair("签的是另一个包", "it signs another packet")
            wrong = Pair("", "") if told.packet == p.name else other
            yield _row("签名所指", "signature of", told.packet, wrong)
            yield _row("签名时间", "signed at", written(told.block.time * 1000))
            yield _row("证书编号", "certificate", told.block.serial)
            yield _row("r‖s", "r‖s", shown(told.block.rs))
    else:
        yield _row("签名文件", "signature file", "–", Pair("没有签名", "not signed"))
    for name, body in p.others:
        yield _row("附件", "attached", f"{name} ({len(body)})")
    yield from _ebd(read_ebd(p.main))


def _ebd(e: Ebd) -> Iterator[Row]:
    yield _row("EBDID", "EBDID", e.id)
    code = Pair("", "") if is_code(e.source) else Pair("不是 18 或 23 位", "not of 18 or 23 digits")
    yield _row("来源", "SRC", e.source, code)
    yield _row("去向", "DEST", e.dest or "–")
    missing = Pair("", "") if e.sent_at is not None else Pair("不是时间", "is no time")
    yield _row("时间", "EBDTime", _value("sent_at", e.sent_at), missing)
    yield _row("应答的包", "answers", e.related or "–")
    yield from _body("", e.body)


def _body(under: str, what: object) -> Iterator[Row]:
    """The fields of a record, and of those in it."""
    kind = type(what).__name__
    yield _row(f"{under}{kind}", f"{under}{kind}", "")
    fields: dict[str, object] = getattr(what, "_asdict", dict)()
    for name, value in fields.items():
        if isinstance(value, tuple) and value and hasattr(value[0], "_asdict"):
            for item in value[:_MOST]:
                yield from _body(f"{under}  ", item)
            if len(value) > _MOST:
                yield _row(f"{under}  …", f"{under}  …", f"+{len(value) - _MOST}")
        else:
            yield _row(f"{under}  {name}", f"{under}  {name}", _value(name, value))


def _value(name: str, value: object) -> str:
    if value is None or value in ("", ()):
        return "–"
    if name.endswith(_AT) and isinstance(value, int):
        return written(value)
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _frame(data: bytes) -> Iterator[Row]:
    f = read_frame(data)
    way = Pair("适配器发来", "from the adapter") if f.back else Pair("发给适配器", "to the adapter")
    yield Row(0, shown(data[:1]), Pair("方向", "way"), way)
    yield Row(3, shown(data[3:4]), Pair("类型", "type"), same(TYPES.get(f.type, f"{f.type:02X}")))
    yield Row(4, shown(data[4:5]), Pair("来源", "source"), same(f.source))
    yield Row(9, shown(f.body), Pair("内容", "body"), same(f"{len(f.body)} B"))
    at = 11 + len(f.body)
    yield Row(at, shown(f.signature), Pair("签名", "signature"), same(f"{len(f.signature)} B"))
