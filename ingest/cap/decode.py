"""CAP as it comes in (OASIS CAP-v1.2, 2010): parsed without entities or network, its enveloped signature
verified, brought into the form of the OASIS schema (`cap_shape`), and read into plain fields.

What is read is what was signed: with a signature the fields come from the bytes that it covers, and
nothing is mended before it holds.
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

from config.language import Said, Text, each
from ingest.cap.elements import NAMESPACE, SIGNATURE
from ingest.cap.places import CapArea, read_place
from ingest.cap.polygon import Circle
from ingest.cap.tolerance import MOST_AREAS, is_alert, second, shape
from ingest.decode.xml import Wrong, as_utf8, parse_xml, parser

__all__ = ["NAMESPACE", "SIGNATURE", "CapArea", "Circle", "Wrong", "parse_xml"]  # of CAP, too

# a weather office's largest: two languages, 600 areas or 6,200 points in each, 400 kB
MAX_BYTES = 2_000_000
MAX_RING = 10_000  # points of one shape
MAX_POINTS = 50_000
MAX_AREAS = MOST_AREAS
MAX_REFERENCES = 200
_SCHEMA = Path(__file__).parent / "schema" / "CAP-v1.2.xsd"
_NS = {"c": NAMESPACE}
_A_TIME = Text("应写 2025-07-26T22:10:00+08:00", "write 2025-07-26T22:10:00+08:00")


class CapInfo(NamedTuple):
    events: tuple[str, ...]  # the event's name, then the values of eventCode
    severity: str
    over: bool  # AllClear, or past
    expires_at: int | None
    headline: str
    parameters: tuple[tuple[str, str], ...]
    areas: tuple[CapArea, ...]
    language: str = ""
    onset_at: int | None = None
    unread: tuple[Said, ...] = ()  # in words, what of its end cannot be


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
    unread: tuple[Said, ...] = ()  # in words, what of it could not be read
    notes: tuple[Said, ...] = ()  # in words, what deviates from CAP 1.2 and was understood


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_SCHEMA))


def open_cap(body: bytes) -> etree._Element:
    """A message of whatever form. Raises `Wrong`."""
    if len(body) > MAX_BYTES:
        raise Wrong(
            "oversize",
            Text(f"{len(body)} 字节：上限 {MAX_BYTES}", f"{len(body)} bytes: at most {MAX_BYTES}"),
        )
    root = parse_xml(body)
    if not is_alert(root):
        tag = str(root.tag)[:80]
        raise Wrong("bad_payload", Text(f"不是 CAP：<{tag}>", f"no CAP alert: <{tag}>"))
    return root


def parse_cap(body: bytes) -> etree._Element:
    """A message that keeps to the schema. Raises `Wrong`."""
    root = open_cap(body)
    if root.tag != f"{{{NAMESPACE}}}alert":
        tag = str(root.tag)[:80]
        raise Wrong("bad_payload", Text(f"不是 CAP 1.2：<{tag}>", f"no CAP 1.2 alert: <{tag}>"))
    _valid(root)
    return root


def _valid(root: etree._Element) -> None:
    try:
        _schema().assertValid(root)
    except etree.LxmlError as e:
        why = str(e)[:300]
        raise Wrong("bad_payload", Text(f"不合 CAP 1.2：{why}", f"not CAP 1.2: {why}")) from e


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
    why: Said = Text("没有证书", "no certificate is declared")
    plain = as_utf8(body)
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
        if root is None or not is_alert(root):
            why = Text("签名未覆盖整条", "the signature does not cover the message")
            continue
        return root
    raise Wrong("bad_signature", Text("签名无效：", "the signature does not hold: ") + why)


def sender_of(root: etree._Element) -> str:
    """Who says that the message is theirs, "" where nobody does; to know whose certificate to ask."""
    names = (e for e in root.iterchildren(etree.Element))
    found = [e for e in names if etree.QName(e).localname.lower() == "sender"]
    return (found[0].text or "").strip() if len(found) == 1 else ""


def read_cap(root: etree._Element) -> CapMessage:
    """The fields. Raises `Wrong`."""
    shaped, notes = shape(root), _beside(root)
    notes, root = shaped.notes or (() if shaped.lost else notes), shaped.root
    areas = root.findall("c:info/c:area", _NS)
    if len(areas) > MAX_AREAS:
        words = Text(
            f"{len(areas)} 个区域：上限 {MAX_AREAS}", f"{len(areas)} areas: at most {MAX_AREAS}"
        )
        raise Wrong("oversize", words)
    texts = [e.text or "" for e in root.iterfind("c:info/c:area/c:polygon", _NS)]
    rings = [max(t.count(","), len(t.split()) // 2) for t in texts]
    points = sum(rings) + len(root.findall("c:info/c:area/c:circle", _NS))
    if points > MAX_POINTS or max(rings, default=0) > MAX_RING:
        words = Text(
            f"{points} 个点：上限 {MAX_POINTS}，一个面 {MAX_RING}",
            f"{points} points: at most {MAX_POINTS}, of one polygon {MAX_RING}",
        )
        raise Wrong("oversize", words)
    references, bad = read_references(_text(root, "references"))
    sent_at = _when(_text(root, "sent"))
    infos = tuple(_info(e, sent_at) for e in root.iterfind("c:info", _NS))
    return CapMessage(
        sender=_text(root, "sender"),
        identifier=_text(root, "identifier"),
        sent_at=sent_at,
        status=_text(root, "status"),
        msg_type=_text(root, "msgType").lower(),
        references=references,
        note=_text(root, "note"),
        infos=infos,
        unread=_words(shaped.lost, bad, *(i.unread for i in infos), *_places(infos, "unread")),
        notes=_words(notes, *_places(infos, "notes")),
    )


def _beside(root: etree._Element) -> tuple[Said, ...]:
    """Why a message does not keep to the schema, in the schema's words."""
    if root.tag != f"{{{NAMESPACE}}}alert":
        return ()
    try:
        _valid(root)
    except Wrong as e:
        return (each(e.rejected.detail, lambda w: w.replace(f"{{{NAMESPACE}}}", "")[:160]),)
    return ()


