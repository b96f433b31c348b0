"""People who speak: observers who see the water come, and heads of villages who answer an order.

Drawn from who they are, so that two runs agree. Observers report what really happened in their area
(the scenario's truth), most of them within minutes of it, some never. A head who has read 立即转移 says
how many have moved after a quarter of an hour to forty minutes; one in twelve asks for help first.

Where the district asks for proof (`[proving]` of policy.toml) a head says which way people went, most of them
with a photograph or with an observer who bears it out, and some badly: a picture of elsewhere, of yesterday, of
nothing, of somebody else's, no picture at all, people upstairs. So a play shows every state that the roll has.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from config.records.district import Contact, District
from simulators.carriers.phones import Sms
from skill.verify.truth import Truth

_MINUTE = 60_000
_REPORTING = 0.75  # the share of the observers who look out and have a signal
_CALLING = 1 / 12
_WORDS = {"flash_flood": "水涨了", "debris_flow": "泥石流下来了"}


class Spoken(NamedTuple):
    """A short message as its carrier hands it on."""

    at: int
    person: str
    text: str

    @property
    def suffix(self) -> str:
        """The topic, without the run's prefix."""
        return f"person/{self.person}/sms"

    @property
    def payload(self) -> bytes:
        ident = hashlib.sha256("|".join(map(str, self)).encode()).hexdigest()[:16]
        body = {"text": self.text, "id": ident, "at": self.at / 1000}
        return json.dumps(body, ensure_ascii=False).encode()


class Shown(NamedTuple):
    """A report on somebody's personal page, with a photograph. place: longitude and latitude in its EXIF;
    picture: the same word is the same picture."""

    at: int
    person: str
    area: str
    how: str
    people: int
    taken_at: int
    place: tuple[float, float] | None
    picture: str
    blank: bool = False

    @property
    def ident(self) -> str:
        """The report's own id."""
        return hashlib.sha256("|".join(map(str, self)).encode()).hexdigest()[:16]

    def spoken(self) -> Spoken:
        """The same by a short message, where there is no page: nothing to be seen."""
        return Spoken(self.at, self.person, f"安置点{self.people}人")


# how a head proves a move, and the share of the heads that do so
_PROOFS = (
    ("photo", 0.3), ("witness", 0.2), ("words", 0.12), ("far", 0.08), ("old", 0.06), ("used", 0.06),
    ("blank", 0.06), ("upstairs", 0.06), ("relatives", 0.06),
)  # fmt: skip
_DAY = 24 * 60 * _MINUTE


def _share(*what: object) -> float:
    """A number in [0, 1) that belongs to these."""
    text = "|".join(map(str, what))
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def observed(district: District, truth: Sequence[Truth], seed: int) -> list[Spoken]:
    """What observers will report of this truth, in order of time."""
    found = []
    for t in truth:
        for c in district.contacts.values():
            if c.role != "observer" or t.area not in c.areas or t.hazard not in _WORDS:
                continue
            if _share(seed, c.id, t.hazard) < _REPORTING:
                late_min = round(12 * _share(seed, c.id, t.hazard, "late")) - 4
                found.append(Spoken(t.flooded_at + late_min * _MINUTE, c.id, _WORDS[t.hazard]))
    return sorted(found)


class Heads:
    """Responsible persons with an address; they hear what the carrier delivers to it."""

    def __init__(self, district: District) -> None:
        self._district = district
        self._by_address: dict[str, Contact] = {
            address: c
            for c in district.contacts.values()
            if c.role == "responsible" and len(c.areas) == 1 and c.areas[0] in district.areas
            for address in (c.phone, c.app)
            if address
        }
        self._witnesses = {
            area: c.id
            for c in district.contacts.values()
            if c.role == "observer"
            for area in c.areas
        }
        self._heard: set[str] = set()
        self._due: list[Spoken | Shown] = []

    def hear(self, sms: Sms, at: int) -> None:
        """They have read it, at `at` (ms)."""
        head = self._by_address.get(sms.to)
        if head is None or head.id in self._heard or "立即转移" not in sms.text:
            return
        self._heard.add(head.id)
        people = self._district.areas[head.areas[0]].population
        moved_at = at + round((15 + 25 * _share(head.id, "moves")) * _MINUTE)
        count = round(people * (0.85 + 0.15 * _share(head.id, "count")))
        if _share(head.id, "calls") < _CALLING:
            self._due.append(Spoken(at + 5 * _MINUTE, head.id, "求助，路断了，有人被困"))
            moved_at += 20 * _MINUTE
        if self._district.policy.proving.transfer:
            self._prove(head, moved_at, count)
        else:
            self._due.append(Spoken(moved_at, head.id, f"已转移 {count} 人"))

    def _prove(self, head: Contact, at: int, count: int) -> None:
        """What a head says of a move, well or badly."""
        area, drawn, kind = head.areas[0], _share(head.id, "proof"), ""
        for kind, share in _PROOFS:  # noqa: B007  # the last one where the shares end
            drawn -= share
            if drawn < 0:
                break
        near = round(count * 0.8)
        words = {
            "witness": f"安置点{near}人，投亲{count - near}人",
            "words": f"已转移 {count} 人",
            "upstairs": f"就地上楼{count}人",
            "relatives": f"投亲{count}人",
        }
        if kind in words:
            self._due.append(Spoken(at, head.id, words[kind]))
            if kind == "witness" and area in self._witnesses:
                self._due.append(Spoken(at + 4 * _MINUTE, self._witnesses[area], "属实"))
            return
        shelters = (s for s in self._district.plans.shelters.values() if area in s.areas)
        place = next(((s.lon, s.lat) for s in shelters), None)
        if kind == "far" and place is not None:
            place = (place[0] + 0.1, place[1])
        picture = "a picture that is sent round" if kind == "used" else head.id
        taken_at = at - (_DAY if kind == "old" else 2 * _MINUTE)
        blank = kind == "blank"
        self._due.append(
            Shown(at, head.id, area, "shelter", count, taken_at, place, picture, blank)
        )

    def advance(self, now_at: int) -> list[Spoken | Shown]:
        """What they say up to now, in order."""
        ready = sorted((s for s in self._due if s.at <= now_at), key=lambda s: s[:3])
        self._due = [s for s in self._due if s.at > now_at]
        return ready
