"""Who in a danger zone would not be reached, or hangs on a single thing. Pure.

Every area of areas.csv counts as a danger zone. See `dispatch.address.reach_estimate` for how
people are estimated.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from config.language import Said, Text, en, zh
from config.records.district import Area, Contact, District, Node
from dispatch.address.platform_terminals import near
from dispatch.geography.sound_range import Sound, sound

Check = Literal[
    "uncovered",
    "unit_nobody",
    "no_list",
    "out_of_sound",
    "one_node",
    "one_tower",
    "one_channel",
    "no_responsible",
    "no_deputy",
    "no_plan",
]
WORDS: dict[Check, Text] = {
    "uncovered": Text(
        "毫无覆盖：不在名单，也听不到喇叭", "on no list and out of every loudspeaker's range"
    ),
    "unit_nobody": Text("单位没有可以通知的人", "a unit with nobody to call"),
    "no_list": Text("不在任何名单", "on no list"),
    "out_of_sound": Text("听不到任何喇叭", "out of range of any loudspeaker"),
    "one_node": Text("只靠一个终端", "only one loudspeaker"),
    "one_tower": Text("各终端同一基站或线路", "all loudspeakers hang on one tower or line"),
    "one_channel": Text("只有一个渠道", "with one channel only"),
    "no_responsible": Text("没有责任人", "no responsible person"),
    "no_deputy": Text("责任人没有替补", "one responsible person, no deputy"),
    "no_plan": Text("养老机构没有转移预案", "a care home without transfer plan"),
}
_PHONE = frozenset({"sms", "voice"})  # two channels of one telephone


class Gap(NamedTuple):
    """A finding. people: estimate; for one_channel recipients; 0 where they are not counted. detail:
    ids."""

    check: Check
    area: str
    people: int
    detail: str = ""

    @property
    def text(self) -> Text:
        """The finding as one line."""
        count = f" {self.people}" if self.people else ""
        line = f"{self.check} {self.area}{count}: " + WORDS[self.check]
        return line + f" ({self.detail})" if self.detail else line


def coverage(
    district: District, *, lists: bool = True, terminals: Sequence[Node] = ()
) -> list[Gap]:
    """Every gap, the worst check first. lists: false where the people are not known here, so that
    only what hangs on loudspeakers is said. terminals: of broadcast platforms
    (dispatch.address.platform_terminals.sounding)."""
    by_area: dict[str, list[Contact]] = {a: [] for a in district.areas}
    for c in district.contacts.values():
        for a in district.areas if "*" in c.areas else c.areas:
            if a in by_area:
                by_area[a].append(c)
    found: list[Gap] = []
    for area in district.areas.values():
        nodes = [n for n in district.nodes.values() if n.area == area.id]
        nodes += near(area, list(terminals))
        heard = sound(area, nodes)
        found += _loudspeakers({n.id: n.tower for n in nodes}, area, heard)
        if lists:
            found += _people(area, heard, by_area[area.id])
            found += _units(district, area, by_area[area.id])
    order = list(WORDS)
    return sorted(found, key=lambda g: (order.index(g.check), g.area))


def uncovered(gaps: list[Gap]) -> int:
    """People whom nothing reaches."""
    return sum(g.people for g in gaps if g.check == "uncovered")


def told(district: District, gap: Gap) -> Text:
    """The finding as one line, a unit by its name."""
    unit = district.plans.risks.get(gap.detail)
    return gap.text + Text(f" {unit.name}", f" {unit.name_en}") if unit else gap.text


def _units(district: District, area: Area, here: list[Contact]) -> Iterator[Gap]:
    """Schools, camps and the like of risks.csv for which nobody is told: nobody is named whom the list has,
    and nobody of the area's list is of their kind."""
    kinds = {c.kind for c in here if c.role == "residents" and c.channels}
    for r in district.plans.risks.values():
        if r.area != area.id or not r.is_unit or r.kind in kinds:
            continue
        if not any(c.channels for i in r.contacts if (c := district.contacts.get(i))):
            yield Gap("unit_nobody", area.id, r.people, r.id)


def _loudspeakers(on: Mapping[str, str], area: Area, heard: Sound) -> Iterator[Gap]:
    if deaf := round(area.population * (1 - heard.heard)):
        yield Gap("out_of_sound", area.id, deaf)
    if len(heard.nodes) == 1:
        yield Gap("one_node", area.id, 0, heard.nodes[0])
    towers = {on[n] for n in heard.nodes}
    if len(heard.nodes) > 1 and len(towers) == 1 and (tower := towers.pop()):
        yield Gap("one_tower", area.id, 0, tower)


def _people(area: Area, heard: Sound, here: list[Contact]) -> Iterator[Gap]:
    residents = [c for c in here if c.role == "residents"]
    behind = sum(c.people / max(1, len(c.areas)) for c in residents)
    listed = min(1.0, behind / area.population) if area.population else 1.0
    if missing := round(area.population * (1 - listed)):
        yield Gap("no_list", area.id, missing)
    if nothing := round(area.population * (1 - listed) * (1 - heard.heard)):
        yield Gap("uncovered", area.id, nothing)
    single = [c for c in residents if len({"phone" if x in _PHONE else x for x in c.channels}) < 2]
    if single:
        yield Gap("one_channel", area.id, len(single))
    # of the area itself: who answers for the whole district cannot stand in every village
    in_charge = [c.id for c in here if c.role == "responsible" and "*" not in c.areas]
    if not in_charge:
        yield Gap("no_responsible", area.id, 0)
    elif len(in_charge) == 1:
        yield Gap("no_deputy", area.id, 0, in_charge[0])
    for c in residents:
        if c.kind == "care_home" and not c.plan:
            yield Gap("no_plan", area.id, c.people, c.id)


def coverage_summary(district: District) -> list[Said]:
    """One line a kind of gap, for `fengsui check`. Without contacts.csv only what hangs on
    loudspeakers is known there."""
    gaps = coverage(district, lists=bool(district.contacts))
    count = Counter(g.check for g in gaps)
    if not gaps:
        return []
    out = [
        Text(
            f"! {check} {count[check]} 区：{zh(WORDS[check])}",
            f"! {check} {count[check]} areas: {en(WORDS[check])}",
        )
        for check in WORDS
        if count[check] and check != "unit_nobody"  # these are named
    ]
    out += [Text("! ", "! ") + told(district, g) for g in gaps if g.check == "unit_nobody"]
    return [*out, Text("逐区列出：fengsui coverage", "each of them: fengsui coverage")]