def _places(infos: tuple[CapInfo, ...], what: str) -> list[tuple[Said, ...]]:
    return [getattr(a, what) for i in infos for a in i.areas]


def _words(*parts: Iterable[Said]) -> tuple[Said, ...]:
    return tuple(dict.fromkeys(w for part in parts for w in part))


def read_references(text: str) -> tuple[tuple[tuple[str, str, int], ...], tuple[Said, ...]]:
    """CAP's `sender,identifier,sent` list, and in words what of it cannot be read. Raises `Wrong`."""
    found, bad = [], list[Said]()
    if len(text.split()) > MAX_REFERENCES:
        raise Wrong(
            "oversize",
            Text(f"references: 上限 {MAX_REFERENCES}", f"references: at most {MAX_REFERENCES}"),
        )
    for word in text.split():
        parts = word.split(",")
        at = second(parts[2]) if len(parts) == 3 and all(parts) else None
        if at is None:
            wanted = Text("应为 sender,identifier,sent", "write sender,identifier,sent")
            bad.append(f"references {word[:80]!r}: " + wanted)
        else:
            found.append((parts[0], parts[1], at))
    return tuple(found), tuple(bad)


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"c:{name}", default="", namespaces=_NS) or "").strip()


def _when(text: str) -> int:
    at = second(text)
    if at is None:
        raise Wrong("bad_time", f"<sent> {text[:40]!r}: " + _A_TIME)
    return at


def _pairs(parent: etree._Element, name: str) -> list[tuple[str, str]]:
    return [(_text(e, "valueName"), _text(e, "value")) for e in parent.iterfind(f"c:{name}", _NS)]


def _info(e: etree._Element, sent_at: int) -> CapInfo:
    responses = {(r.text or "").strip() for r in e.iterfind("c:responseType", _NS)}
    expires, unread = second(_text(e, "expires")), tuple[Said, ...]()
    if expires is not None and expires < sent_at:
        words = f"expires {_text(e, 'expires')[:40]!r}: " + Text(
            "早于 sent，不计", "is before sent, ignored"
        )
        expires, unread = None, (words,)
    events = (_text(e, "event"), *(v for _, v in _pairs(e, "eventCode")))
    return CapInfo(
        events=tuple(x for x in events if x),
        severity=_text(e, "severity"),
        over="AllClear" in responses or _text(e, "urgency") == "Past",
        expires_at=expires,
        headline=_text(e, "headline") or _text(e, "event"),
        parameters=tuple(_pairs(e, "parameter")),
        areas=tuple(_area(a) for a in e.iterfind("c:area", _NS)),
        language=_text(e, "language").lower(),
        onset_at=second(_text(e, "onset")),
        unread=unread,
    )


def _area(e: etree._Element) -> CapArea:
    codes = _pairs(e, "geocode")
    return read_place(
        [p.text or "" for p in e.iterfind("c:polygon", _NS)],
        [c.text or "" for c in e.iterfind("c:circle", _NS)],
        [v for _, v in codes],
        [n for n, _ in codes],
        _text(e, "areaDesc"),
    )
