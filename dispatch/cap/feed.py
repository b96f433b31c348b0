"""The public list of CAP messages, as Atom and as RSS."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from lxml import etree

from config.records.district import District
from dispatch.cap.message import Reference

FEED, RSS = "feed.atom", "feed.rss"
_ATOM = "http://www.w3.org/2005/Atom"
_KEPT = 200
TYPES = {
    ".xml": "application/cap+xml",
    ".atom": "application/atom+xml",
    ".rss": "application/rss+xml",
}

Listed = Iterable[tuple[Reference, str]]  # (message, headline)


def _newest(messages: Listed) -> list[tuple[Reference, str]]:
    """At most 200, newest first."""
    key = lambda m: (m[0].sent, m[0].identifier)  # noqa: E731
    return sorted(messages, key=key, reverse=True)[:_KEPT]


def link(district: District, name: str) -> str:
    """Where the public finds a file of the folder; beside the feed when nobody has said where."""
    base = district.channels.cap_url
    return f"{base.rstrip('/')}/{name}" if base else name


def atom(district: District, messages: Listed) -> bytes:
    """RFC 4287."""
    newest = _newest(messages)
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})  # type: ignore[dict-item]
    _put(root, "id", f"urn:fengsui:{district.id}:cap")
    _put(root, "title", f"{district.issuer}预警")
    _put(root, "updated", newest[0][0].sent if newest else "1970-01-01T00:00:00+00:00")
    author = etree.SubElement(root, f"{{{_ATOM}}}author")
    _put(author, "name", f"{district.issuer} {district.issuer_en}")
    etree.SubElement(root, f"{{{_ATOM}}}link", rel="self", href=link(district, FEED))
    for reference, headline in newest:
        entry = etree.SubElement(root, f"{{{_ATOM}}}entry")
        _put(entry, "id", f"urn:fengsui:cap:{reference.identifier}")
        _put(entry, "title", headline)
        _put(entry, "updated", reference.sent)
        place = link(district, f"{reference.identifier}.xml")
        typed = etree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=place)
        typed.set("type", TYPES[".xml"])
        # some readers choose by the type; feedparser takes a link of any type but HTML for no link of the
        # entry, and its id instead, but one that says no type
        etree.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=place)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def rss(district: District, messages: Listed) -> bytes:
    """RSS 2.0."""
    newest = _newest(messages)
    root = etree.Element("rss", version="2.0")
    channel = etree.SubElement(root, "channel")

    def put(parent: etree._Element, name: str, text: str) -> None:
        etree.SubElement(parent, name).text = text

    put(channel, "title", f"{district.issuer}预警")
    put(channel, "link", link(district, RSS))
    put(channel, "description", f"CAP 1.2, {district.issuer_en}")
    put(channel, "language", "zh-cn")
    if newest:
        put(channel, "pubDate", _moment(newest[0][0]))
    for reference, headline in newest:
        item = etree.SubElement(channel, "item")
        put(item, "title", headline)
        put(item, "link", link(district, f"{reference.identifier}.xml"))
        guid = etree.SubElement(item, "guid", isPermaLink="false")
        guid.text = f"urn:fengsui:cap:{reference.identifier}"
        put(item, "pubDate", _moment(reference))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _moment(message: Reference) -> str:
    """When it was sent, as RSS writes it."""
    return format_datetime(datetime.fromisoformat(message.sent))


def _put(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{_ATOM}}}{name}").text = text
