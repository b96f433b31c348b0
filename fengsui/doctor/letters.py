"""Dead letters by whom they seem to be of: a station, node, gateway or person of the tables, or a name that
nobody knows. Pure: records in."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from config.language import zh
from stream.records import DeadLetter

_KEPT = 50  # of one name
_NAMES = 2000  # what is beyond is counted under "?"
_PLACES = ("station", "node", "person", "gateway")
_QUOTED = re.compile(r"'([^']{1,60})'")
_FIRST = re.compile(r"^([A-Za-z0-9_.-]{1,60})(?::| 不测| 第)")
_LATER = re.compile(r": ([A-Za-z0-9-]{1,32}): ")
# refused because of a name, which may be another's misspelt; of all else a name that nobody knows is noise
_NAMELY = (
    *("unknown_station", "unknown_gateway", "unknown_person", "unknown_topic", "not_its_station"),
)


@dataclass
class Letters:
    """tables: every name that the district knows. of: such a name -> its newest letters. strange: names that
    nobody knows -> the same."""

    tables: frozenset[str] = frozenset()
    of: dict[str, deque[DeadLetter]] = field(default_factory=dict)
    strange: dict[str, deque[DeadLetter]] = field(default_factory=dict)

    def take(self, letter: DeadLetter) -> None:
        """Sort one in."""
        for name in dict.fromkeys(names_of(letter)):
            known = name in self.tables
            if not known and letter.reason not in _NAMELY:
                continue
            table = self.of if known else self.strange
            if name not in table and len(table) >= _NAMES:
                name = "?"
            table.setdefault(name, deque(maxlen=_KEPT)).append(letter)


def names_of(letter: DeadLetter) -> Iterator[str]:
    """Whom a letter may be about: the topic says it, or what was found wrong; a telemetry station has its
    address."""
    parts, said = letter.source.split("/"), zh(letter.detail)
    if letter.source.startswith("telemetry "):
        yield letter.source.split(" ")[1]
    elif letter.source.startswith("weather "):  # the file and the row stand before the station
        yield from _LATER.findall(said)[:1]
    elif parts[0] == "fengsui" and len(parts) > 4 and parts[3] in _PLACES:
        yield parts[4]
    if letter.reason in _NAMELY:
        yield from _QUOTED.findall(said)[:2]
    if first := _FIRST.match(said):
        yield first[1]
