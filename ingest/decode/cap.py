"""CAP 1.2 as it comes in (OASIS CAP-v1.2, 2010): parsed without entities or network, held against the
OASIS schema, its enveloped signature verified, and read into plain fields.

What is read is what was signed: with a signature the fields come from the bytes that it covers.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from ingest.decode.outside import moment
from ingest.decode.reading import Rejected

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
MAX_BYTES = 256_000
MAX_POINTS = 10_000
MAX_AREAS = 500
MAX_REFERENCES = 200
_SCHEMA = Path(__file__).parent / "schema" / "CAP-v1.2.xsd"
_NS = {"c": NAMESPACE}
# what is written so that every byte of markup is its ASCII one: nothing hides from `_plain`
_ENCODINGS = {
    b"utf-8",
    b"us-ascii",
    b"ascii",
    b"iso-8859-1",
    b"gb2312",
    b"gbk",
    b"gb18030",
    b"big5",
}
_DECLARED = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_DIGITS = re.compile(r"\d{6}|\d{12}")


class Circle(NamedTuple):
    lat: float
    lon: float
    km: float


class CapArea(NamedTuple):
    """polygons: rings of (lat, lon), as CAP has them."""

    polygons: tuple[tuple[tuple[float, float], ...], ...]
    circles: tuple[Circle, ...]
    codes: tuple[str, ...]  # geocodes of 6 or 12 digits


class CapInfo(NamedTuple):
    events: tuple[str, ...]  # the event's name, then the values of eventCode
    severity: str
    over: bool  # AllClear, or past
    expires_at: int | None
    headline: str
    parameters: tuple[tuple[str, str], ...]
    areas: tuple[CapArea, ...]


class CapMessage(NamedTuple):
    """The fields that mean something here; moments in epoch ms."""

    sender: str
    identifier: str
    sent_at: int
    status: str
    msg_type: str
    references: tuple[tuple[str, str, int], ...]
    note: str
    infos: tuple[CapInfo, ...]


class Wrong(Exception):
    """Not what it should be: `rejected` says how."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.rejected = Rejected(reason, detail)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True, huge_tree=False
    )


def _plain(body: bytes) -> None:
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] != b"<" or b"\0" in text:
        raise Wrong("bad_payload", "不是 XML not XML in UTF-8: the first character is no <")
    declared = _DECLARED.match(text)
    if declared and declared[1].lower() not in _ENCODINGS:
        raise Wrong("bad_payload", f"编码 encoding {declared[1].decode()!r}: 用 UTF-8 send UTF-8")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise Wrong(
            "bad_payload", "含 DTD 或实体 a DTD or entities: CAP has neither, it is not read"
        )


def parse_xml(body: bytes) -> etree._Element:
    """Any XML that comes from outside, without DTD, entities or network. Raises `Wrong`."""
    _plain(body)
    try:
        return etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as e:
        raise Wrong("bad_payload", f"不是 XML not XML: {e}") from e


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_SCHEMA))


def parse_cap(body: bytes) -> etree._Element:
    """A message that keeps to the schema. Raises `Wrong`."""
    if len(body) > MAX_BYTES:
        raise Wrong("oversize", f"{len(body)} 字节 bytes: 上限 at most {MAX_BYTES}")
    root = parse_xml(body)
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise Wrong("bad_payload", f"不是 CAP 1.2 not a CAP 1.2 alert: <{str(root.tag)[:80]}>")
    _valid(root)
    return root


def _valid(root: etree._Element) -> None:
    try:
        _schema().assertValid(root)
    except etree.LxmlError as e:
        raise Wrong("bad_payload", f"不合 CAP 1.2 not CAP 1.2: {str(e)[:300]}") from e


def is_signed(root: etree._Element) -> bool:
    return any(True for _ in root.iter(SIGNATURE))


def verified(body: bytes, certificates: Iterable[x509.Certificate], at: int) -> etree._Element:
    """What the enveloped signature covers, by one of these certificates, valid at `at` (ms).

    Raises `Wrong`. SHA-1 does not count (it was broken in 2017), nor does a key in the message.
    """
    config = SignatureConfiguration(
        location="./",
        expect_references=1,
        verification_time=datetime.fromtimestamp(at / 1000, UTC),
    )
    why = "没有证书 no certificate is declared"
    for certificate in certificates:
        try:
            found = XMLVerifier().verify(
                body, x509_cert=certificate, expect_config=config, parser=_parser()
            )
        # the library lets these through for signatures that are not even well formed
        except (SignXMLException, etree.LxmlError, ValueError, TypeError, AttributeError) as e:
            why = str(e)[:200] or type(e).__name__
            continue
        root = None if isinstance(found, list) else found.signed_xml
        if root is None or root.tag != f"{{{NAMESPACE}}}alert":
            why = "签名未覆盖整条 the signature does not cover the message"
            continue
        _valid(root)
        return root
    raise Wrong("bad_signature", f"签名无效 the signature does not hold: {why}")


