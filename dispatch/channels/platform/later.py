"""What a platform says of its own accord, as words for the outbox and records for the log. Pure."""

from collections.abc import Callable, Iterator

from config.language import Said, Text
from dispatch.channels.platform.ebd.records import (
    BroadcastState,
    Equipment,
    EquipmentList,
    EquipmentState,
    EquipmentStates,
)
from dispatch.records import Terminal, Terminals

_CHUNK = 200  # terminals of one record
_ALL, _PLAYED = 4, "3"


def word_of(state: BroadcastState, word: Callable[[str], str]) -> tuple[str, Said]:
    """Our word and what it is known by. word: of a code. A broadcast of whose equipment none played or
    plays is called neither played nor on the air."""
    said, (played, of, words) = word(state.code), counted(state, word)
    if said == "done" and played == 0:
        said = "done_silent"
    states = [word(one.state) for one in state.by]
    if said == "on_air" and states and not {"on_air", "done"} & set(states):
        said = "on_air_silent"
    if state.rate:
        rate = Text(f"覆盖率 {state.rate.rstrip('%')} %", f"coverage {state.rate.rstrip('%')} %")
        words = words + Text("，", ", ") + rate if of else rate
    return said, words


def counted(state: BroadcastState, word: Callable[[str], str]) -> tuple[int | None, bool, Said]:
    """How many played, whether anything is known of that, and in words: of the equipment it names, n of m;
    else the count of terminals alone. None: it tells of none."""
    if state.by:
        n = sum(word(one.state) == "done" for one in state.by)
        on = sum(word(one.state) == "on_air" for one in state.by)
        m = len(state.by)
        words = Text(f"{n}/{m} 个终端已播", f"{n} of {m} terminals played")
        if on:
            words = words + Text(f"，{on} 个正在播", f", {on} playing")
        return n, True, words
    if len(state.counts) == _ALL:
        n = state.counts[3]
        words = Text(f"{n} 个终端已播", f"{n} terminals played")
        return (0 if not n else None), True, words
    return None, False, ""


class Known:
    """What was last told of each terminal, so that only what is new goes into the log. most: codes of one
    platform that are remembered; beyond them each word is news."""

    def __init__(self, platform: str, most: int = 20_000) -> None:
        self._platform, self._most = platform, most
        self._listed: dict[str, Terminal] = {}
        self._states: dict[str, Terminal] = {}

    def news(self, told: EquipmentList | EquipmentStates, at: int) -> list[Terminals]:
        """Records of what changed; at: epoch ms. Call `keep` once the log has them."""
        if isinstance(told, EquipmentList):
            rows = [listed(told.kind, e, at) for e in told.items]
            fresh = [r for r in rows if _is_news(self._listed.get(r.code), r)]
        else:
            rows = [state_of(told.kind, e, at) for e in told.items]
            fresh = [r for r in rows if _is_news(self._states.get(r.code), r)]
        return list(_records(self._platform, fresh, at))

    def keep(self, records: list[Terminals]) -> None:
        """The log has them."""
        for r in (t for one in records for t in one.items):
            where = self._states if r.state else self._listed
            if r.code in where or len(where) < self._most:
                where[r.code] = r


def _is_news(known: Terminal | None, told: Terminal) -> bool:
    """Something else than before, and not from before that."""
    return known is None or (told.told_at >= known.told_at and _words(told) != _words(known))


def _words(t: Terminal) -> object:
    """All but when it was told."""
    return (t.name, t.lon, t.lat, t.state, t.gone)


def listed(kind: str, e: Equipment, at: int) -> Terminal:
    return Terminal(
        code=e.code, kind=kind, name=e.name, lon=e.lon, lat=e.lat, told_at=_when(e.told_at, at),
        gone=e.gone,
    )  # fmt: skip


def state_of(kind: str, e: EquipmentState, at: int) -> Terminal:
    return Terminal(code=e.code, kind=kind, state=e.state, told_at=_when(e.told_at, at))


def _when(told_at: int | None, at: int) -> int:
    return at if told_at is None else min(told_at, at)


def _records(platform: str, rows: list[Terminal], at: int) -> Iterator[Terminals]:
    for n in range(0, len(rows), _CHUNK):
        yield Terminals(platform=platform, heard_at=at, items=tuple(rows[n : n + _CHUNK]))
