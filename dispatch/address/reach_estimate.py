"""Whom a warning would reach, before it is released. Pure.

People are spread evenly over an area and stand on lists independently of where they live: an
estimate, from `population` of areas.csv, `people` of the contacts and the range of the loudspeakers.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from config.records.district import Contact, District
from dispatch.address.recipients import Target, everybody
from dispatch.geography.sound_range import Sound, sound
from dispatch.grade import Grade
from dispatch.words.sample import sample


class Reach(NamedTuple):
    """Of one area. Counts of people are estimates; `lists` counts recipients by (audience, category,
    first channel)."""

    area: str
    people: int
    lists: dict[tuple[str, str, str], int]
    on_list: int  # people behind the residents' addresses that would be used, at most `people`
    sound: Sound  # of the loudspeakers that would sound
    later: int  # recipients whom their quiet hours keep until morning
    several: int  # people with more than one way: list and sound, or two loudspeakers
    none: int  # people with no way at all


def reach(district: District, area: str, hazard: str, grade: Grade, at: int) -> Reach:
    """What `dispatch.address.recipients` would choose for this warning at this moment (epoch ms)."""
    alert = sample(area, hazard, grade, at, valid_s=0, status="actual")
    found = everybody(district, alert)
    lists = Counter((t.audience, _category(t, district.contacts), t.channels[0]) for t in found)
    mine = [t for t in found if t.recipient in district.contacts and t.kind == "public"]
    here = district.areas[area]
    behind = sum(_behind(district.contacts[t.recipient]) for t in mine)
    on_list = min(here.population, round(behind))
    sounding = [district.nodes[t.recipient] for t in found if t.recipient in district.nodes]
    heard = sound(here, sounding)
    listed = on_list / here.population if here.population else 0.0
    once = heard.heard - heard.twice
    return Reach(
        area=area,
        people=here.population,
        lists=dict(sorted(lists.items())),
        on_list=on_list,
        sound=heard,
        later=sum(t.not_before > 0 for t in mine),
        several=round(here.population * (heard.twice + once * listed)),
        none=round(here.population * (1 - heard.heard) * (1 - listed)),
    )


def _behind(contact: Contact) -> float:
    """A contact of several areas stands for a part of its people in each."""
    return contact.people / max(1, len(contact.areas))


def _category(target: Target, contacts: Mapping[str, Contact]) -> str:
    if target.recipient in contacts:
        return target.category or contacts[target.recipient].kind
    if target.channels == ("broadcast",):
        return "loudspeaker"
    return target.recipient.partition(":")[0]
