"""The public list of CAP messages, as Atom and as RSS, in files, and a small HTTP server on loopback
for them and the messages. A district puts its own web server in front, or copies the folder to one."""

import os
import threading
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lxml import etree

from config.district import District
from dispatch.cap_xml import Reference

FEED, RSS = "feed.atom", "feed.rss"
_ATOM = "http://www.w3.org/2005/Atom"
_KEPT = 200
TYPES = {
    ".xml": "application/cap+xml",
    ".atom": "application/atom+xml",
    ".rss": "application/rss+xml",
}


def write_file(path: Path, body: bytes) -> None:
    """Whole or not at all, on disk on return. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with fresh.open("wb") as f:
        f.write(body)
        f.flush()
        os.fsync(f.fileno())
    fresh.replace(path)


Listed = Iterable[tuple[Reference, str]]  # (message, headline)


def _newest(messages: Listed) -> list[tuple[Reference, str]]:
    """At most 200, newest first."""
    key = lambda m: (m[0].sent, m[0].identifier)  # noqa: E731
    return sorted(messages, key=key, reverse=True)[:_KEPT]


def _link(district: District, name: str) -> str:
    """Where the public finds a file of the folder; beside the feed when nobody has said where."""
    base = district.channels.cap_url
    return f"{base.rstrip('/')}/{name}" if base else name


def atom(district: District, messages: Listed) -> bytes:
    """RFC 4287."""
    newest = _newest(messages)
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})  # type: ignore[dict-item]
    _put(root, "id", f"urn:fengsui:{district.id}:cap")
    _put(root, "title", f"{district.issuer} 预警 warnings")
    _put(root, "updated", newest[0][0].sent if newest else "1970-01-01T00:00:00+00:00")
    author = etree.SubElement(root, f"{{{_ATOM}}}author")
    _put(author, "name", f"{district.issuer} {district.issuer_en}")
    etree.SubElement(root, f"{{{_ATOM}}}link", rel="self", href=_link(district, FEED))
    for reference, headline in newest:
        entry = etree.SubElement(root, f"{{{_ATOM}}}entry")
        _put(entry, "id", f"urn:fengsui:cap:{reference.identifier}")
        _put(entry, "title", headline)
        _put(entry, "updated", reference.sent)
        etree.SubElement(
            entry,
            f"{{{_ATOM}}}link",
            rel="alternate",
            type=TYPES[".xml"],
            href=_link(district, f"{reference.identifier}.xml"),
        )
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def rss(district: District, messages: Listed) -> bytes:
    """RSS 2.0."""
    newest = _newest(messages)
    root = etree.Element("rss", version="2.0")
    channel = etree.SubElement(root, "channel")

    def put(parent: etree._Element, name: str, text: str) -> None:
        etree.SubElement(parent, name).text = text

    put(channel, "title", f"{district.issuer} 预警 warnings")
    put(channel, "link", _link(district, RSS))
    put(channel, "description", f"CAP 1.2, {district.issuer_en}")
    put(channel, "language", "zh-cn")
    for reference, headline in newest:
        item = etree.SubElement(channel, "item")
        put(item, "title", headline)
        put(item, "link", _link(district, f"{reference.identifier}.xml"))
        guid = etree.SubElement(item, "guid", isPermaLink="false")
        guid.text = f"urn:fengsui:cap:{reference.identifier}"
        put(item, "pubDate", format_datetime(datetime.fromisoformat(reference.sent)))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _put(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{_ATOM}}}{name}").text = text


class FeedServer:
    """Serves the folder's feed and messages, nothing else, on 127.0.0.1. port 0: any free one."""

    def __init__(self, folder: Path, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 10  # seconds; a silent client does not hold a thread

            def do_GET(self) -> None:
                self._answer(True)

            def do_HEAD(self) -> None:
                self._answer(False)

            def _answer(self, with_body: bool) -> None:
                name = self.path.split("?")[0].removeprefix("/") or FEED
                file = folder / name
                kind = TYPES.get(file.suffix)
                if kind is None or "/" in name or name.startswith(".") or not file.is_file():
                    self.send_error(404)
                    return
                body = file.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-cache")
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Who reads the feed is nobody's business."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{FEED}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="cap-feed", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