def read_cap(root: etree._Element) -> CapMessage:
    """The fields. Raises `Wrong`."""
    areas = root.findall("c:info/c:area", _NS)
    if len(areas) > MAX_AREAS:
        raise Wrong("oversize", f"{len(areas)} 个区域 areas: 上限 at most {MAX_AREAS}")
    points = sum(
        (e.text or "").count(",") for e in root.iterfind("c:info/c:area/c:polygon", _NS)
    ) + len(root.findall("c:info/c:area/c:circle", _NS))
    if points > MAX_POINTS:
        raise Wrong("oversize", f"{points} 个点 points: 上限 at most {MAX_POINTS}")
    return CapMessage(
        sender=_text(root, "sender"),
        identifier=_text(root, "identifier"),
        sent_at=_when(_text(root, "sent")),
        status=_text(root, "status"),
        msg_type=_text(root, "msgType").lower(),
        references=read_references(_text(root, "references")),
        note=_text(root, "note"),
        infos=tuple(_info(e) for e in root.iterfind("c:info", _NS)),
    )


def read_references(text: str) -> tuple[tuple[str, str, int], ...]:
    """CAP's `sender,identifier,sent` list. Raises `Wrong`."""
    found = []
    if len(text.split()) > MAX_REFERENCES:
        raise Wrong("oversize", f"references: 上限 at most {MAX_REFERENCES}")
    for word in text.split():
        parts = word.split(",")
        if len(parts) != 3 or not all(parts):
            raise Wrong("bad_reference", f"{word[:80]!r}: 应为 sender,identifier,sent")
        found.append((parts[0], parts[1], _when(parts[2])))
    return tuple(found)


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"c:{name}", default="", namespaces=_NS) or "").strip()


def _when(text: str) -> int:
    at = moment(text)
    if at is None or at < 0:
        raise Wrong("bad_time", f"{text[:40]!r}: 写 write 2025-07-26T22:10:00+08:00")
    return at


def _pairs(parent: etree._Element, name: str) -> list[tuple[str, str]]:
    return [(_text(e, "valueName"), _text(e, "value")) for e in parent.iterfind(f"c:{name}", _NS)]


def _info(e: etree._Element) -> CapInfo:
    responses = {(r.text or "").strip() for r in e.iterfind("c:responseType", _NS)}
    expires = _text(e, "expires")
    return CapInfo(
        events=(_text(e, "event"), *(v for _, v in _pairs(e, "eventCode") if v)),
        severity=_text(e, "severity"),
        over="AllClear" in responses or _text(e, "urgency") == "Past",
        expires_at=_when(expires) if expires else None,
        headline=_text(e, "headline") or _text(e, "event"),
        parameters=tuple(_pairs(e, "parameter")),
        areas=tuple(_area(a) for a in e.iterfind("c:area", _NS)),
    )


def _area(e: etree._Element) -> CapArea:
    polygons = (_points(p.text or "") for p in e.iterfind("c:polygon", _NS))
    codes = (v for _, v in _pairs(e, "geocode") if _DIGITS.fullmatch(v))
    return CapArea(
        polygons=tuple(p for p in polygons if p),
        circles=tuple(_circle(c.text or "") for c in e.iterfind("c:circle", _NS)),
        codes=tuple(codes),
    )


def _points(text: str) -> tuple[tuple[float, float], ...]:
    return tuple(_point(pair) for pair in text.split())


def _point(text: str) -> tuple[float, float]:
    try:
        lat, lon = (float(x) for x in text.split(","))
    except ValueError:
        raise Wrong("bad_payload", f"坐标 {text[:40]!r}: 应为 latitude,longitude") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Wrong(
            "bad_payload", f"坐标越界 {text[:40]!r} is not on the globe: 先纬后经 lat first"
        )
    return lat, lon


def _circle(text: str) -> Circle:
    where, _, radius = text.strip().partition(" ")
    try:
        km = float(radius)
    except ValueError:
        km = -1.0
    if not 0 <= km <= 20_000:
        raise Wrong("bad_payload", f"圆 {text[:40]!r}: 应为 latitude,longitude radius (km)")
    return Circle(*_point(where), km)
