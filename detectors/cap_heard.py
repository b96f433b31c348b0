"""What other authorities' CAP messages say of our areas now: the memory behind rule `cap`.

Messages may come twice, late and in any order. An id counts once. What an Update or Cancel names is
over, whether it has come or is still to come. A message ends by itself at its expiry. A source ends
its own words only. Of two messages that are both alive the higher one counts: that is the safe side
where an Update names less than it replaces.

Delay: none. It cannot see a message that was never sent; a Cancel of what never came is told.
"""

from collections.abc import Iterable, Iterator

import msgspec

from config.level import Level
from ingest.observation import CapIn, CapSays

MOST = 5_000  # ids a source may have alive; its validity bounds how long they live
_SLACK_MS = 600_000  # beyond the time at which ingest itself refuses the id as expired


class Held(msgspec.Struct):
    """One id of a source: a message, or what another one said of it before it came."""

    forget_at: int
    came: bool = False
    over: bool = False
    sent_at: int = 0
    expires_at: int = 0
    headline: str = ""
    says: tuple[CapSays, ...] = ()


class Word(msgspec.Struct, frozen=True):
    """A source's word on an area and hazard."""

    source: str
    level: Level
    sent_at: int
    headline: str
    identifier: str


class CapSaid(msgspec.Struct, frozen=True):
    """What was said last of an area and hazard, and since when that level."""

    words: tuple[Word, ...] = ()
    since_at: int = 0


class CapState(msgspec.Struct):
    """held: source -> "sender,identifier". said: area|hazard."""

    held: dict[str, dict[str, Held]] = {}
    said: dict[str, CapSaid] = {}


def take(state: CapState, message: CapIn, valid_ms: int) -> str:
    """Take an alert, update or cancel; valid_ms: how long the source's messages can count. Returns
    what is wrong: identifier_reused or too_many (it is not taken), unknown_reference, or ""."""
    held = state.held.setdefault(message.source, {})
    key = f"{message.sender},{message.identifier}"
    forget_at = message.sent_at + valid_ms + _SLACK_MS
    mine = held.get(key)
    if mine is not None and mine.came:
        same = (mine.sent_at, mine.says) == (message.sent_at, message.says)
        return "" if same else "identifier_reused"
    if mine is None:
        if len(held) >= MOST:
            return "too_many"
        mine = held[key] = Held(forget_at)
    mine.came, mine.sent_at, mine.forget_at = True, message.sent_at, forget_at
    mine.expires_at, mine.headline = message.expires_at, message.headline
    mine.says = message.says
    named = [f"{r.sender},{r.identifier}" for r in message.references]
    known = [held[k] for k in named if k in held and held[k].came and k != key]
    for other in named:
        if other != key and (other in held or len(held) < MOST):
            # one that is still to come will be over: ingest would take it for so long
            held.setdefault(other, Held(forget_at)).over = True
    return "unknown_reference" if message.msg_type == "cancel" and not known else ""


def first_time(state: CapState, message: CapIn, valid_ms: int) -> bool:
    """Whether an answer (Ack, Error) is new; it then counts as heard."""
    held = state.held.setdefault(message.source, {})
    key = f"{message.sender},{message.identifier}"
    if key in held or len(held) >= MOST:
        return False
    held[key] = Held(message.sent_at + valid_ms + _SLACK_MS, came=True, over=True)
    return True


def forget(state: CapState, clock_at: int) -> None:
    """Drop what can neither count any more nor come again."""
    for source, held in state.held.items():
        if any(h.forget_at <= clock_at for h in held.values()):
            state.held[source] = {k: h for k, h in held.items() if h.forget_at > clock_at}


def changes(state: CapState, areas: Iterable[str], clock_at: int) -> Iterator[tuple[str, str]]:
    """(area, hazard) of which less, more or something else is said at `clock_at` than before, in
    order; `state.said` then holds what is said now."""
    mine = set(areas)
    words: dict[tuple[str, str], list[Word]] = {}
    for source, held in state.held.items():
        for key, h in held.items():
            if not h.came or h.over or h.expires_at <= clock_at:
                continue
            identifier = key.partition(",")[2]
            for s in h.says:
                if s.area in mine:
                    word = Word(source, s.level, h.sent_at, h.headline, identifier)
                    words.setdefault((s.area, s.hazard), []).append(word)
    now = {f"{area}|{hazard}": w for (area, hazard), w in words.items()}
    for place in sorted({*now, *state.said}):
        # the same words in another order of arrival are the same words
        said = tuple(
            sorted(now.get(place, ()), key=lambda w: (-w.level, w.source, w.sent_at, w.identifier))
        )
        before = state.said.get(place, CapSaid())
        if said == before.words:
            continue
        rose = top(said) > top(before.words) or not said
        state.said[place] = CapSaid(said, clock_at if rose else before.since_at)
        area, _, hazard = place.partition("|")
        yield area, hazard
        if not said:
            del state.said[place]


def top(words: Iterable[Word]) -> Level:
    """The highest level of them."""
    return max((w.level for w in words), default=Level.NONE)
