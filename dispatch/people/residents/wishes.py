"""What residents wished of late: who came to which village's list and who left, a day and language each. Counts
alone; of whom, only the opaque id of who is on a list by themselves is remembered. A record that does not prove
who wrote it (dispatch.people.signed_choices) counts no more here than it does for address. Pure."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.people.subscriber import Subscriber

_DAY_MS = 86_400_000
KEPT_DAYS = 30
_CHINA_MS = 8 * 3_600_000  # a day is that of the country, which has one zone


def day_of(at: int) -> int:
    """Days since 1970 of a moment (epoch ms)."""
    return (at + _CHINA_MS) // _DAY_MS


@dataclass
class Wishes:
    """counts: day -> (came or left, area, language) -> how many. known: who is where, and when they said so.
    proves: whether a record is of whoever holds the contact store; nobody's is where no store is known."""

    counts: dict[int, Counter[tuple[str, str, str]]] = field(default_factory=dict)
    known: dict[str, tuple[int, tuple[str, ...], str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # no field: what is folded is kept on disk, and who judges it is not
        self.proves: Callable[[Subscriber], bool] = lambda _: False

    def take(self, s: Subscriber) -> None:
        """Fold one record in; an older one than what is known says nothing."""
        said_at, before, lang = self.known.get(s.id, (-1, (), s.lang))
        if s.said_at < said_at or not self.proves(s):
            return
        today = self.counts.setdefault(day_of(s.said_at), Counter())
        today.update(("came", a, s.lang) for a in s.areas if a not in before)
        today.update(("left", a, lang) for a in before if a not in s.areas)
        if not s.areas and not before:  # of one who was on the list before this log began
            today["left", "", s.lang] += 1
        self.known[s.id] = (s.said_at, s.areas, s.lang)
        for old in [d for d in self.counts if d <= max(self.counts) - KEPT_DAYS]:
            del self.counts[old]
