"""What other authorities' CAP messages say of our areas now: the memory behind rule `cap`.

Messages may come twice, late and in any order. A message is its sender, identifier and sent together
(CAP 1.2, 3.3.1); it counts once, and the same identifier at a later time is another message. What an
Update or Cancel names is over, whether it has come or is still to come; named with a time that no
message of that id has, it means all that were sent before itself. Ids are compared without regard to
case where one names another or repeats it. A message ends by itself at its
expiry. A source ends its own words only. Of two messages that are both alive the higher one counts:
that is the safe side where an Update names less than it replaces, or an id is said again lower.

Delay: none. It cannot see a message that was never sent; a Cancel of what never came is told.
"""

from collections.abc import Iterable, Iterator

import msgspec

from config.records.level import Level
from ingest.observation import CapIn, CapRef, CapSays

MOST = 5_000  # ids a source may have alive; its validity bounds how long they live
_SLACK_MS = 600_000  # beyond the time at which ingest itself refuses the id as expired


class HeldMessage(msgspec.Struct):
    """One message of a source, or what another one said of it before it came; under an id alone,
    `sent_at` is until when what it names may have been sent."""

    forget_at: int
    came: bool = False
    over: bool = False
    sent_at: int = 0
    expires_at: int = 0
    headline: str = ""
    says: tuple[CapSays, ...] = ()
    identifier: str = ""


class SourceWord(msgspec.Struct, frozen=True):
    """A source's word on an area and hazard."""

    source: str
    level: Level
    sent_at: int
    headline: str
    identifier: str


class CapSaid(msgspec.Struct, frozen=True):
    """What was said last of an area and hazard, and since when that level."""

    words: tuple[SourceWord, ...] = ()
    since_at: int = 0


class CapState(msgspec.Struct):
    """held: source -> "sender,identifier,sent"; without the third where an older version of this
    program wrote it. said: area|hazard."""

    held: dict[str, dict[str, HeldMessage]] = {}
    said: dict[str, CapSaid] = {}


def take(state: CapState, message: CapIn, valid_ms: int) -> str:
    """Take an alert, update or cancel; valid_ms: how long the source's messages can count. Returns
    what is wrong: identifier_reused or too_many (it is not taken), unknown_reference, or ""."""
    held = state.held.setdefault(message.source, {})
    whose = f"{message.sender},{message.identifier}"
    key, before = f"{whose},{message.sent_at}", held.get(whose)
    # one that begins later than it was sent lives longer
    forget_at = max(message.sent_at + valid_ms, message.expires_at) + _SLACK_MS
    mine = held.get(key) or _twin(held, key, message)
    if mine is None and before is not None and before.sent_at == message.sent_at and before.came:
        mine = before
    if mine is not None and mine.came:
        same = (mine.sent_at, mine.says) == (message.sent_at, message.says)
        return "" if same else "identifier_reused"
    if mine is None:
        if len(held) >= MOST:
            return "too_many"
        mine = held[key] = HeldMessage(forget_at)
    if before is not None and before.over:
        mine.over |= before.sent_at == 0 or message.sent_at <= before.sent_at
    mine.came, mine.sent_at, mine.forget_at = True, message.sent_at, forget_at
    mine.expires_at, mine.headline = message.expires_at, message.headline
    mine.says, mine.identifier = message.says, message.identifier
    known = [
        _end(held, message, f"{r.sender},{r.identifier}", r.sent_at) for r in message.references
    ]
    for r in message.references:
        _awaited(held, message, r, forget_at)
    return "unknown_reference" if message.msg_type == "cancel" and not any(known) else ""


def _twin(held: dict[str, HeldMessage], key: str, message: CapIn) -> HeldMessage | None:
    """The same message under an id in other case: its sender, time and words are the same."""
    like = (h for k, h in held.items() if h.came and k.casefold() == key.casefold())
    return next((h for h in like if h.says == message.says), None)


def _end(held: dict[str, HeldMessage], message: CapIn, whose: str, sent_at: int) -> bool:
    """What a reference names is over; whether any of it had come. Never the message itself."""
    whose = whose.casefold()
    exact = [h for k, h in held.items() if h.came and k.casefold() == f"{whose},{sent_at}"]
    if exact:
        named = exact
    else:
        all_of = (h for k, h in held.items() if f"{k.casefold()},".startswith(f"{whose},"))
        named = [h for h in all_of if h.came and h.sent_at < message.sent_at]
    mine = held[f"{message.sender},{message.identifier},{message.sent_at}"]
    named = [h for h in named if h is not mine]
    for h in named:
        h.over = True
    return bool(named)


def _awaited(held: dict[str, HeldMessage], message: CapIn, r: CapRef, forget_at: int) -> None:
    """One that is still to come will be over: ingest would take it for so long. Under its id alone
    stands until when it may have been sent, for its time may be written wrong."""
    whose = f"{r.sender},{r.identifier}"
    if r.sent_at == message.sent_at and whose == f"{message.sender},{message.identifier}":
        return
    for key, until_at in ((f"{whose},{r.sent_at}", 0), (whose, message.sent_at - 1)):
        if key in held or len(held) < MOST:
            found = held.setdefault(key, HeldMessage(forget_at))
            if not found.came:
                found.over = True
                found.sent_at = max(found.sent_at, until_at)
                found.forget_at = max(found.forget_at, forget_at)


def first_time(state: CapState, message: CapIn, valid_ms: int) -> bool:
    """Whether an answer (Ack, Error) is new; it then counts as heard."""
    held = state.held.setdefault(message.source, {})
    whose = f"{message.sender},{message.identifier}"
    before, key = held.get(whose), f"{whose},{message.sent_at}"
    if key in held or (before is not None and before.came) or len(held) >= MOST:
        return False
    held[key] = HeldMessage(message.sent_at + valid_ms + _SLACK_MS, came=True, over=True)
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
    words: dict[tuple[str, str], list[SourceWord]] = {}
    for source, held in state.held.items():
        for key, h in held.items():
            if not h.came or h.over or h.expires_at <= clock_at:
                continue
            identifier = h.identifier or key.partition(",")[2]
            for s in h.says:
                if s.area in mine:
                    word = SourceWord(source, s.level, h.sent_at, h.headline, identifier)
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


def top(words: Iterable[SourceWord]) -> Level:
    """The highest level of them."""
    return max((w.level for w in words), default=Level.NONE)
