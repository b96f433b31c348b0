"""A CAP message as it is really sent, in the form that the OASIS schema asks for (CAP-v1.2, 2010): what
is certain is understood, each deviation is noted with its element, and what is not certain is lost or,
where the message cannot be without it, refused. A status or a severity is never guessed. Pure.

What is sent, by public reports and real messages: namespaces of CAP 1.0 and 1.1 (NOAA, USGS, Amber),
elements in another order and of their own (Krisinformation, alerting apps), empty `<references/>`
(Canada's NAAD, kelvinn/capparselib issue 7), times in Z, with fractions or with +0800, values in other
case, fields without `<info>` or `<area>` round them, and `<geocode>NAME=VALUE</geocode>` of CAP 1.0.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import NamedTuple

from lxml import etree

from config.language import Said, Text, each
from ingest.cap.elements import ALERT, AREA, INFO, NAMESPACE, OLD, PAIR, SIGNATURE, SPARE, VALUES
from ingest.decode.xml import Wrong
from stream.limits import moment

MOST_AREAS = 5_000
_OF_CAP = re.compile(
    r"(urn:oasis:names:tc:emergency:cap:1\.\d|https?://www\.incident\.com/cap/1\.\d)/?",
    re.IGNORECASE,
)
_MOST_NOTES, _NOTE = 40, 160
_MISSING, _EMPTY = Text("缺", "missing"), Text("空", "empty")
_DIFFERENT = Text("有不同的值：", "has different values: ")
_NO_MOMENT = Text("不是带时区的时刻", "is no moment with an offset")
_WRITTEN_OTHERWISE = Text("写法不合 CAP", "is not written as CAP has it")
_NAMELESS = Text("没有 valueName", "without valueName")
_LONGEST = 120  # of a moment, however it is written
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_REGION = re.compile(r"\[[A-Za-z_/+-]{1,40}\]$")
_BLANK = re.compile(r"\s+(?=(?:[+-]\d\d:?\d\d|Z)$)")


class Shaped(NamedTuple):
    """root: of the schema's form, but for a `<severity>` or `<event>` that is empty where it could not
    be read. notes: what deviates and is certain; lost: what could not be read."""

    root: etree._Element
    notes: tuple[Said, ...]
    lost: tuple[Said, ...]


def is_alert(e: etree._Element) -> bool:
    """Whether it is the root of a CAP message of any version, or of one without a namespace."""
    space, name = _named(e)
    return name.lower() == "alert" and (not space or _OF_CAP.fullmatch(space) is not None)


def shape(alert: etree._Element) -> Shaped:
    """Raises `Wrong` where what a message cannot be without is missing or means nothing."""
    return _Shaper().alert(alert)


def second(text: str) -> int | None:
    """A moment in ms, of a whole second as CAP has them; None without an offset: which one it is in is
    not certain."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    text = _REGION.sub("", text)
    text = re.sub(r"(?:GMT|UTC)(?=[+-]\d)", "", text)
    text = _BLANK.sub("", re.sub(r"(?:GMT|UTC|z)$", "Z", text))
    at = moment(text)
    return None if at is None else at // 1000 * 1000


