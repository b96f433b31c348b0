"""Other authorities whose CAP messages we hear, and neighbours that hear ours: the records of
sources.toml. `config.checks.sources` reads them."""

import ipaddress
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from config.records.level import HAZARD_ZH, Level

# CAP's severity, and the colours of the national scheme as their parameters spell them
LEVELS = {
    "extreme": Level.RED,
    "severe": Level.ORANGE,
    "moderate": Level.YELLOW,
    "minor": Level.BLUE,
    "unknown": Level.BLUE,  # somebody looks at it: it is only a proposal
    "none": Level.NONE,
    "blue": Level.BLUE,
    "yellow": Level.YELLOW,
    "orange": Level.ORANGE,
    "red": Level.RED,
    "蓝色": Level.BLUE,
    "黄色": Level.YELLOW,
    "橙色": Level.ORANGE,
    "红色": Level.RED,
}


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of sources.toml."""


class Downstream(_Row, frozen=True, kw_only=True):
    """A warning for one of these places of theirs concerns these areas of ours."""

    divisions: tuple[str, ...]  # codes of theirs, or how they begin: "130730"
    areas: tuple[str, ...] = ()
    basins: tuple[str, ...] = ()


class Source(_Row, frozen=True, kw_only=True):
    """An authority that is heard."""

    id: str
    name: str
    name_en: str
    senders: tuple[str, ...]  # what stands in <sender>
    certificates: tuple[str, ...] = ()  # PEM files; the old and the new one while keys change
    unsigned: bool = False  # take messages without a signature
    valid_s: int = 86_400  # longest validity; and that of a message which names none
    # event, or value of an eventCode, in any case -> our hazards; "*" for any other
    hazards: dict[str, tuple[str, ...]] = {}
    level_parameter: str = "预警颜色"  # where it is missing, <severity> counts
    levels: dict[str, str] = {}  # value -> none, blue, yellow, orange, red
    downstream: tuple[Downstream, ...] = ()
    feed: str = ""  # Atom or RSS
    exercise_feed: str = ""  # on this machine
    poll_s: int = 60
    hosts: tuple[str, ...] = ()  # HOST or HOST:PORT, beside the feed's own, where messages may lie

    def hazards_of(self, events: Collection[str]) -> tuple[str, ...]:
        """Our hazards for an event's name and codes; our own ids mean themselves."""
        table = {k.casefold(): v for k, v in self.hazards.items()}
        found = [h for e in events for h in table.get(e.casefold(), ())]
        found += [e for e in events if e in HAZARD_ZH and e not in table]
        return tuple(dict.fromkeys(found or table.get("*", ())))

    def level_of(self, value: str) -> Level | None:
        """Our level for a value of theirs, None when nobody has said."""
        for known, level in self.levels.items():
            if known.casefold() == value.casefold():
                return Level[level.upper()]
        return LEVELS.get(value.casefold())


class Neighbour(_Row, frozen=True, kw_only=True):
    """An authority that gets our warnings. `id` is that of its row under [[source]]."""

    id: str
    url: str = ""  # where a live run posts to; empty: not connected
    exercise_url: str = ""  # where an exercise does: on this machine
    basins: tuple[str, ...] = ()  # that cross the line
    areas: tuple[str, ...] = ()
    border: tuple[tuple[float, float], ...] = ()  # (lon, lat): areas of ours that touch it
    min_level: str = "blue"  # an order to move always goes

    def place(self, live: bool) -> str:
        """Where it is posted to in such a run."""
        return self.url if live else self.exercise_url


class File(_Row, frozen=True, kw_only=True):
    """The whole file."""

    listen: str = ""  # HOST:PORT of ingest's own endpoint in a live run; empty: none
    exercise_listen: str = "127.0.0.1:0"  # in an exercise: on this machine; port 0: any free one
    source: tuple[Source, ...] = ()
    neighbour: tuple[Neighbour, ...] = ()


class Sources(NamedTuple):
    """The file, checked."""

    listen: str
    source: dict[str, Source]
    neighbour: dict[str, Neighbour]
    certificates: dict[str, str]  # file -> PEM
    exercise_listen: str = "127.0.0.1:0"


NONE = Sources("", {}, {}, {})


def is_loopback(host: str) -> bool:
    """An address of this machine. A name, even localhost, leads where somebody says."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
