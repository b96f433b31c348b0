"""The public list of CAP messages, as Atom and as RSS, in files, and a small HTTP server on loopback
for them and the messages. A district puts its own web server in front, or copies the folder to one."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.language import Text
from config.records.district import District
from dispatch.cap.message import Reference
from stream.http.openapi import Door, Says
from stream.http.server import HttpDoor

FEED, RSS = "feed.atom", "feed.rss"
_ATOM = "http://www.w3.org/2005/Atom"
_KEPT = 200
TYPES = {
    ".xml": "application/cap+xml",
    ".atom": "application/atom+xml",
    ".rss": "application/rss+xml",
}
PLACES = (("/{name:path}", ("GET",)),)
DOOR = Door(
    Text("烽燧：CAP 的公开清单和报文", "Fengsui: the public feed of CAP, and its messages"),
    "1",
    {
        "/{name:path}": Says(
            Text("feed.atom、feed.rss、一份报文", "feed.atom, feed.rss, or a message"),
            media=tuple(TYPES.values()),
        )
    },
)

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


class FeedServer:
    """Serves the folder's feed and messages, nothing else, on 127.0.0.1. port 0: any free one."""

    def __init__(self, folder: Path, port: int) -> None:
        def answer(request: Request) -> Response:
            name = request.url.path.removeprefix("/") or FEED
            file = folder / name
            kind = TYPES.get(file.suffix)
            if kind is None or "/" in name or name.startswith(".") or not file.is_file():
                return Response(status_code=404)
            # who reads the feed is nobody's business: nothing is written down
            headers = {"Cache-Control": "no-cache", "Content-Type": f"{kind}; charset=utf-8"}
            return Response(file.read_bytes(), headers=headers)

        app = Starlette(routes=[Route("/{name:path}", answer, methods=["GET"])])
        self._http = HttpDoor(app, f"127.0.0.1:{port}", "cap-feed", patient=True)
        self.url = f"{self._http.url}/{FEED}"

    def close(self) -> None:
        self._http.close()
