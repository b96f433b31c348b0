"""An observer or a responsible person as a source: what they last said, and whether it would count. Pure."""

from collections.abc import Iterator

from config.language import Said, Text, joined
from config.records.level import HAZARD_EN, HAZARD_ZH
from fengsui.doctor.case import Case, Finding, Weight
from fengsui.doctor.wrong.refused import refused

_COMMA = Text("、", ", ")


def person_lines(case: Case, name: str) -> Iterator[Said]:
    """The head and layers of one person."""
    contact = case.district.contacts[name]
    said = case.heard.persons.get(name)
    yield Text(f"{name}（{contact.role}）", f"{name} ({contact.role})")
    if said is None:
        yield Text("  来话：一天内没有", "  words: none within a day")
    else:
        at = case.when(said.said_at)
        yield Text(
            f"  来话：最后 {said.what}，{said.area or '?'}，{at}，经 {said.way}",
            f"  words: last {said.what}, {said.area or '?'}, {at}, by {said.way}",
        )
    areas = joined(contact.areas, _COMMA)
    yield Text(f"  区：{areas.zh}", f"  areas: {areas.en}")


def of_person(case: Case, name: str) -> list[Finding]:
    """What stands in the way of their word."""
    contact, rules = case.district.contacts[name], case.district.rules
    found = list(refused(case, name))
    if "observer" not in rules.run or contact.role not in rules.observer.trusted:
        found.append(
            Finding(
                "no_rule",
                "rule",
                Weight.DOUBT,
                Text(
                    f"他说的看见什么不进研判：角色 {contact.role} 不在 [observer] trusted，或规则没开",
                    f"what they see is not judged: {contact.role} is not in trusted of [observer], or the rule "
                    "is off",
                ),
                Text("改 rules.toml 的 run 和 [observer]", "mend run and [observer] of rules.toml"),
            )
        )
    else:
        found += _deaf_areas(case, contact.areas)
    return sorted(found, key=lambda f: -f.weight)


def _deaf_areas(case: Case, areas: tuple[str, ...]) -> Iterator[Finding]:
    wanted = {h for of in case.district.rules.observer.hazards.values() for h in of}
    every = case.district.areas
    deaf = [a for a in areas if a in every and not wanted & set(every[a].hazards)]
    if deaf:
        names = joined(deaf[:6], _COMMA)
        zh = "、".join(HAZARD_ZH.get(h, h) for h in sorted(wanted))
        en = ", ".join(HAZARD_EN.get(h, h) for h in sorted(wanted))
        yield Finding(
            "no_rule",
            "rule",
            Weight.NOTE,
            Text(
                f"{names.zh} 没有这些灾种（{zh}）：那里的报告只记录",
                f"{names.en} has none of these hazards ({en}): reports from there are kept alone",
            ),
            Text("在 areas.csv 的 hazards 加上", "add them to hazards of areas.csv"),
        )
