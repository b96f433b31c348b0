"""Where the entries of a feed, Atom (RFC 4287) or RSS 2.0, say that their messages are. Pure."""

import hashlib
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from lxml import etree

from config.language import Said, Text
from ingest.cap.envelopes import within
from ingest.decode.gzip_in import unpacked
from ingest.decode.xml import Wrong, mended, parse_xml
from stream.limits import LAST_AT, moment

MOST_BYTES = 8_000_000  # of a feed, unpacked
_ATOM = "{http://www.w3.org/2005/Atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_CAP_TYPES = ("application/cap+xml", "application/common-alerting-protocol+xml")
_XML_TYPES = ("application/xml", "text/xml")
_ENDINGS = (".cap", ".xml")
_LEADS = ("alternate", "related", "enclosure")


class Found(NamedTuple):
    """What an entry leads to: the address of a message, or the message itself, or why neither."""

    key: str  # the entry in this state: the same again is nothing new
    url: str
    body: bytes = b""
    wrong: Said = ""


def entries(body: bytes, at: str) -> list[Found]:
    """Those of a feed at the URL `at`, newest first, whatever their order there; one without a time
    counts as new. Raises `Wrong`."""
    root = _root(body)
    if root.tag == f"{_ATOM}feed":
        items = [
            (_when(e, f"{_ATOM}updated", f"{_ATOM}published"), e)
            for e in root.iterfind(f"{_ATOM}entry")
        ]
        found = [(when, _atom(e, at)) for when, e in items]
    elif root.tag == "rss":
        items = [(_when(e, "pubDate", f"{_DC}date"), e) for e in root.iterfind("channel/item")]
        found = [(when, _rss(e, at)) for when, e in items]
    else:
        tag = str(root.tag)[:80]
        words = Text(f"既非 Atom 也非 RSS：<{tag}>", f"neither Atom nor RSS: <{tag}>")
        raise Wrong("bad_payload", words)
    found.sort(key=lambda x: -x[0])
    return [f for _, f in found]


def _root(body: bytes) -> etree._Element:
    """A feed with a stray & in one entry is a feed. What it holds itself is then no longer as it was
    signed, and is judged as it is."""
    body = unpacked(body, MOST_BYTES)
    try:
        return parse_xml(body)
    except Wrong as why:
        try:
            return parse_xml(mended(body))
        except Wrong:
            raise why from None


def next_page(body: bytes, at: str) -> str:
    """Where a feed of several pages goes on (RFC 5005), "" at its end. Raises `Wrong`."""
    root = _root(body)
    for link in (*root.iterfind(f"{_ATOM}link"), *root.iterfind(f"channel/{_ATOM}link")):
        if link.get("rel") == "next":
            url, wrong = _joined(link, at, str(link.get("href", "")))
            return "" if wrong else url
    return ""


def _when(e: etree._Element, *names: str) -> int:
    for name in names:
        text = (e.findtext(name) or "").strip()
        at = moment(text)
        if at is None and text:
            try:
                when = parsedate_to_datetime(text)
                at = round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
            except (ValueError, OverflowError, TypeError):
                at = None
        if at is not None:
            return at
    return LAST_AT


def _atom(e: etree._Element, at: str) -> Found:
    named = f"{e.findtext(f'{_ATOM}id')} {e.findtext(f'{_ATOM}updated')}"
    content = e.find(f"{_ATOM}content")
    ways = [
        (_rank(x.get("type"), x.get("href", "")), x, str(x.get("href", "")))
        for x in e.iterfind(f"{_ATOM}link")
        if x.get("rel", "alternate") in _LEADS and x.get("href")
    ]
    if content is not None and content.get("src"):
        src = str(content.get("src"))
        ways.append((_rank(content.get("type"), src), content, src))
    return _found(e, at, named, ways)


def _rss(e: etree._Element, at: str) -> Found:
    guid, link = e.find("guid"), e.find("link")
    named = f"{e.findtext('guid') or e.findtext('link')} {e.findtext('pubDate')}"
    ways = [
        (_rank(x.get("type"), x.get("url", "")), x, str(x.get("url")))
        for x in e.iterfind("enclosure")
        if x.get("url") and _rank(x.get("type"), x.get("url", "")) < _OTHER
    ]
    if link is not None and (link.text or "").strip():
        ways.append((_rank(None, link.text or ""), link, (link.text or "").strip()))
    if guid is not None and guid.get("isPermaLink", "true").lower() == "true":
        text = (guid.text or "").strip()
        if _is_web(text):
            ways.append((_rank(None, text), guid, text))
    return _found(e, at, named, ways)


_OTHER = 3


def _rank(kind: str | None, link: str) -> int:
    """How likely a CAP message is there: 0 it says so, 1 XML, 2 nothing is said, 3 something else."""
    named = (kind or "").partition(";")[0].strip().lower()
    ends = link.partition("?")[0].partition("#")[0].strip().lower().endswith(_ENDINGS)
    if named in _CAP_TYPES:
        return 0
    if named in _XML_TYPES or (not named and ends):
        return 1
    return 2 if not named else _OTHER


def _found(
    e: etree._Element, at: str, named: str, ways: list[tuple[int, etree._Element, str]]
) -> Found:
    parts = within(e)
    if parts:  # several stay together: whoever reads them takes each
        one = (
            parts[0].body
            if len(parts) == 1
            else etree.tostring(e, encoding="UTF-8", with_tail=False)
        )
        return Found(f"{named} {hashlib.sha256(one).hexdigest()}", at, one)
    if not ways:
        words = Text("条目里没有消息也没有链接", "the entry holds no message and no link")
        return Found(named, at, wrong=words)
    _, element, link = min(ways, key=lambda w: w[0])
    url, wrong = _joined(element, at, link)
    return Found(f"{named} {url}", url, wrong=wrong)


def _joined(e: etree._Element, at: str, link: str) -> tuple[str, Said]:
    """The address, by the bases of the element and of what it stands in (XML Base); else the link as
    it is, and why it is none."""
    bases = [b for x in (e, *e.iterancestors()) if (b := x.get(_BASE))]
    try:
        for base in reversed(bases):
            at = urljoin(at, str(base))
        url = urljoin(at, link.strip())
        urlsplit(url).port  # noqa: B018  # raises for what is none
    except ValueError:
        return link, Text("链接读不懂", "the link is no address")
    return url, ""


def _is_web(text: str) -> bool:
    """Whether a text is the address of something on the web."""
    try:
        return urlsplit(text).scheme in ("http", "https")
    except ValueError:
        return False
