"""The places of a CAP area as they are really written: what can be read of them, and in words what
cannot. One shape that nobody can read costs nobody the shape or the code beside it. Pure.
"""

import re
import unicodedata
from typing import NamedTuple

from config.language import Said, Text
from ingest.cap.polygon import POINT_KM, UNKNOWN_KM, Circle, read_circle, read_ring

_SPACE = re.compile(r"[\s\u3000]+")
_LISTED = re.compile(r"[,;、|/\s\u3000]+")
# 省市县 6, 乡镇 9 (GB/T 10114), 村 12 (统计用区划代码), and 14 where something is counted within a village;
# before them what names the scheme or the country, without a figure
_CODE = re.compile(r"\D{0,40}(\d{14}|\d{12}|\d{9}|\d{6})\D{0,4}")
_DIVISION = re.compile(r"区划|division", re.IGNORECASE)


class CapArea(NamedTuple):
    """polygons: rings of (lat, lon), as CAP has them. unread: what of it could not be read; notes: what
    is written otherwise than CAP has it; name: its areaDesc; blind: something that could not be read is
    covered by nothing that could."""

    polygons: tuple[tuple[tuple[float, float], ...], ...]
    circles: tuple[Circle, ...]
    codes: tuple[str, ...]  # division codes of 6, 9, 12 or 14 digits
    unread: tuple[Said, ...] = ()
    notes: tuple[Said, ...] = ()
    name: str = ""
    blind: bool = False


def read_place(
    polygons: list[str],
    circles: list[str],
    geocodes: list[str],
    schemes: list[str] | None = None,
    name: str = "",
) -> CapArea:
    """From the texts of an area's elements. schemes: the valueName of each geocode.

    A shape that is partly wrong counts by what is left of it: where a division code names the area,
    beside that; where nothing does, with the room that the rest may have had."""
    codes, unread = _codes(geocodes, schemes or [""] * len(geocodes))
    rings, discs, notes, blind = [], list[Circle](), list[Said](), False
    short = bool(unread)
    for text in polygons:
        ring = read_ring(text)
        if ring is None:
            if text.strip():
                unread.append(Text("面 ", "polygon ") + f"{text.strip()[:60]!r}")
                blind = True
            continue
        if ring.points:
            rings.append(ring.points)
        discs += [] if codes else ring.around
        unread += [ring.lost] if ring.lost else []
        notes += ring.notes
    for text in circles:
        disc, lost, note = read_circle(text)
        unread += [lost] if lost else []
        notes += [note] if note else []
        blind |= disc is None
        if disc is not None and disc.km == disc.km:  # no NaN
            discs.append(disc)
        elif disc is not None:
            discs.append(disc._replace(km=POINT_KM if codes else UNKNOWN_KM))
    return CapArea(
        tuple(rings), tuple(discs), tuple(dict.fromkeys(codes)), tuple(unread), tuple(notes),
        name, short or (blind and not codes),
    )  # fmt: skip


def _codes(texts: list[str], schemes: list[str]) -> tuple[list[str], list[Said]]:
    """The division codes, and in words those of their kind that are none."""
    found, odd = list[str](), list[tuple[str, str]]()
    ours = set()
    for text, scheme in zip(texts, schemes, strict=True):
        codes = division_codes(text)
        found += codes
        if codes:
            ours.add(scheme)
        if not codes or len(codes) < len([p for p in _LISTED.split(text) if len(p) > 3]) > 1:
            odd.append((text, scheme))
    told: list[Said] = [
        Text("区划代码 ", "geocode ") + f"{text.strip()[:60]!r}"
        for text, scheme in odd
        if sum(map(str.isdigit, text)) > 4
        and ((scheme and scheme in ours) or _DIVISION.search(scheme))
    ]
    return found, told


def division_codes(text: str) -> list[str]:
    """The division codes in a geocode's value; nothing where it is a code of another kind."""
    text = unicodedata.normalize("NFKC", text)[:400].strip()
    parts = [p for p in _LISTED.split(text) if p]
    found = [m[1] for p in parts if (m := _CODE.fullmatch(p))]
    if len(parts) > 1 and len(found) == len(parts):
        return found
    whole = _CODE.fullmatch(_SPACE.sub("", text).replace("-", ""))  # 110119 106, 110119-106
    return [whole[1]] if whole else found