class _Shaper:
    def __init__(self) -> None:
        self._notes: list[Said] = []
        self._lost: list[Said] = []

    def alert(self, e: etree._Element) -> Shaped:
        space = _named(e)[0]
        if space != NAMESPACE:
            self._note(
                "alert",
                Text(
                    f"命名空间 {space[:60]!r}：按 CAP 1.2",
                    f"namespace {space[:60]!r}: read as CAP 1.2",
                ),
            )
        found = self._sorted(e, ALERT, "", ({**INFO, **AREA}))
        self._wrap_in_info(found)
        root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
        self._build(root, found, ALERT, "")
        return Shaped(root, _short(self._notes), _short(self._lost))

    # --- what stands where

    def _sorted(
        self, e: etree._Element, table: dict[str, str], where: str, astray: dict[str, str]
    ) -> dict[str, list[etree._Element]]:
        """Its children by name. astray: what may stand here for want of what it belongs in."""
        home, found = _named(e)[0], dict[str, list[etree._Element]]()
        names = {n.lower(): n for n in (*astray, *table)}
        order, last = list(table), -1
        if any(not str(k).startswith("{") for k in e.attrib):
            self._note(where or "alert", Text("属性不计", "attributes are ignored"))
        for child in e.iterchildren(etree.Element):
            space, name = _named(child)
            if child.tag == SIGNATURE:
                continue
            path = f"{where} {name}".strip()
            known = names.get(name.lower())
            if known is None or (space and not _OF_CAP.fullmatch(space)):
                self._note(path, Text("不属于 CAP，不计", "is not of CAP, ignored"))
                continue
            if space != home:
                self._note(path, Text("命名空间 ", "namespace ") + f"{space[:60]!r}")
            if name != known:
                self._note(path, Text(f"大小写：{known}", f"case: {known}"))
            if known in table:
                if order.index(known) < last:
                    self._note(path, Text("次序不对", "out of order"))
                last = max(last, order.index(known))
            found.setdefault(known, []).append(child)
        return found

    def _wrap_in_info(self, found: dict[str, list[etree._Element]]) -> None:
        """What belongs into an `<info>` and stands beside it."""
        infos = found.get("info", [])
        own = {k: found.pop(k) for k in list(found) if k in INFO and k != "area"}
        places = {k: found.pop(k) for k in list(found) if k == "area" or k in AREA}
        if not own and not places:
            return
        if own and infos:
            self._lose(
                " ".join(own),
                Text("在 info 之外，不知属哪个", "stands outside of info: of which is unknown"),
            )
            own = {}
        if not infos:
            infos = found["info"] = [_round(next(iter((own or places).values()))[0], "info")]
        count = sum(map(len, places.values()))
        if count * len(infos) > MOST_AREAS:
            words = Text(
                f"{count} 个区域：上限 {MOST_AREAS}", f"{count} areas: at most {MOST_AREAS}"
            )
            raise Wrong("oversize", words)
        self._note(" ".join([*own, *places]), Text("没有 info 包着", "without info round it"))
        for info in infos:
            for child in (c for part in (own, places) for v in part.values() for c in v):
                info.append(_copy(child))

    def _wrap_in_area(self, found: dict[str, list[etree._Element]], where: str) -> None:
        """What belongs into an `<area>` and stands beside it is an area."""
        own = {k: found.pop(k) for k in list(found) if k in AREA}
        if not own:
            return
        self._note(f"{where} {' '.join(own)}", Text("没有 area 包着", "without area round it"))
        area = _round(next(iter(own.values()))[0], "area")
        for child in (c for v in own.values() for c in v):
            area.append(_copy(child))
        found.setdefault("area", []).append(area)

    def _build(
        self,
        parent: etree._Element,
        found: dict[str, list[etree._Element]],
        table: dict[str, str],
        where: str,
    ) -> None:
        for name, kind in table.items():
            elements = found.get(name, [])
            path = f"{where} {name}".strip()
            if kind in ("info+", "area+"):
                for n, e in enumerate(elements, 1):
                    at = f"{path} {n}" if len(elements) > 1 else path
                    self._block(etree.SubElement(parent, f"{{{NAMESPACE}}}{name}"), e, at, name)
            elif kind == "pair+":
                for e in elements:
                    for pair in self._pairs(e, path):
                        _add_pair(parent, name, *pair)
            elif not kind.startswith("unused"):
                texts = [t for e in elements if (t := self._text(e, path, kind)) is not None]
                for text in self._values(name, kind, texts, path, parent):
                    etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = text

    def _block(self, new: etree._Element, e: etree._Element, where: str, name: str) -> None:
        if name == "info":
            found = self._sorted(e, INFO, where, AREA)
            self._wrap_in_area(found, where)
            self._build(new, found, INFO, where)
        else:
            found = self._sorted(e, AREA, where, {})
            if "areaDesc" not in found:
                self._note(f"{where} areaDesc", _MISSING)
            self._build(new, found, AREA, where)
            if new.find(f"{{{NAMESPACE}}}areaDesc") is None:
                new.insert(0, etree.Element(f"{{{NAMESPACE}}}areaDesc"))

    # --- texts

    def _text(self, e: etree._Element, path: str, kind: str) -> str | None:
        """None where nothing is there. A comment within it is none of it."""
        if any(True for _ in e.iterchildren(etree.Element)):
            self._lose(path, Text("里面还有元素", "has elements within"))
            return None
        whole = (e.text or "") + "".join(c.tail or "" for c in e)
        text = whole.strip()
        if not text:
            self._note(path, _EMPTY)
            return None
        if text != whole and not kind.startswith(("text", "id", "event", "joined")):
            self._note(path, Text("前后有空白", "blanks round it"))
        return text

    def _values(
        self, name: str, kind: str, texts: list[str], path: str, parent: etree._Element
    ) -> Iterator[str]:
        """The texts of the elements that stand there in the end."""
        single = not kind.endswith("+")
        if single and len(texts) > 1:
            texts = self._one(name, kind, texts, path, parent)
        match kind.removesuffix("+"):
            case "id" | "sent" | "status" | "must" if not texts:
                raise Wrong("bad_payload", _MISSING + f": <{name}>")
            case "sent":
                yield self._sent(texts[0])
            case "time":
                yield from self._time(path, texts)
            case "text" | "id":
                yield from texts
            case "joined":
                if texts:
                    yield " ".join(texts)
            case "event":
                if not texts:
                    self._lose(path, _MISSING)
                yield texts[0] if texts else ""
            case other:
                yield from self._choices(name, other, texts, path)

    def _one(
        self, name: str, kind: str, texts: list[str], path: str, parent: etree._Element
    ) -> list[str]:
        """What of several stands for the one that may be there."""
        different = list(dict.fromkeys(texts))
        self._note(path, Text(f"出现 {len(texts)} 次", f"stands there {len(texts)} times"))
        if len(different) == 1 or kind == "joined":
            return different
        if kind in ("id", "sent", "status", "must"):
            words = _DIFFERENT + ", ".join(different)[:120]
            raise Wrong("bad_payload", f"<{name}> " + words)
        if kind == "event":  # each of them names what happens
            for other in different[1:]:
                _add_pair(parent, "eventCode", "event", other)
            return different[:1]
        if kind in ("severity", "spare", "time"):
            self._lose(path, _DIFFERENT + ", ".join(different)[:80])
            return []
        return different[:1]

    def _choices(self, name: str, kind: str, texts: list[str], path: str) -> Iterator[str]:
        """Values of an enumeration."""
        found = []
        for text in texts:
            value = _chosen(name, text)
            if value is None and kind in ("status", "must"):
                wanted = Text("应为 ", "write one of ") + ", ".join(VALUES[name])
                raise Wrong("bad_payload", f"<{name}> {text[:60]!r}: " + wanted)
            if value is None:
                (self._lose if kind == "severity" else self._note)(
                    path,
                    f"{text[:60]!r} " + Text("不是 CAP 的值", "is no value of CAP"),
                )
                continue
            if value != text:
                self._note(path, f"{text[:60]!r}: " + Text(f"按 {value}", f"read as {value}"))
            found.append(value)
        if not found and kind == "severity":
            if not texts:
                self._lose(path, _MISSING)
            found = [""]
        elif not found and kind == "spare":
            if not texts:
                self._note(path, _MISSING)
            found = [SPARE[name]]
        yield from found

    def _sent(self, text: str) -> str:
        at = second(text)
        if at is None:
            words = Text("须有日期、时刻和时区：", "needs date, time and offset: ")
            raise Wrong("bad_time", f"<sent> {text[:40]!r}: " + words + "2025-07-26T22:10:00+08:00")
        return self._stamp("sent", text, at)

    def _time(self, path: str, texts: list[str]) -> Iterator[str]:
        for text in texts[:1]:
            at = second(text)
            if at is None:
                self._lose(path, f"{text[:40]!r} " + _NO_MOMENT)
            else:
                yield self._stamp(path, text, at)

    def _stamp(self, path: str, text: str, at: int) -> str:
        if _TIME.fullmatch(text):
            return text
        self._note(path, f"{text[:40]!r}: " + _WRITTEN_OTHERWISE)
        return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")

    def _pairs(self, e: etree._Element, path: str) -> Iterator[tuple[str, str]]:
        """valueName and value; of one that has only text, and of several values in one."""
        if next(e.iterchildren(etree.Element), None) is None:
            text = (e.text or "").strip()
            self._note(path, _NAMELESS if text else _EMPTY)
            name, equals, value = text.partition("=")
            if text:
                yield (name.strip(), value.strip()) if equals else ("", text)
            return
        found = self._sorted(e, PAIR, path, {})
        names, values = (
            [(x.text or "").strip() for x in found.get(key, ())] for key in ("valueName", "value")
        )
        if len(names) != 1 or len(values) != 1:
            self._note(
                path,
                Text(
                    f"{len(names)} 个 valueName、{len(values)} 个 value：应各一个",
                    f"{len(names)} valueName and {len(values)} value: there must be one of each",
                ),
            )
        for n, value in enumerate(values):
            yield (names[min(n, len(names) - 1)] if names else ""), value

    def _note(self, path: str, words: Said) -> None:
        self._notes.append(f"{path}: " + words)

    def _lose(self, path: str, words: Said) -> None:
        self._lost.append(f"{path}: " + words)


