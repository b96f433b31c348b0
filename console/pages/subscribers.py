"""The page Subscribers (订阅者): how many are told, by area, category, way and choice, and what is missing.
Counts and opaque ids only. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from config.records.district import Contact, District
from config.records.level import HAZARD_EN, HAZARD_ZH, Level
from console.model.answers import (
    AreaCount,
    Choices,
    GapRow,
    KindCount,
    Subscribers,
    WishDay,
    WishRow,
)
from dispatch.address.coverage import WORDS, Gap, coverage, uncovered
from dispatch.address.reach_estimate import reach
from dispatch.grade import Grade
from dispatch.people.residents.allowance import Tally
from dispatch.people.residents.wishes import Wishes

_RED = Grade(Level.RED)  # no choice and no quiet hour keeps it from anybody


def counted(district: District) -> Subscribers:
    """Of everybody on the district's list; gaps: as `fengsui coverage`; areas: as `fengsui reach
    AREA flash_flood red`."""
    people = list(district.contacts.values())
    gaps = coverage(district)
    return {
        "recipients": len(people),
        "people": sum(c.people for c in people if c.kind == "resident"),
        "in_units": sum(c.people for c in people if c.role == "residents" and c.kind != "resident"),
        "population": sum(a.population for a in district.areas.values()),
        "uncovered": uncovered(gaps),
        "checks": WORDS,
        "gaps": [_gap(g) for g in gaps],
        "kinds": _kinds(people),
        "areas": _areas(district, people),
        "choices": _choices([c for c in people if c.role == "residents"]),
    }


def wished(wishes: Wishes, tallies: Iterable[Tally]) -> list[WishDay]:
    """Day by day, newest first. tallies: of the limits, whose day is that of UTC."""
    refused: dict[int, dict[str, int]] = {}
    for t in tallies:
        if t.refused:
            refused.setdefault(t.day, {})[t.kind] = t.refused
    found: list[WishDay] = []
    for number in sorted({*wishes.counts, *refused}, reverse=True):
        counts = wishes.counts.get(number, Counter())
        rows: list[WishRow] = [
            {
                "area": area,
                "lang": lang,
                "came": counts["came", area, lang],
                "left": counts["left", area, lang],
            }
            for area, lang in sorted({(a, lang) for _, a, lang in counts})
        ]
        date = datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()
        found.append({"day": date, "rows": rows, "refused": refused.get(number, {})})
    return found


def _gap(g: Gap) -> GapRow:
    return {"check": g.check, "area": g.area, "people": g.people, "detail": g.detail}


def _kinds(people: list[Contact]) -> dict[str, KindCount]:
    """By category: recipients, people behind them, and how many have each way, and have it first."""
    found: dict[str, KindCount] = {}
    for kind, count in Counter(c.kind for c in people).most_common():
        those = [c for c in people if c.kind == kind]
        found[kind] = {
            "recipients": count,
            "people": sum(c.people for c in those),
            "ways": Counter(way for c in those for way in c.channels),
            "first": Counter(c.channels[0] for c in those if c.channels),
        }
    return found


def _areas(district: District, people: list[Contact]) -> dict[str, AreaCount]:
    whole = [c for c in people if "*" in c.areas]
    here: dict[str, list[Contact]] = {a: list(whole) for a in district.areas}
    for c in people:
        for a in () if "*" in c.areas else c.areas:
            if a in here:
                here[a].append(c)
    found: dict[str, AreaCount] = {}
    for a, those in here.items():
        alone = msgspec.structs.replace(district, contacts={c.id: c for c in those})
        r = reach(alone, a, "flash_flood", _RED, 0)
        found[a] = {
            "people": r.people,
            "on_list": r.on_list,
            "in_sound": round(r.people * r.sound.heard),
            "several": r.several,
            "none": r.none,
            "recipients": len(those),
            "kinds": Counter(c.kind for c in those),
            "ways": Counter(way for c in those for way in c.channels),
            "loudspeakers": len(r.sound.nodes),
        }
    return found


def _choices(residents: list[Contact]) -> Choices:
    """What residents chose, who alone may."""
    hazards = Counter(h for c in residents for h in c.hazards)
    return {
        "residents": len(residents),
        "quiet": Counter(c.quiet for c in residents if c.quiet),
        "lang": Counter(c.lang for c in residents),
        "level": Counter(int(c.min_level) for c in residents),
        "every_hazard": sum(not c.hazards for c in residents),
        "hazards": [(HAZARD_ZH[h], HAZARD_EN[h], n) for h, n in hazards.most_common()],
    }
