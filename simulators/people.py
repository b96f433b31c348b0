"""People who speak: observers who see the water come, and heads of villages who answer an order.

Drawn from who they are, so that two runs agree. Observers report what really happened in their area
(the scenario's truth), most of them within minutes of it, some never. A head who has read 立即转移 says
how many have moved after a quarter of an hour to forty minutes; one in twelve asks for help first.
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
        self._heard: set[str] = set()
        self._due: list[Spoken] = []

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
        self._due.append(Spoken(moved_at, head.id, f"已转移 {count} 人"))

    def advance(self, now_at: int) -> list[Spoken]:
        """What they say up to now, in order."""
        ready = sorted(s for s in self._due if s.at <= now_at)
        self._due = [s for s in self._due if s.at > now_at]
        return ready
