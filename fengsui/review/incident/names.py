"""What a person knows things by: names in the place of ids, in tables and in sentences of records. Pure."""

import re
from collections.abc import Callable, Mapping

from config.language import Said, Text, en, zh
from config.records.district import District
from config.records.level import hazard_words
from dispatch.records import Alert
from dispatch.words.local_time import local

_ID = re.compile(r"[A-Za-z][\w.]*(?:-\w+)*(?:/\d+)?", re.ASCII)
ROLE_WORDS = {
    "responsible": Text("责任人", "responsible person"),
    "observer": Text("观察员", "observer"),
    "residents": Text("居民", "residents"),
    "organisation": Text("单位", "organisation"),
    "officer": Text("值班人员", "officer"),
}


class Names:
    """Of a district, and of the warnings that a page speaks of."""

    def __init__(self, district: District, alerts: Mapping[str, Alert]) -> None:
        self._district, self._alerts = district, alerts

    def area(self, key: str) -> Text:
        """大庄科乡香屯村."""
        area = self._district.areas.get(key)
        if area is None:
            return Text(key, key)
        return Text(f"{area.township}{area.name}", f"{area.name_en}, {area.township_en}")

    def officer(self, who: str) -> Text:
        """区防汛指挥部 D-01: officers.csv holds no names, an office knows its own by their number."""
        officer = self._district.officers.get(who)
        office = self._district.policy.office.get(officer.office) if officer else None
        return Text(f"{office.name} {who}", f"{office.name_en} {who}") if office else Text(who, who)

    def contact(self, who: str) -> Text:
        """香屯村责任人 C-0001: by the role, for a person's name belongs on no page; an office by its name."""
        contact = self._district.contacts.get(who)
        if contact is None:
            return Text(who, who)
        if contact.role in ("organisation", "officer") and contact.name:
            return Text(contact.name, contact.name)
        area = self._district.areas.get(contact.areas[0]) if len(contact.areas) == 1 else None
        role = ROLE_WORDS[contact.role]
        if area is None:
            d = self._district
            return Text(f"{d.name}{role.zh} {who}", f"{role.en} of {d.name_en} {who}")
        return Text(f"{area.name}{role.zh} {who}", f"{role.en} of {area.name_en} {who}")

    def incident(self, key: str) -> Text:
        """2025-07-26 19:10 起: by when its first warning began; its id where no warning is known."""
        mine = [a.onset_at for a in self._alerts.values() if a.incident == key]
        if not mine:
            return Text(key, key)
        at = local(min(mine), self._district.timezone, "%Y-%m-%d %H:%M")
        return Text(f"{at} 起", f"since {at}")

    def of(self, key: str) -> Text | None:
        """Of any id of the district; None: it is none."""
        d = self._district
        if key in d.officers:
            return self.officer(key)
        if key in d.contacts:
            return self.contact(key)
        if key in d.areas:
            return Text(d.areas[key].name, d.areas[key].name_en)
        thing = d.stations.get(key) or d.nodes.get(key)
        if thing is not None:
            return Text(thing.name, thing.name_en)
        alert = self._alerts.get(key.partition("/")[0])
        if alert is not None:
            place, what = self.area(alert.area), hazard_words(alert.hazard)
            return Text(f"{place.zh}{what.zh}预警", f"{what.en} warning of {place.en}")
        return None

    def told(self, said: Said) -> Text:
        """A sentence of a record, with names where ids stood."""

        def half(text: str, choose: Callable[[object], str]) -> str:
            def name(found: re.Match[str]) -> str:
                known = self.of(found[0])
                return found[0] if known is None else choose(known)

            return _ID.sub(name, text)

        return Text(half(zh(said), zh), half(en(said), en))
