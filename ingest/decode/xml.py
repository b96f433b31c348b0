"""XML that comes from outside, in any encoding that XML may be in, without DTD, entities or network.

Whatever it is written in is made UTF-8 first, and only that is parsed, searched and verified: two
readers of the same bytes could see two documents. A signature holds over it all the same, for it covers
the characters and not their bytes (Canonical XML is UTF-8). Pure.
"""

import codecs
import re

from lxml import etree

from config.language import Said, Text
from stream.records import Rejected

# what libraries and offices declare, and what reads it: of a small set its superset
_CODECS = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "cp936": "gb18030",
    "big5": "big5hkscs", "euc-jp": "euc_jp", "shift_jis": "cp932", "euc-kr": "cp949",
    "koi8-r": "koi8_r", "koi8-u": "koi8_u",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (*range(1, 12), 13, 14, 15, 16)},
    "latin1": "iso8859_1",
    **{f"windows-{n}": f"cp{n}" for n in (874, *range(1250, 1259))},
}  # fmt: skip
# a mark or the first sign, `<`, in units of 16 or 32 bits; the longer ones first
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip
_HEAD = re.compile(r"""<\?xml\s[^>]{0,200}?\?>""")
_DECLARED = re.compile(rb"""^<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")

_STRAY = re.compile(r"&(?!(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);)")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")


class Wrong(Exception):
    """Not what it should be: `rejected` says how."""

    def __init__(self, reason: str, detail: Said) -> None:
        super().__init__(detail)
        self.rejected = Rejected(reason, detail)


def parser() -> etree.XMLParser:
    """For what `as_utf8` gives."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True, huge_tree=False
    )


def parse_xml(body: bytes) -> etree._Element:
    """The root. Raises `Wrong`."""
    plain = as_utf8(body)
    try:
        return etree.fromstring(plain, parser())
    except (etree.XMLSyntaxError, ValueError) as e:
        raise Wrong("bad_payload", Text(f"不是 XML：{e}", f"not XML: {e}")) from e


def mended(body: bytes) -> bytes:
    """The document with what feeds leave unescaped made text: an & that begins none of XML's own
    entities (a link's `?a=1&b=2`, HTML's `&nbsp;`), and without control characters, which no XML may
    hold. A signature over it does not count: its characters are others. Raises `Wrong`."""
    text = _STRAY.sub("&amp;", as_utf8(body).decode())
    return _CONTROL.sub("", text).encode()


def as_utf8(body: bytes) -> bytes:
    """The document in UTF-8, without its declaration. Raises `Wrong` for one that has a DTD or is in
    an encoding that nobody knows."""
    text = _text(body).removeprefix("\ufeff").lstrip()
    if text[:1] != "<" or "\0" in text:
        raise Wrong(
            "bad_payload", Text("不是 XML：开头不是 <", "not XML: the first character is no <")
        )
    head = _HEAD.match(text)
    text = text[head.end() :] if head else text
    if _with_dtd(text):
        raise Wrong(
            "bad_payload",
            Text(
                "含 DTD 或实体：CAP 没有这些，不读",
                "a DTD or entities: CAP has neither, it is not read",
            ),
        )
    return text.encode("utf-8", "replace")


def _text(body: bytes) -> str:
    codec = next((name for mark, name in _WIDE if body.startswith(mark)), "")
    if not codec:
        start = body.removeprefix(codecs.BOM_UTF8).lstrip()
        declared = _DECLARED.match(start)
        name = declared[1].decode().lower() if declared else "utf-8"
        # what can be read as far as this is no UTF-16, though libraries that write text say so
        codec = "utf-8" if name.startswith(("utf-16", "utf-32")) else _CODECS.get(name, "")
        if not codec:
            raise Wrong(
                "bad_payload",
                Text(
                    f"编码 {name!r} 不认识：请用 UTF-8",
                    f"encoding {name!r} is not known: send UTF-8",
                ),
            )
    try:
        return body.decode(codec)
    except UnicodeDecodeError as e:
        words = Text(
            f"不是它声明的编码：{codec}，第 {e.start} 字节",
            f"not in the encoding that it declares: {codec}, byte {e.start}",
        )
        raise Wrong("bad_payload", words) from e


def _with_dtd(text: str) -> bool:
    """A DTD stands before the first element, behind comments and instructions; what looks like one
    anywhere else is text, or no XML."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        end = {"<!--": "-->", "<?": "?>"}
        opening = next((x for x in end if text.startswith(x, at)), "")
        if not opening:
            return text.startswith("<!", at)
        closed = text.find(end[opening], at + len(opening))
        if closed < 0:
            return False  # no XML at all, as the parser will say
        at = closed + len(end[opening])
