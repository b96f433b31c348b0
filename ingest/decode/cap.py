"""CAP 1.2 as it comes in (OASIS CAP-v1.2, 2010): parsed without entities or network, held against the
OASIS schema, its enveloped signature verified, and read into plain fields.

What is read is what was signed: with a signature the fields come from the bytes that it covers.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from ingest.decode.cap_place import CapArea, Circle, read_place
from ingest.decode.outside import moment
from ingest.decode.xml_in import Wrong, as_utf8, parse_xml, parser

__all__ = ["CapArea", "Circle", "Wrong", "parse_xml"]  # of a CAP message, too

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
# a weather office's largest: two languages, 600 areas or 6,200 points in each, 400 kB
MAX_BYTES = 2_000_000
MAX_RING = 10_000  # points of one shape
MAX_POINTS = 50_000
MAX_AREAS = 5_000
MAX_REFERENCES = 200
_SCHEMA = Path(__file__).parent / "schema" / "CAP-v1.2.xsd"
_NS = {"c": NAMESPACE}


class CapInfo(NamedTuple):
    events: tuple[str, ...]  # the event's name, then the values of eventCode
    severity: str
    over: bool  # AllClear, or past
    expires_at: int | None
    headline: str
    parameters: tuple[tuple[str, str], ...]
    areas: tuple[CapArea, ...]
    bad_expires: str = ""  # as it stands, where it is no moment


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
    unread: tuple[str, ...] = ()  # in words, what of it could not be read


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
    why, plain = "没有证书 no certificate is declared", as_utf8(body)
    for certificate in certificates:
        try:
            found = XMLVerifier().verify(
                plain, x509_cert=certificate, expect_config=config, parser=parser()
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
    rings = [(e.text or "").count(",") for e in root.iterfind("c:info/c:area/c:polygon", _NS)]
    points = sum(rings) + len(root.findall("c:info/c:area/c:circle", _NS))
    if points > MAX_POINTS or max(rings, default=0) > MAX_RING:
        words = f"上限 at most {MAX_POINTS}, 一个面 of one polygon {MAX_RING}"
        raise Wrong("oversize", f"{points} 个点 points: {words}")
    references, bad = read_references(_text(root, "references"))
    infos = tuple(_info(e) for e in root.iterfind("c:info", _NS))
    places = [text for i in infos for a in i.areas for text in a.unread]
    ends = [f"expires {i.bad_expires!r}" for i in infos if i.bad_expires]
    return CapMessage(
        sender=_text(root, "sender"),
        identifier=_text(root, "identifier"),
        sent_at=_when(_text(root, "sent")),
        status=_text(root, "status"),
        msg_type=_text(root, "msgType").lower(),
        references=references,
        note=_text(root, "note"),
        infos=infos,
        unread=tuple(dict.fromkeys([*bad, *ends, *places])),
    )


def read_references(text: str) -> tuple[tuple[tuple[str, str, int], ...], tuple[str, ...]]:
    """CAP's `sender,identifier,sent` list, and in words what of it cannot be read. Raises `Wrong`."""
    found, bad = [], []
    if len(text.split()) > MAX_REFERENCES:
        raise Wrong("oversize", f"references: 上限 at most {MAX_REFERENCES}")
    for word in text.split():
        parts = word.split(",")
        at = moment(parts[2]) if len(parts) == 3 and all(parts) else None
        if at is None:
            bad.append(f"references {word[:80]!r}: 应为 sender,identifier,sent")
        else:
            found.append((parts[0], parts[1], at))
    return tuple(found), tuple(bad)


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
        expires_at=moment(expires) if expires else None,
        headline=_text(e, "headline") or _text(e, "event"),
        parameters=tuple(_pairs(e, "parameter")),
        areas=tuple(_area(a) for a in e.iterfind("c:area", _NS)),
        bad_expires=expires[:40] if expires and moment(expires) is None else "",
    )


def _area(e: etree._Element) -> CapArea:
    return read_place(
        [p.text or "" for p in e.iterfind("c:polygon", _NS)],
        [c.text or "" for c in e.iterfind("c:circle", _NS)],
        [v for _, v in _pairs(e, "geocode")],
    )
