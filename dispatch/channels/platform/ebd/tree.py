"""XML of packets as plain elements, within bounds: no document type, no entities, no processing, so deep
and so many at most. Attributes and namespaces mean nothing in these files and are dropped. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from dispatch.channels.platform.ebd.form import Wrong

DEEPEST = 24
MOST = 400_000  # elements: a list of 20,000 terminals
LARGEST = 16_000_000  # bytes of one file


@dataclass(slots=True)
class Element:
    """name: without prefix. text: of a leaf, stripped."""

    name: str
    text: str = ""
    children: "list[Element]" = field(default_factory=list)

    def first(self, *path: str) -> "Element | None":
        """By names, one below the other."""
        here: Element | None = self
        for name in path:
            here = next((c for c in here.children if c.name == name), None) if here else None
        return here

    def all(self, name: str) -> "Iterator[Element]":
        """Every child of that name."""
        return (c for c in self.children if c.name == name)

    def said(self, *path: str) -> str:
        """The text there; "" where nothing is."""
        found = self.first(*path)
        return found.text if found else ""


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._words: list[list[str]] = []
        self._count = 0

    def start(self, name: str, _attributes: object) -> None:
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MOST:
            raise Wrong("too_much", "elements")
        found = Element(name.rpartition(":")[2])
        if self._open:
            self._open[-1].children.append(found)
        else:
            self.root = found
        self._open.append(found)
        self._words.append([])

    def end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._words.pop()).strip()

    def words(self, text: str) -> None:
        if self._words:
            self._words[-1].append(text)


def _refuse(*_: object) -> None:
    raise Wrong("bad_xml", "DOCTYPE")


def read(body: bytes) -> Element:
    """The root. Raises Wrong: too_much, bad_xml."""
    if len(body) > LARGEST:
        raise Wrong("too_much", "bytes")
    builder, parser = _Builder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.words
    # a document type is where entities come from: whoever sends one is not spoken with
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as e:
        raise Wrong("bad_xml", f"line {e.lineno}") from e
    except (ValueError, LookupError) as e:  # an encoding that nobody has
        raise Wrong("bad_xml", "encoding") from e
    if builder.root is None:
        raise Wrong("bad_xml", "empty")
    return builder.root


Node = tuple[str, "str | list[Node]"]


def write(root: Node) -> bytes:
    """UTF-8 without byte-order mark. What no XML may hold is left out."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(root, out)
    return "".join(out).encode()


def _write(node: Node, out: list[str]) -> None:
    name, what = node
    if isinstance(what, str):
        out.append(f"<{name}>{escape(_clean(what))}</{name}>")
        return
    out.append(f"<{name}>")
    for child in what:
        _write(child, out)
    out.append(f"</{name}>")


def _clean(text: str) -> str:
    return "".join(c for c in text if _allowed(ord(c)))


def _allowed(c: int) -> bool:
    # XML 1.0, 2.2, Char
    return c in (0x9, 0xA, 0xD) or 0x20 <= c <= 0xD7FF or 0xE000 <= c <= 0xFFFD or c >= 0x10000
