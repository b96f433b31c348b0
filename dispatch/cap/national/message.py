"""A CAP message of ours as a file for a release platform 12379: what real files look like, which resembles
CAP 1.2 and is not CAP (no namespace, names, order and times of its own). Pure.

Each element and how sure it is: dispatch/cap/schema/national12379.csv, docs/cap.md. Known from
public files and public code alone, the standards (GB/T 35965.1, GB/T 34283, GB/T 35561) were not at hand;
what was found nowhere is a setting (`config.records.channels`), or missing.
"""

import csv
import io
import re
import zipfile
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from config.language import Text
from config.records.channels import Release
from config.records.level import HAZARD_ZH
from dispatch.cap.message import RELEASED_BY
from ingest.cap.decode import NAMESPACE, parse_cap

_EVENTS = Path(__file__).parents[1] / "schema" / "events12379.csv"
# what stands after the colour in a headline
_GRADE = {
    "Red": "I级/特别重大",
    "Orange": "II级/重大",
    "Yellow": "III级/较重",
    "Blue": "IV级/一般",
}
_COLOUR_ZH = {"Red": "红色", "Orange": "橙色", "Yellow": "黄色", "Blue": "蓝色"}
COLOUR_OF = {zh: en for en, zh in _COLOUR_ZH.items()}
IDENTIFIER = re.compile(r"(\d{14})_(\d{14})(?:_(\d))?")


class Event(NamedTuple):
    """A row of events12379.csv."""

    hazard: str
    code: str
    name_zh: str
    certainty: str
    note: str


class ReleaseFile(NamedTuple):
    """name: without its ending."""

    name: str
    body: bytes


@cache
def events() -> dict[str, Event]:
    """By our hazard."""
    with _EVENTS.open(encoding="utf-8", newline="") as f:
        return {line["hazard"]: Event(**line) for line in csv.DictReader(f)}


def event_type(release: Release, hazard: str) -> str:
    """The code of a hazard; "" where neither the district nor a public list has one."""
    known = events().get(hazard)
    return release.event_types.get(hazard) or (known.code if known else "")


def identifiers(release: Release, at: datetime, used: frozenset[str]) -> str:
    """An identifier of this second that is not in `used`, else of the next one that has any."""
    second = int(at.timestamp())
    while True:
        stamp = datetime.fromtimestamp(second, at.tzinfo).strftime("%Y%m%d%H%M%S")
        stem = f"{release.sender_code}_{stamp}"
        names = [stem] if release.identifier == "29" else [f"{stem}_{n}" for n in range(10)]
        for name in names:
            if name not in used:
                return name
        second += 1


def release_file(
    release: Release, message: bytes, identifier: str, first: str, colour: str
) -> ReleaseFile:
    """message: as it was published. identifier: of this file. first: that of the chain's first, "" for
    the first. colour: what stands in <severity>, of an end that of what it ends.

    Raises `ingest.cap.decode.Wrong` for what is not CAP 1.2, and ValueError for what has no code or colour.
    """
    cap = parse_cap(message)

    def text(path: str) -> str:
        return (cap.findtext(path, "", {"": NAMESPACE}) or "").strip()

    hazard = text("info/eventCode/value")
    code = event_type(release, hazard)
    if not code:
        raise ValueError(
            Text(
                f"{HAZARD_ZH.get(hazard, hazard)}没有 12379 事件类型代码；"
                "请在 channels.toml [release] event_types 里写明",
                f"12379 has no event type for {hazard} that we know; say it under event_types in "
                "[release] of channels.toml",
            )
        )
    if colour not in _COLOUR_ZH:
        raise ValueError(
            Text(
                "没有颜色的指令在 12379 没有对应的级别；请在 channels.toml [release] orders 里写明",
                "an order without a colour has no level at 12379; say it under orders in [release] of "
                "channels.toml",
            )
        )
    kind = text("msgType") if first or text("msgType") != "Update" else "Alert"
    office = text("info/senderName")
    released = text(f"info/parameter[valueName='{RELEASED_BY}']/value")
    root = etree.Element("alert")
    _put(root, "identifier", identifier)
    _put(root, "sender", release.sender or office)
    _put(root, "senderCode", release.sender_code)
    _put(root, "sendTime", _time(text("sent")))
    _put(root, "status", text("status"))
    _put(root, "msgType", kind)
    _put(root, "scope", text("scope"))
    ways = etree.SubElement(root, "code")
    for name in release.methods:
        way = etree.SubElement(ways, "method")
        _put(way, "methodName", name)
        _put(way, "message", text("info/description"))
        _put(way, "audienceGrp", "")
        _put(way, "audenceprt", "")  # spelled so in files in use
    _put(root, "secClassification", "None")
    _put(root, "note", text("note"))
    _put(root, "references", first if kind != "Alert" else "")
    info = etree.SubElement(root, "info")
    _put(info, "language", text("info/language"))
    _put(info, "eventType", code)
    # only this value was seen, and what the colour says is not said twice
    _put(info, "urgency", "Unknown")
    _put(info, "severity", colour)
    _put(info, "certainty", "Unknown")
    for name in ("effective", "onset", "expires"):
        _put(info, name, _time(text(f"info/{name}")))
    # a name that the district settled is not that of the offices that released this one together
    _put(info, "senderName", office if released else release.sender_name or office)
    # where an event has another name in the list of codes than in our words, ours stands
    event = f"{text('info/event')}{_COLOUR_ZH[colour]}预警[{_GRADE[colour]}]"
    headline = f"{released or office}发布{event}"
    _put(info, "headline", text("info/headline") if kind == "Cancel" else headline)
    _put(info, "description", text("info/description"))
    _put(info, "instruction", text("info/instruction"))
    _put(info, "web", release.web)
    _areas(info, cap, release)
    body = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return ReleaseFile(f"{identifier}_{code}_{colour.upper()}_{kind}", body)


def _areas(info: etree._Element, cap: etree._Element, release: Release) -> None:
    """One area for all: places and codes as lists."""
    found = cap.findall("info[1]/area", {"": NAMESPACE})

    def all_of(path: str) -> list[str]:
        return [(x.text or "").strip() for a in found for x in a.iterfind(path, {"": NAMESPACE})]

    area = etree.SubElement(info, "area")
    _put(area, "areaDesc", ",".join(all_of("areaDesc")))
    polygons = all_of("polygon") if release.polygon != "none" else []
    if release.polygon == "lonlat":
        polygons = [" ".join(",".join(reversed(p.split(","))) for p in x.split()) for x in polygons]
    for polygon in polygons or [""]:
        _put(area, "polygon", polygon)
    for circle in (all_of("circle") if release.polygon != "none" else []) or [""]:
        _put(area, "circle", circle)
    _put(area, "geocode", ",".join(all_of("geocode/value")))


def _put(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _time(moment: str) -> str:
    return moment.replace("T", " ")


def packed(file: ReleaseFile, at: datetime) -> bytes:
    """The file alone in a zip; the same file gives the same bytes."""
    found = io.BytesIO()
    entry = zipfile.ZipInfo(f"{file.name}.xml", at.timetuple()[:6])
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    with zipfile.ZipFile(found, "w") as z:
        z.writestr(entry, file.body)
    return found.getvalue()
