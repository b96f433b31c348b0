"""The CAP messages in a document: itself, or what an envelope or a list holds, each with what the
envelope says of its status. Pure.

- EDXL-DE 1.0 and 2.0 (OASIS 2006, 2013): contentObject / content, xmlContent / contentXML,
  embeddedXMLContent; as the NSW Rural Fire Service publishes its fires. keyXMLContent holds extracts and
  is no message; nonXMLContent / otherContent may hold one in contentData, in base64.
- a list: `<alerts>` round them (SMHI), or any other element.
- a SOAP body, or an Atom or RSS entry, with the message within, or as text: escaped or in CDATA.

Messages within are taken out as they stand: a signature in exclusive canonical form holds there too.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from config.language import Said, Text, each, text_of
from ingest.cap.decode import MAX_BYTES
from ingest.cap.tolerance import is_alert
from ingest.decode.xml import Wrong, as_utf8, mended, parse_xml
from stream.records import Rejected

MOST = 1_000  # messages of one document
_DEEPEST = 3  # documents within documents
_PLAY = ("exercise", "test", "system", "draft")
_DECLARED = re.compile(r"^\ufeff?\s*<\?xml[^>]{0,200}\?>")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{40,}")


class Part(NamedTuple):
    """A message: its bytes, what its envelope says of the status, why it could not be taken out, and
    what had to be mended of the document to read it."""

    body: bytes
    status: str = ""
    wrong: Rejected | None = None
    notes: tuple[Said, ...] = ()


def of_play(status: str) -> bool:
    """Whether an envelope says that what it holds is not real."""
    return status.strip().lower() in _PLAY


def messages(body: bytes) -> list[Part]:
    """Of a document, in its order; the document itself where it is one message, and where it holds none:
    then its reader says what it is. Raises `Wrong` where it is no XML."""
    if len(body) > MAX_BYTES:
        return [Part(body)]
    try:
        root = parse_xml(body)
    except Wrong as why:
        plain = mended(body)
        if plain == as_utf8(body):
            raise
        root = parse_xml(plain)
        said = text_of(each(why.rejected.detail, lambda w: w[:100]))
        told = (Text(f"文件：{said.zh}：& 按文字读", f"document: {said.en}: read with & as text"),)
        return [p._replace(notes=told) for p in _of(root, plain)]
    return _of(root, body)


def _of(root: etree._Element, body: bytes) -> list[Part]:
    if is_alert(root):
        return [Part(body)]
    return within(root) or [Part(body)]


def within(root: etree._Element) -> list[Part]:
    """The messages that an element holds."""
    found, room = list[Part](), 4 * MAX_BYTES
    for part in _within(root, 0):
        room -= len(part.body)  # each brings the namespaces of all that stands round it
        if len(found) == MOST or room < 0:
            words = Text(
                f"一份文件里的消息太多：上限 {MOST}；其余未读",
                f"too many messages in one document: at most {MOST}; the rest not read",
            )
            return [*found, Part(b"", wrong=Rejected("oversize", words))]
        found.append(part)
    return found


def _within(e: etree._Element, depth: int) -> Iterator[Part]:
    stack = [e]
    while stack:
        at = stack.pop()
        if not isinstance(at.tag, str):
            continue
        if is_alert(at):
            yield Part(etree.tostring(at, encoding="UTF-8", with_tail=False), _status(at))
            continue
        name = etree.QName(at).localname
        if name.lower() == "keyxmlcontent":
            continue
        if len(at):
            stack.extend(reversed(at))
        elif at.text:
            yield from _in_text(at, depth)


def _in_text(e: etree._Element, depth: int) -> Iterator[Part]:
    """Messages in an element's text, if that is a document that holds one."""
    text = e.text or ""
    if etree.QName(e).localname.lower() == "contentdata" and _BASE64.fullmatch(text):
        try:
            text = base64.b64decode(text, validate=False).decode("utf-8")
        except (binascii.Error, ValueError):
            return
    if not text.lstrip("\ufeff \t\r\n").startswith("<") or not re.search(
        r"<[\w:.-]*alert[\s>]", text, re.IGNORECASE
    ):
        return
    plain = _DECLARED.sub("", text).encode("utf-8", "replace")
    try:
        root = parse_xml(plain)
    except Wrong as wrong:
        yield Part(plain, wrong=wrong.rejected)
        return
    if is_alert(root):
        yield Part(plain, _status(e))
    elif depth < _DEEPEST:
        yield from (p._replace(status=p.status or _status(e)) for p in _within(root, depth + 1))


def _status(e: etree._Element) -> str:
    """What the nearest envelope round it says: distributionStatus of EDXL-DE."""
    for outer in e.iterancestors():
        for child in outer.iterchildren(etree.Element):
            if etree.QName(child).localname == "distributionStatus":
                return "".join(map(str, child.itertext())).strip()
    return ""
