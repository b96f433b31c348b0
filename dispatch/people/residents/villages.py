"""Names of villages as people write them, and which area they mean. Pure."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from config.records.district import Area, District
from ingest.decode.phrases import plain

MOST = 5  # villages of one subscriber
_APART = re.compile(r"[\s,，、;；/+]+|和|及")
_ENDS = ("自然村", "行政村", "村委会", "村", "营地", "社区")


def names_of(area: Area) -> set[str]:
    """Ways to write it: 香屯村, 香屯, 大庄科乡香屯村, Xiangtun, A01."""
    name, english = plain(area.name), plain(area.name_en)
    bare = {name, *(name.removesuffix(e) for e in _ENDS if name.removesuffix(e) != name)}
    town = plain(area.township)
    english_bare = english.removesuffix(" village")
    found = {*bare, *(f"{town}{n}" for n in bare), english, english_bare, area.id.lower()}
    return {n.replace(" ", "") for n in found if n}


class Villages:
    """The areas of a district by the names that people write."""

    def __init__(self, district: District) -> None:
        self.areas: Mapping[str, Area] = district.areas
        self._by: dict[str, list[str]] = {}
        for area in district.areas.values():
            for name in names_of(area):
                self._by.setdefault(name, []).append(area.id)

    def named(self, text: str) -> list[tuple[str, tuple[str, ...]]]:
        """Each name that a text holds, with the areas of that name: () for one that nobody has, several
        where it is not clear which."""
        whole = plain(text)
        one = self._by.get(whole.replace(" ", ""))
        if one:
            return [(whole, tuple(one))]
        parts = [p for p in _APART.split(whole) if p]
        found: list[tuple[str, tuple[str, ...]]] = []
        n = 0
        while n < len(parts):  # a township may stand apart: 大庄科乡 香屯村
            pair = "".join(parts[n : n + 2])
            if n + 1 < len(parts) and pair in self._by:
                found.append((pair, tuple(self._by[pair])))
                n += 2
                continue
            found.append((parts[n], tuple(self._by.get(parts[n], ()))))
            n += 1
        return found

    def means(self, name: str) -> tuple[str, ...]:
        """The areas of one name."""
        return tuple(self._by.get(plain(name).replace(" ", ""), ()))

    def known(self, text: str) -> bool:
        """Is it nothing but names of villages?"""
        found = self.named(text)
        return bool(found) and all(areas for _, areas in found)

    def near(self, name: str, most: int = 3) -> list[Area]:
        """Villages whose names hold what was written, or most of it: to be asked back."""
        bare = plain(name).replace(" ", "").removesuffix("村")
        if not bare:
            return []
        own = {plain(a.name).removesuffix("村"): a for a in self.areas.values()}
        own |= {plain(a.name_en).replace(" ", ""): a for a in self.areas.values()}
        holding = [a for n, a in own.items() if bare in n or n in bare]
        alike = [own[n] for n in get_close_matches(bare, own, most, 0.5)]
        return list({a.id: a for a in (*holding, *alike)}.values())[:most]