def _named(e: etree._Element) -> tuple[str, str]:
    name = etree.QName(e)
    return (name.namespace or "").strip(), name.localname


def _chosen(name: str, text: str) -> str | None:
    """The value that it is in whatever case. Blanks and dashes within it are none of a status."""
    plain = text.lower()
    if name not in ("status", "severity"):
        plain = re.sub(r"[\s_-]", "", plain)
    if not text.isascii():
        return None
    known = {v.lower(): v for v in VALUES[name]}
    return known.get(plain) or OLD.get(name, {}).get(plain)


def _round(e: etree._Element, name: str) -> etree._Element:
    """An element for it to stand in."""
    space = etree.QName(e).namespace
    return etree.Element(f"{{{space}}}{name}" if space else name)


def _copy(e: etree._Element) -> etree._Element:
    """An element that may be put elsewhere."""
    return deepcopy(e)


def _add_pair(parent: etree._Element, tag: str, name: str, value: str) -> None:
    pair = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    etree.SubElement(pair, f"{{{NAMESPACE}}}valueName").text = name
    etree.SubElement(pair, f"{{{NAMESPACE}}}value").text = value


def _short(words: list[Said]) -> tuple[Said, ...]:
    return tuple(dict.fromkeys(each(w, lambda x: x[:_NOTE]) for w in words))[:_MOST_NOTES]
