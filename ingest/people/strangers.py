"""What a number that nobody on the contact list has may say by SMS: that the duty room should read it,
and no more. It is evidence of nothing, whatever it says, and no rule hears it; but 村里进水了 from a
stranger may be the first sign there is.

Pure but for the memory of the rate.
"""

import hashlib
from collections.abc import Callable, Mapping

from config.language import Text
from config.records.district import Area, District
from ingest.decode.phrases import plain
from ingest.observation import PersonSays
from ingest.people.reports import nobody
from stream.limits import clean
from stream.pace.rate_limit import RateLimit
from stream.records import Rejected

STRANGER = "stranger"  # their role in a record; rules.toml can trust roles of contacts.csv only
ONE, ALL = 5, 60  # messages an hour of one number, and of all of them
_HOUR_MS = 3_600_000
_MINUTE_MS = 60_000


class Strangers:
    """keep: where the words are kept for the duty room (`ingest.people.kept_words`)."""

    def __init__(self, district: District, keep: Callable[[str, str, str, str, int], None]) -> None:
        self._areas, self._keep = district.areas, keep
        self._each, self._all = RateLimit(_HOUR_MS), RateLimit(_HOUR_MS)
        self._known: dict[str, PersonSays] = {}

    def text(
        self, alias: str, number: str, text: str, ident: str, now: int
    ) -> list[PersonSays | Rejected]:
        """alias: what stands for the number in the log; ident: the carrier's id, "" none; now: epoch ms.
        The record's area is the one that the text names, else ""."""
        why, text = nobody(), clean(text)
        if not text.strip():
            return [why]
        own = ident or f"{text}|{now // _MINUTE_MS}"
        key = hashlib.sha256(f"{alias}|sms|{own}|words".encode()).hexdigest()[:16]
        if key in self._known:  # the carrier says it again
            return [why, self._known[key]]
        if self._all.full("", now, ALL) or not self._each.lets(alias, now, ONE):
            words = Text(
                f"陌生号码每小时每号至多 {ONE} 条，共 {ALL} 条",
                f"of a stranger at most {ONE} an hour, of all of them {ALL}",
            )
            return [why, Rejected("too_many", words)]
        self._all.lets("", now, ALL)
        says = PersonSays(
            id=key, person=alias, role=STRANGER, area=_named(self._areas, plain(text)), what="words",
            said_at=now, received_at=now, way="sms",
        )  # fmt: skip
        if len(self._known) >= ALL:
            del self._known[next(iter(self._known))]
        self._known[key] = says
        self._keep(key, alias, says.area, f"{number}: {text}", now)
        return [why, says]


def _named(areas: Mapping[str, Area], text: str) -> str:
    """The one area that a text names by its name, "" where it names none or several."""
    named = {a.id for a in areas.values() if a.name and a.name in text}
    return named.pop() if len(named) == 1 else ""
